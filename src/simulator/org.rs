//! One simulated org: its objects, rows, people, bus and faults behind one cheap handle.
//!
//! Reads take a shared lock and give shared rows. Writes pass a gate one after another,
//! as rows of a real org are written under an exclusive lock.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use jiff::Timestamp;
use tokio::sync::watch;

use super::{
    bulk::BulkJobs,
    deploy,
    faults::Faults,
    flow::Interviews,
    gate::WriterGate,
    ids,
    limits::Counters,
    metadata::{Package, Problem},
    metadata_api::Deploys,
    model::{ObjectDef, Row},
    saver::Saver,
    settings::Settings,
    soql::Cursors,
    state::{State, StateError},
    users::{Access, PEOPLE, UserContext, UserInfo},
};
use crate::{clock::Clock, domain::FieldValue};

/// How to start an org.
#[derive(Debug)]
pub struct OrgOptions {
    /// 15 or 18 characters starting with `00D`; a fixed id when absent.
    pub org_id: Option<String>,
    /// The org's clock.
    pub clock: Clock,
    /// Deployed at start.
    pub package: Package,
    /// Behaviours.
    pub settings: Settings,
    /// Loaded when it exists, written when something changed.
    pub state_file: Option<PathBuf>,
}

impl OrgOptions {
    /// A fresh org with default settings and no file.
    pub fn new(clock: Clock, package: Package) -> Self {
        Self { org_id: None, clock, package, settings: Settings::default(), state_file: None }
    }
}

/// Why an org does not start.
#[derive(Debug, thiserror::Error)]
pub enum OrgError {
    /// The org id has not the shape of one.
    #[error("`{0}` is not an org id: expected 15 or 18 letters and digits starting with 00D")]
    OrgId(String),
    /// The package names an object that this org does not have.
    #[error("the package has fields or rules for `{0}`, which this org does not have")]
    UnknownObject(String),
    /// What the state file says was deployed no longer compiles.
    #[error("what the state file says was deployed does not deploy any more: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Deployed(Vec<Problem>),
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
}

impl OrgError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OrgId(_) => "org-id-malformed",
            Self::UnknownObject(_) => "package-object-unknown",
            Self::Deployed(_) => "state-package-not-deployable",
            Self::State(error) => error.code(),
        }
    }
}

/// A handle on one org; clones share it.
#[derive(Clone, Debug)]
pub struct Org(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) clock: Clock,
    pub(super) settings: Settings,
    pub(super) deployed: RwLock<Arc<Deployed>>,
    state: RwLock<State>,
    pub(super) gate: Arc<WriterGate>,
    pub(super) faults: Faults,
    pub(super) parent_locks: Mutex<super::parent_locks::ParentLocks>,
    pub(super) drifts: Mutex<Vec<super::pubsub::SchemaDrift>>,
    cursors: Cursors,
    bulk_jobs: BulkJobs,
    pub(super) interviews: Interviews,
    pub(super) tip: watch::Sender<u64>,
    pub(super) counters: Mutex<Counters>,
    pub(super) saver: Option<Saver>,
    pub(super) deploys: Deploys,
}

/// What follows from the deployed package. A deploy replaces it as a whole; who holds one
/// keeps seeing the org as it was.
#[derive(Debug)]
pub(super) struct Deployed {
    pub(super) package: Arc<Package>,
    objects: Vec<Arc<ObjectDef>>,
    by_name: BTreeMap<String, Arc<ObjectDef>>,
    access: BTreeMap<String, (UserInfo, Arc<Access>)>,
    /// When it was deployed.
    pub(super) at: Timestamp,
}

impl Deployed {
    /// Brings the state's tables and setup rows up to the package.
    pub(super) fn new(package: Package, state: &mut State, now: Timestamp) -> Result<Self, OrgError> {
        let objects = deploy::objects(&package, state)?;
        deploy::fill(state, &objects, &package, now);
        let access = deploy::access(state, &objects, &package);
        let by_name = objects.iter().map(|object| (object.name.to_lowercase(), Arc::clone(object))).collect();
        Ok(Self { package: Arc::new(package), objects, by_name, access, at: now })
    }

    /// All objects.
    pub(super) fn objects(&self) -> &[Arc<ObjectDef>] {
        &self.objects
    }

    /// An object by name, letter case ignored.
    pub(super) fn object(&self, name: &str) -> Option<&Arc<ObjectDef>> {
        self.by_name.get(name).or_else(|| self.by_name.get(&name.to_lowercase()))
    }
}

impl Org {
    /// Starts an org and deploys the package into it.
    pub fn new(options: OrgOptions) -> Result<Self, OrgError> {
        let org_id = match &options.org_id {
            Some(id) if id.starts_with("00D") => {
                ids::complete(id).ok_or_else(|| OrgError::OrgId(id.clone()))?
            }
            Some(id) => return Err(OrgError::OrgId(id.clone())),
            None => ids::nth("00D", 1),
        };
        let loaded = match &options.state_file {
            Some(path) => State::load(path)?,
            None => None,
        };
        let mut state = loaded.unwrap_or_else(|| State::new(org_id, deploy::oauth_app()));
        // What was deployed into a kept org is kept; the package is for a fresh one.
        let package = match &state.deployed {
            Some(stored) => Package::from_stored(stored).map_err(OrgError::Deployed)?,
            None => options.package,
        };
        let deployed = Deployed::new(package, &mut state, seconds(options.clock.now()))?;
        let (tip, _) = watch::channel(state.bus.tip());
        let inner = Arc::new_cyclic(|weak| Inner {
            clock: options.clock,
            settings: options.settings,
            deployed: RwLock::new(Arc::new(deployed)),
            state: RwLock::new(state),
            gate: WriterGate::new(),
            faults: Faults::default(),
            parent_locks: Mutex::default(),
            drifts: Mutex::default(),
            cursors: Cursors::default(),
            bulk_jobs: BulkJobs::default(),
            interviews: Interviews::default(),
            tip,
            counters: Mutex::default(),
            deploys: Deploys::default(),
            saver: options.state_file.map(|path| Saver::start(path, weak.clone())),
        });
        Ok(Self(inner))
    }

    /// 18-character id.
    pub fn org_id(&self) -> String {
        self.read().org_id.clone()
    }

    /// When a component was changed last, and how often a deploy has changed it; the start of the org's
    /// time for what stands as it came.
    pub(super) fn component_change(&self, kind: &str, full_name: &str) -> (Timestamp, u64) {
        let known = self.read().component_changes.get(&format!("{kind} {full_name}")).copied();
        known.map_or((Timestamp::UNIX_EPOCH, 0), |known| (known.at, known.version))
    }

    /// The org's clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Now, in whole seconds, as every audit stamp has it.
    pub fn now_seconds(&self) -> Timestamp {
        seconds(self.0.clock.now())
    }

    /// Behaviours.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Faults to arm and to ask for.
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// Open query cursors.
    pub(super) fn cursors(&self) -> &Cursors {
        &self.0.cursors
    }

    /// Bulk query jobs.
    pub(super) fn bulk_jobs(&self) -> &BulkJobs {
        &self.0.bulk_jobs
    }

    /// What is deployed at this moment. A later deploy does not change what was handed out.
    pub fn package(&self) -> Arc<Package> {
        Arc::clone(&self.deployed().package)
    }

    /// The package and what follows from it.
    pub(super) fn deployed(&self) -> Arc<Deployed> {
        Arc::clone(&self.0.deployed.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// An object by name, letter case ignored.
    pub fn object(&self, name: &str) -> Option<Arc<ObjectDef>> {
        self.deployed().object(name).cloned()
    }

    /// All objects.
    pub fn objects(&self) -> Vec<Arc<ObjectDef>> {
        self.deployed().objects.clone()
    }

    /// The object that a record id belongs to, by its prefix; the first one where several share it.
    pub fn object_of_id(&self, id: &str) -> Option<Arc<ObjectDef>> {
        let prefix = id.get(..3)?;
        self.deployed().objects.iter().find(|object| object.key_prefix == prefix).cloned()
    }

    /// A live row by 15- or 18-character id.
    pub fn row(&self, object: &str, id: &str) -> Option<Arc<Row>> {
        let id = ids::complete(id)?;
        let name = &self.object(object)?.name;
        self.read().table(name)?.live(&id).cloned()
    }

    /// A deleted row by 15- or 18-character id.
    pub fn deleted_row(&self, object: &str, id: &str) -> Option<Arc<Row>> {
        let id = ids::complete(id)?;
        let name = &self.object(object)?.name;
        self.read().table(name)?.deleted(&id).cloned()
    }

    /// All rows of an object in order of their ids. Rows are shared, not copied.
    pub fn rows(&self, object: &str, include_deleted: bool) -> Vec<Arc<Row>> {
        let Some(object) = self.object(object) else { return Vec::new() };
        self.read().table(&object.name).map(|table| table.rows(include_deleted)).unwrap_or_default()
    }

    /// How many live rows an object has.
    pub fn row_count(&self, object: &str) -> usize {
        let Some(object) = self.object(object) else { return 0 };
        self.read().table(&object.name).map_or(0, super::store::Table::len)
    }

    /// Live rows with this value in an indexed field (external ids, unique fields, custom
    /// checkboxes when the value is true); `None` when there is no index.
    pub fn rows_where(&self, object: &str, field: &str, value: &FieldValue) -> Option<Vec<Arc<Row>>> {
        let object = self.object(object)?;
        if *value == FieldValue::Bool(false) || value.is_null() {
            return None;
        }
        let field = object.field(field)?.name.clone();
        match self.read().table(&object.name) {
            Some(table) => table.find(&field, value),
            None => Some(Vec::new()),
        }
    }

    /// The seeded users.
    pub fn users(&self) -> Vec<UserInfo> {
        let deployed = self.deployed();
        let people = &self.read().people;
        let ids = PEOPLE.iter().filter_map(|person| people.get(person.0));
        ids.filter_map(|id| deployed.access.get(id)).map(|(info, _)| info.clone()).collect()
    }

    /// The seeded user with this role.
    pub fn user(&self, role: &str) -> Option<UserContext> {
        let id = self.read().people.get(role)?.clone();
        self.user_by_id(&id)
    }

    /// A user by 15- or 18-character id.
    pub fn user_by_id(&self, id: &str) -> Option<UserContext> {
        let deployed = self.deployed();
        let (info, access) = deployed.access.get(&ids::complete(id)?)?;
        Some(UserContext {
            user_id: info.user_id.clone(),
            username: info.username.clone(),
            role: info.role.clone(),
            access: Arc::clone(access),
        })
    }

    /// A user by username, letter case ignored.
    pub fn user_by_username(&self, username: &str) -> Option<UserContext> {
        let deployed = self.deployed();
        let (info, _) =
            deployed.access.values().find(|(info, _)| info.username.eq_ignore_ascii_case(username))?;
        self.user_by_id(&info.user_id)
    }

    /// Locks or unlocks a record as a pending approval does.
    pub fn lock_record(&self, id: &str, locked: bool) {
        let Some(id) = ids::complete(id) else { return };
        let mut state = self.write_state();
        if locked {
            state.locked.insert(id)
        } else {
            state.locked.remove(&id)
        };
    }

    /// Turns one of the org's own switches: a checkbox of `AI_Gate_Setting__mdt.Default`.
    /// False when the package has no such switch.
    pub fn set_setting(&self, field: &str, on: bool) -> bool {
        let known = deploy::set_setting(self, field, on);
        self.changed();
        known
    }

    /// Makes a seeded user active or not. False for a role that nobody has.
    pub fn set_active(&self, role: &str, on: bool) -> bool {
        let known = deploy::set_active(self, role, on);
        self.changed();
        known
    }

    /// Gives a seeded user the profile and licence of an integration. False for a role that nobody has.
    pub fn make_program(&self, role: &str) -> bool {
        let known = deploy::make_program(self, role);
        self.changed();
        known
    }

    /// Puts the public group AI Reviewers into the queue in place of the queue's own member.
    pub fn fill_queue_with_group(&self) -> bool {
        let known = deploy::fill_queue_with_group(self);
        self.changed();
        known
    }

    /// Writes the state file now, if there is one.
    pub fn save_state(&self) -> Result<(), StateError> {
        match &self.0.saver {
            Some(saver) => saver.write(&self.read()),
            None => Ok(()),
        }
    }

    /// Tells the writer of the state file that something changed.
    pub(super) fn changed(&self) {
        if let Some(saver) = &self.0.saver {
            saver.changed();
        }
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write_state(&self) -> RwLockWriteGuard<'_, State> {
        self.0.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

#[cfg(test)]
#[path = "org_tests.rs"]
mod tests;
