//! The ledger on a real file.

use std::{cell::RefCell, collections::BTreeMap, path::Path};

use jiff::Timestamp;

use super::{postgres_server::PostgresServer, *};
use crate::domain::{
    Actor, Basis, Change, Digest, Door, FieldName, FieldValue, ObjectName, Plan, Promotion, PromotionId,
    Proposal, ProposalId, RecordId, Settlement, Stage, Stamps, event::Event,
};

pub(super) const ORG: &str = "00D000000000001EAA";

pub(super) async fn open(folder: &Path) -> Ledger {
    open_at(folder, Clock::manual("2026-05-01T08:00:00Z".parse().unwrap())).await
}

pub(super) async fn open_at(folder: &Path, clock: Clock) -> Ledger {
    let options = OpenOptions { place: place(folder), org_id: ORG.to_owned(), clock, create: true };
    Ledger::open(options).await.unwrap()
}

thread_local! {
    /// The database of the test on this thread, when it runs over PostgreSQL.
    static DATABASE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on the test on this thread has its ledger in a database of its own: its URL.
pub(super) fn over_postgres() -> String {
    let url = PostgresServer::shared().database();
    DATABASE.set(Some(url.clone()));
    url
}

/// Where the ledger of a test is.
pub(super) fn place(folder: &Path) -> Place {
    let url = DATABASE.with_borrow(Clone::clone);
    url.map_or_else(|| folder.join("ledger.db").into(), |url| Place::parse(&url).unwrap())
}

/// Verifies the ledger of a test.
pub(super) async fn verified(folder: &Path) -> verify::Report {
    verify::verify(&place(folder), None, &mut |_| {}).await.unwrap()
}

/// Runs tests over both databases.
macro_rules! over_both {
    ($($name:ident),+ $(,)?) => {
        mod over_sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name().await;
            })+
        }

        mod over_postgres {
            $(#[tokio::test]
            async fn $name() {
                crate::ledger::tests::over_postgres();
                super::$name().await;
            })+
        }
    };
}
pub(super) use over_both;

fn record() -> RecordId {
    RecordId::parse(&RecordId::complete("00Q000000000001").unwrap()).unwrap()
}

pub(super) fn proposal(id: &str) -> Proposal {
    let status = FieldName::parse("Status").unwrap();
    Proposal {
        creates: None,
        id: ProposalId::parse(id).unwrap(),
        object: ObjectName::parse("Lead").unwrap(),
        record: record(),
        patch: BTreeMap::from([(status.clone(), FieldValue::text("Working - Contacted"))]),
        base: BTreeMap::from([(status, FieldValue::text("Open - Not Contacted"))]),
        confidence: None,
        reason: Some("an invented reason".to_owned()),
        evaluated_at: None,
        expires_at: None,
        edited_from: None,
        requires_review: false,
        actor: Actor::named("test-agent"),
        door: Door::Record,
        evidence: Vec::new(),
        received_at: Timestamp::UNIX_EPOCH,
    }
}

pub(super) fn promotion(id: &str, of: &str) -> Promotion {
    let before = FieldValue::text("Open - Not Contacted");
    let after = FieldValue::text("Working - Contacted");
    Promotion {
        id: PromotionId::new(id),
        plan: Plan {
            making: None,
            object: ObjectName::parse("Lead").unwrap(),
            record: record(),
            proposal_id: ProposalId::parse(of).unwrap(),
            basis: Basis::Approved,
            changes: vec![Change { field: FieldName::parse("Status").unwrap(), before, after }],
            expected_seq: 0,
            stamps: Stamps::default(),
            planned_at: Timestamp::UNIX_EPOCH,
        },
        attempts: 0,
        settlement: Settlement::Intended,
        undoes: None,
        rollback: None,
        proof: BTreeMap::new(),
    }
}

pub(super) async fn append(ledger: &Ledger, events: &[Event]) -> Result<(), LedgerError> {
    let mut tx = ledger.begin("test").await?;
    tx.append_all(events).await?;
    tx.commit().await
}

pub(super) async fn story(ledger: &Ledger) {
    ledger.lead("test", &Digest::of_bytes(b"policy")).await.unwrap();
    append(ledger, &[Event::ProposalReceived { proposal: proposal("p-1") }]).await.unwrap();
    append(ledger, &[Event::PromotionIntended { promotion: promotion("m-1", "p-1") }]).await.unwrap();
    append(ledger, &[Event::PromotionsSent { promotions: vec![PromotionId::new("m-1")] }]).await.unwrap();
    let settled =
        Event::PromotionSettled { promotion: PromotionId::new("m-1"), settlement: Settlement::Done };
    append(ledger, &[settled]).await.unwrap();
}

async fn a_story_is_kept_and_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path()).await;
    story(&ledger).await;
    let found = ledger.proposal(&ProposalId::parse("p-1").unwrap()).await.unwrap().unwrap();
    assert_eq!(found.stage, Stage::Promoted);
    assert_eq!(found.proposal, proposal("p-1"));
    assert_eq!(ledger.unconfirmed(10).await.unwrap().len(), 1);
    let report = verified(folder.path()).await;
    assert_eq!(report.findings, []);
    assert_eq!(report.entries, 5);
    assert!(report.private_checked >= 4);
}

async fn one_open_promotion_a_record() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path()).await;
    append(&ledger, &[Event::ProposalReceived { proposal: proposal("p-1") }]).await.unwrap();
    append(&ledger, &[Event::PromotionIntended { promotion: promotion("m-1", "p-1") }]).await.unwrap();
    let second = append(&ledger, &[Event::PromotionIntended { promotion: promotion("m-2", "p-1") }]).await;
    assert_eq!(second.unwrap_err().code(), "promotion-open");
    // The refused transaction left nothing behind.
    append(&ledger, &[Event::ProposalReceived { proposal: proposal("p-2") }]).await.unwrap();
    for (oldest_first, expected) in [(true, "p-1"), (false, "p-2")] {
        let filter = ProposalFilter { stage: None, limit: 1, oldest_first };
        let found = ledger.proposals(&filter).await.unwrap();
        assert_eq!(found[0].proposal.id.as_str(), expected);
    }
    let report = verified(folder.path()).await;
    assert_eq!((report.entries, report.findings), (3, vec![]));
}

/// A promotion `id` of `p-1` over a record whose number is `seq`.
fn numbered(id: &str, seq: u64) -> Event {
    let mut promotion = promotion(id, "p-1");
    promotion.plan.expected_seq = seq;
    Event::PromotionIntended { promotion }
}

async fn a_number_is_used_for_one_write() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path()).await;
    story(&ledger).await;
    let used = |error: LedgerError| (error.code().to_owned(), error.to_string().contains("m-1"));
    let landed = append(&ledger, &[numbered("m-2", 0)]).await.unwrap_err();
    assert_eq!(used(landed), ("promotion-number-used".to_owned(), true), "m-1 landed with it");

    // A refusal leaves the record's number as it is, so the next write states it again.
    let refused = Settlement::Refused { code: "LOCKED".to_owned(), message: "locked".to_owned() };
    let of = |id: &str, settlement| Event::PromotionSettled { promotion: PromotionId::new(id), settlement };
    let sent = |id: &str| Event::PromotionsSent { promotions: vec![PromotionId::new(id)] };
    append(&ledger, &[numbered("m-3", 1), sent("m-3"), of("m-3", refused)]).await.unwrap();
    // What a void write closed has moved it on.
    let (voiding, stale) =
        (Settlement::Voiding { reason: "late".to_owned() }, Settlement::Stale { reason: "late".to_owned() });
    let closed = [numbered("m-4", 1), sent("m-4"), of("m-4", voiding), sent("m-4"), of("m-4", stale)];
    append(&ledger, &closed).await.unwrap();
    let voided = append(&ledger, &[numbered("m-5", 1)]).await.unwrap_err();
    assert_eq!(voided.code(), "promotion-number-used");
    append(&ledger, &[numbered("m-5", 2)]).await.unwrap();
    assert_eq!(verified(folder.path()).await.findings, []);
}

async fn an_older_epoch_writes_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (open(folder.path()).await, open(folder.path()).await);
    let policy = Digest::of_bytes(b"policy");
    assert_eq!(first.lead("test", &policy).await.unwrap(), 1);
    assert_eq!(second.lead("test", &policy).await.unwrap(), 2);
    let late = append(&first, &[Event::ProposalReceived { proposal: proposal("p-1") }]).await;
    assert_eq!(late.unwrap_err().code(), "ledger-fenced");
    append(&second, &[Event::ProposalReceived { proposal: proposal("p-1") }]).await.unwrap();
}

#[tokio::test]
async fn another_org_and_other_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()).await);
    let path = folder.path().join("ledger.db");
    let other = OpenOptions {
        place: path.clone().into(),
        org_id: "00D000000000002EAA".to_owned(),
        clock: Clock::system(),
        create: false,
    };
    assert_eq!(Ledger::open(other).await.err().unwrap().code(), "ledger-other-org");
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "this is no database at all, however long it may be").unwrap();
    assert_eq!(
        Ledger::open_read_only(&text.clone().into()).await.err().unwrap().code(),
        "ledger-not-a-ledger"
    );
    let absent = folder.path().join("absent.db");
    assert_eq!(Ledger::open_read_only(&absent.into()).await.err().unwrap().code(), "ledger-missing");
}

fn settled(settlement: Settlement) -> Event {
    Event::PromotionSettled { promotion: PromotionId::new("m-1"), settlement }
}

async fn what_ended_is_not_settled_or_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path()).await;
    story(&ledger).await;
    let sent = Event::PromotionsSent { promotions: vec![PromotionId::new("m-1")] };
    for late in [settled(Settlement::Unknown { reason: "late".to_owned() }), settled(Settlement::Gone), sent]
    {
        assert_eq!(append(&ledger, &[late]).await.unwrap_err().code(), "settlement-transition");
    }
    append(&ledger, &[settled(Settlement::Done)]).await.expect("the echo tells it again");
}

async fn landing_is_a_fact_whatever_was_decided_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path()).await;
    let id = ProposalId::parse("p-1").unwrap();
    let moved = Event::StageChanged {
        proposal_id: id.clone(),
        stage: Stage::Expired,
        code: "test".to_owned(),
        successor: None,
    };
    let begun = [
        Event::ProposalReceived { proposal: proposal("p-1") },
        Event::PromotionIntended { promotion: promotion("m-1", "p-1") },
        Event::PromotionsSent { promotions: vec![PromotionId::new("m-1")] },
        settled(Settlement::Voiding { reason: "too old".to_owned() }),
        Event::PromotionsSent { promotions: vec![PromotionId::new("m-1")] },
        moved,
    ];
    append(&ledger, &begun).await.unwrap();
    let open = &ledger.open_promotions(1).await.unwrap()[0];
    assert_eq!((open.settlement.name(), open.attempts), ("voiding", 2), "a void write is a send too");
    let counts = ledger.counts().await.unwrap();
    assert_eq!(counts.promotions_by_state, [("voiding".to_owned(), 1)].into());
    assert_eq!((counts.promotions_open, counts.epoch, counts.head_seq), (1, 0, 6));
    assert!(counts.head_at.is_some());
    append(&ledger, &[settled(Settlement::Done)]).await.unwrap();
    assert_eq!(ledger.proposal(&id).await.unwrap().unwrap().stage, Stage::Promoted);
    let counts = ledger.counts().await.unwrap();
    assert_eq!((counts.promotions_open, counts.promotions_by_state.len()), (0, 0));
    let report = verified(folder.path()).await;
    assert_eq!(report.findings, [], "also beside the process that has it open");
}

#[tokio::test]
async fn a_database_of_another_program_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut other = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::query("CREATE TABLE people (name TEXT)").execute(&mut other).await.unwrap();
    sqlx::Connection::close(other).await.unwrap();
    let before = std::fs::read(&path).unwrap();
    let options = OpenOptions {
        place: path.clone().into(),
        org_id: ORG.to_owned(),
        clock: Clock::system(),
        create: true,
    };
    assert_eq!(Ledger::open(options).await.err().unwrap().code(), "ledger-not-a-ledger");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_full_disk_keeps_nothing_half_and_a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path()).await;
    append(&ledger, &[Event::ProposalReceived { proposal: proposal("p-1") }]).await.unwrap();
    let many: Vec<Event> = (2..200)
        .map(|number| Event::ProposalReceived { proposal: proposal(&format!("p-{number}")) })
        .collect();
    for (pages, full) in [("PRAGMA max_page_count = 1", true), ("PRAGMA max_page_count = 1000000", false)] {
        let mut writer = ledger.inner.writer.as_ref().unwrap().lock().await;
        db::query(pages).execute(&mut writer.connection).await.unwrap();
        drop(writer);
        let code = append(&ledger, &many).await.err().map(|error| error.code());
        assert_eq!(code, full.then_some("ledger-full"));
    }
    assert_eq!(ledger.counts().await.unwrap().head_seq, 199);
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (99, 'later', 1, x'00', 0)";
    let mut writer = ledger.inner.writer.as_ref().unwrap().lock().await;
    db::query(newer).execute(&mut writer.connection).await.unwrap();
    let options = OpenOptions {
        place: folder.path().join("ledger.db").into(),
        org_id: ORG.to_owned(),
        clock: Clock::system(),
        create: false,
    };
    assert_eq!(Ledger::open(options).await.err().unwrap().code(), "ledger-newer");
}

async fn every_character_of_a_text_is_kept_and_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path()).await;
    story(&ledger).await;
    let Proposal { id, object, record, .. } = proposal("p-1");
    let text = "zero \0, two\u{1f}parts\u{1f}, \u{f0000}, ä\"\\".to_owned();
    let notice = Event::NoticeIntended { object, record, proposal_id: id, text: text.clone() };
    append(&ledger, &[notice]).await.unwrap();
    let notices = ledger.open_notices(10).await.unwrap();
    assert_eq!(notices.iter().map(|notice| &notice.text).collect::<Vec<_>>(), [&text]);
    assert_eq!(verified(folder.path()).await.findings, []);
}

over_both!(
    a_story_is_kept_and_verifies,
    every_character_of_a_text_is_kept_and_verifies,
    one_open_promotion_a_record,
    a_number_is_used_for_one_write,
    an_older_epoch_writes_nothing_more,
    what_ended_is_not_settled_or_sent_again,
    landing_is_a_fact_whatever_was_decided_meanwhile
);
