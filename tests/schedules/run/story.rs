//! What chance alone brings about too seldom: a proposal that goes the straight way, a copy of a write
//! that arrives after the daemon made up its mind, and a last change while the daemon ends.

use std::sync::Arc;

use rand::Rng as _;

use super::Run;
use crate::{feed::Delivery, net::Fate};

impl Run {
    /// An agent proposes, a person approves, and each time the daemon works. Faults happen as always.
    pub(super) async fn straight_way(&mut self) {
        let subject = self.scene.lock().subject();
        self.scene.lock().propose(&subject);
        self.work().await;
        self.scene.lock().decide(&subject, "Approved");
        self.work().await;
        self.scene.lock().reached("story: proposed, approved, worked on");
    }

    /// The network holds up a copy of a promotion's write. Meanwhile a person moves the value, the daemon
    /// makes up its mind, and the value is put back; then the copy arrives.
    pub(super) async fn late_copy(&mut self) {
        let (subject, fates) = {
            let mut scene = self.scene.lock();
            let ways: [&[Fate]; 3] = [&[Fate::Late], &[Fate::Late, Fate::Lost], &[Fate::Late, Fate::Raced]];
            (scene.subject(), scene.one_of(&ways))
        };
        self.scene.lock().propose(&subject);
        self.work().await;
        let old = {
            let mut scene = self.scene.lock();
            scene.decide(&subject, "Approved");
            scene.fates = fates.to_vec();
            scene.governed_value(&subject)
        };
        self.work_off().await;
        if fates != [Fate::Late, Fate::Raced] {
            self.scene.lock().edit(&subject);
        }
        for _ in 0..3 {
            self.step().await;
        }
        {
            let mut scene = self.scene.lock();
            scene.fates.clear();
            if let Some(old) = old {
                scene.put_back(&subject, &old);
            }
            scene.reached("story: a copy that was held up");
        }
        self.kit.net.late_arrive().await;
        self.step().await;
    }

    /// Everything that happened so far is delivered and worked on in one step.
    async fn work_off(&mut self) {
        self.deliver_all().await;
        self.step().await;
    }

    async fn deliver_all(&mut self) {
        if !self.alive().await {
            return;
        }
        loop {
            let Some(daemon) = &self.daemon else { return };
            let delivered = self.guarded(daemon.pump(50, Delivery::Plain)).await;
            if delivered.is_none() {
                self.daemon = None;
            }
            if delivered != Some(true) {
                return;
            }
        }
    }

    /// The last change of the schedule, after which no event tells of its record any more: the daemon
    /// ends somewhere between its event and what follows from it, or hears of it by halves.
    pub(super) async fn last_change(&mut self) {
        self.work_off().await;
        let pick = {
            let mut scene = self.scene.lock();
            scene.swept = false;
            scene.rng.random_range(0..100)
        };
        match pick {
            0..30 => self.last_change_and_a_crash(true).await,
            30..70 => self.last_change_and_a_crash(false).await,
            70..78 => self.last_change_told_by_halves(Delivery::Overflow).await,
            78..86 => self.last_change_told_by_halves(Delivery::Garbled).await,
            _ => self.last_change_before_the_stream_opens().await,
        }
        self.step().await;
        self.points.forget();
    }

    fn propose_last(&self) {
        let mut scene = self.scene.lock();
        let subject = scene.subject();
        scene.propose(&subject);
    }

    async fn last_change_and_a_crash(&mut self, while_recorded: bool) {
        self.propose_last();
        let after = self.scene.lock().rng.random_range(0..10);
        if while_recorded {
            self.points.crash_after(after % 4);
        }
        self.deliver_all().await;
        if !while_recorded {
            self.points.crash_after(after);
        }
        self.scene.lock().reached("story: a last change and a crash");
    }

    /// The event says that there were too many to tell, or cannot be read.
    async fn last_change_told_by_halves(&mut self, how: Delivery) {
        if !self.alive().await {
            return;
        }
        self.propose_last();
        let Some(daemon) = &self.daemon else { return };
        if self.guarded(daemon.pump(50, how)).await.is_none() {
            self.daemon = None;
        }
        self.scene.lock().reached(format!("story: a last change, {how:?}"));
    }

    /// The place is refused, and the change comes before the next stream begins at the newest event.
    async fn last_change_before_the_stream_opens(&mut self) {
        if !self.alive().await {
            return;
        }
        let Some(daemon) = &self.daemon else { return };
        daemon.feed.hold();
        if self.guarded(daemon.pump(1, Delivery::PlaceRefused)).await.is_none() {
            self.daemon = None;
        }
        let Some(feed) = self.daemon.as_ref().map(|daemon| Arc::clone(&daemon.feed)) else { return };
        if !feed.is_held() {
            return;
        }
        self.step().await;
        self.propose_last();
        feed.let_open();
        if let Some(daemon) = &self.daemon
            && self.guarded(daemon.listens()).await.is_none()
        {
            self.daemon = None;
        }
        self.scene.lock().reached("story: a last change before the stream opens");
    }
}
