//! Dates of HTTP headers: one-second precision, which is all that conditional requests see.

use jiff::{Timestamp, fmt::rfc2822};

/// `Thu, 20 Nov 2025 19:30:00 GMT`
pub(super) fn http_date(moment: Timestamp) -> String {
    let whole = Timestamp::from_second(moment.as_second()).unwrap_or(moment);
    rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&whole).unwrap_or_default()
}

/// Reads `EEE, dd MMM yyyy HH:mm:ss z`; clients send `GMT`, `UTC` and numeric offsets.
pub(super) fn parse_http_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let gmt = text.strip_suffix("UTC").map(|start| format!("{start}GMT"));
    rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(gmt.as_deref().unwrap_or(text)).ok()
}

/// The header's moment: `None` when absent, an error text when it cannot be read.
pub(super) fn conditional(header: Option<&str>) -> Result<Option<Timestamp>, String> {
    let Some(text) = header else { return Ok(None) };
    match parse_http_date(text) {
        Some(moment) => Ok(Some(moment)),
        None => Err(format!("Invalid date: {text}. Expected the format EEE, dd MMM yyyy HH:mm:ss z")),
    }
}

/// Not later than the header says, in whole seconds.
pub(super) fn unmodified_since(modified: Timestamp, since: Timestamp) -> bool {
    modified.as_second() <= since.as_second()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_round_trip_in_whole_seconds() {
        let moment = Timestamp::from_millisecond(1_763_667_000_999).unwrap();
        let text = http_date(moment);
        assert!(text.ends_with(" GMT"), "{text}");
        assert_eq!(parse_http_date(&text).unwrap().as_second(), moment.as_second());
        assert!(unmodified_since(moment, parse_http_date(&text).unwrap()), "milliseconds are invisible");
        assert_eq!(parse_http_date(&text.replace("GMT", "UTC")), parse_http_date(&text));
        assert!(conditional(Some("2025-11-20T19:30:00Z")).is_err());
        assert_eq!(conditional(None), Ok(None));
    }
}
