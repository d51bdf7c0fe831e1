//! Where flows that a record starts stand in a save.

use std::sync::Arc;

use super::{
    super::{flow, model::Row},
    Outcome, Save,
};

impl Save<'_> {
    /// Before-save flows, after the system's checks and before rules. What they set is
    /// checked like what a caller sends, without field-level security.
    pub(super) fn before_flows(&mut self, old: Option<&Row>, mut given: Row, row: &mut Row) -> Outcome<()> {
        let object = Arc::clone(&self.object);
        let change = flow::Change { object: &object.name, old };
        let sent = row.clone();
        flow::before(self.context, (self.state, self.journal), &change, row)?;
        let changed: Vec<String> =
            row.keys().filter(|name| row.get(*name) != sent.get(*name)).cloned().collect();
        if changed.is_empty() {
            return Ok(());
        }
        for name in changed {
            let (Some(field), Some(value)) = (object.field(&name), row.get(&name)) else { continue };
            let value = self.read_value(field, &value.to_json()).map_err(|error| vec![error])?;
            given.insert(name.clone(), value.clone());
            row.insert(name, value);
        }
        self.derive(old, &given, row);
        Ok(())
    }

    /// After-save flows, in the same transaction.
    pub(super) fn after_flows(&mut self, old: Option<&Row>, row: &Row) -> Outcome<()> {
        let object = Arc::clone(&self.object);
        let change = flow::Change { object: &object.name, old };
        flow::after(self.context, (self.state, self.journal), &change, row)
    }
}
