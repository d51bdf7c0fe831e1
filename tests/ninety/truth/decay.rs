//! Decay: which leads were due on which day, what people said to it, and what moved.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Span, Timestamp, civil::Date, tz::TimeZone};
use serde_json::Value;

use super::{Judged, begun, writers};
use crate::{
    cast::{OPEN, WORKING},
    diary::lead_segment,
    history::Commit,
    reports::Reports,
    world::World,
};

/// How long people may object.
const OBJECTION: SignedDuration = SignedDuration::from_hours(24);

/// How a record ended: fate and code, as reports name them.
type Fate = (&'static str, &'static str);

/// What is known of decay without the ledger.
struct Reading<'a> {
    world: &'a World,
    /// When each record was stopped because two writers fought over it.
    frozen: BTreeMap<String, Timestamp>,
}

/// Holds every decay report against the story.
pub fn judge(world: &World, reports: &Reports, judged: &mut Judged) {
    let reading = Reading { world, frozen: writers::frozen(world) };
    let mut told: BTreeMap<Timestamp, Value> = BTreeMap::new();
    for known in reports.json(&["decay", "list"]).as_array().expect("a list") {
        told.insert(moment(&known["run"]["at"]), known.clone());
    }
    let mut moved = 0;
    let mut announced: BTreeSet<Timestamp> = BTreeSet::new();
    let mut open: Option<(Timestamp, BTreeSet<String>)> = None;
    for slot in world.diary.runs_of("decay") {
        if let Some((at, leads)) = &open {
            // While a run is open nothing is announced; in its own slot it is carried out.
            if slot >= *at + OBJECTION {
                moved += run(&reading, (*at, leads), (reports, &told), judged);
                open = None;
            }
            continue;
        }
        let due: BTreeSet<String> =
            world.leads.iter().filter(|lead| reading.due(lead, slot)).cloned().collect();
        if !due.is_empty() {
            announced.insert(slot);
            open = Some((slot, due));
        }
    }
    judged.same("decay runs were announced at", announced, told.keys().copied().collect());
    let decayed = world.history.commits.iter().filter(|commit| is_decay(world, commit)).count();
    judged.same("leads that went back in the org", moved, decayed);
}

/// Compares one run; how many of its leads went back.
fn run(
    reading: &Reading<'_>,
    (at, leads): (Timestamp, &BTreeSet<String>),
    (reports, told): (&Reports, &BTreeMap<Timestamp, Value>),
    judged: &mut Judged,
) -> usize {
    let Some(known) = told.get(&at) else { return 0 };
    let id = known["run"]["id"].as_str().expect("an id");
    let report = reports.json(&["decay", "report", id]);
    let ends: BTreeMap<&str, &Value> = report["ends"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|end| (end["step"]["record"].as_str().expect("an id"), end))
        .collect();
    let names = |leads: &BTreeSet<String>| leads.iter().cloned().collect::<Vec<_>>();
    judged.same(
        &format!("announced at {at}"),
        names(leads),
        ends.keys().map(|id| (*id).to_owned()).collect(),
    );
    let runs_at = at + OBJECTION;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for lead in leads {
        let Some(end) = ends.get(lead.as_str()) else { continue };
        let fate = reading.fate(lead, (at, runs_at));
        let told = |key: &str| end[key].as_str().expect("a word");
        judged.same(&format!("{lead} announced at {at}"), fate, (told("fate"), told("code")));
        judged.same(
            &format!("{lead} last activity"),
            reading.changed(lead, at),
            moment(&end["last_activity"]),
        );
        judged.same(
            &format!("{lead} segment"),
            reading.segment(lead),
            end["step"]["segment"].as_str().expect("a word"),
        );
        let step = (WORKING, OPEN);
        judged.same(
            "step",
            step,
            (end["step"]["from"].as_str().expect("a word"), end["step"]["to"].as_str().expect("a word")),
        );
        let written = reading
            .world
            .history
            .on(lead)
            .filter(|commit| commit.at == runs_at && is_decay(reading.world, commit));
        judged.same(
            &format!("{lead} went back at {runs_at}"),
            usize::from(fate.0 == "moved"),
            written.count(),
        );
        *counts.entry(fate.0).or_default() += 1;
        judged.saw(format!("decay: {} {}", fate.0, fate.1).trim_end());
    }
    let told: BTreeMap<&str, usize> = report["counts"]
        .as_object()
        .expect("counts")
        .iter()
        .map(|(name, count)| {
            (name.as_str(), count.as_u64().map_or(0, |count| usize::try_from(count).expect("few")))
        })
        .collect();
    let moved = counts.get("moved").copied().unwrap_or(0);
    judged.same(&format!("counts of the run of {at}"), counts, told);
    moved
}

fn moment(value: &Value) -> Timestamp {
    value.as_str().expect("a moment").parse().expect("a moment")
}

fn is_decay(world: &World, commit: &Commit) -> bool {
    world.history.is_ours(commit)
        && commit.set("Status").is_some()
        && commit.is("Lead_Status_Change_Source__c") == "Decay"
}

impl Reading<'_> {
    fn segment(&self, lead: &str) -> &'static str {
        let place = self.world.leads.iter().position(|other| other == lead);
        lead_segment(place.expect("a lead of the story"))
    }

    /// Days without a change, by the policy of the story.
    fn window(&self, lead: &str) -> i64 {
        if self.segment(lead) == "general" { 10 } else { 20 }
    }

    /// When the status last changed; the story's leads are as old as the story.
    fn changed(&self, lead: &str, at: Timestamp) -> Timestamp {
        let last = self.world.history.on(lead).rfind(|it| it.at <= at && it.set("Status").is_some());
        last.map_or(self.world.began, |commit| commit.at)
    }

    /// From which day on it may go back: so many days after it was promoted to the state.
    fn day(&self, lead: &str, at: Timestamp) -> Option<Date> {
        let mut day = None;
        for commit in self.world.history.on(lead).filter(|commit| commit.at <= at) {
            let promoted = self.world.history.is_ours(commit) && commit.mark().is_some();
            match commit.set("Status").as_deref().filter(|_| promoted) {
                Some(WORKING) => {
                    day =
                        Some(commit.at.to_zoned(TimeZone::UTC).date() + Span::new().days(self.window(lead)));
                }
                Some(OPEN) => day = None,
                _ => {}
            }
        }
        day
    }

    fn is_quiet(&self, lead: &str, at: Timestamp, now: Timestamp) -> bool {
        now.duration_since(self.changed(lead, at)) >= SignedDuration::from_hours(24 * self.window(lead))
    }

    fn waits(&self, lead: &str, at: Timestamp) -> bool {
        self.world.history.value(lead, countersign::salesforce::names::PENDING, at) == "true"
    }

    fn is_held(&self, lead: &str, at: Timestamp) -> bool {
        let mut holds = self.world.diary.holds.iter();
        holds.any(|(held, until, set)| held == lead && *set <= at && *until >= begun(at))
    }

    fn is_frozen(&self, lead: &str, at: Timestamp) -> bool {
        self.frozen.get(lead).is_some_and(|since| *since <= at)
    }

    /// Whether it must be announced.
    fn due(&self, lead: &str, at: Timestamp) -> bool {
        self.world.history.value(lead, "Status", at) == WORKING
            && self.day(lead, at).is_some_and(|day| day <= begun(at))
            && self.is_quiet(lead, at, at)
            && !self.waits(lead, at)
            && !self.is_held(lead, at)
            && !self.is_frozen(lead, at)
    }

    /// What must become of an announced lead. Where several things speak against it, the one that
    /// the gate's order puts first is told.
    fn fate(&self, lead: &str, (_, runs_at): (Timestamp, Timestamp)) -> Fate {
        // What the run itself wrote comes after what it rested on.
        let before = runs_at - SignedDuration::from_secs(1);
        match self.world.history.value(lead, "Status", before).as_str() {
            OPEN => ("spared", "no-change"),
            WORKING if self.waits(lead, runs_at) => ("spared", "decay-proposal-open"),
            WORKING if !self.is_quiet(lead, before, runs_at) => ("spared", "decay-active"),
            WORKING if self.is_held(lead, runs_at) => ("held", "manual-override"),
            WORKING if self.is_frozen(lead, runs_at) => ("held", "frozen"),
            WORKING => ("moved", ""),
            _ => ("conflicted", "base-moved"),
        }
    }
}
