//! Damage is refused; known schemas have their known ids.

use super::*;

const SCHEMA: &str = r#"{
    "type": "record", "name": "Thing", "namespace": "example", "doc": "dropped",
    "fields": [
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}},
        {"name": "ids", "type": {"type": "array", "items": "string"}},
        {"name": "size", "type": ["null", "int"], "default": null, "doc": "Data:Integer"},
        {"name": "place", "type": ["null", {"type": "record", "name": "Place", "fields": [
            {"name": "lat", "type": ["null", "double"]}]}]},
        {"name": "other", "type": ["null", "Place"]},
        {"name": "flag", "type": "boolean"}
    ]
}"#;

fn datum() -> Vec<u8> {
    let schema = Schema::parse(SCHEMA).unwrap();
    let record = schema.record().unwrap();
    let Node::Enum(kind) = schema.node(record.fields[0].node) else { panic!("kind is an enum") };
    let Node::Union(branches) = schema.node(record.fields[3].node) else { panic!("place is a union") };
    let Node::Record(place) = schema.node(branches[1]) else { panic!("place is a record") };
    let value = Value::Record(
        record,
        vec![
            Value::Enum(kind, 1),
            Value::Array(vec![Value::Text("one"), Value::Text("zwölf")]),
            Value::Int(-40_000),
            Value::Null,
            Value::Record(place, vec![Value::DoubleBits(0.1_f64.to_bits())]),
            Value::Boolean(true),
        ],
    );
    let mut out = Vec::new();
    encode(&schema, &value, &mut out).unwrap();
    assert_eq!(schema.decode(&out).unwrap(), value);
    out
}

#[test]
fn canonical_form_drops_what_does_not_count() {
    let schema = Schema::parse(SCHEMA).unwrap();
    assert_eq!(
        schema.canonical_form(),
        concat!(
            r#"{"name":"example.Thing","type":"record","fields":["#,
            r#"{"name":"kind","type":{"name":"example.Kind","type":"enum","symbols":["A","B"]}},"#,
            r#"{"name":"ids","type":{"type":"array","items":"string"}},"#,
            r#"{"name":"size","type":["null","int"]},"#,
            r#"{"name":"place","type":["null",{"name":"example.Place","type":"record","fields":["#,
            r#"{"name":"lat","type":["null","double"]}]}]},"#,
            r#"{"name":"other","type":["null","example.Place"]},"#,
            r#"{"name":"flag","type":"boolean"}]}"#,
        )
    );
    assert_eq!(schema.id().len(), 22);
    let undocumented = Schema::parse(&SCHEMA.replace("Data:Integer", "else")).unwrap();
    assert_eq!(undocumented.id(), schema.id());
    let renamed = Schema::parse(&SCHEMA.replace("\"size\"", "\"sizes\"")).unwrap();
    assert_ne!(renamed.id(), schema.id());
}

#[test]
fn every_truncation_and_any_extra_byte_is_refused() {
    let schema = Schema::parse(SCHEMA).unwrap();
    let whole = datum();
    for end in 0..whole.len() {
        assert!(schema.decode(&whole[..end]).is_err(), "cut to {end} of {} bytes", whole.len());
    }
    let mut longer = whole;
    longer.push(0);
    assert_eq!(schema.decode(&longer).unwrap_err().code(), "avro-trailing-bytes");
}

#[test]
fn skipping_checks_as_strictly_as_reading() {
    let schema = Schema::parse(SCHEMA).unwrap();
    let whole = datum();
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            let read = schema.decode(&flipped).map(drop);
            let mut reader = Reader::new(&flipped);
            let skipped = reader.skip(&schema, schema.root()).and_then(|()| reader.finish());
            assert_eq!(read, skipped, "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn damage_has_its_own_code() {
    let schema = |kind: &str| Schema::parse(kind).unwrap();
    let code = |kind: &str, bytes: &[u8]| schema(kind).decode(bytes).map(drop).unwrap_err().code();
    assert_eq!(code(r#""boolean""#, &[2]), "avro-boolean-invalid");
    assert_eq!(code(r#""int""#, &[0x80, 0x80, 0x80, 0x80, 0x20]), "avro-int-range");
    assert_eq!(code(r#""long""#, &[0xff; 11]), "avro-varint-too-long");
    assert_eq!(code(r#""string""#, &[1]), "avro-length-invalid");
    assert_eq!(code(r#""string""#, &[2, 0xff]), "avro-text-not-utf8");
    assert_eq!(code(r#"["null","int"]"#, &[4]), "avro-union-index");
    assert_eq!(code(r#"{"type":"enum","name":"E","symbols":["A"]}"#, &[2]), "avro-enum-index");
    let nulls = r#"{"type":"array","items":"null"}"#;
    assert_eq!(code(nulls, &[0xfe, 0xff, 0xff, 0xff, 0x0f, 0]), "avro-array-too-long");
    assert_eq!(code(r#"{"type":"array","items":"int"}"#, &[1, 4, 2, 0]), "avro-block-size-wrong");
}

#[test]
fn endless_nesting_is_refused() {
    let schema =
        Schema::parse(r#"{"type":"record","name":"List","fields":[{"name":"next","type":["null","List"]}]}"#)
            .unwrap();
    assert_eq!(schema.decode(&[2; 200]).unwrap_err().code(), "avro-too-deep");
}

#[test]
fn numbers_of_any_size_come_back() {
    for number in [0, 1, -1, 63, 64, -64, -65, i64::from(i32::MAX), i64::MAX, i64::MIN] {
        let mut out = Vec::new();
        put_long(&mut out, number);
        let mut reader = Reader::new(&out);
        assert_eq!(reader.long().unwrap(), number);
        assert!(reader.finish().is_ok());
    }
}

#[test]
fn unusable_schemas_are_refused() {
    let code = |text: &str| Schema::parse(text).unwrap_err().code();
    assert_eq!(code("{"), "avro-schema-not-json");
    assert_eq!(code(r#"{"type":"map","values":"int"}"#), "avro-schema-unsupported");
    assert_eq!(code(r#"["null",["int"]]"#), "avro-schema-invalid");
    assert_eq!(code(r#"["int","int"]"#), "avro-schema-invalid");
    assert_eq!(code(r#""Unknown""#), "avro-schema-invalid");
    assert_eq!(code(r#"{"type":"record","name":"1"}"#), "avro-schema-invalid");
}
