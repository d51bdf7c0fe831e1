//! A parsed schema: nodes in one list, references by index.

use serde_json::Value as Json;

use super::{canonical, error::SchemaError, parse};

/// Index of a node in its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(pub(super) usize);

/// One type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// No bytes.
    Null,
    /// One byte.
    Boolean,
    /// 32 bits, zigzag.
    Int,
    /// 64 bits, zigzag.
    Long,
    /// Four bytes.
    Float,
    /// Eight bytes.
    Double,
    /// Length and bytes.
    Bytes,
    /// Length and UTF-8.
    String,
    /// Blocks of items.
    Array(NodeId),
    /// Branch number and value.
    Union(Vec<NodeId>),
    /// Symbol number.
    Enum(EnumNode),
    /// Fields in order.
    Record(RecordNode),
}

/// An enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumNode {
    /// Full name.
    pub name: String,
    /// Symbols in order.
    pub symbols: Vec<String>,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordNode {
    /// Full name, with namespace.
    pub name: String,
    /// Fields in order.
    pub fields: Vec<FieldNode>,
}

impl RecordNode {
    /// The name without its namespace.
    pub fn short_name(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or(&self.name)
    }
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldNode {
    /// Name.
    pub name: String,
    /// Salesforce puts the field's kind here: `Data:Text:00N..`.
    pub doc: Option<String>,
    /// Type.
    pub node: NodeId,
}

/// A whole schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    pub(super) nodes: Vec<Node>,
    pub(super) root: NodeId,
    pub(super) id: String,
}

impl Schema {
    /// Reads Avro JSON.
    pub fn parse(text: &str) -> Result<Self, SchemaError> {
        let json: Json = serde_json::from_str(text).map_err(|error| SchemaError::Json(error.to_string()))?;
        let (nodes, root) = parse::parse(&json)?;
        let id = canonical::schema_id(&canonical::canonical_form(&nodes, root));
        Ok(Self { nodes, root, id })
    }

    /// The outermost type.
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// The type at an index of this schema.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// The outermost record, when it is one.
    pub fn record(&self) -> Option<&RecordNode> {
        match self.node(self.root) {
            Node::Record(record) => Some(record),
            _ => None,
        }
    }

    /// Salesforce's id of the schema: MD5 of the canonical form, base64url without padding.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Avro's Parsing Canonical Form.
    pub fn canonical_form(&self) -> String {
        canonical::canonical_form(&self.nodes, self.root)
    }
}
