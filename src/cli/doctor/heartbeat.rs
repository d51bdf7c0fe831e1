//! The heartbeat: may it be written, does the org ask for one, and how old is it?
//!
//! An org that asks (`Silent_Hours__c`) and hears nothing refuses whatever would run by itself. One that does
//! not ask lets it go on while nobody watches.

use jiff::SignedDuration;

use super::Report;
use crate::{
    clock::Clock,
    domain::RecordId,
    salesforce::{
        Reader, SalesforceError,
        names::{
            ObjectContract,
            heartbeat::{AT, OBJECT},
            setting,
        },
    },
};

const AREA: &str = "heartbeat";
const DEPLOY: &str =
    "deploy salesforce-metadata (objects/User, permissionsets): AI_Promoter gives Edit on the field";
/// So many heartbeats must fit into the time that the org takes, so that some may be lost.
const MOST_LOST: i32 = 3;
/// The rule takes no time that is further ahead.
const AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// Looks at all of it. `every`: minutes between two heartbeats, where they are sent.
pub async fn examine(
    reader: &Reader,
    (own, every, governed): (&RecordId, Option<u64>, &[&'static ObjectContract]),
    clock: &Clock,
    report: &mut Report,
) {
    let every =
        every.map(|minutes| SignedDuration::from_mins(i64::try_from(minutes).unwrap_or(i64::MAX / 60)));
    let before = report.checks.len();
    let silent = match look(reader, (every, governed), report).await {
        Ok(silent) => silent,
        Err(error) => return report.salesforce(AREA, &error),
    };
    if silent.is_none() && every.is_none() {
        return;
    }
    let heard = match reader.heard_at(own).await {
        Ok(heard) => heard,
        Err(error) if error.salesforce_code() == Some("INVALID_FIELD") => return,
        Err(error) => return report.salesforce(AREA, &error),
    };
    let Some(heard) = heard else {
        let message = "the org has never heard of the daemon";
        return report.warning(
            AREA,
            "heartbeat-none",
            message,
            "start the daemon with heartbeat.every_minutes set",
        );
    };
    let age = clock.now().duration_since(heard);
    let told = format!("the last heartbeat is of {heard}, {} min ago", age.as_mins());
    let fix = "see that the daemon runs and leads (/readyz) and what its log says of heartbeat-refused";
    if age < -AHEAD {
        report.failed(
            AREA,
            "heartbeat-ahead",
            &format!("{told}: the rules take it for none"),
            "correct the daemon's clock",
        );
    } else if silent.is_some_and(|silent| age >= silent) {
        let message = format!("{told}: the org refuses what would run by itself (AI_GATE_23)");
        report.warning(AREA, "heartbeat-old", &message, fix);
    } else if every.is_some_and(|every| age > every * MOST_LOST) {
        report.warning(AREA, "heartbeat-late", &format!("{told}, and {MOST_LOST} were due since"), fix);
    } else if report.checks.len() == before {
        report.ok(AREA, "heartbeat", &told);
    }
}

/// The field, and what the org asks: gives how long a silence it takes.
async fn look(
    reader: &Reader,
    (every, governed): (Option<SignedDuration>, &[&'static ObjectContract]),
    report: &mut Report,
) -> Result<Option<SignedDuration>, SalesforceError> {
    let silent = reader.silent_after().await?;
    if every.is_some() || silent.is_some() {
        let described = reader.describe_all(OBJECT).await?;
        let message = match described.fields.get(AT).map(|field| field.updateable) {
            Some(true) => None,
            Some(false) => Some(format!("the promoter may not write {OBJECT}.{AT} of its own user")),
            None => Some(format!("{OBJECT}.{AT} does not exist or is hidden from the promoter")),
        };
        if let Some(message) = message {
            report.failed(AREA, "heartbeat-not-writable", &message, DEPLOY);
        }
    }
    let field = setting::SILENT_HOURS;
    let settings = "Setup > Custom Metadata Types > AI Gate Setting > Manage Records > Default";
    match (every, silent) {
        (None, Some(silent)) => {
            let message = format!(
                "{field} is set ({} min) and no heartbeat is sent: the org refuses what would run by itself",
                silent.as_mins()
            );
            let fix = format!("set heartbeat.every_minutes, or empty {field} in {settings}");
            report.failed(AREA, "heartbeat-off", &message, &fix);
        }
        (Some(_), None) => {
            let message = format!("heartbeats are sent and {field} is empty: nothing asks for them");
            report.warning(
                AREA,
                "silent-hours-unset",
                &message,
                &format!("set {field} in {settings}, for example to 24"),
            );
        }
        (Some(every), Some(silent)) if every * MOST_LOST > silent => {
            let message = format!(
                "a heartbeat each {} min is too seldom for {field} of {} min: {MOST_LOST} of them must fit",
                every.as_mins(),
                silent.as_mins()
            );
            report.warning(AREA, "heartbeat-seldom", &message, "set heartbeat.every_minutes lower");
        }
        (None, None) => {
            let switched = reader.automatic_lanes(governed).await?;
            if !switched.is_empty() {
                let message = format!(
                    "{} may run by itself, and goes on when the daemon comes back after any silence: {field} is empty",
                    switched.join(", ")
                );
                let fix =
                    format!("set heartbeat.every_minutes, see that it works, then set {field} in {settings}");
                report.warning(AREA, "silent-hours-unset", &message, &fix);
            }
        }
        _ => {}
    }
    Ok(silent)
}
