//! Is the model sure enough to be heard?
//!
//! # Refuses
//! - `confidence-out-of-range`: the confidence is not between 0 and 1.
//! - `confidence-missing`: said for the reader, refuses nothing: the policy asks for a least
//!   confidence and none was given. Such a change never runs by itself.
//! - `confidence-too-low`: the confidence is below the policy's least.
//!
//! # Why
//! People stop reading a queue that is full of guesses. Below the least confidence a
//! proposal is recorded and not shown. A proposal without a confidence is for a person to
//! weigh: only a number can say that it is a guess.
//!
//! # Evidence used
//! The proposal's confidence, as a decimal; the least of each proposed field.
//!
//! # How to fix
//! - `confidence-out-of-range`: send a share, for example `0.85` and not `85`.
//! - `confidence-missing`: have a person decide, or send the model's confidence.
//! - `confidence-too-low`: propose again with more evidence.
//!
//! # Setting
//! `min_confidence` of the field in `config/policies/*.toml`.

use rust_decimal::Decimal;

use crate::gate::{
    finding::{FindingCode, Findings},
    input::Input,
};

/// Refuses what is too uncertain.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    let given = input.proposal.confidence;
    if let Some(confidence) = given
        && !(Decimal::ZERO..=Decimal::ONE).contains(&confidence)
    {
        findings.add(
            FindingCode::ConfidenceOutOfRange,
            format!("the confidence is {confidence}"),
            "a confidence from 0 to 1",
        );
        return;
    }
    for (field, rules, _) in input.governed() {
        let Some(least) = rules.min_confidence else { continue };
        let would_change = format!("confidence of at least {least}");
        match given {
            None => findings.add_field(
                FindingCode::ConfidenceMissing,
                field,
                format!("no confidence was given, and {field} asks for at least {least}; a person weighs it"),
                "nothing: this is for the reader".to_owned(),
            ),
            Some(confidence) if confidence < least => findings.add_field(
                FindingCode::ConfidenceTooLow,
                field,
                format!("confidence {confidence} is below {least}, the least for {field}"),
                would_change,
            ),
            Some(_) => {}
        }
    }
}
