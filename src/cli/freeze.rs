//! `countersign freeze` and `unfreeze`: people stop what would run, at once and without the org.

use clap::Args as ClapArgs;
use serde_json::json;

use super::{Exit, ExitWith, place::Place, show::safe};
use crate::{
    clock::Clock,
    domain::{Freeze, Scope, event::Event},
};

/// Stop everything, what runs by itself, one lane, one record or one agent until somebody lifts it. Nothing is lost: what waits is
/// judged again after that. Rollbacks are not stopped.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// `org`, `automatic` (what runs without a person), `lane:OBJECT.FIELD`, `record:OBJECT.ID` or
    /// `agent:NAME`; without it, with --list.
    #[arg(required_unless_present = "list", value_parser = Scope::parse)]
    scope: Option<Scope>,
    /// Why, for whoever finds it stopped.
    #[arg(long, value_name = "WORDS", required_unless_present = "list")]
    reason: Option<String>,
    /// Who stops it.
    #[arg(long, value_name = "NAME", required_unless_present = "list")]
    by: Option<String>,
    /// Only list what is stopped.
    #[arg(long, conflicts_with_all = ["scope", "reason", "by"])]
    list: bool,
    #[command(flatten)]
    place: Place,
}

/// Lift a freeze.
#[derive(Debug, ClapArgs)]
pub struct UnfreezeArgs {
    /// As it was frozen: `org`, `automatic`, `lane:OBJECT.FIELD`, `record:OBJECT.ID` or `agent:NAME`.
    #[arg(value_parser = Scope::parse)]
    scope: Scope,
    /// Who lifts it.
    #[arg(long, value_name = "NAME")]
    by: String,
    #[command(flatten)]
    place: Place,
}

/// Freezes, or lists what is frozen.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let (Some(scope), Some(reason), Some(by)) = (args.scope, args.reason, args.by) else {
        let ledger = args.place.read().await?;
        list(&ledger.freezes().await?, args.place.json)?;
        return Ok(Exit::Done);
    };
    let (reason, by) = (words(&reason, "--reason")?, words(&by, "--by")?);
    let clock = Clock::system();
    let ledger = args.place.write(&clock).await?;
    let mut tx = ledger.begin("frozen").await?;
    if tx.freezes().await?.iter().any(|known| known.scope == scope) {
        drop(tx);
        list(&ledger.freezes().await?, args.place.json)?;
        return Ok(Exit::Done);
    }
    let freeze = Freeze { scope, since: clock.now(), by, reason };
    tx.append(&Event::Frozen { freeze: freeze.clone() }).await?;
    tx.commit().await?;
    list(&ledger.freezes().await?, args.place.json)?;
    if !args.place.json {
        println!("lift it with: countersign unfreeze {} --by NAME", safe(&freeze.scope.to_string()));
    }
    Ok(Exit::Done)
}

/// Lifts a freeze.
pub async fn unfreeze(args: UnfreezeArgs) -> anyhow::Result<Exit> {
    let by = words(&args.by, "--by")?;
    let clock = Clock::system();
    let ledger = args.place.write(&clock).await?;
    let mut tx = ledger.begin("unfrozen").await?;
    let frozen = tx.freezes().await?;
    if !frozen.iter().any(|known| known.scope == args.scope) {
        let scopes: Vec<String> = frozen.iter().map(|known| safe(&known.scope.to_string())).collect();
        let there = if scopes.is_empty() { "nothing is frozen".to_owned() } else { scopes.join(", ") };
        return Err(ExitWith::usage(format!(
            "not-frozen: `{}` is not frozen; frozen now: {there}",
            safe(&args.scope.to_string())
        ))
        .into());
    }
    tx.append(&Event::Unfrozen { scope: args.scope, by, at: clock.now() }).await?;
    tx.commit().await?;
    list(&ledger.freezes().await?, args.place.json)?;
    if !args.place.json {
        println!("what waited is judged again with the daemon's next sweep");
    }
    Ok(Exit::Done)
}

/// Words of people: there, and not too many.
pub fn words(text: &str, key: &str) -> anyhow::Result<String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 500 {
        return Err(ExitWith::usage(format!("words-wanted: {key} wants 1 to 500 characters")).into());
    }
    Ok(text.to_owned())
}

fn list(frozen: &[Freeze], as_json: bool) -> anyhow::Result<()> {
    if as_json {
        println!("{}", serde_json::to_string(&json!({ "frozen": frozen }))?);
        return Ok(());
    }
    if frozen.is_empty() {
        println!("nothing is frozen");
    }
    for freeze in frozen {
        let (scope, by, why) = (safe(&freeze.scope.to_string()), safe(&freeze.by), safe(&freeze.reason));
        println!("frozen  {scope} since {} by {by}: {why}", freeze.since);
    }
    Ok(())
}
