//! `countersign org`: a simulated Salesforce org on this machine.

use std::{
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use super::{Exit, ExitWith};
use crate::{
    clock::Clock,
    simulator::{
        Org, OrgOptions, Settings,
        metadata::Package,
        seed::{self, Seed},
        server::{self, RunningOrg, ServerOptions},
    },
};

/// The package's folder, when no other is named.
const METADATA: &str = "salesforce-metadata";

/// Options of `countersign org`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where REST and OAuth listen. Port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where the Pub/Sub API listens. Port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    pubsub: SocketAddr,
    /// Serve both over TLS, with a certificate made at start.
    #[arg(long)]
    tls: bool,
    /// Invented records to start with: none, demo, leads:NUMBER, proposed:NUMBER or stale:NUMBER.
    #[arg(long, default_value = "none")]
    seed: Seed,
    /// Load the org from this file if it exists, and keep it there.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// The package to deploy into a fresh org [default: ./salesforce-metadata, else the built-in copy].
    #[arg(long, value_name = "FOLDER")]
    metadata: Option<PathBuf>,
    /// Deploy nothing: a client brings the package over the Metadata API.
    #[arg(long, conflicts_with = "metadata")]
    bare: bool,
    /// Behaviours of the org that differ from the defaults, as JSON.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Write a countersign.toml for `countersign serve` against this org.
    #[arg(long, value_name = "FILE")]
    write_config: Option<PathBuf>,
    /// Print one line of JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// Starts the org and serves until it is told to stop.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    // Asked for first, so that a signal during the start is not lost.
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let running = start(&args).await?;
    if let Some(path) = &args.write_config {
        let text = config_text(&running);
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    announce(&running, args.json)?;
    tokio::select! {
        _ = terminate.recv() => {}
        stopped = tokio::signal::ctrl_c() => stopped.context("cannot listen for ctrl-c")?,
    }
    running.shutdown().await.context("the org's state was not saved")?;
    Ok(Exit::Done)
}

async fn start(args: &Args) -> anyhow::Result<RunningOrg> {
    let options = OrgOptions {
        org_id: None,
        clock: Clock::adjustable(),
        package: if args.bare { Package::default() } else { package(args.metadata.as_deref())? },
        settings: settings(args.settings.as_deref())?,
        state_file: args.state.clone(),
    };
    let org = Org::new(options).map_err(|error| ExitWith::usage(format!("{}: {error}", error.code())))?;
    seed::plant(&org, args.seed)
        .map_err(|error| anyhow::anyhow!("the seed was refused: {}: {}", error.code, error.message))?;
    let options = ServerOptions {
        listen: args.listen,
        pubsub: args.pubsub,
        tls: args.tls,
        key_folder: args.state.as_deref().map(key_folder),
    };
    let running = server::start(org, options).await;
    running.map_err(|error| ExitWith::usage(format!("{}: {error}", error.code())).into())
}

/// Keys live beside the state file: a restarted org keeps its client.
fn key_folder(state: &Path) -> PathBuf {
    let mut name = state.file_name().unwrap_or_default().to_owned();
    name.push(".keys");
    state.with_file_name(name)
}

fn package(folder: Option<&Path>) -> anyhow::Result<Package> {
    let here = Path::new(METADATA);
    let package = match folder {
        Some(folder) => Package::load(folder),
        None if here.is_dir() => Package::load(here),
        None => Package::embedded(),
    };
    package.map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|problem| format!("  {problem}")).collect();
        ExitWith::usage(format!("package-not-deployable: the package does not deploy:\n{}", lines.join("\n")))
            .into()
    })
}

fn settings(file: Option<&Path>) -> anyhow::Result<Settings> {
    let Some(path) = file else { return Ok(Settings::default()) };
    let wrong = |why: String| ExitWith::usage(format!("org-settings-malformed: {}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    Ok(serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?)
}

fn announce(running: &RunningOrg, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let text = if json { running.contract().to_string() } else { table(running) };
    writeln!(out, "{text}").and_then(|()| out.flush()).context("cannot print where the org listens")
}

fn table(running: &RunningOrg) -> String {
    let app = running.org.oauth_app();
    let mut lines = vec![
        format!("Simulated Salesforce org {}", running.org.org_id()),
        String::new(),
        format!("  REST and OAuth   {}", running.instance_url),
        format!("  Pub/Sub          {}", running.pubsub_endpoint),
        format!("  API version      {}", server::API_VERSION),
        format!("  Client id        {}", app.client_id),
        format!("  Client secret    {}", app.client_secret),
        format!("  JWT key          {}", running.jwt_key_path.display()),
    ];
    lines.extend(running.ca_path.iter().map(|path| format!("  CA certificate   {}", path.display())));
    lines.push(String::new());
    for user in running.org.users() {
        let token = running.access_token(&user.role).unwrap_or_default();
        lines.push(format!("  {:<9} {}  {}", user.role, user.username, token));
    }
    lines.push(String::new());
    lines.push("Everything in it is invented. Stop with ctrl-c.".to_owned());
    lines.join("\n")
}

/// Settings for `countersign serve` against this org.
fn config_text(running: &RunningOrg) -> String {
    let app = running.org.oauth_app();
    let username = |role: &str| running.org.user(role).map(|user| user.username).unwrap_or_default();
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let identity = |role: &str| {
        format!(
            "kind = \"jwt\"\nclient_id = {}\nusername = {}\nprivate_key_path = {}\naudience = {}\n",
            quoted(&app.client_id),
            quoted(&username(role)),
            quoted(&running.jwt_key_path.display().to_string()),
            quoted(&running.instance_url),
        )
    };
    // Without TLS the stream needs to be asked for in clear text by name.
    let stream = match running.ca_path {
        Some(_) => running.pubsub_endpoint.clone(),
        None => format!("http://{}", running.pubsub_endpoint),
    };
    let mut text = format!(
        "# Settings for the simulated org that wrote this file.\n[org]\nlogin_url = {}\npubsub_endpoint = {}\n",
        quoted(&running.instance_url),
        quoted(&stream),
    );
    if let Some(path) = &running.ca_path {
        text.push_str(&format!("ca_pem_path = {}\n", quoted(&path.display().to_string())));
    }
    text.push_str(&format!("\n[promoter]\n{}\n[proposer]\n{}", identity("promoter"), identity("proposer")));
    text
}
