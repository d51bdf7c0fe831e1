//! The totals of ended runs are written into the org.

use super::work::Counts;
use crate::workflow::totals::{Totals, TotalsError, Written};

/// Writes what the org lacks, and counts it.
pub async fn write(totals: &Totals) -> Result<Counts, TotalsError> {
    let Written { runs, rows } = totals.write().await?;
    Ok([("runs", runs), ("rows", rows)].map(|(name, number)| (name.to_owned(), number.to_string())).into())
}
