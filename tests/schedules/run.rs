//! One schedule: things happen one after another, in an order that follows from the seed.

mod beside;
mod story;

use std::{
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use countersign::{
    ledger::Ledger,
    salesforce::Writer,
    workflow::{Context, WorkflowError},
};
use rand::Rng as _;

use crate::{
    check,
    crashes::Points,
    daemon::{Daemon, Kit},
    feed::Delivery,
    scene::Shared,
};

/// What a step of the engine gives.
type Stepping = Pin<Box<dyn Future<Output = Result<bool, WorkflowError>>>>;

/// A daemon that lost the lead and does not know it yet.
struct Old {
    daemon: Daemon,
    /// A step that stands still in the middle.
    step: Option<Stepping>,
}

/// Nothing in a schedule takes this long; whoever waits longer waits for ever.
const HANGS_AFTER: Duration = Duration::from_secs(60);
/// How much time passes at once while something waits for another try.
const WAIT: Duration = Duration::from_secs(60);
/// The engine's rounds until it must have come to rest.
const MOST_ROUNDS: u32 = 120;

/// A schedule under way.
pub struct Run {
    pub kit: Kit,
    pub scene: Shared,
    points: Arc<Points>,
    daemon: Option<Daemon>,
    old: Vec<Old>,
    desk: Option<(Context, Writer)>,
    look: Option<Ledger>,
    since_sweep: Duration,
}

impl Run {
    pub fn new(kit: Kit) -> Self {
        let scene = kit.net.scene.clone();
        let points = Points::watch(scene.clone());
        Self {
            kit,
            scene,
            points,
            daemon: None,
            old: Vec::new(),
            desk: None,
            look: None,
            since_sweep: Duration::ZERO,
        }
    }

    /// The whole schedule.
    pub async fn play(&mut self) {
        let steps = self.scene.lock().plan.steps;
        for step in 0..steps {
            self.happens().await;
            if step % 14 == 13 {
                self.rest(false).await;
            }
        }
        self.last_change().await;
        self.rest(true).await;
    }

    /// Does it unless the daemon crashes meanwhile.
    async fn guarded<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let work = tokio::time::timeout(HANGS_AFTER, work);
        tokio::select! {
            biased;
            () = self.points.hit.notified() => None,
            done = work => Some(done.expect("nothing waits for ever")),
        }
    }

    async fn happens(&mut self) {
        let pick = self.scene.lock().rng.random_range(0..100);
        match pick {
            0..30 => self.scene.lock().people_act(),
            30..50 => self.work().await,
            50..53 => self.straight_way().await,
            53..56 => self.late_copy().await,
            56..61 => self.step().await,
            61..69 => self.pump().await,
            69..76 => self.time_passes().await,
            76..82 => {
                let after = self.scene.lock().rng.random_range(0..40);
                self.points.crash_after(after);
            }
            82..85 => {
                let after = self.scene.lock().rng.random_range(0..12);
                self.points.fail_after(after);
            }
            85..87 => self.kill(),
            87..89 => self.take_over().await,
            89..92 => self.old_go_on().await,
            92..94 => self.kit.net.late_arrive().await,
            94..98 => self.submit().await,
            _ => self.freeze().await,
        }
    }

    /// As in quiet times: what happened is delivered and worked on at once.
    async fn work(&mut self) {
        for _ in 0..2 {
            self.pump().await;
            self.step().await;
        }
    }

    fn kill(&mut self) {
        if self.daemon.take().is_some() {
            let mut scene = self.scene.lock();
            scene.say("the daemon is killed");
            scene.reached("fault: killed");
            drop(scene);
            self.long_outage();
        }
    }

    /// Sometimes nobody starts it again for days: approvals grow too old, and places expire.
    fn long_outage(&self) {
        let mut scene = self.scene.lock();
        if scene.chance(150) {
            scene.pass(Duration::from_secs(4 * 24 * 3600));
            scene.people_act();
            scene.reached("fault: down for days");
        }
    }

    async fn alive(&mut self) -> bool {
        if self.daemon.is_some() {
            return true;
        }
        match self.guarded(self.kit.start()).await {
            Some(Ok(daemon)) => {
                let sweeps = {
                    let mut scene = self.scene.lock();
                    scene.say(format!("a daemon leads with epoch {}", daemon.epoch));
                    scene.plan.sweeps || scene.owed
                };
                if sweeps {
                    daemon.waker.ask_sweep();
                    self.since_sweep = Duration::ZERO;
                }
                self.daemon = Some(daemon);
            }
            Some(Err(error)) => {
                let code =
                    error.downcast_ref::<WorkflowError>().map_or("other", |error| error.code()).to_owned();
                self.scene.lock().say(format!("a daemon does not start: {code}"));
            }
            None => self.scene.lock().say("a daemon crashed while it started"),
        }
        if self.look.is_none()
            && let Ok(ledger) = Kit::look(&self.kit.ledger).await
        {
            let _ = self.kit.net.seen.set(ledger.clone());
            self.look = Some(ledger);
        }
        self.daemon.is_some()
    }

    async fn pump(&mut self) {
        if !self.alive().await {
            return;
        }
        let (most, how) = {
            let mut scene = self.scene.lock();
            let how = match scene.rng.random_range(0..100) {
                _ if !scene.faults => Delivery::Plain,
                0..4 => Delivery::Twice,
                4..8 => Delivery::Cut,
                8..11 => Delivery::Garbled,
                11..13 => Delivery::PlaceRefused,
                13..16 => Delivery::Gap,
                16..18 => Delivery::Overflow,
                _ => Delivery::Plain,
            };
            if how != Delivery::Plain {
                scene.reached(format!("fault: stream {how:?}"));
            }
            (scene.rng.random_range(1..6), how)
        };
        let late = how == Delivery::PlaceRefused && self.scene.lock().chance(600);
        let Some(daemon) = &self.daemon else { return };
        if late {
            daemon.feed.hold();
        }
        if self.guarded(daemon.pump(most, how)).await.is_none() {
            self.daemon = None;
        }
        self.open_late().await;
    }

    /// A stream that starts at the newest event is opened only after the world went on.
    async fn open_late(&mut self) {
        let Some(feed) = self.daemon.as_ref().map(|daemon| Arc::clone(&daemon.feed)) else { return };
        if !feed.is_held() {
            return;
        }
        self.step().await;
        for _ in 0..3 {
            self.scene.lock().people_act();
        }
        feed.let_open();
        if let Some(daemon) = &self.daemon
            && self.guarded(daemon.listens()).await.is_none()
        {
            self.daemon = None;
        }
    }

    async fn time_passes(&mut self) {
        let seconds = {
            let mut scene = self.scene.lock();
            match scene.rng.random_range(0..100) {
                0..60 => scene.rng.random_range(1..90),
                60..90 => scene.rng.random_range(300..7200),
                90..97 => scene.rng.random_range(20_000..100_000),
                _ => scene.rng.random_range(270_000..500_000),
            }
        };
        let time = Duration::from_secs(seconds);
        self.scene.lock().pass(time);
        self.since_sweep += time;
        let sweeps = self.scene.lock().plan.sweeps;
        if sweeps
            && self.since_sweep >= Duration::from_secs(300)
            && let Some(daemon) = &self.daemon
        {
            daemon.waker.ask_sweep();
            self.since_sweep = Duration::ZERO;
        }
    }

    async fn step(&mut self) {
        if !self.alive().await {
            return;
        }
        let Some(daemon) = self.daemon.take() else { return };
        let park = self.scene.lock().chance(120);
        if park && self.scene.lock().faults {
            daemon.lot.want();
        }
        let engine = Arc::clone(&daemon.engine);
        let mut step: Stepping = Box::pin(async move { engine.step().await });
        let lot = Arc::clone(&daemon.lot);
        let either = async {
            tokio::select! {
                biased;
                () = lot.parked.notified() => None,
                done = &mut step => Some(done),
            }
        };
        match self.guarded(either).await {
            None => {
                self.scene.lock().say("the daemon is gone");
                self.long_outage();
            }
            Some(Some(done)) => {
                lot.forget();
                if self.stepped(&done) {
                    self.settle_debt(&daemon);
                    self.daemon = Some(daemon);
                }
            }
            Some(None) => {
                self.scene.lock().say("a write stands still; another daemon takes the lead");
                self.scene.lock().reached("fault: a leader stands still");
                self.old.push(Old { daemon, step: Some(step) });
                self.alive().await;
            }
        }
    }

    /// Whether a sweep has made up for what was lost on purpose.
    fn settle_debt(&self, daemon: &Daemon) {
        let sweeps = daemon.engine.health().borrow().sweeps;
        let mut scene = self.scene.lock();
        if daemon.swept.swap(sweeps, Ordering::SeqCst) != sweeps {
            scene.swept = true;
            scene.owed &= scene.owed_anew;
        }
        scene.owed_anew = false;
    }

    /// Tells a step; false when the daemon cannot go on.
    fn stepped(&self, done: &Result<bool, WorkflowError>) -> bool {
        let mut scene = self.scene.lock();
        match done {
            Ok(busy) => {
                scene.say(format!("a step: {}", if *busy { "busy" } else { "idle" }));
                true
            }
            Err(error) => {
                scene.say(format!("a step failed: {}", error.code()));
                scene.reached(format!("step failed: {}", error.code()));
                // A leader in doubt leads again or goes; here it goes.
                !error.ends_the_process() && error.code() != "ledger-in-doubt"
            }
        }
    }

    async fn take_over(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            self.scene.lock().say("another daemon takes the lead; the old one goes on");
            self.scene.lock().reached("fault: a second daemon took the lead");
            self.old.push(Old { daemon, step: None });
            self.alive().await;
        }
    }

    async fn old_go_on(&mut self) {
        let Some(mut old) = self.old.pop() else { return };
        self.scene.lock().say("the old daemon goes on");
        let step: Stepping = match old.step.take() {
            Some(step) => {
                old.daemon.lot.release.notify_one();
                step
            }
            None => {
                let engine = Arc::clone(&old.daemon.engine);
                self.guarded(old.daemon.pump(3, Delivery::Plain)).await;
                Box::pin(async move { engine.step().await })
            }
        };
        let Some(done) = self.guarded(step).await else { return };
        if self.stepped(&done) {
            self.old.push(Old { daemon: old.daemon, step: None });
        } else {
            self.scene.lock().reached("an old daemon was fenced");
        }
    }

    /// Nothing goes wrong any more, and everything that was begun comes to its end.
    async fn rest(&mut self, end: bool) {
        self.scene.lock().say("-- rest");
        self.scene.lock().faults = false;
        self.points.forget();
        while !self.old.is_empty() {
            self.old_go_on().await;
            if self.scene.lock().chance(300) {
                self.old.pop();
            }
        }
        if self.scene.lock().chance(500) {
            self.kit.net.late_arrive().await;
        }
        if self.desk.is_some() && self.scene.lock().frozen {
            self.freeze().await;
            // What waited is judged again at the next sweep.
            self.sweep().await;
        }
        self.until_idle().await;
        self.kit.net.late_arrive().await;
        self.until_idle().await;
        if end {
            if !self.scene.lock().swept {
                self.scene.lock().reached("seeds whose last change no sweep followed");
            }
            check::nothing_was_lost(self).await;
            // A proposal by command that never landed is given up after a while.
            self.scene.lock().pass(Duration::from_secs(200));
            self.sweep().await;
            self.until_idle().await;
        }
        check::promises(self, end).await;
        self.scene.lock().faults = true;
    }

    /// Orders a sweep and lets it run.
    pub async fn sweep(&mut self) {
        if self.alive().await
            && let Some(daemon) = &self.daemon
        {
            daemon.waker.ask_sweep();
        }
        self.until_idle().await;
    }

    async fn until_idle(&mut self) {
        let (mut idle, mut failures) = (0, 0);
        for _ in 0..MOST_ROUNDS {
            let mut moved = false;
            if !self.alive().await {
                failures += 1;
            }
            let Some(daemon) = &self.daemon else { continue };
            while self.guarded(daemon.pump(50, Delivery::Plain)).await == Some(true) {
                moved = true;
            }
            let done = daemon.engine.step().await;
            match &done {
                Ok(busy) => moved |= *busy,
                Err(_) => failures += 1,
            }
            if self.stepped(&done) {
                self.settle_debt(daemon);
            } else {
                self.daemon = None;
            }
            idle = if moved { 0 } else { idle + 1 };
            if idle < 2 || done.is_err() {
                continue;
            }
            if !self.waits_for_another_try().await {
                return;
            }
            // The pauses between two tries are part of how it comes to rest.
            self.scene.lock().pass(WAIT);
            self.scene.lock().reached("rest: waited for another try");
        }
        self.scene.lock().broken(format!("L1: no rest after {MOST_ROUNDS} rounds and {failures} failures"));
    }

    /// Whether a promotion or a notice has not ended.
    async fn waits_for_another_try(&self) -> bool {
        let Some(ledger) = &self.look else { return false };
        let promotions = ledger.open_promotions(1).await.expect("the ledger can be read");
        let notices = ledger.open_notices(1).await.expect("the ledger can be read");
        !promotions.is_empty() || !notices.is_empty()
    }

    /// The ledger, for looking.
    pub fn look(&self) -> Option<&Ledger> {
        self.look.as_ref()
    }
}
