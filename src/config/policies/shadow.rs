//! What must hold for the table `[shadow]`: times, sample and shares that can be.

use rust_decimal::Decimal;

use super::{
    narrowing::condition,
    reader::{Reader, Section},
};
use crate::{
    domain::{
        ObjectPolicy,
        shadow::{GENERAL, UNTOLD},
    },
    gate::limits::days,
};

/// Largest sample that may be asked for.
const MOST_SAMPLE: u32 = 100_000;

/// Numbers in range, segments about known fields, one name each.
pub fn object(reader: &mut Reader<'_>, section: &Section<'_>, policy: &ObjectPolicy) {
    let Some(rule) = &policy.shadow else { return };
    let mut wrong = |code, message: String, fix: &str| {
        reader.problem(Some(section.span("shadow")), &section.key("shadow"), code, (message, fix.to_owned()));
    };
    for (key, number) in [("label_days", rule.label_days), ("window_days", rule.window_days)] {
        if days(number).is_none() {
            wrong("policy-range", format!("{key} is {number}"), "use whole days, from 0 to ten years' worth");
        }
    }
    let sample = rule.min_sample;
    if !sample.is_integer() || sample < Decimal::ONE || sample > MOST_SAMPLE.into() {
        wrong("policy-range", format!("min_sample is {sample}"), "use a whole number from 1 to 100000");
    }
    let shares = [
        ("promote_from", rule.promote_from),
        ("step_back_below", rule.step_back_below),
        ("max_reversals", rule.max_reversals),
    ];
    for (key, share) in shares {
        if !(Decimal::ZERO..=Decimal::ONE).contains(&share) {
            wrong("policy-range", format!("{key} is {share}"), "use a share from 0 to 1");
        }
    }
    if rule.step_back_below > rule.promote_from {
        let message = format!(
            "a lane may act from {} on and would step back below {}",
            rule.promote_from, rule.step_back_below
        );
        wrong("policy-contradiction", message, "let `step_back_below` be at most `promote_from`");
    }
    for (place, part) in rule.segments.iter().enumerate() {
        let twice = rule.segments.iter().take(place).any(|other| other.name == part.name);
        if twice || [GENERAL, UNTOLD].contains(&part.name.as_str()) {
            let message = format!("the segment name \"{}\" is taken", part.name);
            wrong("policy-contradiction", message, "give each segment a name of its own");
        }
    }
    for part in &rule.segments {
        condition(reader, section, ("shadow", &part.when), policy);
    }
}
