//! One change of a world. A fuzzed input is a golden case and a list of these.

use arbitrary::Arbitrary;
use countersign::domain::{
    Approval, Decision, Digest, Evidence, FieldName, FieldSchema, FieldType, FieldValue, Freeze, Hold,
    ObjectName, ProposalId, RecordState, Scope,
};
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use rust_decimal::Decimal;

use crate::world::{World, id, machine};

const FIELDS: &[&str] = &["Status", "StageName", "Amount", "CloseDate", "NextStep", "Rating"];
const OBJECTS: &[&str] = &["Lead", "Opportunity", "Account"];
const WORDS: &[&str] = &[
    "Open - Not Contacted",
    "Working - Contacted",
    "Closed - Not Converted",
    "Closed - Converted",
    "Prospecting",
    "Qualification",
    "Negotiation/Review",
    "Closed Won",
    "Closed Lost",
];
const KINDS: &[&str] = &["meeting", "reply", "form", "call", "visit", "rumour"];
const AGENTS: &[&str] = &["an-agent", "new-agent", "nightly"];

/// A value of a field.
#[derive(Debug, Clone, Arbitrary)]
pub enum Value {
    Null,
    Word(u8),
    Text(String),
    Decimal(i64, u8),
    Day(i32),
    Moment(i32),
    Flag(bool),
}

/// A type of a field.
#[derive(Debug, Clone, Arbitrary)]
pub enum Kind {
    Text(u16),
    Words { from: u8, restricted: bool },
    Several,
    Decimal { precision: u8, scale: u8 },
    Date,
    DateTime,
    Flag,
    Reference,
}

/// One change. Fields, objects and words are numbers in the lists above; times are minutes.
#[derive(Debug, Clone, Arbitrary)]
pub enum Edit {
    Patch(u8, Option<Value>),
    Base(u8, Option<Value>),
    Record(u8, Option<Value>),
    Settle(u8, Value),
    Type(u8, Option<Kind>),
    Rights { field: u8, updateable: bool, nillable: bool },
    Switch(u8, bool),
    Described(bool),
    Object { of_proposal: u8, of_record: u8, of_schema: u8 },
    OtherRecord,
    State(u8),
    Hold(Option<(i16, Option<String>)>),
    Seq(u64),
    Confidence(Option<(i16, u8)>),
    Looked(Option<i32>),
    Received(i32),
    Expires(Option<i32>),
    Now(i32),
    Review(bool),
    EditedFrom(bool),
    Agent(u8, Option<String>),
    Evidence(Signal),
    Decide { approved: bool, ago: i32, machine: bool },
    Undecided,
    OtherProposal,
    OtherPatch,
    Rebind,
    History { superseded: bool, open: bool, promoted: bool, unproven: bool },
    Freeze { what: Frozen, ago: i32, reason: String },
    Unfreeze(Frozen),
    Dispute(Option<String>),
    Signal(Signal),
    ToldTwice { evidence: u8, again: Option<Signal> },
    Count { which: u8, count: Option<u8> },
    CountAll(Option<u8>),
}

/// What a freeze stops. Objects, fields and agents are numbers.
#[derive(Debug, Clone, Arbitrary)]
pub enum Frozen {
    Org,
    Lane(u8, u8),
    Agent(u8),
    Other(String),
}

/// A piece of evidence.
#[derive(Debug, Clone, Arbitrary)]
pub struct Signal {
    kind: u8,
    source: String,
    ago: i32,
}

fn pick<'t>(list: &[&'t str], number: u8) -> &'t str {
    list[usize::from(number) % list.len()]
}

fn field(number: u8) -> FieldName {
    FieldName::parse(pick(FIELDS, number)).expect("a field")
}

fn object(number: u8) -> ObjectName {
    ObjectName::parse(pick(OBJECTS, number)).expect("an object")
}

fn ago(now: Timestamp, minutes: i32) -> Timestamp {
    now.checked_sub(SignedDuration::from_mins(minutes.into())).unwrap_or(now)
}

impl Value {
    fn of(&self, now: Timestamp) -> FieldValue {
        match self {
            Self::Null => FieldValue::Null,
            Self::Word(number) => FieldValue::text(pick(WORDS, *number)),
            Self::Text(text) => FieldValue::text(text.clone()),
            Self::Decimal(digits, scale) => {
                FieldValue::decimal(Decimal::new(*digits, u32::from(*scale) % 29))
            }
            Self::Day(days) => FieldValue::Date(day(now, *days)),
            Self::Moment(minutes) => FieldValue::DateTime(ago(now, *minutes)),
            Self::Flag(flag) => FieldValue::Bool(*flag),
        }
    }
}

fn day(now: Timestamp, days: i32) -> Date {
    let today = now.to_zoned(TimeZone::UTC).date();
    today.checked_add((days % 1_000_000).days()).unwrap_or(today)
}

impl Kind {
    fn of(&self) -> FieldType {
        let words = |from: u8| WORDS.iter().skip(from.into()).map(|word| (*word).to_owned()).collect();
        match *self {
            Self::Text(length) => FieldType::Text { length: length.into() },
            Self::Words { from, restricted } => FieldType::Picklist { values: words(from), restricted },
            Self::Several => FieldType::MultiPicklist { values: words(0) },
            Self::Decimal { precision, scale } => {
                FieldType::Decimal { precision: precision.into(), scale: scale.into() }
            }
            Self::Date => FieldType::Date,
            Self::DateTime => FieldType::DateTime,
            Self::Flag => FieldType::Bool,
            Self::Reference => FieldType::Reference,
        }
    }
}

impl Frozen {
    fn of(&self) -> Scope {
        match self {
            Self::Org => Scope::Org,
            Self::Lane(of, name) => Scope::Lane(object(*of), field(*name)),
            Self::Agent(number) => Scope::Agent(pick(AGENTS, *number).to_owned()),
            // What nobody can write on the command line is not in a ledger.
            Self::Other(text) => {
                Scope::parse(text).or_else(|_| Scope::parse(&format!("agent:{text}"))).unwrap_or(Scope::Org)
            }
        }
    }
}

impl Signal {
    fn of(&self, now: Timestamp) -> Evidence {
        Evidence {
            kind: pick(KINDS, self.kind).to_owned(),
            source: self.source.clone(),
            occurred_at: ago(now, self.ago),
            link: None,
            digest: None,
        }
    }
}

impl Edit {
    /// Makes the change.
    pub fn apply(&self, world: &mut World) {
        self.apply_to_values(world);
        self.apply_to_record(world);
        self.apply_to_proposal(world);
        self.apply_to_decision(world);
        self.apply_to_history(world);
        self.apply_to_counts(world);
    }

    fn apply_to_values(&self, world: &mut World) {
        let (now, proposal, record) = (world.now, &mut world.proposal, &mut world.record);
        let (map, name, value) = match self {
            Self::Patch(name, value) => (&mut proposal.patch, name, value),
            Self::Base(name, value) => (&mut proposal.base, name, value),
            Self::Record(name, value) => (&mut record.fields, name, value),
            Self::Settle(name, value) => {
                proposal.base.insert(field(*name), value.of(now));
                record.fields.insert(field(*name), value.of(now));
                return;
            }
            _ => return,
        };
        match value {
            Some(value) => map.insert(field(*name), value.of(now)),
            None => map.remove(&field(*name)),
        };
    }

    fn apply_to_record(&self, world: &mut World) {
        let record = &mut world.record;
        match self {
            Self::OtherRecord => record.record = id("00Q000000000077"),
            Self::State(number) => {
                let states =
                    [RecordState::Live, RecordState::Deleted, RecordState::Converted, RecordState::Missing];
                record.state = states[usize::from(*number) % states.len()];
            }
            Self::Hold(hold) => {
                let until = |days: &i16| day(world.now, (*days).into());
                record.hold =
                    hold.as_ref().map(|(days, reason)| Hold { until: until(days), reason: reason.clone() });
            }
            Self::Seq(number) => record.promotion_seq = *number,
            Self::Object { of_proposal, of_record, of_schema } => {
                world.proposal.object = object(*of_proposal);
                record.object = object(*of_record);
                world.schema.iter_mut().for_each(|schema| schema.object = object(*of_schema));
            }
            Self::Described(false) => world.schema = None,
            _ => {}
        }
        let Some(schema) = &mut world.schema else { return };
        match self {
            Self::Type(name, Some(kind)) => {
                let facts = FieldSchema { field_type: kind.of(), updateable: true, nillable: true };
                schema.fields.insert(field(*name), facts);
            }
            Self::Type(name, None) => drop(schema.fields.remove(&field(*name))),
            Self::Rights { field: name, updateable, nillable } => {
                if let Some(facts) = schema.fields.get_mut(&field(*name)) {
                    (facts.updateable, facts.nillable) = (*updateable, *nillable);
                }
            }
            Self::Switch(name, true) => schema.auto_allowed.push(field(*name)),
            Self::Switch(name, false) => schema.auto_allowed.retain(|on| *on != field(*name)),
            _ => {}
        }
    }

    fn apply_to_proposal(&self, world: &mut World) {
        let (now, proposal) = (world.now, &mut world.proposal);
        match self {
            Self::Confidence(share) => {
                let number = |(digits, scale): (i16, u8)| Decimal::new(digits.into(), u32::from(scale) % 29);
                proposal.confidence = share.map(number);
            }
            Self::Looked(minutes) => proposal.evaluated_at = minutes.map(|minutes| ago(now, minutes)),
            Self::Received(minutes) => proposal.received_at = ago(now, *minutes),
            Self::Expires(minutes) => proposal.expires_at = minutes.map(|minutes| ago(now, minutes)),
            Self::Now(minutes) => world.now = ago(now, *minutes),
            Self::Review(wanted) => proposal.requires_review = *wanted,
            Self::EditedFrom(edited) => {
                proposal.edited_from = edited.then(|| ProposalId::parse("agents-own").expect("an id"));
            }
            Self::Agent(number, run) => {
                proposal.actor.agent = pick(AGENTS, *number).to_owned();
                proposal.actor.run = run.clone();
            }
            Self::Evidence(signal) => proposal.evidence.push(signal.of(now)),
            _ => {}
        }
    }

    fn apply_to_decision(&self, world: &mut World) {
        let exact = world.proposal.patch_digest().expect("values have an exact form");
        if let Self::Decide { approved, ago: minutes, machine: by_machine } = self {
            world.approval = Some(Approval {
                proposal_id: world.proposal.id.clone(),
                decision: if *approved { Decision::Approved } else { Decision::Rejected },
                decided_by: if *by_machine { machine() } else { id("005000000000002") },
                decided_at: ago(world.now, *minutes),
                patch_digest: exact,
                comments: None,
            });
            return;
        }
        if let Self::Undecided = self {
            world.approval = None;
        }
        let Some(approval) = &mut world.approval else { return };
        match self {
            Self::OtherProposal => approval.proposal_id = ProposalId::parse("another").expect("an id"),
            Self::OtherPatch => approval.patch_digest = Digest::of_bytes(b"another"),
            Self::Rebind => approval.patch_digest = exact,
            _ => {}
        }
    }
    fn apply_to_history(&self, world: &mut World) {
        let (now, history) = (world.now, &mut world.history);
        match self {
            Self::History { superseded, open, promoted, unproven } => {
                history.superseded_by = superseded.then(|| "newer".to_owned());
                history.open_promotion = open.then(|| "other".to_owned());
                history.already_promoted = *promoted;
                history.base_unproven = *unproven;
            }
            Self::Freeze { what, ago: minutes, reason } => history.frozen.push(Freeze {
                scope: what.of(),
                since: ago(now, *minutes),
                by: "somebody".to_owned(),
                reason: reason.clone(),
            }),
            Self::Unfreeze(what) => {
                let lifted = what.of();
                history.frozen.retain(|freeze| freeze.scope != lifted);
            }
            Self::Dispute(Some(agent)) => history.disputed_by.push(agent.clone()),
            Self::Dispute(None) => history.disputed_by.clear(),
            Self::Signal(signal) => history.signals.push(signal.of(now)),
            Self::ToldTwice { evidence, again } => {
                let own = &world.proposal.evidence;
                let told = own.get(usize::from(*evidence) % own.len().max(1)).cloned();
                history.signals.extend(told.or_else(|| again.as_ref().map(|signal| signal.of(now))));
            }
            _ => {}
        }
    }

    fn apply_to_counts(&self, world: &mut World) {
        let keys = world.counted();
        let wanted = match self {
            Self::Count { which, count } => keys
                .get(usize::from(*which) % keys.len().max(1))
                .map(|key| (std::slice::from_ref(key), count)),
            Self::CountAll(count) => Some((keys.as_slice(), count)),
            _ => None,
        };
        let Some((keys, count)) = wanted else { return };
        for key in keys {
            match count {
                Some(count) => world.history.counts.insert(key.clone(), (*count).into()),
                None => world.history.counts.remove(key),
            };
        }
    }
}
