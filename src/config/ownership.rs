//! The file that tells who answers for governed fields and who may write them besides the gate.

use std::{collections::BTreeMap, ops::Range, path::Path};

use serde::Deserialize;
use toml::Spanned;

use super::policies::PolicyProblem;
use crate::domain::{
    FieldName, ObjectName, RecordId,
    ownership::{Automation, Listed, Owned, Ownership},
};

/// The file, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    #[serde(default)]
    field: Vec<GivenField>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenField {
    object: Spanned<String>,
    field: Spanned<String>,
    owner: Spanned<String>,
    #[serde(default = "yes")]
    by_hand: bool,
    #[serde(default)]
    writer: Vec<GivenWriter>,
    #[serde(default)]
    automation: Vec<GivenAutomation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenWriter {
    user: Spanned<String>,
    client: Option<String>,
    why: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenAutomation {
    name: Spanned<String>,
    why: Spanned<String>,
}

fn yes() -> bool {
    true
}

/// Reads the file; an empty list when none is named. A `field` for which `is_governed` says no is refused.
///
/// # Errors
/// Every problem of the file; nothing is used then.
pub fn load(
    file: Option<&Path>,
    is_governed: &dyn Fn(&str, &str) -> bool,
) -> Result<Ownership, Vec<PolicyProblem>> {
    let Some(file) = file else { return Ok(Ownership::default()) };
    let name = file.display().to_string();
    match std::fs::read_to_string(file) {
        Ok(text) => read(&name, &text, is_governed),
        Err(error) => Err(vec![PolicyProblem {
            file: name,
            line: None,
            key: String::new(),
            code: "ownership-unreadable",
            message: format!("cannot be read: {error}"),
            fix: "name a file that this user may read in `policy.ownership`".to_owned(),
        }]),
    }
}

/// Collects problems while it reads.
struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    problems: Vec<PolicyProblem>,
}

fn read(
    file: &str,
    text: &str,
    is_governed: &dyn Fn(&str, &str) -> bool,
) -> Result<Ownership, Vec<PolicyProblem>> {
    let mut reader = Reader { file, text, problems: Vec::new() };
    let given: Given = match toml::from_str(text) {
        Ok(given) => given,
        Err(error) => {
            let message = error.message().replace('\n', ", ");
            let fix = "correct the file; its form is in config/README.md";
            reader.problem(error.span(), "", ("ownership-malformed", message, fix));
            return Err(reader.problems);
        }
    };
    let mut fields = BTreeMap::new();
    for (place, one) in given.field.into_iter().enumerate() {
        let key = format!("field.{place}");
        let at = one.object.span();
        if let Some((name, owned)) = reader.field(&key, one, is_governed)
            && fields.insert(name, owned).is_some()
        {
            let message = "this field has an owner further up".to_owned();
            reader.problem(Some(at), &key, ("ownership-twice", message, "keep one entry for each field"));
        }
    }
    if reader.problems.is_empty() { Ok(Ownership { fields }) } else { Err(reader.problems) }
}

impl Reader<'_> {
    fn problem(&mut self, at: Option<Range<usize>>, key: &str, words: (&'static str, String, &str)) {
        let before = at.and_then(|span| self.text.get(..span.start));
        let (code, message, fix) = words;
        self.problems.push(PolicyProblem {
            file: self.file.to_owned(),
            line: before.map(|before| before.bytes().filter(|byte| *byte == b'\n').count() + 1),
            key: key.to_owned(),
            code,
            message,
            fix: fix.to_owned(),
        });
    }

    fn field(
        &mut self,
        key: &str,
        given: GivenField,
        is_governed: &dyn Fn(&str, &str) -> bool,
    ) -> Option<((ObjectName, FieldName), Owned)> {
        let (object, field) = (given.object.get_ref().clone(), given.field.get_ref().clone());
        let names = ObjectName::parse(&object).ok().zip(FieldName::parse(&field).ok());
        if names.is_none() || !is_governed(&object, &field) {
            let message = format!("{object:?}.{field:?} is no governed field");
            let fix = "name a field of a policy, with its API names; others are not watched";
            self.problem(Some(given.field.span()), key, ("ownership-field-unknown", message, fix));
        }
        let owner = self.words(&format!("{key}.owner"), given.owner);
        let mut writers = Vec::new();
        for (place, one) in given.writer.into_iter().enumerate() {
            writers.extend(self.writer(&format!("{key}.writer.{place}"), one));
        }
        let mut automations = Vec::new();
        for (place, one) in given.automation.into_iter().enumerate() {
            let key = format!("{key}.automation.{place}");
            let (name, why) = (self.words(&key, one.name), self.words(&key, one.why));
            automations.extend(name.zip(why).map(|(name, why)| Automation { name, why }));
        }
        Some((names?, Owned { owner: owner?, by_hand: given.by_hand, writers, automations }))
    }

    fn writer(&mut self, key: &str, given: GivenWriter) -> Option<Listed> {
        let why = self.words(key, given.why);
        let id = RecordId::complete(given.user.get_ref()).ok().and_then(|id| RecordId::parse(&id).ok());
        let user = id.filter(|id| id.as_str().starts_with("005"));
        if user.is_none() {
            let message = format!("{:?} is no id of a user", given.user.get_ref());
            let fix = "use the id as `countersign writers` shows it; it begins with 005";
            self.problem(Some(given.user.span()), key, ("ownership-user-malformed", message, fix));
        }
        Some(Listed { user: user?, client: given.client, why: why? })
    }

    /// Words that are there.
    fn words(&mut self, key: &str, given: Spanned<String>) -> Option<String> {
        let text = given.get_ref().trim();
        if text.is_empty() {
            let fix = "say it in a few words: reports show them";
            self.problem(Some(given.span()), key, ("ownership-words-missing", "it is empty".to_owned(), fix));
            return None;
        }
        Some(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = include_str!("../../config/examples/ownership.toml");

    fn governed(object: &str, field: &str) -> bool {
        [("Lead", "Status"), ("Opportunity", "Amount")].contains(&(object, field))
    }

    fn problems(text: &str) -> Vec<(Option<usize>, String, &'static str)> {
        let found = read("own.toml", text, &governed).expect_err("a problem");
        found.into_iter().map(|one| (one.line, one.key, one.code)).collect()
    }

    #[test]
    fn a_file_is_read_whole() {
        let list = read("own.toml", GOOD, &governed).unwrap();
        let of = |object, field| {
            list.of(&ObjectName::parse(object).unwrap(), &FieldName::parse(field).unwrap()).unwrap()
        };
        let status = of("Lead", "Status");
        assert_eq!((status.owner.as_str(), status.by_hand), ("Revenue Operations", true));
        assert_eq!(status.writers[0].user.as_str(), "005Cs0000000009IAA", "15 characters are completed");
        assert_eq!(status.writers[0].client.as_deref(), Some("rest Example Sync"));
        assert_eq!(status.automations[0].name, "flow Example_Assignment");
        assert!(!of("Opportunity", "Amount").by_hand);
        assert_eq!(read("own.toml", "", &governed).unwrap(), Ownership::default());
    }

    #[test]
    fn each_problem_is_told_with_its_line() {
        let both = GOOD.replace("\"Revenue Operations\"", "\" \"").replace("005Cs0000000009", "night-sync");
        let found = problems(&both);
        assert_eq!(found[0], (Some(7), "field.0.owner".to_owned(), "ownership-words-missing"));
        assert_eq!(found[1], (Some(10), "field.0.writer.0".to_owned(), "ownership-user-malformed"));
        assert_eq!(found.len(), 2);

        let lead = GOOD.replace("005Cs0000000009", "00QCs0000000009");
        assert_eq!(problems(&lead)[0].2, "ownership-user-malformed", "an id of something else");
        let unknown = GOOD.replace("\"Amount\"", "\"Description\"");
        assert_eq!(problems(&unknown), [(Some(20), "field.1".to_owned(), "ownership-field-unknown")]);
        let twice = GOOD.replace("\"Opportunity\"", "\"Lead\"").replace("\"Amount\"", "\"Status\"");
        assert_eq!(problems(&twice), [(Some(19), "field.1".to_owned(), "ownership-twice")]);
        let key = GOOD.replace("by_hand", "byhand");
        assert_eq!(problems(&key), [(Some(22), String::new(), "ownership-malformed")]);
        assert_eq!(problems("field = 7")[0].2, "ownership-malformed");
    }

    #[test]
    fn a_file_that_is_not_there_is_no_empty_list() {
        assert_eq!(load(None, &governed).unwrap(), Ownership::default());
        let found = load(Some(Path::new("not-there.toml")), &governed).unwrap_err();
        assert_eq!(found[0].code, "ownership-unreadable");
    }
}
