//! From every schema there was, on data that is there.

use std::path::Path;

use super::{
    migrate::{SCHEMA, STEPS},
    tests::{ORG, story, verified},
    *,
};
use crate::domain::Digest;

/// Entries of a run of the demo, as the version with schema 1 wrote them.
const FIRST: &str = include_str!("../../tests/fixtures/ledger/schema_1.sql");

async fn first(folder: &Path) -> db::Connection {
    let path = folder.join("ledger.db");
    db::sqlite::create_private(&path).unwrap();
    let mut connection = db::sqlite::connect(&path, false).await.unwrap();
    connection.raw(FIRST.to_owned()).await.unwrap();
    connection
}

async fn org_in(folder: &Path) -> String {
    let place = folder.join("ledger.db").into();
    Ledger::open_read_only(&place).await.unwrap().org_id().to_owned()
}

fn options(folder: &Path, org_id: String) -> OpenOptions {
    OpenOptions { place: tests::place(folder), org_id, clock: Clock::system(), create: false }
}

#[tokio::test]
async fn a_ledger_of_the_first_schema_is_brought_forward_with_everything_in_it() {
    let folder = tempfile::tempdir().unwrap();
    drop(first(folder.path()).await);
    let before = verified(folder.path()).await;
    assert_eq!((before.schema, &before.findings[..]), (1, &[][..]), "it is sound before");
    assert!(before.entries > 40 && before.private_checked > 50 && before.projections > 8, "{before:?}");
    let org = org_in(folder.path()).await;

    let ledger = Ledger::open(options(folder.path(), org.clone())).await.unwrap();
    assert_eq!(ledger.migrated(), Some((1, SCHEMA)));
    let after = verified(folder.path()).await;
    assert_eq!((after.schema, &after.findings[..]), (SCHEMA, &[][..]));
    assert_eq!((after.entries, &after.head), (before.entries, &before.head));
    ledger.lead("test", &Digest::of_bytes(b"policy")).await.unwrap();
    drop(ledger);

    let again = Ledger::open(options(folder.path(), org)).await.unwrap();
    assert_eq!(again.migrated(), None, "once");
    assert_eq!(verified(folder.path()).await.findings, []);
}

#[tokio::test]
async fn a_schema_that_somebody_changed_is_not_brought_forward() {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = first(folder.path()).await;
    connection.raw("DROP TRIGGER entry_is_not_removed").await.unwrap();
    connection.close().await.unwrap();
    let org = org_in(folder.path()).await;
    let refused = Ledger::open(options(folder.path(), org)).await.err().unwrap();
    assert_eq!(refused.code(), "ledger-damaged");
    assert_eq!(verified(folder.path()).await.schema, 1, "and is left as it is");
}

#[tokio::test]
async fn the_first_schema_of_a_server_is_brought_forward_too() {
    let folder = tempfile::tempdir().unwrap();
    tests::over_postgres();
    let older = tests::open(folder.path()).await;
    story(&older).await;
    let before = verified(folder.path()).await;
    let Place::Server(server) = tests::place(folder.path()) else { panic!("a server") };
    let purpose = db::postgres::Use::Writing;
    let mut connection = db::postgres::connect(&server, ORG, purpose).await.unwrap();
    // Back to the first schema, with its seal.
    let back = "DROP TABLE watch; DROP TABLE lease; DROP INDEX promotion_record; DELETE FROM _sqlx_migrations WHERE version > 1";
    connection.raw(back).await.unwrap();
    let sealed = seal::of_schema(&mut connection).await.unwrap();
    meta::set_meta(&mut connection, "schema", &sealed).await.unwrap();
    assert_eq!(verified(folder.path()).await.schema, 1);

    let ledger = Ledger::open(options(folder.path(), ORG.to_owned())).await.unwrap();
    assert_eq!(ledger.migrated(), Some((1, SCHEMA)));
    let late = older.begin("late").await.err().unwrap();
    assert_eq!(late.code(), "ledger-fenced", "who led under the older schema writes nothing more");
    let after = verified(folder.path()).await;
    assert_eq!((after.schema, after.entries, &after.findings[..]), (SCHEMA, before.entries, &[][..]));
}

#[test]
fn released_steps_stay_as_they_were() {
    let digests: Vec<String> = STEPS
        .iter()
        .flat_map(|(_, sqlite, postgres)| [sqlite, postgres])
        .map(|sql| Digest::of_bytes(sql.as_bytes()).short().to_owned())
        .collect();
    assert_eq!(
        digests,
        ["cac474c7c28f", "de4dc5385b75", "fcbe3a5cc1f7", "aff01c3c60dc", "2eb157229434", "3ffddf86611f"],
        "a step that was released is never changed: add another one"
    );
}
