//! What people say and decide about lanes that only record.

use clap::{Args as ClapArgs, ValueEnum};

use super::{
    super::{Exit, ExitWith, freeze::words, moment::moment, place::Place, show::safe},
    print, rules,
};
use crate::{
    clock::Clock,
    domain::{Actor, FieldName, ObjectName, ProposalId, Scope, shadow::Label},
    workflow::shadow::act::{self, Person},
};

/// What a person says about a case.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Said {
    /// What was proposed was right.
    Right,
    /// It was wrong.
    Wrong,
}

/// Who does it and why.
#[derive(Debug, ClapArgs)]
struct Who {
    /// Who does it, for the ledger.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    place: Place,
}

/// Whose lane.
#[derive(Debug, ClapArgs)]
struct WhichLane {
    /// `OBJECT.FIELD`.
    #[arg(value_parser = lane)]
    lane: (ObjectName, FieldName),
    /// The agent's name, as the report tells it. Another agent has shown nothing by it.
    #[arg(long, value_name = "NAME")]
    agent: String,
    /// Only proposals of this version; without it those of every version.
    #[arg(long, value_name = "VERSION")]
    agent_version: Option<String>,
}

/// Say whether a proposal was right; it outranks what was seen.
#[derive(Debug, ClapArgs)]
pub struct LabelArgs {
    /// The proposal.
    proposal: String,
    /// What you say.
    said: Said,
    /// Only this field of it; without it every watched one.
    #[arg(long, value_name = "FIELD")]
    field: Option<String>,
    #[command(flatten)]
    who: Who,
}

/// Let an agent's lane act until a day. Reviewed fields stay reviewed.
#[derive(Debug, ClapArgs)]
pub struct PromoteArgs {
    #[command(flatten)]
    which: WhichLane,
    /// Until when: a day (its first moment, UTC) or a time, within a year.
    #[arg(long, value_name = "DATE")]
    until: String,
    #[command(flatten)]
    who: Who,
}

/// Take an agent's lane back to recording only.
#[derive(Debug, ClapArgs)]
pub struct BackArgs {
    #[command(flatten)]
    which: WhichLane,
    #[command(flatten)]
    who: Who,
}

/// Reads `OBJECT.FIELD`, also as freezes write it.
fn lane(text: &str) -> Result<(ObjectName, FieldName), String> {
    let text = text.strip_prefix("lane:").unwrap_or(text);
    match Scope::parse(&format!("lane:{text}")) {
        Ok(Scope::Lane(object, field)) => Ok((object, field)),
        _ => Err("write `OBJECT.FIELD`, for example `Lead.Status`".to_owned()),
    }
}

impl WhichLane {
    fn actor(&self) -> Actor {
        Actor { version: self.agent_version.clone(), ..Actor::named(self.agent.clone()) }
    }
}

/// Judges a case.
pub async fn label(args: LabelArgs) -> anyhow::Result<Exit> {
    let (by, reason) = (words(&args.who.by, "--by")?, words(&args.who.reason, "--reason")?);
    let usage = |error: crate::domain::IdError| ExitWith::usage(format!("{}: {error}", error.code()));
    let id = ProposalId::parse(&args.proposal).map_err(usage)?;
    let field = args.field.as_deref().map(FieldName::parse).transpose().map_err(usage)?;
    let said = match args.said {
        Said::Right => Label::Right,
        Said::Wrong => Label::Wrong,
    };
    let clock = Clock::system();
    let ledger = args.who.place.write(&clock).await?;
    let person = Person { by: &by, reason: &reason, at: clock.now() };
    let labelled = act::judge(&ledger, (&id, field.as_ref()), said, &person).await;
    ledger.close().await?;
    let labelled = labelled?;
    if args.who.place.json {
        println!("{}", serde_json::to_string_pretty(&labelled)?);
        return Ok(Exit::Done);
    }
    for one in &labelled {
        println!("{} {}: {} by {}", safe(one.proposal_id.as_str()), one.field, one.label, safe(&one.by));
    }
    Ok(Exit::Done)
}

/// Lets a lane act.
pub async fn promote(args: PromoteArgs) -> anyhow::Result<Exit> {
    let (by, reason) = (words(&args.who.by, "--by")?, words(&args.who.reason, "--reason")?);
    let clock = Clock::system();
    let now = clock.now();
    let until = moment("until", &args.until, now)?;
    let ledger = args.who.place.write(&clock).await?;
    let policy = rules(&ledger).await?;
    let person = Person { by: &by, reason: &reason, at: now };
    let (object, field) = &args.which.lane;
    let lane = ((object, field), &args.which.actor());
    let moved = act::promote(&ledger, &policy, lane, until, &person).await;
    ledger.close().await?;
    print::moved(&moved?, args.who.place.json)
}

/// Takes a lane back.
pub async fn back(args: BackArgs) -> anyhow::Result<Exit> {
    let (by, reason) = (words(&args.who.by, "--by")?, words(&args.who.reason, "--reason")?);
    let clock = Clock::system();
    let ledger = args.who.place.write(&clock).await?;
    let policy = rules(&ledger).await?;
    let person = Person { by: &by, reason: &reason, at: clock.now() };
    let (object, field) = &args.which.lane;
    let lane = ((object, field), &args.which.actor());
    let moved = act::take_back(&ledger, &policy, lane, &person).await;
    ledger.close().await?;
    print::moved(&moved?, args.who.place.json)
}
