//! Does the lane act, or only record?
//!
//! # Refuses
//! - `shadow-mode`: the lane is in shadow mode, so the verdict is kept and nothing is asked
//!   or written. The fact `would_be` holds the outcome that it would have had.
//!
//! # Why
//! A new lane earns trust by being compared with what people do, before it may act. One
//! field in shadow mode keeps the whole proposal from acting: a part of it would be another
//! change than the one proposed.
//!
//! # Evidence used
//! The policy's mode of each proposed field.
//!
//! # How to fix
//! - `shadow-mode`: compare the recorded verdicts with what people did, then set the mode
//!   to `live`.
//!
//! # Setting
//! `mode` of the field in `config/policies/*.toml`.

use crate::{
    domain::Mode,
    gate::{
        finding::{FindingCode, Findings},
        input::Input,
    },
};

/// Reports lanes that only record.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    if let Some(rule) = input.create_rule().filter(|rule| rule.mode == Mode::Shadow) {
        findings.add(
            FindingCode::ShadowMode,
            format!("the rule `{}` is in shadow mode", rule.name),
            "mode `live` in the policy",
        );
    }
    for (field, rules, _) in input.governed() {
        if rules.mode == Mode::Shadow {
            findings.add_field(
                FindingCode::ShadowMode,
                field,
                format!("{field} is in shadow mode"),
                "mode `live` in the policy",
            );
        }
    }
}
