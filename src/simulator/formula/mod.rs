//! Salesforce formulas: parse, type-check, evaluate.
//!
//! The simulated org enforces the shipped validation rules with this evaluator, so what
//! is tested is the formula that an admin deploys and not a copy of it in Rust.

use jiff::{Timestamp, civil::Date};

use crate::domain::FieldValue;

mod ast;

pub use ast::{FieldKind, Type};

/// Where a formula is wrong and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at character {position})")]
pub struct FormulaError {
    /// Character offset from the start, from 1.
    pub position: usize,
    /// In the words a deploy would use.
    pub message: String,
}

/// What a formula may name, and of what type it is.
pub trait Types {
    /// A field of the record that the formula is about.
    fn field(&self, name: &str) -> Option<FieldKind>;
    /// Whether the custom permission exists.
    fn has_permission(&self, name: &str) -> bool;
    /// A field of a custom metadata record; `None` when type, record or field do not exist.
    fn custom_metadata(&self, metadata_type: &str, record: &str, field: &str) -> Option<FieldKind>;
}

/// The save that a formula is evaluated in.
pub trait Scope {
    /// The value to be saved.
    fn field(&self, name: &str) -> FieldValue;
    /// The value before this save; on insert it is not asked for.
    fn prior(&self, name: &str) -> FieldValue;
    /// True on insert.
    fn is_new(&self) -> bool;
    /// Whether the saving user has the custom permission.
    fn permission(&self, name: &str) -> bool;
    /// A field of a custom metadata record.
    fn custom_metadata(&self, metadata_type: &str, record: &str, field: &str) -> FieldValue;
    /// A field of the saving user.
    fn user(&self, field: &str) -> FieldValue;
    /// Today in the user's time zone.
    fn today(&self) -> Date;
    /// Now.
    fn now(&self) -> Timestamp;
    /// How blank numbers behave in this org.
    fn blanks(&self) -> Blanks {
        Blanks::AsNull
    }
}

/// What a blank number is worth. Which of the two holds in validation rules is not
/// confirmed in an org, so both are kept and the shipped rules must hold under both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Blanks {
    /// A comparison with a blank number is null, and the rule does not fire.
    #[default]
    AsNull,
    /// A blank number counts as zero.
    AsZero,
}

/// A formula whose names and types have been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formula {}

impl Formula {
    /// Parses `text` and checks it against `types`.
    pub fn compile(_text: &str, _types: &dyn Types) -> Result<Self, FormulaError> {
        Ok(Self {})
    }

    /// Whether a validation rule with this formula fires. Null is false.
    pub fn is_true(&self, _scope: &dyn Scope) -> bool {
        false
    }
}
