//! Logs to standard error, and the names of all metrics.
//!
//! Log lines hold allow-listed fields only ([`line::ALLOWED`]): ids, codes, counts and times.
//! Values of records, reasons of models, texts of people, bodies of replies and tokens have no
//! field, so they cannot be logged by mistake; a field that is not on the list shows up as a name
//! under `withheld`. Texts are cut and their control characters shown as escapes.

pub mod line;
pub mod stream;

use std::{sync::OnceLock, time::Duration};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::config::LogFormat;

/// Calls to Salesforce's REST API, by `result` (`ok` or a stable code).
pub const SALESFORCE_CALLS: &str = "countersign_salesforce_calls_total";
/// Seconds that such a call took.
pub const SALESFORCE_CALL_SECONDS: &str = "countersign_salesforce_call_seconds";
/// Logins, by `result`.
pub const SALESFORCE_LOGINS: &str = "countersign_salesforce_logins_total";
/// API calls of the whole org in the last 24 hours, as Salesforce counts them.
pub const SALESFORCE_API_USED: &str = "countersign_salesforce_api_calls_used";
/// Most of them.
pub const SALESFORCE_API_MAX: &str = "countersign_salesforce_api_calls_max";
/// How often the metrics were tidied up.
pub const METRICS_UPKEEP: &str = "countersign_metrics_upkeep_total";
/// Verdicts that were news, by `outcome`. One whose transaction failed is made, and counted, again.
pub const VERDICTS: &str = "countersign_verdicts_total";
/// 1 while a watchdog found something, by `code`.
pub const WATCH: &str = "countersign_watch";

/// Logs or metrics could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `log.level` is not a filter.
    #[error(
        "log.level `{given}` is not a filter: {reason}; use info, debug, or a list such as info,countersign=debug"
    )]
    Filter {
        /// The setting.
        given: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Something else in this process has set up logs or metrics.
    #[error("{0} were set up before; set them up once, at the start")]
    Twice(&'static str),
}

impl TelemetryError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Filter { .. } => "log-filter-malformed",
            Self::Twice(_) => "telemetry-set-up-twice",
        }
    }
}

/// Starts logging to standard error. `level` alone speaks of countersign; its libraries then log
/// warnings and errors.
pub fn init_logs(format: LogFormat, level: &str) -> Result<(), TelemetryError> {
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .event_format(line::Line::new(format == LogFormat::Json));
    tracing_subscriber::registry()
        .with(filter(level)?)
        .with(layer)
        .try_init()
        .map_err(|_| TelemetryError::Twice("logs"))
}

/// The filter of a level or a list of directives.
pub fn filter(level: &str) -> Result<EnvFilter, TelemetryError> {
    let directives = match level.contains([',', '=']) {
        true => level.to_owned(),
        false => format!("warn,countersign={level}"),
    };
    EnvFilter::try_new(directives)
        .map_err(|error| TelemetryError::Filter { given: level.to_owned(), reason: error.to_string() })
}

/// Starts counting, once in a process; later calls give the same handle. Whoever serves the
/// metrics runs [`upkeep`] with `run_upkeep` of the handle.
pub fn init_metrics() -> Result<PrometheusHandle, TelemetryError> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let handle = HANDLE.get_or_init(|| {
        let handle = PrometheusBuilder::new().install_recorder().ok()?;
        describe();
        stream::describe();
        Some(handle)
    });
    handle.clone().ok_or(TelemetryError::Twice("metrics"))
}

/// How often the metrics are tidied up.
pub const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Tidies up the metrics until told to stop: what histograms hold is folded together, which
/// otherwise happens only when somebody reads them, and grows without bound when nobody does.
pub async fn upkeep(every: Duration, stop: CancellationToken, mut tidy: impl FnMut()) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = ticks.tick() => {
                tidy();
                metrics::counter!(METRICS_UPKEEP).increment(1);
            }
        }
    }
}

fn describe() {
    metrics::describe_counter!(VERDICTS, "Verdicts that were news, by outcome");
    metrics::describe_gauge!(WATCH, "1 while a watchdog found something, by code");
    metrics::describe_counter!(METRICS_UPKEEP, "How often the metrics were tidied up");
    metrics::describe_counter!(SALESFORCE_CALLS, "Calls to Salesforce's REST API, by result");
    metrics::describe_histogram!(
        SALESFORCE_CALL_SECONDS,
        "Seconds that a call to Salesforce's REST API took"
    );
    metrics::describe_counter!(SALESFORCE_LOGINS, "Logins to Salesforce, by result");
    metrics::describe_gauge!(SALESFORCE_API_USED, "API calls of the whole org in the last 24 hours");
    metrics::describe_gauge!(SALESFORCE_API_MAX, "Most API calls of the whole org in 24 hours");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_level_is_for_countersign() {
        assert_eq!(filter("debug").unwrap().to_string(), "countersign=debug,warn");
        assert!(filter("info,hyper=trace").unwrap().to_string().contains("hyper=trace"));
        assert_eq!(filter("loud").unwrap_err().code(), "log-filter-malformed");
    }

    #[tokio::test]
    async fn upkeep_goes_on_until_it_is_stopped() {
        let stop = CancellationToken::new();
        let mut tidied = 0;
        let tidy = || {
            tidied += 1;
            if tidied == 3 {
                stop.cancel();
            }
        };
        let run = upkeep(Duration::from_millis(1), stop.child_token(), tidy);
        tokio::time::timeout(Duration::from_secs(20), run).await.expect("it stops");
        assert_eq!(tidied, 3);
    }

    #[test]
    fn metrics_are_set_up_once() {
        let first = init_metrics().unwrap();
        metrics::counter!(SALESFORCE_LOGINS, "result" => "ok").increment(1);
        assert!(init_metrics().unwrap().render().contains(SALESFORCE_LOGINS));
        assert!(first.render().contains("# HELP"));
    }
}
