//! The first page: what the daemon is at, what is wrong, and the counters. The numbers are those of
//! `/readyz` and of `countersign status`.

use jiff::Timestamp;
use minijinja::{Value, context};

use crate::{
    cli::{page, shadow::act_words, show::span, status::Standing},
    domain::Stage,
    gate::preview::visible,
    http::{Readiness, Status},
};

const PAGE: &str = include_str!("overview.html.j2");

/// States of promotions that have not ended, in the order in which they are passed.
const UNDER_WAY: [&str; 4] = ["intended", "sent", "unknown", "voiding"];

/// The page. Of a ledger that cannot be read it says why.
pub fn html(
    readiness: &Readiness,
    standing: Result<&Standing, &String>,
    now: Timestamp,
) -> anyhow::Result<String> {
    let (at, tone) = match readiness.status {
        Status::Serving if readiness.ready => ("leads", "good"),
        Status::Serving => ("leads, with troubles", "bad"),
        Status::Standby => ("stands by", "plain"),
        Status::Waiting => ("waits for its ledger", "bad"),
        Status::Starting => ("starts", "plain"),
    };
    let lines = |lines: &[String]| lines.iter().map(|line| visible(line)).collect::<Vec<_>>();
    let words = context! {
        at, tone, now => now.to_string(), version => env!("CARGO_PKG_VERSION"),
        troubles => lines(&readiness.troubles), warnings => lines(&readiness.warnings),
        stream => readiness.stream_silent_seconds.map(|seconds| seconds.to_string()),
        serves => readiness.status == Status::Serving,
        unreadable => standing.err().map(|why| visible(why)),
        ledger => standing.ok().map(|standing| ledger(standing, now)),
    };
    page::render(PAGE, words)
}

fn ledger(standing: &Standing, now: Timestamp) -> Value {
    let counts = &standing.counts;
    let of_stage = |stage: Stage| counts.stages.get(&stage).copied().unwrap_or(0);
    let stage = |stage: &Stage| context! { name => stage.name(), count => of_stage(*stage) };
    let state = |name: &&str| {
        let count = counts.promotions_by_state.get(*name).copied().unwrap_or(0);
        context! { name => *name, count }
    };
    let ago = |at: &Option<String>| {
        let at: Timestamp = at.as_ref()?.parse().ok()?;
        Some(span(now, at))
    };
    let freeze = |freeze: &crate::domain::Freeze| {
        let (scope, since) = (freeze.scope.to_string(), freeze.since);
        visible(&format!("{scope} since {since} by {}: {}", freeze.by, freeze.reason))
    };
    context! {
        waiting => of_stage(Stage::AwaitingApproval), oldest => ago(&counts.oldest_awaiting),
        open => counts.promotions_open, promoted => of_stage(Stage::Promoted), batches => counts.inbox_waiting,
        stages => Stage::ALL.iter().map(stage).collect::<Vec<_>>(),
        states => UNDER_WAY.iter().map(state).collect::<Vec<_>>(), unconfirmed => counts.promotions_unconfirmed,
        head => counts.head_seq, hash => counts.head_hash.short(), head_at => &counts.head_at, since => ago(&counts.head_at),
        leader => standing.leader(), held => standing.waiting.as_deref().map(visible),
        frozen => standing.frozen.iter().map(freeze).collect::<Vec<_>>(),
        lanes => standing.lanes.iter().map(|act| visible(&act_words(act))).collect::<Vec<_>>(),
        broken => standing.broken.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_says_what_it_is_at_also_without_a_ledger_to_read() {
        let trouble = "ledger-unreachable: <b>\u{202e}gone".to_owned();
        let told = |status, words: &str| {
            let readiness = Readiness::without_work(status, vec![trouble.clone()]);
            let html = html(&readiness, Err(&trouble), Timestamp::UNIX_EPOCH).unwrap();
            assert!(html.contains(&format!("data-status=\"{words}\"")), "{html}");
            assert!(
                html.contains("The ledger cannot be read. ledger-unreachable: &lt;b&gt;&lt;U+202E&gt;gone")
            );
            assert!(!html.contains("data-counter"), "there is nothing to count: {html}");
        };
        told(Status::Starting, "starts");
        told(Status::Standby, "stands by");
        told(Status::Waiting, "waits for its ledger");
        told(Status::Serving, "leads, with troubles");
    }
}
