//! Syntax trees: as parsed, and as checked.

use rust_decimal::Decimal;

use crate::domain::FieldValue;

/// What kind of field a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKind {
    /// A value that can be compared and calculated with.
    Plain(Type),
    /// A picklist with the values that a literal may name; `None` when any may stand.
    Picklist(Option<Vec<String>>),
    /// A multi-select picklist, likewise.
    MultiPicklist(Option<Vec<String>>),
    /// Long text, which formulas may not name.
    LongText,
}

/// Types of expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text and ids.
    Text,
    /// Number, currency, percent.
    Number,
    /// Calendar day.
    Date,
    /// Moment.
    DateTime,
    /// True or false.
    Bool,
    /// A picklist field, which takes part in few functions only.
    Picklist,
    /// A multi-select picklist field, likewise.
    MultiPicklist,
    /// The word `NULL`.
    Null,
}

impl Type {
    /// The name that Salesforce's messages use.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Number => "Number",
            Self::Date => "Date",
            Self::DateTime => "DateTime",
            Self::Bool => "Boolean",
            Self::Picklist => "Picklist",
            Self::MultiPicklist => "Multi-Select Picklist",
            Self::Null => "Null",
        }
    }
}

/// An expression as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expr {
    /// Character offset, from 1.
    pub(super) position: usize,
    /// What it is.
    pub(super) kind: ExprKind,
}

/// Kinds of expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ExprKind {
    Number(Decimal),
    Text(String),
    Bool(bool),
    Null,
    Name(String),
    /// Function name in capitals, and arguments.
    Call(String, Vec<Expr>),
    Unary(UnaryOp, Box<Expr>),
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
}

/// Operators with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnaryOp {
    Not,
    Minus,
    Plus,
}

/// Operators with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BinaryOp {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Concat,
    Multiply,
    Divide,
}

/// A checked expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Constant(FieldValue),
    /// A field of the record: name, type.
    Field(String, Type),
    /// `PRIORVALUE`.
    Prior(String, Type),
    /// `ISCHANGED`, likewise.
    IsChanged(String, Type),
    IsNew,
    Permission(String),
    /// Metadata type, record, field, type of the field.
    CustomMetadata(String, String, String, Type),
    User(String),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    If(Box<[Node; 3]>),
    Case {
        subject: Box<Node>,
        /// Blank equals blank and the empty text; otherwise blank equals nothing.
        as_text: bool,
        arms: Vec<(Node, Node)>,
        otherwise: Box<Node>,
    },
    Equal {
        sides: Box<[Node; 2]>,
        as_text: bool,
        negated: bool,
    },
    /// `<`, `<=`, `>`, `>=`.
    Compare(BinaryOp, Box<[Node; 2]>),
    /// `+`, `-`, `*`, `/` on numbers; `+`, `-` on days and moments.
    Arithmetic(BinaryOp, Box<[Node; 2]>),
    Minus(Box<Node>),
    Concat(Box<[Node; 2]>),
    IsBlank(Box<Node>),
    BlankValue(Box<[Node; 2]>),
    /// `ISPICKVAL`: the field's value and the literal.
    IsPickVal(Box<Node>, String),
    /// `INCLUDES`: the field's values and the literal.
    Includes(Box<Node>, String),
    /// A function of values only.
    Function(Function, Vec<Node>),
}

/// Functions that look at nothing but their arguments (and the clock).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Begins,
    Contains,
    Len,
    Left,
    Right,
    Mid,
    Upper,
    Lower,
    Trim,
    Text,
    Value,
    Abs,
    Max,
    Min,
    Round,
    Substitute,
    Today,
    Now,
    DateValue,
}
