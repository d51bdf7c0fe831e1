//! Record ids in Salesforce's shape, counted up per key prefix, with right checksums.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::RecordId;

/// The two characters that name the instance, and the reserved zero after them.
const POD: &str = "Cs0";

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Gives out record ids. Deterministic: the n-th id of a prefix is always the same.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct IdMaker {
    next: BTreeMap<String, u64>,
}

impl IdMaker {
    /// The next 18-character id with this key prefix.
    pub fn next(&mut self, prefix: &str) -> String {
        let counter = self.next.entry(prefix.to_owned()).or_insert(0);
        *counter += 1;
        nth(prefix, *counter)
    }
}

/// The n-th id of a prefix, 18 characters.
pub fn nth(prefix: &str, number: u64) -> String {
    let mut tail = [b'0'; 9];
    let mut rest = number;
    for place in tail.iter_mut().rev() {
        let digit = usize::try_from(rest % 62).unwrap_or(0);
        *place = DIGITS[digit];
        rest /= 62;
    }
    let short = format!("{prefix}{POD}{}", String::from_utf8_lossy(&tail));
    complete(&short).unwrap_or(short)
}

/// The 18-character form of an id given with 15 or 18 characters; `None` when it is
/// no id at all. The checksum of an 18-character id is recomputed.
pub fn complete(text: &str) -> Option<String> {
    RecordId::complete(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_distinct_ordered_and_well_formed() {
        let mut maker = IdMaker::default();
        let ids: Vec<String> = (0..200).map(|_| maker.next("00Q")).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "ids sort in order of creation");
        assert!(ids.iter().all(|id| RecordId::parse(id).is_ok()), "every id has a right checksum");
        assert_eq!(nth("00Q", 200), ids[199]);
    }
}
