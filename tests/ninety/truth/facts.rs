//! Who was right about the leads whose promoted status people changed, in the newest reconciliation.

use std::collections::BTreeMap;

use countersign::salesforce::names::{self, LEAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Judged, overrides::Override};
use crate::{
    cast::{CLOSED, OPEN, WORKING},
    diary::lead_segment,
    history::Commit,
    world::World,
};

/// The policy's `label_days`.
const KEPT: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Holds lanes and parts against what the leads' own history says of everything that the runs listed.
pub fn judge(world: &World, (report, listed): (&Value, &[Override]), judged: &mut Judged) {
    let at: Timestamp = report["run"]["at"].as_str().expect("a moment").parse().expect("a moment");
    let mut first: BTreeMap<&str, Option<&Override>> = BTreeMap::new();
    for one in listed {
        let (mark, (_, by_program)) = (one.1.as_str(), &one.2);
        let known = first.entry(mark).or_default();
        if known.is_none() && !by_program {
            *known = Some(one);
        }
    }
    let mut truth: BTreeMap<String, [u64; 4]> = BTreeMap::new();
    for (mark, by_person) in first {
        let of_mark = |commit: &&Commit| commit.mark().as_deref() == Some(mark);
        let lead = world.leads.iter().position(|lead| world.history.on(lead).any(|it| of_mark(&it)));
        let lead = lead.expect("the mark is on a lead");
        let promoted = world.history.on(&world.leads[lead]).find(of_mark).expect("it landed");
        if was_edited(world, promoted) {
            continue;
        }
        let place = match by_person.map(|one| settled(world, (promoted, one), at)) {
            Some(Some(true)) => 0,
            Some(Some(false)) => 1,
            Some(None) => 2,
            None => 3,
        };
        judged.saw(["facts: people", "facts: promoted", "facts: open", "facts: programs"][place]);
        truth.entry("Lead.Status".to_owned()).or_default()[place] += 1;
        if by_person.is_some() {
            truth.entry(format!("Lead: {}", lead_segment(lead))).or_default()[place] += 1;
        }
    }
    let rows = report["run"]["facts"].as_array().expect("rows").iter();
    let rows = rows.filter(|row| row["by"] == json!("lane") || row["by"] == json!("part"));
    let number = |value: &Value| value.as_str().and_then(|text| text.parse().ok()).expect("a number");
    let counts = |row: &Value| ["people", "computed", "open", "programs"].map(|word| number(&row[word]));
    let told: BTreeMap<String, [u64; 4]> =
        rows.map(|row| (row["name"].as_str().expect("a name").to_owned(), counts(row))).collect();
    judged.same(&format!("whom facts confirmed, at {at}"), truth, told);
}

/// Whether the value was a reviewer's.
fn was_edited(world: &World, promoted: &Commit) -> bool {
    // In the same second, too: an edit that is approved at once.
    let is_asked = |commit: &&Commit| commit.at <= promoted.at && commit.set(names::PROPOSAL_ID).is_some();
    let asked = world.history.on(&promoted.record).rfind(is_asked);
    let is_decay = promoted.is(LEAD.change_source) == names::source::DECAY;
    !is_decay
        && asked
            .and_then(|commit| commit.set(names::EDITED_FROM))
            .is_some_and(|id| !id.is_empty() && id != "null")
}

/// Whether people were right; `None` while it is open.
fn settled(world: &World, (promoted, one): (&Commit, &Override), until: Timestamp) -> Option<bool> {
    let (computed, (lead, _, _, since, _, set)) = (promoted.is("Status"), one);
    let mut stands = Some(*since);
    let later = world.history.on(lead).filter(|commit| commit.at > *since && commit.at <= until);
    for commit in later {
        let Some(value) = commit.set("Status") else { continue };
        if stands.is_some_and(|since| commit.at.duration_since(since) >= KEPT) {
            return Some(true);
        }
        let by_person = match world.history.is_ours(commit) {
            true => commit.is(LEAD.change_source) == names::source::APPROVED,
            false => !world.history.is_by_program(commit),
        };
        if by_person {
            match (computed.as_str(), set.as_str(), value.as_str()) {
                (computed, _, value) if computed == value => return Some(false),
                (_, set, value) if set == value => stands = stands.or(Some(commit.at)),
                (_, _, CLOSED) if stands.is_some() => return Some(true),
                // Opened again past it, and put back further.
                (WORKING, CLOSED, OPEN) => return Some(false),
                (CLOSED, WORKING, OPEN) => return Some(true),
                _ => stands = None,
            }
        } else if value != *set {
            stands = None;
        }
    }
    stands.filter(|since| until.duration_since(*since) >= KEPT).map(|_| true)
}
