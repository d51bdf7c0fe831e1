//! Reads the layers and turns them into [`Settings`], collecting every problem on the way.

use std::{collections::BTreeMap, path::Path};

use config::{Config, Environment, File, FileFormat};
use jiff::tz::TimeZone;
use serde_json::Value;

use super::{
    ConfigErrors, ConfigProblem, Secret, Settings, keys,
    settings::{
        AgentSettings, ApiSettings, CheckpointSettings, DecaySettings, DoctorSettings, HeartbeatSettings,
        HttpSettings, InboxSettings, JobSettings, LedgerSettings, LogFormat, LogSettings, OrgSettings,
        PolicySettings, PromotionSettings, ReconcileSettings, StreamSettings, SweepSettings, WatchSettings,
    },
    timetable::Timetable,
    users,
};

/// Read when no file is named and this one exists.
pub const DEFAULT_FILE: &str = "config/countersign.toml";

const PREFIX: &str = "COUNTERSIGN";

/// Fewest characters of a password that people on the network may try.
const LEAST_PASSWORD: usize = 12;

/// Reads the defaults, the file at `path` (or [`DEFAULT_FILE`] when it exists) and the environment.
pub fn load(path: Option<&Path>) -> Result<Settings, ConfigErrors> {
    load_from(path, None)
}

/// As [`load`], with these variables in place of the process's environment.
pub fn load_from(
    path: Option<&Path>,
    environment: Option<BTreeMap<String, String>>,
) -> Result<Settings, ConfigErrors> {
    let file = path.or_else(|| Some(Path::new(DEFAULT_FILE)).filter(|default| default.exists()));
    let merged = merge(file, environment).map_err(|problem| ConfigErrors(vec![problem]))?;
    let mut keys = Keys { values: BTreeMap::new(), problems: Vec::new() };
    keys.take(&merged, String::new());
    let settings = keys.settings();
    keys.problems.sort();
    match settings {
        Some(settings) if keys.problems.is_empty() => Ok(settings),
        _ => Err(ConfigErrors(keys.problems)),
    }
}

/// The section `policy` alone, for a look at the policies although other settings are wrong.
pub fn policy_settings(path: Option<&Path>) -> PolicySettings {
    let file = path.or_else(|| Some(Path::new(DEFAULT_FILE)).filter(|default| default.exists()));
    let merged = merge(file, None).unwrap_or_default();
    let folder = |key: &str| {
        let folder = merged.pointer(key)?.as_str()?;
        Some(folder).filter(|folder| !folder.trim().is_empty()).map(Into::into)
    };
    let [directory, contracts, ownership] =
        ["/policy/directory", "/policy/contracts", "/policy/ownership"].map(folder);
    PolicySettings { directory, contracts, ownership }
}

/// The password of the ledger's database alone, for commands that need nothing else of the settings.
pub fn ledger_password(path: Option<&Path>) -> Option<Secret> {
    let file = path.or_else(|| Some(Path::new(DEFAULT_FILE)).filter(|default| default.exists()));
    let merged = merge(file, None).unwrap_or_default();
    let text = |key: &str| merged.pointer(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let given = text("/ledger/password").map(|password| Secret::new(password.to_owned()));
    given.or_else(|| text("/ledger/password_path").and_then(first_line))
}

/// What stands in a file, without the end of its line.
fn first_line(path: &str) -> Option<Secret> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().next().map(|line| Secret::new(line.to_owned()))
}

fn merge(file: Option<&Path>, environment: Option<BTreeMap<String, String>>) -> Result<Value, ConfigProblem> {
    let variables = Environment::with_prefix(PREFIX)
        .prefix_separator("__")
        .separator("__")
        .ignore_empty(true)
        .source(environment.map(|variables| variables.into_iter().collect()));
    let mut layers = Config::builder();
    for key in keys::KEYS {
        if let Some(default) = key.default {
            layers = layers.set_default(key.path, default).map_err(|error| unreadable(file, &error))?;
        }
    }
    if let Some(file) = file {
        layers = layers.add_source(File::from(file).format(FileFormat::Toml));
    }
    let merged = layers.add_source(variables).build().map_err(|error| unreadable(file, &error))?;
    merged.try_deserialize().map_err(|error| unreadable(file, &error))
}

fn unreadable(file: Option<&Path>, error: &config::ConfigError) -> ConfigProblem {
    let name = file.map_or_else(String::new, |file| format!("{}: ", file.display()));
    ConfigProblem {
        key: String::new(),
        code: "settings-file-unreadable",
        message: format!("{name}{error}"),
        expected: "a readable TOML file".to_owned(),
        fix: "correct the file or name another one with --config".to_owned(),
    }
}

/// The merged values by path, and the problems found so far.
pub(super) struct Keys {
    values: BTreeMap<String, String>,
    pub(super) problems: Vec<ConfigProblem>,
}

impl Keys {
    fn take(&mut self, value: &Value, path: String) {
        match value {
            Value::Object(table) => {
                for (name, inner) in table {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    self.take(inner, path);
                }
            }
            Value::Null => {}
            _ => self.take_leaf(value, path),
        }
    }

    fn take_leaf(&mut self, value: &Value, path: String) {
        if keys::find(&path).is_none() {
            let fix = keys::nearest(&path)
                .map_or("remove it; config/README.md lists every key".to_owned(), |near| {
                    format!("did you mean `{near}`?")
                });
            let message = "no such key".to_owned();
            self.problems.push(ConfigProblem {
                key: path,
                code: "key-unknown",
                message,
                expected: String::new(),
                fix,
            });
            return;
        }
        match value {
            Value::String(text) => {
                self.values.insert(path, text.clone());
            }
            Value::Bool(_) | Value::Number(_) => {
                self.values.insert(path, value.to_string());
            }
            Value::Array(list) if keys::find(&path).is_some_and(|key| key.expected == keys::USERS) => {
                match users::joined(list) {
                    Some(text) => drop(self.values.insert(path, text)),
                    None => self.malformed(&path, "the list holds something else than texts"),
                }
            }
            _ => self.malformed(&path, "a list or a table stands here"),
        }
    }

    fn settings(&mut self) -> Option<Settings> {
        let org = self.org();
        let promoter = super::settings_credentials::credentials(self, "promoter");
        if promoter.is_none() && !self.has_table("promoter") {
            self.missing("promoter.kind", "the promoter's login is not set");
        }
        let proposer = super::settings_credentials::credentials(self, "proposer");
        let http = HttpSettings { listen: self.listen(), console_password: self.console_password() };
        let promotion = PromotionSettings {
            batch_rows: usize::try_from(self.number("promotion.batch_rows", 1, 200)).unwrap_or(200),
            batches_per_call: usize::try_from(self.number("promotion.batches_per_call", 1, 5)).unwrap_or(5),
            linger_ms: self.number("promotion.linger_ms", 0, 60_000),
            timeout_ms: self.number("promotion.timeout_ms", 1_000, 600_000),
        };
        let stream =
            StreamSettings { late_after_seconds: self.number("stream.late_after_seconds", 1, 86_400) };
        let api = ApiSettings {
            keep_free_percent: self.number("api.keep_free_percent", 0, 90),
            look_again_seconds: self.number("api.look_again_seconds", 1, 3_600),
        };
        let sweep = SweepSettings { every_seconds: self.number("sweep.every_seconds", 1, 86_400) };
        let decay = self.decay();
        let reconcile = self.reconcile();
        let jobs = self.jobs();
        let heartbeat =
            HeartbeatSettings { every_minutes: self.optional_number("heartbeat.every_minutes", 1, 1_440) };
        let shadow = self.shadow();
        let watch = self.watch();
        let log = self.log();
        let checkpoint = self.checkpoint();
        Some(Settings {
            org,
            promoter: promoter?,
            proposer,
            ledger: self.ledger(),
            inbox: self.inbox(),
            policy: PolicySettings {
                directory: self.text("policy.directory").map(Into::into),
                contracts: self.text("policy.contracts").map(Into::into),
                ownership: self.text("policy.ownership").map(Into::into),
            },
            checkpoint,
            http,
            promotion,
            sweep,
            stream,
            api,
            decay,
            reconcile,
            jobs,
            shadow,
            heartbeat,
            watch,
            agents: AgentSettings { allow_unguarded: self.flag("agents.allow_unguarded") },
            doctor: DoctorSettings { access_token: self.secret("doctor.access_token") },
            log,
        })
    }

    fn ledger(&mut self) -> LedgerSettings {
        let mut password = self.secret("ledger.password");
        if let Some(path) = self.text("ledger.password_path") {
            super::settings_credentials::check_private(self, "ledger.password_path", Path::new(&path));
            password = password.or_else(|| first_line(&path));
        }
        let path = self.text("ledger.path").unwrap_or_default();
        if url::Url::parse(&path).is_ok_and(|url| url.password().is_some()) {
            // So that it is not shown.
            self.values.remove("ledger.path");
            self.malformed("ledger.path", "it holds a password, which belongs in ledger.password_path");
        }
        LedgerSettings { path, password, lease_seconds: self.number("ledger.lease_seconds", 3, 600) }
    }

    fn console_password(&mut self) -> Option<Secret> {
        let path = self.text("http.console_password_file")?;
        super::settings_credentials::check_private(self, "http.console_password_file", Path::new(&path));
        let password = first_line(&path).unwrap_or_else(|| Secret::new(String::new()));
        if password.expose().chars().count() < LEAST_PASSWORD {
            self.malformed("http.console_password_file", "its first line has fewer than 12 characters");
        }
        Some(password)
    }

    fn inbox(&mut self) -> InboxSettings {
        let days = self.optional_number("inbox.keep_days", 1, 3650);
        InboxSettings { keep_days: days.and_then(|days| u32::try_from(days).ok()) }
    }

    fn decay(&mut self) -> DecaySettings {
        DecaySettings {
            objection_hours: self.number("decay.objection_hours", 0, 720),
            most_records: usize::try_from(self.number("decay.most_records", 1, 20_000)).unwrap_or(2_000),
        }
    }

    fn reconcile(&mut self) -> ReconcileSettings {
        ReconcileSettings {
            bulk_above: self.number("reconcile.bulk_above", 0, 1_000_000_000),
            grace_seconds: self.number("reconcile.grace_seconds", 0, 3_600),
            proof_minutes: self.number("reconcile.proof_minutes", 1, 1_440),
            stuck_after_hours: self.number("reconcile.stuck_after_hours", 1, 8_760),
            rates_days: u32::try_from(self.number("reconcile.rates_days", 1, 3_650)).unwrap_or(90),
        }
    }

    fn jobs(&mut self) -> JobSettings {
        let zone = self.text("jobs.time_zone").unwrap_or_else(|| "UTC".to_owned());
        let zone = TimeZone::get(&zone).unwrap_or_else(|_| {
            self.malformed("jobs.time_zone", "no such time zone is known");
            TimeZone::UTC
        });
        JobSettings {
            decay: self.timetable("jobs.decay", &zone),
            reconcile: self.timetable("jobs.reconcile", &zone),
            drift: self.timetable("jobs.drift", &zone),
            shadow: self.timetable("jobs.shadow", &zone),
            approvers: self.timetable("jobs.approvers", &zone),
            inbox_retention: self.timetable("jobs.inbox_retention", &zone),
        }
    }

    fn watch(&mut self) -> WatchSettings {
        WatchSettings {
            every_seconds: self.number("watch.every_seconds", 1, 3_600),
            job_late_minutes: self.number("watch.job_late_minutes", 1, 10_080),
            growth_times: self.number("watch.growth_times", 2, 1_000),
            entries_per_day: self.number("watch.entries_per_day", 1, 1_000_000_000),
            silent_hours: self.number("watch.silent_hours", 0, 8_760),
            disk_free_mb: self.number("watch.disk_free_mb", 0, 1_000_000_000),
        }
    }

    fn timetable(&mut self, key: &'static str, zone: &TimeZone) -> Option<Timetable> {
        match Timetable::parse(&self.text(key)?, zone.clone()) {
            Ok(timetable) => Some(timetable),
            Err(problem) => {
                self.malformed(key, &problem);
                None
            }
        }
    }

    fn checkpoint(&mut self) -> Option<CheckpointSettings> {
        let every_seconds = self.number("checkpoint.every_seconds", 1, 86_400);
        let path = self.text("checkpoint.path").map(std::path::PathBuf::from);
        let key = self.text("checkpoint.private_key_path").map(std::path::PathBuf::from);
        if let Some(key) = &key {
            super::settings_credentials::check_key_file(self, "checkpoint", key);
        }
        if path.is_some() && key.is_none() {
            self.missing("checkpoint.private_key_path", "checkpoints are signed");
        }
        let anchor_every_seconds = self.number("checkpoint.anchor_every_seconds", 0, 31_536_000);
        let former_keys_path = self.text("checkpoint.former_keys_path").map(std::path::PathBuf::from);
        Some(CheckpointSettings {
            path: path?,
            private_key_path: key?,
            every_seconds,
            anchor_every_seconds,
            former_keys_path,
        })
    }

    fn org(&mut self) -> OrgSettings {
        let ca_pem_path = self.text("org.ca_pem_path").map(std::path::PathBuf::from);
        if ca_pem_path.as_ref().is_some_and(|path| !path.is_file()) {
            self.malformed("org.ca_pem_path", "there is no such file");
        }
        OrgSettings {
            login_url: self.url("org.login_url", true).unwrap_or_default(),
            instance_url: self.url("org.instance_url", false),
            pubsub_endpoint: self.endpoint(),
            api_version: self.api_version(),
            ca_pem_path,
            org_id: self.org_id(),
            production: self.flag("org.production"),
        }
    }

    fn url(&mut self, key: &'static str, required: bool) -> Option<String> {
        let Some(text) = self.text(key) else {
            if required {
                self.missing(key, "where to log in is not set");
            }
            return None;
        };
        match check_url(&text) {
            Ok(origin) => Some(origin),
            Err(why) => {
                self.malformed(key, why);
                None
            }
        }
    }

    fn endpoint(&mut self) -> String {
        let text = self.text("org.pubsub_endpoint").unwrap_or_default();
        let full = if text.contains("://") { text.clone() } else { format!("https://{text}") };
        if let Err(why) = check_url(&full) {
            self.malformed("org.pubsub_endpoint", why);
        }
        text
    }

    fn api_version(&mut self) -> String {
        let text = self.text("org.api_version").unwrap_or_default();
        let number = text.strip_suffix(".0").and_then(|number| number.parse::<u32>().ok());
        if !number.is_some_and(|number| (62..=68).contains(&number)) {
            self.malformed("org.api_version", "this version is not supported");
        }
        text
    }

    fn org_id(&mut self) -> Option<String> {
        let text = self.text("org.org_id")?;
        if text.len() != 18
            || !text.starts_with("00D")
            || !text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            self.malformed("org.org_id", "this is not an org id");
        }
        Some(text)
    }

    fn listen(&mut self) -> Option<std::net::SocketAddr> {
        let text = self.text("http.listen")?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.malformed("http.listen", "this is not an address");
        }
        parsed
    }

    fn log(&mut self) -> LogSettings {
        let format = match self.text("log.format").as_deref() {
            Some("json") => LogFormat::Json,
            Some("text") => LogFormat::Text,
            _ => {
                self.malformed("log.format", "this form is not known");
                LogFormat::Text
            }
        };
        LogSettings { format, level: self.text("log.level").unwrap_or_default() }
    }

    fn flag(&mut self, key: &'static str) -> bool {
        match self.text(key).as_deref() {
            Some("true") => true,
            Some("false") | None => false,
            _ => {
                self.malformed(key, "this is neither true nor false");
                false
            }
        }
    }

    fn number(&mut self, key: &'static str, least: u64, most: u64) -> u64 {
        let text = self.text(key).unwrap_or_default();
        match text.parse() {
            Ok(number) if (least..=most).contains(&number) => number,
            _ => {
                self.malformed(key, "this is not a number in the range");
                least
            }
        }
    }

    /// The same for a key without a default.
    fn optional_number(&mut self, key: &'static str, least: u64, most: u64) -> Option<u64> {
        let set = self.text(key).is_some();
        set.then(|| self.number(key, least, most))
    }

    /// The value at a key; an empty text counts as not set.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        debug_assert!(keys::find(key).is_some(), "{key} must stand in KEYS");
        self.values.get(key).filter(|text| !text.trim().is_empty()).cloned()
    }

    pub(super) fn secret(&self, key: &str) -> Option<Secret> {
        self.text(key).map(Secret::new)
    }

    pub(super) fn has_table(&self, table: &str) -> bool {
        let prefix = format!("{table}.");
        self.values.keys().any(|key| key.starts_with(&prefix))
    }

    pub(super) fn missing(&mut self, key: &str, why: &str) {
        let variable = format!("{PREFIX}__{}", key.replace('.', "__").to_uppercase());
        self.push(key, "key-missing", why, format!("set it in the file or as {variable}"));
    }

    pub(super) fn malformed(&mut self, key: &str, why: &str) {
        self.push(key, "value-malformed", why, "correct it".to_owned());
    }

    pub(super) fn push(&mut self, key: &str, code: &'static str, message: &str, fix: String) {
        let known = keys::find(key);
        let shown = self.values.get(key).filter(|_| known.is_some_and(|known| !known.secret));
        let message = match shown {
            Some(value) => format!("{message} (`{}`)", value.escape_debug()),
            None => message.to_owned(),
        };
        let expected = known.map_or_else(String::new, |known| known.expected.to_owned());
        self.problems.push(ConfigProblem { key: key.to_owned(), code, message, expected, fix });
    }
}

/// The origin of a URL that may be talked to.
fn check_url(text: &str) -> Result<String, &'static str> {
    let url = url::Url::parse(text).map_err(|_| "this is not a URL")?;
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => return Err("there is no host in it"),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => return Err("plain http would send the token in the open"),
        _ => return Err("this scheme is not supported"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL must not carry a login");
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err("there is something after the host");
    }
    Ok(url.origin().ascii_serialization())
}
