//! Totals of runs as records of the org: added, never changed, and their keys read back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    NewRow, Reader, SalesforceError, describe,
    names::total::{COUNT, ENDED_AT, KEY, NOTE, OBJECT, OUTCOME, PART, RUN, SHARE, SOURCE},
    soql_text::literal,
};
use crate::domain::{
    FieldValue, ObjectName,
    totals::{RunTotals, Total},
};

/// Most characters of a name, as Salesforce has it.
const MOST_NAME: usize = 80;
/// Most characters of the outcome's field.
const MOST_OUTCOME: usize = 40;
/// Most characters of the other texts' fields.
const MOST_TEXT: usize = 255;

impl Reader {
    /// The keys of this run's totals that stand in the org; `None` where the org has no place for them,
    /// or this identity does not see it.
    pub async fn standing_totals(
        &self,
        totals: &RunTotals,
    ) -> Result<Option<BTreeSet<String>>, SalesforceError> {
        let (source, run) = (literal(totals.source.label()), literal(totals.run.as_str()));
        let soql = format!("SELECT {KEY} FROM {OBJECT} WHERE {SOURCE} = {source} AND {RUN} = {run}");
        let key = |row: &Value| row.get(KEY).and_then(Value::as_str).map(str::to_owned);
        match self.query(&soql).await {
            Ok(rows) => Ok(Some(rows.iter().filter_map(key).collect())),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the org has a place for totals that this identity sees.
    pub async fn has_totals(&self) -> Result<bool, SalesforceError> {
        match self.query(&format!("SELECT {KEY} FROM {OBJECT} LIMIT 1")).await {
            Ok(_) => Ok(true),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn is_missing(error: &SalesforceError) -> bool {
    matches!(error.salesforce_code(), Some("INVALID_TYPE" | "INVALID_FIELD"))
}

/// The rows of a run as records to be added, by key.
pub fn total_rows(totals: &RunTotals) -> Result<Vec<(String, NewRow)>, SalesforceError> {
    let object = ObjectName::parse(OBJECT).map_err(|error| describe::not_a_name(&error))?;
    let row = |(place, total): (usize, &Total)| {
        let key = totals.key(place);
        let fields = fields(totals, total, &key);
        (key, NewRow { object: object.clone(), fields })
    };
    Ok(totals.rows.iter().enumerate().map(row).collect())
}

fn fields(totals: &RunTotals, total: &Total, key: &str) -> BTreeMap<String, Value> {
    let Total { part, outcome, count, note, .. } = total;
    let name = format!("{} {}: {outcome}, {part}", totals.source.label(), totals.run.short());
    let mut fields = BTreeMap::from([
        ("Name", json!(cut(&name, MOST_NAME))),
        (KEY, json!(key)),
        (SOURCE, json!(totals.source.label())),
        (RUN, json!(totals.run)),
        (ENDED_AT, FieldValue::DateTime(totals.ended_at).to_json()),
        (PART, json!(cut(part, MOST_TEXT))),
        (OUTCOME, json!(cut(outcome, MOST_OUTCOME))),
        (COUNT, json!(count)),
    ]);
    if let Some(share) = total.share() {
        fields.insert(SHARE, FieldValue::Decimal(share).to_json());
    }
    if let Some(note) = note {
        fields.insert(NOTE, json!(cut(note, MOST_TEXT)));
    }
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What fits: the org counts a character beyond the basic plane as two.
fn cut(text: &str, most: usize) -> String {
    let mut left = most;
    let fits = |letter: &char| {
        let long = letter.len_utf16();
        let fits = long <= left;
        left = left.saturating_sub(long);
        fits
    };
    text.chars().take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::{Digest, totals::Source};

    #[test]
    fn a_row_says_everything_in_what_its_fields_hold() {
        let total = Total {
            part: "p".repeat(300),
            outcome: "moved".into(),
            count: 5,
            of: 6,
            note: Some("\u{1f600}".repeat(200)),
        };
        let totals = RunTotals {
            source: Source::Decay,
            run: Digest::of_bytes(b"run"),
            ended_at: "2026-05-20T12:00:00.5Z".parse::<Timestamp>().unwrap(),
            rows: vec![total],
        };
        let rows = total_rows(&totals).unwrap();
        let (key, row) = &rows[0];
        assert_eq!((rows.len(), key), (1, &totals.key(0)));
        assert_eq!(row.fields[COUNT], json!(5));
        assert_eq!(row.fields[SHARE].to_string(), "83.3", "a number as it is, no float");
        assert_eq!(row.fields[PART].as_str().unwrap().len(), MOST_TEXT);
        assert_eq!(row.fields[NOTE].as_str().unwrap().encode_utf16().count(), 254, "no half character");
        assert_eq!(row.fields["Name"].as_str().unwrap().len(), MOST_NAME);
        assert_eq!(row.fields[ENDED_AT], "2026-05-20T12:00:00.500+0000");
    }
}
