//! `countersign policy test`: golden cases.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::json;

use super::{Exit, ExitWith, load, shown};
use crate::{
    config::policies::Policies,
    gate::{Rules, Verdict, golden::GoldenCase},
    telemetry::line::visible,
};

/// The cases of the built-in policies, by file name.
const EMBEDDED: &[(&str, &str)] = &[
    ("lead-lifecycle.toml", include_str!("../../../config/policies/cases/lead-lifecycle.toml")),
    ("opportunity-pilot.toml", include_str!("../../../config/policies/cases/opportunity-pilot.toml")),
];

/// Run golden cases: inputs with the verdict that they must get.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory with policy files; the built-in policies when absent.
    pub directory: Option<PathBuf>,
    /// File with cases, or a directory of such files; may be given several times. Without it, the
    /// folder `cases` of the policy directory.
    #[arg(long, value_name = "PATH")]
    pub cases: Vec<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<GoldenCase>,
}

/// What became of one case.
struct Ran {
    file: String,
    case: GoldenCase,
    verdict: Result<Verdict, String>,
}

impl Ran {
    fn passed(&self) -> bool {
        self.verdict.as_ref().is_ok_and(|verdict| self.case.agrees(verdict))
    }

    fn found(&self) -> String {
        match &self.verdict {
            Ok(verdict) => {
                let codes: Vec<&str> = verdict.findings.iter().map(|finding| finding.code.as_str()).collect();
                format!("{} ({})", verdict.outcome.name(), codes.join(", "))
            }
            Err(error) => error.clone(),
        }
    }
}

/// Exit code 0 when every case agrees, 1 when one does not, 2 when something cannot be read.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let policies = load(args.directory.as_ref())?;
    let mut ran = Vec::new();
    for (file, text) in files(args)? {
        let read: File = toml::from_str(&text).map_err(|error| {
            ExitWith::usage(format!("case-unreadable: {file}: {}", error.to_string().trim()))
        })?;
        for case in read.case {
            let verdict = run_case(&policies, &case)?;
            ran.push(Ran { file: file.clone(), case, verdict });
        }
    }
    if ran.is_empty() {
        return Err(
            ExitWith::usage("case-none: there is no case; write some, or name them with --cases").into()
        );
    }
    let failed = ran.iter().filter(|one| !one.passed()).count();
    if args.json {
        let cases: Vec<_> = ran
            .iter()
            .map(|one| {
                json!({ "file": one.file, "name": one.case.name, "passed": one.passed(),
                "expected": one.case.expect.name(), "found": one.found() })
            })
            .collect();
        println!("{}", serde_json::to_string_pretty(&json!({ "ok": failed == 0, "cases": cases }))?);
    } else {
        for one in &ran {
            let mark = if one.passed() { "ok " } else { "NOT" };
            println!("{mark} {}: {}", visible(&one.file), visible(&one.case.name));
            if !one.passed() {
                let codes: Vec<&str> = one.case.codes.iter().map(|code| code.as_str()).collect();
                println!("      expected {} ({})", one.case.expect.name(), codes.join(", "));
                println!("      found    {}", visible(&one.found()));
            }
        }
        println!("{} cases, {failed} not as written", ran.len());
    }
    Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
}

/// Runs a case under the rules of its org. An org without rules of its own is refused: a misspelt id
/// would try the rules of all others.
fn run_case(policies: &Policies, case: &GoldenCase) -> anyhow::Result<Result<Verdict, String>> {
    if let Some(org) = case.org.as_deref().filter(|org| !policies.has_own(org)) {
        return Ok(Err(format!("case-org-unknown: no policy has rules for the org `{org}`")));
    }
    let rules = Rules::new(policies.of_known(case.org.as_deref()).clone())?;
    Ok(case.run(&rules).map_err(|error| format!("{}: {error}", error.code())))
}

fn files(args: &Args) -> anyhow::Result<Vec<(String, String)>> {
    let places = match (&args.directory, args.cases.as_slice()) {
        (None, []) => {
            let built_in = |(file, text): &(&str, &str)| (format!("(built in) {file}"), (*text).to_owned());
            return Ok(EMBEDDED.iter().map(built_in).collect());
        }
        (Some(directory), []) => vec![directory.join("cases")],
        (_, cases) => cases.to_vec(),
    };
    let mut files = Vec::new();
    for place in places {
        for path in toml_files(&place).map_err(|error| unreadable(&place, &error))? {
            let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
            files.push((shown(&path), text));
        }
    }
    Ok(files)
}

fn toml_files(place: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !place.is_dir() {
        return Ok(vec![place.to_owned()]);
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(place)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn unreadable(path: &Path, error: &std::io::Error) -> ExitWith {
    ExitWith::usage(format!("case-unreadable: {}: {error}; name a file or directory with cases", shown(path)))
}
