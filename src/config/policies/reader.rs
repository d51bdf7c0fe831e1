//! One policy file: from text with line numbers to typed rules, collecting every problem.

use std::{collections::BTreeMap, ops::Range};

use rust_decimal::Decimal;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{PolicyProblem, rules};
use crate::domain::{
    FieldName, FieldPolicy, Mode, ObjectName, ObjectPolicy, Path, Tier,
    policy::{AutoRule, Regression},
};

mod conditions;
pub mod create;
mod narrowing;
mod overrides;
pub mod shadow;
mod values;

pub use overrides::OrgRules;

/// A file that could be read as a policy; its problems are reported beside it.
pub struct Read {
    /// The rules.
    pub policy: ObjectPolicy,
    /// The line of the key `object`.
    pub object_line: Option<usize>,
    /// The rules of the orgs that change some of them.
    pub orgs: Vec<OrgRules>,
}

/// Reads a file. The rules are absent when a key without a default is.
pub fn read(file: &str, text: &str) -> (Option<Read>, Vec<PolicyProblem>) {
    let mut reader = Reader { file, text, problems: Vec::new() };
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        for error in errors {
            let (at, message) = (error.span(), error.message().replace('\n', ", "));
            reader.problem(at, "", "policy-syntax", (message, "correct the TOML".to_owned()));
        }
        return (None, reader.problems);
    }
    let section = Section { path: String::new(), span: root.span(), table: root.get_ref() };
    let read = reader.object(&section);
    let overrides = reader.overrides(&section);
    let mut problems = reader.problems;
    // Each override is read, also where the rules without it have a problem.
    let orgs = overrides.iter().filter_map(|one| one.read((file, text), &mut problems)).collect();
    (read.map(|read| Read { orgs, ..read }), problems)
}

/// A table with the name of its place.
pub struct Section<'t> {
    path: String,
    span: Range<usize>,
    table: &'t DeTable<'t>,
}

impl<'t> Section<'t> {
    /// The full name of a key.
    pub fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Whether the key is there.
    fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Where a key's value stands; the section itself when the key is absent.
    pub fn span(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or(self.span.clone(), Spanned::span)
    }
}

/// Collects problems while it reads.
pub struct Reader<'t> {
    file: &'t str,
    text: &'t str,
    problems: Vec<PolicyProblem>,
}

/// Keys of a policy.
pub const OBJECT_KEYS: &[&str] = &[
    "name",
    "object",
    "proposal_max_age_minutes",
    "approval_max_age_minutes",
    "undecided_max_age_minutes",
    "signal_weights",
    "protected",
    "agents",
    "budgets",
    "listed_agents_only",
    "shadow",
    "create",
    "fields",
    "org",
];
/// Keys of one field's rules.
pub const FIELD_KEYS: &[&str] = &[
    "tier",
    "path",
    "mode",
    "min_confidence",
    "lifecycle",
    "terminal",
    "never_target",
    "allowed_regressions",
    "auto",
    "limits",
    "evidence",
    "decay_after_days",
    "decay_segments",
];

impl<'t> Reader<'t> {
    /// Adds a problem; `words` are the message and what to do.
    pub fn problem(
        &mut self,
        at: Option<Range<usize>>,
        key: &str,
        code: &'static str,
        words: (String, String),
    ) {
        let line = at
            .and_then(|span| self.text.get(..span.start))
            .map(|before| before.bytes().filter(|byte| *byte == b'\n').count() + 1);
        let (message, fix) = words;
        self.problems.push(PolicyProblem {
            file: self.file.to_owned(),
            line,
            key: key.to_owned(),
            code,
            message,
            fix,
        });
    }

    fn object(&mut self, section: &Section<'t>) -> Option<Read> {
        self.known_keys(section, OBJECT_KEYS);
        let name = self.required(section, "name", Self::text);
        let object = self.required(section, "object", Self::text);
        let object = object.and_then(|text| {
            let parsed = ObjectName::parse(&text).map_err(|error| error.to_string());
            self.named(parsed, section, "object")
        });
        let minutes = [
            self.required(section, "proposal_max_age_minutes", Self::decimal),
            self.required(section, "approval_max_age_minutes", Self::decimal),
            self.required(section, "undecided_max_age_minutes", Self::decimal),
        ];
        let signal_weights = self.decimals(section, "signal_weights");
        let (protected, agents) = (self.protected(section), self.agents(section));
        let budgets = self.budgets(section);
        let listed_agents_only = self.flag(section, "listed_agents_only").unwrap_or(false);
        let shadow = self.shadow(section);
        let create = self.create(section);
        let fields = self.fields(section);
        let [Some(proposal), Some(approval), Some(undecided)] = minutes else { return None };
        let policy = ObjectPolicy {
            name: name?,
            object: object?,
            proposal_max_age_minutes: proposal,
            approval_max_age_minutes: approval,
            undecided_max_age_minutes: undecided,
            signal_weights,
            protected,
            agents,
            budgets,
            listed_agents_only,
            shadow,
            create,
            fields,
        };
        rules::object(self, section, &policy);
        Some(Read { policy, object_line: self.line_of(section, "object"), orgs: Vec::new() })
    }

    fn fields(&mut self, section: &Section<'t>) -> BTreeMap<FieldName, FieldPolicy> {
        let mut fields = BTreeMap::new();
        let Some(all) = self.table(section, "fields") else {
            if !section.has("fields") && !section.has("create") {
                self.problem(
                    Some(section.span.clone()),
                    "fields",
                    "policy-key-missing",
                    ("the policy names no field".to_owned(), "add [fields.NAME], or [[create]]".to_owned()),
                );
            }
            return fields;
        };
        for (name, _) in all.table.iter() {
            let name = name.get_ref().as_ref();
            let parsed = FieldName::parse(name).map_err(|error| error.to_string());
            let parsed = self.named(parsed, &all, name);
            let rules = self.table(&all, name).and_then(|section| self.field(&section));
            fields.extend(parsed.zip(rules));
        }
        fields
    }

    fn field(&mut self, section: &Section<'t>) -> Option<FieldPolicy> {
        const TIERS: &[(&str, Tier)] = &[
            ("read_only", Tier::ReadOnly),
            ("autonomous", Tier::Autonomous),
            ("reviewed", Tier::Reviewed),
            ("never", Tier::Never),
        ];
        const PATHS: &[(&str, Path)] =
            &[("approval_only", Path::ApprovalOnly), ("block_and_alert", Path::BlockAndAlert)];
        const MODES: &[(&str, Mode)] = &[("shadow", Mode::Shadow), ("live", Mode::Live)];
        self.known_keys(section, FIELD_KEYS);
        let tier = self.required(section, "tier", |reader, section, key| reader.word(section, key, TIERS));
        let rules = FieldPolicy {
            tier: tier.unwrap_or(Tier::Never),
            path: self.word(section, "path", PATHS).unwrap_or(Path::ApprovalOnly),
            mode: self.word(section, "mode", MODES).unwrap_or(Mode::Live),
            min_confidence: self.decimal(section, "min_confidence"),
            lifecycle: self.texts(section, "lifecycle").unwrap_or_default(),
            terminal: self.texts(section, "terminal").unwrap_or_default(),
            never_target: self.texts(section, "never_target").unwrap_or_default(),
            allowed_regressions: self.regressions(section),
            auto: self.auto(section),
            limits: self.limits(section),
            evidence: self.evidence(section),
            decay_after_days: self.decimals(section, "decay_after_days"),
            decay_segments: self.decay_segments(section),
        };
        tier?;
        rules::field(self, section, &rules);
        Some(rules)
    }

    fn regressions(&mut self, section: &Section<'t>) -> Vec<Regression> {
        let mut steps = Vec::new();
        for step in self.tables(section, "allowed_regressions") {
            self.known_keys(&step, &["from", "to"]);
            let from = self.required(&step, "from", Self::text);
            let to = self.required(&step, "to", Self::text);
            steps.extend(from.zip(to).map(|(from, to)| Regression { from, to }));
        }
        steps
    }

    fn auto(&mut self, section: &Section<'t>) -> Vec<AutoRule> {
        let mut all = Vec::new();
        for rule in self.tables(section, "auto") {
            self.known_keys(&rule, &["from", "to", "min_confidence", "when"]);
            let from = self.required(&rule, "from", Self::values);
            let to = self.required(&rule, "to", Self::values);
            let least = self.required(&rule, "min_confidence", Self::decimal);
            let when = rule.has("when").then(|| self.condition(&rule, "when"));
            // A condition that cannot be read takes the rule with it.
            let Some(when) = when.map_or(Some(None), |read| read.map(Some)) else { continue };
            if let (Some(from), Some(to), Some(min_confidence)) = (from, to, least) {
                all.push(AutoRule { from, to, min_confidence, when });
            }
        }
        all
    }

    fn decimals(&mut self, section: &Section<'t>, key: &str) -> BTreeMap<String, Decimal> {
        let mut all = BTreeMap::new();
        let Some(table) = self.table(section, key) else { return all };
        for (name, _) in table.table.iter() {
            let name = name.get_ref().as_ref();
            all.extend(self.decimal(&table, name).map(|number| (name.to_owned(), number)));
        }
        all
    }
}
