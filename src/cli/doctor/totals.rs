//! The place in the org for the totals of runs: there, open for adding, closed for changes.

use super::Report;
use crate::salesforce::{Class, Reader, names::total};

const AREA: &str = "totals";

/// Looks at it. An org without it goes without.
pub async fn examine(reader: &Reader, report: &mut Report) {
    let deploy = "deploy salesforce-metadata (objects, permissionsets, reportTypes, reports)";
    let object = total::OBJECT;
    let described = match reader.describe_all(object).await {
        Ok(described) => described,
        Err(error) if error.class() == Class::Gone => {
            let message = format!(
                "there is no object {object}, or the promoter does not see it: the org's reports get no totals of runs"
            );
            return report.warning(AREA, "totals-off", &message, deploy);
        }
        Err(error) => return report.salesforce(AREA, &error),
    };
    let fills = |field: &str| described.fields.get(field).is_some_and(|known| known.createable);
    let hidden: Vec<&str> = total::FIELDS.into_iter().filter(|field| !fills(field)).collect();
    if !described.createable || !hidden.is_empty() {
        let what = match described.createable {
            true => format!("the right to fill {}", hidden.join(", ")),
            false => "the right to create records".to_owned(),
        };
        let message =
            format!("the promoter lacks {what} on {object}: totals of runs are not kept in the org");
        report.warning(AREA, "totals-hidden", &message, deploy);
    }
    let key_is_unique = described.fields.get(total::KEY).is_none_or(|key| key.unique);
    if !key_is_unique {
        let message =
            format!("{object}.{} is not unique: a total that is sent twice may stand twice", total::KEY);
        report.failed(AREA, "totals-key-not-unique", &message, deploy);
    }
    if described.updateable || described.deletable {
        let message = format!("the promoter may change or delete records of {object}");
        let fix = "Setup > Permission Sets and Profiles > Object Settings > AI Run Totals: Read, Create and View All, \
                   nothing else";
        report.failed(AREA, "totals-can-be-changed", &message, fix);
    } else if described.createable && hidden.is_empty() && key_is_unique {
        report.ok(AREA, "totals", &format!("totals of runs can be added to {object}, and not changed"));
    }
}
