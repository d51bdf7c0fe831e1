//! Query errors in Salesforce's words: a code, and a message that points at the place.

/// Characters of the query shown before the place (a recorded error shows 32).
const SHOWN_BEFORE: usize = 32;
/// Characters of the query shown from the place on.
const SHOWN_AFTER: usize = 48;

/// A query that was not run. REST answers each of these with status 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct SoqlError {
    /// Salesforce's `errorCode`, for example `MALFORMED_QUERY`.
    pub code: &'static str,
    /// The message; for errors with a place it holds the query line and a caret.
    pub message: String,
}

impl SoqlError {
    /// An error without a place in the text.
    pub fn plain(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The query text cannot be read; `offset` is in bytes.
    pub(super) fn malformed(soql: &str, offset: usize, message: impl Into<String>) -> Self {
        Self::placed("MALFORMED_QUERY", soql, offset, &message.into())
    }

    /// The query names a field that does not exist for this user, or uses it wrongly.
    pub(super) fn field(soql: &str, offset: usize, message: impl Into<String>) -> Self {
        Self::placed("INVALID_FIELD", soql, offset, &message.into())
    }

    /// `No such column`: the field does not exist, or field-level security hides it.
    pub(super) fn no_column(soql: &str, offset: usize, field: &str, object: &str) -> Self {
        Self::field(
            soql,
            offset,
            format!(
                "No such column '{field}' on entity '{object}'. If you are attempting to use a custom field, \
                 be sure to append the '__c' after the custom field name. Please reference your WSDL or the \
                 describe call for the appropriate names."
            ),
        )
    }

    /// The object does not exist, or the user may not read it.
    pub(super) fn no_object(soql: &str, offset: usize, object: &str) -> Self {
        Self::placed(
            "INVALID_TYPE",
            soql,
            offset,
            &format!(
                "sObject type '{object}' is not supported. If you are attempting to use a custom object, be \
                 sure to append the '__c' after the entity name. Please reference your WSDL or the describe \
                 call for the appropriate names."
            ),
        )
    }

    /// Any code with a place.
    pub(super) fn placed(code: &'static str, soql: &str, offset: usize, message: &str) -> Self {
        let offset = floor_boundary(soql, offset);
        let line_start = soql[..offset].rfind('\n').map_or(0, |at| at + 1);
        let line_end = soql[offset..].find('\n').map_or(soql.len(), |at| offset + at);
        let row = soql[..line_start].matches('\n').count() + 1;
        let column = soql[line_start..offset].chars().count() + 1;
        let start = window_start(&soql[line_start..offset]) + line_start;
        let end = offset + window_end(&soql[offset..line_end]);
        let caret = " ".repeat(soql[start..offset].chars().count());
        let line = &soql[start..end];
        let message = format!("\n{line}\n{caret}^\nERROR at Row:{row}:Column:{column}\n{message}");
        Self { code, message }
    }
}

fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// Where the shown part of the text before the place begins: never inside a word.
fn window_start(before: &str) -> usize {
    let count = before.chars().count();
    if count <= SHOWN_BEFORE {
        return 0;
    }
    let cut = before.char_indices().nth(count - SHOWN_BEFORE).map_or(0, |(at, _)| at);
    let inside_word = before[..cut].chars().next_back().is_some_and(is_word);
    if !inside_word {
        return cut;
    }
    before[cut..].find(|c| !is_word(c)).map_or(cut, |at| cut + at)
}

fn window_end(after: &str) -> usize {
    let Some((cut, _)) = after.char_indices().nth(SHOWN_AFTER) else { return after.len() };
    after[..cut].rfind(|c| !is_word(c)).filter(|at| *at > 0).unwrap_or(cut)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_recorded_messages() {
        let soql = "select count() from XYZZY";
        let error = SoqlError::no_object(soql, 20, "XYZZY");
        assert!(error.message.starts_with(
            "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\nsObject type 'XYZZY'"
        ));
        let soql = "SELECT Id,Name,BillingCity,IsDeleted FROM Accout";
        let error = SoqlError::no_object(soql, 42, "Accout");
        assert!(error.message.starts_with(
            "\nName,BillingCity,IsDeleted FROM Accout\n                                ^\nERROR at Row:1:Column:43\n"
        ));
    }

    #[test]
    fn places_rows_and_odd_offsets() {
        let soql = "SELECT Id\nFROM Léad\nWHERE x = 1";
        let error = SoqlError::malformed(soql, 17, "unexpected token: 'ad'");
        assert!(error.message.contains("ERROR at Row:2:Column:7"), "{}", error.message);
        assert!(SoqlError::malformed("é", 1, "m").message.starts_with("\né\n^"));
        assert!(SoqlError::malformed("", 9, "m").message.starts_with("\n\n^"));
    }
}
