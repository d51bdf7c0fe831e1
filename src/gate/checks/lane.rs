//! Does a policy name what is proposed?
//!
//! # Refuses
//! - `patch-empty`: the proposal names no field.
//! - `object-not-governed`: no policy names the object.
//! - `field-not-governed`: the object's policy does not name the field. For a record that is to be
//!   made, `create` asks instead.
//!
//! # Why
//! Default deny. A field that nobody thought about is a field that nobody agreed to open.
//!
//! # Evidence used
//! The proposal's object and fields; the policy's names.
//!
//! # How to fix
//! - `patch-empty`: propose at least one field.
//! - `object-not-governed`: propose for an object that a policy names, or add a policy file
//!   for this one and have it reviewed.
//! - `field-not-governed`: leave the field out, or add it to the object's policy.
//!
//! # Setting
//! `object` and `[fields.NAME]` in `config/policies/*.toml`.

use crate::gate::{
    finding::{FindingCode, Findings},
    input::Input,
};

/// Refuses what no rule names.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    let proposal = input.proposal;
    if proposal.patch.is_empty() {
        findings.add(FindingCode::PatchEmpty, "the proposal changes no field", "at least one field");
    }
    let Some(policy) = input.object_policy() else {
        findings.add(
            FindingCode::ObjectNotGoverned,
            format!("no policy names the object {}", proposal.object),
            format!("one of: {}", list(input.rules.policy().objects.keys())),
        );
        return;
    };
    if input.makes() {
        return;
    }
    for field in proposal.patch.keys().filter(|field| !policy.fields.contains_key(*field)) {
        findings.add_field(
            FindingCode::FieldNotGoverned,
            field,
            format!("the policy `{}` does not name {}.{field}", policy.name, proposal.object),
            format!("one of: {}", list(policy.fields.keys())),
        );
    }
}

fn list<T: ToString>(names: impl Iterator<Item = T>) -> String {
    let names: Vec<String> = names.map(|name| name.to_string()).collect();
    if names.is_empty() { "nothing (no policy is loaded)".to_owned() } else { names.join(", ") }
}
