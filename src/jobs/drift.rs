//! The regular look at what lanes rest on, with rules, flows and triggers.

use super::work::{Counts, count};
use crate::workflow::{Context, WorkflowError, drift};

/// One look at every governed object, and how many there were and how many hide their rules.
pub async fn look(context: &Context) -> Result<Counts, WorkflowError> {
    let looked = drift::look(context).await?;
    let mut hidden = 0;
    for one in looked.iter().filter(|one| !one.sees_setup) {
        tracing::info!(object = %one.object, "the promoter does not see rules, flows and triggers");
        hidden += 1;
    }
    let mut counts = count("objects", looked.len() as u64);
    counts.extend(count("without_rules", hidden));
    Ok(counts)
}
