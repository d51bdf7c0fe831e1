//! What a query needs of an org: the schema and rows that one user may see.

use std::sync::Arc;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::{
    domain::FieldValue,
    simulator::model::{ObjectDef, Row},
};

/// An org through one user's eyes. Rows hold no nulls: an absent field is empty.
pub(super) trait Tables {
    /// Now.
    fn now(&self) -> Timestamp;
    /// An object by name, letter case ignored; `None` when the user may not read it.
    fn object(&self, name: &str) -> Option<Arc<ObjectDef>>;
    /// Field-level security; names in the org's letter case.
    fn can_read(&self, object: &ObjectDef, field: &str) -> bool;
    /// All rows, ordered by id.
    fn rows(&self, object: &ObjectDef, include_deleted: bool) -> Vec<Arc<Row>>;
    /// One row by its 18-character id.
    fn row(&self, object: &ObjectDef, id: &str, include_deleted: bool) -> Option<Arc<Row>>;
    /// Live rows with this value in a field, when the field has an index.
    fn find(&self, object: &ObjectDef, field: &str, value: &FieldValue) -> Option<Vec<Arc<Row>>>;

    /// Where the records' addresses lie, below `/services/data/vNN.0/`.
    fn home(&self) -> &'static str {
        "sobjects"
    }

    /// Today in the users' time zone, which is UTC in a simulated org.
    fn today(&self) -> Date {
        self.now().to_zoned(TimeZone::UTC).date()
    }
}
