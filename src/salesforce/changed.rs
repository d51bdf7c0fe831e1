//! The records that reconciliation looks at: counted first, then read by pages or by a bulk query.

use jiff::{Timestamp, tz::TimeZone};

use super::{
    Reader, SalesforceError,
    bulk::BulkQuery,
    csv::Table,
    names::{self, ObjectContract},
    reader::RowPages,
    sighting::{self, Sighting},
};
use crate::domain::reconciliation::Way;

/// Most records that are handed out at once.
pub const MOST_AT_ONCE: usize = 2_000;

/// The records of a look, in portions. What is held at a time does not grow with their number.
#[derive(Debug)]
pub struct Sightings {
    contract: &'static ObjectContract,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Pages(RowPages),
    Bulk { job: BulkQuery, table: Option<Table> },
}

impl Reader {
    /// How many records a look would see; `None` where the org takes too long to count them.
    pub async fn count_changed(
        &self,
        contract: &ObjectContract,
        since: Option<Timestamp>,
    ) -> Result<Option<u64>, SalesforceError> {
        match self.count(&format!("SELECT COUNT() FROM {}", condition(contract, since))).await {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.salesforce_code() == Some("QUERY_TIMEOUT") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The records that were saved since then and have, or had, a proposal. Converted ones are left
    /// out: nobody writes them any more.
    pub async fn changed(
        &self,
        contract: &'static ObjectContract,
        since: Option<Timestamp>,
        way: Way,
    ) -> Result<Sightings, SalesforceError> {
        let fields = sighting::fields_of(contract).join(", ");
        let soql = format!("SELECT {fields} FROM {}", condition(contract, since));
        let source = match way {
            Way::Pages => Source::Pages(RowPages::new(self.clone(), soql)),
            Way::Bulk => Source::Bulk { job: BulkQuery::run(self.connection(), &soql).await?, table: None },
        };
        Ok(Sightings { contract, source })
    }
}

impl Sightings {
    /// The next records, at most [`MOST_AT_ONCE`]; `None` after the last ones.
    pub async fn next(&mut self) -> Result<Option<Vec<Sighting>>, SalesforceError> {
        match &mut self.source {
            Source::Pages(pages) => {
                let Some(rows) = pages.next().await? else { return Ok(None) };
                rows.iter().map(|row| sighting::read(self.contract, row)).collect::<Result<_, _>>().map(Some)
            }
            Source::Bulk { job, table } => loop {
                if let Some(rest) = table {
                    let found = sighting::read_table(self.contract, rest, MOST_AT_ONCE)?;
                    if !found.is_empty() {
                        return Ok(Some(found));
                    }
                }
                *table = job.page().await?;
                if table.is_none() {
                    return Ok(None);
                }
            },
        }
    }

    /// Lets go of what the org keeps of the look.
    pub async fn forget(&self) {
        if let Source::Bulk { job, .. } = &self.source {
            job.forget().await;
        }
    }
}

/// Object and condition. `SystemModstamp` is the stamp that every save moves and that is indexed.
fn condition(contract: &ObjectContract, since: Option<Timestamp>) -> String {
    let mut parts = Vec::new();
    if let Some(since) = since {
        parts.push(format!(
            "SystemModstamp >= {}",
            since.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        ));
    }
    parts.push(format!(
        "({} = true OR {} != null OR {} != null)",
        names::PENDING,
        names::PROPOSAL_ID,
        names::LAST_PROMOTION_ID
    ));
    parts.extend(contract.converted.map(|flag| format!("{flag} = false")));
    format!("{} WHERE {}", contract.object, parts.join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salesforce::names::{LEAD, OPPORTUNITY};

    #[test]
    fn the_condition_names_the_second_and_who_may_still_be_written() {
        let since = "2026-05-01T07:25:37.9Z".parse().unwrap();
        let all =
            "(AI_Gate_Pending__c = true OR AI_Proposal_ID__c != null OR AI_Last_Promotion_ID__c != null)";
        assert_eq!(
            condition(&LEAD, Some(since)),
            format!("Lead WHERE SystemModstamp >= 2026-05-01T07:25:37Z AND {all} AND IsConverted = false")
        );
        assert_eq!(condition(&OPPORTUNITY, None), format!("Opportunity WHERE {all}"));
    }
}
