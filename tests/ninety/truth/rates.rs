//! How often people made something else of an agent's proposals, in the newest reconciliation.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Judged,
    endings::{End, ending},
};
use crate::{diary::Proposed, world::World};

/// The word that people had on a proposal, as the rates count it.
fn word(
    world: &World,
    (sent, back): (&Proposed, Option<Timestamp>),
    at: Timestamp,
    overridden: &BTreeMap<String, bool>,
) -> Option<&'static str> {
    let (when, end) = ending(world, sent, back).filter(|(when, _)| sent.went_on && *when <= at)?;
    match end {
        End::Landed { .. } => {
            let landed =
                world.history.on(&sent.record).find(|commit| commit.at == when && commit.mark().is_some());
            let mark = landed.and_then(crate::history::Commit::mark).expect("it landed");
            Some(match overridden.get(&mark) {
                None => "stands",
                Some(false) => "overridden",
                Some(true) => "programs",
            })
        }
        End::SameByHand { .. } => Some("stands"),
        End::Rejected => Some("rejected"),
        End::Edited => Some("edited"),
        End::Overtaken => Some("overtaken"),
        End::Superseded | End::Expired | End::Recorded => None,
    }
}

/// Holds the rates by agent against the story. `overridden` are the promotions that any run listed, and whether only programs did it.
pub fn judge(
    (world, back): (&World, &BTreeMap<&'static str, Timestamp>),
    (report, overridden): (&Value, &BTreeMap<String, bool>),
    judged: &mut Judged,
) {
    let at: Timestamp = report["run"]["at"].as_str().expect("a moment").parse().expect("a moment");
    let mut truth: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for sent in world.diary.proposed.iter().filter(|sent| sent.at <= at) {
        let back = back.get(sent.agent.name).copied();
        if let Some(word) = word(world, (sent, back), at, overridden) {
            *truth.entry(sent.agent.name).or_default().entry(word).or_default() += 1;
            judged.saw(format!("rates: {word}"));
        }
    }
    let mut told: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for rate in
        report["run"]["rates"].as_array().expect("a list").iter().filter(|it| it["by"] == json!("agent"))
    {
        let counts = rate
            .as_object()
            .expect("counts")
            .iter()
            .filter(|(key, _)| !["by", "name"].contains(&key.as_str()));
        let counts = counts.map(|(word, count)| (word.as_str(), number(count)));
        told.insert(rate["name"].as_str().expect("a name"), counts.filter(|(_, count)| *count > 0).collect());
    }
    judged.same(&format!("what people made of it, at {at}"), truth, told);
}

fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).expect("a number")
}
