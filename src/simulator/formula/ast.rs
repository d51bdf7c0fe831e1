//! Types and syntax tree of formulas.

/// What kind of field a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKind {
    /// A value that can be compared and calculated with.
    Plain(Type),
    /// A picklist with the values that a literal may name; `None` when any may stand.
    Picklist(Option<Vec<String>>),
    /// A multi-select picklist, likewise.
    MultiPicklist(Option<Vec<String>>),
    /// Long text: not usable in a rule except in `ISBLANK`-like places, so never.
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
}
