//! Damage of every kind, done to copies of a small ledger.

use std::path::{Path, PathBuf};

use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::*;
use crate::{
    domain::event::Event,
    ledger::{InboxBatch, tests},
};

/// A ledger with a story, an inbox and a place in a stream, in one file.
async fn sample(folder: &Path) -> PathBuf {
    let ledger = tests::open(folder).await;
    tests::story(&ledger).await;
    let mut tx = ledger.begin("inbox").await.unwrap();
    for payload in ["first response", "second response"] {
        let batch = InboxBatch {
            id: 0,
            topic: "/data/ExampleChannel__chn".to_owned(),
            received_at: jiff::Timestamp::UNIX_EPOCH,
            events: 3,
            payload: payload.into(),
        };
        tx.record_batch(&batch).await.unwrap();
    }
    tx.set_replay_id("/data/ExampleChannel__chn", Some(vec![0, 0, 7])).await.unwrap();
    tx.mark_processed(1).await.unwrap();
    tx.commit().await.unwrap();
    let copy = folder.join("copy.db");
    ledger.copy_to(&copy).await.unwrap();
    copy
}

async fn connect(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    SqliteConnectOptions::new().filename(path).disable_statement_logging().connect().await
}

/// Everything that the file says, as text; an error when it cannot be read.
async fn dump(path: &Path) -> Result<String, sqlx::Error> {
    let mut connection = connect(path).await?;
    let mut text = String::new();
    let tables = [
        "SELECT quote(seq) || quote(hash) || quote(kind) || quote(proposal) || quote(text) FROM entry",
        "SELECT quote(seq) || quote(path) || quote(salt) || quote(value) FROM private",
        "SELECT quote(id) || quote(topic) || quote(received_at) || quote(events) || quote(digest) || quote(payload) FROM inbox",
        "SELECT quote(topic) || quote(replay_id) || quote(seal) FROM cursor",
        "SELECT quote(key) || quote(value) || quote(seal) FROM meta",
        "SELECT quote(id) || quote(object) || quote(record) || quote(stage) || quote(open) || quote(fingerprint) || \
         quote(patch) || quote(body) || quote(verdict) || quote(approval) || quote(promotion) || quote(landed) || \
         quote(received_seq) || quote(updated_at) FROM proposal",
        "SELECT quote(id) || quote(proposal) || quote(object) || quote(record) || quote(open) || quote(confirmed) || \
         quote(seq) || quote(body) FROM promotion",
        "SELECT quote(proposal) || quote(object) || quote(record) || quote(text) || quote(seq) FROM notice",
        "SELECT quote(version) || quote(description) || quote(installed_on) || quote(success) || quote(checksum) FROM _sqlx_migrations",
        "SELECT quote(type) || quote(name) || quote(tbl_name) || quote(sql) FROM sqlite_schema",
    ];
    for table in tables {
        for row in sqlx::query(table).fetch_all(&mut connection).await? {
            text.push_str(&row.try_get::<String, _>(0)?);
        }
        text.push('\n');
    }
    Ok(text)
}

#[tokio::test]
async fn no_flipped_byte_that_changes_what_the_file_says_passes() {
    let folder = tempfile::tempdir().unwrap();
    let copy = sample(folder.path()).await;
    assert_eq!(verify_file(&copy).await.unwrap().findings, [], "the copy itself is sound");
    let sound = dump(&copy).await.unwrap();
    let bytes = std::fs::read(&copy).unwrap();
    let flipped = folder.path().join("flipped.db");
    let mut found = 0;
    // Zero bytes are mostly free space: there every 769th is enough, elsewhere every 19th.
    let places = (0..bytes.len()).filter(|at| at % if bytes[*at] == 0 { 769 } else { 19 } == 0);
    for at in places {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        std::fs::write(&flipped, &changed).unwrap();
        let report = verify_file(&flipped).await.unwrap();
        if !report.findings.is_empty() {
            found += 1;
        } else {
            let says = dump(&flipped).await;
            assert!(says.is_ok_and(|says| says == sound), "byte {at} changed content and was not found");
        }
    }
    assert!(found > 150, "only {found} flips were damage");
}

#[tokio::test]
async fn each_kind_of_tampering_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let copy = sample(folder.path()).await;
    let cases: [(&'static str, &str); 17] = [
        ("UPDATE entry SET text = replace(text, 'test', 'tesT') WHERE seq = 1", "entry-hash"),
        ("UPDATE entry SET hash = replace(hash, 'a', 'b') WHERE seq = 3", "entry-hash"),
        ("DELETE FROM private WHERE seq = 3; DELETE FROM entry WHERE seq = 3", "chain-gap"),
        ("DELETE FROM entry WHERE seq = 5", "head-differs"),
        (
            "UPDATE entry SET seq = -seq WHERE seq IN (4, 5); UPDATE entry SET seq = 9 + seq WHERE seq < 0",
            "chain-broken",
        ),
        ("UPDATE private SET value = replace(value, 'Working', 'Closed')", "private-changed"),
        ("UPDATE private SET salt = zeroblob(32)", "private-changed"),
        ("DELETE FROM private WHERE path = '/proposal/patch'", "private-missing"),
        ("INSERT INTO private SELECT seq, '/other', salt, value FROM private LIMIT 1", "private-stray"),
        ("UPDATE proposal SET stage = 'refused'", "projection-differs"),
        ("DELETE FROM promotion", "projection-missing"),
        ("UPDATE inbox SET events = 4 WHERE id = 1", "inbox-changed"),
        ("DELETE FROM inbox WHERE id = 2", "inbox-gap"),
        ("UPDATE cursor SET replay_id = x'000008'", "cursor-changed"),
        ("UPDATE meta SET value = '9' WHERE key = 'epoch'", "meta-changed"),
        ("UPDATE _sqlx_migrations SET installed_on = 'yesterday'", "schema-differs"),
        ("DROP INDEX promotion_one_open", "schema-differs"),
    ];
    for (sql, code) in cases {
        let changed = folder.path().join("changed.db");
        std::fs::copy(&copy, &changed).unwrap();
        let mut connection = connect(&changed).await.unwrap();
        let triggers = "DROP TRIGGER entry_is_not_changed; DROP TRIGGER entry_is_not_removed; PRAGMA foreign_keys = OFF;";
        sqlx::raw_sql(triggers).execute(&mut connection).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let report = verify_file(&changed).await.unwrap();
        assert!(report.findings.iter().any(|damage| damage.code == code), "{sql}: {:?}", report.findings);
    }
}

#[tokio::test]
async fn damage_is_found_on_every_page() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = tests::open(folder.path()).await;
    let received = |n: u64| Event::ProposalReceived { proposal: tests::proposal(&format!("p-{n:04}")) };
    tests::append(&ledger, &(1..=450).map(received).collect::<Vec<_>>()).await.unwrap();
    let copy = folder.path().join("copy.db");
    ledger.copy_to(&copy).await.unwrap();
    let report = verify_file(&copy).await.unwrap();
    assert_eq!((report.entries, report.projections, report.findings), (450, 450, vec![]));
    for at in [1, 199, 200, 201, 400, 401, 450] {
        let cases = [
            (format!("UPDATE entry SET text = replace(text, 'test', 'tesT') WHERE seq = {at}"), "entry-hash"),
            (format!("UPDATE private SET value = '\"' WHERE seq = {at}"), "private-changed"),
            (format!("UPDATE proposal SET landed = 7 WHERE received_seq = {at}"), "projection-differs"),
            (format!("UPDATE proposal SET id = 'p-' || id WHERE received_seq = {at}"), "projection-stray"),
        ];
        for (sql, code) in cases {
            let changed = folder.path().join("changed.db");
            std::fs::copy(&copy, &changed).unwrap();
            let mut connection = connect(&changed).await.unwrap();
            sqlx::raw_sql("DROP TRIGGER entry_is_not_changed").execute(&mut connection).await.unwrap();
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql.clone())).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            let report = verify_file(&changed).await.unwrap();
            assert_eq!(report.entries, 450);
            assert!(report.findings.iter().any(|damage| damage.code == code), "{sql}: {:?}", report.findings);
        }
    }
}

#[tokio::test]
async fn what_looks_like_another_row_is_still_one_text() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = tests::open(folder.path()).await;
    let mut received = tests::proposal("p-1");
    received.reason = Some("3:1:x\u{1c}\u{1e}:4:null\"0:".to_owned());
    tests::append(&ledger, &[Event::ProposalReceived { proposal: received }]).await.unwrap();
    let copy = folder.path().join("copy.db");
    ledger.copy_to(&copy).await.unwrap();
    let report = verify_file(&copy).await.unwrap();
    assert_eq!((report.entries, report.findings), (1, vec![]));
}

#[tokio::test]
async fn a_cut_file_and_a_file_of_another_kind_are_damage() {
    let folder = tempfile::tempdir().unwrap();
    let copy = sample(folder.path()).await;
    let bytes = std::fs::read(&copy).unwrap();
    for length in [bytes.len() / 2, bytes.len() - 4096, bytes.len() - 1, 100, 10, 0] {
        std::fs::write(&copy, &bytes[..length]).unwrap();
        assert!(!verify_file(&copy).await.unwrap().findings.is_empty(), "{length} bytes are left");
    }
    std::fs::write(&copy, "these are notes about something else, and no database").unwrap();
    assert_eq!(verify_file(&copy).await.unwrap().findings[0].code, "ledger-unreadable");
    assert_eq!(verify_file(&folder.path().join("absent.db")).await.unwrap_err().code(), "ledger-missing");
}

#[tokio::test]
async fn what_a_killed_process_leaves_verifies_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = tests::open(folder.path()).await;
    tests::story(&ledger).await;
    let left = tempfile::tempdir().unwrap();
    for name in ["ledger.db", "ledger.db-wal"] {
        std::fs::copy(folder.path().join(name), left.path().join(name)).unwrap();
    }
    let path = left.path().join("ledger.db");
    let before = std::fs::read(&path).unwrap();
    let report = verify_file(&path).await.unwrap();
    assert_eq!((report.entries, report.findings), (5, vec![]));
    assert_eq!(std::fs::read(&path).unwrap(), before, "verify changes nothing");
    let reopened = tests::open(left.path()).await;
    assert_eq!(reopened.counts().await.unwrap().head_seq, 5);
}
