//! A checkpoint as text: origin, size and head of the tree, each on a line, then when it was made,
//! an empty line, and signatures.
//!
//! ```text
//! countersign/00D000000000001EAA
//! 5120
//! 2Jk4…=
//! at 2026-05-01T08:00:00Z
//!
//! — countersign hT0q…=
//! ```

use super::{CheckpointError, Signer, Tree, Verifier};
use crate::domain::anchor::Anchor;

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// [`Checkpoint::origin_of`] the org.
    pub origin: String,
    /// Entries that it covers.
    pub size: u64,
    /// Head of the tree over their hashes, base64.
    pub root: String,
    /// When it was made, RFC 3339.
    pub at: String,
}

/// A checkpoint with its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What is signed.
    pub checkpoint: Checkpoint,
    text: String,
    signatures: Vec<String>,
}

/// What signature lines start with.
pub(super) const SIGNATURE: &str = "\u{2014} ";

impl Checkpoint {
    /// How checkpoints name an org's ledger.
    pub fn origin_of(org: &str) -> String {
        format!("countersign/{org}")
    }

    /// Over a tree of an org's ledger.
    pub fn over(org: &str, tree: &Tree, at: jiff::Timestamp) -> Self {
        Self { origin: Self::origin_of(org), size: tree.size(), root: tree.root(), at: at.to_string() }
    }

    /// Signs it.
    pub fn sign(self, signer: &Signer) -> Note {
        let text = format!("{}\n{}\n{}\nat {}\n", self.origin, self.size, self.root, self.at);
        let signatures = vec![signer.sign(&text)];
        Note { checkpoint: self, text, signatures }
    }

    /// What an anchor says, as it is signed.
    pub fn of_anchor(org: &str, anchor: &Anchor) -> Self {
        let (root, at) = (anchor.root.clone(), anchor.at.to_string());
        Self { origin: Self::origin_of(org), size: anchor.size, root, at }
    }

    /// As an anchor; `None` when its time is none.
    pub fn anchor(&self) -> Option<Anchor> {
        Some(Anchor { size: self.size, root: self.root.clone(), at: self.at.parse().ok()? })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let number: u64 = size.parse().ok()?;
        if origin.is_empty() || number.to_string() != size {
            return None;
        }
        let at = lines.find_map(|line| line.strip_prefix("at ")).unwrap_or_default();
        Some(Self { origin: origin.to_owned(), size: number, root: root.to_owned(), at: at.to_owned() })
    }
}

impl Note {
    /// From the text before the empty line, and the signature lines. `None` when it is no checkpoint.
    pub(super) fn of(text: String, signatures: Vec<String>) -> Option<Self> {
        let checkpoint = Checkpoint::parse(&text).filter(|_| !signatures.is_empty())?;
        Some(Self { checkpoint, text, signatures })
    }

    /// A whole note, as it stands in a text field: such fields lose white space at the end, and may
    /// end their lines in another way.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.replace("\r\n", "\n");
        let (body, signatures) = text.split_once("\n\n")?;
        let signatures: Vec<String> = signatures
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .map(|line| format!("{line}\n"))
            .collect();
        if !signatures.iter().all(|line| line.starts_with(SIGNATURE)) {
            return None;
        }
        Self::of(format!("{body}\n"), signatures)
    }

    /// The whole note.
    pub fn to_text(&self) -> String {
        format!("{}\n{}", self.text, self.signatures.concat())
    }

    /// Whether this key signed it.
    pub fn is_signed_by(&self, key: &Verifier) -> bool {
        key.signed(&self.text, &self.signatures)
    }

    /// Refuses what this key did not sign, and what speaks of another org.
    pub fn check(&self, org: &str, key: &Verifier) -> Result<(), CheckpointError> {
        if !self.is_signed_by(key) {
            let (size, key) = (self.checkpoint.size, key.name().to_owned());
            return Err(CheckpointError::Signature { size, key });
        }
        let (found, expected) = (self.checkpoint.origin.clone(), Checkpoint::origin_of(org));
        if found == expected { Ok(()) } else { Err(CheckpointError::OtherOrg { found, expected }) }
    }
}
