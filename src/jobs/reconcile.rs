//! Reconciliation by the schedule: what it found is counted, and told when people must look.

use super::work::Counts;
use crate::{
    domain::Reconciliation,
    workflow::{
        Context, WorkflowError,
        promote::Promoter,
        reconcile::{self, Options},
    },
};

/// Compares org and ledger, and counts what was found, repaired and left to people.
pub async fn run(context: &Context, promoter: &Promoter, options: Options) -> Result<Counts, WorkflowError> {
    let done = reconcile::run(context, promoter, options, &mut |_| {}).await?;
    let found: u64 = done.counts.values().map(|count| count.found).sum();
    let repaired: u64 = done.counts.values().map(|count| count.repaired).sum();
    tell(&done);
    let counted = [("found", found), ("repaired", repaired), ("left", done.left_to_people())];
    Ok(counted.map(|(name, number)| (name.to_owned(), number.to_string())).into())
}

fn tell(done: &Reconciliation) {
    let left = done.left_to_people();
    metrics::gauge!("countersign_reconcile_left").set(f64::from(u32::try_from(left).unwrap_or(u32::MAX)));
    if left > 0 {
        tracing::warn!(
            code = "reconcile-left",
            "org and ledger disagree in {left} place(s): countersign reconcile report"
        );
    }
}
