//! What other processes do beside the leader: proposals by command, freezes.

use countersign::{
    domain::{Freeze, Scope, event::Event},
    salesforce::Writer,
    workflow::{propose, submission::Submission},
};
use serde_json::json;

use super::Run;
use crate::scene::Scene;

impl Run {
    /// A proposal by command: another process, beside the leader.
    pub(super) async fn submit(&mut self) {
        if self.desk.is_none() {
            let clock = self.scene.lock().clock.clone();
            let connection = self.kit.connection(self.kit.net.clone(), (&self.kit.proposer_token, &clock));
            let Some(Ok(context)) = self.guarded(self.kit.context(&connection, &clock)).await else { return };
            self.desk = Some((context, Writer::new(connection)));
        }
        let Some((context, writer)) = &self.desk else { return };
        let body = {
            let mut scene = self.scene.lock();
            let subject = scene.subject();
            let (field, _, _) = Scene::lane(&subject);
            let (id, value) = (scene.new_id(), scene.other_value(&subject));
            scene.say(format!("{id} is proposed by command: {field} = {value}"));
            json!({ "proposal_id": id, "object": subject.object, "record_id": subject.id,
                "patch": { field: value }, "confidence": 0.95 })
        };
        let submission = Submission::parse(&body.to_string()).expect("a proposal in the right form");
        let told = match self.guarded(propose::submit(context, writer, &submission)).await {
            None => "killed",
            Some(Ok(propose::Submitted::Landed(_))) => "landed",
            Some(Ok(_)) => "refused",
            Some(Err(_)) => "failed",
        };
        self.scene.lock().say(format!("by command: {told}"));
        self.scene.lock().reached(format!("people: proposed by command, {told}"));
    }

    pub(super) async fn freeze(&mut self) {
        let Some((context, _)) = &self.desk else { return };
        let frozen = self.scene.lock().frozen;
        let at = self.scene.lock().clock.now();
        let by = "an example person".to_owned();
        let event = match frozen {
            true => Event::Unfrozen { scope: Scope::Org, by, at },
            false => Event::Frozen {
                freeze: Freeze { scope: Scope::Org, since: at, by, reason: "a drill".to_owned() },
            },
        };
        let write = async {
            let mut tx = context.ledger.begin("frozen").await?;
            tx.append(&event).await?;
            tx.commit().await
        };
        // A commit whose answer is lost may have happened.
        self.guarded(write).await;
        let stands = context.ledger.freezes().await.is_ok_and(|freezes| !freezes.is_empty());
        let mut scene = self.scene.lock();
        scene.frozen = stands;
        scene.say(format!("frozen: {stands}"));
        scene.reached("people: froze or unfroze");
    }
}
