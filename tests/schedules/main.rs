//! Seeded fault schedules: the real daemon and the simulated org in one process, driven step by step.
//!
//! `cargo test --test schedules` runs a thousand seeds, some of them twice; `-- --seeds N` runs as many. A seed
//! that fails prints the command that plays it again with its whole trace. `tests/README.md` says what is checked.

mod actors;
mod check;
mod crashes;
mod daemon;
mod feed;
mod net;
mod orglog;
mod plan;
mod report;
mod run;
mod scene;

use std::{process::ExitCode, sync::Arc, time::Instant};

use countersign::{
    config,
    gate::Rules,
    ledger::Place,
    simulator::{metadata::Package, pubsub::Pull, server::Inside},
};
use serde_json::{Value, json};

use crate::{daemon::Kit, net::Net, plan::Plan, report::Wish, run::Run, scene::Shared};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let bent = Bent::read(&words);
    match Wish::read(words) {
        Wish::Nothing => ExitCode::SUCCESS,
        Wish::Work { seeds } => {
            let kept = Kept::new(&bent);
            for seed in seeds {
                println!("{}", play(&kept, seed, false));
            }
            ExitCode::SUCCESS
        }
        Wish::One { seed } => {
            let told = play(&Kept::new(&bent), seed, true);
            println!("{}", serde_json::to_string_pretty(&told).expect("JSON"));
            if told["wrong"].as_array().is_some_and(Vec::is_empty) {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Wish::Many(many) => report::many(&many, &bent),
    }
}

/// What is wrong on purpose, so that the schedules can be seen to find it.
struct Bent {
    /// The bug that is switched on, in a copy of the sources with bugs.
    planted: String,
    /// Validation rules that the org lacks.
    without: Vec<String>,
}

impl Bent {
    fn read(words: &[String]) -> Self {
        let after = |name: &str| {
            let place = words.iter().position(|word| word == name)?;
            words.get(place + 1).cloned()
        };
        let without = after("--without").unwrap_or_default();
        Self {
            planted: after("--planted").unwrap_or_default(),
            without: without.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        }
    }

    /// The same for another process.
    fn words(&self) -> Vec<String> {
        vec!["--planted".to_owned(), self.planted.clone(), "--without".to_owned(), self.without.join(",")]
    }
}

/// `tests/schedules/planted.py` gives this a body in its copy of the sources.
fn plant(_name: &str) {}

/// What all seeds share.
struct Kept {
    package: Package,
    rules: Rules,
    /// The same for leads alone: half of the schedules need no more.
    of_leads: Rules,
}

impl Kept {
    fn new(bent: &Bent) -> Self {
        plant(&bent.planted);
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let policy = config::policies::load(None).expect("the shipped policies");
        let mut package = Package::embedded().expect("the shipped package");
        for object in package.objects.values_mut() {
            object.rules.retain(|rule| !bent.without.iter().any(|name| rule.name.starts_with(name)));
        }
        let mut of_leads = policy.clone();
        of_leads.objects.retain(|object, _| object.as_str() == "Lead");
        Self {
            package,
            rules: Rules::new(policy).expect("rules"),
            of_leads: Rules::new(of_leads).expect("rules"),
        }
    }
}

/// Plays one seed; what came of it as JSON.
fn play(kept: &Kept, seed: u64, loud: bool) -> Value {
    let began = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let folder = report::folder();
    let (shared, wrong) = runtime.block_on(async {
        let shared = Shared::start(seed, (kept.package.clone(), Plan::of(seed)), loud);
        let mut run = Run::new(kit(kept, &shared, Place::File(folder.path().join("ledger.db"))));
        run.play().await;
        let wrong = shared.lock().wrong.clone();
        (shared, wrong)
    });
    countersign::crash::watch(None);
    let scene = shared.lock();
    json!({ "seed": seed, "hash": format!("{:016x}", scene.hash()), "wrong": wrong,
        "seconds": scene.passed.as_secs(), "millis": u64::try_from(began.elapsed().as_millis()).unwrap_or(0),
        "sweeps": scene.plan.sweeps, "cover": scene.cover })
}

fn kit(kept: &Kept, shared: &Shared, ledger: Place) -> Kit {
    let (org, with_deals, refresh_token, proposer_token) = {
        let scene = shared.lock();
        let token =
            |role: &str| scene.org.open_refresh(&scene.org.user(role).expect("a seeded user").user_id);
        (scene.org.clone(), scene.plan.deals > 0, token("promoter"), token("proposer"))
    };
    let pull = Pull::open(org.clone(), countersign::salesforce::names::TOPIC, "promoter")
        .expect("the shipped channel");
    Kit {
        net: Net {
            scene: shared.clone(),
            inside: Inside::new(org, net::HOST),
            seen: Arc::default(),
            lot: None,
        },
        rules: if with_deals { kept.rules.clone() } else { kept.of_leads.clone() },
        ledger,
        refresh_token,
        proposer_token,
        schemas: pull.schemas(&["Lead", "Opportunity"]),
        named: Default::default(),
    }
}
