//! The regular look at what lanes rest on, with rules, flows and triggers.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::workflow::{
    Context, WorkflowError,
    drift::{self, Looked},
};

/// Looks again and again, until told to stop; the first time after one period. A failure is told, and
/// tried again at the next look.
pub async fn run(context: Context, every: Duration, stop: CancellationToken) {
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        if let Err(error) = look(&context).await {
            tracing::warn!(code = error.code(), %error, "what the lanes rest on was not looked at");
        }
    }
}

/// One look at every governed object. It takes no input and is safe to run twice.
pub async fn look(context: &Context) -> Result<Vec<Looked>, WorkflowError> {
    let looked = drift::look(context).await?;
    for hidden in looked.iter().filter(|one| !one.sees_setup) {
        tracing::info!(object = %hidden.object, "the promoter does not see rules, flows and triggers");
    }
    Ok(looked)
}
