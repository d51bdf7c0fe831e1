//! A user's own record: custom fields that field-level security opens may be written without Manage
//! Users. That a real org lets an integration user do that is not confirmed; the setting
//! `users-edit-themselves` says whether this one does.

use super::{
    super::{
        ids,
        model::ObjectDef,
        write::{WriteOp, WriteRow},
    },
    Context,
};
use crate::salesforce::names::heartbeat;

/// Whether this is such a write. Which of the fields the user may edit is asked as for any record.
pub(super) fn may(context: &Context<'_>, object: &ObjectDef, row: &WriteRow) -> bool {
    let own = row.id.as_deref().and_then(ids::complete) == Some(context.user.user_id.clone());
    object.name == heartbeat::OBJECT
        && row.op == WriteOp::Update
        && own
        && context.org.settings().users_edit_themselves
        && row.fields.keys().all(|name| name.ends_with("__c"))
}
