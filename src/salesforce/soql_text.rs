//! The one place where text becomes part of a query or a URL.

/// A SOQL string literal with its quotes. Everything that could end the literal or hide from a
/// reader is escaped; other characters stay as they are.
pub fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('\'');
    out
}

/// One segment of a URL path: everything but letters, digits, `-`, `_`, `.` and `~` is encoded,
/// and a segment of dots alone cannot climb.
pub fn segment(text: &str) -> String {
    if text.chars().all(|character| character == '.') {
        return "%2E".repeat(text.len());
    }
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Where a SOQL reader sees the literal end.
    fn end(literal: &str) -> Option<usize> {
        let mut escaped = false;
        for (place, character) in literal.char_indices().skip(1) {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '\'' => return Some(place),
                _ => {}
            }
        }
        None
    }

    proptest! {
        #[test]
        fn nothing_leaves_the_literal(text in "\\PC*|[\\\\'\"\n\r\t a-z]{0,40}") {
            let quoted = literal(&text);
            prop_assert!(quoted.starts_with('\''));
            prop_assert_eq!(end(&quoted), Some(quoted.len() - 1));
            prop_assert!(!quoted.chars().any(char::is_control));
        }

        #[test]
        fn a_segment_never_splits(text in "\\PC*") {
            let encoded = segment(&text);
            prop_assert!(!encoded.contains(['/', '?', '#', ' ', '\\']));
            prop_assert!(encoded.is_empty() || encoded.chars().any(|c| c != '.'));
        }
    }

    #[test]
    fn the_known_attack_stays_inside() {
        assert_eq!(literal(r"x\' OR Id != '"), r"'x\\\' OR Id != \''");
        assert_eq!(segment("../../x"), "..%2F..%2Fx");
        assert_eq!(segment(".."), "%2E%2E");
    }
}
