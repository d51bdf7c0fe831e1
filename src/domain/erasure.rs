//! Erased parts of events: what stands in their place, so that the rest can still be read.

use serde_json::{Value, json};

/// The word for a text that was erased.
pub const ERASED: &str = "(erased)";

/// What stands at a path of an event whose private part is gone; `None` where nothing has to.
pub fn placeholder(path: &str) -> Option<Value> {
    match path {
        "/proposal/patch" | "/proposal/base" | "/promotion/plan/stamps" => Some(json!({})),
        "/promotion/plan/changes" => Some(json!([])),
        "/settlement/message" | "/settlement/reason" | "/text" | "/freeze/reason" | "/restore/reason" => {
            Some(ERASED.into())
        }
        "/signal" => Some(json!({ "kind": ERASED, "source": ERASED, "occurred_at": "1970-01-01T00:00:00Z" })),
        _ => None,
    }
}
