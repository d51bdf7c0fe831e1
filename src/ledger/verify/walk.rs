//! The walk along the chain: places, links, the fold, and what is erased.

use super::{
    Report,
    entry::{Checked, Said},
    fold::Fold,
};
use crate::domain::entry::GENESIS;

/// Where the walk stands.
pub(super) struct Walk {
    /// The next place; absent before the first entry of a part of a chain.
    next: Option<u64>,
    /// The hash that the next entry points at; absent where it is not known.
    prev: Option<String>,
    org: Option<String>,
    fold: Fold,
}

impl Walk {
    /// From the first entry on.
    pub(super) fn whole(org: Option<String>) -> Self {
        Self { next: Some(1), prev: Some(GENESIS.to_owned()), org, fold: Fold::default() }
    }

    /// From any entry on.
    pub(super) fn part() -> Self {
        Self { next: None, prev: None, org: None, fold: Fold::default() }
    }

    /// The org that the entries name.
    pub(super) fn org(&self) -> Option<&str> {
        self.org.as_deref()
    }

    /// Where it came to: the last place and the hash there.
    pub(super) fn end(&self) -> (u64, &str) {
        (self.next.map_or(0, |next| next - 1), self.prev.as_deref().unwrap_or(GENESIS))
    }

    /// What follows from the events.
    pub(super) fn into_fold(self) -> Fold {
        self.fold
    }

    /// The next entry.
    pub(super) fn entry(&mut self, checked: Checked, report: &mut Report) {
        let seq = Some(checked.seq);
        report.entries += 1;
        report.private_checked += checked.private_checked;
        match self.next {
            Some(next) if next != checked.seq => {
                let what = format!("entry {} follows entry {}", checked.seq, next.saturating_sub(1));
                report.damage("chain-gap", seq, what);
            }
            None if checked.seq == 1 => self.prev = Some(GENESIS.to_owned()),
            _ => {}
        }
        self.next = Some(checked.seq.saturating_add(1));
        for (code, what) in checked.damages {
            report.damage(code, seq, what);
        }
        for path in &checked.missing {
            report.private_erased += 1;
            report.damage("private-missing", seq, format!("the value of `{path}` is gone"));
        }
        let before = self.prev.replace(checked.hash);
        if let Some(said) = checked.said {
            self.said(checked.seq, said, before, report);
        }
    }

    fn said(&mut self, seq: u64, said: Said, before: Option<String>, report: &mut Report) {
        if before.is_some_and(|before| before != said.prev) {
            report.damage("chain-broken", Some(seq), "it does not point at the entry before it");
        }
        if *self.org.get_or_insert_with(|| said.org.clone()) != said.org {
            report.damage("entry-other-org", Some(seq), "it belongs to another org");
        }
        match said.event {
            None => {}
            Some(Ok(event)) => self.fold.event(seq, &said.at, &event, report),
            Some(Err(error)) if report.private_erased > 0 => self.fold.unreadable(seq, &error),
            Some(Err(error)) => report.damage("event-unreadable", Some(seq), error),
        }
    }
}
