//! Writes in transactions: chunks of 200 rows, all or none, and several calls as one.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    faults::{FaultAction, FaultPoint, FaultSite},
    gate::WriterTurn,
    ids,
    org::Org,
    save::{self, Context},
    state::{Journal, State},
    users::UserContext,
    write::{PRECONDITION_FAILED, RowError, RowResult, WriteOp, WriteOptions, WriteRow},
};
use crate::domain::FieldValue;

/// Rows that triggers and rules see in one go.
const CHUNK: usize = 200;

/// An open transaction over several calls: nobody else writes until it ends. Its rows can
/// be read before it commits; dropped without [`Transaction::commit`], it undoes itself.
/// Do not await while one is open: other writers wait for it on their threads.
#[derive(Debug)]
pub struct Transaction {
    org: Org,
    journal: Journal,
    origin: String,
    user_id: String,
    _turn: WriterTurn,
}

impl Transaction {
    /// Writes rows; each row that fails leaves no trace, the others stay until the end decides.
    pub fn write(&mut self, user: &UserContext, options: &WriteOptions, rows: &[WriteRow]) -> Vec<RowResult> {
        self.user_id.clone_from(&user.user_id);
        self.origin = options.origin();
        self.org.write_rows(&mut self.journal, user, options, rows)
    }

    /// Does other work than writing rows, with the state to itself.
    pub(super) fn with_state<T>(
        &mut self,
        context: &Context<'_>,
        work: impl FnOnce(&mut State, &mut Journal) -> T,
    ) -> T {
        self.user_id.clone_from(&context.user.user_id);
        self.origin = context.options.origin();
        work(&mut self.org.write_state(), &mut self.journal)
    }

    /// Makes it all final, publishes the changes as one transaction, and runs what was to
    /// run after it.
    pub fn commit(self) {
        let org = self.org.clone();
        self.commit_only();
        org.run_scheduled();
    }

    /// Makes it all final; what was to run after it waits.
    pub(super) fn commit_only(mut self) {
        let org = self.org.clone();
        let journal = std::mem::take(&mut self.journal);
        let mut state = org.write_state();
        org.commit(&mut state, &self.user_id, &self.origin, journal);
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.org.write_state().undo(&mut self.journal, super::state::JournalMark::default());
    }
}

impl Org {
    /// Opens a transaction over several calls.
    pub fn begin(&self) -> Transaction {
        Transaction {
            org: self.clone(),
            journal: Journal::default(),
            origin: String::new(),
            user_id: String::new(),
            _turn: self.0.gate.enter(),
        }
    }

    /// Writes rows in order and answers each. Rows of one object in a row are saved in
    /// chunks of 200, each chunk one transaction; with `all_or_none` everything is one.
    pub fn write(&self, user: &UserContext, options: &WriteOptions, rows: Vec<WriteRow>) -> Vec<RowResult> {
        let early = self.stale_before_lock(options, &rows);
        self.land_scripted_edits(&rows);
        let options = &WriteOptions {
            if_unmodified_since: options
                .if_unmodified_since
                .filter(|_| self.0.settings.precondition_under_lock),
            ..options.clone()
        };
        if !early.is_empty() {
            return rows.iter().map(|_| failed(stale())).collect();
        }
        if options.all_or_none {
            let mut transaction = self.begin();
            let mut results = transaction.write(user, options, &rows);
            if results.iter().all(RowResult::success) {
                transaction.commit();
            } else {
                roll_back(&mut results);
            }
            return results;
        }
        let turn = self.0.gate.enter();
        self.0.parent_locks.lock().unwrap_or_else(std::sync::PoisonError::into_inner).begin();
        let mut results = Vec::with_capacity(rows.len());
        for chunk in chunks(&rows) {
            let mut journal = Journal::default();
            results.extend(self.write_rows(&mut journal, user, options, chunk));
            let mut state = self.write_state();
            self.commit(&mut state, &user.user_id, &options.origin(), journal);
        }
        drop(turn);
        self.run_scheduled();
        results
    }

    fn write_rows(
        &self,
        journal: &mut Journal,
        user: &UserContext,
        options: &WriteOptions,
        rows: &[WriteRow],
    ) -> Vec<RowResult> {
        let mut state = self.write_state();
        let context = Context { org: self, user, options, now: self.now_seconds(), system: false, depth: 0 };
        let mut results = Vec::with_capacity(rows.len());
        for chunk in chunks(rows) {
            let chunk_start = journal.mark();
            let from = results.len();
            for row in chunk {
                let mark = journal.mark();
                results.push(save::row(&context, &mut state, journal, row).unwrap_or_else(|errors| {
                    state.undo(journal, mark);
                    RowResult { id: None, created: false, errors }
                }));
            }
            // Whether one locked row takes its whole chunk with it is not confirmed.
            let locked = results[from..].iter().flat_map(|result| &result.errors).find(|error| {
                error.code == save::UNABLE_TO_LOCK_ROW && self.0.settings.locked_row_fails_batch
            });
            if let Some(error) = locked.cloned() {
                state.undo(journal, chunk_start);
                for result in &mut results[from..] {
                    *result = failed(error.clone());
                }
            }
        }
        results
    }

    /// Edits by others that a fault lets land first: how races are staged.
    fn land_scripted_edits(&self, rows: &[WriteRow]) {
        for row in rows {
            let full_id = row.id.as_deref().and_then(ids::complete).unwrap_or_default();
            let site = FaultSite {
                object: &row.object,
                record_id: &full_id,
                fields: Some(&row.fields),
                ..FaultSite::default()
            };
            let Some(fault) = self.faults().take_matching(FaultPoint::BeforeWrite, &site) else { continue };
            let FaultAction::Edit { by, record_id, fields } = fault.action else { continue };
            let Some(user) = self.user(by.as_deref().unwrap_or("admin")) else { continue };
            let edit = WriteRow {
                op: WriteOp::Update,
                object: row.object.clone(),
                id: record_id.or(Some(full_id)),
                fields,
            };
            let mut transaction = self.begin();
            let results = transaction.write(&user, &WriteOptions::default(), &[edit]);
            for error in results.iter().flat_map(|result| &result.errors) {
                tracing::warn!(fault = fault.name, code = error.code, "a scripted edit was refused");
            }
            transaction.commit();
        }
    }

    /// Rows that are stale before the lock is taken; only with the setting that says so.
    fn stale_before_lock(&self, options: &WriteOptions, rows: &[WriteRow]) -> BTreeSet<usize> {
        let Some(limit) = options.if_unmodified_since else { return BTreeSet::new() };
        if self.0.settings.precondition_under_lock {
            return BTreeSet::new();
        }
        let stale = |row: &WriteRow| {
            let stored = row.id.as_deref().and_then(|id| self.row(&row.object, id));
            stored.is_some_and(|stored| modified_after(&stored, limit))
        };
        rows.iter().enumerate().filter(|(_, row)| stale(row)).map(|(index, _)| index).collect()
    }
}

/// Whether a row was modified after the second that a client saw.
pub(super) fn modified_after(row: &super::model::Row, limit: Timestamp) -> bool {
    row.get("LastModifiedDate").and_then(FieldValue::as_timestamp).is_some_and(|at| at > limit)
}

pub(super) fn stale() -> RowError {
    RowError::new(PRECONDITION_FAILED, "The record was modified after the given date")
}

fn failed(error: RowError) -> RowResult {
    RowResult { id: None, created: false, errors: vec![error] }
}

fn roll_back(results: &mut [RowResult]) {
    for result in results.iter_mut().filter(|result| result.success()) {
        *result = failed(RowError::new(
            "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "Record rolled back because not all records were valid and the request was using AllOrNone header",
        ));
    }
}

/// Consecutive rows of one object, at most 200.
fn chunks(rows: &[WriteRow]) -> impl Iterator<Item = &[WriteRow]> {
    rows.chunk_by(|left, right| left.object.eq_ignore_ascii_case(&right.object))
        .flat_map(|same| same.chunks(CHUNK))
}
