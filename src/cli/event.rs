//! `countersign event decode --schema FILE FILE`: recorded change events as JSON.

use std::{fs, path::PathBuf};

use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use super::{Exit, ExitWith};
use crate::salesforce::change_event::{EventDecoder, event_json};

/// Work with recorded change events.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    command: EventCommand,
}

#[derive(Debug, clap::Subcommand)]
enum EventCommand {
    /// Decode a recorded change event: header, changed fields, values.
    Decode(DecodeArgs),
}

/// Decode a recorded change event.
///
/// FILE holds the raw Avro bytes of one event, the same as hexadecimal text, or a JSON
/// recording of one or several events as clients print them (payload as base64 or as a
/// list of bytes). One event is printed as an object, several as a list.
#[derive(Debug, clap::Args)]
struct DecodeArgs {
    /// The Avro schema that the event was written with (JSON, as GetSchema gives it).
    #[arg(long, value_name = "FILE")]
    schema: PathBuf,
    /// The recording.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print JSON on one line.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(args: Args) -> Result<Exit> {
    match args.command {
        EventCommand::Decode(args) => decode(&args),
    }
}

/// One event of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Recorded {
    payload: Vec<u8>,
    schema_id: Option<String>,
    event_id: Option<String>,
    replay_id: Option<Vec<u8>>,
}

fn decode(args: &DecodeArgs) -> Result<Exit> {
    let unreadable =
        |path: &PathBuf, error| ExitWith::usage(format!("file-unreadable: {}: {error}", path.display()));
    let schema = fs::read_to_string(&args.schema).map_err(|error| unreadable(&args.schema, error))?;
    let decoder = EventDecoder::parse(&schema)
        .map_err(|error| ExitWith::usage(format!("{}: {}: {error}", error.code(), args.schema.display())))?;
    let bytes = fs::read(&args.file).map_err(|error| unreadable(&args.file, error))?;
    let recorded = read(&bytes).map_err(|what| {
        ExitWith::usage(format!(
            "recording-unreadable: {}: {what}; expected raw Avro bytes, hexadecimal text or a JSON recording",
            args.file.display()
        ))
    })?;
    let mut decoded = recorded.iter().map(|event| describe(&decoder, event)).collect::<Result<Vec<_>>>()?;
    let printed = if decoded.len() == 1 { decoded.remove(0) } else { Value::Array(decoded) };
    println!("{}", if args.json { printed.to_string() } else { serde_json::to_string_pretty(&printed)? });
    Ok(Exit::Done)
}

fn describe(decoder: &EventDecoder, event: &Recorded) -> Result<Value> {
    let own = decoder.schema().id();
    if let Some(id) = event.schema_id.as_deref().filter(|id| *id != own) {
        let message = format!(
            "event-schema-mismatch: the event was written with schema {id}, the schema file is {own}; use the file that belongs to the event"
        );
        return Err(ExitWith::usage(message).into());
    }
    let mut json = event_json(decoder, &event.payload)
        .map_err(|error| ExitWith { exit: Exit::Failed, message: format!("{}: {error}", error.code()) })?;
    if let Some(object) = json.as_object_mut() {
        if let Some(id) = &event.event_id {
            object.insert("event_id".to_owned(), Value::from(id.as_str()));
        }
        if let Some(id) = &event.replay_id {
            object.insert("replay_id".to_owned(), Value::from(hex(id)));
        }
    }
    Ok(json)
}

/// Tells the three forms apart. A raw event never starts with `{`, `[` or a whole file of
/// hex digits: its first byte is twice the length of the object's name.
fn read(bytes: &[u8]) -> Result<Vec<Recorded>, String> {
    let text = std::str::from_utf8(bytes).ok().map(str::trim);
    let looks_like_json = text.is_some_and(|text| text.starts_with(['{', '[']));
    if let Some(text) = text.filter(|_| looks_like_json) {
        return match serde_json::from_str(text) {
            Ok(json) => read_json(&json),
            // `{` is also a length byte.
            Err(_) if !text.starts_with("{\"") => Ok(vec![raw(bytes)]),
            Err(error) => Err(format!("the JSON cannot be read: {error}")),
        };
    }
    match text.and_then(unhex) {
        Some(payload) => Ok(vec![Recorded { payload, ..Recorded::default() }]),
        None if bytes.is_empty() => Err("the file is empty".to_owned()),
        None => Ok(vec![raw(bytes)]),
    }
}

fn raw(bytes: &[u8]) -> Recorded {
    Recorded { payload: bytes.to_vec(), ..Recorded::default() }
}

/// A list of events, a FetchResponse with `events`, or one event.
fn read_json(json: &Value) -> Result<Vec<Recorded>, String> {
    let events = match json {
        Value::Array(events) => events.as_slice(),
        Value::Object(object) => match field(object, "events") {
            Some(Value::Array(events)) => events.as_slice(),
            _ => std::slice::from_ref(json),
        },
        _ => return Err("the JSON is neither an object nor a list".to_owned()),
    };
    if events.is_empty() {
        return Err("the recording holds no event".to_owned());
    }
    events
        .iter()
        .enumerate()
        .map(|(index, event)| read_event(event).map_err(|what| format!("event {index}: {what}")))
        .collect()
}

/// `{event: {id, schemaId, payload}, replayId}`, or the inner object alone. Clients write
/// the names in camel case, Pascal case or with underscores.
fn read_event(json: &Value) -> Result<Recorded, String> {
    let outer = json.as_object().ok_or("it is no object")?;
    let inner = match field(outer, "event") {
        Some(Value::Object(inner)) => inner,
        _ => outer,
    };
    let text = |name| field(inner, name).and_then(Value::as_str).map(str::to_owned);
    let payload = match (field(inner, "payload"), field(inner, "payload_hex")) {
        (Some(payload), _) => binary(payload).ok_or("its payload is neither base64 nor a list of bytes")?,
        (None, Some(Value::String(hex))) => unhex(hex).ok_or("its payload_hex is not hexadecimal")?,
        _ => return Err("it has no payload".to_owned()),
    };
    let replay_id = field(outer, "replay_id").and_then(binary);
    Ok(Recorded { payload, schema_id: text("schema_id"), event_id: text("id"), replay_id })
}

fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let plain = |text: &str| text.replace('_', "").to_ascii_lowercase();
    object.iter().find(|(key, _)| plain(key) == plain(name)).map(|(_, value)| value)
}

fn binary(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => STANDARD.decode(text.trim()).ok(),
        Value::Array(bytes) => {
            bytes.iter().map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect()
        }
        // Node prints a Buffer so.
        Value::Object(buffer) => binary(buffer.get("data")?),
        _ => None,
    }
}

/// Hexadecimal text; blanks and line ends between the digits are allowed.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_prefix("0x").unwrap_or(text);
    let digits: String = text.split_whitespace().collect();
    hex::decode(digits).ok().filter(|bytes| !bytes.is_empty())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_a_recording_give_the_same_bytes() {
        let payload = [0x08, b'L', b'e', b'a', b'd', 0xff];
        let base64 = STANDARD.encode(payload);
        let list = "[8,76,101,97,100,255]";
        for form in [
            "08 4c 65 61 64 ff\n".to_owned(),
            "0x084C656164FF".to_owned(),
            format!(r#"{{"events":[{{"event":{{"id":"e","schemaId":"s","payload":"{base64}"}}}}]}}"#),
            format!(r#"[{{"Event":{{"Id":"e","SchemaId":"s","Payload":{list}}},"ReplayId":[0,1]}}]"#),
            format!(r#"{{"payload":{{"type":"Buffer","data":{list}}}}}"#),
            r#"{"payload_hex":"084c656164ff"}"#.to_owned(),
        ] {
            assert_eq!(read(form.as_bytes()).unwrap()[0].payload, payload, "{form}");
        }
        assert_eq!(read(&payload).unwrap()[0].payload, payload);
    }

    #[test]
    fn ids_of_the_recording_are_kept() {
        let form = r#"[{"Event":{"Id":"e","SchemaId":"s","Payload":[1]},"ReplayId":[0,255]}]"#;
        let read = read(form.as_bytes()).unwrap();
        assert_eq!((read[0].event_id.as_deref(), read[0].schema_id.as_deref()), (Some("e"), Some("s")));
        assert_eq!(hex(read[0].replay_id.as_deref().unwrap()), "00ff");
    }

    #[test]
    fn other_files_are_refused_with_a_reason() {
        for bad in ["", "[]", r#"{"events":[]}"#, r#"{"a":1}"#, r#"[{"payload":"%"}]"#, r#"{"payload":"#] {
            assert!(read(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
