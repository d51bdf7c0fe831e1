//! Whether a text is canonical JSON, in one pass and without building what it says.

use super::digest::by_utf16;

/// Values within values: as deep as `serde_json` reads.
const DEEPEST: usize = 127;

/// Bytes of a text that are looked at together.
const STRIDE: usize = 8;

/// Whether a text is the canonical form (RFC 8785, no numbers) of the JSON that it holds.
pub fn is_canonical(text: &str) -> bool {
    scan(text, 0).is_some()
}

/// The members of the object that a text holds, and of the objects that are their values, down to so many
/// levels. `None`: the text is not canonical.
///
/// Nothing is found where a key is not plain ASCII, or where the text holds no object.
pub fn members(text: &str, levels: usize) -> Option<Vec<Member<'_>>> {
    let (found, are_plain) = scan(text, levels)?;
    Some(if are_plain { found } else { Vec::new() })
}

/// A key and its value, as they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'a> {
    /// Objects around the one that it belongs to. Its own members, one level further down, come after it.
    pub level: usize,
    /// Without quotes.
    pub key: &'a str,
    /// The canonical text of the value.
    pub text: &'a str,
    is_plain: bool,
}

impl<'a> Member<'a> {
    /// What its text says, where it is ASCII and nothing in it is escaped.
    pub fn plain(&self) -> Option<&'a str> {
        self.is_plain.then(|| &self.text[1..self.text.len() - 1])
    }
}

fn scan(text: &str, levels: usize) -> Option<(Vec<Member<'_>>, bool)> {
    let found = Vec::with_capacity(if levels == 0 { 0 } else { MANY });
    let mut scan = Scan { text, at: 0, levels, found, are_plain: true };
    scan.value(DEEPEST, 0)?;
    (scan.at == text.len()).then_some((scan.found, scan.are_plain))
}

/// Members that most objects do not exceed.
const MANY: usize = 32;

/// How far a text is canonical. What is not ends the scan with `None`.
struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// Levels whose members are kept.
    levels: usize,
    found: Vec<Member<'a>>,
    /// Every kept key is.
    are_plain: bool,
}

/// A key as it is written, without its quotes.
#[derive(Clone, Copy)]
struct Key<'a> {
    written: &'a str,
    /// ASCII without escapes, so that the order of its bytes is the order of keys.
    is_plain: bool,
}

impl<'a> Scan<'a> {
    fn next(&mut self) -> Option<u8> {
        let byte = *self.text.as_bytes().get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// Goes past a byte.
    fn byte(&mut self, byte: u8) -> Option<()> {
        (*self.text.as_bytes().get(self.at)? == byte).then(|| self.at += 1)
    }

    /// Goes past a word.
    fn word(&mut self, word: &str) -> Option<()> {
        self.text.as_bytes().get(self.at..)?.starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    /// Goes past a value that may hold values down to this depth. Whether it is a text in plain ASCII.
    fn value(&mut self, depth: usize, level: usize) -> Option<bool> {
        match *self.text.as_bytes().get(self.at)? {
            b'"' => return self.quoted().map(|text| text.is_plain),
            b'{' => self.object(depth.checked_sub(1)?, level)?,
            b'[' => self.array(depth.checked_sub(1)?)?,
            b'n' => self.word("null")?,
            b't' => self.word("true")?,
            b'f' => self.word("false")?,
            _ => return None,
        }
        Some(false)
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        self.at += 1;
        if self.byte(b']').is_some() {
            return Some(());
        }
        loop {
            self.value(depth, usize::MAX)?;
            match self.next()? {
                b',' => {}
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    fn object(&mut self, depth: usize, level: usize) -> Option<()> {
        self.at += 1;
        if self.byte(b'}').is_some() {
            return Some(());
        }
        let mut last = None;
        loop {
            let key = self.quoted()?;
            if last.is_some_and(|last: Key<'_>| !last.stands_before(key)) {
                return None;
            }
            last = Some(key);
            self.byte(b':')?;
            self.member(key, depth, level)?;
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    /// Goes past the value of a key.
    fn member(&mut self, key: Key<'a>, depth: usize, level: usize) -> Option<()> {
        if level >= self.levels {
            return self.value(depth, usize::MAX).map(drop);
        }
        let (place, start) = (self.found.len(), self.at);
        self.are_plain &= key.is_plain;
        self.found.push(Member { level, key: key.written, text: "", is_plain: false });
        let is_plain = self.value(depth, level + 1)?;
        let member = &mut self.found[place];
        (member.text, member.is_plain) = (&self.text[start..self.at], is_plain);
        Some(())
    }

    /// Goes past a text in quotes.
    fn quoted(&mut self) -> Option<Key<'a>> {
        self.byte(b'"')?;
        let (start, mut is_plain) = (self.at, true);
        loop {
            while let Some(stride) = self.text.as_bytes()[self.at..].first_chunk::<STRIDE>() {
                let plain = plain_bytes(*stride);
                self.at += plain;
                if plain < STRIDE {
                    break;
                }
            }
            match self.next()? {
                b'"' => {
                    return Some(Key { written: &self.text[start..self.at - 1], is_plain });
                }
                b'\\' => {
                    is_plain = false;
                    self.escape()?;
                }
                0..0x20 => return None,
                byte => is_plain &= byte.is_ascii(),
            }
        }
    }

    /// Goes past what follows a backslash: the shortest form of a character that must not stand as it is.
    fn escape(&mut self) -> Option<()> {
        match self.next()? {
            b'"' | b'\\' | b'b' | b't' | b'n' | b'f' | b'r' => Some(()),
            b'u' => {
                self.word("00")?;
                let (high, low) = (self.next()?, self.next()?);
                let has_shorter = high == b'0' && matches!(low, b'8' | b'9' | b'a' | b'c' | b'd');
                let is_hex = matches!(high, b'0' | b'1') && matches!(low, b'0'..=b'9' | b'a'..=b'f');
                (is_hex && !has_shorter).then_some(())
            }
            _ => None,
        }
    }
}

/// How many bytes, from the first on, stand for themselves in a text and are ASCII. All are looked at in one
/// number: of a byte that does not, the highest bit is set in `other`. What is borrowed by a byte that is too
/// small can set bits of the bytes after it, never of those before it.
fn plain_bytes(stride: [u8; STRIDE]) -> usize {
    let all = |byte: u8| u64::from_le_bytes([byte; STRIDE]);
    let less = |number: u64, than: u8| number.wrapping_sub(all(than)) & !number;
    let bytes = u64::from_le_bytes(stride);
    let other = bytes | less(bytes, 0x20) | less(bytes ^ all(b'"'), 1) | less(bytes ^ all(b'\\'), 1);
    (other & all(0x80)).trailing_zeros() as usize / 8
}

impl Key<'_> {
    fn stands_before(self, next: Key<'_>) -> bool {
        if self.is_plain && next.is_plain {
            let (one, other) = (self.written.as_bytes(), next.written.as_bytes());
            return one.first().cmp(&other.first()).then_with(|| one.cmp(other)).is_lt();
        }
        let read = |key: Key<'_>| serde_json::from_str::<String>(&format!("\"{}\"", key.written)).ok();
        let both = read(self).zip(read(next));
        both.is_some_and(|(one, other)| by_utf16(&one, &other).is_lt())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::domain::digest::canonical;

    #[test]
    fn only_the_canonical_form_passes() {
        for good in [
            r#"{"a":[],"b":{},"c":[null,true,"x\n\u0001é"]}"#,
            "null",
            "false",
            r#""""#,
            "[[],[{}]]",
            r#""sixteen letters, and a few more\u001f\b\t\n\f\r\"\\""#,
            r#"{"\b":"1","\u000b":"2"," ":"3","a":"4","é":"5"}"#,
        ] {
            assert!(is_canonical(good), "{good}");
        }
        let bad = [
            &format!("{0}{0}", "\"".repeat(9)),
            r#"{"b":"1","a":"2"}"#,
            r#"{"a":"1","a":"2"}"#,
            r#"{"é":"1","a":"2"}"#,
            r#"{" ":"1","\n":"2"}"#,
            r#"{"a":1}"#,
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":null;"b":null}"#,
            r#"{"a":null,}"#,
            r#"{,}"#,
            "1",
            "nul",
            r#"{ "a":"1"}"#,
            r#"["\u0041"]"#,
            r#"["\u0008"]"#,
            r#"["\u000d"]"#,
            r#"["\u001F"]"#,
            r#"["\u0020"]"#,
            r#"["\u1001"]"#,
            r#"["\u001"]"#,
            r#"["\x"]"#,
            "[\"a tab \t in a text of more than sixteen letters\"]",
            "[\"sixteen letters and no end",
            r#"["a",]"#,
            r#"["a" ]"#,
            r#"["a"}"#,
            "[true] ",
            "",
            r#"{"a":"1"}x"#,
            r#"["\/"]"#,
        ];
        for bad in bad {
            assert!(!is_canonical(bad), "{bad}");
        }
    }

    #[test]
    fn a_byte_is_plain_wherever_it_stands() {
        for byte in 0..=255_u8 {
            let is_plain = (0x20..0x80).contains(&byte) && byte != b'"' && byte != b'\\';
            for at in 0..STRIDE {
                let mut stride = [b'a'; STRIDE];
                stride[at] = byte;
                assert_eq!(plain_bytes(stride), if is_plain { STRIDE } else { at }, "{byte} at {at}");
                stride[STRIDE - 1] = b'"';
                let first = if is_plain { STRIDE - 1 } else { at.min(STRIDE - 1) };
                assert_eq!(plain_bytes(stride), first, "{byte} at {at}, a quote at the end");
            }
        }
    }

    #[test]
    fn members_come_in_their_order_down_to_a_level() {
        let text = r#"{"a":{"b":{"c":{"d":"1"}},"e":[{"f":"2"}]},"g":"\"","h":"é","i":"","j":null}"#;
        let told = |levels| {
            let found = members(text, levels).unwrap().into_iter();
            found.map(|one| (one.level, one.key, one.plain().unwrap_or(one.text))).collect::<Vec<_>>()
        };
        let (b, c) = (r#"{"c":{"d":"1"}}"#, r#"{"d":"1"}"#);
        let last = [(0, "g", r#""\"""#), (0, "h", "\"é\""), (0, "i", ""), (0, "j", "null")];
        let a = (0, "a", r#"{"b":{"c":{"d":"1"}},"e":[{"f":"2"}]}"#);
        let e = (1, "e", r#"[{"f":"2"}]"#);
        assert_eq!(told(0), []);
        assert_eq!(told(1), [[a].as_slice(), &last].concat());
        assert_eq!(told(3), [[a, (1, "b", b), (2, "c", c), e].as_slice(), &last].concat());
        assert_eq!(told(4)[3], (3, "d", "1"));
    }

    #[test]
    fn no_member_is_told_of_a_text_that_is_another_or_has_keys_that_are_not_plain() {
        for (text, levels) in
            [("[]", 1), ("\"a\"", 1), (r#"{"a":{"é":"1"}}"#, 2), (r#"{"\n":"1","a":"2"}"#, 1)]
        {
            assert_eq!(members(text, levels), Some(Vec::new()), "{text}");
        }
        assert_eq!(members(r#"{"a":{"é":"1"}}"#, 1).map(|found| found.len()), Some(1));
        assert_eq!(members(r#"{"b":"1","a":"2"}"#, 1), None);
        assert_eq!(members(r#"{"a":"1"} "#, 1), None);
    }

    #[test]
    fn it_goes_as_deep_as_the_parser() {
        for depth in [1, 126, 127, 128, 129, 100_000] {
            let text = "[".repeat(depth) + &"]".repeat(depth);
            assert_eq!(is_canonical(&text), serde_json::from_str::<Value>(&text).is_ok(), "{depth}");
        }
    }

    fn again(text: &str) -> Option<String> {
        serde_json::from_str::<Value>(text).ok().and_then(|json| canonical(&json).ok())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn it_agrees_with_writing_the_value_again(text in r#"[\[\]\{\}":,ab0 ]{0,12}"#) {
            prop_assert_eq!(is_canonical(&text), again(&text).as_deref() == Some(text.as_str()));
        }

        #[test]
        fn so_it_does_for_texts_and_keys(
            parts in prop::collection::vec(r#"(\\[bfnrtu"\\/]|\\u00[01][0-9a-fA-F]|[a-b]|\PC|[\x00-\x22]){0,20}"#, 1..4)
        ) {
            let quoted: Vec<String> = parts.iter().map(|part| format!("\"{part}\"")).collect();
            let object: Vec<String> = quoted.iter().map(|key| format!("{key}:null")).collect();
            for text in [format!("[{}]", quoted.join(",")), format!("{{{}}}", object.join(","))] {
                prop_assert_eq!(is_canonical(&text), again(&text).as_deref() == Some(text.as_str()), "{}", text);
            }
        }

        #[test]
        fn what_was_written_passes_and_with_another_byte_only_what_would_be_written(
            keys in prop::collection::vec("\\PC{0,24}", 0..5), at in any::<prop::sample::Index>(), to in 0_u8..0x80
        ) {
            let json: Value = keys.iter().map(|key| (key.clone(), Value::from(vec![key.as_str()]))).collect();
            let text = canonical(&json).unwrap();
            prop_assert!(is_canonical(&text), "{}", text);
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = to;
            if let Ok(text) = String::from_utf8(bytes) {
                prop_assert_eq!(is_canonical(&text), again(&text).as_deref() == Some(text.as_str()), "{}", text);
            }
        }
    }
}
