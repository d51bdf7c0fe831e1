//! Writes canonical JSON in one pass, without a tree in between.
//!
//! Written here because this is where a decision spends its time: a general canonicalizer took many
//! times as long. serde_json does the escaping; this only orders the keys of each object when it
//! ends. A property test holds it to the bytes of a general one.

use std::{
    cmp::Ordering,
    io::{Error, Result as Written, Write},
    ops::Range,
};

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};

use super::{CanonicalError, by_utf16};

/// What has been written so far, and the entries of the objects that are still open.
#[derive(Default)]
struct Canonical {
    out: Vec<u8>,
    entries: Vec<Entry>,
    /// Per open object: its first entry, and where its text starts.
    open: Vec<(usize, usize)>,
    scratch: Vec<u8>,
    refused: Option<CanonicalError>,
}

/// An entry of an object: its quoted key, and where it ends.
#[derive(Clone)]
struct Entry {
    key: Range<usize>,
    end: usize,
}

/// Canonical JSON text (RFC 8785) of a value that holds no JSON number.
pub fn canonical<T: Serialize>(value: &T) -> Result<String, CanonicalError> {
    let mut formatter = Canonical::new();
    let mut serializer = serde_json::Serializer::with_formatter(std::io::sink(), &mut formatter);
    let written = value.serialize(&mut serializer);
    formatter.finish(written)
}

impl Canonical {
    /// With room for what a decision usually rests on.
    fn new() -> Self {
        Self { out: Vec::with_capacity(2048), entries: Vec::with_capacity(48), ..Self::default() }
    }

    /// The text, or why there is none.
    fn finish(self, written: Result<(), serde_json::Error>) -> Result<String, CanonicalError> {
        if let Some(refused) = self.refused {
            return Err(refused);
        }
        written.map_err(|error| CanonicalError::Json(error.to_string()))?;
        String::from_utf8(self.out).map_err(|error| CanonicalError::Json(error.to_string()))
    }

    fn refuse(&mut self, why: CanonicalError) -> Written<()> {
        self.refused.get_or_insert(why);
        Err(Error::other("not canonical"))
    }

    fn put(&mut self, bytes: &[u8]) -> Written<()> {
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// Brings the entries of the object that ends into order.
    fn order(&mut self, first: usize, start: usize) -> Written<()> {
        let keys = &self.out;
        let by_key = |one: &Entry, other: &Entry| compare(&keys[one.key.clone()], &keys[other.key.clone()]);
        let entries = &mut self.entries[first..];
        if entries.is_sorted_by(|one, other| by_key(one, other) == Ordering::Less) {
            return Ok(());
        }
        entries.sort_unstable_by(by_key);
        if let Some(twice) = entries.windows(2).find(|two| by_key(&two[0], &two[1]) == Ordering::Equal) {
            let key = text(&self.out[twice[0].key.clone()]);
            return self.refuse(CanonicalError::Json(format!("the key `{key}` stands twice")));
        }
        self.scratch.clear();
        for (place, entry) in entries.iter().enumerate() {
            if place > 0 {
                self.scratch.push(b',');
            }
            self.scratch.extend_from_slice(&self.out[entry.key.start..entry.end]);
        }
        self.out.truncate(start);
        self.out.extend_from_slice(&self.scratch);
        Ok(())
    }
}

/// The order of RFC 8785, by UTF-16, of two quoted keys. For plain ASCII their bytes give the same.
fn compare(one: &[u8], other: &[u8]) -> Ordering {
    let is_plain = |key: &[u8]| key.iter().all(|byte| byte.is_ascii() && *byte != b'\\');
    let inner = |key: &'_ [u8]| key.len().saturating_sub(1);
    if is_plain(one) && is_plain(other) {
        return one[..inner(one)].cmp(&other[..inner(other)]);
    }
    by_utf16(&text(one), &text(other))
}

/// The text of a quoted key, as serde_json wrote it.
fn text(quoted: &[u8]) -> String {
    serde_json::from_slice(quoted).unwrap_or_default()
}

/// Numbers have no exact form that every reader shares.
macro_rules! refused {
    ($($name:ident: $kind:ty),*) => {
        $(fn $name<W: ?Sized + Write>(&mut self, _: &mut W, number: $kind) -> Written<()> {
            (**self).refuse(CanonicalError::Number(number.to_string()))
        })*
    };
}

impl Formatter for &mut Canonical {
    refused!(write_i8: i8, write_i16: i16, write_i32: i32, write_i64: i64, write_i128: i128);
    refused!(write_u8: u8, write_u16: u16, write_u32: u32, write_u64: u64, write_u128: u128);
    refused!(write_f32: f32, write_f64: f64, write_number_str: &str);

    fn write_null<W: ?Sized + Write>(&mut self, _: &mut W) -> Written<()> {
        self.put(b"null")
    }

    fn write_bool<W: ?Sized + Write>(&mut self, _: &mut W, value: bool) -> Written<()> {
        self.put(if value { b"true" } else { b"false" })
    }

    fn begin_string<W: ?Sized + Write>(&mut self, _: &mut W) -> Written<()> {
        self.put(b"\"")
    }

    fn end_string<W: ?Sized + Write>(&mut self, _: &mut W) -> Written<()> {
        self.put(b"\"")
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, _: &mut W, text: &str) -> Written<()> {
        self.put(text.as_bytes())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, _: &mut W, escape: CharEscape) -> Written<()> {
        // The compact form writes what the standard asks for.
        CompactFormatter.write_char_escape(&mut self.out, escape)
    }

    fn write_raw_fragment<W: ?Sized + Write>(&mut self, _: &mut W, _: &str) -> Written<()> {
        (**self).refuse(CanonicalError::Json("raw text at the canonical boundary".to_owned()))
    }

    fn begin_array<W: ?Sized + Write>(&mut self, _: &mut W) -> Written<()> {
        self.put(b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, _: &mut W) -> Written<()> {
        self.put(b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, _: &mut W, first: bool) -> Written<()> {
        if first { Ok(()) } else { self.put(b",") }
    }

    fn begin_object<W: ?Sized + Write>(&mut self, _: &mut W) -> Written<()> {
        self.put(b"{")?;
        let frame = (self.entries.len(), self.out.len());
        self.open.push(frame);
        Ok(())
    }

    fn end_object<W: ?Sized + Write>(&mut self, _: &mut W) -> Written<()> {
        if let Some((first, start)) = self.open.pop() {
            self.order(first, start)?;
            self.entries.truncate(first);
        }
        self.put(b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, _: &mut W, first: bool) -> Written<()> {
        if !first {
            self.put(b",")?;
        }
        let at = self.out.len();
        self.entries.push(Entry { key: at..at, end: at });
        Ok(())
    }

    fn end_object_key<W: ?Sized + Write>(&mut self, _: &mut W) -> Written<()> {
        let at = self.out.len();
        if let Some(entry) = self.entries.last_mut() {
            entry.key.end = at;
        }
        Ok(())
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> Written<()> {
        self.put(b":")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> Written<()> {
        let at = self.out.len();
        if let Some(entry) = self.entries.last_mut() {
            entry.end = at;
        }
        Ok(())
    }
}
