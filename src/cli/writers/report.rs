//! What is known of writers, and how much of each field's changes went past the gate.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    domain::{
        Freeze, RecordId,
        drift::Known,
        writers::{Row, WriterMap},
    },
    ledger::{Ledger, LedgerError},
    salesforce::User,
    workflow::writers::BY,
};

/// Everything that there is to tell.
pub struct Report {
    /// Who writes, most writes first within a field.
    pub writers: Vec<Row>,
    /// Writes of writers that found no room in the map.
    pub beyond: u64,
    /// By field.
    pub fields: Vec<OfField>,
    /// What runs on save and is not ours.
    pub automations: Vec<Runs>,
    /// What was stopped because two writers set it against each other.
    pub quarantined: Vec<Freeze>,
    /// What the org says about the writers, where it was asked.
    pub users: BTreeMap<RecordId, User>,
}

/// How much of a field's changes went past the gate.
#[derive(Debug, Serialize)]
pub struct OfField {
    /// Object.
    pub object: String,
    /// Governed field.
    pub field: String,
    /// Promotions.
    pub ours: u64,
    /// Writes by others.
    pub others: u64,
    /// Whole percent, rounded down.
    pub ungoverned_percent: u64,
}

/// Something of the org that runs when a record is saved and is not ours.
#[derive(Debug, Serialize)]
pub struct Runs {
    /// Object.
    pub object: String,
    /// Kind and name.
    pub name: String,
}

impl Report {
    /// Reads what the ledger knows.
    pub async fn read(ledger: &Ledger) -> Result<Self, LedgerError> {
        let mut map = ledger.writers().await?.map(|counted| counted.map).unwrap_or_default();
        let frozen = ledger.freezes().await?;
        map.rows.sort_by(|one, other| {
            let place = |row: &Row| (row.object.clone(), row.field.clone());
            (place(one), other.writes, one.first).cmp(&(place(other), one.writes, other.first))
        });
        Ok(Self {
            fields: fields(&map),
            beyond: map.beyond,
            writers: map.rows,
            automations: ledger.grounds().await?.iter().flat_map(runs).collect(),
            quarantined: frozen.into_iter().filter(|freeze| freeze.by == BY).collect(),
            users: BTreeMap::new(),
        })
    }

    /// Every writer that is a user of the org.
    pub fn user_ids(&self) -> Vec<RecordId> {
        let mut ids: Vec<RecordId> = self.writers.iter().filter_map(user_id).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// What the org says about the writer of a row.
    pub fn user(&self, row: &Row) -> Option<&User> {
        self.users.get(&user_id(row)?)
    }

    /// For scripts.
    pub fn json(&self) -> Value {
        let users: BTreeMap<&str, Value> = self
            .users
            .iter()
            .map(|(id, user)| {
                let told = json!({ "name": user.name, "kind": user.kind, "licence": user.licence,
                    "active": user.active, "is": user.is_called() });
                (id.as_str(), told)
            })
            .collect();
        json!({ "writers": self.writers, "beyond": self.beyond, "fields": self.fields,
            "automations": self.automations, "quarantined": self.quarantined, "users": users })
    }
}

fn user_id(row: &Row) -> Option<RecordId> {
    RecordId::parse(&row.writer.user).ok()
}

fn fields(map: &WriterMap) -> Vec<OfField> {
    let mut counts: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
    for row in &map.rows {
        let count = counts.entry((row.object.to_string(), row.field.to_string())).or_default();
        if row.ours { count.0 += row.writes } else { count.1 += row.writes }
    }
    let one = |((object, field), (ours, others)): ((String, String), (u64, u64))| OfField {
        object,
        field,
        ours,
        others,
        ungoverned_percent: others * 100 / (ours + others).max(1),
    };
    counts.into_iter().map(one).collect()
}

fn runs(known: &Known) -> Vec<Runs> {
    let all = known.drift.as_ref().map_or(&known.accepted, |(_, ground)| ground);
    let runs = all.automations.iter().flatten().filter(|(_, one)| one.active && !one.ours);
    runs.map(|(name, _)| Runs { object: all.object.to_string(), name: name.clone() }).collect()
}
