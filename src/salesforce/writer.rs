//! Updates of records, each row with its own outcome.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;

use super::{
    Class, Connection, NewRow, RowOutcome, RowWrite, SalesforceError,
    collections::{self, Answer, MOST_BATCHES, MOST_ROWS, Scope},
    connection::Call,
    soql_text::segment,
};
use crate::domain::RecordId;

/// How often rows behind a locked one are sent again, each time in smaller groups.
const SMALLER_GROUPS: u32 = 3;

/// How often batches of one update may be taken apart.
const MOST_SPLITS: usize = 64;

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

    /// Rows in one collections request.
    pub fn batch_rows(&self) -> usize {
        self.batch_rows
    }

    /// Sends rows; one outcome each, in the same order.
    pub async fn update(&self, rows: &[RowWrite]) -> Vec<RowOutcome> {
        self.update_by_parent(rows, &BTreeMap::new()).await
    }

    /// The same; rows whose records have one parent go in one collection where they can, because the
    /// org locks the parent with each of them.
    pub async fn update_by_parent(
        &self,
        rows: &[RowWrite],
        parents: &BTreeMap<RecordId, RecordId>,
    ) -> Vec<RowOutcome> {
        let mut sending = Sending {
            writer: self,
            rows,
            outcomes: vec![RowOutcome::NotSent { code: "not-sent".to_owned() }; rows.len()],
            splits: MOST_SPLITS,
        };
        let mut size = self.batch_rows;
        let mut open: Vec<usize> = (0..rows.len()).collect();
        for round in 0..=SMALLER_GROUPS {
            for turn in turns(rows, &open) {
                sending.work_off(batches(rows, turn, (size, parents))).await;
            }
            open.retain(|place| is_locked(&sending.outcomes[*place]));
            if open.is_empty() || round == SMALLER_GROUPS {
                break;
            }
            // One locked row fails its whole group.
            size = (size / 5).max(1);
            tokio::time::sleep(self.connection.pause(pause(round))).await;
        }
        sending.outcomes
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

    async fn call(&self, rows: &[RowWrite], call: &[Vec<usize>]) -> Vec<Answer> {
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
            (Ok(reply), [single]) => vec![collections::single(single, &reply)],
            (Ok(reply), _) => collections::composite_outcomes(&batches, &reply),
            (Err(error), _) => {
                let outcome = collections::of_call(&error);
                let scope = if batches.len() == 1 { Scope::Batch } else { Scope::Call };
                batches.iter().map(|batch| Answer::whole(batch.len(), &outcome, scope)).collect()
            }
        }
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Result<Value, SalesforceError> {
        self.connection.send(&Call::with_body(method, path, body)).await?.json()
    }
}

/// One update on its way.
struct Sending<'a> {
    writer: &'a Writer,
    rows: &'a [RowWrite],
    outcomes: Vec<RowOutcome>,
    /// How often a refused batch may still be taken apart.
    splits: usize,
}

/// A batch to send.
struct Batch {
    places: Vec<usize>,
    /// In a call of its own, because another call was refused as a whole.
    alone: bool,
}

impl Sending<'_> {
    /// Sends batches, several in one call. What is refused as a whole is sent again in halves, until
    /// the row that is to blame stands alone and the others have landed.
    async fn work_off(&mut self, batches: Vec<Vec<usize>>) {
        let mut work: VecDeque<Batch> =
            batches.into_iter().map(|places| Batch { places, alone: false }).collect();
        while let Some(first) = work.pop_front() {
            let mut call = vec![first.places];
            while !first.alone
                && call.len() < self.writer.batches_per_call
                && let Some(next) = work.pop_front_if(|next| !next.alone)
            {
                call.push(next.places);
            }
            let answers = self.writer.call(self.rows, &call).await;
            for (places, answer) in call.into_iter().zip(answers) {
                let several = answer.scope == Scope::Call || places.len() > 1;
                if answer.scope == Scope::Rows || !several {
                    self.settle(&places, answer.outcomes);
                } else if self.splits == 0 {
                    let code = "batch-not-taken-apart".to_owned();
                    self.settle(&places, vec![RowOutcome::Retry { code }; places.len()]);
                } else {
                    self.splits -= 1;
                    let half = match answer.scope {
                        Scope::Call => places.len(),
                        _ => places.len().div_ceil(2),
                    };
                    let parts = places.chunks(half.max(1));
                    work.extend(parts.map(|part| Batch { places: part.to_vec(), alone: true }));
                }
            }
        }
    }

    fn settle(&mut self, places: &[usize], outcomes: Vec<RowOutcome>) {
        for (place, outcome) in places.iter().zip(outcomes) {
            self.outcomes[*place] = outcome;
        }
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

/// One object in a batch, sorted by parent and record so that two senders lock in one order. Rows of
/// one parent stand in one batch, unless they are more than it takes.
fn batches(
    rows: &[RowWrite],
    mut turn: Vec<usize>,
    (size, parents): (usize, &BTreeMap<RecordId, RecordId>),
) -> Vec<Vec<usize>> {
    let parent = |place: usize| parents.get(&rows[place].record);
    turn.sort_by(|a, b| {
        let key = |place: usize| (&rows[place].object, parent(place), &rows[place].record);
        key(*a).cmp(&key(*b))
    });
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for of_object in turn.chunk_by(|a, b| rows[*a].object == rows[*b].object) {
        let mut batch: Vec<usize> = Vec::new();
        let families = of_object.chunk_by(|a, b| parent(*a).is_some() && parent(*a) == parent(*b));
        for family in families {
            if !batch.is_empty() && batch.len() + family.len() > size {
                batches.push(std::mem::take(&mut batch));
            }
            for part in family.chunks(size) {
                if batch.len() + part.len() > size {
                    batches.push(std::mem::take(&mut batch));
                }
                batch.extend(part);
            }
        }
        if !batch.is_empty() {
            batches.push(batch);
        }
    }
    batches
}

fn is_locked(outcome: &RowOutcome) -> bool {
    matches!(outcome, RowOutcome::Retry { code }
        if code == "UNABLE_TO_LOCK_ROW" || code.starts_with("CANNOT_"))
}

fn pause(round: u32) -> Duration {
    Duration::from_millis(100 * (1 << round.min(5)))
}
