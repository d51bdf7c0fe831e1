//! The policies of all files, with what single orgs change of them. The gate sees the rules of one
//! org only, and does not know that others have other ones.

use std::collections::BTreeMap;

use super::{
    compare::{Direction, PolicyChange, compare},
    lint::{self, Lint},
    reader::OrgRules,
};
use crate::domain::Policy;

/// Rules for every org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policies {
    base: Policy,
    orgs: BTreeMap<String, OrgPolicy>,
}

/// The rules of an org that changes some.
#[derive(Debug, Clone, PartialEq, Eq)]
struct OrgPolicy {
    policy: Policy,
    /// The keys that are changed, each after its policy's name.
    keys: Vec<String>,
}

impl Policies {
    pub(super) fn new(base: Policy, changed: Vec<OrgRules>) -> Self {
        let mut orgs: BTreeMap<String, OrgPolicy> = BTreeMap::new();
        for OrgRules { org, policy, keys } in changed {
            let own = orgs.entry(org).or_insert_with(|| OrgPolicy { policy: base.clone(), keys: Vec::new() });
            own.keys.extend(keys.iter().map(|key| format!("{}: {key}", policy.name)));
            own.policy.objects.insert(policy.object.clone(), policy);
        }
        Self { base, orgs }
    }

    /// The rules of an org, by its 18-character id.
    pub fn of(&self, org: &str) -> &Policy {
        self.orgs.get(org).map_or(&self.base, |own| &own.policy)
    }

    /// The rules of the org that is known, or those of every org without rules of its own.
    pub fn of_known(&self, org: Option<&str>) -> &Policy {
        org.map_or(&self.base, |org| self.of(org))
    }

    /// The rules of every org without rules of its own.
    pub fn into_base(self) -> Policy {
        self.base
    }

    /// The orgs that change rules, each with the keys, each after its policy's name.
    pub fn overrides(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.orgs.iter().map(|(org, own)| (org.as_str(), own.keys.as_slice()))
    }

    /// Whether an org changes any rule.
    pub fn has_own(&self, org: &str) -> bool {
        self.orgs.contains_key(org)
    }

    /// Every set of rules: those of all orgs, then those of each that changes some.
    pub fn all(&self) -> impl Iterator<Item = &Policy> {
        std::iter::once(&self.base).chain(self.orgs.values().map(|own| &own.policy))
    }

    /// Tells of an object's field whether any org governs it.
    pub fn governs(&self) -> impl Fn(&str, &str) -> bool + '_ {
        |object, field| {
            let mut of_object =
                self.all().flat_map(|policy| &policy.objects).filter(|(name, _)| name.as_str() == object);
            of_object.any(|(_, rules)| rules.fields.keys().any(|name| name.as_str() == field))
        }
    }

    /// What is legal and probably not meant, and every rule that an org loosens.
    pub fn lint(&self) -> Vec<Lint> {
        let base = lint::lint(&self.base);
        let mut all = base.clone();
        for (org, own) in &self.orgs {
            let here = |lint: Lint| Lint { key: format!("org.{org}.{}", lint.key), ..lint };
            all.extend(lint::lint(&own.policy).into_iter().filter(|lint| !base.contains(lint)).map(here));
            let changes = compare(&self.base, &own.policy);
            all.extend(changes.iter().filter_map(|change| self.widened(change)).map(here));
            if changes.is_empty() {
                let told = own.keys.iter().filter_map(|key| key.split_once(": "));
                let policy = told.clone().next().map_or("", |(policy, _)| policy);
                let keys: Vec<&str> = told.map(|(_, key)| key).collect();
                all.push(here(Lint {
                    policy: policy.to_owned(),
                    key: keys.join(", "),
                    code: "lint-override-without-effect",
                    message: "the org has the rules of all others".to_owned(),
                    fix: "remove the override, or name a key that is other",
                }));
            }
        }
        all
    }

    fn widened(&self, change: &PolicyChange) -> Option<Lint> {
        let how = match change.direction {
            Direction::Looser => "looser",
            Direction::Other => "other, maybe looser,",
            Direction::Stricter => return None,
        };
        let object = self.base.objects.values().find(|object| object.object.as_str() == change.object)?;
        let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".to_owned());
        Some(Lint {
            policy: object.name.clone(),
            key: change.key.clone(),
            code: "lint-override-looser",
            message: format!(
                "the rule is {how} for this org: {} → {}",
                said(&change.before),
                said(&change.after)
            ),
            fix: "have a person agree to it, or make it stricter than the rule for all",
        })
    }

    /// What changes in meaning: for all orgs, and what is other for single ones.
    pub fn compare(&self, after: &Self) -> Vec<PolicyChange> {
        let for_all = compare(&self.base, &after.base);
        let mut all = for_all.clone();
        let mut orgs: Vec<&String> = self.orgs.keys().chain(after.orgs.keys()).collect();
        orgs.sort();
        orgs.dedup();
        for org in orgs {
            let changes = compare(self.of(org), after.of(org)).into_iter();
            let own = changes.filter(|change| !for_all.contains(change));
            all.extend(own.map(|change| PolicyChange { org: Some(org.clone()), ..change }));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::policies::{PolicyProblem, load_set},
        domain::{FieldName, Mode, ObjectName, ObjectPolicy},
    };

    const OWN: &str = "00DCs0000000001MAA";
    const OTHER: &str = "00DCs0000000002MAA";
    const LEAD: &str = include_str!("../../../config/policies/lead-lifecycle.toml");

    /// The lead pack with tables of orgs after it.
    fn with(text: &str) -> Result<Policies, Vec<PolicyProblem>> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("lead.toml"), format!("{LEAD}\n{text}")).unwrap();
        load_set(Some(folder.path()))
    }

    fn lead(policy: &Policy) -> &ObjectPolicy {
        &policy.objects[&ObjectName::parse("Lead").unwrap()]
    }

    #[test]
    fn an_org_has_its_own_rules_and_the_others_have_those_of_the_file() {
        let them = with(&format!(
            "[org.{OWN}]\nproposal_max_age_minutes = 720\n[org.{OWN}.fields.Status]\nmode = \"shadow\"\n\
             [[org.{OWN}.fields.Status.auto]]\nfrom = \"any\"\nto = [\"Working - Contacted\"]\nmin_confidence = \"0.99\"\n"
        ))
        .unwrap();
        let plain = with("").unwrap();
        assert_eq!((them.of(OTHER), them.of_known(None)), (plain.of(OWN), plain.of(OWN)));
        let status = FieldName::parse("Status").unwrap();
        let (own, base) = (lead(them.of(OWN)), lead(them.of(OTHER)));
        assert_eq!((own.proposal_max_age_minutes, base.proposal_max_age_minutes), (720.into(), 1440.into()));
        assert_eq!((own.fields[&status].mode, base.fields[&status].mode), (Mode::Shadow, Mode::Live));
        assert_eq!(own.fields[&status].auto.len(), 1, "a list takes the place of the file's list");
        assert_eq!(own.fields[&status].lifecycle, base.fields[&status].lifecycle, "what is not named stays");
        let keys = ["proposal_max_age_minutes", "fields.Status.auto", "fields.Status.mode"];
        let mut told: Vec<String> = them.overrides().next().unwrap().1.to_vec();
        told.sort();
        let mut expected = keys.map(|key| format!("lead-lifecycle: {key}"));
        expected.sort();
        assert_eq!(told, expected);
        assert!(them.has_own(OWN) && !them.has_own(OTHER));
        // As if it stood in a file of its own: the gate sees plain rules.
        let alone = LEAD.replacen("proposal_max_age_minutes = 1440", "proposal_max_age_minutes = 720", 1);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("lead.toml"), alone).unwrap();
        let alone = load_set(Some(folder.path())).unwrap();
        let own = with(&format!("[org.{OWN}]\nproposal_max_age_minutes = 720\n")).unwrap();
        assert_eq!(own.of(OWN).digest(), alone.of(OTHER).digest());
    }

    #[test]
    fn a_mistake_in_an_override_is_told_with_its_line() {
        let before = format!("{LEAD}\n").lines().count();
        for (text, code, key, line) in [
            ("[org.00DCs0000000001]\n", "policy-org-malformed", "org.00DCs0000000001", 1),
            ("[org.00DCs0000000001AAA]\n", "policy-org-malformed", "org.00DCs0000000001AAA", 1),
            ("[org.001Dp00000JJkkHIAT]\n", "policy-org-malformed", "org.001Dp00000JJkkHIAT", 1),
            (
                "[org.00DCs0000000001MAA]\nobject = \"Lead\"\n",
                "policy-key-unknown",
                "org.00DCs0000000001MAA.object",
                2,
            ),
            (
                "[org.00DCs0000000001MAA]\nbudgts = []\n",
                "policy-key-unknown",
                "org.00DCs0000000001MAA.budgts",
                2,
            ),
            (
                "[org.00DCs0000000001MAA.fields.Status]\nteir = \"never\"\n",
                "policy-key-unknown",
                "org.00DCs0000000001MAA.fields.Status.teir",
                2,
            ),
            (
                "[org.00DCs0000000001MAA.fields.Status]\n\nmin_confidence = \"7\"\n",
                "policy-range",
                "org.00DCs0000000001MAA.fields.Status.min_confidence",
                3,
            ),
            ("[org]\n00DCs0000000001MAA = 7\n", "policy-type", "org.00DCs0000000001MAA", 2),
        ] {
            let problems = with(text).unwrap_err();
            let found: Vec<_> =
                problems.iter().map(|one| (one.code, one.key.as_str(), one.line.unwrap() - before)).collect();
            assert_eq!(found, [(code, key, line)], "{text}");
        }
        let problems = with("[org.00DCs0000000001]\n").unwrap_err();
        assert!(problems[0].message.contains(OWN), "the full id is named: {}", problems[0]);
    }

    #[test]
    fn lint_sees_every_rule_that_an_org_loosens() {
        let codes = |text: &str| -> Vec<(&'static str, String)> {
            let lints = with(&format!("[org.{OWN}]\n{text}")).unwrap().lint();
            lints.into_iter().map(|lint| (lint.code, lint.key.replace(OWN, "ID"))).collect()
        };
        assert!(codes("proposal_max_age_minutes = 720\n").is_empty());
        assert_eq!(
            codes("proposal_max_age_minutes = 2880\n"),
            [("lint-override-looser", "org.ID.proposal_max_age_minutes".to_owned())]
        );
        assert_eq!(
            codes("proposal_max_age_minutes = 1440\n"),
            [("lint-override-without-effect", "org.ID.proposal_max_age_minutes".to_owned())]
        );
        let looser =
            codes("[org.00DCs0000000001MAA.fields.Status]\nterminal = []\nmin_confidence = \"0.1\"\n");
        assert!(looser.contains(&("lint-override-looser", "org.ID.fields.Status.min_confidence".to_owned())));
        assert!(looser.contains(&("lint-override-looser", "org.ID.fields.Status.terminal".to_owned())));
        assert!(looser.contains(&("lint-no-terminal", "org.ID.fields.Status.terminal".to_owned())));
    }

    #[test]
    fn a_comparison_names_the_org_where_only_one_is_meant() {
        let before = with(&format!("[org.{OWN}]\napproval_max_age_minutes = 60\n")).unwrap();
        let changes = before.compare(&with("").unwrap());
        let told: Vec<_> =
            changes.iter().map(|one| (one.org.as_deref(), one.key.as_str(), one.direction)).collect();
        assert_eq!(told, [(Some(OWN), "approval_max_age_minutes", Direction::Looser)]);
        assert_eq!(before.compare(&before), []);
    }
}
