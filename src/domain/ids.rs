//! Identifiers, each checked once where it enters.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// Why a text is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// A record id is neither 15 nor 18 letters and digits.
    #[error("`{0}` is not a Salesforce record id: expected 18 letters and digits")]
    NotARecordId(String),
    /// A record id has the 15-character form, which is case-sensitive and collides in exports.
    #[error("`{given}` is a 15-character record id: use the 18-character form `{full}`")]
    ShortRecordId {
        /// The id as it was given.
        given: String,
        /// The same id with its checksum.
        full: String,
    },
    /// The last three characters of a record id do not fit the first fifteen.
    #[error("`{given}` has a wrong checksum: the 18-character form of it is `{full}`")]
    Checksum {
        /// The id as it was given.
        given: String,
        /// The same id with the right checksum.
        full: String,
    },
    /// A proposal id is empty, too long or has characters that do not survive logs and queries.
    #[error("`{0}` is not a proposal id: expected 1 to 64 of letters, digits, `.`, `_`, `:`, `-`, `~`")]
    NotAProposalId(String),
    /// An object or field name is not an API name.
    #[error("`{0}` is not an API name: expected a letter, then letters, digits and `_`, at most 80")]
    NotAName(String),
}

impl IdError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotARecordId(_) => "record-id-malformed",
            Self::ShortRecordId { .. } => "record-id-15-characters",
            Self::Checksum { .. } => "record-id-checksum",
            Self::NotAProposalId(_) => "proposal-id-malformed",
            Self::NotAName(_) => "name-malformed",
        }
    }
}

/// An 18-character Salesforce record id with a right checksum.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct RecordId(String);

impl RecordId {
    /// Accepts the 18-character form only; the error for 15 characters names the full id.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        Self::check(text).map(|()| Self(text.to_owned()))
    }

    fn check(text: &str) -> Result<(), IdError> {
        let (first, letters) = Self::split(text)?;
        if text.as_bytes().get(15..) == Some(&letters) {
            return Ok(());
        }
        let (given, full) = (text.to_owned(), Self::joined(first, letters));
        Err(if text.len() == 15 {
            IdError::ShortRecordId { given, full }
        } else {
            IdError::Checksum { given, full }
        })
    }

    /// The 18-character form of a 15- or 18-character id.
    pub fn complete(text: &str) -> Result<String, IdError> {
        let (first, letters) = Self::split(text)?;
        Ok(Self::joined(first, letters))
    }

    fn joined(first: &str, letters: [u8; 3]) -> String {
        first.chars().chain(letters.map(char::from)).collect()
    }

    /// The first 15 characters, and the last three that fit them. Source: the public description of
    /// Salesforce ids (three check characters, one for each five).
    fn split(text: &str) -> Result<(&str, [u8; 3]), IdError> {
        let shape = matches!(text.len(), 15 | 18) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if !shape {
            return Err(IdError::NotARecordId(text.to_owned()));
        }
        let first = &text[..15];
        let letter = |place: usize| {
            let five = &first.as_bytes()[5 * place..5 * place + 5];
            let upper = five.iter().enumerate().filter(|(_, byte)| byte.is_ascii_uppercase());
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[upper.fold(0_usize, |bits, (place, _)| bits | 1 << place)]
        };
        Ok((first, [letter(0), letter(1), letter(2)]))
    }

    /// The id as Salesforce prints it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The proposer's own id of a proposal: the idempotency key of intake.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ProposalId(String);

impl ProposalId {
    /// 1 to 64 of letters, digits, `.`, `_`, `:`, `-`, `~` (the length of `AI_Proposal_ID__c`).
    /// The tilde stands in the ids of proposals that a reviewer edited.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        Self::check(text).map(|()| Self(text.to_owned()))
    }

    fn check(text: &str) -> Result<(), IdError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-' | b'~');
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(())
        } else {
            Err(IdError::NotAProposalId(text.to_owned()))
        }
    }

    /// The id as the proposer wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The daemon's id of one promotion: a UUIDv7, the mark that lands on the record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PromotionId(String);

impl PromotionId {
    /// Wraps an id made by `clock::Ids` or read back from the ledger.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id as it stands on the record.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The mark that closes this promotion so that no late copy of it can land.
    pub fn void_mark(&self) -> String {
        format!("void:{}", self.0)
    }
}

macro_rules! api_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// A letter, then letters, digits and `_`, at most 80 characters.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                Self::check(text).map(|()| Self(text.to_owned()))
            }

            fn check(text: &str) -> Result<(), IdError> {
                let mut bytes = text.bytes();
                let head = bytes.next().is_some_and(|b| b.is_ascii_alphabetic());
                if head && text.len() <= 80 && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                    Ok(())
                } else {
                    Err(IdError::NotAName(text.to_owned()))
                }
            }

            /// The API name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

api_name!(
    /// The API name of a Salesforce object, for example `Lead`.
    ObjectName
);
api_name!(
    /// The API name of a field, for example `Status`.
    FieldName
);

macro_rules! text_form {
    ($($name:ident),+) => {$(
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::check(&text).map(|()| Self(text))
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.serialize_str(&self.0)
            }
        }
    )+};
}
text_form!(RecordId, ProposalId, ObjectName, FieldName);

macro_rules! display {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    )+};
}
display!(RecordId, ProposalId, PromotionId, ObjectName, FieldName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completes_and_checks_record_ids() {
        assert_eq!(RecordId::complete("001Dp00000JJkkH").unwrap(), "001Dp00000JJkkHIAT");
        assert_eq!(RecordId::parse("001Dp00000JJkkHIAT").unwrap().as_str(), "001Dp00000JJkkHIAT");
        assert_eq!(RecordId::parse("001Dp00000JJkkH").unwrap_err().code(), "record-id-15-characters");
        assert_eq!(RecordId::parse("001Dp00000JJkkHIAA").unwrap_err().code(), "record-id-checksum");
        assert_eq!(RecordId::parse("nonsense").unwrap_err().code(), "record-id-malformed");
        for malformed in ["001Dp00000JJkk!", "001Dp00000JJkkHIA!", "001Dp00000JJkkHI"] {
            assert_eq!(RecordId::complete(malformed).unwrap_err().code(), "record-id-malformed");
        }
        assert_eq!(
            RecordId::complete("ABCDEabcdeAbCdE").unwrap(),
            "ABCDEabcdeAbCdE5AV",
            "31, 0 and 1 + 4 + 16"
        );
    }

    #[test]
    fn a_void_mark_names_its_promotion() {
        let id = PromotionId::new("m-1");
        assert_eq!((id.as_str(), id.to_string(), id.void_mark()), ("m-1", "m-1".into(), "void:m-1".into()));
    }

    #[test]
    fn proposal_ids_stay_within_the_field() {
        assert_eq!(ProposalId::parse("run-7:lead.42").unwrap().as_str(), "run-7:lead.42");
        assert!(ProposalId::parse("run-7:lead.42~081500").is_ok(), "edited by a reviewer");
        for bad in ["", "a b", "a'b", &"x".repeat(65)] {
            assert!(ProposalId::parse(bad).is_err(), "{bad:?} must be refused");
        }
    }
}
