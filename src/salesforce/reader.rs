//! Reads of governed records.

use super::{Connection, RecordReading, SalesforceError, connection::not_built, names::ObjectContract};
use crate::domain::{ObjectSchema, RecordId};

/// Reads with one identity. Reads are repeated on errors that pass.
#[derive(Debug, Clone)]
pub struct Reader {
    connection: Connection,
}

/// The records with the pending flag, page by page.
#[derive(Debug)]
pub struct PendingPages {
    reader: Reader,
    contract: &'static ObjectContract,
}

impl Reader {
    /// Reads through this connection.
    pub fn new(connection: Connection) -> Self {
        Self { connection }
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// What the org says about an object and its switches.
    pub async fn describe(&self, contract: &ObjectContract) -> Result<ObjectSchema, SalesforceError> {
        let _ = contract;
        Err(not_built())
    }

    /// Records by id, in the order of `ids`; one that is not visible has the state `Missing`.
    pub async fn retrieve(
        &self,
        contract: &'static ObjectContract,
        ids: &[RecordId],
    ) -> Result<Vec<RecordReading>, SalesforceError> {
        let _ = (contract, ids);
        Err(not_built())
    }

    /// All records with the pending flag.
    pub fn pending(&self, contract: &'static ObjectContract) -> PendingPages {
        PendingPages { reader: self.clone(), contract }
    }
}

impl PendingPages {
    /// The next page; `None` after the last one.
    pub async fn next(&mut self) -> Result<Option<Vec<RecordReading>>, SalesforceError> {
        let _ = (&self.reader, self.contract);
        Err(not_built())
    }
}
