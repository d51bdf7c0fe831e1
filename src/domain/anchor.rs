//! A statement about the ledger that is kept in the org, where whoever can write the ledger's files
//! cannot change it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::promotion::number_as_text;

/// What an anchor says. The signed text is made from it again, letter by letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// Entries that it covers.
    #[serde(with = "number_as_text")]
    pub size: u64,
    /// Head of the tree over them, base64.
    pub root: String,
    /// When it was signed, RFC 3339.
    pub at: Timestamp,
}

impl Anchor {
    /// What the org finds it by: the same statement has the same key.
    pub fn key(&self) -> String {
        format!("{}-{}", self.size, self.root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_tells_size_and_head() {
        let anchor = Anchor { size: 12, root: "aGVhZA==".to_owned(), at: Timestamp::UNIX_EPOCH };
        assert_eq!(anchor.key(), "12-aGVhZA==");
    }
}
