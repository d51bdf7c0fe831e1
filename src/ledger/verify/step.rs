//! Events made ready for the fold on any core: what is long becomes a digest of its text.

use sha2::{Digest as _, Sha256};

use super::{
    kept::Kept,
    pieces::{Members, Pieces},
};
use crate::domain::{
    CanonicalError, Digest, Door, Proposal, Stage, canonical_text::members, digest::canonical, event::Event,
};

/// SHA-256 of the texts of one or more columns.
pub(super) type Print = [u8; 32];

/// One event as the fold needs it.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// A proposal came in.
    Received { id: String, fixed: Print, landed: bool },
    /// The gate decided.
    Verdict { id: String, stage: Stage, text: Print },
    /// A person decided.
    Approval { id: String, text: Print },
    /// A promotion is to be sent.
    Intended { id: String, kept: Box<Kept> },
    /// Anything else.
    Other(Box<Event>),
}

/// The digest of a text.
pub(super) fn print(text: &str) -> Print {
    Sha256::digest(text.as_bytes()).into()
}

/// The digest of columns, each preceded by its length.
pub(super) fn print_all(columns: &[&str]) -> Print {
    let mut hasher = Sha256::new();
    for column in columns {
        hasher.update((column.len() as u64).to_be_bytes());
        hasher.update(column.as_bytes());
    }
    hasher.finalize().into()
}

/// The columns of a proposal that never change; `body` is its canonical text.
pub(super) fn fixed(proposal: &Proposal, (seq, body): (u64, &str)) -> Print {
    let digest = |found: Result<Digest, CanonicalError>| {
        found.map_or_else(|_| String::new(), |digest| digest.to_string())
    };
    print_all(&[
        proposal.object.as_str(),
        proposal.record.as_str(),
        &digest(proposal.fingerprint()),
        &digest(proposal.patch_digest()),
        body,
        &seq.to_string(),
    ])
}

impl Step {
    /// Makes an event ready.
    pub(super) fn of(seq: u64, event: Event) -> Self {
        let text = |found: Result<String, CanonicalError>| print(&found.unwrap_or_default());
        match event {
            Event::ProposalReceived { proposal } => Self::Received {
                id: proposal.id.to_string(),
                fixed: fixed(&proposal, (seq, canonical(&proposal).unwrap_or_default().as_str())),
                landed: proposal.door == Door::Record,
            },
            Event::VerdictReached { proposal_id, stage, verdict, .. } => Self::Verdict {
                id: proposal_id.to_string(),
                stage,
                text: text(crate::domain::digest::canonical(&verdict)),
            },
            Event::DecisionObserved { approval } => {
                Self::Approval { id: approval.proposal_id.to_string(), text: text(canonical(&approval)) }
            }
            Event::PromotionIntended { promotion } => {
                let (id, text) = (promotion.id.to_string(), canonical(&promotion).unwrap_or_default());
                let members = members(&text, 1).unwrap_or_default();
                let kept = Kept::of(promotion, &Pieces::from(Members(&members)));
                Self::Intended { id, kept: Box::new(kept) }
            }
            other => Self::Other(Box::new(other)),
        }
    }
}
