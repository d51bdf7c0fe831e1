//! The kinds of change, and which of them freeze: the one table that decides it.
//!
//! A change freezes when a promotion that was judged or approved before it could now be refused, land
//! in another form, set something else off, or pass where a wall of ours is gone. What can only loosen,
//! or what no rule speaks of, is told and stops nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a change does to the lanes that it touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// They wait for a person.
    Freezes,
    /// It is told.
    Told,
}

/// What a change is about. The gate has one code for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// The field itself.
    Field,
    /// The values that it takes.
    Values,
    /// What else a record must hold.
    Required,
    /// What the promoter may do.
    Permission,
    /// What runs when a record is saved.
    Automation,
}

macro_rules! kinds {
    ($($name:ident = $code:literal, $family:ident, $effect:ident, $words:literal, $fix:literal;)+) => {
        /// What happened to the ground of a lane.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum ChangeKind {
            $(
                #[doc = $words]
                #[serde(rename = $code)]
                $name,
            )+
        }

        impl ChangeKind {
            /// Every kind, those that freeze first.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Stable code.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// What it is about.
            pub fn family(self) -> Family {
                match self { $(Self::$name => Family::$family,)+ }
            }

            /// What it does to the lanes that it touches.
            pub fn effect(self) -> Effect {
                match self { $(Self::$name => Effect::$effect,)+ }
            }

            /// In words.
            pub fn words(self) -> &'static str {
                match self { $(Self::$name => $words,)+ }
            }

            /// What to do besides accepting it.
            pub fn fix(self) -> &'static str {
                match self { $(Self::$name => $fix,)+ }
            }
        }
    };
}

kinds! {
    FieldGone = "field-gone", Field, Freezes, "the field is gone, or hidden from the promoter",
        "put the field or the promoter's access back, or take the field out of the policy";
    TypeChanged = "type-changed", Field, Freezes, "the field has another type",
        "look whether what agents propose still fits, and correct the field's rules";
    LengthShorter = "length-shorter", Field, Freezes, "the field holds fewer characters",
        "tell the agents the new length";
    FewerDigits = "fewer-digits", Field, Freezes, "the field holds fewer digits",
        "tell the agents the new number of digits";
    NowRequired = "now-required", Field, Freezes, "the field may not be empty any more",
        "see that no rule and no agent empties it";
    ValueGone = "value-gone", Values, Freezes, "a value is not offered any more",
        "put the value back, or take it out of the policy";
    ValueNewNamed = "value-new-named", Values, Freezes, "a value is offered that a rule names",
        "look what the rule that names it lets run now";
    TypeValueGone = "type-value-gone", Values, Freezes, "a record type does not offer a value any more",
        "put the value back into the record type, or keep such records out by a [[protected]] rule";
    RequiredNew = "required-new", Required, Freezes, "the org saves no record without another field",
        "fill the field on the records that lack it, or make it optional";
    FieldNotWritable = "field-not-writable", Permission, Freezes, "the promoter may not write the field any more",
        "give the promoter's permission set edit access to the field";
    ObjectNotWritable = "object-not-writable", Permission, Freezes, "the promoter may not change records any more",
        "give the promoter's permission set edit access to the object";
    AutomationNew = "automation-new", Automation, Freezes, "something new runs when a record is saved",
        "see that it does not refuse, change or answer what the daemon writes";
    AutomationChanged = "automation-changed", Automation, Freezes, "what runs when a record is saved is another version",
        "see that it does not refuse, change or answer what the daemon writes";
    GuardOff = "guard-off", Automation, Freezes, "a part of our own package does not run any more",
        "deploy salesforce-metadata again: without it the org does not refuse what nobody approved";
    FieldBack = "field-back", Field, Told, "the field is there now", "nothing";
    LengthLonger = "length-longer", Field, Told, "the field holds more characters", "nothing";
    MoreDigits = "more-digits", Field, Told, "the field holds more digits", "nothing";
    NotRequired = "not-required", Field, Told, "the field may be empty now", "nothing";
    ValueGoneUnnamed = "value-gone-unnamed", Values, Told, "a value that no rule names is not offered any more", "nothing";
    ValueNew = "value-new", Values, Told, "a new value that no rule names is offered",
        "add it to the field's rules if agents shall propose it";
    Restricted = "values-restricted", Values, Told, "the org refuses other values now", "nothing";
    Unrestricted = "values-unrestricted", Values, Told, "the org takes other values now; the gate does not", "nothing";
    TypeValueNew = "type-value-new", Values, Told, "a record type offers another value", "nothing";
    TypeNew = "record-type-new", Values, Told, "a record type was made", "nothing";
    TypeGone = "record-type-gone", Values, Told, "a record type is gone", "nothing";
    RequiredGone = "required-gone", Required, Told, "the org saves records without a field that was required", "nothing";
    FieldWritable = "field-writable", Permission, Told, "the promoter may write the field now", "nothing";
    ObjectWritable = "object-writable", Permission, Told, "the promoter may change records now", "nothing";
    AutomationOff = "automation-off", Automation, Told, "something does not run any more", "nothing";
    AutomationDraft = "automation-draft", Automation, Told, "something was made or changed that does not run", "nothing";
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_freezes_stands_before_what_is_told_and_says_what_to_do() {
        let told = ChangeKind::ALL.iter().position(|kind| kind.effect() == Effect::Told).unwrap();
        for (place, kind) in ChangeKind::ALL.iter().enumerate() {
            assert_eq!(kind.effect() == Effect::Told, place >= told, "{kind}");
            assert!(kind.effect() == Effect::Told || kind.fix() != "nothing", "{kind}");
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(kind.to_string(), kind.as_str());
        }
    }
}
