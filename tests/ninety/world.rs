//! The org, one daemon with its jobs at their slots, and the desk at which agents propose.

use std::{collections::BTreeMap, time::Duration};

use countersign::{
    config::{policies, timetable::Timetable},
    domain::{FieldValue, job::Job, shadow::who::Named},
    gate::{Outcome, Rules},
    jobs::{
        keeper::{self, Plan as JobPlan},
        work::Work,
    },
    ledger::Place,
    salesforce::{Writer as OrgWriter, names},
    simulator::{WriteOp, WriteOptions, WriteRow, metadata::Package, pubsub::Pull, server::Inside},
    workflow::{
        Context,
        promote::Promoter,
        propose::{self, Submitted},
        reconcile::Options,
        submission::Submission,
        totals::Totals,
    },
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Map, Value, json};

use crate::{
    cast::{DEALS, IMPORTER, LEADS, SYNC, Writer},
    daemon::{Daemon, Kit},
    diary::{Diary, Proposed, Said},
    feed::Delivery,
    history::History,
    net::{HOST, Net},
    plan::Plan,
    said,
    scene::Shared,
    story::Act,
};

/// When jobs are due, in UTC. Those of the shadow lanes and of the org's drift are as shipped.
const SLOTS: [(Job, &str); 4] = [
    (Job::Decay, "0 6 * * *"),
    (Job::Reconcile, "30 2 * * *"),
    (Job::Drift, "10 5 * * *"),
    (Job::Shadow, "25 * * * *"),
];
/// Slots that a sweep comes before.
const SWEEPS: [(i8, i8); 4] = [(2, 30), (6, 0), (12, 25), (18, 25)];
/// Rounds after which everything must have come to rest.
const MOST_ROUNDS: u32 = 60;

/// The world of one seed.
pub struct World {
    pub shared: Shared,
    pub rng: StdRng,
    pub history: History,
    pub diary: Diary,
    pub leads: Vec<String>,
    pub deals: Vec<String>,
    /// What will happen, and when.
    pub agenda: BTreeMap<(Timestamp, u64), Act>,
    pub context: Context,
    daemon: Daemon,
    work: Work,
    plans: Vec<JobPlan>,
    desk: (Context, OrgWriter),
    acts: u64,
    sent: u64,
    /// When the story began.
    pub began: Timestamp,
}

/// The org's package, with a channel that carries every change of a lead. That of opportunities is as
/// shipped: it carries those with the flag.
fn package() -> Package {
    let mut package = Package::embedded().expect("the shipped package");
    let wide = package.channel_members.iter_mut().find(|member| member.entity == "LeadChangeEvent");
    wide.expect("leads have a channel").filter = None;
    package
}

fn rules() -> Rules {
    let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ninety/policies"));
    Rules::new(policies::load(Some(folder)).expect("the story's policies")).expect("rules")
}

impl World {
    /// A fresh org, and a daemon that leads.
    pub async fn start(seed: u64, ledger: &std::path::Path, loud: bool) -> Self {
        let plan = Plan {
            steps: 0,
            leads: LEADS,
            deals: DEALS,
            rough: 0,
            hot: 0,
            sweeps: true,
            auto: true,
            skewed: false,
        };
        let shared = Shared::start(seed, (package(), plan), loud);
        shared.lock().faults = false;
        assert!(shared.lock().org.make_program(IMPORTER.role), "a seeded user");
        let kit = kit(&shared, ledger);
        let (daemon, (context, promoter)) = kit
            .start_beside(|context, way| (context.clone(), OrgWriter::new(way.clone())))
            .await
            .expect("a daemon");
        let clock = shared.lock().clock.clone();
        let way = |token: &str| kit.connection(kit.net.clone(), (token, &clock));
        // As every command: it looks with the daemon's user and writes with the proposer's.
        let desk = kit.context(&way(&kit.refresh_token), &clock).await.expect("a desk");
        let desk = (desk, OrgWriter::new(way(&kit.proposer_token)));
        let org = shared.lock().org.clone();
        let of = |object: &str| {
            let subjects = shared.lock().subjects.clone();
            subjects.into_iter().filter(|it| it.object == object).map(|it| it.id).collect::<Vec<_>>()
        };
        let mut world = Self {
            leads: of("Lead"),
            deals: of("Opportunity"),
            rng: StdRng::seed_from_u64(seed ^ 0x0009_0000),
            history: History::of(&org),
            diary: Diary::default(),
            agenda: BTreeMap::new(),
            work: work(&context, promoter),
            plans: plans(),
            acts: 0,
            sent: 0,
            began: clock.now(),
            context,
            daemon,
            desk,
            shared,
        };
        world.daemon.waker.ask_sweep();
        world.settle().await;
        world
    }

    pub fn now(&self) -> Timestamp {
        self.shared.lock().clock.now()
    }

    /// The day of the story, from 0.
    pub fn day(&self) -> i64 {
        self.now().duration_since(self.began).as_hours() / 24
    }

    /// Whether something of this chance, in a thousand, happens.
    pub fn chance(&mut self, of_thousand: u32) -> bool {
        self.rng.random_range(0..1000) < of_thousand
    }

    pub fn one_of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.rng.random_range(0..list.len())].clone()
    }

    /// Puts something on the agenda. People do nothing at a full minute, where jobs have their slots.
    pub fn later(&mut self, at: Timestamp, act: Act) {
        let second = i64::from(self.rng.random_range(1..60_u8));
        let at = Timestamp::from_second(at.as_second() / 60 * 60 + second).expect("a moment");
        self.at(at, act);
    }

    pub fn in_minutes(&mut self, from: i64, to: i64, act: Act) {
        let minutes = self.rng.random_range(from..to);
        let at = self.now() + SignedDuration::from_mins(minutes);
        self.later(at, act);
    }

    fn at(&mut self, at: Timestamp, act: Act) {
        self.acts += 1;
        self.agenda.insert((at, self.acts), act);
    }

    /// The slots of all jobs up to then.
    pub fn plan_slots(&mut self, until: Timestamp) {
        let mut slots = std::collections::BTreeSet::new();
        for timetable in self.plans.iter().filter_map(|plan| plan.timetable.as_ref()) {
            let mut now = self.now();
            while let Some(slot) = timetable.next(now).filter(|slot| *slot <= until) {
                slots.insert(slot);
                now = slot;
            }
        }
        for slot in slots {
            self.at(slot, Act::Wake);
        }
    }

    pub fn pass_to(&self, at: Timestamp) {
        let time = at.duration_since(self.now());
        let time = Duration::try_from(time).expect("time goes on");
        if !time.is_zero() {
            self.shared.lock().pass(time);
        }
    }

    /// The alarm: whatever job has a slot now runs. Some times a day a sweep comes first; the daemon makes
    /// one every five minutes, which would find nothing more here.
    pub async fn wake(&mut self) {
        let wall = self.now().to_zoned(TimeZone::UTC);
        if SWEEPS.contains(&(wall.hour(), wall.minute())) {
            self.daemon.waker.ask_routine_sweep();
            self.settle().await;
            self.diary.sweeps.push(self.now());
        }
        let now = self.now();
        // The daemon asks for each job each minute; what has no slot now was served.
        let due =
            |plan: &&JobPlan| plan.timetable.as_ref().is_none_or(|table| table.newest(now) == Some(now));
        for plan in self.plans.iter().filter(due) {
            if keeper::serve(&self.work, plan).await.expect("a job that runs") {
                self.diary.slots.push((plan.job.name(), now));
                let last = self.context.ledger.job_runs(plan.job, 1).await.expect("the ledger can be read");
                let end = last.first().and_then(|known| known.end.as_ref()).expect("it ended");
                assert_eq!(end.result, "done", "{} at {now}", plan.job);
            }
        }
        self.settle().await;
    }

    /// Delivers events and steps until nothing is left to do.
    pub async fn settle(&mut self) {
        for _ in 0..MOST_ROUNDS {
            let mut moved = false;
            while self.daemon.pump(200, Delivery::Plain).await {
                moved = true;
            }
            moved |= self.daemon.engine.step().await.expect("a step that works");
            if !moved {
                let org = self.shared.lock().org.clone();
                self.history.follow(&org);
                let at = self.now();
                let said = said::take().into_iter().map(|(code, user)| Said { at, code, user });
                self.diary.said.extend(said);
                return;
            }
        }
        panic!("no rest at {}", self.now());
    }

    /// One call with a row for each record; whether each was saved.
    pub fn save(&mut self, who: Writer, rows: &[(&'static str, String, Value)]) -> Vec<bool> {
        let mut scene = self.shared.lock();
        let org = scene.org.clone();
        let user = org.user(who.role).expect("a seeded user");
        let options = WriteOptions {
            origin_client: Some(who.client.to_owned()),
            api: who.api,
            ..WriteOptions::default()
        };
        let row = |(object, id, fields): &(&'static str, String, Value)| WriteRow {
            op: WriteOp::Update,
            object: (*object).to_owned(),
            id: Some(id.clone()),
            fields: fields.as_object().cloned().unwrap_or_else(Map::new),
        };
        let results = org.write(&user, &options, rows.iter().map(row).collect());
        for (result, (_, id, fields)) in results.iter().zip(rows) {
            let words = result.errors.first().map_or("", |error| error.code.as_str());
            scene.say(format!("{} ({}) on {id}: {fields} {words}", who.role, who.client));
        }
        drop(scene);
        self.history.follow(&org);
        results.iter().map(|result| result.errors.is_empty()).collect()
    }

    /// What a record holds now.
    pub fn holds(&self, object: &str, id: &str, field: &str) -> String {
        let row = self.shared.lock().org.row(object, id);
        let value = row.as_ref().and_then(|row| row.get(field));
        value.map_or_else(String::new, |value| {
            value.as_text().map_or_else(|| value.to_string(), str::to_owned)
        })
    }

    /// Whether a proposal stands on a record and waits.
    pub fn pending(&self, object: &str, id: &str) -> bool {
        let row = self.shared.lock().org.row(object, id);
        row.and_then(|row| row.get(names::PENDING).map(FieldValue::as_bool)).unwrap_or(false)
    }

    /// The number of the next proposal.
    pub fn next_number(&mut self) -> u64 {
        self.sent += 1;
        self.sent
    }

    /// An agent sends a proposal. `None`: the gate refuses it.
    pub async fn submit(&mut self, wanted: Proposed, confidence: &str) -> Option<Proposed> {
        let body = json!({ "proposal_id": wanted.id, "object": wanted.object, "record_id": wanted.record,
            "patch": { wanted.field: wanted.value }, "confidence": confidence.parse::<serde_json::Number>().expect("a number"),
            "actor": { "agent": wanted.agent.name, "version": wanted.agent.version } });
        let submission = Submission::parse(&body.to_string()).expect("a proposal in the right form");
        let answer = propose::submit(&self.desk.0, &self.desk.1, &submission).await.expect("an answer");
        let went_on = match answer {
            Submitted::Landed(_) => true,
            Submitted::Refused(judged) if judged.verdict.outcome == Outcome::Shadow => false,
            Submitted::Refused(judged) => {
                let codes: Vec<_> = judged.verdict.findings.iter().map(|it| it.code.to_string()).collect();
                self.shared.lock().say(format!("{} was refused: {}", wanted.id, codes.join(", ")));
                return None;
            }
            other => panic!("{} was not taken: {other:?}", wanted.id),
        };
        let sent = Proposed { went_on, ..wanted };
        self.diary.proposed.push(sent.clone());
        Some(sent)
    }
}

fn plans() -> Vec<JobPlan> {
    let table = |job: Job| SLOTS.iter().find(|(name, _)| *name == job).map(|(_, text)| *text);
    let parse = |text: &str| Timetable::parse(text, TimeZone::UTC).expect("a timetable");
    Job::ALL
        .into_iter()
        .filter(|job| *job == Job::DecayRun || table(*job).is_some())
        .map(|job| JobPlan { job, timetable: table(job).map(parse) })
        .collect()
}

fn work(context: &Context, promoter: OrgWriter) -> Work {
    Work {
        context: context.clone(),
        promoter: Promoter::new(context.clone(), promoter.clone()),
        totals: Totals::new(context.clone(), promoter),
        objection: SignedDuration::from_hours(24),
        most_decays: 2000,
        reconcile: Options {
            bulk_above: 50_000,
            grace: SignedDuration::from_secs(120),
            stuck_after: SignedDuration::from_hours(72),
            proof_after: SignedDuration::from_mins(15),
            rates_days: 90,
            full: false,
        },
        keep_days: None,
    }
}

fn kit(shared: &Shared, ledger: &std::path::Path) -> Kit {
    let org = shared.lock().org.clone();
    let username = |who: Writer| org.user(who.role).expect("a seeded user").username;
    let token = |role: &str| org.open_refresh(&org.user(role).expect("a seeded user").user_id);
    let pull = Pull::open(org.clone(), names::TOPIC, "promoter").expect("a channel");
    Kit {
        refresh_token: token("promoter"),
        proposer_token: token("proposer"),
        net: Net {
            scene: shared.clone(),
            inside: Inside::new(org.clone(), HOST),
            seen: std::sync::Arc::default(),
            lot: None,
        },
        rules: rules(),
        ledger: Place::File(ledger.to_owned()),
        schemas: pull.schemas(&["Lead", "Opportunity"]),
        // Of the other program the org says so itself.
        named: Named::parse(&username(SYNC), "").expect("a username"),
    }
}
