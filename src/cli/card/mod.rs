//! The preview card as a page. Text, JSON and page come from one value.
//!
//! Words of agents and records are data: characters that hide or reorder are spelled out, and
//! everything is escaped. The page loads nothing and runs nothing.

use minijinja::value::Serde;
use serde_json::{Value, json};

use crate::{
    cli::page,
    domain::FieldValue,
    gate::{
        PreviewCard,
        preview::{FieldCard, forecast::Forecast, text_diff::Kind, visible},
    },
};

const PAGE: &str = include_str!("card.html.j2");

/// The page, whole and by itself.
pub fn html(card: &PreviewCard) -> anyhow::Result<String> {
    let findings: Vec<Value> = card
        .findings
        .iter()
        .map(|finding| {
            json!({ "code": finding.code, "message": visible(&finding.message),
                "would_change": finding.code.effect().outcome().map(|_| visible(&finding.would_change)) })
        })
        .collect();
    let evidence: Vec<String> = card
        .evidence
        .iter()
        .map(|one| format!("{} from {} at {}", visible(&one.kind), visible(&one.source), one.occurred_at))
        .collect();
    let words = json!({
        "object": object(card),
        "record": card.record.as_str(),
        "record_name": card.record_name.as_deref().map(visible),
        "proposal": card.proposal_id.as_str(),
        "agent": visible(&card.actor.agent),
        "run": card.actor.run.as_deref().map(visible),
        "confidence": card.confidence.map(|confidence| confidence.to_string()),
        "evaluated_at": card.evaluated_at.map(|moment| moment.to_string()),
        "reason": card.reason.as_deref().map(visible),
        "evidence": evidence,
        "outcome": card.outcome.name(),
        "findings": findings,
        "fields": card.fields.iter().map(field).collect::<Vec<_>>(),
        "touches_reporting": card.touches_reporting,
        "forecast": card.forecast.as_ref().map(Forecast::words),
        "approval": card.approval.as_deref().map(visible),
        "rollback_ready": card.rollback.ready,
        "rollback": visible(&card.rollback.words),
        "expires_at": card.expires_at.map(|moment| moment.to_string()),
        "policy": card.policy.as_deref().map(visible),
        "policy_digest": card.policy_digest.short(),
        "patch_digest": card.patch_digest.short(),
    });
    page::render(PAGE, Serde(words))
}

/// What the card is about; a record that is to be made has no id yet, so its parent is named.
fn object(card: &PreviewCard) -> String {
    match &card.creates {
        Some(creates) => format!("new {} ({}) below {}", card.object, visible(&creates.rule), creates.parent),
        None => card.object.to_string(),
    }
}

fn field(card: &FieldCard) -> Value {
    let pieces = card.text.as_ref().map(|pieces| {
        let piece = |kind: &Kind, text: &str| {
            let kind = match kind {
                Kind::Same => "same",
                Kind::Removed => "del",
                Kind::Added => "ins",
            };
            json!({ "kind": kind, "text": visible(text) })
        };
        pieces.iter().map(|one| piece(&one.kind, &one.text)).collect::<Vec<_>>()
    });
    let delta = card
        .delta
        .map(|delta| if delta.is_sign_positive() { format!("+{delta}") } else { delta.to_string() });
    json!({
        "name": card.field, "changed": card.changed,
        "before": card.before.as_ref().map_or_else(|| "(could not be read)".to_owned(), shown),
        "after": shown(&card.after), "pieces": pieces, "delta": delta,
        "period": card.period.as_ref().map(|period| format!("{} → {}", period.from, period.to)),
        "touches_reporting": card.changed && card.touches_reporting,
        "read_by": card.read_by, "rule": visible(&card.policy_reason),
    })
}

fn shown(value: &FieldValue) -> String {
    visible(&value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::policies,
        gate::{Rules, golden::GoldenCase, preview},
    };

    fn page(case: Value) -> String {
        let case: GoldenCase = serde_json::from_value(case).unwrap();
        let rules = Rules::new(policies::load_default().unwrap()).unwrap();
        html(&case.look(&rules, preview).unwrap().1).unwrap()
    }

    #[test]
    fn words_of_agents_stay_words() {
        let page = page(json!({
            "name": "", "object": "Opportunity", "agent": "<script>alert(1)</script>",
            "record": { "NextStep": "call </td> & ask", "Amount": "100" },
            "change": { "NextStep": "call <b>\u{202e}now</b>", "Amount": "150.5" },
            "confidence": "0.9", "expect": "review"
        }));
        for bad in ["<script", "<b>", "</td> &", "\u{202e}"] {
            assert!(!page.contains(bad), "{bad}");
        }
        for good in
            ["&lt;script&gt;", "&lt;U+202E&gt;", "+50.5", "<ins>", "<del>", "approval-required", "forecasts"]
        {
            assert!(page.contains(good), "{good} in {page}");
        }
    }

    #[test]
    fn the_page_loads_and_runs_nothing() {
        let page = page(json!({
            "name": "", "object": "Lead", "record": { "Status": "Open - Not Contacted" },
            "change": { "Status": "Working - Contacted" }, "confidence": "0.95",
            "switches": ["Status"], "expect": "promote"
        }));
        for word in ["src=", "href=", "@import", "url(", "<script", "onclick"] {
            assert!(!page.contains(word), "{word}");
        }
        assert!(page.contains("auto-allowed") && page.contains("Working - Contacted"));
    }
}
