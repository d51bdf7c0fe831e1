//! What a change does to the weighted forecast: amount times the probability of the stage.
//!
//! The probability is the stage's default one. A record may carry another one until its stage
//! changes; Salesforce then sets the default again.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use crate::{
    domain::{FieldName, FieldValue},
    gate::input::Input,
};

/// Weighted amounts, in the record's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// Now.
    pub before: Decimal,
    /// With the change.
    pub after: Decimal,
    /// After minus before.
    pub delta: Decimal,
}

impl Forecast {
    /// In words: before, after and the move with its sign.
    pub fn words(&self) -> String {
        let sign = if self.delta.is_sign_positive() { "+" } else { "" };
        format!(
            "{} -> {} ({sign}{}), by the stages' default probabilities",
            self.before, self.after, self.delta
        )
    }
}

/// The move of the weighted amount; `None` where it does not move, or nobody can say.
/// `probabilities` are percent by stage.
pub fn weighted(input: &Input<'_>, probabilities: &BTreeMap<String, Decimal>) -> Option<Forecast> {
    let now = |name: &str| input.record.fields.iter().find(|(field, _)| field.as_str() == name);
    let then = |name: &str| input.proposal.patch.iter().find(|(field, _)| field.as_str() == name);
    type Entry<'a> = (&'a FieldName, &'a FieldValue);
    let product = |amount: Entry<'_>, stage: Entry<'_>| {
        let amount = match amount.1 {
            FieldValue::Null => Decimal::ZERO,
            value => value.as_decimal()?,
        };
        let share = probabilities.get(stage.1.as_text()?)?.checked_div(Decimal::ONE_HUNDRED)?;
        Some(amount.checked_mul(share)?.normalize())
    };
    let (amount, stage) = (now("Amount")?, now("StageName")?);
    let before = product(amount, stage)?;
    let after = product(then("Amount").unwrap_or(amount), then("StageName").unwrap_or(stage))?;
    let delta = after.checked_sub(before)?.normalize();
    (!delta.is_zero()).then_some(Forecast { before, after, delta })
}
