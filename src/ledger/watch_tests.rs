//! Watches, labels and moved lanes in the ledger: the projection, the fold that checks it, erasure.

use jiff::{SignedDuration, Timestamp};

use super::{
    tests::{open, over_both, proposal, verified},
    *,
};
use crate::domain::{
    FieldName, FieldValue, ObjectName, ProposalId, RecordId, Stage,
    erasure::{About, ERASED, Erasure},
    event::Event,
    shadow::{Label, Labelled, Watch, lane::LaneAct, who::Who},
};

fn at(minutes: i64) -> Timestamp {
    "2026-05-01T08:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
}

fn status() -> FieldName {
    FieldName::parse("Status").unwrap()
}

fn lead() -> ObjectName {
    ObjectName::parse("Lead").unwrap()
}

fn watch(id: &str, live: bool, due: i64) -> Event {
    let proposal = proposal(id);
    let watch = Watch {
        proposal_id: proposal.id,
        object: proposal.object,
        record: proposal.record,
        fields: vec![status()],
        agent: proposal.actor.agent,
        version: Some("2".into()),
        segment: "general".into(),
        live,
        since: at(0),
        due: at(due),
    };
    Event::OutcomeWatched { watch }
}

fn labelled(id: &str, label: Label, (minute, last): (i64, bool)) -> Event {
    let labelled = Labelled {
        proposal_id: ProposalId::parse(id).unwrap(),
        field: status(),
        label,
        by: "005Cs0000000003IAA".into(),
        who: Who::Unknown,
        at: at(minute),
        last,
        value: (label == Label::Other).then(|| FieldValue::text("Closed - Not Converted")),
        reason: label.is_judgement().then(|| "they told me".to_owned()),
    };
    Event::OutcomeLabelled { labelled }
}

fn act(agent: &str, until: Option<i64>) -> LaneAct {
    LaneAct {
        object: lead(),
        field: status(),
        agent: agent.into(),
        version: None,
        until: until.map(at),
        by: "Pat Example".into(),
        at: at(0),
        reason: "the card says so".into(),
        numbers: [("right".to_owned(), "48".to_owned())].into(),
    }
}

async fn append(ledger: &Ledger, events: &[Event]) {
    let mut tx = ledger.begin("test").await.unwrap();
    tx.append_all(events).await.unwrap();
    tx.commit().await.unwrap();
}

async fn begun(folder: &std::path::Path, ids: &[&str]) -> Ledger {
    let ledger = open(folder).await;
    for id in ids {
        append(&ledger, &[Event::ProposalReceived { proposal: proposal(id) }]).await;
    }
    ledger
}

async fn what_is_due_and_what_is_labelled_is_found_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = begun(folder.path(), &["p-1", "p-2", "p-3"]).await;
    append(&ledger, &[watch("p-1", false, 60), watch("p-2", false, 30), watch("p-3", true, 30)]).await;
    let due = |minute| {
        let ledger = ledger.clone();
        async move {
            let found = ledger.watches_due(at(minute), 10).await.unwrap();
            found.iter().map(|one| one.proposal.proposal.id.to_string()).collect::<Vec<_>>()
        }
    };
    assert_eq!(due(29).await, [""; 0]);
    assert_eq!(due(60).await, ["p-2", "p-1"], "the earliest first, and none that went on");
    append(&ledger, &[labelled("p-2", Label::Other, (10, false)), labelled("p-1", Label::Match, (20, true))])
        .await;
    assert_eq!(due(60).await, ["p-2"], "a match ends its watch");
    append(&ledger, &[labelled("p-2", Label::Right, (99, false)), labelled("p-2", Label::Other, (10, true))])
        .await;
    assert_eq!(due(60).await, [""; 0]);

    let counted = ledger.labels(&lead(), at(5)).await.unwrap();
    let told: Vec<_> = counted.iter().map(|one| (one.label, one.judged, one.count)).collect();
    assert_eq!(told.len(), 3, "{counted:?}");
    assert!(told.contains(&(Some(Label::Other), Some(Label::Right), 1)), "{told:?}");
    assert!(told.contains(&(Some(Label::Match), None, 1)) && told.contains(&(None, None, 1)), "{told:?}");
    assert_eq!((counted[0].agent.as_str(), counted[0].version.as_str()), ("test-agent", "2"));
    let later = ledger.labels(&lead(), at(15)).await.unwrap();
    assert!(
        !later.iter().any(|one| one.label == Some(Label::Other)),
        "judging it made it no newer: {later:?}"
    );
    assert_eq!(ledger.watched_objects(false).await.unwrap(), [lead()]);
    assert_eq!(ledger.watches(&lead(), (true, 10)).await.unwrap().len(), 1);
    let report = verified(folder.path()).await;
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}

async fn what_went_on_moves_with_its_proposal() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = begun(folder.path(), &["p-1"]).await;
    append(&ledger, &[watch("p-1", true, 60)]).await;
    assert!(ledger.watches_moved(at(1), 10).await.unwrap().is_empty(), "nothing has happened");
    let (here, elsewhere) = (proposal("p-1").record, RecordId::parse("00QCs0000000009MAA").unwrap());
    let found = ledger.watched_records(&lead(), &[elsewhere, here.clone()]).await.unwrap();
    assert_eq!(found, [here].into());
    let refused = Event::StageChanged {
        proposal_id: ProposalId::parse("p-1").unwrap(),
        stage: Stage::Refused,
        code: "a-test".into(),
        successor: None,
    };
    append(&ledger, &[labelled("p-1", Label::Program, (1, false))]).await;
    assert!(ledger.watches_moved(at(1), 10).await.unwrap().is_empty(), "what a program did is no end");
    append(&ledger, &[refused]).await;
    assert_eq!(ledger.watches_moved(at(1), 10).await.unwrap().len(), 1);
    append(&ledger, &[labelled("p-1", Label::Lapsed, (1, true))]).await;
    assert!(ledger.watches_moved(at(99), 10).await.unwrap().is_empty());
    let record = proposal("p-1").record;
    assert!(ledger.watched_records(&lead(), std::slice::from_ref(&record)).await.unwrap().is_empty());
    let mut tx = ledger.begin("test").await.unwrap();
    assert!(tx.watches_on(&lead(), &[record]).await.unwrap().is_empty(), "settled");
    assert_eq!(tx.watches_of(&ProposalId::parse("p-1").unwrap()).await.unwrap().len(), 1);
}

async fn a_later_watch_takes_the_place_of_the_earlier_one() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = begun(folder.path(), &["p-1"]).await;
    append(&ledger, &[watch("p-1", true, 60), labelled("p-1", Label::Landed, (1, false))]).await;
    append(&ledger, &[watch("p-1", false, 90)]).await;
    let found = ledger.watches_due(at(90), 10).await.unwrap();
    assert_eq!((found.len(), found[0].standing.label, found[0].live), (1, None, false));
    let report = verified(folder.path()).await;
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}

async fn a_label_of_what_is_not_watched_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = begun(folder.path(), &["p-1"]).await;
    let mut tx = ledger.begin("test").await.unwrap();
    let refused = tx.append(&labelled("p-1", Label::Match, (1, true))).await.unwrap_err();
    assert_eq!(refused.code(), "ledger-unknown");
}

async fn a_changed_label_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = begun(folder.path(), &["p-1"]).await;
    append(&ledger, &[watch("p-1", false, 60), labelled("p-1", Label::Other, (1, false))]).await;
    let mut tx = ledger.begin("test").await.unwrap();
    db::query("UPDATE watch SET label = 'match'").execute(tx.own_connection()).await.unwrap();
    tx.commit().await.unwrap();
    let report = verified(folder.path()).await;
    assert!(report.findings.iter().any(|one| one.code == "projection-differs"), "{:?}", report.findings);
}

async fn a_changed_watch_is_found_on_every_page() {
    let folder = tempfile::tempdir().unwrap();
    let ids: Vec<String> = (1..=405).map(|number| format!("p-{number:03}")).collect();
    let ledger = open(folder.path()).await;
    let received = ids.iter().map(|id| Event::ProposalReceived { proposal: proposal(id) });
    append(&ledger, &received.collect::<Vec<_>>()).await;
    append(&ledger, &ids.iter().map(|id| watch(id, false, 60)).collect::<Vec<_>>()).await;
    let report = verified(folder.path()).await;
    assert_eq!((report.projections, report.findings), (810, vec![]));
    for place in ["p-001", "p-200", "p-201", "p-400", "p-405"] {
        for (column, wrong, right) in [("version", "''", "'2'"), ("due", "due + 1", "due - 1")] {
            let set = async |to: &str| {
                let sql = format!("UPDATE watch SET {column} = {to} WHERE proposal = '{place}'");
                let mut tx = ledger.begin("test").await.unwrap();
                db::query(sql).execute(tx.own_connection()).await.unwrap();
                tx.commit().await.unwrap();
            };
            set(wrong).await;
            let found = verified(folder.path()).await.findings;
            assert_eq!(found.len(), 1, "{column} of {place}: {found:?}");
            assert!(found[0].what.contains(&format!("`{place} Status`")), "{found:?}");
            set(right).await;
        }
    }
}

async fn lanes_are_read_back_and_words_can_be_erased() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = begun(folder.path(), &["lanes:", "p-1"]).await;
    for one in [act("a", Some(60)), act("b", Some(60)), act("a", None)] {
        append(&ledger, &[Event::LaneMoved { act: one }]).await;
    }
    let lanes = ledger.lanes().await.unwrap();
    let told: Vec<_> = lanes.iter().map(|lane| (lane.agent.as_str(), lane.until)).collect();
    assert_eq!(told, [("b", Some(at(60))), ("a", None)]);
    assert_eq!(ledger.lane_acts().await.unwrap().len(), 3);
    assert_eq!(lanes[0].reason, "the card says so");

    // A proposer chose the story's word as an id: erasing that proposal leaves the lanes' words alone.
    let refused = |id: &str| Event::StageChanged {
        proposal_id: ProposalId::parse(id).unwrap(),
        stage: Stage::Refused,
        code: "a-test".into(),
        successor: None,
    };
    append(&ledger, &[refused("lanes:"), watch("p-1", false, 60), labelled("p-1", Label::Wrong, (1, false))])
        .await;
    append(&ledger, &[refused("p-1")]).await;
    for id in ["lanes:", "p-1"] {
        let about = About::Proposal { proposal_id: ProposalId::parse(id).unwrap() };
        let (by, reason) = ("Pat Example".to_owned(), "they asked".to_owned());
        let asked = Erasure { about, by, reason, at: at(2), paths: Default::default() };
        let mut tx = ledger.begin("test").await.unwrap();
        tx.erase(asked).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert_ne!(ledger.lanes().await.unwrap()[0].reason, ERASED);
    let story = ledger.entries_for_proposal(&ProposalId::parse("p-1").unwrap()).await.unwrap();
    assert!(!format!("{story:?}").contains("they told me"));
    let report = verified(folder.path()).await;
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}

over_both!(
    what_is_due_and_what_is_labelled_is_found_and_counted,
    what_went_on_moves_with_its_proposal,
    a_later_watch_takes_the_place_of_the_earlier_one,
    a_label_of_what_is_not_watched_is_refused,
    a_changed_label_is_found,
    a_changed_watch_is_found_on_every_page,
    lanes_are_read_back_and_words_can_be_erased,
);
