//! One metadata file as a tree, and reading it without overlooking anything.

use roxmltree::{Document, Node};
use serde::{Deserialize, Serialize};

use super::Problem;

/// The namespace of all metadata files.
pub(super) const NAMESPACE: &str = "http://soap.sforce.com/2006/04/metadata";
/// The namespace of `xsi:type`.
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// What `value_type` is for an element with `xsi:nil`.
pub(super) const NIL: &str = "xsi:nil";

/// An element.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Element {
    /// Name without namespace.
    pub name: String,
    /// Text; of an element with children what stands between them, if it is not blank.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// `xsi:type` where given, or `xsi:nil`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_type: Option<String>,
    /// Child elements in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Element>,
    /// Line and column, from 1, behind the element, or behind its start tag when it has
    /// children. A recorded deploy counts so.
    pub place: (u32, u32),
}

impl Element {
    /// Reads a file whose root element must be `kind`; an error in words.
    pub fn read(text: &str, kind: &str) -> Result<Self, String> {
        read(text, kind)
    }

    /// Reads XML of any kind, such as a request; an error in words.
    pub fn read_any(text: &str) -> Result<Self, String> {
        read_any(text)
    }

    /// Whether both say the same, wherever they stand in their files.
    pub fn says_same(&self, other: &Self) -> bool {
        self.name == other.name
            && self.text == other.text
            && self.value_type == other.value_type
            && self.children.len() == other.children.len()
            && self.children.iter().zip(&other.children).all(|(one, other)| one.says_same(other))
    }

    /// The children of one name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child of that name.
    pub fn first(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of that name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.first(name).map(|child| child.text.as_str())
    }
}

/// Reads XML of any kind, such as a request.
fn read_any(text: &str) -> Result<Element, String> {
    let document = Document::parse(text).map_err(|error| format!("Error parsing file: {error}"))?;
    Ok(element(document.root_element(), &Lines::of(text)))
}

/// Reads one file whose root element must be `kind`.
pub(super) fn read(text: &str, kind: &str) -> Result<Element, String> {
    let document = Document::parse(text).map_err(|error| format!("Error parsing file: {error}"))?;
    let root = document.root_element();
    if root.tag_name().namespace() != Some(NAMESPACE) {
        return Err(format!("The root element is not in the namespace {NAMESPACE}"));
    }
    if root.tag_name().name() != kind {
        return Err(format!("Element {} invalid at this location, expected {kind}", root.tag_name().name()));
    }
    Ok(element(root, &Lines::of(text)))
}

/// Where lines begin, to turn an offset into line and column.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let after_breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(after_breaks).collect())
    }

    fn place(&self, offset: usize) -> (u32, u32) {
        let line = self.0.partition_point(|start| *start <= offset);
        let start = self.0.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        (number(line), number(offset - start + 1))
    }
}

fn element(node: Node<'_, '_>, lines: &Lines) -> Element {
    let children: Vec<Element> =
        node.children().filter(Node::is_element).map(|child| element(child, lines)).collect();
    let mut text: String = node.children().filter(Node::is_text).filter_map(|part| part.text()).collect();
    let range = node.range();
    let mut end = range.end;
    if !children.is_empty() {
        if text.trim().is_empty() {
            text.clear();
        }
        let tag = node.document().input_text().get(range.clone()).and_then(|inside| inside.find('>'));
        end = range.start + tag.map_or(0, |at| at + 1);
    }
    let nil = matches!(node.attribute((INSTANCE, "nil")), Some("true" | "1")).then_some(NIL);
    Element {
        name: node.tag_name().name().to_owned(),
        text,
        value_type: nil.or_else(|| node.attribute((INSTANCE, "type"))).map(str::to_owned),
        children,
        place: lines.place(end),
    }
}

/// A component while it is being deployed. Problems are collected, not thrown, so that
/// one run shows them all.
#[derive(Debug)]
pub(in crate::simulator) struct Draft {
    /// `CustomField`
    pub(in crate::simulator) kind: &'static str,
    /// `Lead.AI_Decision__c`
    pub(in crate::simulator) name: String,
    /// Path inside the package.
    pub(in crate::simulator) file: String,
    /// What was found wrong.
    pub(in crate::simulator) problems: Vec<Problem>,
}

impl Draft {
    /// Adds a problem.
    pub(in crate::simulator) fn wrong(&mut self, message: impl Into<String>) {
        self.problems.push(Problem {
            component: format!("{} {}", self.kind, self.name),
            file: self.file.clone(),
            place: None,
            message: message.into(),
        });
    }

    /// Adds a problem at a place in the file.
    pub(in crate::simulator) fn wrong_at(&mut self, place: (u32, u32), message: impl Into<String>) {
        self.wrong(message);
        if let Some(problem) = self.problems.last_mut() {
            problem.place = Some(place);
        }
    }

    /// A text that must be there and not be empty.
    pub(in crate::simulator) fn required(&mut self, parent: &Element, name: &str) -> String {
        match parent.text(name) {
            Some(text) if !text.trim().is_empty() => text.to_owned(),
            _ => {
                self.wrong(format!("Required field is missing: {name}"));
                String::new()
            }
        }
    }

    /// A label: there, and at most 40 characters.
    pub(in crate::simulator) fn label(&mut self, parent: &Element, name: &str) -> String {
        let label = self.required(parent, name);
        if label.chars().count() > 40 {
            self.wrong(format!("{name}: data value too large: {label} (max length=40)"));
        }
        label
    }

    /// A text of limited length; empty when missing.
    pub(in crate::simulator) fn limited(&mut self, parent: &Element, name: &str, length: usize) -> String {
        let text = parent.text(name).unwrap_or("").to_owned();
        if text.chars().count() > length {
            self.wrong(format!("{name}: data value too large (max length={length})"));
        }
        text
    }

    /// `true` or `false`; false when missing.
    pub(in crate::simulator) fn flag(&mut self, parent: &Element, name: &str) -> bool {
        match parent.text(name) {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                self.wrong(format!("'{other}' is not a valid value for the type xsd:boolean in {name}"));
                false
            }
        }
    }

    /// A whole number in a range; the lower end when it is missing or wrong.
    pub(in crate::simulator) fn number(
        &mut self,
        parent: &Element,
        name: &str,
        range: std::ops::RangeInclusive<u32>,
    ) -> u32 {
        let text = self.required(parent, name);
        match text.parse() {
            Ok(number) if range.contains(&number) => number,
            _ if text.is_empty() => *range.start(),
            _ => {
                self.wrong(format!("{name} must be from {} to {}, found {text}", range.start(), range.end()));
                *range.start()
            }
        }
    }

    /// One of a fixed set of words, when it is given.
    pub(in crate::simulator) fn word(&mut self, parent: &Element, name: &str, words: &[&str]) {
        if let Some(text) = parent.text(name)
            && !words.contains(&text)
        {
            self.wrong(format!("'{text}' is not a valid value for the enum of {name}"));
        }
    }

    /// API names: letters, digits and single underscores, from a letter on.
    pub(in crate::simulator) fn api_name(&mut self, name: &str) {
        let bare = ["__c", "__mdt", "__chn"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        let letters = bare.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        let start = bare.starts_with(|letter: char| letter.is_ascii_alphabetic());
        if !letters || !start || bare.ends_with('_') || bare.contains("__") || bare.len() > 40 {
            self.wrong(format!(
                "The name {name} can only contain letters, digits and single underscores, must begin with a \
                 letter, not end with an underscore, and have at most 40 characters"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        Draft { kind: "CustomField", name: "Lead.X__c".into(), file: "x".into(), problems: Vec::new() }
    }

    fn tree(body: &str) -> Element {
        read(&format!("<CustomField xmlns=\"{NAMESPACE}\">{body}</CustomField>"), "CustomField").unwrap()
    }

    #[test]
    fn what_is_not_metadata_is_refused() {
        for text in ["<CustomField/>", "<a", "", "<!DOCTYPE x [<!ENTITY a \"b\">]><CustomField/>"] {
            assert!(read(text, "CustomField").is_err(), "{text}");
        }
        assert!(read(&format!("<Flow xmlns=\"{NAMESPACE}\"/>"), "CustomField").unwrap_err().contains("Flow"));
    }

    #[test]
    fn values_are_checked() {
        let mut component = draft();
        let tree = tree("<required>yes</required><length>300</length><label>a&amp;b</label>");
        assert!(!component.flag(&tree, "required"));
        assert_eq!(component.number(&tree, "length", 1..=255), 1);
        assert_eq!(component.label(&tree, "label"), "a&b");
        assert_eq!(component.required(&tree, "type"), "");
        assert_eq!(component.problems.len(), 3);
    }

    #[test]
    fn names_follow_the_rules() {
        for (name, fine) in [
            ("AI_Decision__c", true),
            ("AI__X__c", false),
            ("1x", false),
            ("a_", false),
            ("a-b", false),
            ("A", true),
        ] {
            let mut component = draft();
            component.api_name(name);
            assert_eq!(component.problems.is_empty(), fine, "{name}");
        }
    }
}
