//! Updates of records, each row with its own outcome.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;

use super::{
    Class, Connection, NewRow, RowOutcome, RowWrite, SalesforceError,
    collections::{self, MOST_BATCHES, MOST_ROWS},
    connection::Call,
    soql_text::segment,
};
use crate::domain::RecordId;

/// How often rows behind a locked one are sent again, each time in smaller groups.
const SMALLER_GROUPS: u32 = 2;

/// Writes with one identity. A row is sent again only where Salesforce said that it was not
/// applied (a locked row, a refused token); anything else is the caller's to settle.
#[derive(Debug, Clone)]
pub struct Writer {
    connection: Connection,
    batch_rows: usize,
    batches_per_call: usize,
}

impl Writer {
    /// Writes through this connection, 1,000 rows in one call at most.
    pub fn new(connection: Connection) -> Self {
        Self { connection, batch_rows: MOST_ROWS, batches_per_call: MOST_BATCHES }
    }

    /// The same writer with smaller batches: rows in one collections request (at most 200) and
    /// collections requests in one call (at most 5).
    #[must_use]
    pub fn with_batches(self, rows: usize, batches: usize) -> Self {
        Self {
            connection: self.connection,
            batch_rows: rows.clamp(1, MOST_ROWS),
            batches_per_call: batches.clamp(1, MOST_BATCHES),
        }
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Sends rows; one outcome each, in the same order.
    pub async fn update(&self, rows: &[RowWrite]) -> Vec<RowOutcome> {
        let mut outcomes = vec![RowOutcome::NotSent { code: "not-sent".to_owned() }; rows.len()];
        let mut size = self.batch_rows;
        let mut open: Vec<usize> = (0..rows.len()).collect();
        for round in 0..=SMALLER_GROUPS {
            self.send_all(rows, &open, size, &mut outcomes).await;
            open.retain(|place| is_locked(&outcomes[*place]));
            if open.is_empty() || round == SMALLER_GROUPS {
                break;
            }
            // One locked row fails its whole group.
            size = (size / 5).max(1);
            tokio::time::sleep(self.connection.pause(pause(round))).await;
        }
        outcomes
    }

    /// Makes records, each with its own outcome and, where it was made, its id. Nothing is sent twice.
    pub async fn create(&self, rows: &[NewRow]) -> Vec<(RowOutcome, Option<RecordId>)> {
        let url = self.connection.data("composite/sobjects");
        let mut outcomes = Vec::with_capacity(rows.len());
        for batch in rows.chunks(self.batch_rows) {
            match self.send(Method::POST, &url, &collections::new_body(batch)).await {
                Ok(reply) => outcomes.extend(collections::new_outcomes(batch.len(), &reply)),
                Err(error) => {
                    let outcome = collections::of_call(&error);
                    outcomes.extend(std::iter::repeat_n((outcome, None), batch.len()));
                }
            }
        }
        outcomes
    }

    /// Changes one record unless anybody has changed it after `since`. The org compares whole seconds.
    pub async fn update_unmodified(&self, row: &RowWrite, since: Timestamp) -> RowOutcome {
        let object = segment(row.object.as_str());
        let path = self.connection.data(&format!("sobjects/{object}/{}", row.record));
        let body = Value::Object(row.fields.clone().into_iter().collect());
        let call = Call { unmodified_since: Some(since), ..Call::with_body(Method::PATCH, &path, &body) };
        let sent = self.connection.send(&call).await;
        match sent.and_then(super::reply::Reply::json) {
            Ok(_) => RowOutcome::Done,
            Err(error) => match (error.class(), &error) {
                (Class::Reread, _) => RowOutcome::RaceLost {
                    code: error.salesforce_code().unwrap_or("412").to_owned(),
                    message: "the record was changed since it was read".to_owned(),
                },
                (Class::Gone, SalesforceError::Refused { code, .. }) => {
                    RowOutcome::Gone { code: code.clone() }
                }
                _ => collections::of_call(&error),
            },
        }
    }

    async fn send_all(&self, rows: &[RowWrite], open: &[usize], size: usize, outcomes: &mut [RowOutcome]) {
        for turn in turns(rows, open) {
            let batches = batches(rows, turn, size);
            for call in batches.chunks(self.batches_per_call) {
                for (batch, results) in call.iter().zip(self.call(rows, call).await) {
                    for (place, outcome) in batch.iter().zip(results) {
                        outcomes[*place] = outcome;
                    }
                }
            }
        }
    }

    async fn call(&self, rows: &[RowWrite], call: &[Vec<usize>]) -> Vec<Vec<RowOutcome>> {
        let batches: Vec<Vec<&RowWrite>> =
            call.iter().map(|batch| batch.iter().map(|place| &rows[*place]).collect()).collect();
        let url = self.connection.data("composite/sobjects");
        let reply = match &batches[..] {
            [single] => self.send(Method::PATCH, &url, &collections::body(single)).await,
            _ => {
                let body = collections::composite(&url, &batches);
                self.send(Method::POST, &self.connection.data("composite"), &body).await
            }
        };
        match (reply, &batches[..]) {
            (Ok(reply), [single]) => vec![collections::outcomes(single, &reply)],
            (Ok(reply), _) => collections::composite_outcomes(&batches, &reply),
            (Err(error), _) => {
                let outcome = collections::of_call(&error);
                batches.iter().map(|batch| collections::same(batch.len(), &outcome)).collect()
            }
        }
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Result<Value, SalesforceError> {
        self.connection.send(&Call::with_body(method, path, body)).await?.json()
    }
}

/// Rows of one record go in different calls, in their order.
fn turns(rows: &[RowWrite], open: &[usize]) -> Vec<Vec<usize>> {
    let mut seen: BTreeMap<&RecordId, usize> = BTreeMap::new();
    let mut turns: Vec<Vec<usize>> = Vec::new();
    for place in open {
        let turn = seen.entry(&rows[*place].record).or_default();
        if turns.len() <= *turn {
            turns.push(Vec::new());
        }
        turns[*turn].push(*place);
        *turn += 1;
    }
    turns
}

/// One object in a batch, sorted by record so that two senders lock in one order.
fn batches(rows: &[RowWrite], mut turn: Vec<usize>, size: usize) -> Vec<Vec<usize>> {
    turn.sort_by(|a, b| (&rows[*a].object, &rows[*a].record).cmp(&(&rows[*b].object, &rows[*b].record)));
    turn.chunk_by(|a, b| rows[*a].object == rows[*b].object)
        .flat_map(|of_object| of_object.chunks(size).map(<[usize]>::to_vec))
        .collect()
}

fn is_locked(outcome: &RowOutcome) -> bool {
    matches!(outcome, RowOutcome::Retry { code }
        if code == "UNABLE_TO_LOCK_ROW" || code.starts_with("CANNOT_"))
}

fn pause(round: u32) -> Duration {
    Duration::from_millis(100 * (1 << round.min(5)))
}
