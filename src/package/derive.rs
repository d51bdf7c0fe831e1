//! Names for objects and fields that the shipped package does not know.

/// `Renewal_Risk` of `Renewal_Risk__c`, `Next_Step` of `NextStep`.
pub(super) fn stem(name: &str) -> String {
    let bare = name.strip_suffix("__c").unwrap_or(name).replace("__", "_");
    let mut stem = String::new();
    let mut before = None;
    for letter in bare.chars() {
        if letter.is_ascii_uppercase() && before.is_some_and(|it: char| it.is_ascii_lowercase()) {
            stem.push('_');
        }
        stem.push(letter);
        before = Some(letter);
    }
    stem
}
