//! Many seeds in several processes, and what they reached together.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    ops::Range,
    process::{Child, Command, ExitCode, Stdio},
    time::Instant,
};

use serde_json::Value;

use crate::Bent;

/// What is asked for on the command line.
pub enum Wish {
    /// Another test was named.
    Nothing,
    /// Play these and print a line for each.
    Work { seeds: std::iter::StepBy<Range<u64>> },
    /// Play one and print its trace.
    One { seed: u64 },
    /// Play many in several processes.
    Many(Many),
}

/// How many, from which one on.
pub struct Many {
    pub first: u64,
    pub seeds: u64,
    pub processes: u64,
    /// How many of them are played a second time, to compare the traces.
    pub twice: u64,
    /// Stop at the first one that fails, and say how many it took.
    pub until_found: bool,
}

/// Processes at once.
const PROCESSES: u64 = 2;

/// Must be reached by somebody in a full run: a path that is not reached is not tested.
const REQUIRED: &[&str] = &[
    "a new leader finished what an old one sent",
    "an old daemon was fenced",
    "fault: 503 after the effect",
    "fault: 503 before the effect",
    "fault: a leader stands still",
    "fault: a second daemon took the lead",
    "fault: clock skew",
    "fault: crash at commit",
    "fault: crash at committed",
    "fault: crash at opened",
    "fault: crash at reply",
    "fault: crash at request",
    "fault: fails at commit",
    "fault: fails at committed",
    "fault: down for days",
    "fault: killed",
    "fault: not connected",
    "fault: reply lost after the effect",
    "fault: request carried out late",
    "fault: request limit",
    "fault: request lost",
    "fault: row locked",
    "fault: somebody acts between our read and our write",
    "fault: stream Cut",
    "fault: stream Gap",
    "fault: stream Garbled",
    "fault: stream Overflow",
    "fault: stream PlaceRefused",
    "fault: stream Twice",
    "fault: stream opened late",
    "fault: token expired",
    "late copies that arrived",
    "people: Approved",
    "people: Rejected",
    "people: a change seconds after the approval",
    "people: a decision taken back",
    "people: a lead converted",
    "people: a proposal edited",
    "people: a record deleted",
    "people: an agent tried to approve",
    "people: edited and put back",
    "people: edited while an outcome was not known",
    "people: froze or unfroze",
    "people: proposed by command, landed",
    "people: put back after the approval",
    "refused by the org: proposer",
    "rest: waited for another try",
    "seeds whose last change no sweep followed",
    "sent: a promotion again",
    "sent: a void",
    "sent: a void again",
    "state: intended -> sent",
    "state: sent -> done",
    "state: sent -> intended",
    "state: sent -> stale",
    "state: sent -> unknown",
    "state: sent -> voiding",
    "state: unknown -> done",
    "state: unknown -> intended",
    "state: unknown -> voiding",
    "state: voiding -> stale",
    "story: a copy that was held up",
    "story: a last change and a crash",
    "story: a last change before the stream opens",
    "story: a last change, Garbled",
    "story: a last change, Overflow",
    "story: proposed, approved, worked on",
];

/// Seeds of the test command. Fewer may miss something rare.
const FULL_RUN: u64 = 1000;

impl Wish {
    pub fn read(words: Vec<String>) -> Self {
        let number = |name: &str| {
            let place = words.iter().position(|word| word == name)?;
            Some(words.get(place + 1)?.parse::<u64>().expect("a number"))
        };
        if let (Some(from), Some(to), Some(by)) = (number("--from"), number("--to"), number("--by")) {
            let by = usize::try_from(by).expect("a small number");
            return Self::Work { seeds: (from..to).step_by(by) };
        }
        if let Some(seed) = number("--seed") {
            return Self::One { seed };
        }
        // What `cargo test NAME` passes on is a test of another target.
        let named =
            words.first().is_some_and(|word| !word.starts_with("--") && !"schedules".contains(word.as_str()));
        if named || words.iter().any(|word| word == "--list") {
            return Self::Nothing;
        }
        let seeds = number("--seeds").unwrap_or(FULL_RUN);
        Self::Many(Many {
            first: number("--first").unwrap_or(1),
            seeds,
            processes: number("--processes").unwrap_or(PROCESSES),
            twice: number("--twice").unwrap_or(seeds / 50),
            until_found: words.iter().any(|word| word == "--until-found"),
        })
    }
}

/// A private folder, in memory where there is one.
pub fn folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let made = tempfile::Builder::new().prefix("schedule").tempdir_in(memory);
    made.or_else(|_| tempfile::tempdir()).expect("a folder")
}

#[derive(Default)]
struct Told {
    hashes: BTreeMap<u64, String>,
    cover: BTreeMap<String, u64>,
    wrong: BTreeMap<u64, Vec<String>>,
    simulated: u64,
    without_sweeps: u64,
}

impl Told {
    fn take(&mut self, line: &Value) {
        let seed = line["seed"].as_u64().expect("a seed");
        self.hashes.insert(seed, line["hash"].as_str().expect("a hash").to_owned());
        self.simulated += line["seconds"].as_u64().unwrap_or(0);
        self.without_sweeps += u64::from(line["sweeps"] == false);
        for (what, times) in line["cover"].as_object().into_iter().flatten() {
            *self.cover.entry(what.clone()).or_insert(0) += times.as_u64().unwrap_or(0);
        }
        let wrong: Vec<String> = serde_json::from_value(line["wrong"].clone()).expect("words");
        if !wrong.is_empty() {
            self.wrong.insert(seed, wrong);
        }
    }
}

fn worker((many, bent): (&Many, &Bent), number: u64, seeds: u64) -> Child {
    let own = std::env::current_exe().expect("a path");
    let number_of = |value: u64| value.to_string();
    Command::new(own)
        .args(["--from", &number_of(many.first + number), "--to", &number_of(many.first + seeds)])
        .args(["--by", &number_of(many.processes)])
        .args(bent.words())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process")
}

/// Plays seeds in several processes; the lines come in no order.
fn gather((many, bent): (&Many, &Bent), seeds: u64) -> (Told, bool) {
    let (lines, told) = std::sync::mpsc::channel();
    let mut children: Vec<Child> =
        (0..many.processes.min(seeds)).map(|number| worker((many, bent), number, seeds)).collect();
    for child in &mut children {
        let (out, lines) = (child.stdout.take().expect("piped"), lines.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if let Ok(line) = serde_json::from_str::<Value>(&line) {
                    // Nobody listens any more once something was found.
                    let _ = lines.send(line);
                }
            }
        });
    }
    drop(lines);
    let mut all = Told::default();
    for line in told {
        all.take(&line);
        if many.until_found && !all.wrong.is_empty() {
            break;
        }
    }
    let mut ended = true;
    for child in &mut children {
        if many.until_found {
            let _ = child.kill();
        }
        ended &= child.wait().is_ok_and(|status| status.success());
    }
    (all, ended)
}

/// Plays many seeds and judges them.
pub fn many(many: &Many, bent: &Bent) -> ExitCode {
    let began = Instant::now();
    let (told, ended) = gather((many, bent), many.seeds);
    let seconds = began.elapsed().as_secs();
    let played = told.hashes.len();
    if many.until_found {
        println!(
            "{{\"found\": {}, \"seeds\": {played}, \"seconds\": {seconds}}}",
            !told.wrong.is_empty() || !ended
        );
        if let Some((seed, wrong)) = told.wrong.first_key_value() {
            eprintln!("seed {seed}: {}", wrong.join("; "));
        }
        return ExitCode::SUCCESS;
    }
    let mut good = ended;
    for (seed, wrong) in told.wrong.iter().take(10) {
        println!(
            "seed {seed} FAILED: {}\n  again: cargo test --test schedules -- --seed {seed}",
            wrong.join("\n  ")
        );
    }
    good &= told.wrong.is_empty() && played as u64 == many.seeds;
    let (again, _) = gather((many, bent), many.twice);
    for (seed, hash) in &again.hashes {
        if told.hashes.get(seed) != Some(hash) {
            println!("seed {seed} has another trace the second time: {hash}, {:?}", told.hashes.get(seed));
            good = false;
        }
    }
    for (what, times) in &told.cover {
        println!("{times:>9}  {what}");
    }
    if told.without_sweeps.abs_diff(many.seeds - told.without_sweeps) > 1 {
        println!("half of the seeds must go without sweeps: {} of {} do", told.without_sweeps, many.seeds);
        good = false;
    }
    if many.seeds >= FULL_RUN {
        for what in REQUIRED.iter().filter(|what| !told.cover.contains_key(**what)) {
            println!("NOT REACHED: {what}");
            good = false;
        }
    }
    println!(
        "schedules: {played} seeds from {}, {} without sweeps, {} simulated hours, {seconds} s; {} played twice; {} failed",
        many.first,
        told.without_sweeps,
        told.simulated / 3600,
        again.hashes.len(),
        told.wrong.len()
    );
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
