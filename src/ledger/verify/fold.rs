//! Folding the events again, and comparing what follows with what is stored.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{Row as _, SqliteConnection};

use super::Report;
use crate::{
    domain::{Door, Promotion, Stage, digest::canonical, entry::Entry, event::Event},
    ledger::{
        project::is_confirmed,
        stage::{may_follow, settlement_follows, stage_settled, when_sent},
    },
};

/// A row as text, column by column, so that any difference shows.
type Cells = Vec<Option<String>>;

#[derive(Default)]
struct Proposal {
    object: String,
    record: String,
    stage: Option<Stage>,
    fingerprint: String,
    patch: String,
    body: String,
    verdict: Option<String>,
    approval: Option<String>,
    promotion: Option<String>,
    landed: bool,
    received_seq: u64,
    updated_at: String,
}

/// What follows from the events.
#[derive(Default)]
pub(super) struct Fold {
    proposals: BTreeMap<String, Proposal>,
    promotions: BTreeMap<String, (u64, Promotion)>,
    /// Records with an open promotion.
    open: BTreeSet<(String, String)>,
    notices: BTreeMap<String, Cells>,
    incomplete: bool,
}

impl Fold {
    /// An event whose private parts have been erased cannot be folded.
    pub(super) fn unreadable(&mut self, entry: &Entry, error: &str) {
        tracing::debug!(seq = entry.seq, error, "an erased event cannot be folded");
        self.incomplete = true;
    }

    pub(super) fn event(&mut self, seq: u64, at: &str, event: &Event, report: &mut Report) {
        match event {
            Event::ProposalReceived { proposal } => {
                let digest = |found: Result<crate::domain::Digest, _>| {
                    found.map_or_else(
                        |_: crate::domain::CanonicalError| String::new(),
                        |digest| digest.to_string(),
                    )
                };
                let row = Proposal {
                    object: proposal.object.to_string(),
                    record: proposal.record.to_string(),
                    stage: Some(Stage::Received),
                    fingerprint: digest(proposal.fingerprint()),
                    patch: digest(proposal.patch_digest()),
                    body: canonical(proposal).unwrap_or_default(),
                    landed: proposal.door == Door::Record,
                    received_seq: seq,
                    updated_at: at.to_owned(),
                    ..Proposal::default()
                };
                if self.proposals.insert(proposal.id.to_string(), row).is_some() {
                    report.damage(
                        "proposal-twice",
                        Some(seq),
                        format!("`{}` was received before", proposal.id),
                    );
                }
            }
            Event::SubmissionSettled { proposal_id, result } if result == "done" => {
                self.change(proposal_id.as_str(), at, |row| row.landed = true);
            }
            Event::VerdictReached { proposal_id, stage, verdict, .. } => {
                self.go(proposal_id.as_str(), *stage, (seq, at), report);
                let text = canonical(verdict).ok();
                self.change(proposal_id.as_str(), at, |row| row.verdict = text);
            }
            Event::DecisionObserved { approval } => {
                let text = canonical(approval).ok();
                self.change(approval.proposal_id.as_str(), at, |row| row.approval = text);
            }
            Event::StageChanged { proposal_id, stage, .. } => {
                self.go(proposal_id.as_str(), *stage, (seq, at), report);
            }
            Event::NoticeIntended { object, record, proposal_id, text } => {
                let cells = [object.to_string(), record.to_string(), text.clone(), seq.to_string()];
                self.notices.insert(proposal_id.to_string(), cells.map(Some).to_vec());
            }
            Event::NoticeSettled { proposal_id, .. } => {
                self.notices.remove(proposal_id.as_str());
            }
            Event::PromotionIntended { .. }
            | Event::PromotionsSent { .. }
            | Event::PromotionSettled { .. }
            | Event::PromotionConfirmed { .. } => self.promotion(seq, at, event, report),
            Event::SubmissionSettled { .. }
            | Event::Started { .. }
            | Event::PolicyRecorded { .. }
            | Event::SignalReceived { .. }
            | Event::Frozen { .. }
            | Event::Unfrozen { .. }
            | Event::SchemaRecorded { .. }
            | Event::SubmissionRefused { .. }
            | Event::BreakGlassUsed { .. }
            | Event::RollbackBegun { .. }
            | Event::RollbackEnded { .. }
            | Event::StreamReset { .. } => {}
        }
    }

    fn promotion(&mut self, seq: u64, at: &str, event: &Event, report: &mut Report) {
        match event {
            Event::PromotionIntended { promotion } => {
                let record = &promotion.plan.record;
                if !self.open.insert(record_of(promotion)) {
                    report.damage(
                        "promotion-two-open",
                        Some(seq),
                        format!("record {record} has two open promotions"),
                    );
                }
                if promotion.undoes.is_none() {
                    let id = promotion.id.to_string();
                    self.change(promotion.plan.proposal_id.as_str(), at, |row| row.promotion = Some(id));
                }
                self.promotions.insert(promotion.id.to_string(), (seq, promotion.clone()));
            }
            Event::PromotionsSent { promotions } => {
                for id in promotions {
                    if let Some((_, promotion)) = self.promotions.get_mut(id.as_str()) {
                        promotion.attempts += 1;
                        match when_sent(&promotion.settlement) {
                            Some(state) => promotion.settlement = state,
                            None => report.damage("sent-after-end", Some(seq), format!("promotion `{id}`")),
                        }
                    }
                }
            }
            Event::PromotionSettled { promotion, settlement } => {
                let Some((_, known)) = self.promotions.get_mut(promotion.as_str()) else {
                    report.damage(
                        "promotion-unknown",
                        Some(seq),
                        format!("`{promotion}` was never intended"),
                    );
                    return;
                };
                if !settlement_follows(&known.settlement, settlement) {
                    let (from, to) = (known.settlement.name(), settlement.name());
                    let what = format!("promotion `{promotion}` goes from {from} to {to}");
                    report.damage("settlement-transition", Some(seq), what);
                }
                known.settlement.clone_from(settlement);
                if settlement.is_final() {
                    self.open.remove(&record_of(known));
                }
                let own = known.undoes.is_none().then(|| known.plan.proposal_id.to_string());
                let stage = own.as_ref().and_then(|id| self.proposals.get(id)).and_then(|row| row.stage);
                let stage = stage.and_then(|from| stage_settled(from, settlement));
                if let (Some(proposal), Some(stage)) = (own, stage) {
                    self.change(&proposal, at, |row| row.stage = Some(stage));
                }
            }
            Event::PromotionConfirmed { promotion, proof } => {
                if let Some((_, known)) = self.promotions.get_mut(promotion.as_str()) {
                    known.proof.clone_from(proof);
                }
            }
            _ => {}
        }
    }

    fn go(&mut self, id: &str, to: Stage, (seq, at): (u64, &str), report: &mut Report) {
        let from = self.proposals.get(id).and_then(|row| row.stage);
        match from {
            None => report.damage("proposal-unknown", Some(seq), format!("`{id}` was never received")),
            Some(from) if !may_follow(from, to) => {
                let what = format!("`{id}` goes from {} to {}", from.name(), to.name());
                report.damage("stage-transition", Some(seq), what);
            }
            Some(_) => {}
        }
        self.change(id, at, |row| row.stage = Some(to));
    }

    fn change(&mut self, id: &str, at: &str, change: impl FnOnce(&mut Proposal)) {
        if let Some(row) = self.proposals.get_mut(id) {
            change(row);
            at.clone_into(&mut row.updated_at);
        }
    }
}

fn record_of(promotion: &Promotion) -> (String, String) {
    (promotion.plan.object.to_string(), promotion.plan.record.to_string())
}

/// Compares every projection row with what the events give.
pub(super) async fn compare(
    connection: &mut SqliteConnection,
    fold: &Fold,
    report: &mut Report,
) -> Result<(), sqlx::Error> {
    if fold.incomplete {
        return Ok(());
    }
    let proposals = fold.proposals.iter().map(|(id, row)| (id.clone(), proposal_cells(row))).collect();
    let promotions = fold
        .promotions
        .iter()
        .map(|(id, (seq, promotion))| (id.clone(), promotion_cells(*seq, promotion)))
        .collect();
    let stored = "SELECT id, object, record, stage, CAST(open AS TEXT), fingerprint, patch, body, verdict, approval, \
                  promotion, CAST(landed AS TEXT), CAST(received_seq AS TEXT), updated_at FROM proposal";
    table(connection, ("proposal", stored, 13), &proposals, report).await?;
    let stored = "SELECT id, proposal, object, record, CAST(open AS TEXT), CAST(confirmed AS TEXT), \
                  CAST(seq AS TEXT), body FROM promotion";
    table(connection, ("promotion", stored, 7), &promotions, report).await?;
    let stored = "SELECT proposal, object, record, text, CAST(seq AS TEXT) FROM notice";
    table(connection, ("notice", stored, 4), &fold.notices, report).await
}

fn flag(value: bool) -> Option<String> {
    Some(i32::from(value).to_string())
}

fn proposal_cells(row: &Proposal) -> Cells {
    let text = |text: &String| Some(text.clone());
    vec![
        text(&row.object),
        text(&row.record),
        row.stage.map(|stage| stage.name().to_owned()),
        flag(row.stage.is_some_and(|stage| !stage.is_final())),
        text(&row.fingerprint),
        text(&row.patch),
        text(&row.body),
        row.verdict.clone(),
        row.approval.clone(),
        row.promotion.clone(),
        flag(row.landed),
        Some(row.received_seq.to_string()),
        text(&row.updated_at),
    ]
}

fn promotion_cells(seq: u64, promotion: &Promotion) -> Cells {
    vec![
        Some(promotion.plan.proposal_id.to_string()),
        Some(promotion.plan.object.to_string()),
        Some(promotion.plan.record.to_string()),
        flag(!promotion.settlement.is_final()),
        flag(is_confirmed(promotion)),
        Some(seq.to_string()),
        canonical(promotion).ok(),
    ]
}

async fn table(
    connection: &mut SqliteConnection,
    (name, sql, columns): (&str, &'static str, usize),
    expected: &BTreeMap<String, Cells>,
    report: &mut Report,
) -> Result<(), sqlx::Error> {
    let mut found = 0;
    for row in sqlx::query(sql).fetch_all(connection).await? {
        let id: String = row.try_get(0)?;
        let cells: Cells = (1..=columns).map(|column| row.try_get(column)).collect::<Result<_, _>>()?;
        report.projections += 1;
        match expected.get(&id) {
            None => report.damage("projection-stray", None, format!("{name} `{id}` follows from no entry")),
            Some(right) => {
                found += 1;
                if *right != cells {
                    report.damage(
                        "projection-differs",
                        None,
                        format!("{name} `{id}` is not what the entries say"),
                    );
                }
            }
        }
    }
    if found < expected.len() {
        let what = format!("{} row(s) of {name} are gone", expected.len() - found);
        report.damage("projection-missing", None, what);
    }
    Ok(())
}
