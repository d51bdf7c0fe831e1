//! The walk along the chain: places, links, the fold, and what is erased.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Against, Report,
    entry::{Checked, Said},
    fold::Fold,
    step::Step,
};
use crate::{
    domain::{anchor::Anchor, entry::GENESIS, event::Event, restore::Restore},
    ledger::checkpoint::Tree,
};

/// Where the walk stands.
pub(super) struct Walk {
    /// The next place.
    next: u64,
    /// The hash that the next entry points at.
    prev: String,
    org: Option<String>,
    fold: Fold,
    tree: Tree,
    /// Entries before the first one of the walk.
    before: u64,
    /// The heads of the tree at the sizes that checkpoints ask for.
    roots: BTreeMap<u64, Option<String>>,
    restores: Vec<Restore>,
    /// The newest one that was kept in the org, as the entries say.
    anchored: Option<Anchor>,
    /// Private parts that are not there: place and path.
    missing: BTreeSet<(u64, String)>,
    /// Private parts that an entry says were erased.
    erased: BTreeSet<(u64, String)>,
    /// Entries whose private parts were left out.
    withheld: u64,
    /// Every entry stood where the one before it said.
    is_gapless: bool,
}

impl Walk {
    /// From the first entry on.
    pub(super) fn whole(org: Option<String>) -> Self {
        Self::after((0, GENESIS.to_owned()), org, Tree::default())
    }

    /// From the entry after a place on, whose hash and tree are known.
    pub(super) fn after((seq, hash): (u64, String), org: Option<String>, tree: Tree) -> Self {
        Self {
            next: seq.saturating_add(1),
            prev: hash,
            org,
            fold: Fold::default(),
            before: tree.size(),
            tree,
            roots: BTreeMap::new(),
            restores: Vec::new(),
            anchored: None,
            missing: BTreeSet::new(),
            erased: BTreeSet::new(),
            withheld: 0,
            is_gapless: true,
        }
    }

    /// Remembers the heads that these checkpoints name.
    pub(super) fn watch(mut self, against: Option<&Against>) -> Self {
        self.roots = against.into_iter().flat_map(Against::sizes).map(|size| (size, None)).collect();
        self.mark();
        self
    }

    fn mark(&mut self) {
        if let Some(root) = self.roots.get_mut(&self.tree.size()) {
            *root = Some(self.tree.root());
        }
    }

    /// Entries that the chain has.
    pub(super) fn size(&self) -> u64 {
        self.tree.size()
    }

    /// The smallest tree that the walk knows.
    pub(super) fn first_size(&self) -> u64 {
        self.before
    }

    /// The head of the tree over so many entries, where it was watched for.
    pub(super) fn root_at(&self, size: u64) -> Option<&String> {
        self.roots.get(&size)?.as_ref()
    }

    /// Whether a recorded restore says that what a checkpoint of this size covers is lost.
    pub(super) fn is_set_aside(&self, size: u64) -> bool {
        self.restores.iter().any(|restore| restore.agreed < size && size <= restore.lost)
    }

    /// The newest checkpoint that was kept in the org, as the entries say.
    pub(super) fn anchored(&self) -> Option<&Anchor> {
        self.anchored.as_ref()
    }

    /// The org that the entries name.
    pub(super) fn org(&self) -> Option<&str> {
        self.org.as_deref()
    }

    /// Where it came to: the last place and the hash there.
    pub(super) fn end(&self) -> (u64, &str) {
        (self.next - 1, &self.prev)
    }

    /// Whether every place from the first to the last one has an entry.
    pub(super) fn is_gapless(&self) -> bool {
        self.is_gapless
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
        self.withheld += u64::from(checked.is_withheld);
        if self.next != checked.seq {
            let what = format!("entry {} follows entry {}", checked.seq, self.next.saturating_sub(1));
            report.damage("chain-gap", seq, what);
            self.is_gapless = false;
        }
        self.next = checked.seq.saturating_add(1);
        self.tree.push(checked.leaf);
        self.mark();
        for (code, what) in checked.damages {
            report.damage(code, seq, what);
        }
        self.missing.extend(checked.missing.into_iter().map(|path| (checked.seq, path)));
        if let Some(said) = checked.said {
            self.said(checked.seq, said, report);
        }
        self.prev.clear();
        self.prev.push_str(&checked.hash);
    }

    /// What entries say of other entries.
    fn spoken(&mut self, event: &Event, report: &mut Report) {
        match event {
            Event::RestoreAccepted { restore } => {
                report.restores += 1;
                self.restores.push(restore.clone());
            }
            Event::AnchorSettled { anchor, result } if result == "done" => {
                self.anchored = Some(anchor.clone());
            }
            Event::Erased { erasure } => {
                report.erasures += 1;
                for (seq, paths) in &erasure.paths {
                    let seq = seq.parse().unwrap_or(0);
                    self.erased.extend(paths.iter().map(|path| (seq, path.clone())));
                }
            }
            _ => {}
        }
    }

    /// Entries whose private parts were left out.
    pub(super) fn withheld(&self) -> u64 {
        self.withheld
    }

    /// Compares what is gone with what was erased, at the end of the walk.
    pub(super) fn tell_erased(&self, report: &mut Report) {
        if self.withheld > 0 {
            return;
        }
        for (seq, path) in &self.missing {
            if self.erased.contains(&(*seq, path.clone())) {
                report.private_erased += 1;
            } else {
                let what = format!("the value of `{path}` is gone, and no entry says that it was erased");
                report.damage("private-missing", Some(*seq), what);
            }
        }
        // What lies before an export is not looked at.
        for (seq, path) in self.erased.difference(&self.missing).filter(|(seq, _)| *seq > self.before) {
            let what = format!("the value of `{path}` was erased and is there: put back from a backup?");
            report.damage("private-not-erased", Some(*seq), what);
        }
    }

    fn said(&mut self, seq: u64, said: Said, report: &mut Report) {
        if said.prev.as_deref() != Some(&self.prev) {
            report.damage("chain-broken", Some(seq), "it does not point at the entry before it");
        }
        if said.org.is_some_and(|org| *self.org.get_or_insert_with(|| org.clone()) != org) {
            report.damage("entry-other-org", Some(seq), "it belongs to another org");
        }
        if let Some(step) = said.step {
            if let Step::Other(event) = &step {
                self.spoken(event, report);
            }
            self.fold.step((seq, said.at), step, report);
        }
    }
}
