//! Recordings of real events decode to the recorded values.
//!
//! The recordings are not part of the repository: `COUNTERSIGN_REAL_DIR` names their folder,
//! or they lie in `../shared/real`. Without them the tests say so and pass.

use std::{fs, path::PathBuf};

use serde_json::Value as Json;

use super::*;
use crate::salesforce::avro::Schema;

#[expect(clippy::disallowed_methods, reason = "the folder of recordings is no setting of the program")]
fn recordings() -> Option<PathBuf> {
    let named = std::env::var("COUNTERSIGN_REAL_DIR").ok().map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/real");
    let folder = named.unwrap_or(beside).join("cdc");
    if !folder.is_dir() {
        eprintln!("SKIPPED: no recordings in {}; set COUNTERSIGN_REAL_DIR", folder.display());
        return None;
    }
    Some(folder)
}

fn json(path: PathBuf) -> Json {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn without_nulls(mut value: Json) -> Json {
    value.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    value
}

#[test]
fn recorded_events_decode_to_the_recorded_values() {
    let Some(folder) = recordings() else { return };
    let events = json(folder.join("decoded/real_events_decoded.json"));
    for event in events.as_array().unwrap() {
        let schema = folder.join("schemas").join(event["schema_file"].as_str().unwrap());
        let decoder = EventDecoder::parse(&fs::read_to_string(schema).unwrap()).unwrap();
        let payload = hex::decode(event["payload_hex"].as_str().unwrap()).unwrap();
        let read = event_json(&decoder, &payload).unwrap();
        assert_eq!(read["schema_id"], event["schema_id"], "the computed schema id is the recorded one");
        let mut expected = without_nulls(event["decoded"].clone());
        let header = expected.as_object_mut().unwrap().remove("ChangeEventHeader").unwrap();
        assert_eq!(read["header"], header);
        assert_eq!(read["values"].to_string(), expected.to_string());
        for end in 0..payload.len() {
            assert!(decoder.decode(&payload[..end]).is_err(), "cut to {end} bytes");
        }
    }
}

#[test]
fn recorded_bitmaps_name_the_recorded_fields() {
    let Some(folder) = recordings() else { return };
    let vectors = json(folder.join("decoded/bitmap_vectors.json"));
    let mut checked = 0;
    for vector in vectors.as_array().unwrap() {
        let Some(schema) = vector["schema_file"].as_str() else { continue };
        let schema = fs::read_to_string(folder.join("schemas").join(schema)).unwrap();
        let decoder = EventDecoder::parse(&schema).unwrap();
        let elements: Vec<&str> =
            vector["changedFields"].as_array().unwrap().iter().map(|e| e.as_str().unwrap()).collect();
        let names = super::bitmap::names(decoder.fields(), "changedFields", &elements).unwrap();
        let names: Json = names.into();
        assert_eq!(names, vector["expected"]);
        checked += 1;
    }
    assert!(checked > 0, "the vectors name their schemas");
}

#[test]
fn known_schemas_have_their_known_ids() {
    let Some(folder) = recordings() else { return };
    for (file, id) in [
        ("Valeriyyy_AccountChangeEvent_2023-05-29_796ed2f.avsc", "S3-K_S0GYegWTRZnKLjeag"),
        ("Valeriyyy_AccountChangeEvent_2026-01-17_05906d7.avsc", "i8wgJwwM-AVcDbFkbRl5Nw"),
        ("Valeriyyy_AccountChangeEvent_2026-08-16_fcc7656.avsc", "9Qv9Gof5_3c62MYN2QKqyg"),
        ("johnboyer_OpportunityChangeEvent_adb8529.avsc", "Q5U395Npm2fYzNSHTSJRGg"),
    ] {
        let text = fs::read_to_string(folder.join("schemas").join(file)).unwrap();
        assert_eq!(Schema::parse(&text).unwrap().id(), id, "{file}");
    }
}
