//! `countersign metadata plan`: what a deploy would create, and what stands in its way.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{
    OrgArgs,
    compare::{self, Component, Standing},
    org::{self, Org},
};
use crate::{cli::Exit, package::Governed};

/// Prints the plan; exit code 1 when something is there under a name and does not fit.
pub async fn run(args: OrgArgs) -> anyhow::Result<Exit> {
    let (objects, components) = look(&args, false).await?;
    let conflicts = components.iter().filter(|it| it.standing == Standing::Differs).count();
    let counts = compare::counts(&components);
    if args.json {
        let mapping: Vec<Value> = objects.iter().map(mapping).collect();
        let report = json!({
            "ok": conflicts == 0, "counts": counts, "mapping": mapping, "components": components,
        });
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        for object in &objects {
            print!("{}", mapping_text(object));
        }
        for component in components.iter().filter(|it| it.standing != Standing::Same) {
            println!("{}", shown(component));
        }
        println!(
            "{} to create, {} there already, {conflicts} in the way, {} not seen",
            counts["missing"], counts["same"], counts["unseen"]
        );
        println!("next: {}", next(conflicts, counts["missing"]));
    }
    Ok(if conflicts == 0 { Exit::Done } else { Exit::Failed })
}

/// The objects that are meant, and how their components stand in the org.
pub async fn look(args: &OrgArgs, formulas: bool) -> anyhow::Result<(Vec<Governed>, Vec<Component>)> {
    let reader = org::reader(args.config.as_deref())?;
    let objects = match args.target.governed(Some(&reader)).await? {
        Some(object) => vec![object],
        None => Governed::shipped(),
    };
    let components = compare::compare(&Org::new(reader), &objects, formulas).await?;
    Ok((objects, components))
}

fn shown(component: &Component) -> String {
    match component.standing {
        Standing::Missing => format!("create  {:27}{}", component.kind, component.name),
        _ => component.to_string(),
    }
}

fn next(conflicts: usize, missing: usize) -> &'static str {
    match (conflicts, missing) {
        (0, 0) => "nothing is to be deployed; `countersign metadata diff` compares formulas too",
        (0, _) => "sf project deploy validate --source-dir force-app --target-org YOUR_ORG",
        _ => "clear what is in the way, as each fix says, then plan again",
    }
}

/// Which fields belong to each governed field, for machines.
pub fn mapping(object: &Governed) -> Value {
    let lanes: Vec<Value> = object
        .lanes
        .iter()
        .map(|lane| {
            json!({
                "field": lane.field, "proposal": lane.proposed, "previous": lane.previous,
                "switch": lane.switch,
            })
        })
        .collect();
    json!({
        "object": object.object, "fields": lanes, "confidence": object.confidence, "reason": object.reason,
        "changed_at": object.changed_at, "change_source": object.change_source,
        "proposed_fields": object.proposed_fields,
    })
}

/// The same for people.
pub fn mapping_text(object: &Governed) -> String {
    let mut text = String::new();
    for lane in &object.lanes {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "mapping {}.{}  proposal {}  previous {}  switch {}",
            object.object, lane.field, lane.proposed, lane.previous, lane.switch
        );
    }
    text
}
