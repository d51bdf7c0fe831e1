//! What Salesforce and the way to it can answer, typed.

use super::classify::{Class, classify};

/// Why a call gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SalesforceError {
    /// The token endpoint refused the login.
    #[error("login refused: {error}: {description}; {fix}")]
    LoginRefused {
        /// OAuth error, for example `invalid_grant`.
        error: String,
        /// OAuth description, as data.
        description: String,
        /// What to do.
        fix: &'static str,
    },
    /// A token came, but for another place than the settings say.
    #[error("the token is for `{found}`, expected {expected}; correct org.instance_url or org.login_url")]
    WrongInstance {
        /// Host that the reply named.
        found: String,
        /// Host that was expected.
        expected: String,
    },
    /// The settings of the connection cannot be used.
    #[error("{what}; {fix}")]
    Setup {
        /// What is wrong.
        what: String,
        /// What to do.
        fix: &'static str,
    },
    /// Salesforce answered with an error.
    #[error("Salesforce answered {status} {code}: {}", told(code, message))]
    Refused {
        /// HTTP status.
        status: u16,
        /// Salesforce's code, for example `INVALID_FIELD`.
        code: String,
        /// Salesforce's text, shortened; data.
        message: String,
    },
    /// Nothing was sent: no connection came about.
    #[error("no connection to {host}: {detail}; check the URL, the network and the certificate authority")]
    NotSent {
        /// Host that was tried.
        host: String,
        /// What the network said.
        detail: String,
    },
    /// The request may have arrived; no reply came in time or it broke off.
    #[error("no complete reply from {host}: {detail}")]
    NoReply {
        /// Host that was asked.
        host: String,
        /// What the network said.
        detail: String,
    },
    /// A field of a record has another type than the contract says.
    #[error(
        "`{object}.{field}` is not {expected}: its type has changed; put it back, or correct the contract"
    )]
    FieldType {
        /// Object API name.
        object: String,
        /// Field API name.
        field: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A reply came that is not what the API documents.
    #[error("the reply (status {status}) cannot be read: {detail}")]
    Unreadable {
        /// HTTP status.
        status: u16,
        /// What is wrong with it, without its content.
        detail: String,
    },
}

impl SalesforceError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::LoginRefused { .. } => "salesforce-login-refused",
            Self::WrongInstance { .. } => "salesforce-wrong-instance",
            Self::Setup { .. } => "salesforce-setup",
            Self::Refused { .. } => "salesforce-refused",
            Self::NotSent { .. } => "salesforce-unreachable",
            Self::NoReply { .. } => "salesforce-no-reply",
            Self::Unreadable { .. } => "salesforce-unreadable",
            Self::FieldType { .. } => "salesforce-field-type",
        }
    }

    /// Salesforce's own code, when it gave one.
    pub fn salesforce_code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            Self::LoginRefused { error, .. } => Some(error),
            _ => None,
        }
    }

    /// What the answer means for the caller.
    pub fn class(&self) -> Class {
        match self {
            Self::LoginRefused { .. } | Self::WrongInstance { .. } | Self::Setup { .. } => Class::Pause,
            Self::Refused { status, code, message } => classify(Some(*status), code, message),
            Self::NotSent { .. } => Class::Retry,
            Self::FieldType { .. } => Class::Drop,
            Self::NoReply { .. } | Self::Unreadable { .. } => Class::Unknown,
        }
    }

    /// Whether a read may simply be made again.
    pub fn read_again(&self) -> bool {
        match self {
            Self::NotSent { .. } | Self::NoReply { .. } => true,
            Self::Unreadable { status, .. } => *status >= 500,
            Self::Refused { .. } => matches!(self.class(), Class::Retry | Class::Bisect | Class::Unknown),
            _ => false,
        }
    }
}

/// Salesforce's text, unless it is one that repeats the values of the request. Errors go into
/// logs, values must not.
fn told<'a>(code: &str, message: &'a str) -> &'a str {
    const REPEAT_VALUES: &[&str] = &[
        "JSON_PARSER_ERROR",
        "STRING_TOO_LONG",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "MALFORMED_QUERY",
        "DUPLICATE_VALUE",
        "DUPLICATES_DETECTED",
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    ];
    if REPEAT_VALUES.contains(&code) { "(its text can repeat values and is left out)" } else { message }
}

/// Shortens a text from outside for an error.
pub(crate) fn shorten(text: &str) -> String {
    const MOST: usize = 500;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
