//! Does the lane act, or only record?
//!
//! # Refuses
//! - `shadow-mode`: the lane is in shadow mode, so the verdict is kept and nothing is asked
//!   or written. The fact `would_be` holds the outcome that it would have had.
//! - `shadow-act-ended`: people let the agent's lane act, and the day that they named has passed.
//! - `shadow-stepped-back`: the agent's lane acted, and stepped back because its precision or
//!   what was put back turned bad, or because a person took it back.
//!
//! # Why
//! A new lane earns trust by being compared with what people do, before it may act. Trust has an
//! end, and is lost by itself and given by people only. One field in shadow keeps the whole
//! proposal from acting: a part of it would be another change than the one proposed.
//!
//! # Evidence used
//! The policy's mode of each proposed field, and the newest `lane_moved` entry of the ledger for
//! the field and the agent (and its version, where the entry names one).
//!
//! # How to fix
//! - `shadow-mode`: `countersign shadow report` tells how the lane does. Let it act with
//!   `countersign shadow promote`, until a day, or set the mode to `live` for every agent.
//! - `shadow-act-ended`: look at the report again, and let it act until a later day.
//! - `shadow-stepped-back`: the entry holds the numbers. When the cause is gone, let it act again;
//!   labels from before that no longer count against it.
//!
//! # Setting
//! `mode` of the field and the table `[shadow]` in `config/policies/*.toml`.

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
    for (field, ..) in input.governed().filter(|(field, rules, _)| !input.is_live(field, rules)) {
        let agent = &input.proposal.actor.agent;
        let (code, words, wanted) = match input.lane(field) {
            None => {
                (FindingCode::ShadowMode, format!("{field} is in shadow mode"), "mode `live` in the policy")
            }
            Some(lane) => match lane.until {
                Some(until) => {
                    let words = format!("{} let {field} of {agent} act until {until}", lane.by);
                    (FindingCode::ShadowActEnded, words, "a person who lets it act until a later day")
                }
                None => {
                    let words = format!("{field} of {agent} stepped back at {}, by {}", lane.at, lane.by);
                    (FindingCode::ShadowSteppedBack, words, "a person who lets it act again")
                }
            },
        };
        findings.add_field(code, field, words, wanted);
    }
}
