//! Everything that the org committed, in order: the truth that the ledger is held against.

use std::{collections::BTreeMap, sync::Arc};

use countersign::{
    domain::FieldValue,
    salesforce::names,
    simulator::{
        Org,
        model::{ChangeKind, ChangeRecord, Row},
    },
};

/// Fields that decide what is right; the trace tells their changes.
const TOLD: &[&str] = &[
    "Status",
    "NextStep",
    names::PROPOSAL_ID,
    names::DECISION,
    names::DECISION_PROPOSAL_ID,
    names::LAST_PROMOTION_ID,
    names::PENDING,
];

/// Object and record id.
pub type Place = (String, String);

/// A decision that a person set, and what they saw.
#[derive(Debug, Clone)]
pub struct Decided {
    pub by: String,
    pub proposal: String,
    pub approved: bool,
    /// The record as it stood when the decision was saved.
    pub saw: Row,
}

/// A write that carried a mark.
#[derive(Debug, Clone)]
pub struct Landing {
    pub mark: String,
    pub before: Row,
    pub after: Row,
    pub by: String,
    /// The decision that stood when it landed.
    pub decided: Option<Decided>,
}

/// The org's own history.
#[derive(Debug, Default)]
pub struct OrgLog {
    position: u64,
    pub rows: BTreeMap<Place, Row>,
    pub decisions: BTreeMap<Place, Decided>,
    pub landings: Vec<Landing>,
    /// Every proposal id that ever stood on a record with the flag, and where.
    pub proposed: BTreeMap<String, Place>,
}

impl OrgLog {
    /// Begins with the org as it is.
    pub fn of(org: &Org) -> Self {
        let mut log = Self { position: org.tip(), ..Self::default() };
        for object in ["Lead", "Opportunity"] {
            for row in org.rows(object, false) {
                if let Some(id) = row.get("Id").and_then(FieldValue::as_text) {
                    log.rows.insert((object.to_owned(), id.to_owned()), (*row).clone());
                }
            }
        }
        log
    }

    /// Takes what is new; tells it in words.
    pub fn take(&mut self, org: &Org) -> Vec<String> {
        let mut told = Vec::new();
        loop {
            let page = org.changes_after(self.position, 500);
            let Some(last) = page.records.last() else { return told };
            assert!(page.oldest <= self.position + 1, "the log follows the org before anything expires");
            self.position = last.position;
            for record in page.records {
                told.extend(self.follow(&record));
            }
        }
    }

    fn follow(&mut self, record: &Arc<ChangeRecord>) -> Option<String> {
        let place = (record.object.clone(), record.record_id.clone());
        if record.kind == ChangeKind::Delete {
            self.rows.remove(&place);
            return Some(format!("org: {} {} is deleted", place.0, place.1));
        }
        let before = self.rows.get(&place).cloned().unwrap_or_default();
        let mut after = before.clone();
        after.extend(record.changed.clone());
        self.decision(&place, record, &after);
        let text = |row: &Row, field: &str| row.get(field).and_then(FieldValue::as_text).map(str::to_owned);
        if let Some(mark) = text(&record.changed, names::LAST_PROMOTION_ID) {
            self.landings.push(Landing {
                mark,
                decided: self.decisions.get(&place).cloned(),
                before: before.clone(),
                after: after.clone(),
                by: record.commit.user_id.clone(),
            });
        }
        if let Some(id) = text(&after, names::PROPOSAL_ID)
            && after.get(names::PENDING).is_some_and(FieldValue::as_bool)
        {
            self.proposed.insert(id, place.clone());
        }
        let words: Vec<String> = TOLD
            .iter()
            .filter_map(|field| record.changed.get(*field).map(|value| format!("{field}={value}")))
            .collect();
        self.rows.insert(place.clone(), after);
        let by = &record.commit.user_id[10..15];
        (!words.is_empty()).then(|| format!("org: {} {} by ..{by}: {}", place.0, place.1, words.join(", ")))
    }

    fn decision(&mut self, place: &Place, record: &ChangeRecord, after: &Row) {
        let text =
            |field: &str| after.get(field).and_then(FieldValue::as_text).unwrap_or_default().to_owned();
        let touched = [names::DECISION, names::DECISION_PROPOSAL_ID]
            .iter()
            .any(|field| record.changed.contains_key(*field));
        if !touched {
            return;
        }
        match text(names::DECISION).as_str() {
            decision @ ("Approved" | "Rejected") => {
                let decided = Decided {
                    by: record.commit.user_id.clone(),
                    proposal: text(names::DECISION_PROPOSAL_ID),
                    approved: decision == "Approved",
                    saw: after.clone(),
                };
                self.decisions.insert(place.clone(), decided);
            }
            _ => {
                self.decisions.remove(place);
            }
        }
    }
}
