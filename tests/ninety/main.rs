//! Ninety simulated days of an org with reps, reviewers, two agents and three foreign writers, driven by a seed.
//!
//! What the reports of the ledger then say is held against what the story's actors did. `cargo test --test ninety`
//! plays one seed; `-- --seeds N` more, `-- --seed N` that one, with `--trace` its trace, `-- --out DIR` writes the
//! reports into a folder. `tests/README.md` says what is compared.

#[expect(dead_code, reason = "the schedules use the rest")]
#[path = "../schedules/actors.rs"]
mod actors;
mod agents;
mod cast;
#[expect(dead_code, reason = "the schedules use the rest")]
#[path = "../schedules/daemon.rs"]
mod daemon;
mod diary;
#[expect(dead_code, reason = "the schedules use the rest")]
#[path = "../schedules/feed.rs"]
mod feed;
mod foreign;
mod history;
#[expect(dead_code, reason = "the schedules use the rest")]
#[path = "../schedules/net.rs"]
mod net;
#[expect(dead_code, reason = "the schedules use the rest")]
#[path = "../schedules/orglog.rs"]
mod orglog;
mod people;
#[expect(dead_code, reason = "the schedules use the rest")]
#[path = "../schedules/plan.rs"]
mod plan;
mod reports;
mod said;
#[expect(dead_code, reason = "the schedules use the rest")]
#[path = "../schedules/scene.rs"]
mod scene;
mod story;
mod truth;
mod world;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use countersign::cli::form::Form;

use crate::{
    reports::Reports,
    truth::{Judged, decay, facts, overrides, rates, scorecard, writers},
    world::World,
};

/// How long the story is; every so many days its reports are compared.
const DAYS: i64 = 90;
const EVERY: i64 = 30;
/// What a whole story must bring about, or it compares too little.
const REACHED: [&str; 23] = [
    "decay: moved",
    "decay: held manual-override",
    "decay: conflicted base-moved",
    "decay: spared decay-active",
    "decay: spared decay-proposal-open",
    "label: approved",
    "label: rejected",
    "label: match",
    "label: other",
    "label: reversed",
    "label: lapsed",
    "label: untouched",
    "label: unclear",
    "label: program",
    "rates: stands",
    "rates: overridden",
    "rates: programs",
    "rates: overtaken",
    "rates: edited",
    "an override was listed",
    "a lead was fought over",
    "writer: rest importer",
    "writer: bulkapi night-sync",
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let after =
        |name: &str| words.iter().position(|word| word == name).and_then(|place| words.get(place + 1));
    // What `cargo test NAME` passes on is a test of another target.
    let named =
        words.first().is_some_and(|word| !word.starts_with("--") && !"ninety".contains(word.as_str()));
    if named || words.iter().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    let number = |name: &str| after(name).map(|text| text.parse::<u64>().expect("a number"));
    let out = after("--out").map(PathBuf::from);
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    said::listen();
    let seeds = match number("--seed") {
        Some(seed) => vec![seed],
        None => (1..=number("--seeds").unwrap_or(1)).collect(),
    };
    let days = after("--days").map_or(DAYS, |text| text.parse().expect("a number"));
    let mut failed = false;
    for seed in seeds {
        let began = Instant::now();
        let judged = play((seed, days), words.iter().any(|word| word == "--trace"), out.as_deref());
        println!("seed {seed}: {days} days in {} s", began.elapsed().as_secs());
        for (what, times) in &judged.seen {
            println!("  {times:>6}  {what}");
        }
        for wrong in &judged.wrong {
            println!("WRONG {wrong}");
        }
        let missing = REACHED.iter().filter(|what| days == DAYS && !judged.seen.contains_key(**what));
        let missing: Vec<_> = missing.collect();
        if !missing.is_empty() {
            println!("the story did not bring about: {missing:?}");
        }
        if !judged.wrong.is_empty() || !missing.is_empty() {
            println!("seed {seed} failed: cargo test --test ninety -- --seed {seed}");
            failed = true;
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn play((seed, days): (u64, i64), loud: bool, out: Option<&Path>) -> Judged {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    runtime.block_on(async {
        let reports = Reports { ledger: folder.path().join("ledger.db") };
        let mut world = World::start(seed, &reports.ledger, loud).await;
        // What the reports said on the way; the truth about those moments is told at the end.
        let mut said = Vec::new();
        for day in (0..days).step_by(usize::try_from(EVERY).expect("a small number")) {
            world.play(day, (day + EVERY).min(days)).await;
            let now = world.now();
            let cards = reports.cards(&world.context, Form::Json, now).await;
            let cards = serde_json::from_str(&cards).expect("JSON");
            said.push((now, cards, reports.json(&["writers"])));
            if let Some(out) = out {
                let folder = out.join(format!("seed-{seed}-day-{}", day + EVERY));
                reports.write(&world.context, now, &folder).await;
            }
        }
        let mut judged = Judged::default();
        let labelled = scorecard::Labelled::of(&world);
        for (at, cards, map) in &said {
            scorecard::judge(&labelled, (cards, *at), &mut judged);
            writers::judge(&world, (map, *at), &mut judged);
        }
        writers::told_in_time(&world, &mut judged);
        decay::judge(&world, &reports, &mut judged);
        let listed = overrides::judge(&world, &reports, &mut judged);
        let overridden = overrides::marks(&listed);
        let newest = reports.json(&["reconcile", "report"]);
        rates::judge((&world, &labelled.back), (&newest, &overridden), &mut judged);
        facts::judge(&world, (&newest, &listed), &mut judged);
        reports.told(&["verify"]);
        judged
    })
}
