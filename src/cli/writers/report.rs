//! What is known of writers, and how much of each field's changes went past the gate.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    domain::{
        Freeze, RecordId,
        drift::Known,
        ownership::{Ownership, Standing},
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
    /// Who may write.
    pub ownership: Ownership,
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
    /// Who answers for the field, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Writes by others whom nobody listed; none where nobody answers for the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_listed: Option<u64>,
}

/// Something of the org that runs when a record is saved and is not ours.
#[derive(Debug, Serialize)]
pub struct Runs {
    /// Object.
    pub object: String,
    /// Kind and name.
    pub name: String,
    /// Whether it is listed: `listed`, `not-listed` or `no-owner`.
    pub standing: &'static str,
    /// Why it is, in words.
    pub why: Option<String>,
}

impl Report {
    /// Reads what the ledger knows.
    pub async fn read(ledger: &Ledger, ownership: Ownership) -> Result<Self, LedgerError> {
        let mut map = ledger.writers().await?.map(|counted| counted.map).unwrap_or_default();
        let frozen = ledger.freezes().await?;
        map.rows.sort_by(|one, other| {
            let place = |row: &Row| (row.object.clone(), row.field.clone());
            (place(one), other.writes, one.first).cmp(&(place(other), one.writes, other.first))
        });
        Ok(Self {
            fields: fields(&map, &ownership),
            beyond: map.beyond,
            writers: map.rows,
            automations: ledger.grounds().await?.iter().flat_map(|known| runs(known, &ownership)).collect(),
            quarantined: frozen.into_iter().filter(|freeze| freeze.by == BY).collect(),
            users: BTreeMap::new(),
            ownership,
        })
    }

    /// What the list says of a row.
    pub fn standing(&self, row: &Row) -> Standing<'_> {
        standing(&self.ownership, row)
    }

    /// Whether anybody answers for a field: without that there is nothing to tell of lists.
    pub fn has_owners(&self) -> bool {
        !self.ownership.fields.is_empty()
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
        let writers = self.writers.iter().map(|row| {
            let (standing, mut told) = (self.standing(row), json!(row));
            told["standing"] = json!(standing.code());
            if let Standing::Listed(why) = standing {
                told["why"] = json!(why);
            }
            told
        });
        let writers: Vec<Value> = writers.collect();
        json!({ "writers": writers, "beyond": self.beyond, "fields": self.fields,
            "automations": self.automations, "quarantined": self.quarantined, "users": users })
    }
}

fn user_id(row: &Row) -> Option<RecordId> {
    RecordId::parse(&row.writer.user).ok()
}

fn standing<'a>(ownership: &'a Ownership, row: &Row) -> Standing<'a> {
    ownership.standing((&row.object, &row.field), &row.writer, row.ours)
}

/// Fields that were written, and those that have an owner.
fn fields(map: &WriterMap, ownership: &Ownership) -> Vec<OfField> {
    let mut counts: BTreeMap<_, (u64, u64, u64)> =
        ownership.fields.keys().map(|key| (key.clone(), (0, 0, 0))).collect();
    for row in &map.rows {
        let count = counts.entry((row.object.clone(), row.field.clone())).or_default();
        if row.ours {
            count.0 += row.writes
        } else {
            count.1 += row.writes
        }
        if standing(ownership, row) == Standing::Unlisted {
            count.2 += row.writes;
        }
    }
    let one = |((object, field), (ours, others, not_listed)): (_, (u64, u64, u64))| {
        let owned = ownership.of(&object, &field);
        OfField {
            object: object.to_string(),
            field: field.to_string(),
            ours,
            others,
            ungoverned_percent: others * 100 / (ours + others).max(1),
            owner: owned.map(|owned| owned.owner.clone()),
            not_listed: owned.map(|_| not_listed),
        }
    };
    counts.into_iter().map(one).collect()
}

fn runs(known: &Known, ownership: &Ownership) -> Vec<Runs> {
    let all = known.drift.as_ref().map_or(&known.accepted, |(_, ground)| ground);
    let runs = all.automations.iter().flatten().filter(|(_, one)| one.active && !one.ours);
    let runs = runs.map(|(name, _)| {
        let (object, standing) = (all.object.to_string(), ownership.runs(all.object.as_str(), name));
        let why = if let Standing::Listed(why) = standing { Some(why.to_owned()) } else { None };
        Runs { object, name: name.clone(), standing: standing.code(), why }
    });
    runs.collect()
}
