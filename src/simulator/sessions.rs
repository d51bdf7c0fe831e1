//! Access tokens, refresh tokens and the one registered client app.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{org::Org, users::UserContext};
use crate::clock;

/// Why a token does not open a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Session expired or invalid")]
pub enum SessionError {
    /// No such token, or it was revoked.
    Unknown,
    /// It has expired.
    Expired,
}

impl SessionError {
    /// Salesforce's own code for both cases.
    pub fn code(self) -> &'static str {
        "INVALID_SESSION_ID"
    }
}

/// The registered client app; the endpoints check requests against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuthApp {
    /// Consumer key.
    pub client_id: String,
    /// Consumer secret.
    pub client_secret: String,
    /// PEM of the certificate or public key that JWT assertions are verified with.
    pub certificate_pem: Option<String>,
    /// The user that the client-credentials grant runs as.
    pub run_as_user: Option<String>,
    /// Ids of the users who may use the app (an admin approved them).
    pub approved_users: BTreeSet<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Session {
    user_id: String,
    opened: Timestamp,
    lifetime_seconds: i64,
    expires: Timestamp,
}

/// What introspection and userinfo tell about a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionInfo {
    /// 18-character id.
    pub user_id: String,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it ends, if it is not used before.
    pub expires: Timestamp,
}

/// All tokens of the org.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Sessions {
    access: BTreeMap<String, Session>,
    refresh: BTreeMap<String, String>,
}

impl Sessions {
    pub(super) fn open(&mut self, org_id: &str, user_id: &str, now: Timestamp, seconds: i64) -> String {
        let secret = clock::random_id().replace('-', "") + &clock::random_id().replace('-', "");
        let token = format!("{}!AQEAQ{secret}", org_id.get(..15).unwrap_or(org_id));
        let expires = later(now, seconds);
        let session =
            Session { user_id: user_id.to_owned(), opened: now, lifetime_seconds: seconds, expires };
        self.access.insert(token.clone(), session);
        token
    }

    pub(super) fn check(
        &mut self,
        token: &str,
        now: Timestamp,
        slide: bool,
    ) -> Result<SessionInfo, SessionError> {
        let session = self.access.get_mut(token).ok_or(SessionError::Unknown)?;
        if session.expires <= now {
            return Err(SessionError::Expired);
        }
        if slide {
            session.expires = session.expires.max(later(now, session.lifetime_seconds));
        }
        Ok(SessionInfo { user_id: session.user_id.clone(), opened: session.opened, expires: session.expires })
    }

    pub(super) fn revoke(&mut self, token: &str) -> bool {
        self.access.remove(token).is_some() | self.refresh.remove(token).is_some()
    }

    pub(super) fn expire_user(&mut self, user_id: &str) {
        self.access.retain(|_, session| session.user_id != user_id);
    }

    pub(super) fn open_refresh(&mut self, user_id: &str) -> String {
        let token = format!("5Aep861{}{}", clock::random_id(), clock::random_id()).replace('-', "");
        self.refresh.insert(token.clone(), user_id.to_owned());
        token
    }

    pub(super) fn refresh_user(&self, token: &str) -> Option<String> {
        self.refresh.get(token).cloned()
    }
}

impl Org {
    /// Who a token stands for.
    pub fn session(&self, token: &str) -> Result<UserContext, SessionError> {
        let info = self.session_info(token)?;
        self.user_by_id(&info.user_id).ok_or(SessionError::Unknown)
    }

    /// What is known of a token's session. The call counts as use.
    pub fn session_info(&self, token: &str) -> Result<SessionInfo, SessionError> {
        let (now, slide) = (self.0.clock.now(), self.0.settings.sessions_slide);
        self.write_state().sessions.check(token, now, slide)
    }

    /// Opens a session and gives its access token, `00D..!..`.
    pub fn open_session(&self, user_id: &str, lifetime: std::time::Duration) -> String {
        let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX / 2);
        let now = self.0.clock.now();
        let mut state = self.write_state();
        let org_id = state.org_id.clone();
        self.changed();
        state.sessions.open(&org_id, user_id, now, lifetime)
    }

    /// Ends an access or refresh token; false when it did not exist.
    pub fn revoke_session(&self, token: &str) -> bool {
        self.changed();
        self.write_state().sessions.revoke(token)
    }

    /// Ends all sessions of a user.
    pub fn expire_sessions(&self, user_id: &str) {
        self.write_state().sessions.expire_user(user_id);
    }

    /// A refresh token for a user.
    pub fn open_refresh(&self, user_id: &str) -> String {
        self.changed();
        self.write_state().sessions.open_refresh(user_id)
    }

    /// Ids of the users who have a token, each one time.
    pub(super) fn session_users(&self) -> BTreeSet<String> {
        let state = self.read();
        let sessions = state.sessions.access.values().map(|session| session.user_id.clone());
        sessions.chain(state.sessions.refresh.values().cloned()).collect()
    }

    /// The user id of a refresh token.
    pub fn refresh_user(&self, token: &str) -> Option<String> {
        self.read().sessions.refresh_user(token)
    }

    /// The registered client app.
    pub fn oauth_app(&self) -> OAuthApp {
        self.read().oauth.clone()
    }

    /// Registers the key that JWT assertions are verified with.
    pub fn set_oauth_certificate(&self, pem: &str) {
        self.write_state().oauth.certificate_pem = Some(pem.to_owned());
    }
}

fn later(now: Timestamp, seconds: i64) -> Timestamp {
    now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_the_known_shape_and_end() {
        let mut sessions = Sessions::default();
        let start = Timestamp::UNIX_EPOCH;
        let token = sessions.open("00DCs0000000001MAA", "005", start, 100);
        assert!(token.starts_with("00DCs0000000001!"));
        assert!(sessions.check(&token, later(start, 99), true).is_ok());
        assert!(sessions.check(&token, later(start, 150), false).is_ok(), "use extends a session");
        assert_eq!(sessions.check(&token, later(start, 250), true), Err(SessionError::Expired));
        assert_eq!(sessions.check("00D!x", start, true), Err(SessionError::Unknown));
        assert!(sessions.revoke(&token) && !sessions.revoke(&token));
    }
}
