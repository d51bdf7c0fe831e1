//! Lanes that act and turned bad step back to recording only. Only a person brings them back.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{
    card::{State, lanes, whole, window},
    rule_of,
};
use crate::{
    domain::{
        ObjectName,
        event::Event,
        policy::ShadowRule,
        shadow::{
            WATCHER,
            lane::{LaneAct, newest},
            score::{Bad, Tally, bad},
        },
    },
    workflow::{Context, WorkflowError},
};

/// Lets every lane step back that acts and whose labels say that it should not. Labels count from the
/// person's act on, or within the window where that is shorter. Lanes that are live by `mode` are
/// measured where the policy has a table `[shadow]`.
pub async fn step_back(context: &Context) -> Result<Vec<LaneAct>, WorkflowError> {
    let now = context.clock.now();
    let acts = context.ledger.lanes().await?;
    let mut found = Vec::new();
    for object in context.ledger.watched_objects(false).await? {
        found.extend(of_object(context, &object, &acts, now).await?);
    }
    let mut back = Vec::new();
    for act in found {
        let mut tx = context.ledger.begin("lane stepped back").await?;
        let before = |acts: &[LaneAct]| {
            let lane = (&act.object, &act.field);
            newest(acts, lane, (&act.agent, act.version.as_deref())).cloned()
        };
        // Somebody who acted meanwhile knows better.
        if before(&tx.lanes().await?) != before(&acts) {
            continue;
        }
        // What one version did wrong is held against the agent as a whole.
        let act = LaneAct { version: None, ..act };
        tx.append(&Event::LaneMoved { act: act.clone() }).await?;
        tx.commit().await?;
        metrics::counter!("countersign_shadow_step_backs_total").increment(1);
        tracing::warn!(
            code = "shadow-stepped-back",
            object = %act.object,
            field = %act.field,
            "a lane stepped back to shadow: countersign shadow report"
        );
        back.push(act);
    }
    Ok(back)
}

async fn of_object(
    context: &Context,
    object: &ObjectName,
    acts: &[LaneAct],
    now: Timestamp,
) -> Result<Vec<LaneAct>, WorkflowError> {
    let policy = context.rules.policy().objects.get(object);
    let rule = rule_of(policy);
    let from = window(&rule, now);
    let mut back: Vec<LaneAct> = Vec::new();
    let mut done = BTreeSet::new();
    for ((field, agent, version), parts) in lanes(&context.ledger.labels(object, from).await?) {
        let told = Some(version.clone()).filter(|version| !version.is_empty());
        let act = newest(acts, (object, &field), (&agent, told.as_deref()));
        let mode = policy.and_then(|policy| policy.fields.get(&field)).map(|rules| rules.mode);
        let measured = act.is_some() || policy.is_some_and(|policy| policy.shadow.is_some());
        if !measured || !State::of(act, mode, now).is_live() || done.contains(&(field.clone(), agent.clone()))
        {
            continue;
        }
        let tally = match act.filter(|act| act.at > from) {
            // What came before the act was known to whoever acted.
            Some(act) => {
                let after = act.at.saturating_add(SignedDuration::from_secs(1)).unwrap_or(act.at);
                let since = lanes(&context.ledger.labels(object, after).await?);
                since.get(&(field.clone(), agent.clone(), version)).map(whole).unwrap_or_default()
            }
            None => whole(&parts),
        };
        let Some(bad) = bad(&tally, &rule) else { continue };
        done.insert((field.clone(), agent.clone()));
        back.push(LaneAct {
            object: object.clone(),
            field,
            agent,
            version: told,
            until: None,
            by: WATCHER.to_owned(),
            at: now,
            reason: words(bad, &tally, &rule),
            numbers: numbers(&tally),
        });
    }
    Ok(back)
}

fn words(bad: Bad, tally: &Tally, rule: &ShadowRule) -> String {
    let code = bad.code();
    match bad {
        Bad::Precision => format!(
            "{code}: {} of {} right, lower bound {}, and the policy asks for {}",
            tally.right,
            tally.decided(),
            tally.interval().low(),
            rule.step_back_below
        ),
        Bad::Reversals => format!(
            "{code}: {} of {} put back, and the policy takes a share of {}",
            tally.reversed, tally.written, rule.max_reversals
        ),
    }
}

/// The numbers that an act rests on, for its entry.
pub fn numbers(tally: &Tally) -> BTreeMap<String, String> {
    let interval = tally.interval();
    let counts = [
        ("right", tally.right.to_string()),
        ("wrong", tally.wrong.to_string()),
        ("untouched", tally.untouched.to_string()),
        ("programs", tally.programs.to_string()),
        ("written", tally.written.to_string()),
        ("reversed", tally.reversed.to_string()),
        ("low", interval.low().to_string()),
        ("high", interval.high().to_string()),
    ];
    counts.into_iter().map(|(name, number)| (name.to_owned(), number)).collect()
}
