//! Which governed fields Apex code sets, as far as its text tells.
//!
//! It must name the object, and the field as `record.Field =`, `new Lead(Field = ..)` or `put('Field', ..)`.
//! Apex takes names in any case.

use std::collections::BTreeSet;

use super::Lanes;
use crate::domain::{FieldName, ObjectName};

/// The governed fields that it seems to set.
pub(super) fn sets(code: &str, lanes: &Lanes) -> BTreeSet<(ObjectName, FieldName)> {
    let code = without_comments(code).to_ascii_lowercase();
    let mut found = BTreeSet::new();
    for (object, fields) in lanes {
        if places(&code, &object.as_str().to_ascii_lowercase()).next().is_none() {
            continue;
        }
        for field in fields {
            let name = field.as_str().to_ascii_lowercase();
            if places(&code, &name).any(|(before, after)| is_set(before, after)) {
                found.insert((object.clone(), field.clone()));
            }
        }
    }
    found
}

/// What stands before and after each place where a word stands.
fn places<'a>(code: &'a str, word: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let belongs = |letter: Option<char>| letter.is_some_and(|it| it.is_ascii_alphanumeric() || it == '_');
    code.match_indices(word).filter_map(move |(at, word)| {
        let (before, after) = (&code[..at], &code[at + word.len()..]);
        let whole = !belongs(before.chars().next_back()) && !belongs(after.chars().next());
        whole.then_some((before, after))
    })
}

fn is_set(before: &str, after: &str) -> bool {
    let (start, rest) = (before.trim_end(), after.trim_start());
    let is_assigned = rest.starts_with('=') && !rest.starts_with("==");
    let is_member = start.ends_with(['.', '(', ',']);
    let put = start.strip_suffix('\'').map(|start| start.trim_end().strip_suffix('(').unwrap_or_default());
    let is_put = put.is_some_and(|start| start.trim_end().ends_with("put")) && after.starts_with('\'');
    (is_assigned && is_member) || is_put
}

/// The code with a blank for each comment. What stands in quotes stays.
fn without_comments(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(['/', '\'']) {
        let (before, now) = rest.split_at(at);
        out.push_str(before);
        let length = if now.starts_with("//") {
            out.push(' ');
            now.find('\n').unwrap_or(now.len())
        } else if now.starts_with("/*") {
            out.push(' ');
            now.find("*/").map_or(now.len(), |end| end + 2)
        } else if now.starts_with('\'') {
            let length = quoted(now);
            out.push_str(&now[..length]);
            length
        } else {
            out.push('/');
            1
        };
        rest = &now[length..];
    }
    out.push_str(rest);
    out
}

/// The length of a text in quotes, with them.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salesforce::inventory::tests::{lanes, shown};

    fn found(code: &str) -> Vec<String> {
        shown(sets(code, &lanes()))
    }

    #[test]
    fn each_way_to_set_a_field_is_found() {
        for code in [
            "for (Lead one : Trigger.new) { one.Status = 'Open'; }",
            "insert new Lead(LastName = 'Sample', Status = 'Open');",
            "insert new Lead(\n  Status='Open');",
            "Lead one; one.put('Status', value);",
            "LEAD one; one . STATUS  =  value;",
            "Lead one; one.Url = 'https://x//'; one.Status = 'it\\'s'; // one.Rating",
        ] {
            assert_eq!(found(code), ["Lead.Status"], "{code}");
        }
        assert_eq!(found("Opportunity one; one.Amount = 1; one.StageName = 'x';").len(), 2);
    }

    #[test]
    fn what_only_reads_or_speaks_of_something_else_is_not() {
        for code in [
            "Lead one; if (one.Status == 'Open') {}",
            "Lead one; String status = one.Status;",
            "Task one; one.Status = 'Open';",
            "Lead one; // one.Status = 'Open';",
            "Lead one; /* one.Status = 'Open'; */",
            "Lead one; one.Lead_Status__c = 'Open'; one.StatusText = '';",
            "[SELECT Status FROM Lead WHERE Status = 'Open']",
            "Lead one; one.get('Status');",
            "/* Lead",
        ] {
            assert_eq!(found(code), [""; 0], "{code}");
        }
    }
}
