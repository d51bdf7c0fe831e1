//! Does the lane still rest on what people accepted?
//!
//! # Refuses
//! - `schema-drift-field`: the field's type, length, digits or need of a value changed in the org.
//! - `schema-drift-values`: the values that the field or a record type offers changed.
//! - `schema-drift-required`: the org saves no record any more without another field.
//! - `schema-drift-permission`: the promoter may not write what it could write before.
//! - `schema-drift-automation`: a validation rule, flow or trigger of the object came, changed, or, where it
//!   is our own, does not run any more.
//!
//! Nothing is lost: the proposal waits and is judged again when a person has accepted the change, or
//! when the org has gone back. A value that the org cannot hold is refused at once all the same.
//!
//! # Why
//! A promotion was judged, and maybe approved, in an org that looked otherwise. What changed since can
//! turn it down, let it land in another form, or set something off that nobody thought of. Only the
//! lanes that the change touches wait; others go on.
//!
//! # Evidence used
//! What the ledger holds: the ground that was accepted, and what the last look at the org found to
//! differ. Only what the table of changes says freezes counts; what can only loosen does not. What a
//! record that is to be made rests on is not compared.
//!
//! # How to fix
//! - `schema-drift-field`: read `countersign drift report`, which names the change, the policy lines and what
//!   to do; `countersign drift accept` lets it stay. Where the org goes back, nobody has to accept anything.
//! - `schema-drift-values`: put the value back or change the policy; or read `countersign drift report` and
//!   accept it with `countersign drift accept`.
//! - `schema-drift-required`: fill the field or make it optional; or accept it with `countersign drift
//!   accept`.
//! - `schema-drift-permission`: give the promoter its access back; `countersign doctor` says where.
//! - `schema-drift-automation`: look what it does to the daemon's writes, then accept it with `countersign
//!   drift accept`; deploy our own package again where it is a part of that.
//!
//! # Setting
//! `jobs.drift`: when the daemon looks at rules, flows and triggers. Fields, values and
//! permissions are looked at with every sweep.

use crate::{
    domain::drift::Family,
    gate::{
        finding::{FindingCode, Findings},
        input::Input,
    },
};

/// Reports every change that holds the proposal back.
pub fn check(input: &Input<'_>, findings: &mut Findings) {
    let Some(drift) = &input.history.drift else { return };
    for change in drift.stopping(input.proposal) {
        let code = match change.kind.family() {
            Family::Field => FindingCode::SchemaDriftField,
            Family::Values => FindingCode::SchemaDriftValues,
            Family::Required => FindingCode::SchemaDriftRequired,
            Family::Permission => FindingCode::SchemaDriftPermission,
            Family::Automation => FindingCode::SchemaDriftAutomation,
        };
        let message = format!("{} changed since {}: {}", drift.object, drift.since, change.words());
        let would_change = format!("a person's acceptance; or else: {}", change.kind.fix());
        match &change.field {
            Some(field) => findings.add_field(code, field, message, would_change),
            None => findings.add(code, message, would_change),
        }
    }
}
