//! Pages about finding codes, made from the checks' own documentation.
//!
//! The five sections at the top of each file in `checks/` are the one source: what stands
//! there is what `countersign explain CODE` prints.

use std::fmt;

use serde::Serialize;

use super::{checks::CHECKS, finding::FindingCode};

/// What there is to say about one code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page {
    /// The stable code.
    pub code: FindingCode,
    /// The outcome that it leads to; `None` for a note.
    pub outcome: Option<&'static str>,
    /// The check that reports it.
    pub check: &'static str,
    /// The question that the check asks.
    pub question: String,
    /// What the code says.
    pub refuses: String,
    /// Why the check is there.
    pub why: String,
    /// What the check looks at.
    pub evidence: String,
    /// What to do.
    pub fix: String,
    /// What can be set.
    pub setting: String,
}

/// The page of a code; `None` when no check has it.
pub fn page(code: &str) -> Option<Page> {
    let code = FindingCode::ALL.iter().copied().find(|known| known.as_str() == code)?;
    CHECKS.iter().find_map(|check| {
        let doc = module_doc(check.source);
        Some(Page {
            code,
            outcome: code.effect().outcome().map(|outcome| outcome.name()),
            check: check.name,
            question: doc.lines().next()?.to_owned(),
            refuses: bullet(&section(&doc, "Refuses")?, code)?,
            why: prose(&section(&doc, "Why")?),
            evidence: prose(&section(&doc, "Evidence used")?),
            fix: bullet(&section(&doc, "How to fix")?, code)?,
            setting: prose(&section(&doc, "Setting")?),
        })
    })
}

/// All pages, in the order of the codes.
pub fn pages() -> Vec<Page> {
    FindingCode::ALL.iter().filter_map(|code| page(code.as_str())).collect()
}

/// The `//!` lines of a file, without the marks.
fn module_doc(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

fn section(doc: &str, title: &str) -> Option<String> {
    let heading = format!("# {title}");
    let body = doc.lines().skip_while(|line| *line != heading).skip(1);
    let lines: Vec<&str> = body.take_while(|line| !line.starts_with("# ")).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The text of the bullet that names the code.
fn bullet(section: &str, code: FindingCode) -> Option<String> {
    let start = format!("- `{code}`: ");
    let mut lines = section.lines().skip_while(|line| !line.starts_with(&start));
    let first = lines.next()?.strip_prefix(&start)?;
    let rest = lines.take_while(|line| line.starts_with("  ")).map(str::trim);
    Some(sentence(&std::iter::once(first).chain(rest).collect::<Vec<_>>().join(" ")))
}

/// The text with a capital first letter.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn prose(section: &str) -> String {
    section.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Page {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}  ({})", self.code, self.outcome.unwrap_or("a note, changes nothing"))?;
        writeln!(out, "check {}: {}", self.check, self.question)?;
        let parts = [
            ("What it says", &self.refuses),
            ("Why", &self.why),
            ("Evidence used", &self.evidence),
            ("How to fix", &self.fix),
            ("Setting", &self.setting),
        ];
        for (title, text) in parts {
            writeln!(out, "\n{title}")?;
            for line in wrap(text, 88) {
                writeln!(out, "  {line}")?;
            }
        }
        Ok(())
    }
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let full = lines.last().is_some_and(|line| !line.is_empty() && line.len() + word.len() + 1 > width);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page_with_all_sections() {
        for code in FindingCode::ALL {
            let page = page(code.as_str()).unwrap_or_else(|| panic!("no page for {code}"));
            for text in [&page.question, &page.refuses, &page.why, &page.evidence, &page.fix, &page.setting] {
                assert!(!text.is_empty(), "{code} has an empty section");
            }
        }
        assert_eq!(pages().len(), FindingCode::ALL.len());
    }

    #[test]
    fn every_documented_code_exists_and_stands_in_one_check() {
        let mut documented: Vec<String> = Vec::new();
        for check in CHECKS {
            let refuses = section(&module_doc(check.source), "Refuses").unwrap();
            let names = refuses.lines().filter_map(|line| line.strip_prefix("- `")?.split('`').next());
            documented.extend(names.map(str::to_owned));
        }
        documented.sort();
        let mut codes: Vec<String> = FindingCode::ALL.iter().map(ToString::to_string).collect();
        codes.sort();
        assert_eq!(documented, codes);
    }

    #[test]
    fn unknown_codes_have_no_page() {
        assert_eq!(page("no-such-code"), None);
    }

    /// A code is a promise to scripts: it may be added, not renamed or dropped.
    #[test]
    fn the_list_of_codes_is_stable() {
        let lines = FindingCode::ALL
            .iter()
            .map(|code| format!("{code} -> {}", code.effect().outcome().map_or("note", |o| o.name())));
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn a_page_reads_well() {
        insta::assert_snapshot!(page("base-moved").unwrap().to_string());
    }

    #[test]
    fn lines_are_filled_up_to_the_width() {
        assert_eq!(wrap("aaaa bb cc", 7), ["aaaa bb", "cc"], "a line that is full to the last place");
        assert_eq!(wrap("aaaa bb cc", 6), ["aaaa", "bb cc"]);
        assert_eq!(wrap("longer than that", 3), ["longer", "than", "that"], "a word is never cut");
        assert_eq!(wrap("", 3), [""]);
    }
}
