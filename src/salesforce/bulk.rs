//! Bulk API 2.0 query jobs: made, waited for, read page by page, deleted.
//!
//! A page is held whole, so one that breaks off is asked for again. Pages have a bounded number of
//! rows: what is held does not grow with the result.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Connection, SalesforceError, connection::Call, csv::Table, soql_text::segment};

/// Rows of one page.
const PAGE: usize = 25_000;
/// Between the first two looks at a job; it grows to [`LOOK_MOST`].
const LOOK_LEAST: Duration = Duration::from_secs(1);
const LOOK_MOST: Duration = Duration::from_secs(30);
/// How long a job may take.
const LONGEST: Duration = Duration::from_secs(3600);

/// A query job that is complete, and how far it was read.
#[derive(Debug)]
pub(super) struct BulkQuery {
    connection: Connection,
    /// `jobs/query/<id>`
    path: String,
    next: Next,
}

#[derive(Debug)]
enum Next {
    First,
    After(String),
    End,
}

impl BulkQuery {
    /// Makes a job of the query and waits until its result can be read.
    pub async fn run(connection: &Connection, soql: &str) -> Result<Self, SalesforceError> {
        let body = json!({ "operation": "query", "query": soql, "contentType": "CSV", "columnDelimiter": "COMMA",
            "lineEnding": "LF" });
        let path = connection.data("jobs/query");
        let made = connection.read(&Call::with_body(Method::POST, &path, &body)).await?;
        let id = text(&made, "id").ok_or_else(|| unreadable("a bulk query job has no id"))?;
        let job = Self {
            connection: connection.clone(),
            path: connection.data(&format!("jobs/query/{}", segment(id))),
            next: Next::First,
        };
        match job.wait().await {
            Ok(()) => Ok(job),
            Err(error) => {
                job.forget().await;
                Err(error)
            }
        }
    }

    async fn wait(&self) -> Result<(), SalesforceError> {
        let (mut pause, mut waited) = (LOOK_LEAST, Duration::ZERO);
        loop {
            let told = self.connection.read(&Call::get(&self.path)).await?;
            match text(&told, "state") {
                Some("JobComplete") => return Ok(()),
                Some("UploadComplete" | "InProgress") => {}
                Some(state) => return Err(ended(state, &told)),
                None => return Err(unreadable("a bulk query job has no state")),
            }
            if waited >= LONGEST {
                let detail =
                    format!("the bulk query was not complete after {} minutes", LONGEST.as_secs() / 60);
                return Err(SalesforceError::NoReply { host: "the org".to_owned(), detail });
            }
            tokio::time::sleep(self.connection.pause(pause)).await;
            waited += pause;
            pause = (pause * 2).min(LOOK_MOST);
        }
    }

    /// The next page; `None` after the last one.
    pub async fn page(&mut self) -> Result<Option<Table>, SalesforceError> {
        let path = match &self.next {
            Next::End => return Ok(None),
            Next::First => format!("{}/results?maxRecords={PAGE}", self.path),
            Next::After(place) => {
                format!("{}/results?maxRecords={PAGE}&locator={}", self.path, segment(place))
            }
        };
        let reply = self.connection.read_reply(&Call::get(&path)).await?;
        self.next = match reply.locator {
            Some(place) if place != "null" => Next::After(place),
            _ => Next::End,
        };
        Table::new(reply.body).map(Some)
    }

    /// Deletes the job and its result, which the org would keep for days.
    pub async fn forget(&self) {
        let call = Call { method: Method::DELETE, ..Call::get(&self.path) };
        if let Err(error) = self.connection.read_reply(&call).await {
            tracing::warn!(code = error.code(), "a bulk query job was not deleted: {error}");
        }
    }
}

fn text<'a>(json: &'a Value, name: &str) -> Option<&'a str> {
    json.get(name).and_then(Value::as_str)
}

fn ended(state: &str, told: &Value) -> SalesforceError {
    let message = text(told, "errorMessage").unwrap_or("the org does not say why");
    SalesforceError::Refused {
        status: 200,
        code: "BULK_QUERY_FAILED".to_owned(),
        message: super::errors::shorten(&format!("{state}: {message}")),
    }
}

fn unreadable(detail: &str) -> SalesforceError {
    SalesforceError::Unreadable { status: 200, detail: detail.to_owned() }
}
