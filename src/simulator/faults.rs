//! Faults on demand: what a network, a busy org or a colleague's edit can do, armed by name and count.
//!
//! The REST and Pub/Sub sides ask [`Faults::take_matching`] at fixed points; the row writer asks
//! for edits that must land first. A fault that nobody armed never happens.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultPoint {
    /// A token request.
    Token,
    /// A REST call, before anything is done.
    Request,
    /// A REST call, after its work is committed and before the reply.
    Reply,
    /// One row of a write, while it is being saved.
    Row,
    /// One row in the body of a collections request, before anything is done: an error refuses the
    /// whole request.
    Payload,
    /// Just before a write looks at its rows.
    BeforeWrite,
    /// A Pub/Sub call is opened.
    StreamOpen,
    /// A Pub/Sub stream is about to deliver.
    StreamDelivery,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum FaultAction {
    /// The socket closes without a reply.
    DropReply,
    /// The call waits.
    Delay {
        /// How long, in milliseconds.
        millis: u64,
    },
    /// The call is answered with this error.
    Error {
        /// HTTP status.
        status: u16,
        /// Salesforce's `errorCode`.
        code: String,
        /// Message.
        message: String,
    },
    /// The call's session ends first.
    ExpireToken,
    /// The row answers `UNABLE_TO_LOCK_ROW`.
    LockRow,
    /// HTTP 503 `SERVER_UNAVAILABLE`; on a stream, the same in gRPC's words.
    ServiceUnavailable,
    /// HTTP 403 `REQUEST_LIMIT_EXCEEDED` of the daily kind.
    DailyLimit,
    /// An edit by somebody else lands first, in its own transaction.
    Edit {
        /// Role of the seeded user who edits; the admin when absent.
        #[serde(default)]
        by: Option<String>,
        /// Record to edit; the record of the matching write when absent.
        #[serde(default)]
        record_id: Option<String>,
        /// New values in REST form.
        fields: Map<String, Value>,
    },
    /// The stream is reset as by a lost connection.
    StreamReset,
    /// The stream stays open and says nothing for this long; `None` for ever.
    StreamStall {
        /// How long, in milliseconds.
        #[serde(default)]
        millis: Option<u64>,
    },
    /// The stream ends with this `error-code` trailer.
    StreamError {
        /// gRPC status number.
        grpc_status: i32,
        /// `sfdc.platform.eventbus.grpc...`
        code: String,
        /// Other words than the usual ones.
        #[serde(default)]
        message: Option<String>,
    },
    /// The next delivery is sent a second time, under other replay ids.
    DuplicateDelivery,
    /// The next delivery merges equal changes of several records into one event.
    MergeRecordIds,
    /// The next delivery of equal changes comes as enrichment splits it: one event for each record,
    /// all with one replay id, each in a response of its own.
    SplitDelivery,
    /// The next delivery is lost, as the service says can happen.
    LoseDelivery,
    /// The next delivery has no replay ids, nor a place to resume from.
    OmitReplayId,
    /// The reply ends without trailers, as after RST_STREAM with NO_ERROR in some clients.
    StreamCut,
    /// The stream's HTTP/2 connection: RST_STREAM with this error code (0 is NO_ERROR) in the place of
    /// what was about to be delivered. On connections without TLS; with TLS it is cut.
    ResetFrame {
        /// HTTP/2 error code.
        error_code: u32,
    },
    /// The same with GOAWAY, then the connection ends.
    GoAway,
    /// The connection stays open and carries nothing any more, not even answers to pings.
    HalfOpen,
}

/// Which calls a fault is for. An empty matcher fits every call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "snake_case", deny_unknown_fields)]
pub struct FaultMatch {
    /// HTTP method.
    pub method: Option<String>,
    /// Part of the path, or of a topic's name.
    pub path_contains: Option<String>,
    /// Object API name.
    pub object: Option<String>,
    /// 18-character record id.
    pub record_id: Option<String>,
    /// Username.
    pub username: Option<String>,
    /// Only writes that name this field.
    pub field: Option<String>,
}

/// An armed fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Fault {
    /// A name for people; shows up in the list of fired faults.
    #[serde(default)]
    pub name: String,
    /// Where.
    pub point: FaultPoint,
    /// For which calls.
    #[serde(default, rename = "match")]
    pub matcher: FaultMatch,
    /// How many matching calls pass unharmed first.
    #[serde(default)]
    pub skip: u32,
    /// How often it strikes; `None` until it is cleared.
    #[serde(default = "one")]
    pub count: Option<u32>,
    /// What happens.
    pub action: FaultAction,
}

fn one() -> Option<u32> {
    Some(1)
}

impl Fault {
    /// Strikes the next call at this point, once.
    pub fn once(point: FaultPoint, action: FaultAction) -> Self {
        Self { name: String::new(), point, matcher: FaultMatch::default(), skip: 0, count: Some(1), action }
    }
}

/// What is about to happen, for matching.
#[derive(Debug, Clone, Copy, Default)]
pub struct FaultSite<'a> {
    /// HTTP method, or empty.
    pub method: &'a str,
    /// Path or topic, or empty.
    pub path: &'a str,
    /// Object, or empty.
    pub object: &'a str,
    /// 18-character record id, or empty.
    pub record_id: &'a str,
    /// Username, or empty.
    pub username: &'a str,
    /// The fields of a write, when it is one.
    pub fields: Option<&'a Map<String, Value>>,
}

impl FaultMatch {
    fn fits(&self, site: &FaultSite<'_>) -> bool {
        let same =
            |want: &Option<String>, is: &str| want.as_ref().is_none_or(|want| want.eq_ignore_ascii_case(is));
        let has_field = |name: &String| {
            site.fields.is_some_and(|fields| fields.keys().any(|key| key.eq_ignore_ascii_case(name)))
        };
        same(&self.method, site.method)
            && same(&self.object, site.object)
            && same(&self.username, site.username)
            && self.record_id.as_ref().is_none_or(|want| want == site.record_id)
            && self.path_contains.as_ref().is_none_or(|part| site.path.contains(part.as_str()))
            && self.field.as_ref().is_none_or(has_field)
    }
}

/// The armed faults of one org, and the names of those that struck.
#[derive(Debug, Default)]
pub struct Faults {
    inner: Mutex<Armed>,
}

#[derive(Debug, Default)]
struct Armed {
    faults: VecDeque<Fault>,
    fired: Vec<String>,
}

impl Faults {
    /// Arms a fault.
    pub fn arm(&self, fault: Fault) {
        self.lock().faults.push_back(fault);
    }

    /// Forgets all armed faults.
    pub fn clear(&self) {
        self.lock().faults.clear();
    }

    /// The armed faults, with what is left of their counts.
    pub fn armed(&self) -> Vec<Fault> {
        self.lock().faults.iter().cloned().collect()
    }

    /// Names of the faults that struck, in order.
    pub fn fired(&self) -> Vec<String> {
        self.lock().fired.clone()
    }

    /// The first armed fault for this point and call, counted down. Faults that are
    /// still to let calls pass count those down too.
    pub fn take_matching(&self, point: FaultPoint, site: &FaultSite<'_>) -> Option<Fault> {
        let mut armed = self.lock();
        if armed.faults.is_empty() {
            return None;
        }
        let mut hit = None;
        for (index, fault) in armed.faults.iter_mut().enumerate() {
            if fault.point != point || !fault.matcher.fits(site) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if let Some(left) = &mut fault.count {
                if *left == 0 {
                    continue;
                }
                *left -= 1;
            }
            hit = Some((index, fault.clone()));
            break;
        }
        let (index, fault) = hit?;
        if fault.count == Some(0) {
            armed.faults.remove(index);
        }
        armed.fired.push(fault.name.clone());
        Some(fault)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Armed> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strikes_the_named_call_and_no_other() {
        let faults = Faults::default();
        let fault: Fault = serde_json::from_str(
            r#"{"name": "lost", "point": "reply", "skip": 1, "match": {"method": "PATCH"},
                "action": {"kind": "drop-reply"}}"#,
        )
        .unwrap();
        faults.arm(fault);
        let patch = FaultSite { method: "PATCH", path: "/sobjects/Lead/1", ..FaultSite::default() };
        let get = FaultSite { method: "GET", ..patch };
        assert!(faults.take_matching(FaultPoint::Reply, &get).is_none(), "another method passes");
        assert!(faults.take_matching(FaultPoint::Reply, &patch).is_none(), "the first one is let through");
        assert!(faults.take_matching(FaultPoint::Request, &patch).is_none(), "another point passes");
        assert!(faults.take_matching(FaultPoint::Reply, &patch).is_some());
        assert!(faults.take_matching(FaultPoint::Reply, &patch).is_none(), "it strikes once");
        assert_eq!(faults.fired(), ["lost"]);
        assert!(faults.armed().is_empty());
    }
}
