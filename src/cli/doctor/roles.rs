//! Who holds our permission sets, and what their profiles let them do besides.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Report,
    setup::{LEND, seen, text},
};
use crate::salesforce::{Reader, SalesforceError, names::permission, soql_text::literal};

/// Most users whose profiles are looked at in one query.
const MOST: usize = 200;

/// One active user with at least one of our permission sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holder {
    /// For people.
    pub username: String,
    /// Our sets.
    pub sets: BTreeSet<String>,
    /// Profile, where it is known.
    pub profile: Option<String>,
    /// The profile has Modify All Data.
    pub modifies_all: bool,
}

impl Holder {
    /// Whether the user holds this set.
    pub fn has(&self, set: &str) -> bool {
        self.sets.contains(set)
    }
}

/// Everybody with one of our sets, by user id; `None` when this identity sees only itself.
pub async fn holders(
    reader: &Reader,
    own: &str,
) -> Result<Option<BTreeMap<String, Holder>>, SalesforceError> {
    let sets = [permission::PROPOSER, permission::PROMOTER, permission::REVIEWER, permission::BREAK_GLASS];
    let names: Vec<String> = sets.iter().map(|set| literal(set)).collect();
    let soql = format!(
        "SELECT AssigneeId, Assignee.Username, PermissionSet.Name FROM PermissionSetAssignment \
         WHERE PermissionSet.Name IN ({}) AND Assignee.IsActive = true",
        names.join(", ")
    );
    let Some(rows) = seen(reader.query(&soql).await)? else { return Ok(None) };
    let mut holders: BTreeMap<String, Holder> = BTreeMap::new();
    for row in &rows {
        let within = |pointer: &str| row.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let holder = holders.entry(text(row, "AssigneeId").to_owned()).or_default();
        within("/Assignee/Username").clone_into(&mut holder.username);
        holder.sets.insert(within("/PermissionSet/Name").to_owned());
    }
    // Without View Setup and Configuration a user sees its own assignments and nobody else's.
    if holders.keys().all(|id| id == own) {
        return Ok(None);
    }
    profiles(reader, &mut holders).await?;
    Ok(Some(holders))
}

async fn profiles(reader: &Reader, holders: &mut BTreeMap<String, Holder>) -> Result<(), SalesforceError> {
    let ids: Vec<String> = holders.keys().map(|id| literal(id)).collect();
    for chunk in ids.chunks(MOST) {
        let soql = format!(
            "SELECT Id, Profile.Name, Profile.PermissionsModifyAllData FROM User WHERE Id IN ({})",
            chunk.join(", ")
        );
        for row in seen(reader.query(&soql).await)?.unwrap_or_default() {
            let Some(holder) = holders.get_mut(text(&row, "Id")) else { continue };
            holder.profile = row.pointer("/Profile/Name").and_then(Value::as_str).map(str::to_owned);
            let all = row.pointer("/Profile/PermissionsModifyAllData").and_then(Value::as_bool);
            holder.modifies_all = all.unwrap_or(false);
        }
    }
    Ok(())
}

/// Nobody holds two roles, somebody reviews, and who holds break-glass.
pub fn examine(holders: Option<&BTreeMap<String, Holder>>, report: &mut Report) {
    const AREA: &str = "roles";
    let Some(holders) = holders else {
        let fix = format!("{LEND}, or look at Setup > Permission Sets > each AI_ set > Manage Assignments");
        return report.hidden(
            AREA,
            "roles-hidden",
            "this identity sees nobody's permission sets but its own",
            &fix,
        );
    };
    let before = report.checks.len();
    for holder in holders.values().filter(|holder| holder.sets.len() > 1) {
        let held: Vec<&str> = holder.sets.iter().map(String::as_str).collect();
        let message = format!("{} holds {}", holder.username, held.join(" and "));
        let fix = "Setup > Permission Sets > the set > Manage Assignments: leave each person one role";
        let apart = holder.has(permission::PROPOSER) || holder.has(permission::PROMOTER);
        // A reviewer with break-glass is one person who can go around the rules: to be seen, not refused.
        if apart {
            report.failed(AREA, "two-roles", &message, fix)
        } else {
            report.warning(AREA, "two-roles", &message, fix)
        }
    }
    let with = |set: &str| -> Vec<&str> {
        holders.values().filter(|holder| holder.has(set)).map(|holder| holder.username.as_str()).collect()
    };
    if with(permission::PROMOTER).len() > 1 {
        let message = format!("several users promote: {}", with(permission::PROMOTER).join(", "));
        let fix = "Setup > Permission Sets > AI_Promoter > Manage Assignments: leave the daemon's user only";
        report.warning(AREA, "several-promoters", &message, fix);
    }
    if with(permission::REVIEWER).is_empty() {
        let fix = "Setup > Permission Sets > AI_Reviewer > Manage Assignments: add the people who decide";
        report.warning(AREA, "nobody-reviews", "nobody holds AI_Reviewer, so nothing can be approved", fix);
    }
    if report.checks.len() == before {
        let message = format!("{} users hold one role each", holders.len());
        report.ok(AREA, "roles", &message);
    }
    match with(permission::BREAK_GLASS).as_slice() {
        [] => report.ok(AREA, "break-glass-holders", "nobody holds AI_Break_Glass"),
        people => {
            let message = format!("may go around the rules, each use is told: {}", people.join(", "));
            report.ok(AREA, "break-glass-holders", &message);
        }
    }
}
