//! The events that a ledger has most of, made ready without a tree of what they hold: their text is put
//! together from the pieces that the entry and its private parts have.
//!
//! Whoever calls has looked that every piece is canonical. What does not fit here is left to the general way,
//! which finds what is wrong.

use serde::de::DeserializeOwned;

use super::{
    kept::Kept,
    pieces::{Members, Part, Pieces},
    step::{Step, fixed, print},
};
use crate::domain::{Approval, Door, Promotion, Proposal, ProposalId, event::Event};

/// The members of an event down to those of a promotion's plan.
pub(super) const LEVELS: usize = 3;

/// The event, when it is of this kind, which is one of those, and its pieces fit.
pub(super) fn step(seq: u64, (kind, event): (&str, Members<'_, '_>), parts: &[Part<'_>]) -> Option<Step> {
    if event.get("kind")?.plain()? != kind {
        return None;
    }
    match kind {
        "proposal_received" => received(seq, event, parts),
        "verdict_reached" => verdict(event, parts),
        "decision_observed" => observed(event, parts),
        "promotion_intended" => intended(event, parts),
        "promotion_settled" if parts.is_empty() => settled(event),
        "promotion_confirmed" if parts.is_empty() => confirmed(event),
        _ => None,
    }
}

/// What stands at a key.
fn at<T: DeserializeOwned>(event: Members<'_, '_>, key: &str) -> Option<T> {
    serde_json::from_str(event.get(key)?.text).ok()
}

fn received(seq: u64, event: Members<'_, '_>, parts: &[Part<'_>]) -> Option<Step> {
    let body = Pieces::from(event.below("proposal")?).with("/proposal/", parts)?;
    let proposal: Proposal = serde_json::from_str(&body).ok()?;
    let fixed = fixed(&proposal, (seq, body.as_str()));
    let landed = proposal.door == Door::Record;
    Some(Step::Received { id: proposal.id.to_string(), fixed, landed })
}

fn verdict(event: Members<'_, '_>, parts: &[Part<'_>]) -> Option<Step> {
    let id: ProposalId = at(event, "proposal_id")?;
    // What a verdict rested on stands beside it.
    let parts: Vec<_> = parts.iter().filter(|(path, _)| *path != "/input").cloned().collect();
    let text = print(&Pieces::from(event.below("verdict")?).with("/verdict/", &parts)?);
    Some(Step::Verdict { id: id.to_string(), stage: at(event, "stage")?, text })
}

fn observed(event: Members<'_, '_>, parts: &[Part<'_>]) -> Option<Step> {
    let text = Pieces::from(event.below("approval")?).with("/approval/", parts)?;
    let approval: Approval = serde_json::from_str(&text).ok()?;
    Some(Step::Approval { id: approval.proposal_id.to_string(), text: print(&text) })
}

fn intended(event: Members<'_, '_>, parts: &[Part<'_>]) -> Option<Step> {
    let promotion = event.below("promotion")?;
    let plan = Pieces::from(promotion.below("plan")?).with("/promotion/plan/", parts)?;
    let pieces = Pieces::from(promotion).instead("plan", &plan)?;
    let promotion: Promotion = serde_json::from_str(&pieces.with("/promotion/", &[])?).ok()?;
    let id = promotion.id.to_string();
    Some(Step::Intended { id, kept: Box::new(Kept::of(promotion, &pieces)) })
}

fn settled(event: Members<'_, '_>) -> Option<Step> {
    let (promotion, settlement) = (at(event, "promotion")?, at(event, "settlement")?);
    Some(Step::Other(Box::new(Event::PromotionSettled { promotion, settlement })))
}

fn confirmed(event: Members<'_, '_>) -> Option<Step> {
    let (promotion, proof) = (at(event, "promotion")?, at(event, "proof")?);
    Some(Step::Other(Box::new(Event::PromotionConfirmed { promotion, proof })))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use std::{borrow::Cow, collections::BTreeMap};

    use super::*;
    use crate::{
        domain::{
            Decision, Digest, PromotionId, Settlement, Stage, canonical_text::members, digest::canonical,
        },
        ledger::tests::{promotion, proposal},
    };

    /// What comes of an event as it is stored, and what the general way makes of it.
    fn both(event: Event) -> (Option<Step>, Step) {
        let mut public = serde_json::to_value(&event).unwrap();
        let mut parts = Vec::new();
        for path in event.private_paths() {
            let (parent, key) = path.rsplit_once('/').unwrap();
            let map = public.pointer_mut(parent).and_then(Value::as_object_mut);
            if let Some(value) = map.and_then(|map| map.remove(key)) {
                parts.push((*path, Cow::Owned(canonical(&value).unwrap())));
            }
        }
        let text = canonical(&public).unwrap();
        let members = members(&text, LEVELS).unwrap();
        let found = step(7, (event.kind(), Members(&members)), &parts);
        (found, Step::of(7, event))
    }

    fn settled_as(settlement: Settlement) -> Event {
        Event::PromotionSettled { promotion: PromotionId::new("m-1"), settlement }
    }

    #[test]
    fn they_come_out_as_in_the_general_way() {
        let verdict =
            json!({ "outcome": "block", "findings": [{ "code": "c", "words": "a\"é" }], "facts": {} });
        let approval = |comments: Option<&str>| Approval {
            proposal_id: ProposalId::parse("p-1").unwrap(),
            decision: Decision::Approved,
            decided_by: proposal("p-1").record,
            decided_at: jiff::Timestamp::UNIX_EPOCH,
            patch_digest: Digest::of_bytes(b"patch"),
            comments: comments.map(str::to_owned),
        };
        let mut undo = promotion("m-2", "p-1");
        undo.undoes = Some(PromotionId::new("m-1"));
        for event in [
            Event::ProposalReceived { proposal: proposal("p-1") },
            Event::VerdictReached {
                proposal_id: ProposalId::parse("p-1").unwrap(),
                stage: Stage::Refused,
                verdict,
                input: Some(json!({ "now": "2026-05-20T12:00:00Z" })),
            },
            Event::DecisionObserved { approval: approval(None) },
            Event::DecisionObserved { approval: approval(Some("looks \"right\"")) },
            Event::PromotionIntended { promotion: promotion("m-1", "p-1") },
            Event::PromotionIntended { promotion: undo },
            settled_as(Settlement::Done),
            Event::PromotionConfirmed {
                promotion: PromotionId::new("m-1"),
                proof: BTreeMap::from([("by".to_owned(), "echo".to_owned())]),
            },
        ] {
            let (found, general) = both(event);
            assert_eq!(found, Some(general));
        }
    }

    #[test]
    fn others_and_what_says_another_kind_are_left_to_the_general_way() {
        assert_eq!(both(Event::PromotionsSent { promotions: Vec::new() }).0, None);
        assert_eq!(both(settled_as(Settlement::Stale { reason: "moved".to_owned() })).0, None);
        let parts = [("/text", Cow::Borrowed("\"x\""))];
        for event in [
            settled_as(Settlement::Done),
            Event::PromotionConfirmed { promotion: PromotionId::new("m-1"), proof: BTreeMap::new() },
        ] {
            let text = canonical(&event).unwrap();
            let is_read = |kind: &str, text: &str, parts: &[Part<'_>]| {
                step(7, (kind, Members(&members(text, LEVELS).unwrap())), parts).is_some()
            };
            assert!(is_read(event.kind(), &text, &[]));
            assert!(!is_read(event.kind(), &text, &parts), "a part that belongs nowhere");
            let other = text.replace(event.kind(), "started");
            assert!(!is_read(event.kind(), &other, &[]), "{other}");
        }
    }
}
