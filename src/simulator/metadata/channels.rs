//! Change-event channels and their members.

use super::{
    super::pubsub,
    ChannelDef, ChannelMemberDef, Package,
    xml::{Draft, Element},
};

/// A custom channel for change events.
pub(super) fn channel(at: &mut Draft, root: &Element) -> ChannelDef {
    at.word(root, "channelType", &["data"]);
    let name = at.name.clone();
    at.api_name(&name);
    if !name.ends_with("__chn") {
        at.wrong("The name of a channel ends in __chn");
    }
    ChannelDef { name, label: at.label(root, "label") }
}

/// One entity on a channel.
pub(super) fn member(at: &mut Draft, root: &Element, package: &Package) -> ChannelMemberDef {
    let full_name = at.name.clone();
    at.api_name(&full_name);
    let channel = at.required(root, "eventChannel");
    if channel != "ChangeEvents" && !package.channels.iter().any(|known| known.name == channel) {
        at.wrong(format!("no PlatformEventChannel named {channel} found"));
    }
    let entity = at.required(root, "selectedEntity");
    let object = object_of(&entity);
    if !object.as_deref().is_some_and(|object| package.has_object(object)) {
        at.wrong(format!("The entity {entity} is not a change event"));
    }
    let object = object.unwrap_or_default();
    let mut enriched = Vec::new();
    for entry in root.all("enrichedFields") {
        let name = at.required(entry, "name");
        if package.find_field(&object, &name).is_none() {
            at.wrong(format!("The enriched field {name} does not exist on {object}"));
        }
        enriched.push(name);
    }
    if enriched.len() > 10 {
        at.wrong("A channel member has at most 10 enriched fields");
    }
    let filter = root.text("filterExpression").map(str::to_owned);
    if let Some(problem) = filter.as_deref().and_then(pubsub::filter_problem) {
        at.wrong(problem);
    }
    for name in filter.iter().flat_map(|filter| custom_fields(filter)) {
        if package.find_field(&object, &name).is_none() {
            at.wrong(format!("The filter names {name}, which does not exist on {object}"));
        }
    }
    ChannelMemberDef { full_name, channel, entity, filter, enriched }
}

/// `Lead` of `LeadChangeEvent`, `Thing__c` of `Thing__ChangeEvent`.
fn object_of(entity: &str) -> Option<String> {
    let custom = entity.strip_suffix("__ChangeEvent").map(|bare| format!("{bare}__c"));
    custom.or_else(|| entity.strip_suffix("ChangeEvent").map(str::to_owned))
}

/// Custom fields that a filter names outside of quotes. The filter's grammar is the
/// event bus's business.
fn custom_fields(filter: &str) -> Vec<String> {
    filter
        .split('\'')
        .step_by(2)
        .flat_map(|part| part.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_'))
        .filter(|word| word.ends_with("__c"))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_filter() {
        assert_eq!(custom_fields("A__c = true OR (X.Y LIKE '%B__c%' AND C__c='')"), ["A__c", "C__c"]);
        assert_eq!(object_of("Thing__ChangeEvent").as_deref(), Some("Thing__c"));
        assert_eq!(object_of("LeadChangeEvent").as_deref(), Some("Lead"));
        assert_eq!(object_of("Lead"), None);
    }
}
