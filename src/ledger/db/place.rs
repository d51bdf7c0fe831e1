//! Where a ledger is: a file, or a database on a server.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use crate::ledger::LedgerError;

/// Where a ledger is.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL database; each org has its own schema in it.
    Server(Box<Server>),
}

/// A database on a server.
#[derive(Clone)]
pub struct Server {
    /// Without a password.
    url: Url,
    /// The org, where the URL names one (`?org=`).
    org: Option<String>,
    password: Option<SecretString>,
}

impl PartialEq for Server {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url && self.org == other.org
    }
}

impl Eq for Server {}

impl Place {
    /// Reads a path or a URL (`postgres://` or `postgresql://`). A URL with a password in it is
    /// refused, because command lines and settings are seen by others.
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Ok(Self::File(PathBuf::from(text)));
        }
        let refused = |reason: &str| LedgerError::Place(reason.to_owned());
        let mut url = Url::parse(text).map_err(|error| LedgerError::Place(error.to_string()))?;
        let pairs = url.query_pairs().into_owned();
        let (ours, theirs) = pairs.partition::<Vec<_>, _>(|(key, _)| key == "org");
        if url.password().is_some() || theirs.iter().any(|(key, _)| key == "password") {
            return Err(refused("it holds a password: set ledger.password_path or ledger.password instead"));
        }
        url.set_query(None);
        if !theirs.is_empty() {
            url.query_pairs_mut().extend_pairs(&theirs);
        }
        let org = ours.into_iter().next().map(|(_, org)| org);
        if org.as_deref().is_some_and(|org| schema_of(org).is_none()) {
            return Err(refused("`org` is no 18-character org id"));
        }
        let server = Server { url, org, password: None };
        server.options()?;
        Ok(Self::Server(Box::new(server)))
    }

    /// The same with a password, which a file does not need.
    #[must_use]
    pub fn with_password(mut self, password: Option<SecretString>) -> Self {
        if let Self::Server(server) = &mut self {
            server.password = password;
        }
        self
    }

    /// The file, when it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Server(_) => None,
        }
    }

    /// Whether nothing is there yet. A server is asked only when it is opened.
    pub fn is_absent_file(&self) -> bool {
        self.file().is_some_and(|path| !path.exists())
    }
}

impl Server {
    /// The org that the URL names.
    pub(in crate::ledger) fn org(&self) -> Option<&str> {
        self.org.as_deref()
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        self.url.to_string()
    }

    /// What the driver is told. Beyond this machine the server must prove who it is, unless the URL
    /// says otherwise (`sslmode`).
    pub(super) fn options(&self) -> Result<PgConnectOptions, LedgerError> {
        let options: PgConnectOptions =
            self.url.as_str().parse().map_err(|error: sqlx::Error| LedgerError::Place(error.to_string()))?;
        let asked = self.url.query_pairs().any(|(key, _)| matches!(&*key, "sslmode" | "ssl-mode"));
        let options = match (asked, self.is_near(&options)) {
            (false, false) => options.ssl_mode(PgSslMode::VerifyFull),
            _ => options,
        };
        Ok(match &self.password {
            Some(password) => options.password(password.expose_secret()),
            None => options,
        })
    }

    /// A unix socket, or this machine's loopback.
    fn is_near(&self, options: &PgConnectOptions) -> bool {
        let host = options.get_host();
        options.get_socket().is_some()
            || host.starts_with('/')
            || matches!(host, "localhost" | "127.0.0.1" | "::1" | "[::1]")
    }
}

/// The schema of an org's ledger; `None` for what is no org id. Ids of 18 characters differ
/// also when their case is taken away.
pub(in crate::ledger) fn schema_of(org_id: &str) -> Option<String> {
    let fits = org_id.len() == 18 && org_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then(|| format!("{SCHEMAS}{}", org_id.to_ascii_lowercase()))
}

/// What the names of all such schemas begin with.
pub(in crate::ledger) const SCHEMAS: &str = "countersign_";

impl From<PathBuf> for Place {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(out),
            Self::Server(server) => server.url.fmt(out),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> PgSslMode {
        let Place::Server(server) = Place::parse(url).unwrap() else { panic!("{url} is a server") };
        server.options().unwrap().get_ssl_mode()
    }

    #[test]
    fn paths_and_urls_are_told_apart() {
        assert_eq!(Place::parse("/srv/ledger.db").unwrap(), Place::File("/srv/ledger.db".into()));
        assert_eq!(Place::parse("ledger.db").unwrap().to_string(), "ledger.db");
        let place = Place::parse("postgres://daemon@db.example/ledgers?org=00D000000000001EAA").unwrap();
        let place = place.with_password(Some(SecretString::from("canary")));
        assert_eq!(format!("{place} {place:?}").matches("canary").count(), 0);
        let Place::Server(server) = place else { panic!() };
        assert_eq!(server.org(), Some("00D000000000001EAA"));
    }

    #[test]
    fn passwords_in_urls_and_odd_orgs_are_refused() {
        for url in [
            "postgres://daemon:canary@db.example/ledgers",
            "postgres://db.example/ledgers?user=daemon&password=canary",
            "postgres://db.example/ledgers?org=other;DROP",
            "postgres://db.example/ledgers?sslmode=perhaps",
        ] {
            let error = Place::parse(url).unwrap_err();
            assert_eq!(error.code(), "ledger-place");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }

    #[test]
    fn a_server_elsewhere_must_prove_who_it_is() {
        assert!(matches!(mode("postgres://db.example/ledgers"), PgSslMode::VerifyFull));
        assert!(matches!(mode("postgres://10.0.0.7/ledgers"), PgSslMode::VerifyFull));
        for near in [
            "postgres://127.0.0.1/ledgers",
            "postgres://localhost:5433/ledgers",
            "postgres:///ledgers?host=/run/postgresql",
            "postgres://%2Frun%2Fpostgresql/ledgers",
        ] {
            assert!(!matches!(mode(near), PgSslMode::VerifyFull), "{near}");
        }
        assert!(matches!(mode("postgres://db.example/ledgers?sslmode=require"), PgSslMode::Require));
    }
}
