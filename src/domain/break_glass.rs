//! Break-glass: a person went around the rules and said why.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{ObjectName, RecordId};

/// How a use became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// A change event told it: who and when are the platform's.
    Event,
    /// It stood on the record when that was read: who and when are those of the last save.
    Read,
}

/// One use on one record. The org demands a changed reason for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakGlassUse {
    /// Object API name.
    pub object: ObjectName,
    /// Record.
    pub record: RecordId,
    /// Who, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<RecordId>,
    /// When.
    pub at: Timestamp,
    /// The person's words, data; `None` once they have been erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How it became known.
    pub seen: Seen,
}

impl BreakGlassUse {
    /// The id under which the ledger keeps the uses on a record together.
    pub fn story(record: &RecordId) -> String {
        format!("{STORY}{record}")
    }

    /// Whether it says more than what is known of the record. An event may come twice, and may
    /// come after a read has seen the same reason; a read sees the last reason again each time.
    pub fn is_news(&self, known: &[Self]) -> bool {
        match self.seen {
            Seen::Event => !known.iter().any(|one| match one.seen {
                Seen::Event => one.at == self.at,
                Seen::Read => one.by == self.by && one.is_read_of(self),
            }),
            Seen::Read => {
                let newest = known.iter().map(Self::second).max();
                !known
                    .iter()
                    .filter(|one| Some(one.second()) == newest)
                    .any(|one| one.reason.is_none() || one.reason == self.reason)
            }
        }
    }

    /// Whether this read saw what that event told.
    fn is_read_of(&self, event: &Self) -> bool {
        self.record == event.record && self.reason == event.reason && self.second() >= event.second()
    }

    /// An event tells milliseconds, a record only the second of its last save.
    fn second(&self) -> i64 {
        self.at.as_second()
    }

    /// The uses, each one time: a read that an event explains is left out.
    pub fn each_once(mut known: Vec<Self>) -> Vec<Self> {
        let events: Vec<Self> = known.iter().filter(|one| one.seen == Seen::Event).cloned().collect();
        known.retain(|one| one.seen == Seen::Event || !events.iter().any(|event| one.is_read_of(event)));
        known
    }
}

/// What the ids of [`BreakGlassUse::story`] start with.
pub const STORY: &str = "break-glass:";

#[cfg(test)]
mod tests {
    use super::*;

    fn used(seen: Seen, second: i64, reason: &str, by: &str) -> BreakGlassUse {
        BreakGlassUse {
            object: ObjectName::parse("Lead").unwrap(),
            record: RecordId::parse("00QCs0000000001MAA").unwrap(),
            by: RecordId::parse(by).ok(),
            at: Timestamp::from_second(second).unwrap(),
            reason: Some(reason.into()),
            seen,
        }
    }

    const ONE: &str = "005Cs0000000003IAA";
    const TWO: &str = "005Cs0000000004IAA";

    #[test]
    fn the_uses_on_a_record_are_kept_under_its_id() {
        let record = RecordId::parse("00QCs0000000001MAA").unwrap();
        assert_eq!(BreakGlassUse::story(&record), "break-glass:00QCs0000000001MAA");
    }

    #[test]
    fn an_event_that_comes_twice_is_one_use() {
        let known = [used(Seen::Event, 1, "a", ONE), used(Seen::Event, 2, "b", ONE)];
        assert!(!known[0].is_news(&known));
        assert!(used(Seen::Event, 3, "a", ONE).is_news(&known), "the same words again are another use");
    }

    #[test]
    fn a_read_is_news_only_when_the_last_reason_is_another() {
        let known = [used(Seen::Event, 1, "a", ONE), used(Seen::Event, 2, "b", ONE)];
        assert!(!used(Seen::Read, 9, "b", TWO).is_news(&known));
        assert!(used(Seen::Read, 9, "a", TWO).is_news(&known));
        assert!(used(Seen::Read, 9, "a", TWO).is_news(&[]));
        let erased = [BreakGlassUse { reason: None, ..known[1].clone() }];
        assert!(!used(Seen::Read, 9, "b", TWO).is_news(&erased), "nobody can say that it is another");
    }

    #[test]
    fn uses_within_one_second_are_told_apart_by_their_reason() {
        let known = [used(Seen::Event, 2, "a", ONE), used(Seen::Read, 2, "b", ONE)];
        assert!(!used(Seen::Read, 2, "b", TWO).is_news(&known));
        assert!(used(Seen::Read, 2, "c", TWO).is_news(&known));
        let late = [known[1].clone(), known[0].clone()];
        assert!(!used(Seen::Read, 2, "b", TWO).is_news(&late), "whichever was recorded first");
    }

    #[test]
    fn a_read_knows_no_milliseconds() {
        let event = BreakGlassUse {
            at: Timestamp::from_millisecond(5_900).unwrap(),
            ..used(Seen::Event, 5, "a", ONE)
        };
        let read = used(Seen::Read, 5, "a", ONE);
        assert!(!event.is_news(std::slice::from_ref(&read)));
        assert!(!read.is_news(std::slice::from_ref(&event)));
        assert_eq!(BreakGlassUse::each_once(vec![read, event.clone()]), [event]);
    }

    #[test]
    fn an_event_after_the_read_counts_one_time_and_names_the_right_person() {
        let read = used(Seen::Read, 9, "a", TWO);
        let event = used(Seen::Event, 5, "a", ONE);
        assert!(event.is_news(std::slice::from_ref(&read)), "somebody else saved last");
        assert!(!used(Seen::Event, 5, "a", TWO).is_news(std::slice::from_ref(&read)));
        let uses = BreakGlassUse::each_once(vec![read, event.clone()]);
        assert_eq!(uses, [event]);
    }

    #[test]
    fn a_read_is_explained_by_an_event_of_its_record_and_reason_that_came_before() {
        let event = used(Seen::Event, 5, "a", ONE);
        let elsewhere = RecordId::parse("00QCs0000000002MAA").unwrap();
        let others = [
            used(Seen::Read, 9, "b", ONE),
            used(Seen::Read, 4, "a", ONE),
            BreakGlassUse { record: elsewhere, ..used(Seen::Read, 9, "a", ONE) },
        ];
        for read in others {
            assert!(event.is_news(std::slice::from_ref(&read)), "{read:?}");
            let both = vec![event.clone(), read];
            assert_eq!(BreakGlassUse::each_once(both.clone()), both);
        }
        assert!(!event.is_news(&[used(Seen::Read, 5, "a", ONE)]));
    }
}
