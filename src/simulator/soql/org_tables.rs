//! The org as one user's queries see it.

use std::sync::Arc;

use jiff::Timestamp;

use super::{access_tables, tables::Tables};
use crate::{
    domain::FieldValue,
    simulator::{
        Org, UserContext,
        model::{ObjectDef, Row},
    },
};

/// An org and who asks it.
pub(super) struct OrgTables<'a> {
    pub org: &'a Org,
    pub user: &'a UserContext,
}

impl Tables for OrgTables<'_> {
    fn now(&self) -> Timestamp {
        self.org.clock().now()
    }

    fn object(&self, name: &str) -> Option<Arc<ObjectDef>> {
        let object = self.org.object(name).filter(|object| self.user.can_read_object(&object.name))?;
        let open = !access_tables::is_made(&object) || access_tables::may_ask(self.org, self.user, &object);
        open.then_some(object)
    }

    fn can_read(&self, object: &ObjectDef, field: &str) -> bool {
        self.user.can_read_field(&object.name, field)
    }

    fn rows(&self, object: &ObjectDef, include_deleted: bool) -> Vec<Arc<Row>> {
        if access_tables::is_made(object) {
            return access_tables::rows(self.org, self.user, object);
        }
        self.org.rows(&object.name, include_deleted)
    }

    fn row(&self, object: &ObjectDef, id: &str, include_deleted: bool) -> Option<Arc<Row>> {
        let live = self.org.row(&object.name, id);
        live.or_else(|| include_deleted.then(|| self.org.deleted_row(&object.name, id))?)
    }

    fn find(&self, object: &ObjectDef, field: &str, value: &FieldValue) -> Option<Vec<Arc<Row>>> {
        self.org.rows_where(&object.name, field, value)
    }
}
