//! Which database the ledger of a test is in. A test over both is written once and run twice.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::postgres::PostgresServer;

thread_local! {
    static POSTGRES: Cell<bool> = const { Cell::new(false) };
    /// Databases of this test, by the folder of their world.
    static DATABASES: RefCell<BTreeMap<PathBuf, String>> = const { RefCell::new(BTreeMap::new()) };
}

/// From now on the ledgers of the test on this thread are in PostgreSQL.
pub fn use_postgres() {
    POSTGRES.set(true);
}

/// Whether they are.
pub fn is_postgres() -> bool {
    POSTGRES.get()
}

/// The ledger of a world: a file in its folder, or a database of its own.
pub fn ledger(folder: &Path) -> String {
    if !is_postgres() {
        return folder.join("ledger.db").to_str().expect("a plain path").to_owned();
    }
    DATABASES.with_borrow_mut(|known| {
        known.entry(folder.to_owned()).or_insert_with(|| PostgresServer::shared().database()).clone()
    })
}

/// Where the ledger of a world is to be.
pub fn set_ledger(folder: &Path, url: &str) {
    DATABASES.with_borrow_mut(|known| known.insert(folder.to_owned(), url.to_owned()));
}

/// Runs tests over both databases.
macro_rules! over_both {
    ($($name:ident),+ $(,)?) => {
        mod over_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name().await;
            })+
        }

        mod over_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                crate::databases::use_postgres();
                super::$name().await;
            })+
        }
    };
}
pub(crate) use over_both;
