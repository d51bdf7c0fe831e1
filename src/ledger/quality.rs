//! Stories of proposals for the numbers of quality, page by page: each proposal of which something was
//! decided, judged or promoted within a part of the chain, one time, with what its numbers rest on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Ledger, LedgerError,
    append::number,
    db,
    proposals::{COLUMNS, ProposalRecord, from_row},
};
use crate::domain::{
    Decision, FieldName, Promotion, PromotionId, Stage,
    quality::{Happened, Step},
    shadow::Label,
};

/// Entries that bring a proposal into a page.
macro_rules! telling {
    () => {
        "'verdict_reached', 'decision_observed', 'stage_changed', 'promotion_settled'"
    };
}

/// Each proposal stands in the page of its first entry of the part.
const PAGE: &str = concat!(
    "SELECT e.seq, e.proposal FROM entry e WHERE e.seq > ?1 AND e.seq <= ?2 AND e.proposal IS NOT NULL \
     AND e.kind IN (",
    telling!(),
    ") AND NOT EXISTS (SELECT 1 FROM entry b WHERE b.proposal = e.proposal AND b.seq > ?3 AND b.seq < e.seq \
     AND b.kind IN (",
    telling!(),
    ")) ORDER BY e.seq LIMIT ?4"
);

/// A proposal with its story.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// As it stands.
    pub record: ProposalRecord,
    /// What happened, oldest first, also before the part.
    pub steps: Vec<Step>,
    /// Every promotion that it led to, rollbacks included, oldest first.
    pub promotions: Vec<Promotion>,
}

/// The next stories.
#[derive(Debug, Clone, PartialEq)]
pub struct QualityPage {
    /// In the order of their first entries within the part.
    pub stories: Vec<Told>,
    /// The place to go on after.
    pub last: u64,
}

/// As much of an entry as is asked for.
#[derive(Deserialize)]
struct Line {
    at: Timestamp,
    kind: String,
    event: Parts,
}

#[derive(Deserialize)]
struct Parts {
    stage: Option<Stage>,
    code: Option<String>,
    approval: Option<Decided>,
    promotion: Option<PromotionId>,
    settlement: Option<State>,
    watch: Option<Watched>,
    labelled: Option<Labelled>,
}

#[derive(Deserialize)]
struct Decided {
    decision: Decision,
    decided_at: Timestamp,
}

#[derive(Deserialize)]
struct State {
    state: String,
}

#[derive(Deserialize)]
struct Watched {
    due: Timestamp,
}

#[derive(Deserialize)]
struct Labelled {
    field: FieldName,
    label: Label,
    at: Timestamp,
}

/// What an entry says; `None`: nothing that counts.
fn step(text: &str) -> Result<Option<Step>, LedgerError> {
    let Line { at, kind, event } = serde_json::from_str(text)?;
    let what = match kind.as_str() {
        "verdict_reached" | "stage_changed" => {
            event.stage.map(|stage| Happened::Stage { stage, code: event.code })
        }
        "decision_observed" => {
            let told = |told: Decided| Happened::Decided { decision: told.decision, when: told.decided_at };
            event.approval.map(told)
        }
        "promotion_settled" => event.promotion.map(|promotion| {
            let landed = event.settlement.is_some_and(|settlement| settlement.state == "done");
            Happened::Settled { promotion, landed }
        }),
        "outcome_watched" => event.watch.map(|watch| Happened::Watched { due: watch.due }),
        "outcome_labelled" => {
            let reversed = event.labelled.filter(|found| found.label == Label::Reversed);
            reversed.map(|found| Happened::Reversed { field: found.field, when: found.at })
        }
        _ => None,
    };
    Ok(what.map(|what| Step { at, what }))
}

impl Ledger {
    /// Stories of proposals of which an entry of the part `after..=up_to` tells, at most `most`. `from` is
    /// where the page before ended, at first the beginning of the part. `None`: there are no more.
    pub async fn quality_page(
        &self,
        (after, up_to): (u64, u64),
        from: u64,
        most: u32,
    ) -> Result<Option<QualityPage>, LedgerError> {
        let mut reader = self.reader().await?;
        let query = db::query(PAGE).bind(number(from)?).bind(number(up_to)?).bind(number(after)?).bind(most);
        let rows = query.fetch_all(&mut reader).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        let last = u64::try_from(last.try_get::<i64>(0)?).unwrap_or(u64::MAX);
        let ids = rows.iter().map(|row| row.try_get(1)).collect::<Result<Vec<String>, _>>()?;
        let mut steps = steps(&mut reader, &ids, up_to).await?;
        let mut promotions = promotions(&mut reader, &ids).await?;
        let mut records = records(&mut reader, &ids).await?;
        let told = ids.iter().filter_map(|id| {
            Some(Told {
                record: records.remove(id)?,
                steps: steps.remove(id).unwrap_or_default(),
                promotions: promotions.remove(id).unwrap_or_default(),
            })
        });
        Ok(Some(QualityPage { stories: told.collect(), last }))
    }
}

fn among(before: &str, ids: &[String], after: &str) -> String {
    format!("{before} IN ({}) {after}", vec!["?"; ids.len()].join(","))
}

async fn steps(
    reader: &mut db::Connection,
    ids: &[String],
    up_to: u64,
) -> Result<BTreeMap<String, Vec<Step>>, LedgerError> {
    let kinds = concat!("AND kind IN (", telling!(), ", 'outcome_watched', 'outcome_labelled')");
    let sql = among("SELECT proposal, text FROM entry WHERE proposal", ids, kinds);
    let query = db::query(format!("{sql} AND seq <= ? ORDER BY seq"));
    let query = ids.iter().fold(query, |query, id| query.bind(id)).bind(number(up_to)?);
    let mut found: BTreeMap<String, Vec<Step>> = BTreeMap::new();
    for row in query.fetch_all(reader).await? {
        if let Some(step) = step(&row.text(1)?)? {
            found.entry(row.try_get(0)?).or_default().push(step);
        }
    }
    Ok(found)
}

async fn promotions(
    reader: &mut db::Connection,
    ids: &[String],
) -> Result<BTreeMap<String, Vec<Promotion>>, LedgerError> {
    let sql = among("SELECT proposal, body FROM promotion WHERE proposal", ids, "ORDER BY seq");
    let query = ids.iter().fold(db::query(sql), |query, id| query.bind(id));
    let mut found: BTreeMap<String, Vec<Promotion>> = BTreeMap::new();
    for row in query.fetch_all(reader).await? {
        found.entry(row.try_get(0)?).or_default().push(serde_json::from_str(&row.text(1)?)?);
    }
    Ok(found)
}

async fn records(
    reader: &mut db::Connection,
    ids: &[String],
) -> Result<BTreeMap<String, ProposalRecord>, LedgerError> {
    let sql = among(&format!("{COLUMNS} WHERE p.id"), ids, "");
    let query = ids.iter().fold(db::query(sql), |query, id| query.bind(id));
    let mut found = BTreeMap::new();
    for row in query.fetch_all(reader).await? {
        let record = from_row(&row)?;
        found.insert(record.proposal.id.to_string(), record);
    }
    Ok(found)
}
