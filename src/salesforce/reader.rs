//! Reads of governed records.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    Connection, RecordReading, SalesforceError,
    classify::Class,
    connection::Call,
    describe::{self, ObjectDescription},
    ground,
    names::{self, ObjectContract},
    reading, record_types,
    soql_text::{literal, segment},
};
use crate::domain::{FieldName, Ground, ObjectSchema, RecordId, drift::Automation};

/// Most ids in one retrieve.
const MOST_IDS: usize = 2000;

/// Reads with one identity. Reads are made again on errors that pass.
#[derive(Debug, Clone)]
pub struct Reader {
    connection: Connection,
    /// Objects whose records say of which type they are, as far as they were described.
    typed: Arc<Mutex<BTreeSet<String>>>,
}

/// The records of a query, page by page.
#[derive(Debug)]
pub struct Pages {
    contract: &'static ObjectContract,
    rows: RowPages,
}

/// The rows of a query as they came, page by page.
#[derive(Debug)]
pub(super) struct RowPages {
    reader: Reader,
    next: Next,
}

#[derive(Debug)]
enum Next {
    First(&'static str, String),
    Page(String),
    End,
}

impl Reader {
    /// Reads through this connection.
    pub fn new(connection: Connection) -> Self {
        Self { connection, typed: Arc::default() }
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The governed fields of an object, and the org's switches.
    pub async fn describe(&self, contract: &ObjectContract) -> Result<ObjectSchema, SalesforceError> {
        Ok(self.survey(contract).await?.0)
    }

    /// The same, and what lanes rest on as far as a description tells it: without what runs on save.
    pub async fn survey(&self, contract: &ObjectContract) -> Result<(ObjectSchema, Ground), SalesforceError> {
        let description = describe::describe(&self.connection, contract.object).await?;
        self.remember(contract.object, description.has_record_types());
        let schema = describe::schema(&self.connection, contract, &description).await?;
        let ground = ground::of(contract, &description, &schema);
        Ok((schema, ground))
    }

    /// What runs when a record of the object is saved, by [`Automation::key`]; `None` where this identity
    /// may not look into Setup.
    pub async fn automations(
        &self,
        object: &str,
    ) -> Result<Option<BTreeMap<String, Automation>>, SalesforceError> {
        ground::automations(self, object).await
    }

    fn remember(&self, object: &str, typed: bool) {
        let mut known = self.typed.lock().unwrap_or_else(PoisonError::into_inner);
        if typed {
            known.insert(object.to_owned());
        } else {
            known.remove(object);
        }
    }

    /// The fields that a read of a record asks for.
    fn fields_of(&self, contract: &ObjectContract) -> Vec<&'static str> {
        let mut fields = reading::fields_of(contract);
        let typed = self.typed.lock().unwrap_or_else(PoisonError::into_inner);
        fields.extend(typed.get(contract.object).map(|_| record_types::FIELD));
        fields
    }

    /// Everything that this identity sees of an object.
    pub async fn describe_all(&self, object: &str) -> Result<ObjectDescription, SalesforceError> {
        describe::describe(&self.connection, object).await
    }

    /// Default probability in percent by stage, of the active stages. Empty where they cannot be
    /// read: they are for people's eyes, and no decision rests on them.
    pub async fn stage_probabilities(&self) -> Result<BTreeMap<String, Decimal>, SalesforceError> {
        let soql = "SELECT ApiName, DefaultProbability FROM OpportunityStage WHERE IsActive = true";
        let path = self.connection.data("query");
        let reply = match self.connection.read(&Call { query: Some(("q", soql)), ..Call::get(&path) }).await {
            Err(error) if matches!(error.class(), Class::Drop | Class::Gone) => return Ok(BTreeMap::new()),
            other => other?,
        };
        let rows = reply.get("records").and_then(Value::as_array).into_iter().flatten();
        let one = |row: &Value| {
            let percent = row.get("DefaultProbability")?.to_string().parse().ok()?;
            Some((row.get("ApiName")?.as_str()?.to_owned(), percent))
        };
        Ok(rows.filter_map(one).collect())
    }

    /// Records by id, in the order of `ids`; one that is not visible has the state `Missing`.
    pub async fn retrieve(
        &self,
        contract: &'static ObjectContract,
        ids: &[RecordId],
    ) -> Result<Vec<RecordReading>, SalesforceError> {
        let path = self.connection.data(&format!("composite/sobjects/{}", segment(contract.object)));
        let mut found: BTreeMap<RecordId, RecordReading> = BTreeMap::new();
        for chunk in ids.chunks(MOST_IDS) {
            let body = json!({ "ids": chunk, "fields": self.fields_of(contract) });
            let reply = self.connection.read(&Call::with_body(reqwest::Method::POST, &path, &body)).await?;
            let Value::Array(rows) = reply else {
                return Err(unreadable("a retrieve gave no list"));
            };
            // Told apart by id, not by place: what a missing id looks like is unconfirmed.
            for row in rows.iter().filter(|row| !row.is_null()) {
                let reading = reading::read(contract, row)?;
                found.insert(reading.snapshot.record.clone(), reading);
            }
        }
        ids.iter()
            .map(|id| match found.get(id) {
                Some(reading) => Ok(reading.clone()),
                None => reading::missing(contract, id.clone()),
            })
            .collect()
    }

    /// The parent that the org locks together with each of these records, where the object has one and
    /// it can be read: it is only used to send rows of one parent together.
    pub async fn parents(&self, contract: &ObjectContract, ids: &[RecordId]) -> BTreeMap<RecordId, RecordId> {
        let Some(field) = names::parent_of(contract.object) else { return BTreeMap::new() };
        let path = self.connection.data(&format!("composite/sobjects/{}", segment(contract.object)));
        let mut parents = BTreeMap::new();
        for chunk in ids.chunks(MOST_IDS) {
            let body = json!({ "ids": chunk, "fields": ["Id", field] });
            let call = Call::with_body(reqwest::Method::POST, &path, &body);
            let rows = match self.connection.send(&call).await.and_then(|reply| reply.json()) {
                Ok(Value::Array(rows)) => rows,
                _ => return parents,
            };
            let id = |row: &Value, name: &str| {
                let text = row.get(name)?.as_str()?;
                RecordId::parse(&RecordId::complete(text).ok()?).ok()
            };
            parents.extend(rows.iter().filter_map(|row| Some((id(row, "Id")?, id(row, field)?))));
        }
        parents
    }

    /// All records with the pending flag.
    pub fn pending(&self, contract: &'static ObjectContract) -> Pages {
        let query = pending_query(contract, &self.fields_of(contract));
        Pages { contract, rows: RowPages::new(self.clone(), query) }
    }

    /// The records whose day of decay is not after `until` and whose field holds one of these states,
    /// earliest day first, at most `most`. `None` for an object without signals, which does not decay.
    pub fn due(
        &self,
        contract: &'static ObjectContract,
        (field, states): (&FieldName, &[&str]),
        (until, most): (Date, usize),
    ) -> Option<Pages> {
        let signals = contract.signals?;
        let lane = contract.lane(field.as_str())?;
        let fields = self.fields_of(contract).join(", ");
        let states: Vec<String> = states.iter().map(|state| literal(state)).collect();
        let day = signals.decay_eligible;
        let open = contract.converted.map(|flag| format!(" AND {flag} = false")).unwrap_or_default();
        let query = format!(
            "SELECT {fields} FROM {} WHERE {day} <= {until} AND {} IN ({}){open} ORDER BY {day}, Id LIMIT {most}",
            contract.object,
            lane.field,
            states.join(", "),
        );
        Some(Pages { contract, rows: RowPages::new(self.clone(), query) })
    }

    /// The records whose governed fields a person was the last to change, since then, in that order. The
    /// stamps of the package's flow tell it; an org without them gives none.
    pub fn changed_by_people(&self, contract: &'static ObjectContract, since: Timestamp) -> Pages {
        let fields = self.fields_of(contract).join(", ");
        let (at, source) = (contract.changed_at, contract.change_source);
        let query = format!(
            "SELECT {fields} FROM {} WHERE {at} >= {} AND {source} = {} ORDER BY {at}, Id",
            contract.object,
            since.strftime("%Y-%m-%dT%H:%M:%SZ"),
            literal(names::source::HUMAN),
        );
        Pages { contract, rows: RowPages::new(self.clone(), query) }
    }

    /// The id of the active user with this username.
    pub async fn user(&self, username: &str) -> Result<Option<RecordId>, SalesforceError> {
        let soql = format!("SELECT Id FROM User WHERE Username = {} AND IsActive = true", literal(username));
        let rows = self.query(&soql).await?;
        let id = rows.first().and_then(|row| row.get("Id")?.as_str());
        Ok(id.and_then(|id| RecordId::parse(&RecordId::complete(id).ok()?).ok()))
    }

    /// The first page of a query. Its literals must come from [`literal`].
    pub(crate) async fn query(&self, soql: &str) -> Result<Vec<Value>, SalesforceError> {
        self.query_at("query", soql).await
    }

    /// The first page of a query that includes deleted records. Its literals must come from [`literal`].
    pub(super) async fn query_all(&self, soql: &str) -> Result<Vec<Value>, SalesforceError> {
        self.query_at("queryAll", soql).await
    }

    /// The number that a `SELECT count()` gives.
    pub(crate) async fn count(&self, soql: &str) -> Result<u64, SalesforceError> {
        let path = self.connection.data("query");
        let call = Call { query: Some(("q", soql)), ..Call::get(&path) };
        let reply = self.connection.read(&call).await?;
        reply.get("totalSize").and_then(Value::as_u64).ok_or_else(|| unreadable("a count gave no number"))
    }

    /// The first page of a Tooling API query.
    pub(crate) async fn tooling(&self, soql: &str) -> Result<Vec<Value>, SalesforceError> {
        self.query_at("tooling/query", soql).await
    }

    /// All pages of a Tooling API query. Its literals must come from [`literal`].
    pub(super) fn tooling_pages(&self, soql: &str) -> RowPages {
        RowPages { reader: self.clone(), next: Next::First("tooling/query", soql.to_owned()) }
    }

    /// A GET of a path, for example `/services/data`.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, SalesforceError> {
        self.connection.read(&Call::get(path)).await
    }

    async fn query_at(&self, resource: &str, soql: &str) -> Result<Vec<Value>, SalesforceError> {
        let path = self.connection.data(resource);
        let call = Call { query: Some(("q", soql)), ..Call::get(&path) };
        match self.connection.read(&call).await?.get_mut("records").map(Value::take) {
            Some(Value::Array(rows)) => Ok(rows),
            _ => Err(unreadable("a query gave no records")),
        }
    }
}

impl Pages {
    /// The next page; `None` after the last one.
    pub async fn next(&mut self) -> Result<Option<Vec<RecordReading>>, SalesforceError> {
        let Some(rows) = self.rows.next().await? else { return Ok(None) };
        rows.iter().map(|row| reading::read(self.contract, row)).collect::<Result<_, _>>().map(Some)
    }
}

impl RowPages {
    /// Its literals must come from [`literal`].
    pub(super) fn new(reader: Reader, soql: String) -> Self {
        Self { reader, next: Next::First("query", soql) }
    }

    /// The next page; `None` after the last one.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Value>>, SalesforceError> {
        let connection = &self.reader.connection;
        let mut reply = match &self.next {
            Next::End => return Ok(None),
            Next::First(resource, soql) => {
                let path = connection.data(resource);
                connection.read(&Call { query: Some(("q", soql)), ..Call::get(&path) }).await?
            }
            Next::Page(path) => connection.read(&Call::get(path)).await?,
        };
        self.next = match reply.get("nextRecordsUrl").and_then(Value::as_str) {
            Some(path) if is_page(path) => Next::Page(path.to_owned()),
            Some(_) => return Err(unreadable("nextRecordsUrl is not a path below /services/data")),
            None => Next::End,
        };
        match reply.get_mut("records").map(Value::take) {
            Some(Value::Array(rows)) => Ok(Some(rows)),
            _ => Err(unreadable("a query gave no records")),
        }
    }

    /// The rows of all pages that are left, where they are few enough to hold.
    pub(super) async fn all(mut self) -> Result<Vec<Value>, SalesforceError> {
        let mut rows = Vec::new();
        while let Some(page) = self.next().await? {
            rows.extend(page);
        }
        Ok(rows)
    }
}

/// The flag of a converted lead cannot be taken off any more: such leads are asked for while
/// what was open on them may still have to end, and then no longer.
fn pending_query(contract: &ObjectContract, fields: &[&str]) -> String {
    let fields = fields.join(", ");
    let query = format!("SELECT {fields} FROM {} WHERE {} = true", contract.object, names::PENDING);
    match contract.converted {
        Some(flag) => format!("{query} AND ({flag} = false OR SystemModstamp = LAST_N_DAYS:30)"),
        None => query,
    }
}

/// The reply names the next path itself, so it is checked before the token goes there.
fn is_page(path: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.');
    path.starts_with("/services/data/v") && path.bytes().all(allowed) && !path.contains("..")
}

fn unreadable(detail: &str) -> SalesforceError {
    SalesforceError::Unreadable { status: 200, detail: detail.to_owned() }
}
