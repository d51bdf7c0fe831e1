//! Owners of records who can decide nothing: users who are not active, queues without active members.

use std::collections::{BTreeMap, BTreeSet};

use super::{Reader, SalesforceError, reader::RowPages, reading::Row, soql_text::literal};
use crate::domain::RecordId;

/// Owners in one query; with more the URL would be too long.
const MOST_IDS: usize = 200;

/// What ids of users and of queues start with.
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
    /// queues, and one for each 200 of their members. Members that are roles or groups count as active;
    /// where this identity does not see members, no queue is told.
    pub async fn idle_owners(
        &self,
        owners: &BTreeSet<RecordId>,
    ) -> Result<BTreeMap<RecordId, Idle>, SalesforceError> {
        let queues: Vec<&RecordId> = owners.iter().filter(|owner| is(owner, QUEUE)).collect();
        let members = self.queue_members(&queues).await?;
        let in_queues = members.iter().flat_map(|members| members.values().flatten());
        let users: BTreeSet<&RecordId> = owners.iter().chain(in_queues).filter(|id| is(id, USER)).collect();
        let inactive = self.inactive_users(&users.into_iter().collect::<Vec<_>>()).await?;
        let mut idle = BTreeMap::new();
        for owner in owners.iter().filter(|owner| inactive.contains(*owner)) {
            idle.insert(owner.clone(), Idle::Inactive);
        }
        let Some(members) = members else { return Ok(idle) };
        for queue in queues {
            let can =
                members.get(queue).is_some_and(|members| members.iter().any(|id| !inactive.contains(id)));
            if !can {
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

    /// Who is in each of these queues; `None` where this identity does not see it.
    async fn queue_members(
        &self,
        queues: &[&RecordId],
    ) -> Result<Option<BTreeMap<RecordId, Vec<RecordId>>>, SalesforceError> {
        let mut members: BTreeMap<RecordId, Vec<RecordId>> = BTreeMap::new();
        for chunk in queues.chunks(MOST_IDS) {
            let soql =
                format!("SELECT GroupId, UserOrGroupId FROM GroupMember WHERE GroupId IN ({})", list(chunk));
            let mut pages = RowPages::new(self.clone(), soql);
            loop {
                let rows = match pages.next().await {
                    Ok(Some(rows)) => rows,
                    Ok(None) => break,
                    Err(error)
                        if matches!(error.salesforce_code(), Some("INVALID_TYPE" | "INVALID_FIELD")) =>
                    {
                        return Ok(None);
                    }
                    Err(error) => return Err(error),
                };
                for row in &rows {
                    let (queue, member) = (Row(row).id("GroupId"), Row(row).id("UserOrGroupId"));
                    if let (Some(queue), Some(member)) = (queue, member) {
                        members.entry(queue).or_default().push(member);
                    }
                }
            }
        }
        Ok(Some(members))
    }
}

fn is(id: &RecordId, prefix: &str) -> bool {
    id.as_str().starts_with(prefix)
}

fn list(ids: &[&RecordId]) -> String {
    ids.iter().map(|id| literal(id.as_str())).collect::<Vec<_>>().join(", ")
}
