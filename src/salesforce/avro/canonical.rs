//! Parsing Canonical Form and the schema id that Salesforce derives from it.
//!
//! Docs, defaults and aliases do not count: changing only those keeps the id.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use md5::{Digest as _, Md5};

use super::schema::{Node, NodeId};

/// Base64url without padding over MD5: 22 characters.
pub(super) fn schema_id(canonical: &str) -> String {
    URL_SAFE_NO_PAD.encode(Md5::digest(canonical.as_bytes()))
}

pub(super) fn canonical_form(nodes: &[Node], root: NodeId) -> String {
    let mut writer = Writer { nodes, defined: vec![false; nodes.len()], out: String::new() };
    writer.node(root);
    writer.out
}

struct Writer<'a> {
    nodes: &'a [Node],
    defined: Vec<bool>,
    out: String,
}

impl Writer<'_> {
    fn node(&mut self, id: NodeId) {
        match &self.nodes[id.0] {
            Node::Null => self.out.push_str("\"null\""),
            Node::Boolean => self.out.push_str("\"boolean\""),
            Node::Int => self.out.push_str("\"int\""),
            Node::Long => self.out.push_str("\"long\""),
            Node::Float => self.out.push_str("\"float\""),
            Node::Double => self.out.push_str("\"double\""),
            Node::Bytes => self.out.push_str("\"bytes\""),
            Node::String => self.out.push_str("\"string\""),
            Node::Array(items) => {
                self.out.push_str("{\"type\":\"array\",\"items\":");
                self.node(*items);
                self.out.push('}');
            }
            Node::Union(branches) => {
                self.out.push('[');
                self.list(branches, |writer, branch| writer.node(*branch));
                self.out.push(']');
            }
            Node::Enum(node) => self.named(id, &node.name, "enum", |writer| {
                writer.out.push_str("\"symbols\":[");
                writer.list(&node.symbols, |writer, symbol| writer.quoted(symbol));
                writer.out.push(']');
            }),
            Node::Record(node) => self.named(id, &node.name, "record", |writer| {
                writer.out.push_str("\"fields\":[");
                writer.list(&node.fields, |writer, field| {
                    writer.out.push_str("{\"name\":");
                    writer.quoted(&field.name);
                    writer.out.push_str(",\"type\":");
                    writer.node(field.node);
                    writer.out.push('}');
                });
                writer.out.push(']');
            }),
        }
    }

    /// A named type is written out at its first use; later uses are its full name.
    fn named(&mut self, id: NodeId, name: &str, kind: &str, body: impl FnOnce(&mut Self)) {
        if std::mem::replace(&mut self.defined[id.0], true) {
            self.quoted(name);
            return;
        }
        self.out.push_str("{\"name\":");
        self.quoted(name);
        self.out.push_str(",\"type\":\"");
        self.out.push_str(kind);
        self.out.push_str("\",");
        body(self);
        self.out.push('}');
    }

    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            write(self, item);
        }
    }

    /// Names hold letters, digits, `_` and `.` only, so nothing needs escaping.
    fn quoted(&mut self, name: &str) {
        self.out.push('"');
        self.out.push_str(name);
        self.out.push('"');
    }
}
