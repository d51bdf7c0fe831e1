//! A reply, read defensively: by status and content type, with a limit, never into a log.

use serde_json::Value;

use super::{SalesforceError, errors::shorten};

/// Largest body that is read, in bytes.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// A reply that was received in full.
#[derive(Debug)]
pub(super) struct Reply {
    pub status: u16,
    pub is_json: bool,
    pub body: Vec<u8>,
    /// Where the next page of a bulk query's result begins.
    pub locator: Option<String>,
}

/// Bodies of a 401 that a new token does not cure; logging in on them loops for ever.
const LOOPING: &[&str] =
    &["This session is not valid for use with the REST API", "Connected app is not attached to Agent"];

impl Reply {
    /// Receives the whole body.
    pub async fn receive(mut response: reqwest::Response, host: &str) -> Result<Self, SalesforceError> {
        let status = response.status().as_u16();
        let is_json = response
            .headers()
            .get(reqwest::header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.contains("json"));
        let locator = response.headers().get("sforce-locator").and_then(|place| place.to_str().ok());
        let locator = locator.map(str::to_owned);
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > MOST_BYTES => {
                    let detail = format!("the body is larger than {MOST_BYTES} bytes");
                    return Err(SalesforceError::Unreadable { status, detail });
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(Self { status, is_json, body, locator }),
                Err(error) => return Err(broken(host, &error)),
            }
        }
    }

    /// True for 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the token was refused and another one may help.
    pub fn asks_for_login(&self) -> bool {
        let text = String::from_utf8_lossy(&self.body);
        match self.status {
            401 => !LOOPING.iter().any(|body| text.contains(body)),
            // What `userinfo` answers to a bad token.
            403 => text.trim() == "Bad_OAuth_Token",
            _ => false,
        }
    }

    /// The body of a success as JSON; null when there is none.
    pub fn json(self) -> Result<Value, SalesforceError> {
        if !self.is_success() {
            return Err(self.error());
        }
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.body).map_err(|_| SalesforceError::Unreadable {
            status: self.status,
            detail: "the body is not JSON".to_owned(),
        })
    }

    /// The body of an error, typed.
    pub fn error(&self) -> SalesforceError {
        let parsed: Option<Value> = if self.is_json { serde_json::from_slice(&self.body).ok() } else { None };
        let first = match &parsed {
            Some(Value::Array(errors)) => errors.first(),
            other => other.as_ref(),
        };
        let text = |names: &[&str]| {
            let first = first?;
            names.iter().find_map(|name| first.get(name)?.as_str()).map(shorten)
        };
        SalesforceError::Refused {
            status: self.status,
            code: text(&["errorCode", "statusCode", "error"])
                .unwrap_or_else(|| format!("HTTP_{}", self.status)),
            message: text(&["message", "error_description"])
                .unwrap_or_else(|| "the body says nothing that the API documents".to_owned()),
        }
    }
}

/// A request that did not come back whole. Only a connection that never came about proves that
/// nothing was applied.
pub(super) fn broken(host: &str, error: &reqwest::Error) -> SalesforceError {
    let host = host.to_owned();
    let detail = causes(error);
    if error.is_connect() || error.is_builder() {
        SalesforceError::NotSent { host, detail }
    } else {
        SalesforceError::NoReply { host, detail }
    }
}

/// The chain of causes without the URL.
fn causes(error: &reqwest::Error) -> String {
    use std::error::Error as _;
    let mut parts = Vec::new();
    if error.is_timeout() {
        parts.push("timed out".to_owned());
    }
    let mut cause = error.source();
    while let Some(inner) = cause {
        parts.push(inner.to_string());
        cause = inner.source();
    }
    if parts.is_empty() { "the request failed".to_owned() } else { shorten(&parts.join(": ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, is_json: bool, body: &str) -> Reply {
        Reply { status, is_json, body: body.as_bytes().to_vec(), locator: None }
    }

    #[test]
    fn errors_are_read_in_every_shape() {
        let row = r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#;
        assert_eq!(reply(401, true, row).error().salesforce_code(), Some("INVALID_SESSION_ID"));
        let html = reply(502, false, "<html><body>Bad gateway, secret-canary</body></html>").error();
        assert_eq!(html.salesforce_code(), Some("HTTP_502"));
        assert!(!html.to_string().contains("canary"), "bodies do not travel in errors");
        let lying = reply(500, true, "<html>").error();
        assert_eq!(lying.salesforce_code(), Some("HTTP_500"));
        assert_eq!(reply(500, true, "[]").error().salesforce_code(), Some("HTTP_500"));
        assert_eq!(reply(200, true, "{").json().unwrap_err().code(), "salesforce-unreadable");
        assert!(reply(204, false, "").json().unwrap().is_null());
    }

    #[test]
    fn only_a_curable_401_asks_for_login() {
        assert!(
            reply(
                401,
                true,
                r#"[{"errorCode":"INVALID_SESSION_ID","message":"Session expired or invalid"}]"#
            )
            .asks_for_login()
        );
        assert!(reply(401, false, "LOGIN_OAUTH_INVALID_TOKEN").asks_for_login());
        assert!(reply(403, false, "Bad_OAuth_Token").asks_for_login());
        for body in LOOPING {
            assert!(!reply(401, true, body).asks_for_login(), "{body}");
        }
        assert!(!reply(403, true, r#"[{"errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#).asks_for_login());
    }
}
