//! What all parts of one schedule share: its randomness, its org, its clocks, its trace.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use countersign::{
    clock::Clock,
    simulator::{Org, Seed, seed},
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use crate::{net::Fate, orglog::OrgLog, plan::Plan};

/// When every schedule begins.
pub const START: &str = "2026-03-02T09:00:00Z";

/// A record that people and agents work on.
#[derive(Debug, Clone)]
pub struct Subject {
    pub object: &'static str,
    pub id: String,
}

/// A call that the network held back; it is carried out later.
#[derive(Debug)]
pub struct Late {
    pub method: String,
    pub uri: String,
    pub body: Vec<u8>,
}

/// One schedule's world, without its daemons.
#[derive(Debug)]
pub struct Scene {
    pub rng: StdRng,
    pub org: Org,
    pub clock: Clock,
    /// Clocks of daemons; they run with the org's, some seconds apart.
    pub others: Vec<Clock>,
    pub log: OrgLog,
    pub plan: Plan,
    pub late: Vec<Late>,
    /// What happens to the next writes of promotions and voids, before chance decides again.
    pub fates: Vec<Fate>,
    pub subjects: Vec<Subject>,
    pub faults: bool,
    pub proposals: u32,
    pub frozen: bool,
    /// An event was lost on purpose, and no sweep has made up for it yet: the next start orders one.
    pub owed: bool,
    /// That was since the last step of the engine.
    pub owed_anew: bool,
    /// A sweep has run since the last change, asked for or because the stream told of a gap.
    pub swept: bool,
    pub cover: BTreeMap<String, u64>,
    /// Requests that left, by the mark that they carry.
    pub sends: BTreeMap<String, u64>,
    pub wrong: Vec<String>,
    pub passed: Duration,
    trace: Vec<String>,
    hash: u64,
    loud: bool,
}

/// A scene that several parts hold.
#[derive(Debug, Clone)]
pub struct Shared(Arc<Mutex<Scene>>);

impl Shared {
    /// A fresh org with a few records, people who may decide, and nobody who listens yet.
    pub fn start(
        seed: u64,
        (package, plan): (countersign::simulator::metadata::Package, Plan),
        loud: bool,
    ) -> Self {
        countersign::clock::seed(seed);
        let clock = Clock::manual(START.parse().expect("a moment"));
        let options = countersign::simulator::OrgOptions::new(clock.clone(), package);
        let org = Org::new(options).expect("the shipped package deploys");
        seed::plant(&org, Seed::Leads(usize::from(plan.leads))).expect("plain leads");
        let subjects = org
            .rows("Lead", false)
            .iter()
            .filter_map(|row| row.get("Id")?.as_text().map(str::to_owned))
            .map(|id| Subject { object: "Lead", id })
            .collect();
        if plan.auto {
            assert!(org.set_setting("Lead_Status_Auto__c", true), "the package has the switch");
        }
        let mut scene = Scene {
            rng: StdRng::seed_from_u64(seed),
            log: OrgLog::of(&org),
            org,
            clock,
            others: Vec::new(),
            plan,
            late: Vec::new(),
            fates: Vec::new(),
            subjects,
            faults: true,
            proposals: 0,
            frozen: false,
            owed: false,
            owed_anew: false,
            swept: false,
            cover: BTreeMap::new(),
            sends: BTreeMap::new(),
            wrong: Vec::new(),
            passed: Duration::ZERO,
            trace: Vec::new(),
            hash: 0xcbf2_9ce4_8422_2325,
            loud,
        };
        scene.plant_deals();
        Self(Arc::new(Mutex::new(scene)))
    }

    pub fn lock(&self) -> MutexGuard<'_, Scene> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scene {
    /// Whether something of this chance (in a thousand) happens.
    pub fn chance(&mut self, of_thousand: u32) -> bool {
        self.rng.random_range(0..1000) < of_thousand
    }

    /// One of these.
    pub fn one_of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.rng.random_range(0..list.len())].clone()
    }

    /// A line of the trace. What differs between two runs of one seed has no place in it.
    pub fn say(&mut self, line: impl Into<String>) {
        let line = line.into();
        for byte in line.bytes().chain([b'\n']) {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if self.loud {
            println!("{} {line}", self.clock.now());
        }
        self.trace.push(line);
    }

    /// Something that must be reached by some schedule was reached.
    pub fn reached(&mut self, what: impl Into<String>) {
        *self.cover.entry(what.into()).or_insert(0) += 1;
    }

    /// A promise that was not kept.
    pub fn broken(&mut self, what: String) {
        self.say(format!("BROKEN {what}"));
        self.wrong.push(what);
    }

    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Takes what the org has committed since the last look.
    pub fn follow_org(&mut self) {
        let org = self.org.clone();
        for told in self.log.take(&org) {
            self.say(told);
        }
    }

    /// An event was lost on purpose.
    pub fn owes(&mut self) {
        self.owed = true;
        self.owed_anew = true;
    }

    /// Time goes on, for the org and for every daemon.
    pub fn pass(&mut self, time: Duration) {
        self.follow_org();
        self.clock.advance(time);
        for other in &self.others {
            other.advance(time);
        }
        self.passed += time;
        self.say(format!("{} s pass", time.as_secs()));
    }

    /// A daemon's clock, up to a minute away from the org's.
    pub fn new_clock(&mut self) -> Clock {
        let skew = if self.plan.skewed { self.rng.random_range(-60_000..=60_000) } else { 0 };
        let now = self.clock.now() + jiff::SignedDuration::from_millis(skew);
        let clock = Clock::manual(now);
        self.others.push(clock.clone());
        if skew != 0 {
            self.reached("fault: clock skew");
        }
        clock
    }
}
