//! `countersign metadata diff`: where the org differs from the package.

use serde_json::json;

use super::{
    OrgArgs,
    compare::{self, Component, Standing},
    plan,
};
use crate::cli::Exit;

/// Prints what differs; exit code 1 when something does.
pub async fn run(args: OrgArgs) -> anyhow::Result<Exit> {
    let (_, components) = plan::look(&args, true).await?;
    let counts = compare::counts(&components);
    let different: Vec<&Component> = components.iter().filter(|it| it.standing != Standing::Same).collect();
    let is_same = components.iter().all(|it| matches!(it.standing, Standing::Same | Standing::Unseen));
    if args.json {
        let report = json!({ "ok": is_same, "counts": counts, "components": different });
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        for component in different {
            println!("{component}");
        }
        println!(
            "{} as in the package, {} missing, {} different, {} not seen",
            counts["same"], counts["missing"], counts["differs"], counts["unseen"]
        );
    }
    Ok(if is_same { Exit::Done } else { Exit::Failed })
}
