//! `countersign metadata generate`: the metadata for a further object or field, as files.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde_json::json;

use super::{org, plan, target};
use crate::{
    cli::{Exit, ExitWith},
    package::{self, Governed, SHIPPED, SOURCE},
    salesforce::names::MADE,
};

/// Folder of the contracts below the one that is written to.
const CONTRACTS: &str = "contracts";

/// Write the metadata for a further object or field.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: target::Target,
    /// For making records of the object, as [[create]] in a policy names them: today Task.
    #[arg(long, requires = "object", conflicts_with = "fields")]
    create: bool,
    /// Where to write; a folder with the shipped package can take it too.
    #[arg(long, value_name = "DIR", default_value = "countersign-metadata")]
    out: PathBuf,
    /// Replace files that are there with other content.
    #[arg(long)]
    replace: bool,
    /// Settings file, to ask the org what the fields are.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Writes the files; exit code 2 when the object or a field cannot be governed.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let Some(object) = args.target.object.clone() else {
        return Err(ExitWith::usage("name an object with --object and at least one --field").into());
    };
    if args.create {
        return making(&args, &object);
    }
    if args.target.fields.is_empty() {
        return Err(
            ExitWith::usage(format!("no-field: name at least one field of {object} with --field")).into()
        );
    }
    let reader = if args.target.needs_org() { Some(org::reader(args.config.as_deref())?) } else { None };
    let governed = args.target.governed(reader.as_ref()).await?;
    let governed = governed.ok_or_else(|| ExitWith::usage("name an object with --object"))?;
    let mut files = files(&governed);
    files.insert(
        format!("{CONTRACTS}/{}.toml", governed.object),
        package::ContractFile::of(&governed).render(),
    );
    let written = write(&args.out, &files, args.replace)?;
    if args.json {
        let paths: Vec<&String> = files.keys().collect();
        let report = json!({
            "object": governed.object, "out": args.out, "files": paths, "written": written.len(),
            "mapping": plan::mapping(&governed), "next": next(&args.out),
        });
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        for path in &written {
            println!("wrote    {path}");
        }
        println!(
            "{} files, {} of them new or changed, in {}",
            files.len(),
            written.len(),
            args.out.display()
        );
        print!("{}", plan::mapping_text(&governed));
        println!("next: {}", next(&args.out));
        println!("note: {}", note(&governed, &args.out));
    }
    Ok(Exit::Done)
}

/// What an object needs whose records are made.
fn making(args: &Args, object: &str) -> anyhow::Result<Exit> {
    let known: Vec<&str> = MADE.iter().map(|contract| contract.object).collect();
    let Some(contract) = MADE.iter().find(|contract| contract.object == object) else {
        let known = known.join(", ");
        return Err(ExitWith::usage(format!(
            "object-not-makeable: records of {object} cannot be made; take one of: {known}"
        ))
        .into());
    };
    let mut files = package::making_files(contract);
    if let Some((path, text)) = SHIPPED.iter().find(|(path, _)| *path == "sfdx-project.json") {
        files.insert((*path).to_owned(), (*text).to_owned());
    }
    let written = write(&args.out, &files, args.replace)?;
    let note = format!(
        "assign the sets with the suffix _{object} beside the shipped ones, and turn on {} in AI_Gate_Setting__mdt. \
         Nothing is made before a policy names it in [[create]]",
        contract.auto_switch
    );
    if args.json {
        let paths: Vec<&String> = files.keys().collect();
        let report = json!({ "object": object, "out": args.out, "files": paths, "written": written.len(),
            "next": next(&args.out), "note": note });
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(Exit::Done);
    }
    for path in &written {
        println!("wrote    {path}");
    }
    println!("{} files, {} of them new or changed, in {}", files.len(), written.len(), args.out.display());
    println!("next: {}", next(&args.out));
    println!("note: {note}");
    Ok(Exit::Done)
}

/// Everything that is rendered for the object, by path from the folder with `sfdx-project.json`.
fn files(governed: &Governed) -> BTreeMap<String, String> {
    let mut files = governed.files();
    files.extend(governed.flow_files());
    let sets = match Governed::find(&governed.object) {
        // The shipped sets over the shipped objects, one of which has further fields now.
        Some(_) => {
            let mut objects = Governed::shipped();
            for object in objects.iter_mut().filter(|object| object.object == governed.object) {
                *object = governed.clone();
            }
            package::permission_sets(&objects, "")
        }
        // Sets of their own beside the shipped ones: a deploy of a set replaces all of it.
        None => package::permission_sets(std::slice::from_ref(governed), &format!("_{}", governed.stem())),
    };
    files.extend(sets.iter().map(package::permission_set_file));
    let mut files: BTreeMap<String, String> =
        files.into_iter().map(|(path, text)| (format!("{SOURCE}/{path}"), text)).collect();
    if let Some((path, text)) = SHIPPED.iter().find(|(path, _)| *path == "sfdx-project.json") {
        files.insert((*path).to_owned(), (*text).to_owned());
    }
    files
}

/// Writes what is not there yet; nothing at all when something else is there under a name.
fn write(out: &Path, files: &BTreeMap<String, String>, replace: bool) -> anyhow::Result<Vec<String>> {
    let mut new = Vec::new();
    let mut other = Vec::new();
    for (path, text) in files {
        match fs::read_to_string(out.join(path)) {
            Ok(found) if found == *text => {}
            // The project file of the folder stays as it is.
            Ok(_) if path == "sfdx-project.json" => {}
            Ok(_) => {
                other.push(path.clone());
                new.push(path);
            }
            Err(_) => new.push(path),
        }
    }
    if !other.is_empty() && !replace {
        return Err(ExitWith::usage(format!(
            "file-exists: other content is in {} under {}: look at it, then say --replace, or choose another --out; \
             nothing was written",
            out.display(),
            other.join(", ")
        ))
        .into());
    }
    for path in &new {
        let file = out.join(path);
        let folder = file.parent().expect("every path has a folder");
        fs::create_dir_all(folder).with_context(|| format!("making the folder {}", folder.display()))?;
        fs::write(&file, &files[*path]).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(new.into_iter().cloned().collect())
}

fn next(out: &Path) -> String {
    format!(
        "deploy salesforce-metadata first if it is not in the org, then \
         sf project deploy validate --source-dir {}/force-app --target-org YOUR_ORG",
        out.display()
    )
}

fn note(governed: &Governed, out: &Path) -> String {
    let known = Governed::find(&governed.object).is_some();
    let sets = if known {
        "the shipped permission sets were written anew with the further fields".to_owned()
    } else {
        format!("assign the sets with the suffix _{} beside the shipped ones", governed.stem())
    };
    let flows = match governed.flow_names().len() {
        0 => " No flows were written: they speak of one field, so people decide on the fields themselves.",
        _ => "",
    };
    format!(
        "{sets}.{flows} The org enforces the rules from the deploy on. The daemon governs the object \
         when a policy names it and `policy.contracts` names the folder {}",
        out.join(CONTRACTS).display()
    )
}
