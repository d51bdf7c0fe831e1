//! What chance alone brings about too seldom: a proposal that goes the straight way, and a last change
//! that is recorded or worked on while the daemon ends.

use rand::Rng as _;

use super::Run;

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

    /// The last change of the schedule, after which no event tells of its record any more: the daemon
    /// ends somewhere between its event and what follows from it.
    pub(super) async fn last_change(&mut self) {
        if !self.alive().await {
            return;
        }
        let after = {
            let mut scene = self.scene.lock();
            let subject = scene.subject();
            scene.propose(&subject);
            scene.swept = false;
            scene.rng.random_range(0..14)
        };
        self.points.crash_after(after);
        self.pump().await;
        self.step().await;
        self.points.forget();
        self.scene.lock().reached("story: a last change and a crash");
    }
}
