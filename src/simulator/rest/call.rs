//! One REST call and its reply, apart from the wire: composite subrequests are such calls too.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use url::form_urlencoded;

/// Where every data resource lives.
pub(super) const DATA: &str = "/services/data";
/// API versions that the org serves.
pub(super) const VERSIONS: std::ops::RangeInclusive<u16> = 50..=68;

/// A call under `/services/data/vNN.0`, with the user already known.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// Upper-case method.
    pub(super) method: String,
    /// `67.0`
    pub(super) version: String,
    /// Decoded path segments after the version; a trailing slash leaves none.
    pub(super) path: Vec<String>,
    /// Query parameters; the last one of a name wins.
    pub(super) query: BTreeMap<String, String>,
    /// Headers by lower-case name.
    pub(super) headers: BTreeMap<String, String>,
    /// Parsed when the body is JSON; `None` without a body.
    pub(super) body: Option<Value>,
    /// Inside a composite call.
    pub(super) nested: bool,
}

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// `/services/data`
    Versions,
    /// A resource of one version.
    Resource {
        /// `67.0`
        version: String,
        /// Segments after the version.
        path: Vec<String>,
    },
    /// Anything else.
    Unknown,
}

/// Reads the path part of a URL (without the query).
pub(super) fn target(path: &str) -> Target {
    let Some(rest) = path.strip_prefix(DATA) else { return Target::Unknown };
    let mut segments = rest.split('/').filter(|part| !part.is_empty()).map(percent_decoded);
    let Some(version) = segments.next() else {
        return if rest.is_empty() || rest.starts_with('/') { Target::Versions } else { Target::Unknown };
    };
    let number = version.strip_prefix('v').and_then(|text| text.strip_suffix(".0"));
    match number.and_then(|text| text.parse::<u16>().ok()) {
        Some(number) if rest.starts_with('/') && VERSIONS.contains(&number) => {
            Target::Resource { version: format!("{number}.0"), path: segments.collect() }
        }
        _ => Target::Unknown,
    }
}

/// Reads a query string.
pub(super) fn parameters(query: &str) -> BTreeMap<String, String> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Decodes `%XX`; anything else stays as it is.
fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match hex.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(value) if byte == b'%' => {
                decoded.push(value);
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

impl Call {
    /// The body as an object, or Salesforce's parser error.
    pub(super) fn object_body(&self) -> Result<&Map<String, Value>, Reply> {
        match &self.body {
            Some(Value::Object(map)) => Ok(map),
            Some(_) => Err(parser_error("Cannot deserialize the request body: expected a JSON object")),
            None => {
                Err(parser_error("The HTTP entity body is required, but this request has no entity body."))
            }
        }
    }

    /// A header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// A query parameter that is set to `true`.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.query.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// `/services/data/v67.0`
    pub(super) fn base(&self) -> String {
        format!("{DATA}/v{}", self.version)
    }
}

/// A reply, apart from the wire.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Reply {
    /// HTTP status.
    pub(super) status: u16,
    /// Headers of its own, in addition to those of every reply.
    pub(super) headers: Vec<(&'static str, String)>,
    /// JSON body; `None` is an empty one.
    pub(super) body: Option<Value>,
    /// A table in place of JSON.
    pub(super) csv: Option<String>,
}

impl Reply {
    /// 200 with a body.
    pub(super) fn ok(body: Value) -> Self {
        Self::with(200, body)
    }

    /// A status with a body.
    pub(super) fn with(status: u16, body: Value) -> Self {
        Self { status, body: Some(body), ..Self::default() }
    }

    /// A status without a body.
    pub(super) fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// 200 with a table.
    pub(super) fn csv(table: String) -> Self {
        Self { status: 200, csv: Some(table), ..Self::default() }
    }

    /// A call-level error: one entry without `fields`.
    pub(super) fn error(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self::with(status, json!([{ "message": message.into(), "errorCode": code }]))
    }

    /// Adds a header.
    pub(super) fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// 2xx, or 304.
    pub(super) fn succeeded(&self) -> bool {
        self.status < 400
    }
}

/// 404 for anything that does not exist.
pub(super) fn not_found() -> Reply {
    Reply::error(404, "NOT_FOUND", "The requested resource does not exist")
}

/// 405 with the methods that would do.
pub(super) fn not_allowed(method: &str, allowed: &str) -> Reply {
    let message = format!("HTTP Method '{method}' not allowed. Allowed are {allowed}");
    Reply::error(405, "METHOD_NOT_ALLOWED", message).header("Allow", allowed.to_owned())
}

/// 400 for a body that cannot be read.
pub(super) fn parser_error(message: impl Into<String>) -> Reply {
    Reply::error(400, "JSON_PARSER_ERROR", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_with_and_without_trailing_slash() {
        assert_eq!(target("/services/data"), Target::Versions);
        assert_eq!(target("/services/data/"), Target::Versions);
        let lead = Target::Resource { version: "59.0".into(), path: vec!["sobjects".into(), "Lead".into()] };
        assert_eq!(target("/services/data/v59.0/sobjects/Lead/"), lead);
        assert_eq!(target("/services/data/v59.0/sobjects/Lead"), lead);
        for other in ["/services/data/v49.0", "/services/data/v69.0/limits", "/services/datav59.0", "/x"] {
            assert_eq!(target(other), Target::Unknown, "{other}");
        }
    }

    #[test]
    fn escapes_are_decoded_after_the_split() {
        let Target::Resource { path, .. } = target("/services/data/v60.0/sobjects/Lead/Ext__c/a%2Fb%20c%")
        else {
            panic!("a resource");
        };
        assert_eq!(path[3], "a/b c%");
    }
}
