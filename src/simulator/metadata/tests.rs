//! The shipped package deploys, agrees with the names that the daemon uses, and a broken one does not deploy.

use std::path::Path;

use super::*;

fn shipped() -> Package {
    Package::embedded().unwrap_or_else(|problems| panic!("{problems:#?}"))
}

#[test]
fn the_shipped_package_deploys_from_its_folder_and_from_the_binary() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("salesforce-metadata");
    let loaded = Package::load(&folder).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!(loaded, shipped());
}
