//! Rules that narrow what else would pass: protected records, agents, limits, evidence.

use super::{FieldName, Reader, Section};
use crate::domain::policy::{
    AgentRule, Budget, Consequence, Counted, DecaySegment, EvidenceRule, Limit, Measure, Per, Protection,
    Spent,
};

const CONSEQUENCES: &[(&str, Consequence)] =
    &[("review", Consequence::Review), ("block", Consequence::Block)];

impl<'t> Reader<'t> {
    pub(super) fn protected(&mut self, section: &Section<'t>) -> Vec<Protection> {
        let mut all = Vec::new();
        for rule in self.tables(section, "protected") {
            self.known_keys(&rule, &["why", "when", "then"]);
            let why = self.required(&rule, "why", Self::text);
            let when = self.required(&rule, "when", Self::condition);
            let then = self.then(&rule);
            if let (Some(why), Some(when), Some(then)) = (why, when, then) {
                all.push(Protection { why, when, then });
            }
        }
        all
    }

    pub(super) fn decay_segments(&mut self, section: &Section<'t>) -> Vec<DecaySegment> {
        let mut all = Vec::new();
        for part in self.tables(section, "decay_segments") {
            self.known_keys(&part, &["name", "when", "after_days"]);
            let name = self.required(&part, "name", Self::text);
            let when = self.required(&part, "when", Self::condition);
            let after_days = self.decimals(&part, "after_days");
            if let (Some(name), Some(when)) = (name, when) {
                all.push(DecaySegment { name, when, after_days });
            }
        }
        all
    }

    pub(super) fn agents(&mut self, section: &Section<'t>) -> Vec<AgentRule> {
        const KEYS: &[&str] = &["agent", "workflow", "fields", "may_propose", "may_run", "min_confidence"];
        let mut all = Vec::new();
        for rule in self.tables(section, "agents") {
            self.known_keys(&rule, KEYS);
            let agent = self.required(&rule, "agent", Self::text);
            let mut fields = Vec::new();
            for name in self.texts(&rule, "fields").unwrap_or_default() {
                let parsed = FieldName::parse(&name).map_err(|error| error.to_string());
                fields.extend(self.named(parsed, &rule, "fields"));
            }
            let Some(agent) = agent else { continue };
            all.push(AgentRule {
                agent,
                workflow: self.text(&rule, "workflow"),
                fields,
                may_propose: self.flag(&rule, "may_propose").unwrap_or(true),
                may_run: self.flag(&rule, "may_run").unwrap_or(true),
                min_confidence: self.decimal(&rule, "min_confidence"),
            });
        }
        all
    }

    pub(super) fn budgets(&mut self, section: &Section<'t>) -> Vec<Budget> {
        let mut all = Vec::new();
        for rule in self.tables(section, "budgets") {
            self.known_keys(&rule, &["of", "per", "at_most", "minutes", "then"]);
            let of = self.required(&rule, "of", |reader, at, key| reader.word(at, key, Counted::ALL));
            let per = self.required(&rule, "per", |reader, at, key| reader.word(at, key, Per::ALL));
            let at_most = self.required(&rule, "at_most", Self::decimal);
            let minutes = self.required(&rule, "minutes", Self::decimal);
            let then = self.required(&rule, "then", |reader, at, key| reader.word(at, key, Spent::ALL));
            let (Some(of), Some(per), Some(at_most), Some(minutes), Some(then)) =
                (of, per, at_most, minutes, then)
            else {
                continue;
            };
            all.push(Budget { of, per, at_most, minutes, then });
        }
        all
    }

    pub(super) fn limits(&mut self, section: &Section<'t>) -> Vec<Limit> {
        let mut all = Vec::new();
        for rule in self.tables(section, "limits") {
            self.known_keys(&rule, &["measure", "above", "then"]);
            let measure = self
                .required(&rule, "measure", |reader, section, key| reader.word(section, key, Measure::ALL));
            let above = self.required(&rule, "above", Self::decimal);
            let then = self.then(&rule);
            if let (Some(measure), Some(above), Some(then)) = (measure, above, then) {
                all.push(Limit { measure, above, then });
            }
        }
        all
    }

    pub(super) fn evidence(&mut self, section: &Section<'t>) -> Option<EvidenceRule> {
        if !section.has("evidence") {
            return None;
        }
        let rule = self.table(section, "evidence")?;
        self.known_keys(&rule, &["at_least", "kinds", "max_age_minutes", "then"]);
        let at_least = self.required(&rule, "at_least", Self::decimal)?;
        let kinds = self.texts(&rule, "kinds").unwrap_or_default();
        let max_age_minutes = self.decimal(&rule, "max_age_minutes");
        Some(EvidenceRule { at_least, kinds, max_age_minutes, then: self.then(&rule)? })
    }

    fn then(&mut self, section: &Section<'t>) -> Option<Consequence> {
        self.required(section, "then", |reader, section, key| reader.word(section, key, CONSEQUENCES))
    }
}
