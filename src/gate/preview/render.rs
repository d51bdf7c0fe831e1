//! The preview card as plain text: no colours, no character that could hide or reorder.

use std::fmt::{self, Formatter, Write as _};

use super::{
    FieldCard, PreviewCard,
    text_diff::{Kind, Piece},
};
use crate::domain::{Door, FieldValue};

/// Text from records and agents, with control and direction characters spelled out, so that
/// a terminal shows what is there: `line<U+000A>two`.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() || reorders_or_hides(letter) {
            let _ = write!(out, "<U+{:04X}>", u32::from(letter));
        } else {
            out.push(letter);
        }
    }
    out
}

/// Direction marks, embeddings and isolates, zero-width characters, line and paragraph
/// separators, tags. Source: Unicode `Default_Ignorable_Code_Point` and `Bidi_Control`.
fn reorders_or_hides(letter: char) -> bool {
    matches!(letter,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}'
        | '\u{E0000}'..='\u{E007F}')
}

pub(super) fn card(card: &PreviewCard, out: &mut Formatter<'_>) -> fmt::Result {
    let name = card.record_name.as_deref().map(visible).unwrap_or_default();
    match &card.creates {
        Some(creates) => {
            let rule = visible(&creates.rule);
            writeln!(out, "new {} ({rule}) below {} {} {name}", card.object, creates.parent, card.record)?;
        }
        None => writeln!(out, "{} {} {name}", card.object, card.record)?,
    }
    line(out, "proposal", card.proposal_id.as_str())?;
    line(out, "proposed by", &proposer(card))?;
    if let Some(confidence) = card.confidence {
        line(out, "confidence", &confidence.to_string())?;
    }
    if let Some(moment) = card.evaluated_at {
        line(out, "looked at", &moment.to_string())?;
    }
    if let Some(reason) = &card.reason {
        line(out, "reason", &visible(reason))?;
    }
    for item in &card.evidence {
        let words = format!("{} from {} at {}", visible(&item.kind), visible(&item.source), item.occurred_at);
        line(out, "evidence", &words)?;
    }
    writeln!(out)?;
    for field in &card.fields {
        field_lines(field, out)?;
    }
    writeln!(out)?;
    verdict_lines(card, out)
}

fn proposer(card: &PreviewCard) -> String {
    let actor = &card.actor;
    let mut words = visible(&actor.agent);
    if let Some(version) = &actor.version {
        let _ = write!(words, " {}", visible(version));
    }
    if let Some(run) = &actor.run {
        let _ = write!(words, ", run {}", visible(run));
    }
    if let Some(principal) = &actor.on_behalf_of {
        let _ = write!(words, ", says it acts for {}", visible(principal));
    }
    let door = match card.door {
        Door::Record => "written on the record",
        Door::Cli => "by command",
        Door::Schedule => "by the schedule",
    };
    format!("{words}, {door}")
}

fn field_lines(card: &FieldCard, out: &mut Formatter<'_>) -> fmt::Result {
    let before = card.before.as_ref().map_or("(could not be read)".to_owned(), shown);
    if !card.changed {
        writeln!(out, "  {}  {before}  (already so)", card.field)?;
    } else if let Some(pieces) = &card.text {
        writeln!(out, "  {}", card.field)?;
        writeln!(out, "    - {}", side(pieces, Kind::Removed, ["[-", "-]"]))?;
        writeln!(out, "    + {}", side(pieces, Kind::Added, ["{+", "+}"]))?;
    } else {
        writeln!(out, "  {}  {before}  ->  {}", card.field, shown(&card.after))?;
    }
    if let Some(delta) = card.delta {
        let sign = if delta.is_sign_positive() { "+" } else { "" };
        writeln!(out, "    change: {sign}{delta}")?;
    }
    if let Some(period) = &card.period {
        let way = if period.quarters > 0 { "later" } else { "earlier" };
        let number = period.quarters.unsigned_abs();
        let unit = if number == 1 { "quarter" } else { "quarters" };
        writeln!(out, "    period: {} -> {} ({number} {unit} {way})", period.from, period.to)?;
    }
    if card.changed && card.touches_reporting {
        writeln!(out, "    feeds reports and forecasts")?;
    }
    writeln!(out, "    rule: {}", visible(&card.policy_reason))
}

/// A value in quotes when it is a text, so that its ends can be seen.
fn shown(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) => format!("\"{}\"", visible(text)),
        other => other.to_string(),
    }
}

/// One side of a text, with what is only on this side between marks.
fn side(pieces: &[Piece], marked: Kind, marks: [&str; 2]) -> String {
    let mut out = String::new();
    for piece in pieces {
        if piece.kind == marked {
            let _ = write!(out, "{}{}{}", marks[0], visible(&piece.text), marks[1]);
        } else if piece.kind == Kind::Same {
            out.push_str(&visible(&piece.text));
        }
    }
    out
}

fn verdict_lines(card: &PreviewCard, out: &mut Formatter<'_>) -> fmt::Result {
    if let Some(forecast) = &card.forecast {
        line(out, "weighted", &forecast.words())?;
    }
    line(out, "verdict", card.outcome.name())?;
    for finding in &card.findings {
        writeln!(out, "    {}: {}", finding.code, visible(&finding.message))?;
        if finding.code.effect().outcome().is_some() {
            writeln!(out, "      would change it: {}", visible(&finding.would_change))?;
        }
    }
    if let Some(approval) = &card.approval {
        line(out, "approval", approval)?;
    }
    let ready = if card.rollback.ready { "ready" } else { "not ready" };
    line(out, "rollback", &format!("{ready}: {}", visible(&card.rollback.words)))?;
    if let Some(moment) = card.expires_at {
        line(out, "ends by itself", &moment.to_string())?;
    }
    let policy = card.policy.as_deref().map_or("none".to_owned(), visible);
    line(out, "policy", &format!("{policy}, digest {}", card.policy_digest.short()))?;
    line(out, "patch digest", card.patch_digest.short())
}

fn line(out: &mut Formatter<'_>, name: &str, words: &str) -> fmt::Result {
    let name = format!("{name}:");
    writeln!(out, "  {name:<15} {words}")
}
