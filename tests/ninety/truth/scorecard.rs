//! Scorecards: the story's labels, counted; and when an agent's lane had to step back.

use std::collections::BTreeMap;

use countersign::domain::{
    policy::ShadowRule,
    shadow::score::{Tally, bad},
};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    Judged,
    labels::{self, Step},
};
use crate::{cast::AGENTS, diary::Proposed, world::World};

/// Object, field, agent, version, and the segment where it is about one.
type Line = (String, String, String, String, Option<String>);

/// All proposals with their labels.
pub struct Labelled<'a> {
    sent: Vec<(&'a Proposed, Vec<Step>)>,
    world: &'a World,
    /// When each agent's lane over leads stepped back.
    pub back: BTreeMap<&'static str, Timestamp>,
}

/// Labels of the last days count: so many of each object.
fn window(object: &str) -> SignedDuration {
    SignedDuration::from_hours(24 * if object == "Lead" { 90 } else { 14 })
}

fn rule(world: &World, object: &str) -> ShadowRule {
    let policy = world.context.rules.policy();
    let own = policy.objects.iter().find(|(name, _)| name.as_str() == object);
    own.expect("a policy of the story").1.shadow_rule()
}

fn count(tally: &mut Tally, label: Option<&str>) {
    if matches!(label, Some("approved" | "landed" | "kept" | "undone" | "reversed")) {
        tally.written += 1;
    }
    tally.reversed += u32::from(label == Some("reversed"));
    let place = match label {
        None => &mut tally.waiting,
        Some("match" | "approved") => &mut tally.right,
        Some("other" | "rejected" | "reversed") => &mut tally.wrong,
        Some("untouched" | "landed" | "kept") => &mut tally.untouched,
        Some("unclear") => &mut tally.unclear,
        Some("program" | "undone") => &mut tally.programs,
        Some(_) => &mut tally.lapsed,
    };
    *place += 1;
}

impl<'a> Labelled<'a> {
    pub fn of(world: &'a World) -> Self {
        // What waits when a lane steps back goes another way from then on. Up to then nothing depends on it.
        let before = Self::with(world, BTreeMap::new());
        let agents = AGENTS.iter();
        let back = agents.filter_map(|agent| Some((agent.name, before.stepped_back(agent.name)?))).collect();
        Self::with(world, back)
    }

    fn with(world: &'a World, back: BTreeMap<&'static str, Timestamp>) -> Self {
        let labelled =
            |sent: &'a Proposed| (sent, labels::steps(world, sent, back.get(sent.agent.name).copied()));
        Self { sent: world.diary.proposed.iter().map(labelled).collect(), world, back }
    }

    /// What every line of the scorecard must count at a moment.
    fn lines(&self, at: Timestamp) -> BTreeMap<Line, Tally> {
        let mut lines: BTreeMap<Line, Tally> = BTreeMap::new();
        for (sent, steps) in self.sent.iter().filter(|(sent, _)| sent.at <= at) {
            let standing = labels::standing(steps, at);
            if standing.is_some_and(|step| at.duration_since(step.at) > window(sent.object)) {
                continue;
            }
            let names = [sent.object, sent.field, sent.agent.name, sent.agent.version].map(str::to_owned);
            let [object, field, agent, version] = names;
            for segment in [None, Some(sent.segment.to_owned())] {
                let line = (object.clone(), field.clone(), agent.clone(), version.clone(), segment);
                count(lines.entry(line).or_default(), standing.map(|step| step.label));
            }
        }
        // Segments are told where there are several.
        let all: Vec<Line> = lines.keys().cloned().collect();
        let parts = |line: &Line| {
            all.iter()
                .filter(|it| {
                    it.4.is_some() && (&it.0, &it.1, &it.2, &it.3) == (&line.0, &line.1, &line.2, &line.3)
                })
                .count()
        };
        lines.retain(|line, _| line.4.is_none() || parts(line) > 1);
        lines
    }

    /// The first look at which an agent's lane over leads was bad.
    fn stepped_back(&self, agent: &str) -> Option<Timestamp> {
        let rule = rule(self.world, "Lead");
        let looks = self.world.diary.runs_of("shadow");
        looks.into_iter().find(|look| {
            let mut tally = Tally::default();
            for (sent, steps) in &self.sent {
                if sent.object == "Lead" && sent.agent.name == agent && sent.at <= *look {
                    count(&mut tally, labels::standing(steps, *look).map(|step| step.label));
                }
            }
            bad(&tally, &rule).is_some()
        })
    }
}

/// Holds the scorecards as they are told at a moment against the story.
pub fn judge(labelled: &Labelled<'_>, (told, at): (&Value, Timestamp), judged: &mut Judged) {
    let mut truth = labelled.lines(at);
    let mut back = labelled.back.clone();
    back.retain(|_, since| *since <= at);
    for card in told["cards"].as_array().expect("a list") {
        let word = |key: &str| card[key].as_str().map(str::to_owned);
        let name = |key: &str| word(key).expect("a word");
        let line = (name("object"), name("field"), name("agent"), name("version"), word("segment"));
        let what = format!("scorecard at {at}: {line:?}");
        let Some(tally) = truth.remove(&line) else {
            judged.wrong.push(format!("{what}: nothing of that happened: {card}"));
            continue;
        };
        judged.same(&what, json!(tally), card["tally"].clone());
        let share =
            (tally.decided() > 0).then(|| Decimal::new(i64::from(tally.right * 10_000 / tally.decided()), 4));
        let shown = word("precision").map(|text| text.parse().expect("a share"));
        judged.same(&format!("{what} precision"), share, shown);
        let stepped = back.get(line.2.as_str()).filter(|_| line.0 == "Lead");
        let state = match (stepped, line.0.as_str()) {
            (Some(since), _) => json!({ "state": "stepped-back", "at": since, "by": "countersign-shadow" }),
            (None, "Lead") => json!({ "state": "live-by-policy" }),
            (None, _) => json!({ "state": "shadow" }),
        };
        judged.same(&format!("{what} state"), state, card["state"].clone());
        judged.saw(format!("scorecard advice: {}", card["advice"]["advice"].as_str().unwrap_or_default()));
    }
    for line in truth.keys() {
        judged.wrong.push(format!("scorecard at {at}: {line:?} is not told"));
    }
    for (sent, steps) in labelled.sent.iter().filter(|(sent, _)| sent.at <= at) {
        // From the look on at which the lane turned bad, everything is only recorded.
        let live = sent.object == "Lead" && back.get(sent.agent.name).is_none_or(|since| sent.at < *since);
        judged.same(&format!("{} went on", sent.id), live, sent.went_on);
        judged.saw(format!("label: {}", labels::standing(steps, at).map_or("none yet", |step| step.label)));
    }
}
