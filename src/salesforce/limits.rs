//! The org's daily API calls, as replies tell them.

/// The org's daily API calls as the last reply told them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitInfo {
    /// Calls in the last 24 hours.
    pub used: u64,
    /// Most calls.
    pub max: u64,
}

/// Reads `Sforce-Limit-Info`: `;`-separated `key=value`, unknown keys ignored.
pub(super) fn parse(header: &str) -> Option<LimitInfo> {
    header.split(';').find_map(|part| {
        let (used, max) = part.trim().strip_prefix("api-usage=")?.split_once('/')?;
        Some(LimitInfo { used: used.trim().parse().ok()?, max: max.trim().parse().ok()? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_all_documented_forms() {
        let expected = Some(LimitInfo { used: 18, max: 5000 });
        assert_eq!(parse("api-usage=18/5000"), expected);
        assert_eq!(parse("api-bursts=1/750; api-usage=18/5000"), expected);
        assert_eq!(parse("api-usage=18/5000; per-app-api-usage=17/250(appName=x)"), expected);
        assert_eq!(parse("api-usage=many"), None);
        assert_eq!(parse("something-new=1"), None);
    }
}
