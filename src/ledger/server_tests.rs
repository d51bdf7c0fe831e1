//! What is of PostgreSQL only: rights, the schema, the lease, a connection that is lost.

use std::time::Duration;

use super::{
    postgres_server::{PostgresServer, name_of},
    tests::{ORG, append, open, over_postgres, place, proposal, story, verified},
    *,
};
use crate::domain::{Digest, event::Event};

const SCHEMA: &str = "countersign_00d000000000001eaa";

/// Runs statements in the org's schema, as somebody who owns it.
fn try_sql(url: &str, sql: &str) -> (bool, String) {
    PostgresServer::shared().try_sql(name_of(url), &format!("SET search_path = {SCHEMA}; {sql}"))
}

fn sql(url: &str, sql: &str) {
    let (done, out) = try_sql(url, sql);
    assert!(done, "{sql}: {out}");
}

fn received(id: &str) -> Event {
    Event::ProposalReceived { proposal: proposal(id) }
}

#[tokio::test]
async fn entries_cannot_be_changed_removed_or_truncated() {
    let (folder, url) = (tempfile::tempdir().unwrap(), over_postgres());
    story(&open(folder.path()).await).await;
    for refused in [
        "UPDATE entry SET hash = hash",
        "DELETE FROM entry WHERE seq = 5",
        "TRUNCATE entry CASCADE",
        "SET session_replication_role = replica; DELETE FROM entry",
    ] {
        let (done, out) = try_sql(&url, refused);
        assert!(!done && out.contains("entries are only appended"), "{refused}: {out}");
    }
    assert_eq!(verified(folder.path()).await.findings, []);
}

#[tokio::test]
async fn each_kind_of_tampering_is_named() {
    let cases = [
        ("UPDATE entry SET text = replace(text, 'test', 'tesT') WHERE seq = 1", "entry-hash"),
        ("DELETE FROM private WHERE seq = 3; DELETE FROM entry WHERE seq = 3", "chain-gap"),
        ("DELETE FROM entry WHERE seq = 5", "head-differs"),
        ("UPDATE private SET value = replace(value, 'Working', 'Closed')", "private-changed"),
        ("DELETE FROM private WHERE path = '/proposal/patch'", "private-missing"),
        ("UPDATE proposal SET stage = 'refused'", "projection-differs"),
        ("DELETE FROM promotion", "projection-missing"),
        ("UPDATE meta SET value = '9' WHERE key = 'epoch'", "meta-changed"),
        ("UPDATE _sqlx_migrations SET installed_on = 'yesterday'", "schema-differs"),
        ("DROP INDEX promotion_one_open", "schema-differs"),
        ("ALTER TABLE meta ADD other text", "schema-differs"),
        ("CREATE RULE quiet AS ON INSERT TO private DO INSTEAD NOTHING", "schema-differs"),
        (
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
            "schema-differs",
        ),
    ];
    for (tampered, code) in cases {
        let (folder, url) = (tempfile::tempdir().unwrap(), over_postgres());
        story(&open(folder.path()).await).await;
        let triggers = "ALTER TABLE entry DISABLE TRIGGER entry_is_only_appended";
        let back = "ALTER TABLE entry ENABLE ALWAYS TRIGGER entry_is_only_appended";
        sql(&url, &format!("{triggers}; {tampered}; {back}"));
        let report = verified(folder.path()).await;
        assert!(
            report.findings.iter().any(|damage| damage.code == code),
            "{tampered}: {:?}",
            report.findings
        );
    }
    let (folder, url) = (tempfile::tempdir().unwrap(), over_postgres());
    story(&open(folder.path()).await).await;
    sql(&url, "ALTER TABLE entry DISABLE TRIGGER entry_is_only_appended");
    assert_eq!(verified(folder.path()).await.findings[0].code, "schema-differs");
}

#[tokio::test]
async fn one_database_serves_several_orgs_and_a_wrong_one_is_refused() {
    let (folder, url) = (tempfile::tempdir().unwrap(), over_postgres());
    story(&open(folder.path()).await).await;
    let other = "00D000000000002EAA".to_owned();
    let options = |place: Place, org_id: String, create: bool| OpenOptions {
        place,
        org_id,
        clock: Clock::system(),
        create,
    };
    let missing = Ledger::open(options(place(folder.path()), other.clone(), false)).await;
    assert_eq!(missing.err().unwrap().code(), "ledger-missing");
    let second = Ledger::open(options(place(folder.path()), other.clone(), true)).await.unwrap();
    append(&second, &[received("p-1")]).await.unwrap();
    // Which one is meant must be said now.
    let unclear = Ledger::open_read_only(&place(folder.path())).await.err().unwrap();
    assert!(unclear.to_string().contains(&other), "{unclear}");
    for (org, entries) in [(ORG, 5), (other.as_str(), 1)] {
        let place = Place::parse(&format!("{url}&org={org}")).unwrap();
        let report = verify::verify(&place, None, &mut |_| {}).await.unwrap();
        assert_eq!((report.entries, report.findings), (entries, vec![]));
        let ledger = Ledger::open_read_only(&place).await.unwrap();
        assert_eq!(ledger.org_id(), org);
    }
    let named = Place::parse(&format!("{url}&org={ORG}")).unwrap();
    assert_eq!(Ledger::open(options(named, other, true)).await.err().unwrap().code(), "ledger-other-org");
    // Somebody put another org's rows into the schema.
    sql(
        &url,
        "UPDATE meta SET value = (SELECT value FROM countersign_00d000000000002eaa.meta WHERE key = 'org'), \
        seal = (SELECT seal FROM countersign_00d000000000002eaa.meta WHERE key = 'org') WHERE key = 'org'",
    );
    let wrong = Ledger::open(options(place(folder.path()), ORG.to_owned(), true)).await;
    assert_eq!(wrong.err().unwrap().code(), "ledger-other-org");
}

#[tokio::test]
async fn a_newer_schema_and_a_schema_of_something_else_are_refused() {
    let (folder, url) = (tempfile::tempdir().unwrap(), over_postgres());
    drop(open(folder.path()).await);
    sql(&url, "INSERT INTO _sqlx_migrations VALUES (99, 'later', now(), true, '', 0)");
    let open_now = || async {
        let (place, org_id) = (place(folder.path()), ORG.to_owned());
        Ledger::open(OpenOptions { place, org_id, clock: Clock::system(), create: true })
            .await
            .err()
            .unwrap()
            .code()
    };
    assert_eq!(open_now().await, "ledger-newer");
    let url = over_postgres();
    PostgresServer::shared().sql(name_of(&url), &format!("CREATE SCHEMA {SCHEMA}"));
    sql(&url, "CREATE TABLE people (name text)");
    assert_eq!(open_now().await, "ledger-not-a-ledger");
}

#[tokio::test]
async fn a_zero_character_from_outside_is_kept_and_disturbs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    over_postgres();
    let ledger = open(folder.path()).await;
    let mut odd = proposal("p-1");
    odd.reason = Some("zero \0 and \u{f0000} and \\u0000".to_owned());
    odd.actor.agent = "agent\0".into();
    append(&ledger, &[Event::ProposalReceived { proposal: odd.clone() }]).await.unwrap();
    let refused = Event::SubmissionRefused {
        proposal_id: "id\0\u{f0000}".to_owned(),
        code: "proposal-id-malformed".to_owned(),
        fingerprint: None,
    };
    append(&ledger, &[refused]).await.unwrap();
    assert_eq!(ledger.proposal(&odd.id).await.unwrap().unwrap().proposal, odd);
    assert_eq!(ledger.place_before("2026-06-01T00:00:00Z".parse().unwrap()).await.unwrap(), 2);
    let choice = crate::domain::Choice { agent: Some("test-agent".to_owned()), ..Default::default() };
    assert_eq!(ledger.chosen(&choice).await.unwrap(), []);
    assert_eq!(verified(folder.path()).await.findings, []);
}

fn claim(lasts: u64) -> Claim {
    Claim::new("test", &Digest::of_bytes(b"policy"), Duration::from_secs(lasts))
}

#[tokio::test]
async fn a_living_lease_is_respected_and_a_dead_one_is_taken_with_the_next_epoch() {
    let (folder, url) = (tempfile::tempdir().unwrap(), over_postgres());
    let (first, second) = (open(folder.path()).await, open(folder.path()).await);
    let (one, two) = (claim(600), claim(600));
    assert_eq!(first.try_lead(&one).await.unwrap(), Some(1));
    assert_eq!(second.try_lead(&two).await.unwrap(), None);
    first.keep_lead(&one).await.unwrap();
    // The server's clock says that it is over.
    sql(&url, "UPDATE lease SET expires = clock_timestamp() - interval '1 second'");
    first.keep_lead(&one).await.expect("late, and nobody came");
    assert_eq!(second.try_lead(&two).await.unwrap(), None);
    sql(&url, "UPDATE lease SET expires = clock_timestamp() - interval '1 second'");
    assert_eq!(second.try_lead(&two).await.unwrap(), Some(2));
    assert_eq!(first.keep_lead(&one).await.unwrap_err().code(), "ledger-fenced");
    assert_eq!(append(&first, &[received("p-1")]).await.unwrap_err().code(), "ledger-fenced");
    append(&second, &[received("p-1")]).await.unwrap();
    // A clean stop does not make the others wait.
    second.give_up_lead(&two).await.unwrap();
    assert_eq!(first.try_lead(&one).await.unwrap(), Some(3));
    assert_eq!(verified(folder.path()).await.findings, []);
}

#[tokio::test]
async fn of_many_that_want_the_lead_at_once_one_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    over_postgres();
    let mut ledgers = Vec::new();
    for _ in 0..6 {
        ledgers.push(open(folder.path()).await);
    }
    let asked = ledgers.iter().map(|ledger| async { ledger.try_lead(&claim(600)).await.unwrap() });
    let got: Vec<u64> = futures::future::join_all(asked).await.into_iter().flatten().collect();
    assert_eq!(got, [1]);
}

#[tokio::test]
async fn a_frozen_writer_is_let_go_and_can_write_nothing_more() {
    let (folder, url) = (tempfile::tempdir().unwrap(), over_postgres());
    let (first, second) = (open(folder.path()).await, open(folder.path()).await);
    assert_eq!(second.lease().await.unwrap(), None);
    first.try_lead(&claim(600)).await.unwrap();
    assert_eq!(second.lease().await.unwrap(), Some(Lease { epoch: 1, is_held: true }));
    let mut frozen = first.begin("frozen").await.unwrap();
    frozen.append(&received("p-1")).await.unwrap();
    sql(&url, "UPDATE lease SET expires = clock_timestamp() - interval '1 second'");
    assert_eq!(second.lease().await.unwrap(), Some(Lease { epoch: 1, is_held: false }));
    // It holds the head. The server ends it after ten seconds, and the one that waits goes on.
    assert_eq!(second.try_lead(&claim(600)).await.unwrap(), Some(2));
    assert!(frozen.commit().await.is_err());
    let late = append(&first, &[received("p-1")]).await.unwrap_err().code();
    assert!(["ledger-fenced", "ledger-in-doubt"].contains(&late), "{late}");
    append(&second, &[received("p-2")]).await.unwrap();
    assert_eq!(second.counts().await.unwrap().head_seq, 3);
    assert_eq!(verified(folder.path()).await.findings, []);
}

#[tokio::test]
async fn after_a_lost_commit_the_leader_writes_nothing_until_it_leads_anew() {
    let (folder, url) = (tempfile::tempdir().unwrap(), over_postgres());
    let ledger = open(folder.path()).await;
    let claim = claim(600);
    ledger.try_lead(&claim).await.unwrap();
    let mut tx = ledger.begin("lost").await.unwrap();
    tx.mark_processed(0).await.unwrap();
    let others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sql(&url, others);
    assert_eq!(tx.commit().await.unwrap_err().code(), "ledger-in-doubt");
    assert_eq!(append(&ledger, &[received("p-2")]).await.unwrap_err().code(), "ledger-in-doubt");
    // The reader was ended as well: its next use fails and the one after it works.
    let _ = ledger.counts().await;
    assert_eq!(ledger.counts().await.unwrap().head_seq, 1, "this one was lost");
    assert_eq!(ledger.try_lead(&claim).await.unwrap(), Some(2));
    append(&ledger, &[received("p-2")]).await.unwrap();
    // Lost before the end was asked for, it surely does not count, and the leader goes on.
    let mut tx = ledger.begin("lost").await.unwrap();
    tx.append(&received("p-3")).await.unwrap();
    sql(&url, others);
    assert_eq!(tx.commit().await.unwrap_err().code(), "ledger-unreachable");
    append(&ledger, &[received("p-4")]).await.unwrap();
    assert_eq!(verified(folder.path()).await.findings, []);
}

#[tokio::test]
async fn a_ledger_on_a_server_is_not_copied_as_a_file() {
    let folder = tempfile::tempdir().unwrap();
    over_postgres();
    let ledger = open(folder.path()).await;
    let refused = ledger.backup_to(&folder.path().join("copy.db")).await.unwrap_err();
    assert!(refused.code() == "ledger-no-file" && refused.to_string().contains("pg_dump"));
}
