//! Which users are programs: what the settings say, else what the org says of them.
//!
//! The org is asked one time for each user and day, many in one call, and before a transaction begins. The
//! answer is recorded with each label that rests on it, so that nothing that is read back later depends
//! on what the org says then. A user of whom the org says nothing counts as a person.
//!
//! A record that was saved again does not tell who changed its field before. Where an event told that a
//! program did, that is remembered here; a daemon that was started since does not know it any more.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

use super::{Context, WorkflowError};
use crate::{
    domain::{
        RecordId,
        shadow::who::{Named, Who},
    },
    salesforce::User,
};

/// How long an answer is good: a user may be given another licence.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// Most users, and most records, of which something is kept. Beyond it all of them are forgotten.
const MOST: usize = 20_000;
/// What an org says that does not show its users.
const HIDDEN: [&str; 3] = ["INVALID_TYPE", "INVALID_FIELD", "INSUFFICIENT_ACCESS"];

/// What is known of users.
#[derive(Debug, Clone, Default)]
pub struct People {
    named: Arc<Named>,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    since: Timestamp,
    users: Asked,
    /// The second of the newest change of a governed field that a program was heard to make.
    changes: BTreeMap<RecordId, i64>,
}

/// What is known of the users of one step. It does not change while the step goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked(BTreeMap<RecordId, Who>);

impl Asked {
    /// What is known of a user. Nothing is, where nobody knows which user it was.
    pub fn who(&self, user: Option<&RecordId>) -> Who {
        user.and_then(|user| self.0.get(user)).copied().unwrap_or_default()
    }
}

impl FromIterator<(RecordId, Who)> for Asked {
    fn from_iter<T: IntoIterator<Item = (RecordId, Who)>>(all: T) -> Self {
        Self(all.into_iter().collect())
    }
}

impl People {
    /// Knows what the settings say.
    pub fn new(named: Named) -> Self {
        Self { named: Arc::new(named), known: Arc::default() }
    }

    /// What is known of these users, and those that have to be asked for. What is too old is forgotten.
    fn known(&self, users: BTreeSet<RecordId>, now: Timestamp) -> (Asked, Vec<RecordId>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(known.since) >= KEPT || known.users.0.len() >= MOST {
            (known.since, known.users) = (now, Asked::default());
        }
        let (mut told, mut missing) = (Asked::default(), Vec::new());
        for user in users {
            let named = || self.named.of(&user, None);
            match known.users.0.get(&user).copied().or_else(named) {
                Some(who) => drop(told.0.insert(user, who)),
                None => missing.push(user),
            }
        }
        (told, missing)
    }

    /// Remembers that a program changed a governed field of a record.
    pub fn heard(&self, record: &RecordId, at: Timestamp) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.changes.len() >= MOST {
            known.changes.clear();
        }
        let newest = known.changes.entry(record.clone()).or_insert(i64::MIN);
        *newest = at.as_second().max(*newest);
    }

    /// Whether a program was heard to make the change of a record at that time.
    pub fn was_program(&self, record: &RecordId, at: Timestamp) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.changes.get(record) == Some(&at.as_second())
    }

    /// Keeps what the org said of these users.
    fn learn(&self, ids: Vec<RecordId>, found: &BTreeMap<RecordId, User>) -> Asked {
        let who = |id: RecordId| {
            let user = found.get(&id);
            let named = self.named.of(&id, user.and_then(|user| user.username.as_deref()));
            let who = named.or_else(|| user.map(User::who)).unwrap_or_default();
            (id, who)
        };
        let told: Asked = ids.into_iter().map(who).collect();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.users.0.extend(told.0.clone());
        told
    }
}

/// What is known of these users; who is new is asked for. Where the org does not show users nothing is
/// known of them, which is told; any other error is the caller's, who tries again.
pub async fn ask(context: &Context, users: impl Iterator<Item = &RecordId>) -> Result<Asked, WorkflowError> {
    let users = users.filter(|user| !context.is_machine(Some(user))).cloned().collect();
    let (mut told, missing) = context.people.known(users, context.clock.now());
    if missing.is_empty() {
        return Ok(told);
    }
    let found = match context.reader.users(&missing).await {
        Ok(found) => found,
        Err(error) if error.salesforce_code().is_some_and(|code| HIDDEN.contains(&code)) => {
            tracing::warn!(code = "users-hidden", %error, "which users are programs cannot be seen");
            BTreeMap::new()
        }
        Err(error) => return Err(error.into()),
    };
    told.0.extend(context.people.learn(missing, &found).0);
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(number: u8) -> RecordId {
        let text = RecordId::complete(&format!("005Cs000000000{number}")).unwrap();
        RecordId::parse(&text).unwrap()
    }

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hours * 3600).unwrap()
    }

    fn of_the_org(kind: &str, username: &str) -> User {
        let (name, username) = ("Olivia Example".to_owned(), Some(username.to_owned()));
        User { name, username, kind: kind.to_owned(), licence: None, active: true }
    }

    #[test]
    fn a_user_is_asked_for_one_time_a_day_and_not_where_the_settings_name_its_id() {
        let people = People::new(Named::parse(user(1).as_str(), user(2).as_str()).unwrap());
        let all = || [user(1), user(2), user(3)].into();
        let (told, missing) = people.known(all(), at(0));
        assert_eq!(missing, [user(3)]);
        assert_eq!((told.who(Some(&user(1))), told.who(Some(&user(2)))), (Who::Program, Who::Person));
        assert_eq!((told.who(Some(&user(3))), told.who(None)), (Who::Unknown, Who::Unknown));
        people.learn(missing, &[(user(3), of_the_org("AutomatedProcess", "auto@example.com"))].into());
        let (told, missing) = people.known(all(), at(23));
        assert_eq!((told.who(Some(&user(3))), missing), (Who::Program, vec![]));
        assert_eq!(people.known(all(), at(24)).1, [user(3)], "it may be another one now");
    }

    #[test]
    fn the_settings_outrank_the_org_and_who_is_not_seen_is_not_known() {
        let people = People::new(Named::parse("sync@example.com", "desk@example.com").unwrap());
        let found = [
            (user(1), of_the_org("Standard", "Sync@example.com")),
            (user(2), of_the_org("AutomatedProcess", "desk@example.com")),
            (user(3), of_the_org("Standard", "rita@example.com")),
        ];
        let told = people.learn(vec![user(1), user(2), user(3), user(4)], &found.into());
        let who = [1, 2, 3, 4].map(|number| told.who(Some(&user(number))));
        assert_eq!(who, [Who::Program, Who::Person, Who::Person, Who::Unknown]);
        assert_eq!(people.known([user(4)].into(), at(0)).1, [user(4)], "the first look begins a day");
    }

    #[test]
    fn the_newest_change_that_a_program_was_heard_to_make_is_remembered() {
        let people = People::default();
        people.heard(&user(1), at(2));
        people.heard(&user(1), at(1));
        assert!(people.was_program(&user(1), at(2)));
        assert!(!people.was_program(&user(1), at(1)) && !people.was_program(&user(2), at(2)));
    }
}
