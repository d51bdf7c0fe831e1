//! The form of log lines, and the list of fields that may stand in them.

use std::fmt;

use serde_json::{Map, Value};
use tracing::{Event, Subscriber, field::Visit};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use crate::clock::Clock;

/// Fields that may be logged. Each holds an id, a stable code, a count, a time or an address of
/// ours; `error` is the text of one of our typed errors, which hold no record values.
pub const ALLOWED: &[&str] = &[
    "address",
    "attempt",
    "attempts",
    "batch",
    "blocked",
    "calls",
    "code",
    "confirmed",
    "count",
    "delay_ms",
    "entries",
    "epoch",
    "error",
    "events",
    "field",
    "gap",
    "identity",
    "inbox",
    "job",
    "job_name",
    "kind",
    "lag_ms",
    "mode",
    "object",
    "open",
    "org_id",
    "outcome",
    "path",
    "pending",
    "policy",
    "port",
    "promotion",
    "proposal",
    "reason_code",
    "record",
    "replay_id",
    "rows",
    "rpc_id",
    "schema",
    "seconds",
    "sent",
    "seq",
    "service_code",
    "silence_ms",
    "stage",
    "state",
    "status",
    "step",
    "topic",
    "user_id",
    "version",
];

/// Most characters of one field.
const MOST: usize = 500;

/// Formats one event as one line.
#[derive(Debug, Clone)]
pub struct Line {
    json: bool,
    clock: Clock,
}

impl Line {
    /// JSON lines, or lines for people.
    pub fn new(json: bool) -> Self {
        Self { json, clock: Clock::system() }
    }
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        let time = self.clock.now().to_string();
        if self.json {
            let mut line = Map::new();
            line.insert("time".to_owned(), time.into());
            line.insert("level".to_owned(), metadata.level().as_str().into());
            line.insert("target".to_owned(), metadata.target().into());
            line.insert("message".to_owned(), fields.message.into());
            line.extend(fields.shown.into_iter().map(|(name, text)| (name.to_owned(), Value::String(text))));
            if !fields.withheld.is_empty() {
                line.insert("withheld".to_owned(), fields.withheld.join(",").into());
            }
            return writeln!(out, "{}", Value::Object(line));
        }
        write!(out, "{time} {:>5} {}: {}", metadata.level(), metadata.target(), fields.message)?;
        for (name, text) in &fields.shown {
            let plain = !text.is_empty() && !text.contains([' ', '"', '=']);
            if plain { write!(out, " {name}={text}")? } else { write!(out, " {name}={text:?}")? }
        }
        if !fields.withheld.is_empty() {
            write!(out, " withheld={}", fields.withheld.join(","))?;
        }
        writeln!(out)
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    shown: Vec<(&'static str, String)>,
    withheld: Vec<&'static str>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        self.take(field.name(), value);
    }

    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        let name = field.name();
        if name == "message" || ALLOWED.contains(&name) {
            self.take(name, &format!("{value:?}"));
        } else {
            self.withheld.push(name);
        }
    }
}

impl Fields {
    fn take(&mut self, name: &'static str, text: &str) {
        match name {
            "message" => self.message = visible(text),
            _ if ALLOWED.contains(&name) => self.shown.push((name, visible(text))),
            _ => self.withheld.push(name),
        }
    }
}

/// The text on one line, cut, with characters escaped that a terminal obeys or a reader cannot see.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MOST));
    for (place, character) in text.chars().enumerate() {
        if place == MOST {
            out.push('…');
            break;
        }
        let hidden = character.is_control()
            || matches!(character, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}');
        if hidden { out.extend(character.escape_default()) } else { out.push(character) }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(json: bool, act: impl FnOnce()) -> String {
        let sink = Sink::default();
        let writer = sink.clone();
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(move || writer.clone())
            .event_format(Line::new(json));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), act);
        let bytes = sink.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn only_listed_fields_are_logged() {
        for json in [false, true] {
            let line = logged(json, || {
                tracing::info!(rows = 3, reason = "canary words", token = ?"canary-token", "promotions sent");
            });
            assert!(line.contains("promotions sent") && line.contains("rows"), "{line}");
            assert!(!line.contains("canary"), "{line}");
            assert!(line.contains("reason,token"), "what is withheld is named: {line}");
        }
    }

    #[test]
    fn a_text_stays_on_its_line() {
        let line = logged(false, || tracing::warn!(code = "x\n2026 ERROR forged\u{202E}", "refused"));
        assert_eq!(line.lines().count(), 1);
        assert!(line.contains(r"\n2026 ERROR forged") && line.contains(r"\u{202e}"), "{line}");
    }

    #[test]
    fn json_lines_are_json() {
        let line = logged(true, || tracing::error!(record = "00Q000000000001AAA", "gone"));
        let parsed: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(parsed["level"], "ERROR");
        assert_eq!(parsed["record"], "00Q000000000001AAA");
    }

    #[test]
    fn the_list_is_sorted() {
        assert!(ALLOWED.is_sorted());
    }
}
