//! The stream benchmark: our subscriber and the Node client, one after the other, on the
//! same stream over TLS, both writing durably what they receive.
//!
//! `cargo bench --bench stream` runs everything and prints a table; `../README.md` says what
//! is measured. The roles run as processes of their own, so that each one's memory is its own.

mod load;
mod ours;
mod report;

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
};

use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TOPIC: &str = "/data/LeadChangeEvent";

fn main() -> ExitCode {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    // Cargo passes `--bench`.
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let done = match arguments.first().map(String::as_str) {
        Some("--role-org") => load::serve(count(&arguments)),
        Some("--role-ours") => ours::run(Path::new(&arguments[1]), Path::new(&arguments[2])),
        _ => compare(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stream benchmark: {error}");
            ExitCode::FAILURE
        }
    }
}

fn count(arguments: &[String]) -> u32 {
    arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(200_000)
}

/// Starts the org, lets each client read the whole stream, prints the table.
fn compare(arguments: &[String]) -> Result<(), String> {
    let events = count(arguments);
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (mut org, described) = start_org(events)?;
    let org_file = folder.path().join("org.json");
    fs::write(&org_file, described.to_string()).map_err(|error| error.to_string())?;
    let node = install_node()?;
    let mut rows = Vec::new();
    for round in 1..=3 {
        for client in ["countersign", "node"] {
            let output = folder.path().join(format!("{client}-{round}"));
            let mut command = if client == "node" {
                let mut command = Command::new("node");
                command.arg(node.join("node_client.mjs"));
                command
            } else {
                let mut command = Command::new(env::current_exe().map_err(|error| error.to_string())?);
                command.arg("--role-ours");
                command
            };
            eprintln!("round {round}: {client} reads {events} events");
            let mut row = result(command.arg(&org_file).arg(&output))?;
            row["client"] = json!(client);
            rows.push(row);
        }
    }
    org.kill().map_err(|error| error.to_string())?;
    // Reaped, so that nothing is left behind.
    let _ = org.wait();
    report::print(events, &rows);
    Ok(())
}

fn start_org(events: u32) -> Result<(Child, Value), String> {
    let mut org = Command::new(env::current_exe().map_err(|error| error.to_string())?)
        .args(["--role-org", &events.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut line = String::new();
    let stdout = org.stdout.take().ok_or("the org has no output")?;
    BufReader::new(stdout).read_line(&mut line).map_err(|error| error.to_string())?;
    let described = serde_json::from_str(&line).map_err(|error| format!("the org did not start: {error}"))?;
    Ok((org, described))
}

/// Runs a client; its last line of output is its result.
fn result(command: &mut Command) -> Result<Value, String> {
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(last).map_err(|error| format!("{command:?} gave no result: {error}: {last}"))
}

/// The Node client with its locked dependencies, below `target`.
fn install_node() -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("target/benches/node");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    for file in ["node_client.mjs", "package.json", "package-lock.json"] {
        fs::copy(root.join("benches/peers").join(file), folder.join(file))
            .map_err(|error| format!("{file}: {error}"))?;
    }
    if !folder.join("node_modules/salesforce-pubsub-api-client").is_dir() {
        let done = Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])
            .current_dir(&folder)
            .status()
            .map_err(|error| format!("npm: {error}"))?;
        if !done.success() {
            return Err("npm ci failed".to_owned());
        }
    }
    Ok(folder)
}
