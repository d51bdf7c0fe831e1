//! The table for spreadsheets: one row a changed field.

use super::story::Told;
use crate::gate::preview::visible;

const HEAD: [&str; 20] = [
    "promotion",
    "intended_at",
    "entry",
    "entry_hash",
    "proposal",
    "object",
    "record",
    "field",
    "before",
    "after",
    "basis",
    "state",
    "undoes",
    "agent",
    "reason",
    "evidence",
    "findings",
    "policy",
    "approved_by",
    "approved_at",
];

/// Everything, with a heading.
pub fn table(told: &[Told]) -> String {
    let mut out = line(&HEAD);
    for one in told {
        let (evidence, findings) = (one.evidence.join("; "), one.findings.join("; "));
        for moved in &one.moved {
            out += &line(&[
                &one.promotion,
                &one.at,
                &one.seq,
                &one.hash,
                &one.proposal,
                &one.object,
                &one.record,
                &moved.field,
                &moved.before,
                &moved.after,
                one.basis,
                one.state,
                &one.undoes,
                &one.agent,
                &one.reason,
                &evidence,
                &findings,
                &one.policy,
                &one.approved_by,
                &one.approved_at,
            ]);
        }
    }
    out
}

fn line(cells: &[&str; 20]) -> String {
    cells.map(cell).join(",") + "\r\n"
}

/// A cell that no spreadsheet takes for a formula: one that would start like one gets a `'` before it.
fn cell(text: &str) -> String {
    let shown = visible(text);
    let defused =
        if shown.trim_start().starts_with(['=', '+', '-', '@']) { format!("'{shown}") } else { shown };
    format!("\"{}\"", defused.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_leaves_its_place() {
        for (text, expected) in [
            ("plain", "\"plain\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            (" =1", "\"' =1\""),
            ("\t=1", "\"<U+0009>=1\""),
            ("a\r\n=1,b", "\"a<U+000D><U+000A>=1,b\""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
