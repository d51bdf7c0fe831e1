//! Who else writes governed fields: a map that is kept small, and values that go back and forth.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    ids::{FieldName, ObjectName, RecordId},
    value::FieldValue,
};

/// The client of people who write by hand, as rows have it.
pub const BY_HAND: &str = "Lightning";
/// Most rows of the map. Writes beyond it are counted together.
pub const MOST_ROWS: usize = 200;
/// Most fields of records whose last writes are remembered.
const MOST_REMEMBERED: usize = 5_000;
/// Writes that make a pattern: A, B, A, B.
const PATTERN: usize = 4;
/// Within how long they must come.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// A user through a client.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Writer {
    /// 18-character id of the user, as the change event has it.
    pub user: String,
    /// The client, as the change event names its origin; data.
    pub client: String,
}

/// One change of one governed field of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Object.
    pub object: ObjectName,
    /// Governed field.
    pub field: FieldName,
    /// Record.
    pub record: RecordId,
    /// What it holds since.
    pub value: FieldValue,
    /// Who.
    pub writer: Writer,
    /// Whether it is a promotion of ours.
    pub ours: bool,
    /// When it was committed.
    pub at: Timestamp,
}

/// One row of the map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Object.
    pub object: ObjectName,
    /// Governed field.
    pub field: FieldName,
    /// Who.
    #[serde(flatten)]
    pub writer: Writer,
    /// Whether it is our own promotions.
    pub ours: bool,
    /// How often.
    #[serde(with = "super::promotion::number_as_text")]
    pub writes: u64,
    /// The first time that is known.
    pub first: Timestamp,
    /// The last time.
    pub last: Timestamp,
}

/// Who writes what, since service began.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WriterMap {
    /// Rows, in the order in which they were first seen.
    pub rows: Vec<Row>,
    /// Writes of writers that found no room.
    #[serde(with = "super::promotion::number_as_text")]
    pub beyond: u64,
}

impl WriterMap {
    /// Counts a write. True when its writer is new on the field.
    pub fn count(&mut self, write: &Write) -> bool {
        let same = |row: &&mut Row| {
            row.object == write.object
                && row.field == write.field
                && row.writer == write.writer
                && row.ours == write.ours
        };
        if let Some(row) = self.rows.iter_mut().find(same) {
            row.writes += 1;
            row.first = row.first.min(write.at);
            row.last = row.last.max(write.at);
            return false;
        }
        if self.rows.len() >= MOST_ROWS {
            self.beyond += 1;
            return false;
        }
        self.rows.push(Row {
            object: write.object.clone(),
            field: write.field.clone(),
            writer: write.writer.clone(),
            ours: write.ours,
            writes: 1,
            first: write.at,
            last: write.at,
        });
        true
    }
}

/// A value that two writers set against each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flap {
    /// Object.
    pub object: ObjectName,
    /// Record.
    pub record: RecordId,
    /// Field.
    pub field: FieldName,
    /// Both writers, in the order of their writes.
    pub writers: [Writer; 2],
    /// The first of the four writes.
    pub since: Timestamp,
}

/// The last writes of fields of records, to see values that go back and forth. Kept in memory.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    last: BTreeMap<(ObjectName, RecordId, FieldName), Vec<Write>>,
}

impl Memory {
    /// Remembers a write. Tells when it is the fourth of A, B, A, B by two writers within a day.
    pub fn note(&mut self, write: &Write) -> Option<Flap> {
        let key = (write.object.clone(), write.record.clone(), write.field.clone());
        if self.last.len() >= MOST_REMEMBERED && !self.last.contains_key(&key) {
            self.forget_oldest();
        }
        let writes = self.last.entry(key).or_default();
        // A second event of the same commit says nothing new.
        if writes.last().is_some_and(|last| last.at == write.at && last.value == write.value) {
            return None;
        }
        writes.push(write.clone());
        if writes.len() > PATTERN {
            writes.remove(0);
        }
        let flap = flap(writes)?;
        // Told one time: the next needs four writes of its own.
        writes.clear();
        Some(flap)
    }

    fn forget_oldest(&mut self) {
        let age = |writes: &[Write]| writes.last().map(|last| last.at);
        let oldest = self.last.iter().min_by_key(|(_, writes)| age(writes)).map(|(key, _)| key.clone());
        if let Some(oldest) = oldest {
            self.last.remove(&oldest);
        }
    }
}

fn flap(writes: &[Write]) -> Option<Flap> {
    let [a, b, again, back] = writes else { return None };
    let values = a.value == again.value && b.value == back.value && a.value != b.value;
    let writers = a.writer == again.writer && b.writer == back.writer && a.writer != b.writer;
    let soon = back.at.duration_since(a.at) <= WINDOW;
    (values && writers && soon).then(|| Flap {
        object: a.object.clone(),
        record: a.record.clone(),
        field: a.field.clone(),
        writers: [a.writer.clone(), b.writer.clone()],
        since: a.at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = "006Cs0000000001IAA";

    fn write(user: &str, value: &str, minute: i64) -> Write {
        Write {
            object: ObjectName::parse("Opportunity").unwrap(),
            field: FieldName::parse("NextStep").unwrap(),
            record: RecordId::parse(RECORD).unwrap(),
            value: FieldValue::text(value),
            writer: Writer { user: user.into(), client: "rest".into() },
            ours: false,
            at: Timestamp::from_second(minute * 60).unwrap(),
        }
    }

    fn flaps(writes: &[Write]) -> usize {
        let mut memory = Memory::default();
        writes.iter().filter(|write| memory.note(write).is_some()).count()
    }

    #[test]
    fn a_writer_is_new_on_a_field_one_time() {
        let mut map = WriterMap::default();
        assert!(map.count(&write("one", "a", 2)));
        assert!(!map.count(&write("one", "b", 1)));
        assert!(map.count(&write("two", "a", 3)));
        assert!(map.count(&Write { ours: true, ..write("two", "a", 3) }));
        let first = &map.rows[0];
        assert_eq!((first.writes, first.first < first.last), (2, true));
        let field = FieldName::parse("StageName").unwrap();
        assert!(map.count(&Write { field, ..write("one", "a", 4) }), "a known writer on another field");
        let object = ObjectName::parse("Lead").unwrap();
        assert!(map.count(&Write { object, ..write("one", "a", 4) }), "and of another object");
        assert_eq!(map.rows.len(), 5);
        let json = serde_json::to_value(&map).unwrap();
        assert_eq!((&json["rows"][0]["writes"], &json["beyond"]), (&"2".into(), &"0".into()));
        assert_eq!(serde_json::from_value::<WriterMap>(json).unwrap(), map);
    }

    #[test]
    fn the_map_stays_small_whatever_the_org_does() {
        let mut map = WriterMap::default();
        for number in 0..MOST_ROWS + 5 {
            map.count(&write(&format!("user-{number}"), "a", 1));
        }
        assert_eq!((map.rows.len(), map.beyond), (MOST_ROWS, 5));
        assert!(!map.count(&write("user-1", "a", 2)) && map.beyond == 5, "known ones are still counted");
    }

    #[test]
    fn two_writers_against_each_other_are_told_one_time() {
        let back_and_forth: Vec<Write> = (0..7)
            .map(|n| write(if n % 2 == 0 { "one" } else { "two" }, if n % 2 == 0 { "a" } else { "b" }, n))
            .collect();
        let mut memory = Memory::default();
        let told: Vec<Option<Flap>> = back_and_forth.iter().map(|write| memory.note(write)).collect();
        let flap = told[3].as_ref().unwrap();
        assert_eq!([flap.writers[0].user.as_str(), flap.writers[1].user.as_str()], ["one", "two"]);
        assert_eq!(flap.since, back_and_forth[0].at);
        assert_eq!(told.iter().flatten().count(), 1, "the next needs four writes of its own");
    }

    #[test]
    fn what_is_no_pattern_is_not_told() {
        let one = |value: &str, minute| write("one", value, minute);
        let two = |value: &str, minute| write("two", value, minute);
        assert_eq!(flaps(&[one("a", 1), two("b", 2), one("a", 3)]), 0, "three writes");
        assert_eq!(flaps(&[one("a", 1), one("b", 2), one("a", 3), one("b", 4)]), 0, "one writer");
        assert_eq!(flaps(&[one("a", 1), two("b", 2), one("c", 3), two("b", 4)]), 0, "another value");
        assert_eq!(flaps(&[one("a", 1), two("a", 2), one("a", 3), two("a", 4)]), 0, "one value");
        assert_eq!(flaps(&[one("a", 1), two("b", 2), one("a", 3), two("c", 4)]), 0, "the last is another");
        assert_eq!(flaps(&[one("a", 1), two("b", 2), two("a", 3), two("b", 4)]), 0, "not in turn");
        assert_eq!(flaps(&[one("a", 1), two("b", 2), one("a", 3), two("b", 24 * 60 + 2)]), 0, "too slow");
        assert_eq!(flaps(&[one("a", 1), two("b", 2), one("a", 3), two("b", 24 * 60 + 1)]), 1);
        let twice = [one("a", 1), one("a", 1), two("b", 2), two("b", 2), one("a", 3), one("a", 3)];
        assert_eq!(flaps(&twice), 0, "an event that comes twice is one write");
        assert_eq!(flaps(&[one("a", 1), two("b", 1), one("a", 1), two("b", 1)]), 1, "all in one minute");
        let twice = [&twice[..], &[two("b", 4), two("b", 4)]].concat();
        assert_eq!(flaps(&twice), 1, "and hides none");
        let mut elsewhere = two("b", 4);
        elsewhere.record = RecordId::parse("006Cs0000000002IAA").unwrap();
        assert_eq!(flaps(&[one("a", 1), two("b", 2), one("a", 3), elsewhere]), 0, "another record");
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_is_forgotten() {
        let mut memory = Memory::default();
        for number in 0..MOST_REMEMBERED + 3 {
            let record = RecordId::complete(&format!("006Cs{number:010}")).unwrap();
            let minute = i64::try_from(number).unwrap();
            memory.note(&Write { record: RecordId::parse(&record).unwrap(), ..write("one", "a", minute) });
        }
        assert_eq!(memory.last.len(), MOST_REMEMBERED);
        assert!(memory.last.values().all(|writes| writes[0].at >= write("one", "a", 3).at));
    }
}
