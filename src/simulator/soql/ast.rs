//! A parsed query: what was written, with places, before any name is looked up.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;

use super::lexer::Literal;

/// A dotted name as written, for example `Owner.Name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// Byte offset of the first part.
    pub at: usize,
    /// The parts.
    pub parts: Vec<String>,
}

impl Path {
    /// The path as one text.
    pub fn text(&self) -> String {
        self.parts.join(".")
    }
}

/// One query.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    /// What to give.
    pub select: Vec<Selected>,
    /// The object, as written.
    pub object: Path,
    /// The name after the object, when one was given.
    pub alias: Option<String>,
    /// WHERE
    pub condition: Option<Condition>,
    /// GROUP BY
    pub group_by: Vec<Path>,
    /// ORDER BY
    pub order_by: Vec<Order>,
    /// LIMIT
    pub limit: Option<usize>,
    /// OFFSET and its place.
    pub offset: Option<(usize, usize)>,
}

/// One entry of the SELECT list.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Selected {
    /// A field or a related field.
    Field(Path),
    /// `FIELDS(ALL|STANDARD|CUSTOM)`
    Fields(FieldSet, usize),
    /// `COUNT()`, which stands alone.
    CountRows,
    /// `COUNT(field)` and its like.
    Aggregate(Aggregate),
}

/// Which fields `FIELDS()` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldSet {
    /// Every field.
    All,
    /// Fields that every org has.
    Standard,
    /// Fields that end in `__c`.
    Custom,
}

/// A function over the rows of a group.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Aggregate {
    /// Which one.
    pub function: Function,
    /// Over which field.
    pub path: Path,
    /// The name of its column; `expr0` and so on when none is given.
    pub alias: Option<String>,
}

/// The aggregate functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    /// Rows where the field has a value.
    Count,
    /// Different values.
    CountDistinct,
    /// Smallest value.
    Min,
    /// Largest value.
    Max,
    /// Sum of numbers.
    Sum,
    /// Mean of numbers.
    Avg,
}

/// A WHERE condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// All of them.
    And(Vec<Condition>),
    /// Any of them.
    Or(Vec<Condition>),
    /// The opposite.
    Not(Box<Condition>),
    /// One comparison.
    Compare(Comparison),
}

/// `field operator value`
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Comparison {
    /// The field.
    pub path: Path,
    /// The operator.
    pub operator: Operator,
    /// The right side; one value, except for IN, NOT IN, INCLUDES and EXCLUDES.
    pub values: Values,
}

/// The right side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Values {
    /// Literals, each with its place.
    List(Vec<(Constant, usize)>),
    /// `IN (SELECT ..)`
    Query(Box<Query>),
}

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// `=`
    Equal,
    /// `!=` and `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `LIKE`
    Like,
    /// `IN`
    In,
    /// `NOT IN`
    NotIn,
    /// `INCLUDES`
    Includes,
    /// `EXCLUDES`
    Excludes,
}

/// A literal value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Constant {
    /// `NULL`
    Null,
    /// `TRUE` or `FALSE`
    Bool(bool),
    /// A string.
    Text(Literal),
    /// A number.
    Number(Decimal),
    /// A day.
    Day(Date),
    /// A moment.
    Moment(Timestamp),
    /// A date literal such as `TODAY` or `LAST_N_DAYS:3`, in upper case.
    Relative(String, Option<u32>),
}

/// One ORDER BY entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    /// By which field.
    pub path: Path,
    /// By a function of the field, in grouped queries.
    pub function: Option<Function>,
    /// Largest first.
    pub descending: bool,
    /// Rows without a value last; Salesforce puts them first unless told.
    pub nulls_last: bool,
}
