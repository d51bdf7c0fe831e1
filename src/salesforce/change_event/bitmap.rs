//! Bitmap elements to field names.
//!
//! `0x..` maps the event's own top-level fields, `<position>-0x..` the components of one
//! compound field. Bit 0 is the lowest bit of the last hex digit and stands for position 0,
//! the header. An event may carry nested elements only.

use super::{decoder::EventField, error::ChangeEventError};

/// Longer bitmaps than any object has fields.
const MAX_HEX: usize = 1_024;

/// Field names, top-level ones first, components as `Parent.Component`. Bits beyond the
/// schema are ignored. A parent is named beside its components only when its own bit is set.
pub(super) fn names(
    fields: &[EventField],
    list: &'static str,
    elements: &[&str],
) -> Result<Vec<String>, ChangeEventError> {
    let mut top = Vec::new();
    let mut nested = Vec::new();
    for element in elements {
        let wrong = || ChangeEventError::Bitmap { list, element: element.chars().take(60).collect() };
        match element.split_once('-') {
            None => top.extend(bits(element).ok_or_else(wrong)?.into_iter().map(|bit| (bit, None))),
            Some((position, map)) => {
                let position: usize = position.parse().map_err(|_| wrong())?;
                let components = bits(map).ok_or_else(wrong)?;
                nested.extend(components.into_iter().map(|bit| (position, Some(bit))));
            }
        }
    }
    let all = top.into_iter().chain(nested);
    Ok(all.filter_map(|(position, component)| name(fields, position, component)).collect())
}

fn name(fields: &[EventField], position: usize, component: Option<usize>) -> Option<String> {
    let field = fields.get(position)?;
    match component {
        None => Some(field.name.clone()),
        Some(component) => Some(format!("{}.{}", field.name, field.components.get(component)?.name)),
    }
}

fn bits(text: &str) -> Option<Vec<usize>> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    if hex.is_empty() || hex.len() > MAX_HEX {
        return None;
    }
    let mut found = Vec::new();
    for (place, digit) in hex.bytes().rev().enumerate() {
        let digit = char::from(digit).to_digit(16)?;
        found.extend((0..4).filter(|bit| digit >> bit & 1 == 1).map(|bit| place * 4 + bit));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salesforce::change_event::decoder::FieldKind;

    fn field(name: &str, components: &[&str]) -> EventField {
        let components = components.iter().map(|name| field(name, &[])).collect();
        EventField { name: name.to_owned(), kind: FieldKind::Plain, components }
    }

    fn fields() -> Vec<EventField> {
        let mut fields: Vec<EventField> = (0..130).map(|n| field(&format!("F{n}"), &[])).collect();
        fields[6] = field("ShippingAddress", &["Street", "City", "C2", "C3", "C4", "C5", "C6", "Lat", "Lon"]);
        fields
    }

    fn read(elements: &[&str]) -> Vec<String> {
        names(&fields(), "changedFields", elements).unwrap()
    }

    #[test]
    fn the_lowest_bit_is_position_zero() {
        assert_eq!(read(&["0x800002"]), ["F1", "F23"]);
        assert_eq!(read(&["0x100000000000800000"]), ["F23", "F68"]);
        assert_eq!(read(&["0x0400000000000000"]), ["F58"]);
        assert_eq!(read(&["0x200000000000000000000000000000000"]), ["F129"]);
    }

    #[test]
    fn nested_elements_stand_alone_or_beside_the_parent() {
        assert_eq!(read(&["6-0x0180"]), ["ShippingAddress.Lat", "ShippingAddress.Lon"]);
        assert_eq!(read(&["0x800000", "6-0x01"]), ["F23", "ShippingAddress.Street"]);
        let both = read(&["0x800040", "6-0x01"]);
        assert_eq!(both, ["ShippingAddress", "F23", "ShippingAddress.Street"]);
    }

    #[test]
    fn bits_beyond_the_schema_are_ignored() {
        let beyond = format!("0x1{}", "0".repeat(60));
        assert_eq!(read(&[&beyond]), Vec::<String>::new());
        assert_eq!(read(&["6-0x80000000", "500-0x01"]), Vec::<String>::new());
    }

    #[test]
    fn anything_else_is_refused() {
        for element in ["", "0x", "12", "x-0x01", "0xZZ", "-0x01", "6-"] {
            let error = names(&fields(), "diffFields", &[element]).unwrap_err();
            assert_eq!(error.code(), "event-bitmap-invalid", "{element:?}");
        }
    }
}
