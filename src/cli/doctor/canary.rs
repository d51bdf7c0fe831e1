//! Does the org refuse a write that comes too late? Tried as the promoter, on its newest record
//! of each object, with writes that are undone in any case (see [`trial`]).
//!
//! Two kinds of lateness: a promotion number that is used up, and a value that has moved since it
//! was read. Each of the trial writes breaks one rule, so the rule that speaks proves itself. All
//! but the mistake is a void write, which changes no governed field.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Report;
use crate::{
    domain::RecordId,
    salesforce::{
        GateRule, Reader, RowWrite, SalesforceError,
        names::{self, Lane, ObjectContract},
        trial::{self, Trial},
    },
};

/// The mark of the trial writes, should one ever be seen in a log of the org.
const MARK: &str = "void:doctor-canary";

/// Sends the trial writes for one object.
pub async fn examine(reader: &Reader, contract: &'static ObjectContract, report: &mut Report) {
    let area = format!("canary {}", contract.object);
    match try_all(reader, contract, (&area, report)).await {
        Ok(Some(count)) => {
            let message =
                format!("{count} late and stale writes were tried and refused; nothing was changed");
            report.ok(&area, "canary", &message);
        }
        Ok(None) => {}
        Err(error) => report.salesforce(&area, &error),
    }
}

/// How many trial writes were refused as they must be; `None` when something else was told.
async fn try_all(
    reader: &Reader,
    contract: &'static ObjectContract,
    (area, report): (&str, &mut Report),
) -> Result<Option<usize>, SalesforceError> {
    let open = contract.converted.map_or_else(String::new, |field| format!(" WHERE {field} = false"));
    let soql = format!("SELECT Id FROM {}{open} ORDER BY LastModifiedDate DESC LIMIT 1", contract.object);
    let rows = reader.query(&soql).await?;
    let Some(record) = rows.first().and_then(|row| RecordId::parse(row["Id"].as_str()?).ok()) else {
        let fix = format!("run doctor again when there is a {} that the promoter sees", contract.object);
        report.hidden(area, "canary-no-record", "there is no record to try a write on", &fix);
        return Ok(None);
    };
    let Some(reading) = reader.retrieve(contract, &[record]).await?.pop() else { return Ok(None) };
    let snapshot = &reading.snapshot;
    let mut refused = 0;
    let trials = trials(contract, snapshot.promotion_seq);
    let count = trials.len();
    for (what, rule, fields) in trials {
        let row = RowWrite { object: snapshot.object.clone(), record: snapshot.record.clone(), fields };
        match trial::try_write(reader.connection(), &row).await? {
            Trial::Refused { rule: Some(spoke), .. } if spoke == rule => refused += 1,
            Trial::Refused { code, rule: spoke } => {
                let who = spoke.map_or("no rule of ours", GateRule::code);
                let message = format!("{what} was refused, but by {code} ({who}) and not by {}", rule.code());
                report.warning(
                    area,
                    "canary-unclear",
                    &message,
                    "see what is special about the newest record, and run doctor again",
                );
            }
            Trial::LetThrough => {
                let message = format!("{what} would have been saved: {} does not hold it back", rule.code());
                let fix = format!(
                    "deploy salesforce-metadata; {} must be active in Setup > Object Manager > {} > Validation Rules, \
                     and the promoter must have AI_Promoter",
                    rule.code(),
                    contract.object
                );
                report.failed(area, "canary-let-through", &message, &fix);
            }
        }
    }
    Ok((refused == count).then_some(count))
}

type TrialWrite = (String, GateRule, BTreeMap<String, Value>);

/// What is tried on a record that carries this promotion number.
fn trials(contract: &'static ObjectContract, seq: u64) -> Vec<TrialWrite> {
    let base = |seq: u64| {
        BTreeMap::from([
            (names::PROMOTION_SEQ.to_owned(), json!(seq)),
            (names::LAST_PROMOTION_ID.to_owned(), json!(MARK)),
        ])
    };
    let mut trials =
        vec![("a write with a used promotion number".to_owned(), GateRule::PromotionNumber, base(seq))];
    for lane in contract.lanes {
        let mut fields = base(seq + 1);
        fields.insert(lane.previous.to_owned(), not_what_stands(lane));
        trials.push((format!("a write over another {}", lane.field), GateRule::ExpectedValue, fields));
    }
    trials
}

/// A value that no record carries.
fn not_what_stands(lane: &Lane) -> Value {
    match lane.field {
        "CloseDate" => json!("1901-02-03"),
        "Amount" => json!(-0.01),
        _ => json!("not what stands"),
    }
}
