//! Addresses of the console. What stands in one is parsed by the types of the domain.

use crate::{
    cli::status::parse_stage,
    domain::{ProposalId, Stage, job::Job},
};

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// What the daemon is at, and the counters.
    Overview,
    /// What waits for people.
    Queue,
    /// The newest proposals.
    Proposals,
    /// The newest proposals of a stage.
    Stage(Stage),
    /// The story of one.
    Proposal(ProposalId),
    /// Runs of decay.
    Decay,
    /// One of them, by the first digits of its digest.
    DecayRun(String),
    /// Runs of reconciliation.
    Reconcile,
    /// One of them, by the first digits of its digest.
    Reconciliation(String),
    /// Lanes that only record.
    Scorecards,
    /// What people decided, and what went back.
    Quality,
    /// Who writes governed fields.
    Writers,
    /// The timetable.
    Jobs,
    /// Runs of a job.
    Job(Job),
    /// The watchdogs.
    Health,
}

impl Route {
    /// The page at a path below `/console/`; `None`: there is none.
    pub fn parse(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').collect();
        Some(match parts[..] {
            [""] => Self::Overview,
            ["queue"] => Self::Queue,
            ["proposals"] => Self::Proposals,
            ["proposals", id] => Self::Proposal(ProposalId::parse(id).ok()?),
            ["stages", name] => Self::Stage(parse_stage(name).ok()?),
            ["decay"] => Self::Decay,
            ["decay", name] => Self::DecayRun(digits(name)?),
            ["reconcile"] => Self::Reconcile,
            ["reconcile", name] => Self::Reconciliation(digits(name)?),
            ["scorecards"] => Self::Scorecards,
            ["quality"] => Self::Quality,
            ["writers"] => Self::Writers,
            ["jobs"] => Self::Jobs,
            ["jobs", name] => Self::Job(Job::of_name(name)?),
            ["health"] => Self::Health,
            _ => return None,
        })
    }
}

/// The beginning of a digest, as commands take it.
fn digits(name: &str) -> Option<String> {
    let hex = name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (hex && (8..=64).contains(&name.len())).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_one_page_and_others_have_none() {
        let id = ProposalId::parse("p:1~x").unwrap();
        assert_eq!(Route::parse(""), Some(Route::Overview));
        assert_eq!(Route::parse("proposals/p:1~x"), Some(Route::Proposal(id)));
        assert_eq!(Route::parse("stages/awaiting-approval"), Some(Route::Stage(Stage::AwaitingApproval)));
        assert_eq!(Route::parse("decay/0123abcd"), Some(Route::DecayRun("0123abcd".to_owned())));
        assert_eq!(Route::parse("jobs/decay-run"), Some(Route::Job(Job::DecayRun)));
        for none in [
            "Queue",
            "queue/",
            "queue/1",
            "proposals/not an id!",
            "proposals/a/b",
            "stages/waiting",
            "decay/0123abc",
            "decay/0123ABCD",
            "reconcile/<script>",
            "jobs/everything",
            "records/00QCs0000000001MAA",
            "../metrics",
            "\u{fffd}",
        ] {
            assert_eq!(Route::parse(none), None, "{none}");
        }
    }
}
