//! Objects and fields that the shipped package does not know: their names, within Salesforce's limits.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{
    error::PackageError,
    governed::{Compared, Governed, Lane, Required, Stored},
};

/// Objects whose custom fields are deployed with `Activity`, as public packages do
/// (`src/objects/Activity.object`).
const ACTIVITIES: &[&str] = &["Task", "Event"];
/// Most characters of a field's or rule's developer name, without `__c`, and of a field's label.
const MOST_NAME: usize = 40;
/// Most characters of a formula in a rule. Salesforce takes 3,900 as typed.
const MOST_FORMULA: usize = 3_900;

/// A field of the org, as a describe tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFacts {
    /// API name.
    pub name: String,
    /// REST type, for example `currency`.
    pub kind: String,
    /// Most characters of a text.
    pub length: u32,
    /// Digits of a number.
    pub precision: u32,
    /// Digits after the point.
    pub scale: u32,
    /// May be empty; fields that may not take no field permissions.
    pub nillable: bool,
    /// Why nobody can write it, for example `formula`.
    pub read_only: Option<String>,
}

impl Governed {
    /// An object with these fields governed: a new one, or a shipped one with further fields.
    ///
    /// `required` are the fields that only a rule keeps from a proposer, with their words.
    ///
    /// # Errors
    /// When a name is none, a type cannot be governed, or a rule would become too long.
    pub fn derive(
        object: &str,
        fields: &[FieldFacts],
        required: &[(String, String)],
    ) -> Result<Self, PackageError> {
        api_name(object, "an object")?;
        if ACTIVITIES.contains(&object) {
            return Err(PackageError::Activity { object: object.to_owned() });
        }
        if fields.is_empty() {
            return Err(PackageError::NoField { object: object.to_owned() });
        }
        let mut governed = Self::find(object).unwrap_or_else(|| new_object(object, required));
        let own = governed.lanes.len();
        for facts in fields {
            api_name(&facts.name, "a field")?;
            if let Some(at) = governed.lanes.iter().position(|lane| lane.field == facts.name) {
                let (object, field) = (object.to_owned(), facts.name.clone());
                return Err(if at < own {
                    PackageError::Governed { object, field }
                } else {
                    PackageError::FieldTwice { object, field }
                });
            }
            let lane = lane(&governed, facts)?;
            governed.lanes.push(lane);
        }
        if governed.lanes.len() > 1 {
            governed.proposed_fields.get_or_insert_with(|| "AI_Proposed_Fields__c".to_owned());
        }
        governed.always_required.retain(|it| fields.iter().all(|field| field.name != it.field));
        match governed.rules().into_iter().find(|rule| rule.formula.chars().count() > MOST_FORMULA) {
            None => Ok(governed),
            Some(rule) => Err(PackageError::FormulaTooLong {
                object: governed.object,
                length: rule.formula.chars().count(),
                rule: rule.name,
                most: MOST_FORMULA,
            }),
        }
    }
}

fn new_object(object: &str, required: &[(String, String)]) -> Governed {
    let stem = stem(object);
    let noun = stem.replace('_', " ").to_lowercase();
    Governed {
        object: object.to_owned(),
        article: if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" },
        plural: fitted(&plural(&stem), MOST_NAME - "AI_First_Approved_".len()).replace('_', " "),
        noun,
        lanes: Vec::new(),
        proposed_fields: None,
        confidence: "AI_Proposal_Confidence__c".to_owned(),
        reason: "AI_Proposal_Reason__c".to_owned(),
        changed_at: named("", &stem, "_Changed_Date"),
        change_source: named("", &stem, "_Change_Source"),
        signals: None,
        two_approvers: None,
        always_required: required
            .iter()
            .map(|(field, words)| Required { field: field.clone(), words: words.clone() })
            .collect(),
        name_field: name_field(object),
    }
}

/// Standard objects whose records go by something else than `Name` (object reference).
fn name_field(object: &str) -> &'static str {
    match object {
        "Case" => "CaseNumber",
        "Contract" => "ContractNumber",
        "Order" => "OrderNumber",
        "Solution" => "SolutionName",
        _ => "Name",
    }
}

fn lane(governed: &Governed, facts: &FieldFacts) -> Result<Lane, PackageError> {
    if let Some(why) = &facts.read_only {
        return Err(PackageError::ReadOnly {
            object: governed.object.clone(),
            field: facts.name.clone(),
            why: why.clone(),
        });
    }
    let (kind, stored) = stored(facts).ok_or_else(|| PackageError::FieldType {
        object: governed.object.clone(),
        field: facts.name.clone(),
        kind: facts.kind.clone(),
    })?;
    let mut stem = stem(&facts.name);
    let taken = |stem: &str| {
        let proposed = named("AI_Recommended_", stem, "");
        governed.lanes.iter().any(|lane| lane.proposed == proposed)
    };
    if taken(&stem) {
        stem = format!("{stem}_{}", digest(&facts.name));
    }
    let words = stem.replace('_', " ").to_lowercase();
    Ok(Lane {
        field: facts.name.clone(),
        label: fitted(&stem, MOST_NAME).replace('_', " "),
        short_words: words.clone(),
        words,
        proposed: named("AI_Recommended_", &stem, ""),
        previous: named("Previous_", &stem, ""),
        switch: named("", &format!("{}_{stem}", self::stem(&governed.object)), "_Auto"),
        kind,
        number: matches!(stored, Stored::Number(..)),
        stored,
        has_fls: facts.nillable,
    })
}

/// How values of a REST type are compared and stored; `None` where they cannot be.
fn stored(facts: &FieldFacts) -> Option<(Compared, Stored)> {
    let number = |kind| {
        let fits = (1..=18).contains(&facts.precision) && facts.scale <= facts.precision;
        fits.then_some((Compared::Blankable, Stored::Number(kind, facts.precision, facts.scale)))
    };
    match facts.kind.as_str() {
        "picklist" => Some((Compared::Picklist, Stored::Text(255))),
        "string" | "email" | "phone" | "url" | "textarea" if (1..=255).contains(&facts.length) => {
            Some((Compared::Text, Stored::Text(facts.length)))
        }
        "double" | "int" => number("Number"),
        "currency" => number("Currency"),
        "percent" => number("Percent"),
        "date" => Some((Compared::Blankable, Stored::Date)),
        "datetime" => Some((Compared::Blankable, Stored::DateTime)),
        _ => None,
    }
}

fn api_name(name: &str, what: &'static str) -> Result<(), PackageError> {
    let bare = name.strip_suffix("__c").unwrap_or(name);
    let parts: Vec<&str> = bare.split("__").collect();
    let part = |part: &&str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic())
            && !part.ends_with('_')
            && part.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    // A namespace is the only part that may stand before the name.
    if parts.len() <= 2 && parts.iter().all(part) && bare.len() <= 80 {
        return Ok(());
    }
    Err(PackageError::Name { name: name.chars().take(100).collect(), what })
}

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

/// A field's API name, within the limit.
fn named(before: &str, stem: &str, after: &str) -> String {
    let room = MOST_NAME - before.len() - after.len();
    format!("{before}{}{after}__c", fitted(stem, room))
}

/// The text itself, or its start and a digest of the whole.
fn fitted(text: &str, room: usize) -> String {
    if text.len() <= room {
        return text.to_owned();
    }
    let digest = digest(text);
    let start: String = text.chars().take(room - digest.len() - 1).collect();
    format!("{}_{digest}", start.trim_end_matches('_'))
}

fn digest(text: &str) -> String {
    let bytes = Sha256::digest(text.as_bytes());
    bytes.iter().take(3).fold("x".to_owned(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// `Cases` of `Case`, `Opportunities` of `Opportunity`.
fn plural(stem: &str) -> String {
    match stem.strip_suffix('y') {
        Some(rest) if !rest.ends_with(['a', 'e', 'o', 'u', 'A', 'E', 'O', 'U']) => format!("{rest}ies"),
        _ if stem.ends_with(['s', 'x', 'z']) => format!("{stem}es"),
        _ => format!("{stem}s"),
    }
}
