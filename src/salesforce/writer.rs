//! Updates of records, each row with its own outcome.

use super::{Connection, RowOutcome, RowWrite};

/// Writes with one identity. Nothing is sent a second time here.
#[derive(Debug, Clone)]
pub struct Writer {
    connection: Connection,
}

impl Writer {
    /// Writes through this connection.
    pub fn new(connection: Connection) -> Self {
        Self { connection }
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Sends rows; one outcome each, in the same order.
    pub async fn update(&self, rows: &[RowWrite]) -> Vec<RowOutcome> {
        rows.iter().map(|_| RowOutcome::NotSent { code: "not-built".to_owned() }).collect()
    }
}
