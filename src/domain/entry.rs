//! One link of the ledger's hash chain, and how it is hashed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::digest::{CanonicalError, Digest, canonical, hex};

/// The hash that the first entry of a chain points at.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An entry as it is stored: its canonical JSON text is what is hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Format version, `1`.
    pub v: String,
    /// The org whose chain this is (18 characters).
    pub org: String,
    /// Position in the chain, from 1, as text.
    pub seq: String,
    /// When it was appended, RFC 3339.
    pub at: String,
    /// Epoch of the writer, as text; 0 for commands beside the daemon.
    pub epoch: String,
    /// [`super::event::Event::kind`].
    pub kind: String,
    /// The proposal that it belongs to, the run id of the story.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<String>,
    /// The event without its private parts.
    pub event: Value,
    /// JSON pointer of each private part to its commitment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub commit: BTreeMap<String, String>,
    /// Hash of the entry before.
    pub prev: String,
}

impl Entry {
    /// Canonical text; the ledger stores these bytes.
    pub fn text(&self) -> Result<String, CanonicalError> {
        canonical(self)
    }

    /// Hash of canonical text: SHA-256 over a zero byte and the text (leaf form of RFC 6962).
    pub fn hash_text(text: &str) -> Digest {
        Digest::from_hex(hex(&Self::leaf(text)))
    }

    /// [`Self::hash_text`] as bytes.
    pub fn leaf(text: &str) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update([0_u8]);
        hasher.update(text.as_bytes());
        hasher.finalize().into()
    }
}

/// The commitment to a private part: SHA-256 over a label, 32 bytes of salt, the path and
/// the canonical value. Without the salt nobody can guess the value from it.
pub fn commitment(salt: &[u8; 32], path: &str, canonical_value: &str) -> Digest {
    Digest::from_hex(hex(&commitment_bytes(salt, path, canonical_value)))
}

/// [`commitment`] as bytes.
pub fn commitment_bytes(salt: &[u8; 32], path: &str, canonical_value: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"commit-v1");
    hasher.update(salt);
    hasher.update((path.len() as u64).to_be_bytes());
    hasher.update(path.as_bytes());
    hasher.update(canonical_value.as_bytes());
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_canonical_and_its_hash_is_that_of_a_leaf() {
        let entry = Entry {
            v: "1".into(),
            org: "00D".into(),
            seq: "1".into(),
            at: "2026-05-20T12:00:00Z".into(),
            epoch: "1".into(),
            kind: "started".into(),
            proposal: None,
            event: serde_json::json!({ "b": "2", "a": "1" }),
            commit: BTreeMap::new(),
            prev: GENESIS.into(),
        };
        let text = entry.text().unwrap();
        assert!(text.starts_with(r#"{"at":"2026-05-20T12:00:00Z","epoch":"1","event":{"a":"1","b":"2"},"#));
        assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry);
        assert_eq!(Entry::hash_text(&text), Digest::of_bytes(format!("\0{text}").as_bytes()));
    }

    #[test]
    fn a_commitment_binds_salt_path_and_value() {
        let bytes =
            [b"commit-v1".as_slice(), &[7; 32], &[0, 0, 0, 0, 0, 0, 0, 5], b"/text", b"\"t\""].concat();
        assert_eq!(commitment(&[7; 32], "/text", "\"t\""), Digest::of_bytes(&bytes));
    }
}
