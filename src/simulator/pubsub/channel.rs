//! Topics: which objects they carry, with which filter and enrichment, and for whom.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tonic::{Code, Status};

use crate::{
    domain::FieldValue,
    simulator::{
        Org, UserContext,
        metadata::{ChannelMemberDef, Package},
        model::{ChangeKind, ChangeRecord, Row},
    },
};

use super::{
    drift::{self, SchemaDrift},
    encoder::{Delivery, Encoder},
    filter::Filter,
    schema::event_name,
    status,
};

/// The channel that every org has.
const STANDARD_CHANNEL: &str = "ChangeEvents";

/// Catalogs of before a change that are kept for what was written with them.
const MOST_EARLIER: usize = 8;

/// Every object's encoder: whatever schema id an event names can be asked for.
#[derive(Debug)]
pub(super) struct Catalog {
    package: Arc<Package>,
    /// Schema changes that it has seen.
    drifts: usize,
    /// Position after which changes are written with its schemas.
    pub(super) since: u64,
    /// Whose schemas changes up to there were written with.
    pub(super) earlier: Option<Arc<Catalog>>,
    by_object: BTreeMap<String, Arc<Encoder>>,
    /// Schemas of before a deploy as well: a reader may still hold their ids.
    by_schema: BTreeMap<String, Arc<Encoder>>,
}

impl Catalog {
    pub(super) fn new(
        org: &Org,
        package: Arc<Package>,
        (earlier, drifts): (Option<Arc<Self>>, &[SchemaDrift]),
    ) -> Self {
        // Change data capture covers the objects that have rows of their own to write.
        let objects = org.objects().into_iter().filter(|object| object.dml);
        let encoders = objects.filter_map(|object| Encoder::new(&drift::apply(&object, drifts)).ok());
        let by_object: BTreeMap<_, _> =
            encoders.map(|encoder| (encoder.object.clone(), Arc::new(encoder))).collect();
        let mut by_schema = earlier.as_ref().map(|earlier| earlier.by_schema.clone()).unwrap_or_default();
        let now = by_object.values().map(|encoder| (encoder.schema_id.clone(), Arc::clone(encoder)));
        by_schema.extend(now);
        let drifted = earlier.as_ref().is_some_and(|earlier| earlier.drifts < drifts.len());
        let since = match (&earlier, drifts.last()) {
            (None, _) => 0,
            (Some(_), Some(last)) if drifted => last.after,
            (Some(_), _) => org.tip(),
        };
        let earlier = earlier.map(|earlier| earlier.trimmed(MOST_EARLIER));
        Self { package, drifts: drifts.len(), since, earlier, by_object, by_schema }
    }

    /// The same with at most `most` catalogs before it.
    fn trimmed(self: Arc<Self>, most: usize) -> Arc<Self> {
        let earlier = match (&self.earlier, most) {
            (None, _) => return self,
            (Some(_), 0) => None,
            (Some(earlier), _) => Some(Arc::clone(earlier).trimmed(most - 1)),
        };
        let (by_object, by_schema) = (self.by_object.clone(), self.by_schema.clone());
        let (package, drifts, since) = (Arc::clone(&self.package), self.drifts, self.since);
        Arc::new(Self { package, drifts, since, earlier, by_object, by_schema })
    }

    pub(super) fn schema(&self, id: &str) -> Option<&Encoder> {
        self.by_schema.get(id).map(Arc::as_ref)
    }

    fn of_event(&self, event: &str) -> Option<&Arc<Encoder>> {
        self.by_object.values().find(|encoder| encoder.event_name == event)
    }
}

/// The catalog of what is deployed now.
#[derive(Debug, Clone)]
pub(super) struct Catalogs {
    org: Org,
    latest: Arc<Mutex<Arc<Catalog>>>,
}

impl Catalogs {
    pub(super) fn new(org: Org) -> Self {
        let catalog = Catalog::new(&org, org.package(), (None, &org.schema_drifts()));
        Self { org, latest: Arc::new(Mutex::new(Arc::new(catalog))) }
    }

    /// Made anew after a deploy.
    pub(super) fn current(&self) -> Arc<Catalog> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let package = self.org.package();
        let drifts = self.org.schema_drifts();
        if !Arc::ptr_eq(&latest.package, &package) {
            let seen = &drifts[..latest.drifts];
            *latest = Arc::new(Catalog::new(&self.org, package, (Some(Arc::clone(&latest)), seen)));
        }
        // One catalog for each change of a schema: events were written with each of them.
        while latest.drifts < drifts.len() {
            let seen = &drifts[..=latest.drifts];
            let package = Arc::clone(&latest.package);
            *latest = Arc::new(Catalog::new(&self.org, package, (Some(Arc::clone(&latest)), seen)));
        }
        Arc::clone(&latest)
    }
}

/// A topic, before anybody reads it.
#[derive(Debug)]
pub(super) enum Topic {
    /// `/data/LeadChangeEvent`
    Single(Arc<Encoder>),
    /// `/data/ChangeEvents` or `/data/<Name>__chn`
    Channel(Vec<ChannelMemberDef>),
}

/// One object on an open subscription.
#[derive(Debug)]
pub(super) struct Lane {
    pub encoder: Arc<Encoder>,
    visible: Vec<bool>,
    filter: Option<Filter>,
    enriched: Vec<usize>,
}

/// What a subscriber gets, by object.
pub(super) type Lanes = BTreeMap<String, Lane>;

/// Finds a topic. Names are case-sensitive.
pub(super) fn find(org: &Org, catalog: &Catalog, name: &str, rpc: &'static str) -> Result<Topic, Status> {
    if name.is_empty() {
        let words = "The topic name can't be blank.";
        return Err(status::refuse(rpc, Code::InvalidArgument, "topic.validation.empty", words));
    }
    let members_of = |channel: &str| -> Vec<ChannelMemberDef> {
        let package = org.package();
        package.channel_members.iter().filter(|member| member.channel == channel).cloned().collect()
    };
    let unknown = || {
        let words = format!(
            "The topic information for org CORE/prod/{} and topic {name} not found. Ensure the topic name is correct and that the topic exists.",
            org.org_id()
        );
        status::refuse(rpc, Code::NotFound, "topic.not.found", &words)
    };
    let local = name.strip_prefix("/data/").ok_or_else(unknown)?;
    if local == STANDARD_CHANNEL {
        let selected = members_of(STANDARD_CHANNEL);
        let every = || catalog.by_object.keys().map(|object| member_of(object)).collect();
        return Ok(Topic::Channel(if selected.is_empty() { every() } else { selected }));
    }
    if org.package().channels.iter().any(|channel| channel.name == local) {
        return Ok(Topic::Channel(members_of(local)));
    }
    catalog.of_event(local).cloned().map(Topic::Single).ok_or_else(unknown)
}

fn member_of(object: &str) -> ChannelMemberDef {
    ChannelMemberDef {
        full_name: format!("{STANDARD_CHANNEL}_{object}"),
        channel: STANDARD_CHANNEL.to_owned(),
        entity: event_name(object),
        filter: None,
        enriched: Vec::new(),
    }
}

impl Topic {
    /// Newest schema; blank on channels (inferred from what clients report).
    pub(super) fn schema_id(&self) -> &str {
        match self {
            Self::Single(encoder) => &encoder.schema_id,
            Self::Channel(_) => "",
        }
    }

    /// A topic of one object needs View All Records; a channel leaves out what the user may
    /// not see, without a word.
    pub(super) fn can_subscribe(&self, user: &UserContext) -> bool {
        match self {
            Self::Single(encoder) => user.can_view_all(&encoder.object),
            Self::Channel(_) => true,
        }
    }

    /// What this user gets.
    pub(super) fn lanes(&self, catalog: &Catalog, user: &UserContext) -> Result<Lanes, Status> {
        match self {
            Self::Single(encoder) => {
                let lane = Lane::new(Arc::clone(encoder), user);
                Ok(BTreeMap::from([(encoder.object.clone(), lane)]))
            }
            Self::Channel(members) => {
                let mut lanes = Lanes::new();
                for member in members {
                    let Some(encoder) = catalog.of_event(&member.entity) else { continue };
                    if user.can_view_all(&encoder.object) {
                        lanes.insert(encoder.object.clone(), Lane::of_member(encoder, user, member)?);
                    }
                }
                Ok(lanes)
            }
        }
    }
}

impl Lane {
    fn new(encoder: Arc<Encoder>, user: &UserContext) -> Self {
        let visible =
            encoder.leaves().iter().map(|leaf| user.can_read_field(&encoder.object, &leaf.field)).collect();
        Self { encoder, visible, filter: None, enriched: Vec::new() }
    }

    fn of_member(
        encoder: &Arc<Encoder>,
        user: &UserContext,
        member: &ChannelMemberDef,
    ) -> Result<Self, Status> {
        let mut lane = Self::new(Arc::clone(encoder), user);
        if let Some(text) = member.filter.as_deref().filter(|text| !text.trim().is_empty()) {
            let filter = Filter::parse(text)
                .map_err(|error| Status::internal(format!("channel member {}: {error}", member.full_name)))?;
            lane.filter = Some(filter);
        }
        // Fields of the filter are enriched without being named.
        let filtered = lane.filter.iter().flat_map(Filter::fields);
        let named = member.enriched.iter().map(String::as_str);
        let leaves: Vec<usize> = filtered.chain(named).flat_map(|field| encoder.leaves_of(field)).collect();
        lane.enriched = leaves;
        Ok(lane)
    }

    /// The payload for this subscriber, or nothing when the filter keeps it back.
    pub(super) fn payload(&self, org: &Org, record: &ChangeRecord, record_ids: &[&str]) -> Option<Vec<u8>> {
        let enriches =
            !self.enriched.is_empty() && matches!(record.kind, ChangeKind::Update | ChangeKind::Delete);
        // Read at delivery: a replay shows the latest values.
        let row = (enriches || self.filter.is_some()).then(|| current(org, record)).flatten();
        // What a filter makes of an event without values is not documented: it passes here.
        if let Some(filter) = self.filter.as_ref().filter(|_| !record.kind.is_gap())
            && !filter.passes(&|field| self.filter_value(field, record, row.as_deref()))
        {
            return None;
        }
        let mut enriched = Vec::new();
        if let Some(row) = row.as_deref().filter(|_| enriches) {
            for leaf in &self.enriched {
                let field = &self.encoder.leaves()[*leaf].field;
                if self.visible[*leaf]
                    && let Some(value) = row.get(field)
                {
                    enriched.push((*leaf, value.clone()));
                }
            }
        }
        Some(self.encoder.encode(&Delivery {
            record,
            record_ids,
            enriched: &enriched,
            visible: &self.visible,
            hidden_bits: org.settings().hidden_fields_keep_bits,
            nulled_also_changed: org.settings().nulled_fields_also_changed,
        }))
    }

    /// The event's own value where it has one, else the record's current value.
    /// Field-level security does not count here.
    fn filter_value(&self, field: &str, record: &ChangeRecord, row: Option<&Row>) -> FieldValue {
        if let Some(name) = field.strip_prefix("ChangeEventHeader.") {
            return header_value(name, record);
        }
        let Some(leaf) = self.encoder.leaf(field) else { return FieldValue::Null };
        let name = &self.encoder.leaves()[leaf].field;
        let own = record.changed.get(name);
        own.or_else(|| row.and_then(|row| row.get(name))).cloned().unwrap_or_default()
    }
}

fn current(org: &Org, record: &ChangeRecord) -> Option<Arc<Row>> {
    org.row(&record.object, &record.record_id).or_else(|| org.deleted_row(&record.object, &record.record_id))
}

fn header_value(name: &str, record: &ChangeRecord) -> FieldValue {
    let commit = &record.commit;
    match name {
        "entityName" => FieldValue::text(record.object.clone()),
        "changeType" => FieldValue::text(record.kind.symbol()),
        "changeOrigin" => FieldValue::text(commit.origin.clone()),
        "transactionKey" => FieldValue::text(commit.transaction_key.clone()),
        "sequenceNumber" => FieldValue::decimal(record.sequence.into()),
        "commitTimestamp" => FieldValue::decimal(commit.committed_at_ms.into()),
        "commitNumber" => FieldValue::decimal(commit.commit_number.into()),
        "commitUser" => FieldValue::text(commit.user_id.clone()),
        _ => FieldValue::Null,
    }
}
