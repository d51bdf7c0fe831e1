//! `countersign metadata remove --plan`: how to take the package out of an org again.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::{
    cli::{Exit, ExitWith},
    package::{SHIPPED, SOURCE},
};

/// How to take the package out of an org again.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Tell what to do. Nothing is removed by this command.
    #[arg(long)]
    plan: bool,
    /// Write the manifests of each step there.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Steps in their order: what a step is for, and the types that it deletes.
const STEPS: &[(&str, &[&str])] = &[
    (
        "what people see and what listens",
        &[
            "Dashboard",
            "Report",
            "ReportType",
            "CustomApplication",
            "CustomTab",
            "FlexiPage",
            "ListView",
            "QuickAction",
            "WebLink",
            "ApprovalProcess",
            "GenAiFunction",
            "ApexClass",
            "PlatformEventChannelMember",
            "PlatformEventChannel",
            "ExtlClntAppConfigurablePolicies",
            "ExtlClntAppOauthConfigurablePolicies",
            "ExtlClntAppOauthSettings",
            "ExtlClntAppGlobalOauthSettings",
            "ExternalClientApplication",
        ],
    ),
    ("flows", &["Flow"]),
    ("rules and permission sets", &["ValidationRule", "PermissionSet", "FieldSet", "CompactLayout"]),
    ("fields, with their values", &["CustomMetadata", "CustomField"]),
    (
        "what they stood on",
        &["CustomObject", "GlobalValueSet", "CustomPermission", "CustomNotificationType", "Queue", "Group"],
    ),
];

/// Folder or file suffix of each metadata type of the package.
const SUFFIXES: &[(&str, &str)] = &[
    (".field-meta.xml", "CustomField"),
    (".validationRule-meta.xml", "ValidationRule"),
    (".listView-meta.xml", "ListView"),
    (".fieldSet-meta.xml", "FieldSet"),
    (".compactLayout-meta.xml", "CompactLayout"),
    (".object-meta.xml", "CustomObject"),
    (".flow-meta.xml", "Flow"),
    (".permissionset-meta.xml", "PermissionSet"),
    (".customPermission-meta.xml", "CustomPermission"),
    (".globalValueSet-meta.xml", "GlobalValueSet"),
    (".md-meta.xml", "CustomMetadata"),
    (".platformEventChannel-meta.xml", "PlatformEventChannel"),
    (".platformEventChannelMember-meta.xml", "PlatformEventChannelMember"),
    (".quickAction-meta.xml", "QuickAction"),
    (".webLink-meta.xml", "WebLink"),
    (".approvalProcess-meta.xml", "ApprovalProcess"),
    (".app-meta.xml", "CustomApplication"),
    (".tab-meta.xml", "CustomTab"),
    (".reportFolder-meta.xml", "Report"),
    (".dashboardFolder-meta.xml", "Dashboard"),
    (".eca-meta.xml", "ExternalClientApplication"),
    (".ecaOauth-meta.xml", "ExtlClntAppOauthSettings"),
    (".ecaGlblOauth-meta.xml", "ExtlClntAppGlobalOauthSettings"),
    (".ecaPlcy-meta.xml", "ExtlClntAppConfigurablePolicies"),
    (".ecaOauthPlcy-meta.xml", "ExtlClntAppOauthConfigurablePolicies"),
    (".notiftype-meta.xml", "CustomNotificationType"),
    (".queue-meta.xml", "Queue"),
    (".group-meta.xml", "Group"),
    (".flexipage-meta.xml", "FlexiPage"),
    (".report-meta.xml", "Report"),
    (".reportType-meta.xml", "ReportType"),
    (".dashboard-meta.xml", "Dashboard"),
    (".cls", "ApexClass"),
    (".genAiFunction-meta.xml", "GenAiFunction"),
];

/// What must be done before the first step.
const FIRST: &[&str] = &[
    "stop the daemon: `countersign serve` must not write while fields go",
    "keep the ledger: it holds the before-images; `countersign verify` shows that it is whole",
    "take the permission sets of the package from all users: a set that is assigned cannot be deleted",
    "deactivate the flows in Setup > Flows, and remove the quick actions and the page from layouts and apps",
    "give records of the queue AI Review Queue another owner, and remove the group from shares",
];

/// Prints the plan.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    if !args.plan {
        return Err(ExitWith::usage(
            "this command removes nothing: say --plan to see the steps, and --out DIR to get their manifests",
        )
        .into());
    }
    let all = components();
    let fields = lost(&all);
    let steps: Vec<(String, BTreeMap<&str, Vec<String>>)> = STEPS
        .iter()
        .enumerate()
        .map(|(number, (what, kinds))| {
            let of: BTreeMap<&str, Vec<String>> =
                kinds.iter().filter_map(|kind| Some((*kind, all.get(kind)?.clone()))).collect();
            (format!("{} {what}", number + 1), of)
        })
        .filter(|(_, of)| !of.is_empty())
        .collect();
    if let Some(out) = &args.out {
        write(out, &steps)?;
    }
    if args.json {
        let steps: Vec<Value> =
            steps.iter().map(|(name, of)| json!({ "step": name, "components": of })).collect();
        let report = json!({ "first": FIRST, "steps": steps, "lost": fields, "out": args.out });
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&steps, &fields, args);
    }
    Ok(Exit::Done)
}

fn print(steps: &[(String, BTreeMap<&str, Vec<String>>)], fields: &[String], args: &Args) {
    println!("first:");
    for line in FIRST {
        println!("  - {line}");
    }
    for (name, of) in steps {
        println!("step {name}:");
        for (kind, names) in of {
            println!("  {kind} ({}): {}", names.len(), names.join(", "));
        }
    }
    println!(
        "lost: the values of {} fields on all records; the ledger and Salesforce's field history keep what they have:",
        fields.len()
    );
    println!("  {}", fields.join(", "));
    println!(
        "Deleted fields can be restored for 15 days in Setup > Object Manager > the object > Deleted Fields."
    );
    match &args.out {
        Some(out) => println!(
            "next: in each folder of {}, in order: sf project deploy start --manifest package.xml \
             --post-destructive-changes destructiveChanges.xml --target-org YOUR_ORG",
            out.display()
        ),
        None => println!("next: say --out DIR to get the manifests of each step"),
    }
}

/// Full names by metadata type.
fn components() -> BTreeMap<&'static str, Vec<String>> {
    let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (path, _) in SHIPPED {
        let Some(inside) = path.strip_prefix(&format!("{SOURCE}/")) else { continue };
        let parts: Vec<&str> = inside.split('/').collect();
        let file = parts.last().copied().unwrap_or_default();
        let Some((suffix, kind)) = SUFFIXES.iter().find(|(suffix, _)| file.ends_with(suffix)) else {
            continue;
        };
        let bare = file.trim_end_matches(suffix);
        let name = match (*kind, parts.as_slice()) {
            (
                "CustomField" | "ValidationRule" | "ListView" | "FieldSet" | "CompactLayout" | "WebLink",
                ["objects", object, ..],
            ) => {
                // A type or object of the package takes its fields with it.
                if object.ends_with("__mdt") || object.ends_with("__c") {
                    continue;
                }
                format!("{object}.{bare}")
            }
            // A flow is deleted by version.
            ("Flow", _) => format!("{bare}-1"),
            ("Report" | "Dashboard", [_, folder, _]) => format!("{folder}/{bare}"),
            // A folder is deleted as a report or dashboard of its name.
            _ => bare.to_owned(),
        };
        found.entry(kind).or_default().push(name);
    }
    found
}

/// Fields whose values go.
fn lost(all: &BTreeMap<&str, Vec<String>>) -> Vec<String> {
    let objects = all.get("CustomObject").into_iter().flatten().filter(|name| name.ends_with("__c"));
    all.get("CustomField").into_iter().flatten().chain(objects).cloned().collect()
}

/// One folder for each step.
fn write(out: &std::path::Path, steps: &[(String, BTreeMap<&str, Vec<String>>)]) -> anyhow::Result<()> {
    for (name, of) in steps {
        let folder = out.join(name.replace([' ', ','], "-").replace("--", "-"));
        fs::create_dir_all(&folder).with_context(|| format!("making the folder {}", folder.display()))?;
        let manifests = [("package.xml", &BTreeMap::new()), ("destructiveChanges.xml", of)];
        for (file, of) in manifests {
            let path = folder.join(file);
            fs::write(&path, crate::package::manifest(of))
                .with_context(|| format!("writing {}", path.display()))?;
        }
    }
    Ok(())
}
