//! How proposals on leads ended, from what people did in the org.

use countersign::salesforce::names;
use jiff::{SignedDuration, Timestamp};

use super::next;
use crate::{diary::Proposed, history::Commit, world::World};

/// What became of a proposal that went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It landed; a person had approved it, or none was needed.
    Landed {
        by_person: bool,
    },
    Rejected,
    Edited,
    /// Somebody set the proposed value while it waited: by hand, or a program did.
    SameByHand {
        by_program: bool,
    },
    /// Somebody set another value while it waited.
    Overtaken,
    /// An agent proposed something else on the same lead while it waited.
    Superseded,
    /// Nobody decided in time.
    Expired,
    /// Its lane stepped back while it waited: from then on it is only recorded.
    Recorded,
}

/// How it ended and when the daemon could know. `None`: it has not ended. `back` is when the agent's lane
/// stepped back.
pub fn ending(world: &World, sent: &Proposed, back: Option<Timestamp>) -> Option<(Timestamp, End)> {
    let sweep = |at| next(&world.diary.sweeps, at);
    // Both are noticed by the sweep that follows.
    let expires = sweep(sent.at + SignedDuration::from_hours(48));
    let back = back.filter(|back| sent.at < *back);
    let recorded = back.and_then(|back| sweep(back + SignedDuration::from_secs(1)));
    let mut by_person = false;
    let stands = |commit: &&Commit| commit.set(names::PROPOSAL_ID).as_deref() != Some(&sent.id);
    for commit in world.history.on(&sent.record).skip_while(stands) {
        if [expires, recorded].into_iter().flatten().any(|end| commit.at >= end) {
            break;
        }
        let set = |field: &str| commit.set(field);
        if set(names::EDITED_FROM).as_deref() == Some(&sent.id) {
            return Some((commit.at, End::Edited));
        }
        if set(names::PROPOSAL_ID).is_some_and(|other| other != sent.id) {
            return Some((commit.at, End::Superseded));
        }
        if commit.is(names::DECISION_PROPOSAL_ID) == sent.id {
            match set(names::DECISION).as_deref() {
                Some("Rejected") => return Some((commit.at, End::Rejected)),
                Some("Approved") if back.is_some_and(|back| back <= commit.at) => {
                    return Some((commit.at, End::Recorded));
                }
                Some("Approved") => by_person = true,
                _ => {}
            }
        }
        let Some(status) = set("Status") else { continue };
        let end = match world.history.is_ours(commit) {
            true => End::Landed { by_person },
            false if status == sent.value => {
                End::SameByHand { by_program: world.history.is_by_program(commit) }
            }
            false => End::Overtaken,
        };
        return Some((commit.at, end));
    }
    let ends = [expires.map(|at| (at, End::Expired)), recorded.map(|at| (at, End::Recorded))];
    ends.into_iter().flatten().min_by_key(|(at, _)| *at)
}
