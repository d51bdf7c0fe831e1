//! What drift means: the policy lines it touches, and the proposals that wait or cannot stand.

use serde::Serialize;
use serde_json::Value;

use crate::{
    cli::Exit,
    config::policies::Mention,
    domain::{
        Drift, Ground, Proposal, Stage,
        drift::{Change, ChangeKind, Family, Known},
    },
    gate::checks::schema::value_problem,
    ledger::{Ledger, LedgerError, ProposalFilter, ProposalRecord},
};

/// Most proposals that are looked at for one object.
const MOST: usize = 2_000;
/// Findings that say that the org cannot hold a value.
const UNFIT: &[&str] = &[
    "field-not-in-org",
    "field-not-updateable",
    "value-required",
    "value-wrong-type",
    "value-too-long",
    "number-too-large",
    "number-too-precise",
    "picklist-value-unknown",
    "picklist-value-not-in-record-type",
];

/// Everything that differs.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether any lane waits.
    pub frozen: bool,
    /// By object; also those where nothing differs.
    pub objects: Vec<OfObject>,
}

/// One object.
#[derive(Debug, Serialize)]
pub struct OfObject {
    /// Object.
    pub object: String,
    /// Who accepted what it is compared with.
    pub accepted_by: String,
    /// When.
    pub accepted_at: String,
    /// Whether rules, flows and triggers are compared.
    pub sees_setup: bool,
    /// What to accept; none when nothing differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Lanes that wait.
    pub frozen_lanes: Vec<String>,
    /// What differs.
    pub changes: Vec<Told>,
    /// Proposals that wait for it, or ended because of it.
    pub proposals: Vec<Touched>,
}

/// One change.
#[derive(Debug, Serialize)]
pub struct Told {
    /// Whether lanes wait for it.
    pub freezes: bool,
    /// The change.
    #[serde(flatten)]
    pub change: Change,
    /// In words.
    pub words: String,
    /// What to do besides accepting it.
    pub suggestion: String,
    /// The lines of the policies that speak of it.
    pub policy: Vec<Mention>,
}

/// One proposal.
#[derive(Debug, Serialize)]
pub struct Touched {
    /// Its id.
    pub proposal: String,
    /// Its record.
    pub record: String,
    /// Where it stands.
    pub stage: &'static str,
    /// Why the org cannot hold what it proposes; none when it only waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaks: Option<String>,
}

/// What `countersign drift accept` takes.
pub fn id(drift: &Drift) -> String {
    format!("{}@{}", drift.object, drift.ground.short())
}

impl Report {
    /// Reads what the ledger knows.
    pub async fn read(ledger: &Ledger, places: &[Mention]) -> Result<Self, LedgerError> {
        let mut objects = Vec::new();
        for known in ledger.grounds().await? {
            objects.push(of_object(ledger, &known, places).await?);
        }
        Ok(Self { frozen: objects.iter().any(|one| !one.frozen_lanes.is_empty()), objects })
    }

    /// 4 while a lane is frozen.
    pub fn exit(&self) -> Exit {
        if self.frozen { Exit::NeedsReview } else { Exit::Done }
    }
}

async fn of_object(ledger: &Ledger, known: &Known, places: &[Mention]) -> Result<OfObject, LedgerError> {
    let (accepted, acceptance) = (&known.accepted, &known.acceptance);
    let mut told = OfObject {
        object: accepted.object.to_string(),
        accepted_by: acceptance.by.clone(),
        accepted_at: acceptance.at.to_string(),
        sees_setup: accepted.automations.is_some(),
        id: None,
        since: None,
        frozen_lanes: Vec::new(),
        changes: Vec::new(),
        proposals: Vec::new(),
    };
    let (Some(drift), Some((_, seen))) = (known.in_force(), &known.drift) else { return Ok(told) };
    let lanes = accepted.fields.keys().chain(seen.fields.keys()).filter(|lane| drift.freezes(lane));
    told.frozen_lanes = lanes.map(ToString::to_string).collect();
    told.frozen_lanes.sort();
    told.frozen_lanes.dedup();
    (told.id, told.since) = (Some(id(drift)), Some(drift.since.to_string()));
    let one = |change: &Change| Told {
        freezes: change.freezes(),
        change: change.clone(),
        words: change.words(),
        suggestion: suggestion(change, &drift.changes),
        policy: speak_of(change, drift, places),
    };
    told.changes = drift.changes.iter().map(one).collect();
    let waiting = ledger.waiting(&drift.object, MOST).await?;
    let open = waiting.iter().filter(|record| drift.stops(&record.proposal));
    told.proposals = open.map(|record| touched(record, breaks(&record.proposal, seen))).collect();
    let ended = ProposalFilter { stage: Some(Stage::Refused), limit: MOST, ..ProposalFilter::default() };
    for record in ledger.proposals(&ended).await? {
        let ours = record.proposal.object == drift.object && record.updated_at >= drift.since;
        if let Some(why) = unfit(&record).filter(|_| ours) {
            told.proposals.push(touched(&record, Some(why)));
        }
    }
    Ok(told)
}

fn touched(record: &ProposalRecord, breaks: Option<String>) -> Touched {
    Touched {
        proposal: record.proposal.id.to_string(),
        record: record.proposal.record.to_string(),
        stage: record.stage.name(),
        breaks,
    }
}

/// Why the org as it is now cannot hold what is proposed.
fn breaks(proposal: &Proposal, seen: &Ground) -> Option<String> {
    proposal.patch.iter().find_map(|(field, value)| match seen.fields.get(field) {
        None => Some(format!("field-not-in-org: {field}")),
        Some(facts) => value_problem(field, facts, value).map(|(code, words, _)| format!("{code}: {words}")),
    })
}

/// The finding of its last verdict that says that the org cannot hold it.
fn unfit(record: &ProposalRecord) -> Option<String> {
    let findings = record.verdict.as_ref()?.get("findings")?.as_array()?;
    let text = |finding: &Value, key: &str| finding.get(key).and_then(Value::as_str).map(str::to_owned);
    findings.iter().find_map(|finding| {
        let code = text(finding, "code").filter(|code| UNFIT.contains(&code.as_str()))?;
        Some(format!("{code}: {}", text(finding, "message").unwrap_or_default()))
    })
}

/// A value that went while another came was probably renamed.
fn suggestion(change: &Change, all: &[Change]) -> String {
    let new = |other: &&Change| {
        matches!(other.kind, ChangeKind::ValueNew | ChangeKind::ValueNewNamed) && other.field == change.field
    };
    let gone = all.iter().filter(|other| other.kind == change.kind && other.field == change.field).count();
    let mut came = all.iter().filter(new);
    match (change.kind, came.next(), came.next()) {
        (ChangeKind::ValueGone, Some(Change { after: Some(name), .. }), None) if gone == 1 => {
            format!(
                "if it was renamed, write \"{name}\" in its place in the policy; or {}",
                change.kind.fix()
            )
        }
        _ => change.kind.fix().to_owned(),
    }
}

/// The lines that name the value, the field, or the object.
fn speak_of(change: &Change, drift: &Drift, places: &[Mention]) -> Vec<Mention> {
    let field = change.field.as_ref().map(|field| field.as_str());
    let value = match change.kind.family() {
        Family::Values => change.before.as_ref().or(change.after.as_ref()),
        _ => None,
    };
    let same = |one: &&Mention| {
        one.object == drift.object.as_str()
            && one.field.as_deref() == field
            && one.value.as_ref() == value
            && (field.is_some() || one.key == "object")
    };
    let mut found: Vec<Mention> = places.iter().filter(same).cloned().collect();
    // A field's own section stands for all that is in it.
    if value.is_none() {
        found.truncate(1);
    }
    found.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    found
}
