//! One description of a governed object, from which everything about it is rendered.

use serde::Serialize;

use crate::salesforce::names::{self, ObjectContract};

/// A governed object: its names and its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Governed {
    /// API name, for example `Lead` or `Renewal__c`.
    pub object: String,
    /// Lower-case words for one record, for example `lead`.
    pub noun: String,
    /// `a` or `an`, as the noun wants it.
    pub article: &'static str,
    /// Words for several records, for example `Leads`.
    pub plural: String,
    /// Governed fields, in their order.
    pub lanes: Vec<Lane>,
    /// Multi-select picklist that names the fields a proposal speaks of, where there are several.
    pub proposed_fields: Option<String>,
    /// Confidence field.
    pub confidence: String,
    /// Field with the model's words.
    pub reason: String,
    /// Field that tells when a governed field changed.
    pub changed_at: String,
    /// Field that tells what changed it.
    pub change_source: String,
    /// Signal fields; an object that has them can decay.
    pub signals: Option<Signals>,
    /// The lane above whose limit two reviewers approve.
    pub two_approvers: Option<Lane>,
    /// Fields that field-level security cannot keep from a proposer.
    pub always_required: Vec<Required>,
    /// The field that names a record to people.
    pub name_field: &'static str,
}

/// A governed field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lane {
    /// Canonical field.
    pub field: String,
    /// Its label.
    pub label: String,
    /// Words for it, for example `lead status`.
    pub words: String,
    /// The same where the object is named already, for example `status`.
    pub short_words: String,
    /// Proposal field.
    pub proposed: String,
    /// Field with the value before the last change.
    pub previous: String,
    /// Checkbox on the setting type: may change without a person.
    pub switch: String,
    /// How formulas compare it.
    pub kind: Compared,
    /// It is a number; in formulas a blank one may count as zero.
    pub number: bool,
    /// How values are stored beside it.
    #[serde(skip)]
    pub stored: Stored,
    /// Permission sets may name it; always-required standard fields take no field permissions.
    #[serde(skip)]
    pub has_fls: bool,
}

/// How formulas compare a canonical value with a stored one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Compared {
    /// By the text of the picklist value.
    Picklist,
    /// As text: blank equals empty.
    Text,
    /// As a number or date: a comparison with blank would not fire, so blanks are asked for first.
    Blankable,
}

/// The type of the proposal and previous-value fields of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// Text of a length; also for picklists, whose values differ from org to org.
    Text(u32),
    /// `Number`, `Currency` or `Percent` with precision and scale.
    Number(&'static str, u32, u32),
    /// Date.
    Date,
    /// Date and time.
    DateTime,
}

/// Signal fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signals {
    /// When the newest signal happened.
    pub at: String,
    /// Where it was seen.
    pub source: String,
    /// Compact score.
    pub score: String,
    /// From when on decay may move the value back.
    pub decay_eligible: String,
}

/// A field that is always required, so that only a rule keeps a proposer from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Required {
    /// API name.
    pub field: String,
    /// Words for it.
    pub words: String,
}

impl Governed {
    /// The objects of the shipped package, in the order of [`names::SHIPPED`].
    pub fn shipped() -> Vec<Self> {
        vec![lead(), opportunity()]
    }

    /// A shipped object.
    pub fn find(object: &str) -> Option<Self> {
        Self::shipped().into_iter().find(|governed| governed.object == object)
    }

    /// What rule 01 tells a proposer not to touch.
    pub(super) fn kept_from_proposers(&self) -> Vec<&str> {
        let lanes = self.lanes.iter().map(|lane| lane.short_words.as_str());
        lanes.chain(self.always_required.iter().map(|field| field.words.as_str())).collect()
    }
}

/// What is fixed by the contract; the words are added by the caller.
fn from_contract(contract: &ObjectContract, (noun, plural): (&str, &str), lanes: Vec<Lane>) -> Governed {
    let two_approvers = contract.two_approvers;
    Governed {
        object: contract.object.to_owned(),
        noun: noun.to_owned(),
        article: if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" },
        plural: plural.to_owned(),
        two_approvers: two_approvers.and_then(|field| lanes.iter().find(|it| it.field == field).cloned()),
        lanes,
        proposed_fields: contract.proposed_fields.map(str::to_owned),
        confidence: contract.confidence.to_owned(),
        reason: contract.reason.to_owned(),
        changed_at: contract.changed_at.to_owned(),
        change_source: contract.change_source.to_owned(),
        signals: contract.signals.map(|signals| Signals {
            at: signals.at.to_owned(),
            source: signals.source.to_owned(),
            score: signals.score.to_owned(),
            decay_eligible: signals.decay_eligible.to_owned(),
        }),
        always_required: Vec::new(),
        name_field: "Name",
    }
}

/// A lane of the contract with its words and its type.
fn lane(named: &names::Lane, (label, words): (&str, &str), (kind, stored): (Compared, Stored)) -> Lane {
    Lane {
        field: named.field.to_owned(),
        label: label.to_owned(),
        words: words.to_owned(),
        short_words: label.to_lowercase(),
        proposed: named.proposed.to_owned(),
        previous: named.previous.to_owned(),
        switch: named.auto_switch.to_owned(),
        kind,
        number: matches!(stored, Stored::Number(..)),
        stored,
        has_fls: !matches!(named.field, "Status" | "StageName" | "CloseDate"),
    }
}

fn required(fields: &[(&str, &str)]) -> Vec<Required> {
    fields
        .iter()
        .map(|(field, words)| Required { field: (*field).to_owned(), words: (*words).to_owned() })
        .collect()
}

fn lead() -> Governed {
    let lanes = names::LEAD.lanes.iter();
    let status = |named| lane(named, ("Status", "lead status"), (Compared::Picklist, Stored::Text(255)));
    Governed {
        always_required: required(&[("OwnerId", "owner"), ("LastName", "name"), ("Company", "company")]),
        ..from_contract(&names::LEAD, ("lead", "Leads"), lanes.map(status).collect())
    }
}

fn opportunity() -> Governed {
    let words = [
        ("Stage", "stage", Compared::Picklist, Stored::Text(255)),
        ("Close Date", "close date", Compared::Blankable, Stored::Date),
        ("Amount", "amount", Compared::Blankable, Stored::Number("Currency", 18, 2)),
        ("Next Step", "next step", Compared::Text, Stored::Text(255)),
    ];
    let lanes = names::OPPORTUNITY.lanes.iter().zip(words);
    let lanes =
        lanes.map(|(named, (label, words, kind, stored))| lane(named, (label, words), (kind, stored)));
    Governed {
        always_required: required(&[("OwnerId", "owner"), ("Name", "name")]),
        ..from_contract(&names::OPPORTUNITY, ("opportunity", "Opportunities"), lanes.collect())
    }
}
