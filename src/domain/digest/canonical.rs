//! Writes canonical JSON in one pass, without a tree in between.
//!
//! Written here because this is where a decision spends its time: a general canonicalizer took many
//! times as long. Texts and keys are written as they come; the keys of each object are brought into
//! order when it ends. A property test holds it to the bytes of a general one.

use std::{cmp::Ordering, fmt::Write as _};

use serde::Serialize;

use super::{CanonicalError, writer::Refused};

/// What has been written so far, and the entries of the objects that are still open.
pub(super) struct Canonical {
    pub(super) out: String,
    entries: Vec<Entry>,
    scratch: String,
}

/// An entry of an object: where its quoted key starts and ends, and where its value ends.
#[derive(Clone, Copy)]
struct Entry {
    rank: Rank,
    start: usize,
    key_end: usize,
    end: usize,
}

/// How a key is compared.
#[derive(Clone, Copy)]
enum Rank {
    /// ASCII that needs no escape: its first eight bytes as a number, then its bytes.
    Plain(u64),
    /// Anything else, by UTF-16.
    Other,
}

/// An object that is being written.
#[derive(Clone, Copy)]
pub(super) struct Open {
    /// Its first entry.
    first: usize,
    /// Where its text starts, after the brace.
    start: usize,
}

/// Canonical JSON text (RFC 8785) of a value that holds no JSON number.
pub fn canonical<T: Serialize + ?Sized>(value: &T) -> Result<String, CanonicalError> {
    // With room for what a decision usually rests on.
    let mut canonical = Canonical {
        out: String::with_capacity(2048),
        entries: Vec::with_capacity(48),
        scratch: String::new(),
    };
    value.serialize(&mut canonical).map_err(Refused::reason)?;
    Ok(canonical.out)
}

impl Canonical {
    pub(super) fn open(&mut self) -> Open {
        self.out.push('{');
        Open { first: self.entries.len(), start: self.out.len() }
    }

    /// Before a key. The answer is where it starts.
    pub(super) fn key_starts(&mut self, object: Open) -> usize {
        if self.entries.len() > object.first {
            self.out.push(',');
        }
        self.out.len()
    }

    /// After a key that was written as a value is.
    pub(super) fn key_ends(&mut self, start: usize) -> Result<(), CanonicalError> {
        let key = self.out[start..].strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let key = key.ok_or_else(|| CanonicalError::Json("a key that is no text".to_owned()))?;
        let rank = Rank::of(key);
        self.entry(rank, start);
        Ok(())
    }

    /// Writes a key and what stands before and after it.
    pub(super) fn key(&mut self, object: Open, key: &str) {
        let (rank, start) = (Rank::of(key), self.key_starts(object));
        match rank {
            Rank::Plain(_) => plain(key, &mut self.out),
            Rank::Other => quote(key, &mut self.out),
        }
        self.entry(rank, start);
    }

    fn entry(&mut self, rank: Rank, start: usize) {
        let end = self.out.len();
        self.entries.push(Entry { rank, start, key_end: end, end });
        self.out.push(':');
    }

    /// Notes where the value ends that belongs to the last key.
    pub(super) fn value_ends(&mut self) {
        let end = self.out.len();
        if let Some(entry) = self.entries.last_mut() {
            entry.end = end;
        }
    }

    /// Brings the entries of the object that ends into order.
    pub(super) fn close(&mut self, object: Open) -> Result<(), CanonicalError> {
        let written = self.out.as_str();
        let entries = &mut self.entries[object.first..];
        if !entries.is_sorted_by(|one, other| compare(written, one, other) == Ordering::Less) {
            let mut twice = None;
            // Whatever ends up side by side was compared on the way.
            entries.sort_unstable_by(|one, other| {
                let order = compare(written, one, other);
                if order == Ordering::Equal {
                    twice = Some(*one);
                }
                order
            });
            if let Some(twice) = twice {
                let key = text(written, &twice);
                return Err(CanonicalError::Json(format!("the key `{key}` stands twice")));
            }
            self.scratch.clear();
            self.scratch.reserve(written.len() - object.start + 1);
            for entry in entries {
                self.scratch.push_str(&written[entry.start..entry.end]);
                self.scratch.push(',');
            }
            self.scratch.pop();
            self.out.truncate(object.start);
            self.out.push_str(&self.scratch);
        }
        self.entries.truncate(object.first);
        self.out.push('}');
        Ok(())
    }
}

impl Rank {
    /// The rank of a key, as it is or escaped. The bytes of ASCII texts are in the order of the
    /// numbers; a shorter one is filled up with zeros, which stand in no plain key.
    fn of(key: &str) -> Self {
        let bytes = key.as_bytes();
        let is_plain = |word: u64| !any(escapes(word) | word);
        let (first, is_plain) = if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            let (words, _) = bytes.as_chunks();
            let plain = words.iter().chain([last]).all(|word| is_plain(u64::from_le_bytes(*word)));
            (u64::from_be_bytes(*first), plain)
        } else {
            let room = 64 - 8 * bytes.len().min(8) as u32;
            let number = bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
            let blanks = (EACH * u64::from(b' ')).checked_shl(64 - room).unwrap_or(0);
            (number.checked_shl(room).unwrap_or(0), is_plain(number | blanks))
        };
        if is_plain { Self::Plain(first) } else { Self::Other }
    }
}

/// The order of RFC 8785, by UTF-16. For plain ASCII bytes give the same.
fn compare(written: &str, one: &Entry, other: &Entry) -> Ordering {
    if let (Rank::Plain(one_starts), Rank::Plain(other_starts)) = (one.rank, other.rank) {
        let inner = |entry: &Entry| &written.as_bytes()[entry.start + 1..entry.key_end - 1];
        return one_starts.cmp(&other_starts).then_with(|| inner(one).cmp(inner(other)));
    }
    by_utf16(&text(written, one), &text(written, other))
}

/// The text of a key that stands quoted.
fn text(written: &str, entry: &Entry) -> String {
    serde_json::from_str(&written[entry.start..entry.key_end]).unwrap_or_default()
}

/// The order of RFC 8785, by UTF-16. For ASCII bytes give the same.
pub fn by_utf16(one: &str, other: &str) -> Ordering {
    if one.is_ascii() && other.is_ascii() {
        return one.cmp(other);
    }
    one.encode_utf16().cmp(other.encode_utf16())
}

/// Writes a text in quotes, escaped as the standard asks.
pub fn quote(text: &str, out: &mut String) {
    if !has_escapes(text) {
        return plain(text, out);
    }
    out.push('"');
    escape(text, out);
    out.push('"');
}

/// Writes a text in quotes that needs no escape.
fn plain(text: &str, out: &mut String) {
    out.push('"');
    out.push_str(text);
    out.push('"');
}

/// Whether anything in a text must be escaped: eight bytes in one step, the last eight maybe twice.
pub(super) fn has_escapes(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(last) = bytes.last_chunk() else { return bytes.iter().any(|byte| needs_escape(*byte)) };
    let (words, _) = bytes.as_chunks();
    words.iter().chain([last]).any(|word| any(escapes(u64::from_le_bytes(*word))))
}

fn needs_escape(byte: u8) -> bool {
    (byte < b' ') | (byte == b'"') | (byte == b'\\')
}

/// A one in each of eight bytes.
const EACH: u64 = u64::from_le_bytes([1; 8]);

/// Whether the top bit of any of eight bytes is set.
fn any(word: u64) -> bool {
    word & (EACH * 0x80) != 0
}

/// [`needs_escape`] of eight bytes: when any of them does, the top bit of one is set. A byte that is
/// less borrows when a number is taken from it. (The test for a byte less than n in "Bit Twiddling Hacks".)
fn escapes(word: u64) -> u64 {
    let less = |word: u64, than: u8| word.wrapping_sub(EACH * u64::from(than)) & !word;
    let equal = |byte: u8| less(word ^ (EACH * u64::from(byte)), 1);
    less(word, b' ') | equal(b'"') | equal(b'\\')
}

/// Writes a text, escaped.
pub(super) fn escape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(place) = rest.bytes().position(needs_escape) {
        out.push_str(&rest[..place]);
        match rest.as_bytes()[place] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\x08' => out.push_str("\\b"),
            b'\x0c' => out.push_str("\\f"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            control => {
                let _ = write!(out, "\\u{control:04x}");
            }
        }
        rest = &rest[place + 1..];
    }
    out.push_str(rest);
}
