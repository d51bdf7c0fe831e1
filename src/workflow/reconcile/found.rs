//! What a run has found so far: counted without end, listed up to a limit.

use std::collections::BTreeMap;

use crate::domain::{
    Discrepancy, DiscrepancyKind, ObjectName, PromotionId,
    reconciliation::{Count, MOST_LISTED, Reading},
};

/// List, counts, how many are not in the list, and what was read.
pub(super) type Parts =
    (Vec<Discrepancy>, BTreeMap<DiscrepancyKind, Count>, u64, BTreeMap<ObjectName, Reading>);

/// Discrepancies, and what was read to find them.
#[derive(Debug, Default)]
pub(super) struct Found {
    list: Vec<Discrepancy>,
    counts: BTreeMap<DiscrepancyKind, Count>,
    listed: BTreeMap<DiscrepancyKind, usize>,
    left_out: u64,
    reads: BTreeMap<ObjectName, Reading>,
}

impl Found {
    /// Adds one.
    pub fn add(&mut self, one: Discrepancy) {
        let count = self.counts.entry(one.kind).or_default();
        count.found += 1;
        count.repaired += u64::from(one.repaired);
        let listed = self.listed.entry(one.kind).or_default();
        if *listed < MOST_LISTED {
            *listed += 1;
            self.list.push(one);
        } else {
            self.left_out += 1;
        }
    }

    /// Notes what was read of an object.
    pub fn read(&mut self, object: ObjectName, reading: Reading) {
        self.reads.insert(object, reading);
    }

    /// Everything; the list in its order.
    pub fn into_parts(mut self) -> Parts {
        self.list.sort();
        (self.list, self.counts, self.left_out, self.reads)
    }
}

/// The promotions that were overridden, and whether only programs did it.
pub(super) fn overridden(list: &[Discrepancy]) -> BTreeMap<PromotionId, bool> {
    let mut found = BTreeMap::new();
    for one in list.iter().filter(|one| one.is_override()) {
        let Some(promotion) = &one.promotion else { continue };
        let by_program = one.kind == DiscrepancyKind::OverriddenByProgram;
        *found.entry(promotion.clone()).or_insert(true) &= by_program;
    }
    found
}
