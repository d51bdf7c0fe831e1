//! SOQL for the simulated org: reads a query, looks its names up as the user may see them, and
//! gives pages of records as REST prints them.
//!
//! The subset is what the daemon, common clients and ordinary admin queries use: fields and
//! related fields, `FIELDS()`, WHERE with all operators, date literals and semi-joins, GROUP BY
//! with the aggregate functions, ORDER BY, LIMIT, OFFSET and `COUNT()`. Sub-queries in the
//! SELECT list, HAVING, TYPEOF and `toLabel()` are refused by name.

mod access_tables;
mod aggregate;
mod ast;
mod column;
mod compile;
mod cursor;
mod dates;
mod error;
mod execute;
mod lexer;
mod like;
mod metadata;
mod org_tables;
mod output;
mod parser;
mod predicate;
mod selection;
mod tables;
#[cfg(test)]
mod tests;
mod tooling_tables;

use serde_json::Value;

pub(super) use self::tooling_tables::flow_version;
use self::{
    ast::Selected, cursor::Cursor, org_tables::OrgTables, output::Shape, tables::Tables,
    tooling_tables::ToolingTables,
};
pub use self::{cursor::Cursors, error::SoqlError, selection::Selection};
use super::{Org, UserContext};

/// Rows on a page when the caller asks for nothing else.
pub const DEFAULT_BATCH_SIZE: usize = 2000;
/// Fewest rows on a page that `Sforce-Query-Options` can ask for.
const MIN_BATCH_SIZE: usize = 200;

/// How to run a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryOptions {
    /// API version of the call for record addresses, for example `67.0`.
    pub version: String,
    /// Rows on a page; brought into 200 to 2000.
    pub batch_size: usize,
    /// `queryAll`: deleted rows count too.
    pub include_deleted: bool,
}

impl QueryOptions {
    /// A plain `query` call.
    pub fn new(version: impl Into<String>) -> Self {
        Self { version: version.into(), batch_size: DEFAULT_BATCH_SIZE, include_deleted: false }
    }
}

/// One page of a result.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryPage {
    /// Rows of the whole result.
    pub total_size: usize,
    /// No page follows.
    pub done: bool,
    /// `0r8` and 15 characters, `-` and the offset of the next page; goes behind `/query/`.
    pub next_locator: Option<String>,
    /// The records, each with `attributes`.
    pub records: Vec<Value>,
}

/// Runs a query and gives its first page.
pub fn execute(
    org: &Org,
    user: &UserContext,
    soql: &str,
    options: &QueryOptions,
) -> Result<QueryPage, SoqlError> {
    let caller = Caller { tables: &OrgTables { org, user }, cursors: org.cursors(), user_id: &user.user_id };
    caller.first_page(soql, options)
}

/// The page that a locator stands for. The page size is that of the first call; the options
/// give the API version only.
pub fn next_page(
    org: &Org,
    user: &UserContext,
    locator: &str,
    options: &QueryOptions,
) -> Result<QueryPage, SoqlError> {
    let caller = Caller { tables: &OrgTables { org, user }, cursors: org.cursors(), user_id: &user.user_id };
    caller.next_page(locator, options)
}

/// The reply of `query?columns=true`: `columnMetadata` and its neighbours.
pub fn columns(org: &Org, user: &UserContext, soql: &str) -> Result<Value, SoqlError> {
    metadata::columns(&OrgTables { org, user }, soql, &parser::parse(soql)?)
}

/// Runs a tooling query: the same language, asked of the deployed package.
pub fn execute_tooling(
    org: &Org,
    user: &UserContext,
    soql: &str,
    options: &QueryOptions,
) -> Result<QueryPage, SoqlError> {
    let tables = &ToolingTables::new(org, user);
    Caller { tables, cursors: org.cursors(), user_id: &user.user_id }.first_page(soql, options)
}

/// The reply of `tooling/query?columns=true`.
pub fn tooling_columns(org: &Org, user: &UserContext, soql: &str) -> Result<Value, SoqlError> {
    metadata::columns(&ToolingTables::new(org, user), soql, &parser::parse(soql)?)
}

/// Who asks, of what.
struct Caller<'a> {
    tables: &'a dyn Tables,
    cursors: &'a Cursors,
    user_id: &'a str,
}

impl Caller<'_> {
    fn first_page(&self, soql: &str, options: &QueryOptions) -> Result<QueryPage, SoqlError> {
        let query = parser::parse(soql)?;
        if query.select == [Selected::CountRows] && query.group_by.is_empty() {
            let (_, rows) = execute::matching(self.tables, soql, &query, options.include_deleted)?;
            return Ok(whole(rows.len(), Vec::new()));
        }
        if aggregate::is_grouped(&query) {
            let records = aggregate::groups(self.tables, soql, &query, options.include_deleted)?;
            if records.len() > DEFAULT_BATCH_SIZE {
                let message = "Aggregate query does not support queryMore(), use LIMIT to restrict the \
                               results to a single batch";
                return Err(SoqlError::plain("EXCEEDED_ID_LIMIT", message));
            }
            return Ok(whole(records.len(), records));
        }
        let source = execute::source(self.tables, soql, &query)?;
        let shape = Shape::new(self.tables, soql, &query, &source)?;
        let (_, rows) = execute::matching(self.tables, soql, &query, options.include_deleted)?;
        let batch_size = options.batch_size.clamp(MIN_BATCH_SIZE, DEFAULT_BATCH_SIZE);
        let cursor = Cursor {
            user_id: self.user_id.to_owned(),
            shape,
            rows,
            batch_size,
            opened_at: self.tables.now(),
        };
        let mut page = self.page(&cursor, 0, options);
        if !page.done {
            let locator = self.cursors.open(cursor);
            page.next_locator = Some(format!("{locator}-{batch_size}"));
        }
        Ok(page)
    }

    fn next_page(&self, locator: &str, options: &QueryOptions) -> Result<QueryPage, SoqlError> {
        let (cursor, offset) = self.cursors.get(locator, self.user_id, self.tables.now())?;
        let mut page = self.page(&cursor, offset, options);
        if !page.done {
            let name = locator.split('-').next().unwrap_or_default();
            page.next_locator = Some(format!("{name}-{}", offset + cursor.batch_size));
        }
        Ok(page)
    }

    fn page(&self, cursor: &Cursor, offset: usize, options: &QueryOptions) -> QueryPage {
        let end = cursor.rows.len().min(offset + cursor.batch_size);
        let version = options.version.trim_start_matches('v');
        let records = cursor.rows[offset..end]
            .iter()
            .map(|row| cursor.shape.record(self.tables, version, row))
            .collect();
        let total_size = cursor.rows.len();
        QueryPage { total_size, done: end == total_size, next_locator: None, records }
    }
}

fn whole(total_size: usize, records: Vec<Value>) -> QueryPage {
    QueryPage { total_size, done: true, next_locator: None, records }
}
