//! Damage of every kind, done to copies of a small ledger.

use std::path::{Path, PathBuf};

use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::*;
use crate::{
    domain::{
        PromotionId, ProposalId, RecordId, Settlement, Stage, digest::canonical, entry::Entry, event::Event,
    },
    ledger::{InboxBatch, seal, tests},
};

/// A ledger with a story, an inbox and a place in a stream, in one file.
pub(super) async fn sample(folder: &Path) -> PathBuf {
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
    let cases: [(&'static str, &str); 24] = [
        ("UPDATE entry SET kind = 'erased' WHERE seq = 5", "entry-columns"),
        ("UPDATE entry SET proposal = 'p-9' WHERE seq = 2", "entry-columns"),
        ("UPDATE entry SET text = replace(text, 'test', 'tesT') WHERE seq = 1", "entry-hash"),
        ("UPDATE entry SET hash = substr(hash, 2) || substr(hash, 1, 1) WHERE seq = 3", "entry-hash"),
        ("DELETE FROM private WHERE seq = 3; DELETE FROM entry WHERE seq = 3", "chain-gap"),
        ("DELETE FROM entry WHERE seq = 5", "head-differs"),
        (
            "UPDATE entry SET seq = -seq WHERE seq IN (4, 5); UPDATE entry SET seq = 9 + seq WHERE seq < 0",
            "chain-broken",
        ),
        ("UPDATE private SET value = replace(value, 'Working', 'Closed')", "private-changed"),
        ("UPDATE private SET salt = zeroblob(32)", "private-changed"),
        ("UPDATE private SET salt = x'00'", "private-changed"),
        ("UPDATE entry SET seq = -1 WHERE seq = 1", "entry-columns"),
        ("DELETE FROM private WHERE path = '/proposal/patch'", "private-missing"),
        ("INSERT INTO private SELECT seq, '/other', salt, value FROM private LIMIT 1", "private-stray"),
        ("INSERT INTO private SELECT 0, path, salt, value FROM private LIMIT 1", "private-stray"),
        ("INSERT INTO private SELECT 1 + max(seq), '/x', x'', '' FROM entry", "private-stray"),
        ("DELETE FROM entry WHERE seq = 3", "private-stray"),
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

/// Changes a copy of a ledger and looks at it.
pub(super) async fn after(copy: &Path, sql: &str) -> Report {
    let changed = copy.with_file_name("changed.db");
    std::fs::copy(copy, &changed).unwrap();
    let mut connection = connect(&changed).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    verify_file(&changed).await.unwrap()
}

#[tokio::test]
async fn one_row_of_several_that_is_gone_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = tests::open(folder.path()).await;
    for id in ["p-1", "p-2", "p-3", "p-4"] {
        let received = Event::ProposalReceived { proposal: tests::proposal(id) };
        tests::append(&ledger, &[received]).await.unwrap();
    }
    let copy = folder.path().join("copy.db");
    ledger.copy_to(&copy).await.unwrap();
    assert_eq!(after(&copy, "SELECT 1").await.findings, []);
    // A row that differs and one of which no entry speaks do not stand in for the one that is gone.
    let sql = "DELETE FROM proposal WHERE id = 'p-2'; UPDATE proposal SET stage = 'refused' WHERE id = 'p-3'; \
               UPDATE proposal SET id = 'p-9' WHERE id = 'p-4'";
    let found = after(&copy, sql).await.findings;
    let told: Vec<(&str, &str)> = found.iter().map(|one| (one.code, one.what.as_str())).collect();
    let expected = [
        ("projection-differs", "proposal `p-3` is not what the entries say"),
        ("projection-missing", "2 row(s) of proposal are gone"),
        ("projection-stray", "proposal `p-9` follows from no entry"),
    ];
    assert!(expected.iter().all(|one| told.contains(one)), "{told:?}");
}

#[tokio::test]
async fn every_column_of_a_projection_is_compared() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = tests::open(folder.path()).await;
    tests::story(&ledger).await;
    let spoken = tests::proposal("p-1");
    let notice = Event::NoticeIntended {
        object: spoken.object,
        record: spoken.record,
        proposal_id: spoken.id,
        text: "promoted: by itself".to_owned(),
    };
    tests::append(&ledger, &[notice]).await.unwrap();
    let copy = folder.path().join("copy.db");
    ledger.copy_to(&copy).await.unwrap();
    assert_eq!(after(&copy, "SELECT 1").await.findings, []);
    let mut connection = connect(&copy).await.unwrap();
    let mut compared = 0;
    for (table, key) in [("proposal", "id"), ("promotion", "id"), ("notice", "proposal")] {
        let columns = format!("SELECT name FROM pragma_table_info('{table}')");
        for row in sqlx::query(sqlx::AssertSqlSafe(columns)).fetch_all(&mut connection).await.unwrap() {
            let column = row.try_get::<String, _>(0).unwrap();
            let other = format!(
                "UPDATE {table} SET {column} = CASE typeof({column}) WHEN 'integer' THEN 1 - {column} \
                 ELSE concat({column}, 'x') END"
            );
            let found: Vec<&str> =
                after(&copy, &other).await.findings.iter().map(|found| found.code).collect();
            let expected = if column == key { "projection-stray" } else { "projection-differs" };
            assert!(found.contains(&expected), "{table}.{column}: {found:?}");
            compared += 1;
        }
    }
    assert!(compared > 20, "{compared} columns");
}

/// Another last entry, with the hash and the head that whoever writes the file could give it.
async fn forged(copy: &Path, change: impl FnOnce(&mut serde_json::Value)) -> Vec<&'static str> {
    let changed = copy.with_file_name("forged.db");
    std::fs::copy(copy, &changed).unwrap();
    let mut connection = connect(&changed).await.unwrap();
    let last = "SELECT text FROM entry ORDER BY seq DESC LIMIT 1";
    let text: String = sqlx::query(last).fetch_one(&mut connection).await.unwrap().try_get(0).unwrap();
    let mut entry = serde_json::from_str(&text).unwrap();
    change(&mut entry);
    let text = canonical(&entry).unwrap();
    let hash = Entry::hash_text(&text).to_string();
    sqlx::raw_sql("DROP TRIGGER entry_is_not_changed").execute(&mut connection).await.unwrap();
    let update = "UPDATE entry SET text = ?, hash = ?, kind = ? WHERE seq = (SELECT max(seq) FROM entry)";
    let kind = entry["kind"].as_str().unwrap();
    let update = sqlx::query(update).bind(&text).bind(&hash).bind(kind);
    update.execute(&mut connection).await.unwrap();
    let head = sqlx::query("UPDATE meta SET value = ?, seal = ? WHERE key = 'head_hash'").bind(&hash);
    head.bind(seal::of_meta("head_hash", &hash)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let report = verify_file(&changed).await.unwrap();
    let codes = report.findings.iter().map(|found| found.code);
    // The trigger that had to go is told too.
    codes.filter(|code| *code != "schema-differs").collect()
}

#[tokio::test]
async fn an_entry_that_was_made_up_shows_by_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = tests::open(folder.path()).await;
    tests::story(&ledger).await;
    let copy = folder.path().join("copy.db");
    ledger.copy_to(&copy).await.unwrap();
    assert_eq!(forged(&copy, |_| {}).await, [""; 0], "the same once more is sound");
    let stands = |entry: &mut serde_json::Value, event: &Event| {
        entry["kind"] = event.kind().into();
        entry["event"] = serde_json::to_value(event).unwrap();
    };
    let kind = forged(&copy, |entry| entry["kind"] = "stage_changed".into()).await;
    assert!(kind.contains(&"entry-kind"), "{kind:?}");
    let back = |id: &str| Event::StageChanged {
        proposal_id: ProposalId::parse(id).unwrap(),
        stage: Stage::Refused,
        code: "made-up".to_owned(),
        successor: None,
    };
    let unknown = forged(&copy, |entry| stands(entry, &back("p-9"))).await;
    assert!(unknown.contains(&"proposal-unknown"), "{unknown:?}");
    let other = forged(&copy, |entry| entry["org"] = "00D000000000009EAA".into()).await;
    assert_eq!(other, ["entry-other-org"]);
    let settled = |settlement| Event::PromotionSettled { promotion: PromotionId::new("m-1"), settlement };
    let sent = settled(Settlement::Sent);
    let step = forged(&copy, |entry| stands(entry, &sent)).await;
    assert!(step.contains(&"settlement-transition"), "{step:?}");
    let done = settled(Settlement::Done);
    assert_eq!(forged(&copy, |entry| stands(entry, &done)).await, [""; 0]);
}

#[tokio::test]
async fn a_stage_that_cannot_follow_and_a_second_open_promotion_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = tests::open(folder.path()).await;
    tests::story(&ledger).await;
    let on = |id: &str, record: &str| {
        let mut promotion = tests::promotion(id, "p-1");
        promotion.plan.record = RecordId::parse(&RecordId::complete(record).unwrap()).unwrap();
        Event::PromotionIntended { promotion }
    };
    tests::append(&ledger, &[on("m-2", "00QDp0000000077")]).await.unwrap();
    tests::append(&ledger, &[on("m-3", "00QDp0000000078")]).await.unwrap();
    let copy = folder.path().join("copy.db");
    ledger.copy_to(&copy).await.unwrap();
    assert_eq!(forged(&copy, |_| {}).await, [""; 0], "open on two records");
    let second = serde_json::to_value(on("m-3", "00QDp0000000077")).unwrap();
    let two = forged(&copy, |entry| entry["event"] = second).await;
    assert!(two.contains(&"promotion-two-open"), "{two:?}");
    let back = Event::StageChanged {
        proposal_id: ProposalId::parse("p-1").unwrap(),
        stage: Stage::Received,
        code: "made-up".to_owned(),
        successor: None,
    };
    let backwards = forged(&copy, |entry| {
        entry["kind"] = back.kind().into();
        entry["event"] = serde_json::to_value(&back).unwrap();
    })
    .await;
    assert!(backwards.contains(&"stage-transition"), "{backwards:?}");
}

/// A ledger of so many proposals, and nothing else.
pub(super) async fn received(folder: &Path, proposals: u64) -> PathBuf {
    let ledger = tests::open(folder).await;
    let one = |n: u64| Event::ProposalReceived { proposal: tests::proposal(&format!("p-{n:04}")) };
    tests::append(&ledger, &(1..=proposals).map(one).collect::<Vec<_>>()).await.unwrap();
    let copy = folder.join("copy.db");
    ledger.copy_to(&copy).await.unwrap();
    copy
}

#[tokio::test]
async fn damage_is_found_on_every_page() {
    let folder = tempfile::tempdir().unwrap();
    let copy = received(folder.path(), 450).await;
    let report = verify_file(&copy).await.unwrap();
    assert_eq!((report.entries, report.projections, report.findings), (450, 450, vec![]));
    // Not each of many of a kind is told, and other kinds still are.
    let many = "UPDATE proposal SET landed = 7; UPDATE meta SET value = '9' WHERE key = 'epoch'";
    let told = |report: &Report, code: &str| report.findings.iter().filter(|one| one.code == code).count();
    let report = after(&copy, many).await;
    assert_eq!((told(&report, "projection-differs"), told(&report, "meta-changed")), (MOST_PER_CODE, 1));
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
