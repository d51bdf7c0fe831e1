//! One identity's connection to one org: the token, the requests and their count.

use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use backon::{ExponentialBuilder, Retryable as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::{
    Credentials, LimitInfo, SalesforceError,
    auth::{self, TokenReply},
    classify::Class,
    endpoint,
    exchange::{Exchange, Http},
    limits, names,
    reply::{Reply, broken},
};
use crate::{
    clock::Clock,
    crash,
    domain::{RecordId, value::parse_moment},
    telemetry,
};

/// How long a refused login is not tried again.
const REFUSED_FOR: Duration = Duration::from_secs(15);

/// What a [`Connection`] is made from.
#[derive(Debug, Clone)]
pub struct ConnectionSettings {
    /// Where tokens are asked for.
    pub login_url: String,
    /// The only place that a token may be for; absent: Salesforce's own hosts.
    pub instance_url: Option<String>,
    /// REST API version, for example `67.0`.
    pub api_version: String,
    /// How to log in.
    pub credentials: Credentials,
    /// 18-character id that the org must have.
    pub org_id: Option<String>,
    /// PEM of a certificate authority to trust besides the machine's.
    pub ca_pem: Option<Vec<u8>>,
    /// How long one call may take.
    pub timeout: Duration,
    /// The time, for assertions.
    pub clock: Clock,
}

/// Who a connection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user's id.
    pub user_id: RecordId,
    /// The user's name for logins.
    pub username: String,
    /// 18-character org id.
    pub org_id: String,
    /// Base URL of the org.
    pub instance_url: String,
}

/// One identity: a cached token, one login at a time, and a count of calls.
#[derive(Debug, Clone)]
pub struct Connection(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Makes requests; `exchange` carries them.
    http: reqwest::Client,
    exchange: Arc<dyn Exchange>,
    /// Pauses between tries last no time: whoever carries the requests has a clock of its own.
    hurried: bool,
    settings: ConnectionSettings,
    /// Held during a login, so that many refused requests make one login.
    token: tokio::sync::Mutex<Option<Token>>,
    /// The last refusal of a login: asking again at once only locks the user out.
    refused: Mutex<Option<(Instant, SalesforceError)>>,
    calls: AtomicU64,
    limits: Mutex<Option<LimitInfo>>,
    /// The org of the first login.
    org: OnceLock<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub secret: SecretString,
    pub instance_url: String,
    pub org_id: Option<String>,
}

/// One request below the org's base URL.
#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    pub method: reqwest::Method,
    pub path: &'a str,
    pub query: Option<(&'a str, &'a str)>,
    pub body: Option<&'a Value>,
    /// Only where nobody has changed the record after this.
    pub unmodified_since: Option<jiff::Timestamp>,
}

impl<'a> Call<'a> {
    pub fn get(path: &'a str) -> Self {
        Self { method: reqwest::Method::GET, path, query: None, body: None, unmodified_since: None }
    }

    pub fn with_body(method: reqwest::Method, path: &'a str, body: &'a Value) -> Self {
        Self { method, path, query: None, body: Some(body), unmodified_since: None }
    }
}

impl Connection {
    /// Checks the settings; logs in at the first call.
    pub fn new(settings: ConnectionSettings) -> Result<Self, SalesforceError> {
        let http = client(&settings)?;
        Self::joined(settings, http.clone(), Arc::new(Http(http)), false)
    }

    /// The same over something else than the network, without pauses between tries.
    pub fn over(settings: ConnectionSettings, exchange: Arc<dyn Exchange>) -> Result<Self, SalesforceError> {
        let http = client(&settings)?;
        Self::joined(settings, http, exchange, true)
    }

    fn joined(
        mut settings: ConnectionSettings,
        http: reqwest::Client,
        exchange: Arc<dyn Exchange>,
        hurried: bool,
    ) -> Result<Self, SalesforceError> {
        settings.login_url = endpoint::origin(&settings.login_url)?;
        if let Some(instance) = &settings.instance_url {
            settings.instance_url = Some(endpoint::origin(instance)?);
        }
        Ok(Self(Arc::new(Inner {
            http,
            exchange,
            hurried,
            settings,
            token: tokio::sync::Mutex::new(None),
            refused: Mutex::new(None),
            calls: AtomicU64::new(0),
            limits: Mutex::new(None),
            org: OnceLock::new(),
        })))
    }

    /// Who this is, by asking the org.
    pub async fn identity(&self) -> Result<Identity, SalesforceError> {
        let reply = self.read(&Call::get("/services/oauth2/userinfo")).await?;
        let text = |name: &str| reply.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let unreadable = |name: &str| SalesforceError::Unreadable {
            status: 200,
            detail: format!("userinfo has no usable `{name}`"),
        };
        let user_id = RecordId::complete(&text("user_id")).map_err(|_| unreadable("user_id"))?;
        Ok(Identity {
            user_id: RecordId::parse(&user_id).map_err(|_| unreadable("user_id"))?,
            username: text("preferred_username"),
            org_id: RecordId::complete(&text("organization_id"))
                .map_err(|_| unreadable("organization_id"))?,
            instance_url: self.token().await?.instance_url,
        })
    }

    /// API calls made so far; token calls are not counted.
    pub fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::Relaxed)
    }

    /// The last limits that a reply told.
    pub fn limits(&self) -> Option<LimitInfo> {
        *self.0.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for the limits; costs one call. Any reply tells them, also a refusal.
    pub async fn ask_limits(&self) -> Result<(), SalesforceError> {
        let path = self.data("limits");
        match self.send(&Call::get(&path)).await?.json() {
            Err(error) if error.salesforce_code() != Some("REQUEST_LIMIT_EXCEEDED") => Err(error),
            _ => Ok(()),
        }
    }

    /// A refusal for the day's limit says that nothing is left, whatever the header of an earlier
    /// reply said.
    fn note_refusal(&self, reply: &Reply) {
        if reply.status != 403 || !matches!(reply.error().class(), Class::Pause) {
            return;
        }
        if reply.error().salesforce_code() == Some("REQUEST_LIMIT_EXCEEDED") {
            let mut limits = self.0.limits.lock().unwrap_or_else(PoisonError::into_inner);
            let max = limits.map_or(1, |limits| limits.max);
            let used = limits.map_or(max, |limits| limits.used.max(max));
            *limits = Some(LimitInfo { used, max });
        }
    }

    /// How long to pause where this would be usual.
    pub(super) fn pause(&self, usual: Duration) -> Duration {
        if self.0.hurried { Duration::ZERO } else { usual }
    }

    /// Pauses between repeated reads: at least 200 ms, with jitter, at most four repeats.
    fn patience(&self) -> ExponentialBuilder {
        ExponentialBuilder::default()
            .with_min_delay(self.pause(Duration::from_millis(200)))
            .with_max_delay(self.pause(Duration::from_secs(5)))
            .with_max_times(4)
            .with_jitter()
    }

    /// A path below the version: `data("query")` is `/services/data/v67.0/query`.
    pub(super) fn data(&self, rest: &str) -> String {
        format!("/services/data/v{}/{rest}", self.0.settings.api_version)
    }

    /// A request that changes nothing: made again, with growing pauses, on errors that pass.
    pub(super) async fn read(&self, call: &Call<'_>) -> Result<Value, SalesforceError> {
        (|| async { self.send(call).await?.json() })
            .retry(self.patience())
            .when(SalesforceError::read_again)
            .await
    }

    /// The same where the reply is more than JSON. A refusal is an error.
    pub(super) async fn read_reply(&self, call: &Call<'_>) -> Result<Reply, SalesforceError> {
        let sent = || async {
            let reply = self.send(call).await?;
            if reply.is_success() { Ok(reply) } else { Err(reply.error()) }
        };
        sent.retry(self.patience()).when(SalesforceError::read_again).await
    }

    /// A request, sent once, or twice when the first token was refused (a refused token proves
    /// that nothing was applied).
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Reply, SalesforceError> {
        let token = self.token().await.map_err(before_sending)?;
        let reply = self.attempt(call, &token).await?;
        if !reply.asks_for_login() || !self.0.settings.credentials.renewable() {
            return Ok(reply);
        }
        self.forget(&token.secret).await;
        let token = self.token().await.map_err(before_sending)?;
        self.attempt(call, &token).await
    }

    async fn attempt(&self, call: &Call<'_>, token: &Token) -> Result<Reply, SalesforceError> {
        let url = format!("{}{}", token.instance_url, call.path);
        let mut request = self
            .0
            .http
            .request(call.method.clone(), url)
            .bearer_auth(token.secret.expose_secret())
            // Not documented for collections and composite; where it is not honoured, our own
            // change events are told by the mark alone.
            .header("Sforce-Call-Options", format!("client={}", names::CLIENT))
            .header("Sforce-Auto-Assign", "FALSE")
            .header("Sforce-Mru", "updateMru=false");
        if let Some(since) = call.unmodified_since {
            let date = since.to_zoned(jiff::tz::TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT");
            request = request.header("If-Unmodified-Since", date.to_string());
        }
        if let Some((name, value)) = call.query {
            request = request.query(&[(name, value)]);
        }
        if let Some(body) = call.body {
            request = request.json(body);
        }
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        let started = Instant::now();
        crash::pass(crash::REQUEST).await;
        let received = match self.exchange(request, &token.instance_url).await {
            Ok(response) => {
                self.note_limits(&response);
                Reply::receive(response, &token.instance_url).await
            }
            Err(error) => Err(error),
        };
        crash::pass(crash::REPLY).await;
        if let Ok(reply) = &received {
            self.note_refusal(reply);
        }
        let result = match &received {
            Ok(reply) if reply.is_success() => "ok",
            Ok(_) => "salesforce-refused",
            Err(error) => error.code(),
        };
        metrics::histogram!(telemetry::SALESFORCE_CALL_SECONDS).record(started.elapsed());
        metrics::counter!(telemetry::SALESFORCE_CALLS, "result" => result).increment(1);
        received
    }

    async fn exchange(
        &self,
        request: reqwest::RequestBuilder,
        host: &str,
    ) -> Result<reqwest::Response, SalesforceError> {
        let request = request.build().map_err(|error| broken(host, &error))?;
        self.0.exchange.exchange(request, host).await
    }

    fn note_limits(&self, response: &reqwest::Response) {
        let header = response.headers().get("sforce-limit-info").and_then(|header| header.to_str().ok());
        if let Some(told) = header.and_then(limits::parse) {
            *self.0.limits.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
            metrics::gauge!(telemetry::SALESFORCE_API_USED).set(told.used as f64);
            metrics::gauge!(telemetry::SALESFORCE_API_MAX).set(told.max as f64);
        }
    }

    /// The token in use; logs in when there is none.
    pub(super) async fn token(&self) -> Result<Token, SalesforceError> {
        let mut slot = self.0.token.lock().await;
        if let Some(token) = slot.as_ref() {
            return Ok(token.clone());
        }
        self.still_refused()?;
        let login = self.log_in().await;
        if let Err(error @ SalesforceError::LoginRefused { .. }) = &login {
            *self.0.refused.lock().unwrap_or_else(PoisonError::into_inner) =
                Some((Instant::now(), error.clone()));
        }
        let result = login.as_ref().map_or_else(SalesforceError::code, |_| "ok");
        metrics::counter!(telemetry::SALESFORCE_LOGINS, "result" => result).increment(1);
        let token = login?;
        *slot = Some(token.clone());
        Ok(token)
    }

    fn still_refused(&self) -> Result<(), SalesforceError> {
        match self.0.refused.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            Some((at, error)) if at.elapsed() < REFUSED_FOR => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Forgets a token that was refused, unless a newer one is already in place.
    pub(super) async fn forget(&self, refused: &SecretString) {
        let mut slot = self.0.token.lock().await;
        let same = slot.as_ref().is_some_and(|token| token.secret.expose_secret() == refused.expose_secret());
        if same && self.0.settings.credentials.renewable() {
            *slot = None;
        }
    }

    async fn log_in(&self) -> Result<Token, SalesforceError> {
        let settings = &self.0.settings;
        if let Credentials::AccessToken { access_token } = &settings.credentials {
            let instance_url = settings.instance_url.clone().unwrap_or_else(|| settings.login_url.clone());
            // An access token starts with the org's 15-character id.
            let org_id = access_token
                .expose_secret()
                .split_once('!')
                .and_then(|(org, _)| RecordId::complete(org).ok());
            return self.checked(Token { secret: access_token.clone(), instance_url, org_id });
        }
        let first = self.ask_token(settings.clock.now()).await;
        match first {
            Err((error, Some(server_time))) if auth::is_clock_skew(&error) => {
                self.ask_token(server_time).await.map_err(|(error, _)| error)
            }
            other => other.map_err(|(error, _)| error),
        }
    }

    /// One login as of `now`; a refusal also tells the server's time.
    async fn ask_token(
        &self,
        now: jiff::Timestamp,
    ) -> Result<Token, (SalesforceError, Option<jiff::Timestamp>)> {
        let asked =
            (|| self.post_token(now)).retry(self.patience()).when(|(error, _)| error.read_again()).await?;
        let settings = &self.0.settings;
        let checked =
            endpoint::instance(&asked.instance_url, settings.instance_url.as_deref(), &settings.login_url)
                .and_then(|instance_url| {
                    let org_id = asked.id.as_deref().and_then(org_of);
                    self.checked(Token { secret: asked.access_token, instance_url, org_id })
                });
        checked.map_err(|error| (error, None))
    }

    async fn post_token(
        &self,
        now: jiff::Timestamp,
    ) -> Result<TokenReply, (SalesforceError, Option<jiff::Timestamp>)> {
        let settings = &self.0.settings;
        let form = settings.credentials.form(&settings.login_url, now).map_err(|error| (error, None))?;
        let url = format!("{}/services/oauth2/token", settings.login_url);
        let request = self.0.http.post(url).form(&form.unwrap_or_default());
        crash::pass(crash::REQUEST).await;
        let sent = self.exchange(request, &settings.login_url).await;
        crash::pass(crash::REPLY).await;
        let response = sent.map_err(|error| (error, None))?;
        let date = response
            .headers()
            .get(reqwest::header::DATE)
            .and_then(|date| date.to_str().ok())
            .and_then(http_date);
        let reply = Reply::receive(response, &settings.login_url).await.map_err(|error| (error, None))?;
        if !reply.is_success() {
            let error =
                auth::refusal(&reply.body).filter(|_| reply.status < 500).unwrap_or_else(|| reply.error());
            return Err((error, date));
        }
        serde_json::from_slice(&reply.body).map_err(|_| {
            let detail = "the token reply has no access_token or no instance_url".to_owned();
            (SalesforceError::Unreadable { status: reply.status, detail }, None)
        })
    }

    fn checked(&self, token: Token) -> Result<Token, SalesforceError> {
        let Some(found) = &token.org_id else { return Ok(token) };
        let wrong = |expected: &str, why: &str| SalesforceError::WrongInstance {
            found: found.clone(),
            expected: format!("the org {expected} ({why})"),
        };
        if let Some(expected) = self.0.settings.org_id.as_ref().filter(|expected| *expected != found) {
            return Err(wrong(expected, "org.org_id"));
        }
        // A refreshed sandbox keeps its name and gets another id: what is known of the old one does
        // not hold for it.
        let first = self.0.org.get_or_init(|| found.clone());
        if first == found { Ok(token) } else { Err(wrong(first, "the first login")) }
    }
}

fn client(settings: &ConnectionSettings) -> Result<reqwest::Client, SalesforceError> {
    let unusable = |what: String| SalesforceError::Setup {
        what,
        fix: "org.ca_pem_path must name a PEM file with certificates",
    };
    let mut client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(settings.timeout)
        .connect_timeout(settings.timeout.min(Duration::from_secs(10)))
        .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")));
    if let Some(pem) = &settings.ca_pem {
        let authorities = reqwest::Certificate::from_pem_bundle(pem)
            .map_err(|error| unusable(format!("the certificate authority cannot be read: {error}")))?;
        if authorities.is_empty() {
            return Err(unusable("the certificate authority's file holds no certificate".to_owned()));
        }
        for authority in authorities {
            client = client.add_root_certificate(authority);
        }
    }
    client.build().map_err(|error| unusable(format!("no HTTPS client can be made: {error}")))
}

/// A login that got no clear answer proves that the request itself was never sent.
fn before_sending(error: SalesforceError) -> SalesforceError {
    match error {
        SalesforceError::NoReply { host, detail } => SalesforceError::NotSent { host, detail },
        SalesforceError::Unreadable { status, .. } | SalesforceError::Refused { status, .. } => {
            let detail = format!("the token endpoint answered {status}");
            SalesforceError::NotSent { host: "the login URL".to_owned(), detail }
        }
        other => other,
    }
}

/// The org in an identity URL: `<host>/id/<org>/<user>`.
fn org_of(id: &str) -> Option<String> {
    let mut parts = id.trim_end_matches('/').rsplit('/');
    let _user = parts.next()?;
    RecordId::complete(parts.next()?).ok()
}

fn http_date(text: &str) -> Option<jiff::Timestamp> {
    let parsed = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text);
    parsed.ok().or_else(|| parse_moment(text))
}
