//! A query's whole result, given out as a table: what bulk query jobs are made of.

use std::sync::Arc;

use jiff::Timestamp;

use super::{ast::Selected, error::SoqlError, execute, org_tables::OrgTables, output::Shape, parser};
use crate::{
    domain::FieldValue,
    simulator::{Org, UserContext, model::Row},
};

/// The rows of a query as they were when it ran, and what to give of each.
#[derive(Debug)]
pub struct Selection {
    shape: Shape,
    rows: Vec<Arc<Row>>,
}

impl Selection {
    /// Runs a query. Bulk queries neither count nor group nor skip rows.
    pub fn run(org: &Org, user: &UserContext, soql: &str, include_deleted: bool) -> Result<Self, SoqlError> {
        let query = parser::parse(soql)?;
        let plain = |one: &Selected| matches!(one, Selected::Field(_));
        if !query.group_by.is_empty() || query.offset.is_some() || !query.select.iter().all(plain) {
            let message =
                "Bulk API 2.0 query jobs support neither aggregate functions, GROUP BY, OFFSET nor FIELDS()";
            return Err(SoqlError::plain("FEATURENOTENABLED", message));
        }
        let tables = &OrgTables { org, user };
        let source = execute::source(tables, soql, &query)?;
        let shape = Shape::new(tables, soql, &query, &source)?;
        let (_, rows) = execute::matching(tables, soql, &query, include_deleted)?;
        Ok(Self { shape, rows })
    }

    /// How many rows.
    pub fn count(&self) -> usize {
        self.rows.len()
    }

    /// The queried object.
    pub fn object(&self) -> &str {
        &self.shape.object.name
    }

    /// Rows from a place on, at most so many, below a row of names; all cells are quoted.
    pub fn table(&self, org: &Org, user: &UserContext, (from, most): (usize, usize)) -> String {
        let tables = &OrgTables { org, user };
        let end = self.rows.len().min(from.saturating_add(most));
        let mut out = String::new();
        for (place, column) in self.shape.columns.iter().enumerate() {
            put(&mut out, place, &column.name());
        }
        out.push('\n');
        for row in self.rows.get(from..end).unwrap_or_default() {
            for (place, column) in self.shape.columns.iter().enumerate() {
                put(&mut out, place, &cell(&column.value(tables, row)));
            }
            out.push('\n');
        }
        out
    }
}

fn put(out: &mut String, place: usize, cell: &str) {
    out.push_str(if place == 0 { "\"" } else { ",\"" });
    for letter in cell.chars() {
        if letter == '"' {
            out.push('"');
        }
        out.push(letter);
    }
    out.push('"');
}

/// Nothing is an empty cell; moments end in `Z`, other than in JSON.
fn cell(value: &FieldValue) -> String {
    match value {
        FieldValue::Null => String::new(),
        FieldValue::DateTime(moment) => moment_cell(*moment),
        other => other.to_string(),
    }
}

fn moment_cell(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
