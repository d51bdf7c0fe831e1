//! `customNotificationAction`: who is told what. The org keeps what was sent.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        ids,
        org::Org,
        state::{Effect, State},
        users::UserContext,
    },
    interview::Value,
    run::{Failure, Machine},
};
use crate::domain::FieldValue;

/// Recipients of one notification.
const MAX_RECIPIENTS: usize = 500;
/// Characters of a title and of a body.
const MAX_TITLE: usize = 250;
const MAX_BODY: usize = 750;

/// A custom notification that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Developer name of its type.
    pub kind: String,
    /// Ids of users, groups and queues as the sender gave them.
    pub recipients: Vec<String>,
    /// Ids of the users who were told, members of groups and queues among them.
    pub users: BTreeSet<String>,
    /// Title.
    pub title: String,
    /// Text.
    pub body: String,
    /// The record that it opens.
    pub target_id: Option<String>,
    /// Who caused it.
    pub sender_id: String,
    /// When.
    pub sent_at: Timestamp,
}

impl Machine<'_> {
    /// Sends a notification when the transaction commits.
    pub(super) fn notify(&mut self, inputs: &[(String, Value)]) -> Result<(), Failure> {
        let sent = notification(self.state, inputs, &self.context.user.user_id, self.context.now);
        let sent = sent.map_err(|why| {
            Failure::Fault(format!(
                "This error occurred when the flow tried to send a custom notification: {why}"
            ))
        })?;
        self.journal.effects.push(Effect::Notify(sent));
        Ok(())
    }
}

/// The notification that these inputs ask for.
pub(in crate::simulator) fn notification(
    state: &State,
    inputs: &[(String, Value)],
    sender: &str,
    now: Timestamp,
) -> Result<Notification, String> {
    let value = |name: &str| inputs.iter().find(|(input, _)| input == name).map(|(_, value)| value.clone());
    let text = |name: &str| {
        value(name).and_then(|value| value.one().as_text().map(str::to_owned)).unwrap_or_default()
    };
    let type_id = ids::complete(&text("customNotifTypeId")).unwrap_or_default();
    let kind = state.table("CustomNotificationType").and_then(|table| table.live(&type_id));
    let kind = kind.and_then(|row| row.get("DeveloperName")).map(ToString::to_string);
    let kind = kind.ok_or("customNotifTypeId names no notification type")?;
    let recipients: Vec<String> = value("recipientIds")
        .map(Value::list)
        .unwrap_or_default()
        .iter()
        .filter_map(|id| id.one().as_text().map(str::to_owned))
        .collect();
    if recipients.is_empty() || recipients.len() > MAX_RECIPIENTS {
        return Err(format!("recipientIds must hold 1 to {MAX_RECIPIENTS} ids"));
    }
    let (title, body) = (text("title"), text("body"));
    if body.is_empty() || body.chars().count() > MAX_BODY || title.chars().count() > MAX_TITLE {
        return Err(format!(
            "a body of 1 to {MAX_BODY} and a title of up to {MAX_TITLE} characters are needed"
        ));
    }
    let target_id = Some(text("targetId")).filter(|id| !id.is_empty());
    if target_id.is_none() && text("targetPageRef").is_empty() {
        return Err("targetId or targetPageRef is needed".to_owned());
    }
    let users = recipients.iter().flat_map(|id| people(state, id)).collect();
    Ok(Notification {
        kind,
        recipients,
        users,
        title,
        body,
        target_id,
        sender_id: sender.to_owned(),
        sent_at: now,
    })
}

/// The users behind an id: itself, or the members of a group or queue.
fn people(state: &State, id: &str) -> Vec<String> {
    let Some(id) = ids::complete(id) else { return Vec::new() };
    if id.starts_with("005") {
        return vec![id];
    }
    let text = |row: &super::super::model::Row, field: &str| {
        row.get(field).and_then(FieldValue::as_text).map(str::to_owned).unwrap_or_default()
    };
    let members = state.table("GroupMember").map(|table| table.rows(false)).unwrap_or_default();
    let members = members.iter().filter(|row| text(row, "GroupId") == id);
    members.map(|row| text(row, "UserOrGroupId")).filter(|id| id.starts_with("005")).collect()
}

impl Org {
    /// Sends a custom notification with the inputs of the standard action.
    pub(in crate::simulator) fn send_notification(
        &self,
        user: &UserContext,
        inputs: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<(), String> {
        let text = |json: &serde_json::Value| Value::One(FieldValue::text(json.as_str().unwrap_or_default()));
        let values: Vec<(String, Value)> = inputs
            .iter()
            .map(|(name, json)| {
                let value = match json.as_array() {
                    Some(list) => Value::List(list.iter().map(text).collect()),
                    None => text(json),
                };
                (name.clone(), value)
            })
            .collect();
        let mut state = self.write_state();
        let sent = notification(&state, &values, &user.user_id, self.now_seconds())?;
        state.take_effect(vec![Effect::Notify(sent)]);
        Ok(())
    }

    /// The custom notifications sent so far, oldest first.
    pub fn notifications(&self) -> Vec<Notification> {
        self.read().notifications.clone()
    }
}
