//! The two long events, made ready without building what they hold: their text is put together from
//! the pieces that the entry and its private parts have.
//!
//! Whoever calls has looked that every piece is canonical. What does not fit here is left to the
//! general way, which finds what is wrong.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::step::{Step, fixed, print};
use crate::domain::{Door, Proposal, ProposalId, Stage};

/// The pieces of an object by key. Keys are read as they are written: one with an escape is refused.
type Pieces<'a> = BTreeMap<&'a str, &'a RawValue>;

#[derive(Deserialize)]
struct Received<'a> {
    #[serde(borrow)]
    proposal: Pieces<'a>,
}

#[derive(Deserialize)]
struct Verdict<'a> {
    proposal_id: ProposalId,
    stage: Stage,
    #[serde(borrow)]
    verdict: Pieces<'a>,
}

/// The event, when it is one of the two and its pieces fit.
pub(super) fn step(
    seq: u64,
    (kind, event): (&str, &RawValue),
    parts: &[(&str, Cow<'_, str>)],
) -> Option<Step> {
    match kind {
        "proposal_received" => {
            let Received { proposal } = serde_json::from_str(event.get()).ok()?;
            let body = joined(&proposal, "/proposal/", parts)?;
            let proposal: Proposal = serde_json::from_str(&body).ok()?;
            let fixed = fixed(&proposal, (seq, body.as_str()));
            let landed = proposal.door == Door::Record;
            Some(Step::Received { id: proposal.id.to_string(), fixed, landed })
        }
        "verdict_reached" => {
            let Verdict { proposal_id, stage, verdict } = serde_json::from_str(event.get()).ok()?;
            let text = print(&joined(&verdict, "/verdict/", parts)?);
            Some(Step::Verdict { id: proposal_id.to_string(), stage, text })
        }
        _ => None,
    }
}

/// The canonical text of the object at `below`, with the parts that belong into it. What a verdict
/// rested on stands beside it and is left out.
fn joined(pieces: &Pieces<'_>, below: &str, parts: &[(&str, Cow<'_, str>)]) -> Option<String> {
    let mut all: BTreeMap<&str, &str> = pieces.iter().map(|(key, piece)| (*key, piece.get())).collect();
    for (path, text) in parts.iter().filter(|(path, _)| *path != "/input") {
        all.insert(path.strip_prefix(below)?, text);
    }
    // In ASCII, the order of bytes is the order of keys; a slash would lead further down.
    if all.keys().any(|key| !key.is_ascii() || key.contains(['/', '~'])) {
        return None;
    }
    let length: usize = all.iter().map(|(key, text)| key.len() + text.len() + 4).sum();
    let mut out = String::with_capacity(length + 2);
    for (key, text) in all {
        out.push(if out.is_empty() { '{' } else { ',' });
        out.extend(["\"", key, "\":", text]);
    }
    out.push('}');
    Some(out)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        domain::{digest::canonical, event::Event},
        ledger::tests::proposal,
    };

    fn with(object: &str, parts: &[(&str, &str)]) -> Option<String> {
        let parts: Vec<_> = parts.iter().map(|(path, text)| (*path, Cow::Borrowed(*text))).collect();
        joined(&serde_json::from_str(object).unwrap(), "/verdict/", &parts)
    }

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
        let found = step(7, (event.kind(), serde_json::from_str(&text).unwrap()), &parts);
        (found, Step::of(7, event))
    }

    #[test]
    fn both_long_events_come_out_as_in_the_general_way() {
        let verdict =
            json!({ "outcome": "block", "findings": [{ "code": "c", "words": "a\"é" }], "facts": {} });
        for event in [
            Event::ProposalReceived { proposal: proposal("p-1") },
            Event::VerdictReached {
                proposal_id: ProposalId::parse("p-1").unwrap(),
                stage: Stage::Refused,
                verdict,
                input: Some(json!({ "now": "2026-05-20T12:00:00Z" })),
            },
        ] {
            let (found, general) = both(event);
            assert_eq!(found, Some(general));
        }
        let other = Event::PromotionsSent { promotions: Vec::new() };
        assert_eq!(both(other).0, None);
    }

    #[test]
    fn parts_stand_in_the_order_of_their_keys() {
        let parts = [("/input", "{}"), ("/verdict/b", "[]"), ("/verdict/facts", r#"{"x":"1"}"#)];
        let text = with(r#"{"a":"1","outcome":"block"}"#, &parts);
        assert_eq!(text.as_deref(), Some(r#"{"a":"1","b":[],"facts":{"x":"1"},"outcome":"block"}"#));
    }

    #[test]
    fn what_lies_elsewhere_or_deeper_is_left_to_the_general_way() {
        assert_eq!(with("{}", &[("/verdict/plan/changes", "[]")]), None);
        assert_eq!(with("{}", &[("/other", "[]")]), None);
        assert_eq!(with(r#"{"é":"1"}"#, &[]), None);
        assert!(serde_json::from_str::<Pieces<'_>>(r#"{"\n":"1"}"#).is_err());
    }
}
