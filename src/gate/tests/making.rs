//! Inputs that ask for a new record: most could be made, and one or two things are off.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::world::{Case, Owned};

prop_compose! {
    pub fn making()(
        (rule, parent, link) in (
            prop::sample::select(&["call-summary", "call-summary", "call-summary", "call-summary", "call-summary", "notes"]),
            prop::sample::select(&["Lead", "Opportunity", "Lead", "Opportunity", "Lead", "Account"]),
            prop::sample::select(&["WhoId", "WhoId", "WhoId", "WhoId", "WhoId", "LeadId"]),
        ),
        fields in prop::collection::btree_map(
            prop::sample::select(&["Description", "ActivityDate", "Description", "ActivityDate", "OwnerId", "Status"]), 0_usize..3, 0..2,
        ),
        subject in prop::option::weighted(0.95, prop::sample::select(&["Call", "Call", "Call", "Call", "Call ", ""])),
        (fixed, cancel) in (
            prop::sample::select(&["Completed", "Completed", "Completed", "Completed", "Archived"]),
            prop::sample::select(&["Deferred", "Deferred", "Deferred", "Deferred", "Deferred", "Gone"]),
        ),
        confidence in prop::option::weighted(0.9, 55_i64..=100),
        (looked, waited, age) in (0_i64..200, 0_i64..2_000, prop::sample::select(&[0_i64, 0, 0, 0, 30_000])),
        odd in prop::collection::vec(0_u8..40, 2),
        mode in prop::sample::select(&["live", "live", "live", "shadow"]),
    ) -> Owned {
        let is = |code: u8| odd.contains(&code);
        let mut patch = serde_json::Map::new();
        for (field, value) in fields {
            let date = ["2026-05-20", "2026-06-01", "9999-01-01"][value];
            let text = ["Completed", "Deferred", "Wants a quote."][value];
            let value = match field {
                "ActivityDate" => date,
                "OwnerId" => "005Dp0000000001IAA",
                _ => text,
            };
            patch.insert(field.to_owned(), value.into());
        }
        if let Some(subject) = subject {
            patch.insert("Subject".to_owned(), subject.into());
        }
        let received = waited + age;
        let rules = serde_json::json!([{ "name": "call-summary", "mode": mode, "min_confidence": "0.6",
            "fields": ["Subject", "Description", "ActivityDate"], "fixed": { "Status": fixed },
            "parents": { "Lead": link, "Opportunity": "WhatId" },
            "cancel": { "field": "Status", "value": cancel } }]);
        let case = serde_json::json!({
            "name": "made", "object": "Task", "patch": patch, "creates": { "rule": rule, "parent": parent },
            "confidence": confidence.map(|share| Decimal::new(share, 2).to_string()),
            "evaluated": (!is(4)).then_some(received + looked), "received": received,
            "requires_review": is(5), "expires": is(6).then_some(10),
            "hold": is(7).then(|| serde_json::json!({ "until": "2026-05-20" })),
            "auto_switch": if is(8) { vec![] } else { vec!["Subject"] },
            "undescribed": is(9), "state": if is(10) { "converted" } else { "live" },
            "other_record": is(11), "limits": { "create": rules },
            "history": { "open_promotion": is(12).then_some("m-1"), "already_promoted": is(13),
                "superseded_by": is(14).then_some("p-2"), "base_unproven": is(15) },
        });
        serde_json::from_value::<Case>(case).unwrap().build()
    }
}
