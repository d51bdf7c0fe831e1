//! Who wrote the status of leads, how often, since when, and who fought over which.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Judged;
use crate::{cast::WRITERS, history::Commit, world::World};

/// Counts are recorded at most this much later.
const RECORDED_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// Four writes A, B, A, B within this time are a fight.
const FIGHT: SignedDuration = SignedDuration::from_hours(24);

/// User, client as the map names it, and whether it is the daemon.
type Name = (String, String, bool);

fn name(world: &World, commit: &Commit) -> Name {
    let (_, client) = commit.origin.split_once("client=").expect("every writer of the story names itself");
    let heard = WRITERS.iter().find(|writer| writer.client == client).map(|writer| writer.heard_as);
    let ours = world.history.is_ours(commit);
    (commit.user.clone(), heard.unwrap_or("rest countersign").to_owned(), ours)
}

/// Every write of a lead's status up to then, in order.
fn writes(world: &World, until: Timestamp) -> impl Iterator<Item = &Commit> {
    let of_leads = |commit: &&Commit| world.leads.contains(&commit.record);
    let commits = world.history.commits.iter().filter(move |commit| commit.at <= until);
    commits.filter(of_leads).filter(|commit| commit.set("Status").is_some())
}

/// A fight over a lead.
#[derive(Debug, Clone)]
struct Fight {
    lead: String,
    /// The first and the fourth write.
    times: (Timestamp, Timestamp),
    writers: [Name; 2],
}

fn fights(world: &World, until: Timestamp) -> Vec<Fight> {
    let mut by_lead: BTreeMap<&str, Vec<&Commit>> = BTreeMap::new();
    for commit in writes(world, until) {
        by_lead.entry(commit.record.as_str()).or_default().push(commit);
    }
    let mut fights = Vec::new();
    for (lead, commits) in by_lead {
        let mut place = 0;
        while let Some([a, b, again, back]) = commits.get(place..place + 4) {
            let what = |commit: &Commit| (name(world, commit), commit.is("Status"));
            let alternate = what(a) == what(again) && what(b) == what(back);
            let differ = what(a).0 != what(b).0 && what(a).1 != what(b).1;
            if alternate && differ && back.at.duration_since(a.at) <= FIGHT {
                let writers = [name(world, a), name(world, b)];
                fights.push(Fight { lead: lead.to_owned(), times: (a.at, back.at), writers });
                place += 4;
            } else {
                place += 1;
            }
        }
    }
    fights
}

/// Since when each lead that was fought over is stopped.
pub fn frozen(world: &World) -> BTreeMap<String, Timestamp> {
    let mut frozen = BTreeMap::new();
    for fight in fights(world, Timestamp::MAX) {
        let since = frozen.entry(fight.lead).or_insert(fight.times.1);
        *since = (*since).min(fight.times.1);
    }
    frozen
}

/// Holds the map of writers, as it is told at a moment, against the story.
pub fn judge(world: &World, (told, at): (&Value, Timestamp), judged: &mut Judged) {
    let rows = told["writers"].as_array().expect("a list");
    let last = rows.iter().map(|row| moment(&row["last"])).max().unwrap_or(world.began);
    // The map that stands in the ledger holds all up to its last write; what came since, within the
    // hour, is counted and not recorded yet.
    for commit in writes(world, at).filter(|commit| commit.at > last) {
        let late = commit.at.duration_since(last);
        if late >= RECORDED_EVERY {
            judged.wrong.push(format!("a write at {} was not counted {late:#} later", commit.at));
        }
    }
    let mut truth: BTreeMap<Name, (u64, Timestamp, Timestamp)> = BTreeMap::new();
    for commit in writes(world, last) {
        let row = truth.entry(name(world, commit)).or_insert((0, commit.at, commit.at));
        (row.0, row.2) = (row.0 + 1, commit.at);
    }
    let mut map = BTreeMap::new();
    for row in rows {
        let word = |key: &str| row[key].as_str().expect("a word").to_owned();
        // Nobody but the daemon and its people may be heard on deals: their channel carries those with
        // the flag, and a lane that only records sets none.
        judged.same(
            "who is heard",
            ("Lead".to_owned(), "Status".to_owned()),
            (word("object"), word("field")),
        );
        let count = word("writes").parse::<u64>().expect("a number");
        let ours = row["ours"].as_bool().expect("a flag");
        map.insert(
            (word("user"), word("client"), ours),
            (count, moment(&row["first"]), moment(&row["last"])),
        );
    }
    let of = |ours: bool| truth.iter().filter(|(name, _)| name.2 == ours).map(|(_, row)| row.0).sum::<u64>();
    let (ours, others) = (of(true), of(false));
    let share = json!([{ "object": "Lead", "field": "Status", "ours": ours, "others": others,
        "ungoverned_percent": others * 100 / (ours + others).max(1) }]);
    judged.same(&format!("writes past the gate at {at}"), share, told["fields"].clone());
    judged.same(&format!("the map of writers at {at}"), truth, map);
    quarantines(world, (told, at), judged);
    for row in rows {
        judged.saw(format!("writer: {}", row["client"].as_str().unwrap_or_default()));
    }
}

/// Each lead that was fought over is stopped since its fourth write, with both writers named, and no other.
fn quarantines(world: &World, (told, at): (&Value, Timestamp), judged: &mut Judged) {
    let stopped = told["quarantined"].as_array().expect("a list");
    let mut scopes: BTreeMap<String, Timestamp> = frozen(world);
    scopes.retain(|_, since| *since <= at);
    let found: Vec<(String, Timestamp)> =
        stopped.iter().map(|freeze| (freeze["scope"].to_string(), moment(&freeze["since"]))).collect();
    judged.same(&format!("leads stopped at {at}"), scopes.len(), found.len());
    for (lead, since) in scopes {
        let Some(place) = found.iter().position(|(scope, told)| scope.contains(&lead) && *told == since)
        else {
            judged.wrong.push(format!("{lead} was fought over at {since} and is not stopped: {found:?}"));
            continue;
        };
        let why = stopped[place]["reason"].as_str().expect("words");
        let fight = fights(world, at).into_iter().find(|fight| fight.lead == lead && fight.times.1 == since);
        let fight = fight.expect("it was one");
        let [one, other] = &fight.writers;
        for word in [&one.0, &one.1, &other.0, &other.1, &fight.times.0.to_string()] {
            if !why.contains(word.as_str()) {
                judged.wrong.push(format!("why {lead} is stopped does not name {word}: {why}"));
            }
        }
        judged.saw("a lead was fought over");
    }
}

/// Each foreign writer was told in the log when it first wrote, and one time; each fight as well.
pub fn told_in_time(world: &World, judged: &mut Judged) {
    let mut first: BTreeMap<Name, &Commit> = BTreeMap::new();
    for commit in writes(world, Timestamp::MAX).filter(|commit| !world.history.is_ours(commit)) {
        first.entry(name(world, commit)).or_insert(commit);
    }
    let mut truth: Vec<(Timestamp, String)> =
        first.values().map(|commit| (commit.at, commit.user.clone())).collect();
    truth.sort();
    let said = |code: &str| world.diary.said.iter().filter(|said| said.code == code).collect::<Vec<_>>();
    let told: Vec<_> = said("writer-new").iter().map(|said| (said.at, said.user.clone())).collect();
    judged.same("new writers were told", truth, told);
    let mut fights: Vec<Timestamp> = frozen(world).into_values().collect();
    fights.sort();
    judged.same("fights were told", fights, said("value-flapping").iter().map(|said| said.at).collect());
}

fn moment(value: &Value) -> Timestamp {
    value.as_str().expect("a moment").parse().expect("a moment")
}
