//! What findings say, word for word: every text that a case of the corpus reaches.

use std::collections::BTreeSet;

use super::corpus::{cases, judge};

#[test]
fn what_the_findings_say() {
    let findings = cases().flat_map(|(_, case)| judge(&case).1.findings);
    let texts: BTreeSet<String> = findings
        .map(|finding| format!("{}: {}\n    {}", finding.code, finding.message, finding.would_change))
        .collect();
    insta::assert_snapshot!(texts.into_iter().collect::<Vec<_>>().join("\n"));
}
