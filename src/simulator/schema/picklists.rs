//! Value lists of a default org, and its stage and status tables.

use super::super::model::PicklistValue;

/// One opportunity stage with what it implies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageDef {
    /// API value.
    pub name: &'static str,
    /// Percent.
    pub probability: u8,
    /// `ForecastCategory`.
    pub category: &'static str,
    /// Closed.
    pub closed: bool,
    /// Won.
    pub won: bool,
}

const STAGES: &[StageDef] = &[
    stage("Prospecting", 10),
    stage("Qualification", 10),
    stage("Needs Analysis", 20),
    stage("Value Proposition", 50),
    stage("Id. Decision Makers", 60),
    stage("Perception Analysis", 70),
    stage("Proposal/Price Quote", 75),
    stage("Negotiation/Review", 90),
    StageDef { name: "Closed Won", probability: 100, category: "Closed", closed: true, won: true },
    StageDef { name: "Closed Lost", probability: 0, category: "Omitted", closed: true, won: false },
];

const fn stage(name: &'static str, probability: u8) -> StageDef {
    StageDef { name, probability, category: "Pipeline", closed: false, won: false }
}

/// The stages of a default org, in order.
pub fn stages() -> &'static [StageDef] {
    STAGES
}

/// The lead statuses of a default org: value, default, converted.
pub fn lead_statuses() -> &'static [(&'static str, bool, bool)] {
    &[
        ("Open - Not Contacted", true, false),
        ("Working - Contacted", false, false),
        ("Closed - Converted", false, true),
        ("Closed - Not Converted", false, false),
    ]
}

/// `ForecastCategoryName` and its `ForecastCategory`.
const FORECAST: &[(&str, &str)] = &[
    ("Omitted", "Omitted"),
    ("Pipeline", "Pipeline"),
    ("Best Case", "BestCase"),
    ("Commit", "Forecast"),
    ("Closed", "Closed"),
];

/// `ForecastCategory` of a `ForecastCategoryName`.
pub fn forecast_category(name: &str) -> &'static str {
    FORECAST.iter().find(|(label, _)| *label == name).map_or("Omitted", |(_, category)| category)
}

/// `ForecastCategoryName` of a `ForecastCategory`.
pub fn forecast_name(category: &str) -> &'static str {
    FORECAST.iter().find(|(_, value)| *value == category).map_or("Omitted", |(label, _)| label)
}

/// A named list of the field tables. An unknown name gives an empty list, which the tests notice.
pub(super) fn values(name: &str) -> Vec<PicklistValue> {
    let plain = |list: &[&str]| list.iter().map(|value| entry(value, false)).collect();
    match name {
        "Status" => lead_statuses().iter().map(|(value, default, _)| entry(value, *default)).collect(),
        "Stage" => STAGES.iter().map(|stage| entry(stage.name, false)).collect(),
        "ForecastName" => FORECAST.iter().map(|(value, _)| entry(value, false)).collect(),
        "Forecast" => plain(&["Omitted", "Pipeline", "BestCase", "MostLikely", "Forecast", "Closed"]),
        "Salutation" => plain(&["Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx."]),
        "LeadSource" => plain(&["Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"]),
        "Rating" => plain(&["Hot", "Warm", "Cold"]),
        "OpportunityType" => plain(&[
            "Existing Customer - Upgrade",
            "Existing Customer - Replacement",
            "Existing Customer - Downgrade",
            "New Customer",
        ]),
        "AccountType" => plain(&[
            "Prospect",
            "Customer - Direct",
            "Customer - Channel",
            "Channel Partner / Reseller",
            "Installation Partner",
            "Technology Partner",
            "Other",
        ]),
        "CaseStatus" => ["New", "Working", "Escalated", "Closed"]
            .iter()
            .map(|value| entry(value, *value == "New"))
            .collect(),
        "CasePriority" => {
            ["High", "Medium", "Low"].iter().map(|value| entry(value, *value == "Medium")).collect()
        }
        "TaskStatus" => ["Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred"]
            .iter()
            .map(|value| entry(value, *value == "Not Started"))
            .collect(),
        "TaskPriority" => {
            ["High", "Normal", "Low"].iter().map(|value| entry(value, *value == "Normal")).collect()
        }
        "TaskType" => plain(&["Call", "Meeting", "Other"]),
        "CallType" => plain(&["Internal", "Inbound", "Outbound"]),
        "TaskSubtype" => plain(&["Task", "Email", "Call", "Cadence", "LinkedIn"]),
        "CaseOrigin" => plain(&["Phone", "Email", "Web"]),
        "CaseReason" => plain(&["Installation", "Performance", "Breakdown", "Feedback", "Other"]),
        "CaseType" => plain(&["Question", "Problem", "Request", "Other"]),
        "Ownership" => plain(&["Public", "Private", "Subsidiary", "Other"]),
        "Clean" => plain(&["Matched", "Different", "Acknowledged", "NotFound", "Inactive", "Pending"]),
        "Accuracy" => {
            plain(&["Address", "NearAddress", "Block", "Street", "Zip", "City", "State", "Unknown"])
        }
        "Pronouns" => plain(&["He/Him", "She/Her", "They/Them", "He/They", "She/They", "Not Listed"]),
        "Gender" => plain(&["Male", "Female", "Nonbinary", "Not Listed"]),
        "Industry" => plain(INDUSTRIES),
        "GroupType" => plain(&["Regular", "Queue", "Role", "Organization"]),
        _ => Vec::new(),
    }
}

const INDUSTRIES: &[&str] = &[
    "Agriculture",
    "Apparel",
    "Banking",
    "Biotechnology",
    "Chemicals",
    "Communications",
    "Construction",
    "Consulting",
    "Education",
    "Electronics",
    "Energy",
    "Engineering",
    "Entertainment",
    "Environmental",
    "Finance",
    "Food & Beverage",
    "Government",
    "Healthcare",
    "Hospitality",
    "Insurance",
    "Machinery",
    "Manufacturing",
    "Media",
    "Not For Profit",
    "Recreation",
    "Retail",
    "Shipping",
    "Technology",
    "Telecommunications",
    "Transportation",
    "Utilities",
    "Other",
];

fn entry(value: &str, default: bool) -> PicklistValue {
    PicklistValue { value: value.to_owned(), label: value.to_owned(), active: true, default }
}
