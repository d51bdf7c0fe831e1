//! What must hold whenever nothing goes wrong any more. The org's own history is the truth.

use std::collections::{BTreeMap, BTreeSet};

use countersign::{
    domain::{Basis, FieldValue, Promotion, ProposalId, Settlement, Stage, entry::Entry},
    ledger::{Ledger, verify},
    salesforce::names,
    simulator::model::Row,
};
use serde_json::Value;

use crate::{orglog::Landing, run::Run, scene::Scene};

/// What a sweep finds must have been known before it, where every event was delivered.
pub async fn nothing_was_lost(run: &mut Run) {
    let Some(ledger) = run.look().cloned() else { return };
    let before = told(&ledger).await;
    run.sweep().await;
    let after = told(&ledger).await;
    for lost in after.difference(&before) {
        run.scene.lock().broken(format!("I5: only a sweep found {lost}"));
    }
}

/// Proposals and decisions in the ledger.
async fn told(ledger: &Ledger) -> BTreeSet<String> {
    let wanted = ["proposal_received", "decision_observed"];
    let entries = entries(ledger).await;
    let kinds = entries.iter().filter(|entry| wanted.contains(&entry.kind.as_str()));
    kinds
        .map(|entry| {
            format!("{} of {} ({})", entry.kind, entry.proposal.clone().unwrap_or_default(), entry.seq)
        })
        .collect()
}

async fn entries(ledger: &Ledger) -> Vec<Entry> {
    let mut span = ledger.span(None, None).await.expect("the ledger can be read");
    let mut entries = Vec::new();
    loop {
        let lines = ledger.lines(&mut span, (false, 500)).await.expect("the ledger can be read");
        if lines.is_empty() {
            return entries;
        }
        entries.extend(
            lines.iter().map(|line| serde_json::from_str::<Entry>(line.entry.get()).expect("an entry")),
        );
    }
}

/// Every promise.
pub async fn promises(run: &Run, end: bool) {
    let Some(ledger) = run.look() else { return };
    let entries = entries(ledger).await;
    let promotions = ledger.promotions_in(0, 1 << 40).await.expect("the ledger can be read");
    let report = verify::verify(&run.kit.ledger, None, &mut |_| {}).await.expect("there is a ledger");
    {
        let mut scene = run.scene.lock();
        for damage in &report.findings {
            scene.broken(format!("I6: verify found {}: {}", damage.code, damage.what));
        }
        chain(&mut scene, &entries);
        landings(&mut scene, &promotions);
        final_words(&mut scene, &promotions);
    }
    if end {
        nothing_waits(run, ledger).await;
    }
}

/// What follows from the order of entries alone.
fn chain(scene: &mut Scene, entries: &[Entry]) {
    let mut epoch = 0_u64;
    let mut open: BTreeMap<String, String> = BTreeMap::new();
    let mut record_of: BTreeMap<String, String> = BTreeMap::new();
    let mut received = BTreeSet::new();
    let mut cause: BTreeMap<String, bool> = BTreeMap::new();
    let mut states: BTreeMap<String, String> = BTreeMap::new();
    let mut decided: BTreeMap<String, Value> = BTreeMap::new();
    let mut sent_in: BTreeMap<String, u64> = BTreeMap::new();
    for entry in entries {
        let own: u64 = entry.epoch.parse().unwrap_or(0);
        if own > 0 && own < epoch {
            scene.broken(format!("I7: entry {} has epoch {own} after {epoch}", entry.seq));
        }
        epoch = epoch.max(own);
        let text = |pointer: &str| entry.event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        match entry.kind.as_str() {
            "proposal_received" => {
                let id = entry.proposal.clone().unwrap_or_default();
                if !received.insert(id.clone()) {
                    scene.broken(format!("I5: {id} was received twice"));
                }
            }
            "decision_observed" => {
                let id = entry.proposal.clone().unwrap_or_default();
                if decided.insert(id.clone(), entry.event.clone()).as_ref() == Some(&entry.event) {
                    scene.broken(format!("I5: a decision on {id} was told twice (entry {})", entry.seq));
                }
            }
            "promotion_intended" => {
                let id = text("/promotion/id").to_owned();
                let record = text("/promotion/plan/record").to_owned();
                if let Some(other) = open.insert(record.clone(), id.clone()) {
                    scene.broken(format!("I11: {id} was intended while {other} was open on {record}"));
                }
                record_of.insert(id.clone(), record);
                states.insert(id.clone(), "intended".to_owned());
                cause.insert(id, true);
            }
            "promotions_sent" => {
                for id in entry.event["promotions"].as_array().into_iter().flatten().filter_map(Value::as_str)
                {
                    if cause.insert(id.to_owned(), false) == Some(false) && states[id] != "voiding" {
                        scene.broken(format!("a send of {id} without a cause (entry {})", entry.seq));
                    }
                    sent_in.insert(id.to_owned(), own);
                    step(scene, &mut states, id, "sent");
                }
            }
            "promotion_settled" => {
                let (id, state) = (text("/promotion").to_owned(), text("/settlement/state").to_owned());
                step(scene, &mut states, &id, &state);
                cause.insert(id.clone(), state == "intended");
                if state == "done" && sent_in.get(&id).is_some_and(|sent| *sent < own) {
                    scene.reached("a new leader finished what an old one sent");
                }
                if !["intended", "sent", "unknown", "voiding"].contains(&state.as_str())
                    && let Some(record) = record_of.get(&id)
                    && open.get(record) == Some(&id)
                {
                    open.remove(record);
                }
            }
            _ => {}
        }
    }
}

/// Counts a transition, once for each time that it is looked at.
fn step(scene: &mut Scene, states: &mut BTreeMap<String, String>, id: &str, to: &str) {
    let from = states.get(id).cloned().unwrap_or_default();
    if from == "voiding" && to == "sent" {
        // A void is a send too, and leaves it as it is.
        return;
    }
    states.insert(id.to_owned(), to.to_owned());
    scene.reached(format!("state: {from} -> {to}"));
}

/// Each thing that landed: one time, as intended, as approved, over what the approver saw.
fn landings(scene: &mut Scene, promotions: &[Promotion]) {
    let known: BTreeMap<&str, &Promotion> = promotions.iter().map(|one| (one.id.as_str(), one)).collect();
    let landings = scene.log.landings.clone();
    let mut of_mark: BTreeMap<&str, u32> = BTreeMap::new();
    let mut of_proposal: BTreeMap<&str, u32> = BTreeMap::new();
    for landing in &landings {
        *of_mark.entry(&landing.mark).or_insert(0) += 1;
        let (id, void) = match landing.mark.strip_prefix("void:") {
            Some(id) => (id, true),
            None => (landing.mark.as_str(), false),
        };
        let Some(promotion) = known.get(id) else {
            scene.broken(format!("I8: {} landed and was never intended", landing.mark));
            continue;
        };
        let moved = |row: &Row, field: &str| row.get(field).cloned().unwrap_or(FieldValue::Null);
        for change in &promotion.plan.changes {
            let (before, after) =
                (moved(&landing.before, change.field.as_str()), moved(&landing.after, change.field.as_str()));
            if void && before != after {
                scene.broken(format!("a void of {id} changed {}", change.field));
            }
            if !void && (before != change.before || after != change.after) {
                scene.broken(format!(
                    "I3: {id} made {before} to {after}, planned {} to {}",
                    change.before, change.after
                ));
            }
        }
        if !void {
            *of_proposal.entry(promotion.plan.proposal_id.as_str()).or_insert(0) += 1;
            approved(scene, promotion, landing);
        }
    }
    for (what, times) in of_mark.into_iter().chain(of_proposal).filter(|(_, times)| *times > 1) {
        scene.broken(format!("I1: {what} landed {times} times"));
    }
}

fn approved(scene: &mut Scene, promotion: &Promotion, landing: &Landing) {
    let plan = &promotion.plan;
    if plan.basis == Basis::Auto {
        if !scene.plan.auto {
            scene.broken(format!("I2: {} ran by itself, and the org's switch is off", promotion.id));
        }
        return;
    }
    let machine = |role: &str| scene.org.user(role).map(|user| user.user_id);
    if machine("promoter").as_deref() != Some(landing.by.as_str()) {
        scene.broken(format!("I2: {} was not written by the promoter", promotion.id));
    }
    let machine = |role: &str| scene.org.user(role).map(|user| user.user_id);
    let machines = [machine("proposer"), machine("promoter")];
    let found = landing.decided.as_ref().filter(|decided| {
        decided.approved
            && decided.proposal == plan.proposal_id.as_str()
            && !machines.contains(&Some(decided.by.clone()))
    });
    let Some(decided) = found else {
        scene.broken(format!("I2: {} landed without a decision of a person that stands", promotion.id));
        return;
    };
    let saw = decided.saw.clone();
    for change in &plan.changes {
        let seen = saw.get(change.field.as_str()).cloned().unwrap_or(FieldValue::Null);
        if seen != change.before {
            scene.broken(format!("I3: {} replaced {}, the approver saw {seen}", promotion.id, change.before));
        }
        let lane = names::SHIPPED.iter().find_map(|contract| contract.lane(change.field.as_str()));
        let proposed = lane.and_then(|lane| saw.get(lane.proposed)).cloned().unwrap_or(FieldValue::Null);
        if proposed != change.after {
            scene.broken(format!("I2: {} wrote {}, approved was {proposed}", promotion.id, change.after));
        }
    }
}

/// The ledger's last word is what the org did.
fn final_words(scene: &mut Scene, promotions: &[Promotion]) {
    let landed: BTreeSet<String> = scene.log.landings.iter().map(|landing| landing.mark.clone()).collect();
    for promotion in promotions {
        let id = promotion.id.as_str();
        let (did, void) = (landed.contains(id), landed.contains(promotion.id.void_mark().as_str()));
        let state = promotion.settlement.name();
        match &promotion.settlement {
            Settlement::Done if did && !void => {}
            // That a record is gone says nothing of what landed before.
            Settlement::Gone => {}
            Settlement::Stale { .. } | Settlement::Refused { .. } if !did => {}
            _ => scene.broken(format!("I4: {id} is {state}; landed: {did}, closed by a void: {void}")),
        }
    }
}

/// What stands in the org is known, and nothing waits for a daemon that has nothing to do.
async fn nothing_waits(run: &Run, ledger: &Ledger) {
    let rows = run.scene.lock().log.rows.clone();
    let refused: BTreeSet<String> = entries(ledger)
        .await
        .iter()
        .filter(|entry| entry.kind == "submission_refused")
        .filter_map(|entry| entry.event["proposal_id"].as_str().map(str::to_owned))
        .collect();
    for ((object, record), row) in rows {
        let pending = row.get(names::PENDING).is_some_and(FieldValue::as_bool);
        let Some(id) = row.get(names::PROPOSAL_ID).and_then(FieldValue::as_text) else { continue };
        if row.get("IsConverted").is_some_and(FieldValue::as_bool) {
            continue;
        }
        let parsed = ProposalId::parse(id).expect("an id of ours");
        let known = ledger.proposal(&parsed).await.expect("the ledger can be read");
        match known {
            None if !refused.contains(id) => {
                run.scene
                    .lock()
                    .broken(format!("I5: {id} stands on {object} {record} and is not in the ledger"));
            }
            Some(known) if pending && known.stage != Stage::AwaitingApproval => {
                let codes = known.verdict.as_ref().map(|verdict| {
                    let findings = verdict["findings"].as_array().cloned().unwrap_or_default();
                    let codes = findings.iter().filter_map(|finding| finding["code"].as_str());
                    codes.collect::<Vec<_>>().join(", ")
                });
                let stage = format!("{} ({})", known.stage.name(), codes.unwrap_or_default());
                run.scene.lock().broken(format!("L1: {id} on {object} {record} waits, and is {stage}"));
            }
            _ => {}
        }
    }
}
