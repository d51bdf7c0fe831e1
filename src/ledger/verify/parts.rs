//! The private parts of an entry, and digests in hex.

use std::borrow::Cow;

use arrayvec::ArrayString;

/// Digits of a digest.
pub(super) const DIGITS: usize = 64;

/// A digest in hex.
pub(super) fn digits(bytes: &[u8; 32]) -> ArrayString<DIGITS> {
    let mut digits = [0_u8; DIGITS];
    hex::encode_to_slice(bytes, &mut digits).expect("two digits for each byte");
    ArrayString::from_byte_string(&digits).expect("digits are ASCII")
}

type Salt = [u8; 32];

/// The salt that a text in hex is.
pub(super) fn salt(text: &str) -> Option<Salt> {
    let mut salt = Salt::default();
    hex::decode_to_slice(text, &mut salt).is_ok().then_some(salt)
}

/// Salt and canonical value by path, in the order of the paths. A salt that is none fits no commitment.
#[derive(Clone, Default)]
pub(super) struct Parts<'a>(Vec<(Cow<'a, str>, Option<Salt>, Cow<'a, str>)>);

impl<'a> Parts<'a> {
    /// Takes a part, in place of one with the same path. They come in order from a sound ledger.
    pub(super) fn insert(&mut self, path: Cow<'a, str>, salt: Option<Salt>, value: Cow<'a, str>) {
        if self.0.last().is_none_or(|(last, ..)| *last < path) {
            self.0.push((path, salt, value));
            return;
        }
        match self.place(&path) {
            Ok(place) => self.0[place] = (path, salt, value),
            Err(place) => self.0.insert(place, (path, salt, value)),
        }
    }

    fn place(&self, path: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(one, ..)| (**one).cmp(path))
    }

    /// The salt and the value at a path.
    pub(super) fn get(&self, path: &str) -> Option<(Option<&Salt>, &str)> {
        let (_, salt, value) = &self.0[self.place(path).ok()?];
        Some((salt.as_ref(), value))
    }

    /// All paths.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(path, ..)| &**path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_in_whatever_order_they_came_and_the_last_one_of_a_path_counts() {
        let mut parts = Parts::default();
        for (path, value) in [("/b", "1"), ("/d", "2"), ("/a", "3"), ("/c", "4"), ("/d", "5"), ("/a", "6")] {
            parts.insert(path.into(), Some([1; 32]), value.into());
        }
        assert_eq!(parts.paths().collect::<Vec<_>>(), ["/a", "/b", "/c", "/d"]);
        let values = ["/a", "/b", "/c", "/d"].map(|path| parts.get(path).unwrap().1);
        assert_eq!(values, ["6", "1", "4", "5"]);
        assert!(parts.get("/e").is_none() && parts.get("").is_none());
    }

    #[test]
    fn a_salt_is_32_bytes_in_hex() {
        assert_eq!(salt(&digits(&[0xa7; 32])), Some([0xa7; 32]));
        assert_eq!(digits(&[0xa7; 32]).as_str(), "a7".repeat(32));
        for none in ["", "a7", &"a7".repeat(33), &"x7".repeat(32)] {
            assert_eq!(salt(none), None, "{none}");
        }
    }
}
