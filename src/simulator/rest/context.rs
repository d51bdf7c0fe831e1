//! What every resource works with: the org, the user, and a few look-ups that answer in replies.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::json;

use super::{
    call::{Call, Reply, not_found},
    dates,
};
use crate::simulator::{
    Org, Transaction, UserContext,
    model::{FieldDef, ObjectDef},
    write::{PRECONDITION_FAILED, RowError, RowResult, WriteOptions, WriteRow},
};

/// One call's surroundings.
#[derive(Debug, Clone)]
pub(super) struct Context {
    pub(super) org: Org,
    pub(super) user: UserContext,
    /// `http://127.0.0.1:PORT`
    pub(super) instance_url: Arc<str>,
    /// When the org's schema was deployed; describes are as old as that.
    pub(super) deployed: Timestamp,
    /// Open while a composite call with `allOrNone` runs; all writes go into it.
    pub(super) transaction: Option<Arc<Mutex<Transaction>>>,
}

impl Context {
    /// An object that the user may see.
    pub(super) fn object(&self, name: &str) -> Result<Arc<ObjectDef>, Reply> {
        let object = self.org.object(name).filter(|object| self.user.can_read_object(&object.name));
        object.ok_or_else(not_found)
    }

    /// A field that the user may see.
    pub(super) fn field<'a>(&self, object: &'a ObjectDef, name: &str) -> Result<&'a FieldDef, Reply> {
        let field = object.field(name).filter(|field| self.user.can_read_field(&object.name, &field.name));
        field.ok_or_else(|| {
            let message = format!("No such column '{name}' on sobject of type {}", object.name);
            Reply::error(400, "INVALID_FIELD", message)
        })
    }

    /// Writes rows, into the open transaction if there is one.
    pub(super) fn write(&self, options: &WriteOptions, rows: Vec<WriteRow>) -> Vec<RowResult> {
        match &self.transaction {
            Some(open) => {
                let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
                open.write(&self.user, options, &rows)
            }
            None => self.org.write(&self.user, options, rows),
        }
    }

    /// How a call writes: its headers in the org's terms. Whether the collections and
    /// composite resources honour two of the headers is unconfirmed: the settings
    /// `call-options-on-collections` and `auto-assign-on-collections`.
    pub(super) fn write_options(&self, call: &Call, many: bool) -> Result<WriteOptions, Reply> {
        let settings = self.org.settings();
        let listens = !(many || call.nested);
        let since = dates::conditional(call.header("if-unmodified-since"))
            .map_err(|message| Reply::error(400, "INVALID_HEADER", message))?;
        let client = call.header("sforce-call-options").and_then(client_of);
        let assign =
            call.header("sforce-auto-assign").is_none_or(|value| !value.eq_ignore_ascii_case("false"));
        Ok(WriteOptions {
            origin_client: client.filter(|_| listens || settings.call_options_on_collections),
            version: call.version.clone(),
            if_unmodified_since: since.filter(|_| !many),
            auto_assign: assign || !(listens || settings.auto_assign_on_collections),
            update_only: call.flag("updateOnly"),
            ..WriteOptions::default()
        })
    }

    /// The HTTP status of a row error in a single-row call. Two of them are reported both
    /// ways and are settings: `lock-row-status`, `insufficient-access-status`.
    fn row_status(&self, error: &RowError) -> u16 {
        match error.code.as_str() {
            PRECONDITION_FAILED => 412,
            "ENTITY_IS_DELETED" | "NOT_FOUND" => 404,
            "INVALID_CROSS_REFERENCE_KEY" if error.fields.is_empty() => 404,
            "UNABLE_TO_LOCK_ROW" => self.org.settings().lock_row_status,
            "INSUFFICIENT_ACCESS_OR_READONLY" => self.org.settings().insufficient_access_status,
            "REQUEST_LIMIT_EXCEEDED" => 403,
            "SERVER_UNAVAILABLE" => 503,
            "UNKNOWN_EXCEPTION" => 500,
            _ => 400,
        }
    }

    /// The reply of a single-row call that failed.
    pub(super) fn row_failure(&self, errors: &[RowError]) -> Reply {
        let status = errors.first().map_or(400, |error| self.row_status(error));
        if status == 412 {
            return self.precondition_failed();
        }
        let body = errors.iter().map(|error| {
            let mut entry = json!({ "message": error.message, "errorCode": error.code });
            // Recorded replies leave `fields` out when it is empty, with this one exception.
            if let (true, Some(map)) =
                (!error.fields.is_empty() || error.code == "ENTITY_IS_DELETED", entry.as_object_mut())
            {
                map.insert("fields".to_owned(), json!(error.fields));
            }
            entry
        });
        Reply::with(status, body.collect())
    }

    /// 412. Its body is not known: the setting `precondition-body`.
    pub(super) fn precondition_failed(&self) -> Reply {
        if !self.org.settings().precondition_body {
            return Reply::empty(412);
        }
        Reply::error(
            412,
            PRECONDITION_FAILED,
            "The record was modified after the date given in If-Unmodified-Since",
        )
    }
}

/// The `client` of `Sforce-Call-Options: client=x, defaultNamespace=y`.
fn client_of(header: &str) -> Option<String> {
    let options = header.split([',', ';']).filter_map(|option| option.split_once('='));
    let client = options.filter(|(name, _)| name.trim() == "client").map(|(_, value)| value.trim()).next()?;
    (!client.is_empty()).then(|| client.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_read_from_call_options() {
        assert_eq!(client_of("client=countersign"), Some("countersign".into()));
        assert_eq!(client_of("defaultNamespace=x, client=sfdx toolbelt:"), Some("sfdx toolbelt:".into()));
        assert_eq!(client_of("client="), None);
        assert_eq!(client_of("countersign"), None);
    }
}
