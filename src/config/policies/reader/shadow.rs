//! How lanes are measured.

use super::{Reader, Section};
use crate::domain::policy::{ShadowRule, ShadowSegment};

/// Keys of the table.
pub const KEYS: &[&str] = &[
    "label_days",
    "window_days",
    "min_sample",
    "promote_from",
    "step_back_below",
    "max_reversals",
    "segments",
];

impl<'t> Reader<'t> {
    /// The table, with the ordinary number for every key that is not there.
    pub(super) fn shadow(&mut self, section: &Section<'t>) -> Option<ShadowRule> {
        if !section.has("shadow") {
            return None;
        }
        let table = self.table(section, "shadow")?;
        self.known_keys(&table, KEYS);
        let ordinary = ShadowRule::default();
        let mut number = |key, otherwise| self.decimal(&table, key).unwrap_or(otherwise);
        let rule = ShadowRule {
            label_days: number("label_days", ordinary.label_days),
            window_days: number("window_days", ordinary.window_days),
            min_sample: number("min_sample", ordinary.min_sample),
            promote_from: number("promote_from", ordinary.promote_from),
            step_back_below: number("step_back_below", ordinary.step_back_below),
            max_reversals: number("max_reversals", ordinary.max_reversals),
            segments: Vec::new(),
        };
        Some(ShadowRule { segments: self.segments(&table), ..rule })
    }

    fn segments(&mut self, table: &Section<'t>) -> Vec<ShadowSegment> {
        let mut all = Vec::new();
        for part in self.tables(table, "segments") {
            self.known_keys(&part, &["name", "when"]);
            let name = self.required(&part, "name", Self::text);
            let when = self.required(&part, "when", Self::condition);
            all.extend(name.zip(when).map(|(name, when)| ShadowSegment { name, when }));
        }
        all
    }
}
