//! What deploys and what does not.

use super::super::super::metadata::Package;

#[test]
fn every_shipped_flow_deploys() {
    let package = Package::embedded().unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    });
    assert!(package.flows.len() >= 18, "{:?}", package.flows.keys());
}
