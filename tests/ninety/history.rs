//! What the org committed, in order: who, when, through which client, and the record before and after.
//!
//! Read from the org's own change log, never from the ledger. Second readings rest on it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use countersign::{
    domain::FieldValue,
    salesforce::names,
    simulator::{Org, model::Row},
};
use jiff::Timestamp;

use crate::cast::FOREIGN;

/// One committed change of one record.
#[derive(Debug, Clone)]
pub struct Commit {
    pub at: Timestamp,
    /// 18-character id.
    pub user: String,
    /// `com/salesforce/api/rest/67.0;client=importer`
    pub origin: String,
    pub record: String,
    /// The fields that changed.
    pub changed: Row,
    pub before: Arc<Row>,
    pub after: Arc<Row>,
}

impl Commit {
    /// The new value of a field that changed.
    pub fn set(&self, field: &str) -> Option<String> {
        self.changed.get(field).map(shown)
    }

    pub fn was(&self, field: &str) -> String {
        self.before.get(field).map(shown).unwrap_or_default()
    }

    pub fn is(&self, field: &str) -> String {
        self.after.get(field).map(shown).unwrap_or_default()
    }

    /// The mark of a promotion that this write carried; a void write is none.
    pub fn mark(&self) -> Option<String> {
        self.set(names::LAST_PROMOTION_ID).filter(|mark| !mark.is_empty() && !mark.starts_with("void:"))
    }
}

fn shown(value: &FieldValue) -> String {
    value.as_text().map_or_else(|| value.to_string(), str::to_owned)
}

/// The org's whole history since the story began.
#[derive(Debug, Default)]
pub struct History {
    position: u64,
    /// Id of the daemon's user.
    pub promoter: String,
    /// Ids of the foreign writers: programs, all of them.
    programs: BTreeSet<String>,
    rows: BTreeMap<String, Arc<Row>>,
    first: BTreeMap<String, Arc<Row>>,
    pub commits: Vec<Commit>,
    /// Places in `commits`, by record.
    of: BTreeMap<String, Vec<usize>>,
}

impl History {
    /// Begins with the org as it is.
    pub fn of(org: &Org) -> Self {
        let promoter = org.user("promoter").expect("a seeded user").user_id;
        let programs = FOREIGN.map(|writer| org.user(writer.role).expect("a seeded user").user_id);
        let programs = programs.into_iter().collect();
        let mut history = Self { position: org.tip(), promoter, programs, ..Self::default() };
        for object in ["Lead", "Opportunity"] {
            for row in org.rows(object, false) {
                let id = row.get("Id").and_then(FieldValue::as_text).expect("an id").to_owned();
                history.rows.insert(id, row);
            }
        }
        history.first = history.rows.clone();
        history
    }

    /// Takes what is new.
    pub fn follow(&mut self, org: &Org) {
        loop {
            let page = org.changes_after(self.position, 500);
            let Some(last) = page.records.last() else { return };
            assert!(page.oldest <= self.position + 1, "nothing expires before it is read");
            self.position = last.position;
            for record in page.records {
                let before = self.rows.get(&record.record_id).cloned().unwrap_or_default();
                let mut after = (*before).clone();
                after.extend(record.changed.clone());
                let after = Arc::new(after);
                self.rows.insert(record.record_id.clone(), Arc::clone(&after));
                self.of.entry(record.record_id.clone()).or_default().push(self.commits.len());
                self.commits.push(Commit {
                    at: Timestamp::from_millisecond(record.commit.committed_at_ms).expect("a moment"),
                    user: record.commit.user_id.clone(),
                    origin: record.commit.origin.clone(),
                    record: record.record_id.clone(),
                    changed: record.changed.clone(),
                    before,
                    after,
                });
            }
        }
    }

    /// The commits of a record, oldest first.
    pub fn on<'a>(&'a self, record: &str) -> impl DoubleEndedIterator<Item = &'a Commit> + use<'a> {
        self.of.get(record).into_iter().flatten().map(|place| &self.commits[*place])
    }

    /// The value of a field right after everything that happened up to then.
    pub fn value(&self, record: &str, field: &str, at: Timestamp) -> String {
        let last = self.on(record).rfind(|commit| commit.at <= at);
        match last {
            Some(commit) => commit.is(field),
            None => self.first.get(record).and_then(|row| row.get(field)).map(shown).unwrap_or_default(),
        }
    }

    /// Whether a program made the write, and not the daemon.
    pub fn is_by_program(&self, commit: &Commit) -> bool {
        self.programs.contains(&commit.user)
    }

    /// Whether the write was the daemon's.
    pub fn is_ours(&self, commit: &Commit) -> bool {
        commit.user == self.promoter
    }
}
