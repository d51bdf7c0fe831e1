//! Do people hold the record?
//!
//! # Refuses
//! - `manual-override`: a person has put the record on hold, and the last day of it has not
//!   passed.
//!
//! # Why
//! Somebody who works on a record by hand must be able to say: not now. The hold ends by
//! itself, so that nobody has to remember it. What was proposed or approved meanwhile is
//! refused and not kept, because it rests on a record that a person is about to change.
//!
//! # Evidence used
//! `AI_Hold_Until__c` and `AI_Hold_Reason__c` as they were read with the record, and now. The
//! day counts until it has ended everywhere on earth: the org goes by its user's time zone, and
//! the gate must not be earlier.
//!
//! # How to fix
//! - `manual-override`: wait until the day has passed, or have a person empty
//!   `AI_Hold_Until__c`; then propose again.
//!
//! # Setting
//! None; the org's rule `AI_GATE_16` refuses the same. Rollbacks are not held.

use jiff::{SignedDuration, tz::TimeZone};

use crate::gate::{
    finding::{FindingCode, Findings},
    input::Input,
};

/// A day begins and ends last twelve hours west of Greenwich.
const LAST_ZONE: SignedDuration = SignedDuration::from_hours(12);

/// Refuses while a hold lasts.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    let Some(hold) = &input.record.hold else { return };
    let earliest_today = input.now.checked_sub(LAST_ZONE).unwrap_or(input.now).to_zoned(TimeZone::UTC).date();
    if hold.until < earliest_today {
        return;
    }
    let why = hold.reason.as_ref().map_or("no reason is given".to_owned(), |reason| format!("\"{reason}\""));
    findings.add(
        FindingCode::ManualOverride,
        format!("people hold the record until {}: {why}", hold.until),
        format!("the end of the hold, after {}", hold.until),
    );
}
