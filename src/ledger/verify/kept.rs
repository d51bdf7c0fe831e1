//! A promotion as the fold keeps it: how it stands, and a digest of what never changes. A ledger can have
//! millions, and what they write is most of them.

use std::collections::BTreeMap;

use super::{
    pieces::{Members, Pieces},
    step::{Print, print_all},
};
use crate::{
    domain::{Promotion, Settlement, canonical_text::members, digest::canonical},
    ledger::project::is_confirmed,
};

/// The keys of a promotion that change.
const CHANGING: &[&str] = &["attempts", "proof", "settlement"];

/// A promotion as it stands.
#[derive(Debug, PartialEq)]
pub(super) struct Kept {
    pub(super) proposal: String,
    pub(super) object: String,
    pub(super) record: String,
    /// It undoes another one.
    pub(super) is_undo: bool,
    pub(super) attempts: u64,
    pub(super) settlement: Settlement,
    pub(super) proof: BTreeMap<String, String>,
    /// Digest of every other key with its text.
    lasting: Print,
}

impl Kept {
    /// From a promotion and the pieces of its canonical text.
    pub(super) fn of(promotion: Promotion, pieces: &Pieces<'_>) -> Self {
        let Promotion { plan, attempts, settlement, undoes, proof, .. } = promotion;
        Self {
            proposal: plan.proposal_id.to_string(),
            object: plan.object.to_string(),
            record: plan.record.to_string(),
            is_undo: undoes.is_some(),
            attempts,
            settlement,
            proof,
            lasting: lasting(pieces),
        }
    }

    /// Whether a text is what the ledger would write of this promotion.
    pub(super) fn is(&self, text: &str) -> bool {
        let Some(members) = members(text, 1) else { return false };
        let pieces = Pieces::from(Members(&members));
        let proof = (!self.proof.is_empty()).then(|| canonical(&self.proof).ok()).flatten();
        lasting(&pieces) == self.lasting
            && pieces.get("attempts") == Some(format!("\"{}\"", self.attempts).as_str())
            && pieces.get("settlement") == canonical(&self.settlement).ok().as_deref()
            && pieces.get("proof") == proof.as_deref()
    }

    /// Whether nothing more is expected of it.
    pub(super) fn is_confirmed(&self) -> bool {
        is_confirmed(&self.settlement, &self.proof)
    }
}

fn lasting(pieces: &Pieces<'_>) -> Print {
    let columns: Vec<&str> = pieces.without(CHANGING).flat_map(|(key, text)| [key, text]).collect();
    print_all(&columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::PromotionId, ledger::tests::promotion};

    fn kept(promotion: &Promotion) -> Kept {
        let text = canonical(promotion).unwrap();
        Kept::of(promotion.clone(), &Pieces::from(Members(&members(&text, 1).unwrap())))
    }

    #[test]
    fn it_knows_its_text_as_it_stands_and_no_other() {
        let mut intended = promotion("m-1", "p-1");
        let mut one = kept(&intended);
        assert!(one.is(&canonical(&intended).unwrap()));
        let with_space = canonical(&intended).unwrap().replacen(':', ": ", 1);
        assert!(!one.is(&with_space) && !one.is("") && !one.is("[]"));

        let others: [fn(&mut Promotion); 7] = [
            |other| other.attempts = 1,
            |other| other.settlement = Settlement::Sent,
            |other| other.proof = BTreeMap::from([("by".to_owned(), "echo".to_owned())]),
            |other| other.undoes = Some(PromotionId::new("m-0")),
            |other| other.id = PromotionId::new("m-2"),
            |other| other.plan.expected_seq = 7,
            |other| other.plan.changes.clear(),
        ];
        for change in others {
            let mut other = intended.clone();
            change(&mut other);
            assert!(!one.is(&canonical(&other).unwrap()), "{other:?}");
            assert!(kept(&other).is(&canonical(&other).unwrap()));
        }

        intended.attempts = 2;
        intended.settlement = Settlement::Done;
        (one.attempts, one.settlement) = (2, Settlement::Done);
        assert!(one.is(&canonical(&intended).unwrap()));
        assert!(!one.is_confirmed());
        intended.proof = BTreeMap::from([("by".to_owned(), "echo".to_owned())]);
        one.proof.clone_from(&intended.proof);
        assert!(one.is(&canonical(&intended).unwrap()) && one.is_confirmed());
    }
}
