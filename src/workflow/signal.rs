//! Signals as systems send them: read strictly, every problem named at once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    domain::{Evidence, ObjectName, RecordId},
    gate::{Rules, limits::CLOCK_TOLERANCE},
};

/// Most signals of one call.
const MOST: usize = 1000;
/// Most characters of one text.
const MOST_TEXT: usize = 255;

/// A signal about one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// Object API name.
    pub object: ObjectName,
    /// Record id.
    pub record: RecordId,
    /// What happened.
    pub signal: Evidence,
}

/// One thing that is wrong with the signals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{code}: signal {place}: {message}; {fix}")]
pub struct SignalProblem {
    /// Stable code.
    pub code: &'static str,
    /// Which signal, from 1.
    pub place: usize,
    /// What was expected and what was found.
    pub message: String,
    /// What to do.
    pub fix: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    object: String,
    record_id: String,
    kind: String,
    source: String,
    occurred_at: Timestamp,
    #[serde(default)]
    link: Option<String>,
    #[serde(default)]
    digest: Option<String>,
}

/// Reads one signal or a list of them. With any problem none is taken.
pub fn read(text: &str, rules: &Rules, now: Timestamp) -> Result<Vec<Signal>, Vec<SignalProblem>> {
    let whole = |message: String| {
        let fix = "send one JSON object or a list of them; see `countersign signal --help`".to_owned();
        vec![SignalProblem { code: "signal-not-json", place: 1, message, fix }]
    };
    let json: Value = serde_json::from_str(text).map_err(|error| whole(error.to_string()))?;
    let sent = match json {
        Value::Array(all) => all,
        one => vec![one],
    };
    if sent.is_empty() || sent.len() > MOST {
        return Err(whole(format!("expected 1 to {MOST} signals, found {}", sent.len())));
    }
    let (mut signals, mut problems) = (Vec::new(), Vec::new());
    for (place, one) in sent.into_iter().enumerate() {
        match single(one, rules, now) {
            Ok(signal) => signals.push(signal),
            Err((code, message, fix)) => {
                problems.push(SignalProblem { code, place: place + 1, message, fix: fix.to_owned() });
            }
        }
    }
    if problems.is_empty() { Ok(signals) } else { Err(problems) }
}

type Wrong = (&'static str, String, &'static str);

fn single(json: Value, rules: &Rules, now: Timestamp) -> Result<Signal, Wrong> {
    let sent: Sent = serde_json::from_value(json)
        .map_err(|error| ("signal-malformed", error.to_string(), "see `countersign signal --help`"))?;
    let wrong_id = |error: crate::domain::IdError| (error.code(), error.to_string(), "correct the value");
    let object = ObjectName::parse(&sent.object).map_err(wrong_id)?;
    let record = RecordId::parse(&sent.record_id).map_err(wrong_id)?;
    if !rules.policy().objects.contains_key(&object) {
        let message = format!("no policy names `{object}`");
        return Err(("object-not-governed", message, "send signals about governed objects"));
    }
    let texts = [("kind", Some(&sent.kind)), ("source", Some(&sent.source)), ("link", sent.link.as_ref())];
    for (key, text) in texts.into_iter().chain([("digest", sent.digest.as_ref())]) {
        let Some(text) = text else { continue };
        if text.trim().is_empty() || text.chars().count() > MOST_TEXT {
            let message = format!("`{key}` wants 1 to {MOST_TEXT} characters");
            return Err(("signal-text-length", message, "correct the value"));
        }
    }
    if sent.occurred_at.duration_since(now) > CLOCK_TOLERANCE || sent.occurred_at < Timestamp::UNIX_EPOCH {
        let message = format!("`occurred_at` is {}, which is not between 1970 and now", sent.occurred_at);
        return Err(("signal-time", message, "send the time at which it happened"));
    }
    let Sent { kind, source, occurred_at, link, digest, .. } = sent;
    Ok(Signal { object, record, signal: Evidence { kind, source, occurred_at, link, digest } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<&'static str> {
        let rules = Rules::new(crate::config::policies::load(None).unwrap()).unwrap();
        let now = "2026-05-20T12:00:00Z".parse().unwrap();
        match read(text, &rules, now) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(|problem| problem.code).collect(),
        }
    }

    fn with(change: &str) -> String {
        let mut good = serde_json::json!({ "object": "Lead", "record_id": "00QCs0000000001MAA", "kind": "reply",
            "source": "mailbox", "occurred_at": "2026-05-20T11:00:00Z" });
        let change: Value = serde_json::from_str(change).unwrap();
        good.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        good.to_string()
    }

    #[test]
    fn each_mistake_has_its_code_and_nothing_of_a_bad_list_is_taken() {
        assert_eq!(codes(&with("{}")), [""; 0]);
        assert_eq!(codes(&with(r#"{"link": "https://mail.example.com/1"}"#)), [""; 0]);
        for (change, code) in [
            (r#"{"kindd": "x"}"#, "signal-malformed"),
            (r#"{"kind": 3}"#, "signal-malformed"),
            (r#"{"occurred_at": "yesterday"}"#, "signal-malformed"),
            (r#"{"record_id": "short"}"#, "record-id-malformed"),
            (r#"{"object": "Account"}"#, "object-not-governed"),
            (r#"{"kind": " "}"#, "signal-text-length"),
            (r#"{"occurred_at": "2026-05-20T12:06:00Z"}"#, "signal-time"),
            (r#"{"occurred_at": "1969-12-31T00:00:00Z"}"#, "signal-time"),
        ] {
            assert_eq!(codes(&with(change)), [code], "{change}");
        }
        assert_eq!(codes("[]"), ["signal-not-json"]);
        assert_eq!(codes("{"), ["signal-not-json"]);
        let list = format!("[{}, {}]", with("{}"), with(r#"{"kind": ""}"#));
        assert_eq!(codes(&list), ["signal-text-length"]);
    }
}
