//! Owners of records who can decide nothing: users who are not active, queues without active members.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Reader, SalesforceError, reader::RowPages, reading::Row, soql_text::literal};
use crate::domain::RecordId;

/// Owners in one query; with more the URL would be too long.
const MOST_IDS: usize = 200;

/// How deep groups in a queue are followed; what is deeper counts as active.
const MOST_LEVELS: usize = 6;

/// What ids of users and of queues, groups and roles start with.
const USER: &str = "005";
const QUEUE: &str = "00G";

/// Why an owner can decide nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Idle {
    /// The user is not active.
    Inactive,
    /// Nobody active is in the queue.
    EmptyQueue,
}

impl Idle {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Inactive => "owner-inactive",
            Self::EmptyQueue => "queue-empty",
        }
    }

    /// The same in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Inactive => "is not active any more",
            Self::EmptyQueue => "is a queue without an active member",
        }
    }
}

impl Reader {
    /// Those of these owners who can decide nothing. One query for each 200 users, one for each 200
    /// queues, and one for each 200 of their members. Public groups in a queue are followed down, two
    /// queries for each level. Members that are roles, and groups that cannot be looked into, count as
    /// active; where this identity does not see members, no queue is told.
    pub async fn idle_owners(
        &self,
        owners: &BTreeSet<RecordId>,
    ) -> Result<BTreeMap<RecordId, Idle>, SalesforceError> {
        let queues: Vec<&RecordId> = owners.iter().filter(|owner| is(owner, QUEUE)).collect();
        let members = self.members(&queues).await?;
        let in_queues = members.iter().flat_map(|members| members.of.values().flatten());
        let users: BTreeSet<&RecordId> = owners.iter().chain(in_queues).filter(|id| is(id, USER)).collect();
        let inactive = self.inactive_users(&users.into_iter().collect::<Vec<_>>()).await?;
        let mut idle = BTreeMap::new();
        for owner in owners.iter().filter(|owner| inactive.contains(*owner)) {
            idle.insert(owner.clone(), Idle::Inactive);
        }
        let Some(members) = members else { return Ok(idle) };
        for queue in queues {
            if !members.any_active(queue, &inactive) {
                idle.insert(queue.clone(), Idle::EmptyQueue);
            }
        }
        Ok(idle)
    }

    async fn inactive_users(&self, users: &[&RecordId]) -> Result<BTreeSet<RecordId>, SalesforceError> {
        let mut found = BTreeSet::new();
        for chunk in users.chunks(MOST_IDS) {
            let soql = format!("SELECT Id FROM User WHERE IsActive = false AND Id IN ({})", list(chunk));
            found.extend(self.query(&soql).await?.iter().filter_map(|row| Row(row).id("Id")));
        }
        Ok(found)
    }

    /// Who is in each of these queues and in the public groups in them; `None` where this identity does
    /// not see it.
    async fn members(&self, queues: &[&RecordId]) -> Result<Option<Members>, SalesforceError> {
        let mut found = Members::default();
        let mut level: BTreeSet<RecordId> = queues.iter().map(|queue| (*queue).clone()).collect();
        for _ in 0..MOST_LEVELS {
            let Some(rows) = self.members_of(&level).await? else { return Ok(None) };
            found.open.append(&mut level);
            let groups: BTreeSet<RecordId> = rows
                .values()
                .flatten()
                .filter(|id| is(id, QUEUE) && !found.open.contains(*id))
                .cloned()
                .collect();
            found.of.extend(rows);
            level = self.public_groups(&groups).await?;
            if level.is_empty() {
                break;
            }
        }
        Ok(Some(found))
    }

    async fn members_of(
        &self,
        groups: &BTreeSet<RecordId>,
    ) -> Result<Option<BTreeMap<RecordId, Vec<RecordId>>>, SalesforceError> {
        let mut members: BTreeMap<RecordId, Vec<RecordId>> = BTreeMap::new();
        for chunk in groups.iter().collect::<Vec<_>>().chunks(MOST_IDS) {
            let soql =
                format!("SELECT GroupId, UserOrGroupId FROM GroupMember WHERE GroupId IN ({})", list(chunk));
            let Some(rows) = self.seen(soql).await? else { return Ok(None) };
            for row in &rows {
                let (queue, member) = (Row(row).id("GroupId"), Row(row).id("UserOrGroupId"));
                if let (Some(queue), Some(member)) = (queue, member) {
                    members.entry(queue).or_default().push(member);
                }
            }
        }
        Ok(Some(members))
    }

    /// Those of these groups whose members stand in rows of their own. A role's do not.
    async fn public_groups(
        &self,
        groups: &BTreeSet<RecordId>,
    ) -> Result<BTreeSet<RecordId>, SalesforceError> {
        let mut found = BTreeSet::new();
        for chunk in groups.iter().collect::<Vec<_>>().chunks(MOST_IDS) {
            let soql = format!("SELECT Id FROM Group WHERE Type = 'Regular' AND Id IN ({})", list(chunk));
            let rows = self.seen(soql).await?.unwrap_or_default();
            found.extend(rows.iter().filter_map(|row| Row(row).id("Id")));
        }
        Ok(found)
    }

    /// All rows; `None` where this identity does not see the object.
    async fn seen(&self, soql: String) -> Result<Option<Vec<Value>>, SalesforceError> {
        match RowPages::new(self.clone(), soql).all().await {
            Ok(rows) => Ok(Some(rows)),
            Err(error) if matches!(error.salesforce_code(), Some("INVALID_TYPE" | "INVALID_FIELD")) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Members of queues and of the groups in them.
#[derive(Debug, Default)]
struct Members {
    of: BTreeMap<RecordId, Vec<RecordId>>,
    /// Queues and groups that were looked into.
    open: BTreeSet<RecordId>,
}

impl Members {
    /// Whether anybody active is in it, at any depth. A group may stand in itself by way of others.
    fn any_active(&self, queue: &RecordId, inactive: &BTreeSet<RecordId>) -> bool {
        let (mut waiting, mut seen) = (vec![queue], BTreeSet::new());
        while let Some(group) = waiting.pop() {
            if !seen.insert(group) {
                continue;
            }
            for member in self.of.get(group).into_iter().flatten() {
                match is(member, QUEUE) && self.open.contains(member) {
                    true => waiting.push(member),
                    false if inactive.contains(member) => {}
                    false => return true,
                }
            }
        }
        false
    }
}

fn is(id: &RecordId, prefix: &str) -> bool {
    id.as_str().starts_with(prefix)
}

fn list(ids: &[&RecordId]) -> String {
    ids.iter().map(|id| literal(id.as_str())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(prefix: &str, number: u8) -> RecordId {
        let text = RecordId::complete(&format!("{prefix}Cs000000000{number}")).unwrap();
        RecordId::parse(&text).unwrap()
    }

    #[test]
    fn groups_in_a_queue_are_followed_down_and_roles_count_as_active() {
        let (user, group) = (|number| id(USER, number), |number| id(QUEUE, number));
        let of = |rows: &[(u8, RecordId)]| {
            let mut members = Members { open: (1..=3).map(group).collect(), ..Members::default() };
            for (group_number, member) in rows {
                members.of.entry(group(*group_number)).or_default().push(member.clone());
            }
            members.any_active(&group(1), &[user(7), user(8)].into())
        };
        assert!(!of(&[]), "nobody");
        assert!(!of(&[(1, user(7))]) && of(&[(1, user(7)), (1, user(9))]));
        assert!(!of(&[(1, group(2)), (2, user(7)), (2, group(3)), (3, user(8))]), "two levels down");
        assert!(of(&[(1, group(2)), (2, group(3)), (3, user(9))]));
        assert!(!of(&[(1, group(2)), (2, group(1))]), "a circle of nobody");
        assert!(of(&[(1, group(2)), (2, group(5))]), "a role, or what was not looked into");
    }
}
