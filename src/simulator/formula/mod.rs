//! Salesforce formulas: parse, type-check, evaluate.
//!
//! The simulated org enforces the shipped validation rules with this evaluator, so what
//! is tested is the formula that an admin deploys and not a copy of it in Rust.

use jiff::{Timestamp, civil::Date};

use crate::domain::FieldValue;

mod ast;
mod calls;
mod eval;
mod functions;
mod lexer;
mod parser;
#[cfg(test)]
mod tests;
mod types;

pub use ast::{FieldKind, Type};
pub use eval::EvalError;

use lexer::Dialect;

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
    /// A custom field of users; `None` when there is none of that name.
    fn user_field(&self, _name: &str) -> Option<FieldKind> {
        None
    }
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

/// Longest formula that Salesforce stores for a rule, in characters.
pub const MAX_LENGTH: usize = 3_900;

/// A formula whose names and types have been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formula {
    root: ast::Node,
}

impl Formula {
    /// Parses the formula of a validation rule and checks it against `types`.
    ///
    /// Names are compared with letter case, which is stricter than Salesforce.
    pub fn compile(text: &str, types: &dyn Types) -> Result<Self, FormulaError> {
        let expr = parse(text, Dialect::Rule)?;
        let root = types::Checker { types, dialect: Dialect::Rule }.rule(&expr)?;
        Ok(Self { root })
    }

    /// Parses a formula of a flow and says what type it has.
    ///
    /// References are written `{!Name}` or `{!Name.Field}` and reach [`Types::field`] and
    /// [`Scope::field`] under that whole name, `$Record.Status` too; only `$Permission`,
    /// `$CustomMetadata` and the four fields of `$User` that rules know have their own
    /// methods. `ISCHANGED` and `PRIORVALUE` take fields of `$Record`. Long text is allowed.
    pub fn compile_flow(text: &str, types: &dyn Types) -> Result<(Self, Type), FormulaError> {
        let expr = parse(text, Dialect::Flow)?;
        let (root, found) = types::Checker { types, dialect: Dialect::Flow }.check(&expr)?;
        Ok((Self { root }, found))
    }

    /// The value; null where a blank makes it so.
    pub fn eval(&self, scope: &dyn Scope) -> Result<FieldValue, EvalError> {
        eval::eval(&self.root, scope)
    }

    /// Whether a validation rule with this formula fires. Null is false, so the rule does
    /// not fire; a calculation without a result fires it, so that the save is refused.
    pub fn is_true(&self, scope: &dyn Scope) -> bool {
        self.eval(scope).map_or(true, |value| value.as_bool())
    }
}

fn parse(text: &str, dialect: Dialect) -> Result<ast::Expr, FormulaError> {
    let length = text.chars().count();
    if length > MAX_LENGTH {
        return Err(FormulaError {
            position: MAX_LENGTH,
            message: format!("Formula is too long ({length} characters). Maximum length is {MAX_LENGTH}"),
        });
    }
    parser::parse(text, dialect)
}
