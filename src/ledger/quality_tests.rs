//! Pages of stories for the numbers of quality, over both databases.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{
    tests::{open_at, over_both, promotion, proposal},
    *,
};
use crate::{
    clock::Clock,
    domain::{
        Approval, Decision, Digest, FieldName, ProposalId, RecordId, Settlement, Stage,
        event::Event,
        quality::{Happened, Step},
        shadow::{Label, Labelled, Watch, who::Who},
    },
};

fn at(minutes: i64) -> Timestamp {
    "2026-05-01T08:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
}

fn id(text: &str) -> ProposalId {
    ProposalId::parse(text).unwrap()
}

fn status() -> FieldName {
    FieldName::parse("Status").unwrap()
}

fn verdict(of: &str, stage: Stage) -> Event {
    let verdict = json!({ "outcome": "review", "findings": [{ "code": "review-wanted" }] });
    Event::VerdictReached { proposal_id: id(of), stage, verdict, input: None }
}

fn decision(of: &str, decision: Decision) -> Event {
    let decided_by = RecordId::parse("005Cs0000000003IAA").unwrap();
    let patch_digest = Digest::of_bytes(b"patch");
    let comments = Some("an invented comment".to_owned());
    let approval =
        Approval { proposal_id: id(of), decision, decided_by, decided_at: at(-1), patch_digest, comments };
    Event::DecisionObserved { approval }
}

fn watch(of: &str) -> Event {
    let proposal = proposal(of);
    let watch = Watch {
        proposal_id: proposal.id,
        object: proposal.object,
        record: proposal.record,
        fields: vec![status()],
        agent: proposal.actor.agent,
        version: None,
        segment: "general".into(),
        live: true,
        since: at(0),
        due: at(500),
    };
    Event::OutcomeWatched { watch }
}

fn labelled(of: &str, label: Label) -> Event {
    let labelled = Labelled {
        proposal_id: id(of),
        field: status(),
        label,
        by: "005Cs0000000003IAA".into(),
        who: Who::Person,
        at: at(77),
        last: false,
        value: None,
        reason: None,
    };
    Event::OutcomeLabelled { labelled }
}

fn superseded(of: &str) -> Event {
    let code = "edited".to_owned();
    Event::StageChanged { proposal_id: id(of), stage: Stage::Superseded, code, successor: None }
}

/// Appends each event ten minutes after the one before.
async fn told(clock: &Clock, ledger: &Ledger, events: Vec<Event>) {
    for event in events {
        clock.advance(std::time::Duration::from_mins(10));
        let mut tx = ledger.begin("test").await.unwrap();
        tx.append(&event).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn events() -> Vec<Event> {
    let landing = promotion("m-1", "p-1");
    let settled = |settlement| Event::PromotionSettled { promotion: landing.id.clone(), settlement };
    vec![
        Event::ProposalReceived { proposal: proposal("p-1") },
        verdict("p-1", Stage::AwaitingApproval),
        Event::ProposalReceived { proposal: proposal("p-2") },
        verdict("p-2", Stage::AwaitingApproval),
        decision("p-1", Decision::Approved),
        watch("p-1"),
        verdict("p-1", Stage::Approved),
        Event::PromotionIntended { promotion: landing.clone() },
        settled(Settlement::Unknown { reason: "an invented reason".into() }),
        settled(Settlement::Done),
        superseded("p-2"),
        labelled("p-1", Label::Approved),
        labelled("p-1", Label::Reversed),
        Event::ProposalReceived { proposal: proposal("p-3") },
    ]
}

/// The stories of a part, in pages of so many.
async fn stories(ledger: &Ledger, part: (u64, u64), most: u32) -> Vec<QualityStory> {
    let (mut found, mut from) = (Vec::new(), part.0);
    while let Some(page) = ledger.quality_page(part, from, most).await.unwrap() {
        assert!(page.last > from && page.stories.len() <= most as usize);
        from = page.last;
        found.extend(page.stories);
    }
    found
}

fn names(stories: &[QualityStory]) -> Vec<&str> {
    stories.iter().map(|story| story.record.proposal.id.as_str()).collect()
}

async fn each_story_is_told_one_time_and_whole() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(at(0));
    let ledger = open_at(folder.path(), clock.clone()).await;
    let first = ledger.length().await.unwrap();
    told(&clock, &ledger, events()).await;
    let head = ledger.length().await.unwrap();
    let all = stories(&ledger, (0, head), 500).await;
    assert_eq!(names(&all), ["p-1", "p-2"], "nothing was judged of the third one");
    assert_eq!(stories(&ledger, (0, head), 1).await, all, "pages of one");
    let stage = |minutes, stage| {
        let code = (stage == Stage::Superseded).then(|| "edited".to_owned());
        Step { at: at(minutes), what: Happened::Stage { stage, code } }
    };
    let settled = |minutes, landed| {
        let promotion = crate::domain::PromotionId::new("m-1");
        Step { at: at(minutes), what: Happened::Settled { promotion, landed } }
    };
    let expected = [
        stage(20, Stage::AwaitingApproval),
        Step { at: at(50), what: Happened::Decided { decision: Decision::Approved, when: at(-1) } },
        Step { at: at(60), what: Happened::Watched { due: at(500) } },
        stage(70, Stage::Approved),
        settled(90, false),
        settled(100, true),
        Step { at: at(130), what: Happened::Reversed { field: status(), when: at(77) } },
    ];
    assert_eq!(all[0].steps, expected);
    assert_eq!((all[0].record.stage, all[0].promotions.len()), (Stage::Promoted, 1));
    assert_eq!(all[0].promotions[0].settlement, Settlement::Done);
    assert_eq!(all[1].steps, [stage(40, Stage::AwaitingApproval), stage(110, Stage::Superseded)]);
    assert!(all[1].promotions.is_empty());

    // Parts of the chain: what brings a story in lies within, and it is told with what was before.
    let part = |from: u64, to: u64| (first + from, first + to);
    assert_eq!(stories(&ledger, part(10, 14), 1).await, [all[1].clone()], "only its end lies within");
    assert_eq!(names(&stories(&ledger, part(4, 14), 1).await), ["p-1", "p-2"]);
    assert_eq!(names(&stories(&ledger, part(11, 14), 500).await), [""; 0], "a label alone brings none in");
    let early = stories(&ledger, part(0, 4), 500).await;
    assert_eq!(names(&early), ["p-1", "p-2"]);
    assert_eq!(early[0].steps, expected[..1], "nothing from after the part");
}

over_both!(each_story_is_told_one_time_and_whole);
