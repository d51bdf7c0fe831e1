//! The header that every change event starts with.

use crate::salesforce::avro::{DecodeError, Node, NodeId, Reader, RecordNode, Schema};

use super::error::ChangeEventError;

/// What happened to the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeType {
    /// Inserted.
    Create,
    /// Updated.
    Update,
    /// Deleted into the recycle bin.
    Delete,
    /// Brought back.
    Undelete,
    /// Inserted; the event could not be built. Read the records.
    GapCreate,
    /// Updated; the event could not be built. Read the records.
    GapUpdate,
    /// Deleted; the event could not be built.
    GapDelete,
    /// Brought back; the event could not be built. Read the records.
    GapUndelete,
    /// One transaction changed too much. Read the whole object.
    GapOverflow,
    /// In newer schemas; its meaning is not documented.
    Snapshot,
    /// A symbol that this version does not know.
    Unknown,
}

impl ChangeType {
    /// By Salesforce's symbol.
    pub fn from_symbol(symbol: &str) -> Self {
        match symbol {
            "CREATE" => Self::Create,
            "UPDATE" => Self::Update,
            "DELETE" => Self::Delete,
            "UNDELETE" => Self::Undelete,
            "GAP_CREATE" => Self::GapCreate,
            "GAP_UPDATE" => Self::GapUpdate,
            "GAP_DELETE" => Self::GapDelete,
            "GAP_UNDELETE" => Self::GapUndelete,
            "GAP_OVERFLOW" => Self::GapOverflow,
            "SNAPSHOT" => Self::Snapshot,
            _ => Self::Unknown,
        }
    }

    /// Whether the event only says that something happened, without values.
    pub fn is_gap(self) -> bool {
        matches!(
            self,
            Self::GapCreate | Self::GapUpdate | Self::GapDelete | Self::GapUndelete | Self::GapOverflow
        )
    }
}

/// A header, borrowed from payload and schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// Object API name.
    pub entity: &'a str,
    /// 18-character ids; several when one transaction made the same change to several records.
    /// May hold a wildcard such as `001*`, or a dummy on overflow.
    pub record_ids: Vec<&'a str>,
    /// What happened.
    pub change_type: ChangeType,
    /// Salesforce's own symbol for it.
    pub change_symbol: &'a str,
    /// `com/salesforce/api/<api>/<version>;client=<id>`, or empty.
    pub change_origin: &'a str,
    /// Shared by all changes of a transaction.
    pub transaction_key: &'a str,
    /// From 1 within the transaction.
    pub sequence_number: i32,
    /// Epoch milliseconds.
    pub commit_timestamp: i64,
    /// Exceeds 2^53 in newer orgs.
    pub commit_number: i64,
    /// 18-character id of the committing user.
    pub commit_user: &'a str,
    /// Bitmap elements of emptied fields.
    pub nulled_fields: Vec<&'a str>,
    /// Bitmap elements of fields sent as a text diff.
    pub diff_fields: Vec<&'a str>,
    /// Bitmap elements of changed fields; on updates only.
    pub changed_fields: Vec<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Entity,
    RecordIds,
    ChangeType,
    Origin,
    TransactionKey,
    Sequence,
    Timestamp,
    CommitNumber,
    User,
    Nulled,
    Diff,
    Changed,
    /// A field that this version does not know: stepped over.
    Other(NodeId),
}

const KNOWN: [(&str, Slot); 12] = [
    ("entityName", Slot::Entity),
    ("recordIds", Slot::RecordIds),
    ("changeType", Slot::ChangeType),
    ("changeOrigin", Slot::Origin),
    ("transactionKey", Slot::TransactionKey),
    ("sequenceNumber", Slot::Sequence),
    ("commitTimestamp", Slot::Timestamp),
    ("commitNumber", Slot::CommitNumber),
    ("commitUser", Slot::User),
    ("nulledFields", Slot::Nulled),
    ("diffFields", Slot::Diff),
    ("changedFields", Slot::Changed),
];

/// How a schema lays its header out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeaderLayout {
    slots: Vec<Slot>,
    symbols: Vec<(String, ChangeType)>,
}

impl HeaderLayout {
    pub(super) fn of(schema: &Schema, header: &RecordNode) -> Result<Self, ChangeEventError> {
        let mut slots = Vec::with_capacity(header.fields.len());
        let mut symbols = Vec::new();
        for field in &header.fields {
            let known = KNOWN.iter().find(|(name, _)| *name == field.name).map(|(_, slot)| *slot);
            let slot = known.unwrap_or(Slot::Other(field.node));
            let fits = match (slot, schema.node(field.node)) {
                (Slot::Other(_), _) | (Slot::Sequence, Node::Int) => true,
                (Slot::ChangeType, Node::Enum(node)) => {
                    symbols = node.symbols.iter().map(|s| (s.clone(), ChangeType::from_symbol(s))).collect();
                    true
                }
                (Slot::Timestamp | Slot::CommitNumber, Node::Long) => true,
                (Slot::RecordIds | Slot::Nulled | Slot::Diff | Slot::Changed, Node::Array(items)) => {
                    *schema.node(*items) == Node::String
                }
                (Slot::Entity | Slot::Origin | Slot::TransactionKey | Slot::User, Node::String) => true,
                _ => false,
            };
            if !fits {
                return Err(foreign(format!("header field {:?} has an unexpected type", field.name)));
            }
            slots.push(slot);
        }
        match KNOWN.iter().find(|(_, slot)| !slots.contains(slot)) {
            Some((name, _)) => Err(foreign(format!("the header has no field {name:?}"))),
            None => Ok(Self { slots, symbols }),
        }
    }

    pub(super) fn read<'a>(
        &'a self,
        schema: &'a Schema,
        reader: &mut Reader<'a>,
    ) -> Result<Header<'a>, DecodeError> {
        let mut header = Header::empty();
        for slot in &self.slots {
            match *slot {
                Slot::Entity => header.entity = reader.text()?,
                Slot::RecordIds => header.record_ids = texts(reader)?,
                Slot::ChangeType => {
                    let (symbol, kind) = &self.symbols[reader.symbol(self.symbols.len())?];
                    header.change_symbol = symbol;
                    header.change_type = *kind;
                }
                Slot::Origin => header.change_origin = reader.text()?,
                Slot::TransactionKey => header.transaction_key = reader.text()?,
                Slot::Sequence => header.sequence_number = reader.int()?,
                Slot::Timestamp => header.commit_timestamp = reader.long()?,
                Slot::CommitNumber => header.commit_number = reader.long()?,
                Slot::User => header.commit_user = reader.text()?,
                Slot::Nulled => header.nulled_fields = texts(reader)?,
                Slot::Diff => header.diff_fields = texts(reader)?,
                Slot::Changed => header.changed_fields = texts(reader)?,
                Slot::Other(node) => reader.skip(schema, node)?,
            }
        }
        Ok(header)
    }
}

impl Header<'_> {
    fn empty() -> Self {
        Header {
            entity: "",
            record_ids: Vec::new(),
            change_type: ChangeType::Unknown,
            change_symbol: "",
            change_origin: "",
            transaction_key: "",
            sequence_number: 0,
            commit_timestamp: 0,
            commit_number: 0,
            commit_user: "",
            nulled_fields: Vec::new(),
            diff_fields: Vec::new(),
            changed_fields: Vec::new(),
        }
    }

    /// The client id in the origin: who wrote over the API, in its own words.
    pub fn client(&self) -> Option<&str> {
        self.change_origin
            .split_once(";client=")
            .map(|(_, client)| client)
            .filter(|client| !client.is_empty())
    }
}

fn texts<'a>(reader: &mut Reader<'a>) -> Result<Vec<&'a str>, DecodeError> {
    let mut texts = Vec::new();
    reader.blocks(|reader| {
        texts.push(reader.text()?);
        Ok(())
    })?;
    Ok(texts)
}

fn foreign(what: String) -> ChangeEventError {
    ChangeEventError::NotAChangeEvent(what)
}
