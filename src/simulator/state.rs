//! Everything that changes in an org, and its file.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::Path,
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    bus::{Bus, PendingChange},
    flow::{Later, Notification},
    ids::{self, IdMaker},
    metadata::Stored,
    model::{ObjectDef, Row},
    sessions::{OAuthApp, Sessions},
    store::Table,
};

/// The format of the state file. A file of another version is refused.
const VERSION: u32 = 1;

/// What a state file holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct State {
    version: u32,
    pub(super) org_id: String,
    pub(super) tables: BTreeMap<String, Table>,
    pub(super) ids: IdMaker,
    pub(super) bus: Bus,
    pub(super) sessions: Sessions,
    pub(super) oauth: OAuthApp,
    /// Role to user id.
    pub(super) people: BTreeMap<String, String>,
    /// Records locked by an approval.
    pub(super) locked: BTreeSet<String>,
    /// What a deploy left in the org, once there was one.
    #[serde(default)]
    pub(super) deployed: Option<Vec<Stored>>,
    /// Ids of components, `Kind FullName` to id: they stay when others come and go.
    #[serde(default)]
    pub(super) component_ids: BTreeMap<String, String>,
    /// When components were changed last, by `Kind FullName`, and how often.
    #[serde(default)]
    pub(super) component_changes: BTreeMap<String, ComponentChange>,
    /// Custom notifications that were sent, oldest first.
    #[serde(default)]
    pub(super) notifications: Vec<Notification>,
    /// Paths of flows that wait for their time.
    #[serde(default)]
    pub(super) scheduled: Vec<Later>,
}

/// The last change of a component by a deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ComponentChange {
    /// When.
    pub(super) at: Timestamp,
    /// 0 as it was first deployed.
    pub(super) version: u64,
}

/// A state file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file cannot be read or written.
    #[error("state file {path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no state file.
    #[error("state file {path} cannot be read: {source}; move it away to start with a fresh org")]
    Parse {
        /// The file.
        path: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The file was written by another version.
    #[error(
        "state file {path} has version {found}, expected {VERSION}; move it away to start with a fresh org"
    )]
    Version {
        /// The file.
        path: String,
        /// Its version.
        found: u32,
    },
}

impl StateError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "state-file-unreadable",
            Self::Parse { .. } => "state-file-malformed",
            Self::Version { .. } => "state-file-version",
        }
    }
}

impl State {
    pub(super) fn new(org_id: String, oauth: OAuthApp) -> Self {
        Self {
            version: VERSION,
            org_id,
            tables: BTreeMap::new(),
            ids: IdMaker::default(),
            bus: Bus::default(),
            sessions: Sessions::default(),
            oauth,
            people: BTreeMap::new(),
            locked: BTreeSet::new(),
            deployed: None,
            component_ids: BTreeMap::new(),
            component_changes: BTreeMap::new(),
            notifications: Vec::new(),
            scheduled: Vec::new(),
        }
    }

    /// The state in the file; `None` when there is no file yet.
    pub(super) fn load(path: &Path) -> Result<Option<Self>, StateError> {
        let shown = || path.display().to_string();
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StateError::Io { path: shown(), source }),
        };
        let state: Self =
            serde_json::from_slice(&bytes).map_err(|source| StateError::Parse { path: shown(), source })?;
        if state.version != VERSION {
            return Err(StateError::Version { path: shown(), found: state.version });
        }
        Ok(Some(state))
    }

    /// Replaces the file as a whole: a crash leaves the old file or the new one.
    pub(super) fn save(&self, path: &Path) -> Result<(), StateError> {
        let failed = |source| StateError::Io { path: path.display().to_string(), source };
        let text = serde_json::to_vec(self)
            .map_err(|source| StateError::Parse { path: path.display().to_string(), source })?;
        let aside = path.with_extension("tmp");
        let mut file = fs::File::create(&aside).map_err(failed)?;
        file.write_all(&text).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        fs::rename(&aside, path).map_err(failed)
    }

    /// The 18-character id of a component, made at first sight.
    pub(super) fn component_id(&mut self, kind: &str, prefix: &str, full_name: &str) -> String {
        let key = format!("{kind} {full_name}");
        if let Some(id) = self.component_ids.get(&key) {
            return id.clone();
        }
        let taken = self.component_ids.values().filter(|id| id.starts_with(prefix)).count();
        let id = ids::nth(prefix, u64::try_from(taken).unwrap_or(u64::MAX) + 1);
        self.component_ids.insert(key, id.clone());
        id
    }

    pub(super) fn table(&self, object: &str) -> Option<&Table> {
        self.tables.get(object)
    }

    /// The table of an object, made on first use.
    pub(super) fn table_mut(&mut self, object: &ObjectDef) -> &mut Table {
        if !self.tables.contains_key(&object.name) {
            let mut table = Table::default();
            table.index(object);
            self.tables.insert(object.name.clone(), table);
        }
        self.tables.get_mut(&object.name).expect("the table was made above")
    }

    /// Adds a row that nobody sends, such as a user or a history entry. Journaled when it
    /// belongs to a write.
    pub(super) fn insert_system(&mut self, object: &ObjectDef, mut row: Row) -> String {
        let id = match row.get("Id").and_then(crate::domain::FieldValue::as_text) {
            Some(id) => id.to_owned(),
            None => self.ids.next(&object.key_prefix),
        };
        row.insert("Id".to_owned(), crate::domain::FieldValue::text(id.clone()));
        row.retain(|_, value| !value.is_null());
        self.table_mut(object).put(&id, Some(Arc::new(row)), None);
        id
    }

    /// Takes back what a journal recorded, newest first.
    pub(super) fn undo(&mut self, journal: &mut Journal, mark: JournalMark) {
        while journal.undo.len() > mark.undo {
            let Some(entry) = journal.undo.pop() else { break };
            if let Some(table) = self.tables.get_mut(&entry.object) {
                table.put(&entry.id, entry.live, entry.deleted);
            }
        }
        journal.changes.truncate(mark.changes);
        journal.effects.truncate(mark.effects);
    }
}

/// A row as it was before a write touched it.
#[derive(Debug)]
pub(super) struct Before {
    pub(super) object: String,
    pub(super) id: String,
    pub(super) live: Option<Arc<Row>>,
    pub(super) deleted: Option<Arc<Row>>,
}

/// What an open transaction has done so far.
#[derive(Debug, Default)]
pub(super) struct Journal {
    pub(super) undo: Vec<Before>,
    pub(super) changes: Vec<PendingChange>,
    pub(super) effects: Vec<Effect>,
}

/// What a transaction does beside its rows, once it commits.
#[derive(Debug)]
pub(super) enum Effect {
    Notify(Notification),
    Later(Later),
    /// The record no longer meets the flow's entry condition.
    Cancel {
        flow: String,
        record_id: String,
    },
}

/// A point that a journal can be taken back to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct JournalMark {
    undo: usize,
    changes: usize,
    effects: usize,
}

impl Journal {
    pub(super) fn mark(&self) -> JournalMark {
        JournalMark { undo: self.undo.len(), changes: self.changes.len(), effects: self.effects.len() }
    }
}
