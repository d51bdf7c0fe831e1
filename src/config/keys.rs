//! Every key there is, in one table: for the unknown-key check, the README and its test.

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Path with dots, as in TOML.
    pub path: &'static str,
    /// What it takes, in words.
    pub expected: &'static str,
    /// Value when nothing sets it; `None`: no value.
    pub default: Option<&'static str>,
    /// Whether its value must never be printed.
    pub secret: bool,
}

const fn key(path: &'static str, expected: &'static str, default: Option<&'static str>) -> Key {
    Key { path, expected, default, secret: false }
}

const fn secret(path: &'static str, expected: &'static str) -> Key {
    Key { path, expected, default: None, secret: true }
}

const KIND: &str = "one of: jwt, client_credentials, refresh, access_token";
const HTTPS: &str = "an https URL without path (http only on loopback)";

/// What is a list: a TOML list, or one text with commas.
pub(super) const USERS: &str = "ids of users or usernames, a list or separated by commas";

const CRON: &str = "a cron expression of five fields, for example 0 6 * * MON-FRI";

/// All keys. The environment spells `org.login_url` as `COUNTERSIGN__ORG__LOGIN_URL`.
pub const KEYS: &[Key] = &[
    key("org.login_url", HTTPS, None),
    key("org.instance_url", HTTPS, None),
    key(
        "org.pubsub_endpoint",
        "host:port (http://host:port only on loopback)",
        Some("api.pubsub.salesforce.com:7443"),
    ),
    key("org.api_version", "a REST API version from 62.0 to 68.0", Some("67.0")),
    key("org.ca_pem_path", "the path of a PEM file", None),
    key("org.org_id", "an 18-character org id (00D...)", None),
    key("org.production", "true or false", Some("false")),
    key("promoter.kind", KIND, None),
    key("promoter.client_id", "the consumer key", None),
    secret("promoter.client_secret", "the consumer secret"),
    key("promoter.username", "a Salesforce username", None),
    key("promoter.private_key_path", "the path of a PEM file that only its owner can read", None),
    key("promoter.audience", "the `aud` claim of the assertion", None),
    secret("promoter.refresh_token", "an OAuth refresh token"),
    secret("promoter.access_token", "an OAuth access token"),
    key("proposer.kind", KIND, None),
    key("proposer.client_id", "the consumer key", None),
    secret("proposer.client_secret", "the consumer secret"),
    key("proposer.username", "a Salesforce username", None),
    key("proposer.private_key_path", "the path of a PEM file that only its owner can read", None),
    key("proposer.audience", "the `aud` claim of the assertion", None),
    secret("proposer.refresh_token", "an OAuth refresh token"),
    secret("proposer.access_token", "an OAuth access token"),
    key("ledger.path", "the path of a SQLite file, or a postgres:// URL", Some("countersign.db")),
    secret("ledger.password", "the password of the database's user"),
    key("ledger.password_path", "the path of a file that only its owner can read", None),
    key("ledger.lease_seconds", "a whole number from 3 to 600", Some("15")),
    key("inbox.keep_days", "a whole number from 1 to 3650", None),
    key("checkpoint.path", "the path of a file outside the ledger", None),
    key("checkpoint.private_key_path", "the path of a key file that only its owner can read", None),
    key("checkpoint.every_seconds", "a whole number from 1 to 86400", Some("3600")),
    key("checkpoint.anchor_every_seconds", "a whole number from 0 to 31536000", Some("86400")),
    key("checkpoint.former_keys_path", "the path of a file with public keys, one a line", None),
    key("policy.directory", "the path of a folder with policy files", None),
    key("policy.contracts", "the path of a folder with contract files", None),
    key("policy.ownership", "the path of a file that lists who may write governed fields", None),
    key("http.listen", "address:port, for example 127.0.0.1:8080", None),
    key("http.console_password_file", "the path of a file that only its owner can read", None),
    key("promotion.batch_rows", "a whole number from 1 to 200", Some("200")),
    key("promotion.batches_per_call", "a whole number from 1 to 5", Some("5")),
    key("promotion.linger_ms", "a whole number from 0 to 60000", Some("50")),
    key("promotion.timeout_ms", "a whole number from 1000 to 600000", Some("30000")),
    key("sweep.every_seconds", "a whole number from 1 to 86400", Some("300")),
    key("stream.late_after_seconds", "a whole number from 1 to 86400", Some("300")),
    key("api.look_again_seconds", "a whole number from 1 to 3600", Some("300")),
    key("api.keep_free_percent", "a whole number from 0 to 90", Some("20")),
    key("decay.objection_hours", "a whole number from 0 to 720", Some("24")),
    key("decay.most_records", "a whole number from 1 to 20000", Some("2000")),
    key("reconcile.bulk_above", "a whole number from 0 to 1000000000", Some("50000")),
    key("reconcile.grace_seconds", "a whole number from 0 to 3600", Some("120")),
    key("reconcile.proof_minutes", "a whole number from 1 to 1440", Some("15")),
    key("reconcile.stuck_after_hours", "a whole number from 1 to 8760", Some("72")),
    key("reconcile.rates_days", "a whole number from 1 to 3650", Some("90")),
    key("jobs.time_zone", "an IANA time zone, for example Europe/Berlin", Some("UTC")),
    key("jobs.decay", CRON, None),
    key("jobs.reconcile", CRON, None),
    key("jobs.drift", CRON, Some("10 * * * *")),
    key("jobs.shadow", CRON, Some("25 * * * *")),
    key("jobs.approvers", CRON, Some("45 * * * *")),
    key("jobs.inbox_retention", CRON, Some("15 3 * * *")),
    key("shadow.programs", USERS, None),
    key("shadow.people", USERS, None),
    key("heartbeat.every_minutes", "a whole number from 1 to 1440", None),
    key("watch.every_seconds", "a whole number from 1 to 3600", Some("60")),
    key("watch.job_late_minutes", "a whole number from 1 to 10080", Some("120")),
    key("watch.growth_times", "a whole number from 2 to 1000", Some("10")),
    key("watch.entries_per_day", "a whole number from 1 to 1000000000", Some("1000000")),
    key("watch.silent_hours", "a whole number from 0 to 8760", Some("24")),
    key("watch.disk_free_mb", "a whole number from 0 to 1000000000", Some("1000")),
    key("agents.allow_unguarded", "true or false", Some("false")),
    secret("doctor.access_token", "an OAuth access token of a person who sees Setup"),
    key("log.format", "one of: text, json", Some("text")),
    key(
        "log.level",
        "error, warn, info, debug, trace, or a filter such as info,countersign=debug",
        Some("info"),
    ),
];

/// The key at a path.
pub fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// The known path that is spelled most like `path`, when one is close.
pub fn nearest(path: &str) -> Option<&'static str> {
    let scored = KEYS.iter().map(|key| (distance(path, key.path), key.path));
    scored.min().filter(|(steps, _)| *steps <= 4).map(|(_, known)| known)
}

/// Edit steps (insert, delete, replace) between two texts.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
