//! Tables for spreadsheets.

use crate::gate::preview::visible;

/// One row, with its end.
pub fn line<const N: usize>(cells: &[&str; N]) -> String {
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
