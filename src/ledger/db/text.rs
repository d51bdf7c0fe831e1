//! Text that PostgreSQL cannot hold: its texts have no zero character.
//!
//! A proposer may send one. It is kept as an escape, and so is the escape's own character, so that
//! what is read is what was written, and a hash over it still fits.

use std::borrow::Cow;

/// A character for private use, which nobody sends by chance.
const ESCAPE: char = '\u{f0000}';
const ZERO: char = '0';
const ITSELF: char = '1';

/// The form in which PostgreSQL keeps it.
pub(super) fn stored(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '\0' => out.extend([ESCAPE, ZERO]),
            ESCAPE => out.extend([ESCAPE, ITSELF]),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// What was written.
pub(in crate::ledger) fn read(text: &str) -> Cow<'_, str> {
    if !text.contains(ESCAPE) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (letter, letter == ESCAPE) {
            (_, true) => match letters.next() {
                Some(ZERO) => out.push('\0'),
                Some(ITSELF) => out.push(ESCAPE),
                // Not written by us: shown as it is, so that a check finds it.
                other => out.extend([ESCAPE].into_iter().chain(other)),
            },
            (other, false) => out.push(other),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back() {
        for text in ["", "plain", "\0", "a\0\0b", "\u{f0000}", "\u{f0000}0", "x\u{f0000}\0\u{f0000}1", "ä€😀"]
        {
            let kept = stored(Cow::Borrowed(text));
            assert!(!kept.contains('\0'), "{text:?}");
            assert_eq!(read(&kept), text);
        }
        assert!(matches!(stored(Cow::Borrowed("plain")), Cow::Borrowed(_)), "plain text is not copied");
        assert_eq!(read("\u{f0000}x"), "\u{f0000}x", "what nobody wrote is not lost");
    }

    proptest::proptest! {
        #[test]
        fn and_generated_ones(text in "[\0a0-1\u{f0000}é]{0,20}") {
            let kept = stored(Cow::Borrowed(&text)).into_owned();
            proptest::prop_assert!(!kept.contains('\0'));
            proptest::prop_assert_eq!(read(&kept), text);
        }
    }
}
