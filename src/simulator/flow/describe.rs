//! Types of variables in the words of the REST actions.

use super::{super::formula::Type, def::Kind};
use crate::simulator::formula::FieldKind;

/// REST type, and whether it is a collection.
pub(in crate::simulator) fn kind(kind: &Kind) -> (&'static str, bool) {
    match kind {
        Kind::List(one) => (self::kind(one).0, true),
        Kind::Record(_) => ("SOBJECT", false),
        Kind::Scalar(FieldKind::Plain(plain)) => (
            match plain {
                Type::Number => "DOUBLE",
                Type::Bool => "BOOLEAN",
                Type::Date => "DATE",
                Type::DateTime => "DATETIME",
                _ => "STRING",
            },
            false,
        ),
        Kind::Scalar(FieldKind::Picklist(_)) => ("PICKLIST", false),
        Kind::Scalar(FieldKind::MultiPicklist(_)) => ("MULTIPICKLIST", false),
        Kind::Scalar(FieldKind::LongText) => ("STRING", false),
    }
}
