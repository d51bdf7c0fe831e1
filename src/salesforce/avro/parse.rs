//! Avro JSON to nodes.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::{
    error::SchemaError,
    schema::{EnumNode, FieldNode, Node, NodeId, RecordNode},
};

/// A type may not be nested deeper than this in a schema's JSON.
const MAX_DEPTH: usize = 32;

pub(super) fn parse(json: &Json) -> Result<(Vec<Node>, NodeId), SchemaError> {
    let mut parser =
        Parser { nodes: PRIMITIVES.map(|(_, node)| node.clone()).to_vec(), names: BTreeMap::new() };
    let root = parser.node(json, "", 0)?;
    Ok((parser.nodes, root))
}

/// The first nodes of every schema.
const PRIMITIVES: [(&str, &Node); 8] = [
    ("null", &Node::Null),
    ("boolean", &Node::Boolean),
    ("int", &Node::Int),
    ("long", &Node::Long),
    ("float", &Node::Float),
    ("double", &Node::Double),
    ("bytes", &Node::Bytes),
    ("string", &Node::String),
];

fn primitive(name: &str) -> Option<NodeId> {
    PRIMITIVES.iter().position(|(primitive, _)| *primitive == name).map(NodeId)
}

struct Parser {
    nodes: Vec<Node>,
    names: BTreeMap<String, NodeId>,
}

impl Parser {
    fn node(&mut self, json: &Json, namespace: &str, depth: usize) -> Result<NodeId, SchemaError> {
        if depth > MAX_DEPTH {
            return Err(shape("types are nested too deep"));
        }
        match json {
            Json::String(name) => self.reference(name, namespace),
            Json::Array(branches) => self.union(branches, namespace, depth),
            Json::Object(object) => self.object(object, namespace, depth),
            other => Err(shape(format!("expected a type, found {other}"))),
        }
    }

    fn reference(&self, name: &str, namespace: &str) -> Result<NodeId, SchemaError> {
        if let Some(id) = primitive(name) {
            return Ok(id);
        }
        if matches!(name, "map" | "fixed") {
            return Err(SchemaError::Unsupported(name.to_owned()));
        }
        let full = full_name(name, namespace)?;
        self.names.get(&full).copied().ok_or_else(|| shape(format!("{full:?} is not defined before its use")))
    }

    fn union(&mut self, branches: &[Json], namespace: &str, depth: usize) -> Result<NodeId, SchemaError> {
        let mut ids = Vec::with_capacity(branches.len());
        for branch in branches {
            let id = self.node(branch, namespace, depth + 1)?;
            let second_array = |other: &NodeId| {
                matches!((&self.nodes[other.0], &self.nodes[id.0]), (Node::Array(_), Node::Array(_)))
            };
            if matches!(self.nodes[id.0], Node::Union(_)) {
                return Err(shape("a union stands directly in a union"));
            }
            if ids.iter().any(|other| *other == id || second_array(other)) {
                return Err(shape("a union names a type twice"));
            }
            ids.push(id);
        }
        if ids.is_empty() {
            return Err(shape("a union without branches"));
        }
        Ok(self.push(Node::Union(ids)))
    }

    fn object(
        &mut self,
        object: &Map<String, Json>,
        namespace: &str,
        depth: usize,
    ) -> Result<NodeId, SchemaError> {
        let kind = object.get("type").ok_or_else(|| shape("a type without \"type\""))?;
        match kind.as_str() {
            Some("record") => self.record(object, namespace, depth),
            Some("enum") => self.enumeration(object, namespace),
            Some("array") => {
                let items = object.get("items").ok_or_else(|| shape("an array without \"items\""))?;
                let items = self.node(items, namespace, depth + 1)?;
                Ok(self.push(Node::Array(items)))
            }
            _ => self.node(kind, namespace, depth + 1),
        }
    }

    fn record(
        &mut self,
        object: &Map<String, Json>,
        namespace: &str,
        depth: usize,
    ) -> Result<NodeId, SchemaError> {
        let (name, namespace) = declared_name(object, namespace)?;
        // Declared before its fields are read, since they may refer to it.
        let id = self.define(&name, Node::Record(RecordNode { name: name.clone(), fields: Vec::new() }))?;
        let listed = object.get("fields").and_then(Json::as_array);
        let listed = listed.ok_or_else(|| shape(format!("record {name:?} without \"fields\"")))?;
        let mut fields: Vec<FieldNode> = Vec::with_capacity(listed.len());
        for field in listed {
            let field_name = field.get("name").and_then(Json::as_str).filter(|name| is_name(name));
            let field_name =
                field_name.ok_or_else(|| shape(format!("a field of {name:?} without a valid name")))?;
            if fields.iter().any(|other| other.name == field_name) {
                return Err(shape(format!("{name:?} has two fields {field_name:?}")));
            }
            let kind =
                field.get("type").ok_or_else(|| shape(format!("field {field_name:?} without \"type\"")))?;
            fields.push(FieldNode {
                name: field_name.to_owned(),
                doc: field.get("doc").and_then(Json::as_str).map(str::to_owned),
                node: self.node(kind, &namespace, depth + 1)?,
            });
        }
        self.nodes[id.0] = Node::Record(RecordNode { name, fields });
        Ok(id)
    }

    fn enumeration(&mut self, object: &Map<String, Json>, namespace: &str) -> Result<NodeId, SchemaError> {
        let (name, _) = declared_name(object, namespace)?;
        let listed = object.get("symbols").and_then(Json::as_array);
        let listed = listed.ok_or_else(|| shape(format!("enum {name:?} without \"symbols\"")))?;
        let mut symbols: Vec<String> = Vec::with_capacity(listed.len());
        for symbol in listed {
            let symbol = symbol.as_str().filter(|symbol| is_name(symbol));
            let symbol = symbol.ok_or_else(|| shape(format!("an invalid symbol in enum {name:?}")))?;
            if symbols.iter().any(|other| other == symbol) {
                return Err(shape(format!("enum {name:?} names {symbol:?} twice")));
            }
            symbols.push(symbol.to_owned());
        }
        self.define(&name, Node::Enum(EnumNode { name: name.clone(), symbols }))
    }

    fn define(&mut self, name: &str, node: Node) -> Result<NodeId, SchemaError> {
        if self.names.contains_key(name) {
            return Err(shape(format!("{name:?} is defined twice")));
        }
        let id = self.push(node);
        self.names.insert(name.to_owned(), id);
        Ok(id)
    }

    fn push(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() - 1)
    }
}

/// The full name of a declared type, and the namespace that holds inside it.
fn declared_name(object: &Map<String, Json>, outer: &str) -> Result<(String, String), SchemaError> {
    let name =
        object.get("name").and_then(Json::as_str).ok_or_else(|| shape("a named type without \"name\""))?;
    let namespace = object.get("namespace").and_then(Json::as_str).unwrap_or(outer);
    let full = full_name(name, namespace)?;
    let inner = full.rsplit_once('.').map_or("", |(namespace, _)| namespace).to_owned();
    Ok((full, inner))
}

fn full_name(name: &str, namespace: &str) -> Result<String, SchemaError> {
    let full = match name.contains('.') || namespace.is_empty() {
        true => name.to_owned(),
        false => format!("{namespace}.{name}"),
    };
    if full.split('.').all(is_name) && primitive(&full).is_none() {
        Ok(full)
    } else {
        Err(shape(format!("{full:?} is not a valid name")))
    }
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn shape(what: impl Into<String>) -> SchemaError {
    SchemaError::Shape(what.into())
}
