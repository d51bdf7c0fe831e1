//! The place in the org for checkpoints of the ledger: there, open for adding, closed for changes.

use super::Report;
use crate::{
    config::Settings,
    salesforce::{Class, Reader, names::checkpoint},
};

const AREA: &str = "checkpoints";

/// Looks at it where checkpoints are written at all.
pub async fn examine(reader: &Reader, settings: &Settings, report: &mut Report) {
    let Some(set) = &settings.checkpoint else { return };
    if set.anchor_every_seconds == 0 {
        return;
    }
    let deploy = "deploy salesforce-metadata (objects, permissionsets)";
    let object = checkpoint::OBJECT;
    let described = match reader.describe_all(object).await {
        Ok(described) => described,
        Err(error) if error.class() == Class::Gone => {
            let message = format!(
                "there is no object {object}, or the promoter does not see it: checkpoints stand in the file only"
            );
            return report.warning(AREA, "anchors-off", &message, deploy);
        }
        Err(error) => return report.salesforce(AREA, &error),
    };
    let hidden: Vec<&str> =
        checkpoint::FIELDS.into_iter().filter(|field| !described.fields.contains_key(*field)).collect();
    let mut good = true;
    if !described.createable || !hidden.is_empty() {
        good = false;
        let what = match described.createable {
            true => format!("fields {}", hidden.join(", ")),
            false => "the right to create records".to_owned(),
        };
        let message = format!("the promoter lacks {what} on {object}: no checkpoint is kept in the org");
        report.warning(AREA, "anchors-hidden", &message, deploy);
    }
    if described.updateable || described.deletable {
        good = false;
        let message = format!("the promoter may change or delete records of {object}");
        let fix = "Setup > Permission Sets and Profiles > Object Settings > AI Checkpoints: Read, Create and View All, \
                   nothing else";
        report.failed(AREA, "anchors-can-be-changed", &message, fix);
    }
    if good {
        report.ok(AREA, "anchors", &format!("checkpoints can be added to {object}, and not changed"));
    }
}
