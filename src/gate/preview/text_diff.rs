//! Differences of two texts, word by word.

use serde::Serialize;

/// Above this many words and gaps on either side only the common start and end are kept, so that
/// the work stays bounded: the table has at most this many cells squared.
const MOST_WORDS: usize = 600;

/// What happened to a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// On both sides.
    Same,
    /// On the old side only.
    Removed,
    /// On the new side only.
    Added,
}

/// A run of words with one fate. All `same` and `removed` pieces in order give the old
/// text, all `same` and `added` ones the new text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// What happened to it.
    pub kind: Kind,
    /// The text, white space included.
    pub text: String,
}

/// The pieces that lead from `old` to `new`.
pub fn words(old: &str, new: &str) -> Vec<Piece> {
    let (old, new) = (split(old), split(new));
    let start = old.iter().zip(&new).take_while(|(left, right)| left == right).count();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(left, right)| left == right);
    let tail = tail.count();
    let old_middle = &old_rest[..old_rest.len() - tail];
    let new_middle = &new_rest[..new_rest.len() - tail];
    let mut pieces = Pieces::default();
    pieces.extend(Kind::Same, &old[..start]);
    if old_middle.len().max(new_middle.len()) > MOST_WORDS {
        pieces.extend(Kind::Removed, old_middle);
        pieces.extend(Kind::Added, new_middle);
    } else {
        middle(old_middle, new_middle, &mut pieces);
    }
    pieces.extend(Kind::Same, &old_rest[old_rest.len() - tail..]);
    pieces.0
}

/// Words and the runs of white space between them.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let other = |letter: char| letter.is_whitespace() != first.is_whitespace();
        let (part, tail) = rest.split_at(rest.find(other).unwrap_or(rest.len()));
        parts.push(part);
        rest = tail;
    }
    parts
}

/// Longest common subsequence, by the textbook table.
fn middle(old: &[&str], new: &[&str], pieces: &mut Pieces) {
    let width = new.len() + 1;
    let mut common = vec![0_u16; (old.len() + 1) * width];
    for left in (0..old.len()).rev() {
        for right in (0..new.len()).rev() {
            common[left * width + right] = if old[left] == new[right] {
                common[(left + 1) * width + right + 1] + 1
            } else {
                common[(left + 1) * width + right].max(common[left * width + right + 1])
            };
        }
    }
    let (mut left, mut right) = (0, 0);
    while left < old.len() && right < new.len() {
        if old[left] == new[right] {
            pieces.extend(Kind::Same, &old[left..=left]);
            (left, right) = (left + 1, right + 1);
        } else if common[(left + 1) * width + right] == common[left * width + right] {
            // Nothing more is shared with this word of the old text than without it.
            pieces.extend(Kind::Removed, &old[left..=left]);
            left += 1;
        } else {
            pieces.extend(Kind::Added, &new[right..=right]);
            right += 1;
        }
    }
    pieces.extend(Kind::Removed, &old[left..]);
    pieces.extend(Kind::Added, &new[right..]);
}

#[derive(Default)]
struct Pieces(Vec<Piece>);

impl Pieces {
    fn extend(&mut self, kind: Kind, words: &[&str]) {
        for word in words {
            match self.0.last_mut() {
                Some(last) if last.kind == kind => last.text.push_str(word),
                _ => self.0.push(Piece { kind, text: (*word).to_owned() }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn side(pieces: &[Piece], left_out: Kind) -> String {
        pieces.iter().filter(|piece| piece.kind != left_out).map(|piece| piece.text.as_str()).collect()
    }

    #[test]
    fn names_the_words_that_changed() {
        let pieces = words("call Example Widgets on Monday", "call Example Widgets on Friday with quote");
        let kinds: Vec<(Kind, &str)> = pieces.iter().map(|piece| (piece.kind, &*piece.text)).collect();
        assert_eq!(
            kinds,
            [
                (Kind::Same, "call Example Widgets on "),
                (Kind::Removed, "Monday"),
                (Kind::Added, "Friday with quote")
            ]
        );
    }

    #[test]
    fn a_word_that_comes_again_is_counted_one_time() {
        let mut pieces = Pieces::default();
        middle(&["a", "a"], &["b", "a", "c"], &mut pieces);
        let told: Vec<(Kind, &str)> = pieces.0.iter().map(|piece| (piece.kind, &*piece.text)).collect();
        let (same, added) = (Kind::Same, Kind::Added);
        assert_eq!(told, [(Kind::Removed, "a"), (added, "b"), (same, "a"), (added, "c")]);
    }

    #[test]
    fn long_texts_stay_bounded() {
        let (old, new) = ("a b ".repeat(2_000), "b a ".repeat(2_000));
        let pieces = words(&old, &new);
        assert_eq!(side(&pieces, Kind::Added), old);
        assert_eq!(side(&pieces, Kind::Removed), new);
    }

    fn told(old: &str, new: &str) -> Vec<(Kind, String)> {
        words(old, new).into_iter().map(|piece| (piece.kind, piece.text)).collect()
    }

    /// The most words and gaps that two texts can share in order, tried in every way.
    fn most_shared(old: &[&str], new: &[&str]) -> usize {
        let (Some((left, old_rest)), Some((right, new_rest))) = (old.split_first(), new.split_first()) else {
            return 0;
        };
        if left == right {
            return 1 + most_shared(old_rest, new_rest);
        }
        most_shared(old_rest, new).max(most_shared(old, new_rest))
    }

    #[test]
    fn texts_without_a_shared_word_are_removed_first_and_added_then() {
        let whole = |kind, text: &str| (kind, text.to_owned());
        assert_eq!(told("call", "write"), [whole(Kind::Removed, "call"), whole(Kind::Added, "write")]);
        assert_eq!(told("call", "call"), [whole(Kind::Same, "call")]);
        assert_eq!(told("", "call"), [whole(Kind::Added, "call")]);
    }

    #[test]
    fn at_the_most_words_they_are_still_compared_one_by_one() {
        // A gap and a last word that differ, so that all of it is compared; in between, words and gaps.
        let pieces = |shared: usize| {
            let middle: String = (0..shared).map(|word| format!("w{word} ")).collect();
            let pieces = words(&format!(" {middle}end"), &format!("  {middle}stop"));
            pieces.iter().filter(|piece| piece.kind == Kind::Same).count()
        };
        assert_eq!(split(" w0 w1 end").len(), 2 * 2 + 2);
        assert_eq!(pieces(MOST_WORDS / 2 - 1), 1, "as many as there may be");
        assert_eq!(pieces(MOST_WORDS / 2), 0, "more");
    }

    fn shared(old: &str, new: &str) -> usize {
        let pieces = words(old, new);
        let same = pieces.iter().filter(|piece| piece.kind == Kind::Same);
        same.map(|piece| split(&piece.text).len()).sum()
    }

    #[test]
    fn what_moved_to_another_place_is_found_again() {
        for (old, new) in [("p a q", "r\tb a s"), ("r\tb a s", "p a q"), ("p a\tq", "r  b\ta\n s")] {
            assert_eq!(shared(old, new), most_shared(&split(old), &split(new)), "{old:?} {new:?}");
        }
    }

    proptest! {
        #[test]
        fn as_much_as_possible_stays(old in "[ab \n]{0,14}", new in "[ab \n]{0,14}") {
            prop_assert_eq!(shared(&old, &new), most_shared(&split(&old), &split(&new)));
        }

        #[test]
        fn both_sides_can_be_read_back(old in "[ab \n]{0,40}", new in "[ab \n]{0,40}") {
            let pieces = words(&old, &new);
            prop_assert_eq!(side(&pieces, Kind::Added), old);
            prop_assert_eq!(side(&pieces, Kind::Removed), new);
        }
    }
}
