//! May anybody propose a change of this field?
//!
//! # Refuses
//! - `field-read-only`: the field's tier is `read_only`.
//! - `field-blocked`: the field's tier is `never` and its path is `block_and_alert`.
//!
//! # Why
//! Some fields are there for an agent to read and not to argue about. A proposal for a
//! blocked field says that something is wrong with the agent, so it raises an alert.
//!
//! # Evidence used
//! The policy's tier and path of each proposed field.
//!
//! # How to fix
//! - `field-read-only`: leave the field out, or raise its tier in the policy.
//! - `field-blocked`: find out why the agent proposed it; leave the field out.
//!
//! # Setting
//! `tier` and `path` of the field in `config/policies/*.toml`.

use crate::{
    domain::{Path, Tier},
    gate::{
        finding::{FindingCode, Findings},
        input::Input,
    },
};

/// Refuses what the tier rules out.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    for (field, rules, _) in input.governed() {
        match (rules.tier, rules.path) {
            (Tier::ReadOnly, _) => findings.add_field(
                FindingCode::FieldReadOnly,
                field,
                format!("{field} may be read and not proposed"),
                "leaving the field out",
            ),
            (Tier::Never, Path::BlockAndAlert) => findings.add_field(
                FindingCode::FieldBlocked,
                field,
                format!("no proposal may change {field}"),
                "leaving the field out",
            ),
            _ => {}
        }
    }
}
