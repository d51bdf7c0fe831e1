//! Reconciliation at intervals. The ledger says when the last one began, so a restart repeats none.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    domain::Reconciliation,
    workflow::{
        Context, WorkflowError,
        promote::Promoter,
        reconcile::{self, Options},
    },
};

/// Looks at the start and whenever it is woken, until it is stopped. A run that fails is told and
/// tried again at the next look.
pub async fn run(
    context: Context,
    promoter: Promoter,
    (every, options): (SignedDuration, Options),
    (wake, stop): (Arc<Notify>, CancellationToken),
) {
    loop {
        match serve(&context, &promoter, (every, options)).await {
            Ok(Some(done)) => tell(&done),
            Ok(None) => {}
            Err(error) => tracing::error!(code = error.code(), "org and ledger were not reconciled: {error}"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = wake.notified() => {}
        }
    }
}

/// Reconciles when the last run began as long ago as it must. What it gives was recorded.
pub async fn serve(
    context: &Context,
    promoter: &Promoter,
    (every, options): (SignedDuration, Options),
) -> Result<Option<Reconciliation>, WorkflowError> {
    let last = context.ledger.reconciliations().await?.pop().map(|run| run.at);
    if !is_due(last, every, context.clock.now()) {
        return Ok(None);
    }
    reconcile::run(context, promoter, options, &mut |_| {}).await.map(Some)
}

fn is_due(last: Option<Timestamp>, every: SignedDuration, now: Timestamp) -> bool {
    last.is_none_or(|last| now.duration_since(last) >= every)
}

fn tell(done: &Reconciliation) {
    let (run, left) = (done.id.short(), done.left_to_people());
    let found: u64 = done.counts.values().map(|count| count.found).sum();
    let repaired: u64 = done.counts.values().map(|count| count.repaired).sum();
    metrics::gauge!("countersign_reconcile_left").set(f64::from(u32::try_from(left).unwrap_or(u32::MAX)));
    match left {
        0 => tracing::info!(run, found, repaired, "org and ledger were reconciled"),
        _ => tracing::warn!(
            run,
            found,
            repaired,
            left,
            code = "reconcile-left",
            "org and ledger disagree: countersign reconcile report"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::is_due;

    #[test]
    fn a_run_is_due_when_there_was_none_or_its_time_is_over() {
        let at = |text: &str| text.parse().unwrap();
        let (last, day) = (at("2026-05-01T06:00:00Z"), jiff::SignedDuration::from_hours(24));
        assert!(is_due(None, day, last));
        assert!(!is_due(Some(last), day, at("2026-05-02T05:59:59Z")));
        assert!(is_due(Some(last), day, at("2026-05-02T06:00:00Z")));
        assert!(!is_due(Some(last), day, at("2026-04-30T06:00:00Z")), "a clock that went back starts none");
    }
}
