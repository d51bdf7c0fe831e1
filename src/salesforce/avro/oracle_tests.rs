//! Our codec against the apache-avro crate, on whole datums.
//!
//! Whole ones only: apache-avro 0.22 reads a truncated datum as nulls.

use apache_avro::{
    Schema as TheirSchema, reader::datum::GenericDatumReader, types::Value as Theirs,
    writer::datum::GenericDatumWriter,
};
use proptest::prelude::*;

use super::*;

const SCHEMA: &str = r#"{
    "type": "record", "name": "Thing", "namespace": "example",
    "fields": [
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B", "C"]}},
        {"name": "ids", "type": {"type": "array", "items": "string"}},
        {"name": "number", "type": "long"},
        {"name": "size", "type": ["null", "int"]},
        {"name": "amount", "type": ["null", "double"]},
        {"name": "share", "type": "float"},
        {"name": "raw", "type": "bytes"},
        {"name": "flag", "type": ["null", "boolean"]},
        {"name": "name", "type": ["null", "string", {"type": "record", "name": "Name", "fields": [
            {"name": "First", "type": ["null", "string"]}, {"name": "Last", "type": "string"}]}]},
        {"name": "second", "type": ["null", "Name"]}
    ]
}"#;

fn optional(value: impl Strategy<Value = Theirs> + 'static) -> impl Strategy<Value = Theirs> {
    proptest::option::of(value).prop_map(|value| match value {
        None => Theirs::Union(0, Box::new(Theirs::Null)),
        Some(value) => Theirs::Union(1, Box::new(value)),
    })
}

fn name() -> impl Strategy<Value = Theirs> {
    (optional(".*".prop_map(Theirs::String)), ".*").prop_map(|(first, last)| {
        Theirs::Record(vec![("First".into(), first), ("Last".into(), Theirs::String(last))])
    })
}

fn name_union() -> impl Strategy<Value = Theirs> {
    prop_oneof![
        Just(Theirs::Union(0, Box::new(Theirs::Null))),
        ".*".prop_map(|text| Theirs::Union(1, Box::new(Theirs::String(text)))),
        name().prop_map(|name| Theirs::Union(2, Box::new(name))),
    ]
}

fn thing() -> impl Strategy<Value = Theirs> {
    let head = (
        (0_u32..3).prop_map(|index| {
            let symbol = ["A", "B", "C"][index as usize];
            Theirs::Enum(index, symbol.into())
        }),
        proptest::collection::vec(".*".prop_map(Theirs::String), 0..5).prop_map(Theirs::Array),
        any::<i64>().prop_map(Theirs::Long),
        optional(any::<i32>().prop_map(Theirs::Int)),
        optional(proptest::num::f64::NORMAL.prop_map(Theirs::Double)),
    );
    let tail = (
        proptest::num::f32::NORMAL.prop_map(Theirs::Float),
        proptest::collection::vec(any::<u8>(), 0..9).prop_map(Theirs::Bytes),
        optional(any::<bool>().prop_map(Theirs::Boolean)),
        name_union(),
        optional(name()),
    );
    (head, tail).prop_map(|((kind, ids, number, size, amount), (share, raw, flag, name, second))| {
        Theirs::Record(vec![
            ("kind".into(), kind),
            ("ids".into(), ids),
            ("number".into(), number),
            ("size".into(), size),
            ("amount".into(), amount),
            ("share".into(), share),
            ("raw".into(), raw),
            ("flag".into(), flag),
            ("name".into(), name),
            ("second".into(), second),
        ])
    })
}

proptest! {
    #[test]
    fn what_they_write_we_read_and_write_the_same(value in thing()) {
        let theirs = TheirSchema::parse_str(SCHEMA).unwrap();
        let ours = Schema::parse(SCHEMA).unwrap();
        let writer = GenericDatumWriter::builder(&theirs).build().unwrap();
        let bytes = writer.write_value_to_vec(value.clone()).unwrap();
        let decoded = ours.decode(&bytes).unwrap();
        let mut again = Vec::new();
        encode(&ours, &decoded, &mut again).unwrap();
        prop_assert_eq!(&again, &bytes);
        let reader = GenericDatumReader::builder(&theirs).build().unwrap();
        prop_assert_eq!(reader.read_value(&mut again.as_slice()).unwrap(), value);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let ours = Schema::parse(SCHEMA).unwrap();
        if let Ok(value) = ours.decode(&bytes) {
            let mut again = Vec::new();
            encode(&ours, &value, &mut again).unwrap();
            prop_assert_eq!(ours.decode(&again).unwrap(), value);
        }
    }
}

#[test]
fn canonical_forms_agree() {
    let theirs = TheirSchema::parse_str(SCHEMA).unwrap();
    assert_eq!(theirs.canonical_form(), Schema::parse(SCHEMA).unwrap().canonical_form());
}
