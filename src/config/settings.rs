//! The settings as the program uses them: checked and typed.

use std::{net::SocketAddr, path::PathBuf};

use super::{Secret, timetable::Timetable};
use crate::domain::shadow::who::Named;

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The Salesforce org.
    pub org: OrgSettings,
    /// The identity that promotes.
    pub promoter: Credentials,
    /// The identity that writes proposals for the command door.
    pub proposer: Option<Credentials>,
    /// The ledger.
    pub ledger: LedgerSettings,
    /// What the stream delivered.
    pub inbox: InboxSettings,
    /// Checkpoints of the ledger; absent: none are written.
    pub checkpoint: Option<CheckpointSettings>,
    /// The policies.
    pub policy: PolicySettings,
    /// The daemon's own HTTP side.
    pub http: HttpSettings,
    /// How promotions are sent.
    pub promotion: PromotionSettings,
    /// The sweep.
    pub sweep: SweepSettings,
    /// The event stream.
    pub stream: StreamSettings,
    /// The org's daily API calls.
    pub api: ApiSettings,
    /// The decay of stale states.
    pub decay: DecaySettings,
    /// Reconciliation.
    pub reconcile: ReconcileSettings,
    /// Scheduled work.
    pub jobs: JobSettings,
    /// What counts in shadow lanes.
    pub shadow: ShadowSettings,
    /// What the org is told about the daemon.
    pub heartbeat: HeartbeatSettings,
    /// The watchdogs.
    pub watch: WatchSettings,
    /// What is asked of the agents' users.
    pub agents: AgentSettings,
    /// What `countersign doctor` may use besides.
    pub doctor: DoctorSettings,
    /// The log.
    pub log: LogSettings,
}

/// The Salesforce org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgSettings {
    /// Where tokens are asked for: My Domain or `https://login.salesforce.com`.
    pub login_url: String,
    /// My Domain URL that the token reply must agree with; absent: the reply is believed when its
    /// host is one of Salesforce's.
    pub instance_url: Option<String>,
    /// Pub/Sub API endpoint: `host:port`, or `http://host:port` on loopback.
    pub pubsub_endpoint: String,
    /// REST API version, for example `67.0`.
    pub api_version: String,
    /// A certificate authority to trust besides the machine's.
    pub ca_pem_path: Option<PathBuf>,
    /// 18-character id that the org must have.
    pub org_id: Option<String>,
    /// Whether this is a production org.
    pub production: bool,
}

/// How one identity logs in.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// OAuth JWT bearer: a signed assertion, no stored secret besides the key file.
    Jwt {
        /// Consumer key.
        client_id: String,
        /// The user to log in as.
        username: String,
        /// RSA private key, PEM.
        private_key_path: PathBuf,
        /// `aud` claim; absent: the login URL.
        audience: Option<String>,
    },
    /// OAuth client credentials: the app's run-as user.
    ClientCredentials {
        /// Consumer key.
        client_id: String,
        /// Consumer secret.
        client_secret: Secret,
    },
    /// OAuth refresh token.
    Refresh {
        /// Consumer key.
        client_id: String,
        /// Consumer secret, where the app wants one.
        client_secret: Option<Secret>,
        /// Refresh token.
        refresh_token: Secret,
    },
    /// A token made elsewhere; it cannot be renewed.
    AccessToken {
        /// Access token.
        access_token: Secret,
    },
}

/// The ledger.
#[derive(Debug, Clone)]
pub struct LedgerSettings {
    /// SQLite file, or the URL of a PostgreSQL database, without a password in it.
    pub path: String,
    /// The database's password.
    pub password: Option<Secret>,
    /// Seconds after which another replica may take the lead from one that is not heard of.
    pub lease_seconds: u64,
}

/// What the stream delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InboxSettings {
    /// Days after which what was worked on is removed; absent: never.
    pub keep_days: Option<u32>,
}

/// Checkpoints of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointSettings {
    /// The file that they are added to.
    pub path: PathBuf,
    /// The key that signs them.
    pub private_key_path: PathBuf,
    /// Seconds between them.
    pub every_seconds: u64,
    /// Seconds between those that are kept in the org as well; 0: none are.
    pub anchor_every_seconds: u64,
    /// A file with the public keys that signed earlier ones, one a line.
    pub former_keys_path: Option<PathBuf>,
}

/// The policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySettings {
    /// Folder of policy files; absent: the ones in the binary.
    pub directory: Option<PathBuf>,
    /// Folder of contract files for further objects; absent: Lead and Opportunity only.
    pub contracts: Option<PathBuf>,
    /// File that lists who may write governed fields besides the gate; absent: nobody is listed.
    pub ownership: Option<PathBuf>,
}

/// The daemon's own HTTP side.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Where health, metrics and the console are served; absent: nowhere.
    pub listen: Option<SocketAddr>,
    /// Password of the console; absent: there is no console.
    pub console_password: Option<Secret>,
}

/// How promotions are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromotionSettings {
    /// Rows in one collections request, at most 200.
    pub batch_rows: usize,
    /// Collections requests in one call, at most 5.
    pub batches_per_call: usize,
    /// Milliseconds to wait for more rows before a call that is not full.
    pub linger_ms: u64,
    /// Milliseconds after which a call without a reply counts as unknown.
    pub timeout_ms: u64,
}

/// The sweep: the query that finds what no event told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepSettings {
    /// Seconds between sweeps.
    pub every_seconds: u64,
}

/// The event stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamSettings {
    /// Seconds without a word after which the stream is late: readiness turns red.
    pub late_after_seconds: u64,
}

/// The org's daily API calls, which are shared with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiSettings {
    /// Percent of the day's calls that are kept free for others.
    pub keep_free_percent: u64,
    /// Seconds between looks at the limits while the rest is spent.
    pub look_again_seconds: u64,
}

/// The decay of stale states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecaySettings {
    /// Hours between the announcement and the first write.
    pub objection_hours: u64,
    /// Most records of one object and field in one run.
    pub most_records: usize,
}

/// Reconciliation of org and ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReconcileSettings {
    /// With more records than this to read, a bulk query reads them.
    pub bulk_above: u64,
    /// Seconds for which what changed may still be under way.
    pub grace_seconds: u64,
    /// Minutes that a promotion may be without its end or its proof.
    pub proof_minutes: u64,
    /// Hours that a proposal may wait before it is told.
    pub stuck_after_hours: u64,
    /// Days that the rates look back.
    pub rates_days: u32,
}

/// When scheduled work is done.
#[derive(Debug, Clone, PartialEq)]
pub struct JobSettings {
    /// When stale states are announced; absent: only people announce and run decay, by command.
    pub decay: Option<Timetable>,
    /// When org and ledger are compared; absent: only people do that, by command.
    pub reconcile: Option<Timetable>,
    /// When rules, flows and triggers of the governed objects are looked at.
    pub drift: Option<Timetable>,
    /// When shadow lanes are looked at.
    pub shadow: Option<Timetable>,
    /// When the owners of waiting records are looked at.
    pub approvers: Option<Timetable>,
    /// When events that were worked on are let go of, where [`InboxSettings::keep_days`] is set.
    pub inbox_retention: Option<Timetable>,
}

/// What counts in shadow lanes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShadowSettings {
    /// Users who are programs or people, whatever the org says of them.
    pub named: Named,
}

/// What the org is told about the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeartbeatSettings {
    /// Minutes between two heartbeats; absent: none.
    pub every_minutes: Option<u64>,
}

/// What the watchdogs allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchSettings {
    /// Seconds between two looks of the daemon.
    pub every_seconds: u64,
    /// Minutes that a slot may wait for its run, and a run for its end.
    pub job_late_minutes: u64,
    /// A day may have so many times the entries of a usual one.
    pub growth_times: u64,
    /// Most entries in 24 hours.
    pub entries_per_day: u64,
    /// Hours without a daemon after which nothing runs by itself until a person says so; 0: never.
    pub silent_hours: u64,
    /// Megabytes that must be free on the disk of the ledger's file.
    pub disk_free_mb: u64,
}

/// What is asked of the agents' users before the daemon serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentSettings {
    /// Serve although an agent's user could write a governed field by itself.
    pub allow_unguarded: bool,
}

/// What `countersign doctor` may use besides the two identities.
#[derive(Debug, Clone, Default)]
pub struct DoctorSettings {
    /// Token of a person with View Setup and Configuration, to look at validation rules. The
    /// daemon's own identities should not have that permission.
    pub access_token: Option<Secret>,
}

/// The log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// Form of the lines.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug` or `trace`, or a filter such as `info,countersign=debug`.
    pub level: String,
}

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
