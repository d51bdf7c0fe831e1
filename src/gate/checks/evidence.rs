//! Does it rest on enough?
//!
//! # Refuses
//! - `evidence-missing`: there is less evidence than the policy demands.
//! - `evidence-thin`: there is less evidence than the policy asks for, so a person must look.
//!
//! # Why
//! A confident guess is still a guess. Evidence is what a person can follow up later.
//!
//! # Evidence used
//! The proposal's pieces of evidence and the signals of the record (`countersign signal`): their
//! kind and time. A piece counts when its kind is asked for, it has happened, and it is not too old
//! now; the same thing told twice is one. Words in the proposal's reason or in the record's
//! evidence field are no pieces.
//!
//! # How to fix
//! - `evidence-missing`: propose again with the signals behind it (`evidence` in the proposal).
//! - `evidence-thin`: have a person decide, or propose again with the signals behind it.
//!
//! # Setting
//! `[fields.NAME.evidence]` in `config/policies/*.toml`.

use rust_decimal::Decimal;

use crate::{
    domain::policy::{Consequence, EvidenceRule, Path},
    gate::{
        checks::approval::is_approved,
        finding::{FindingCode, Findings},
        input::Input,
        limits::minutes,
    },
};

/// Counts what each field asks for.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    for (field, rules, _) in input.governed() {
        let Some(rule) = &rules.evidence else { continue };
        let count = counting(input, rule);
        if Decimal::from(count) >= rule.at_least {
            continue;
        }
        let wanted = words(rule);
        let message = format!("{field} asks for {wanted}; {count} piece(s) count");
        // Where nobody may approve, asking for a person would never end.
        let blocks = rule.then == Consequence::Block || rules.path == Path::BlockAndAlert;
        if blocks {
            findings.add_field(FindingCode::EvidenceMissing, field, message, wanted);
        } else if !is_approved(input) {
            let would_change = format!("{wanted}, or a person's approval");
            findings.add_field(FindingCode::EvidenceThin, field, message, would_change);
        }
    }
}

fn counting(input: &Input<'_>, rule: &EvidenceRule) -> usize {
    let oldest = rule.max_age_minutes.map(minutes);
    let counts = |evidence: &&crate::domain::Evidence| {
        let kind = rule.kinds.is_empty() || rule.kinds.contains(&evidence.kind);
        let age = input.now.duration_since(evidence.occurred_at);
        let fresh = match oldest {
            None => true,
            Some(Some(oldest)) => age <= oldest,
            // The policy's number is none: nothing is fresh enough.
            Some(None) => false,
        };
        kind && fresh && evidence.occurred_at <= input.now
    };
    input.evidence().filter(counts).count()
}

fn words(rule: &EvidenceRule) -> String {
    let kinds = if rule.kinds.is_empty() { "any kind".to_owned() } else { rule.kinds.join(" or ") };
    let age = rule.max_age_minutes.map(|age| format!(", at most {age} minutes old")).unwrap_or_default();
    format!("at least {} piece(s) of evidence ({kinds}{age})", rule.at_least)
}
