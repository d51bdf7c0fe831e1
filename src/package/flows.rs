//! Flows for objects that the package does not ship: the shipped flows for leads, with other names.
//!
//! The shipped files are the templates, so the two cannot drift apart. They speak of one governed
//! field. Flows that show or take its value know it as a picklist. Flows that ask for the owner
//! are left out where records have none, as below a master.

use std::collections::BTreeMap;

use super::{
    SHIPPED, SOURCE, derive,
    governed::{Compared, Governed, Lane},
};
use crate::salesforce::names::LEAD;

/// Flows that do not care of what type the field is.
const ANY_TYPE: &[&str] = &["Guard", "Human_Change", "Notify", "Outcome", "Pass_On", "Remind"];
/// Flows that take or show its value.
const PICKLIST: &[&str] = &["Decide", "Propose", "Review", "Review_Batch"];

/// The quick action that opens the review screen.
const ACTION: &str = "AI_Review_Proposal.quickAction-meta.xml";

/// The flows and the action, by path below the source folder; none for shipped objects and for several fields.
pub(super) fn files(object: &Governed) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let [lane] = object.lanes.as_slice() else { return files };
    if Governed::find(&object.object).is_some() {
        return files;
    }
    let picklist = PICKLIST.iter().filter(|_| lane.kind == Compared::Picklist);
    for flow in ANY_TYPE.iter().chain(picklist) {
        let shipped = format!("{SOURCE}/flows/AI_Lead_{flow}.flow-meta.xml");
        let Some((_, text)) = SHIPPED.iter().find(|(path, _)| *path == shipped) else { continue };
        let has_owner = object.always_required.iter().any(|required| required.field == "OwnerId");
        if text.contains("OwnerId") && !has_owner {
            continue;
        }
        let path = format!("flows/AI_{}_{flow}.flow-meta.xml", object.stem());
        files.insert(path, renamed(text, object, lane));
    }
    let action = format!("{SOURCE}/quickActions/Lead.{ACTION}");
    let review = format!("flows/AI_{}_Review.flow-meta.xml", object.stem());
    if let (Some((_, text)), true) =
        (SHIPPED.iter().find(|(path, _)| *path == action), files.contains_key(&review))
    {
        let path = format!("quickActions/{}.{ACTION}", object.object);
        files.insert(path, renamed(text, object, lane));
    }
    files
}

/// A lead's flow as another object's. Only text between tags is touched.
fn renamed(text: &str, object: &Governed, lane: &Lane) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('>') {
        let (tag, after) = rest.split_at(start + 1);
        out.push_str(tag);
        let end = after.find('<').unwrap_or(after.len());
        let (inside, next) = after.split_at(end);
        // The status of the flow itself.
        out.push_str(&match tag {
            _ if tag.ends_with("<status>") => inside.to_owned(),
            _ if tag.ends_with("<queriedFields>") || tag.ends_with("<sortField>") => {
                words(&format!(".{inside}"), object, lane)[1..].to_owned()
            }
            _ => words(inside, object, lane),
        });
        rest = next;
    }
    out + rest
}

/// One piece of text, word by word.
fn words(text: &str, object: &Governed, lane: &Lane) -> String {
    if text.trim() == "Lead" {
        return text.replace("Lead", &object.object);
    }
    if text.trim() == "Status" {
        return text.replace("Status", &lane.field);
    }
    let text = text.replace("a lead", &format!("{} lead", object.article));
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    for letter in text.chars().chain(['\0']) {
        if letter.is_ascii_alphanumeric() || letter == '_' {
            word.push(letter);
            continue;
        }
        let field_follows = out.ends_with('.') && !out.ends_with("..");
        out.push_str(&named(&word, field_follows, object, lane));
        word.clear();
        if letter != '\0' {
            out.push(letter);
        }
    }
    out
}

fn named(word: &str, after_a_dot: bool, object: &Governed, lane: &Lane) -> String {
    let lead = LEAD.lanes[0];
    let title = || derive::stem(&object.object).replace('_', " ");
    match word {
        "Status" if after_a_dot => lane.field.clone(),
        "Name" if after_a_dot => object.name_field.to_owned(),
        "Lead" => title(),
        "lead" => object.noun.clone(),
        "leads" => object.plural.to_lowercase(),
        _ if word == lead.proposed => lane.proposed.clone(),
        _ if word == lead.previous => lane.previous.clone(),
        _ if word == LEAD.confidence => object.confidence.clone(),
        _ if word == LEAD.reason => object.reason.clone(),
        _ if word == LEAD.changed_at => object.changed_at.clone(),
        _ if word == LEAD.change_source => object.change_source.clone(),
        "AI_Propose_Lead_Change" => format!("AI_Propose_{}_Change", object.stem()),
        _ if word.starts_with("AI_Lead_") => word.replacen("AI_Lead_", &format!("AI_{}_", object.stem()), 1),
        _ => word.to_owned(),
    }
}
