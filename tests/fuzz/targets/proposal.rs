//! Any bytes as a proposal: refused with reasons, or a proposal that has an exact form.

#![no_main]

use std::{collections::BTreeMap, sync::LazyLock};

use countersign::{
    domain::{FieldName, FieldSchema, FieldType, ObjectName, ObjectSchema, Proposal},
    workflow::submission::{Problem, Submission},
};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

static SCHEMA: LazyLock<ObjectSchema> = LazyLock::new(|| {
    let fields = [
        ("Status", FieldType::Picklist { values: Vec::new(), restricted: false }),
        ("Amount", FieldType::Decimal { precision: 18, scale: 2 }),
        ("CloseDate", FieldType::Date),
        ("Seen", FieldType::DateTime),
        ("Flag", FieldType::Bool),
        ("NextStep", FieldType::Text { length: 255 }),
        ("OwnerId", FieldType::Reference),
    ];
    let field = |(name, field_type)| {
        let name = FieldName::parse(name).expect("a field");
        (name, FieldSchema { field_type, updateable: true, nillable: true })
    };
    ObjectSchema {
        required: Vec::new(),
        record_types: std::collections::BTreeMap::new(),
        object: ObjectName::parse("Lead").expect("an object"),
        fields: fields.into_iter().map(field).collect(),
        auto_allowed: Vec::new(),
    }
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let submission = match Submission::parse(text) {
        Ok(submission) => submission,
        Err(problems) => return told(&problems),
    };
    assert_eq!(Submission::parse(text).as_ref(), Ok(&submission), "the same text, another proposal");
    let now = Timestamp::UNIX_EPOCH;
    let proposal = match submission.resolve(&SCHEMA, &BTreeMap::new(), now) {
        Ok(proposal) => proposal,
        Err(problems) => return told(&problems),
    };
    let digest = proposal.patch_digest().expect("an accepted proposal has an exact form");
    let json = serde_json::to_string(&proposal).expect("a proposal has a JSON form");
    let kept: Proposal = serde_json::from_str(&json).expect("a proposal is read from its JSON form");
    assert_eq!(kept.patch_digest(), Ok(digest), "the proposal that is read back is another one");
    assert_eq!(kept, proposal, "the proposal that is read back is another one");
});

fn told(problems: &[Problem]) {
    assert!(!problems.is_empty(), "refused without a reason");
    problems.iter().for_each(|problem| assert!(!problem.to_string().is_empty()));
}
