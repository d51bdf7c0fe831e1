//! What reps and reviewers do.

use countersign::salesforce::names;
use jiff::{SignedDuration, tz::TimeZone};
use serde_json::json;

use crate::{
    cast::{CLOSED, OPEN, OTTO, RITA, ROSA, STAGES, STEPS, WORKING, Writer},
    story::Act,
    world::World,
};

impl World {
    /// Sets one field; whether it was saved as a change.
    pub fn set(
        &mut self,
        who: Writer,
        (object, record): (&'static str, &str),
        (field, value): (&str, &str),
    ) -> bool {
        self.holds(object, record, field) != value
            && self.save(who, &[(object, record.to_owned(), json!({ field: value }))])[0]
    }

    /// Whether this proposal stands on the record and waits for a decision.
    fn waits(&self, record: &str, proposal: &str) -> bool {
        self.pending("Lead", record)
            && self.holds("Lead", record, names::PROPOSAL_ID) == proposal
            && self.holds("Lead", record, names::DECISION) == "Pending"
    }

    pub fn approve(&mut self, record: &str, proposal: &str) {
        if self.waits(record, proposal) {
            let who = self.one_of(&[RITA, ROSA]);
            let fields = json!({ names::DECISION: "Approved", names::DECISION_PROPOSAL_ID: proposal, names::PENDING: true });
            assert!(self.save(who, &[("Lead", record.to_owned(), fields)])[0], "a reviewer may approve");
        }
    }

    pub fn reject(&mut self, record: &str, proposal: &str) {
        if self.waits(record, proposal) {
            let fields = json!({ names::DECISION: "Rejected", names::DECISION_PROPOSAL_ID: proposal,
                names::PENDING: true, names::REJECTION_REASON: "Wrong Value" });
            assert!(self.save(RITA, &[("Lead", record.to_owned(), fields)])[0], "a reviewer may reject");
        }
    }

    /// A reviewer edits a proposal and approves it in one save.
    pub fn edit_proposal(&mut self, record: &str, proposal: &str, value: &str) {
        if self.waits(record, proposal) && self.holds("Lead", record, "Status") != value {
            let edited = format!("{proposal}{}1", names::EDIT_MARK);
            let fields = json!({ names::PROPOSAL_ID: edited, names::EDITED_FROM: proposal,
                "AI_Recommended_Status__c": value, names::DECISION: "Approved",
                names::DECISION_PROPOSAL_ID: edited, names::PENDING: true });
            assert!(self.save(RITA, &[("Lead", record.to_owned(), fields)])[0], "a reviewer may edit");
        }
    }

    /// A rep works a lead that they look after: every second one. One that somebody worked on within
    /// the last day is left alone, and most of those that wait for a decision.
    pub fn work_lead(&mut self) {
        let since = self.now() - SignedDuration::from_hours(26);
        let lately = |lead: &String| self.history.on(lead).any(|commit| commit.at > since);
        let theirs = self.leads.iter().skip(1).step_by(2).filter(|lead| !lately(lead));
        let theirs: Vec<String> = theirs.filter(|lead| !self.contested().contains(lead)).cloned().collect();
        if theirs.is_empty() {
            return;
        }
        let lead = self.one_of(&theirs);
        if self.pending("Lead", &lead) && !self.chance(200) {
            return;
        }
        let next = match self.holds("Lead", &lead, "Status").as_str() {
            OPEN => WORKING,
            WORKING => CLOSED,
            _ => OPEN,
        };
        let who = self.one_of(&[OTTO, ROSA]);
        if self.set(who, ("Lead", &lead), ("Status", next)) && next == CLOSED && self.chance(500) {
            self.reply_soon(&lead);
        }
    }

    pub fn work_deal(&mut self) {
        let deals = self.deals.clone();
        let deal = self.one_of(&deals);
        if self.chance(500) {
            let stage = self.one_of(&STAGES);
            self.set(ROSA, ("Opportunity", &deal), ("StageName", stage));
        } else {
            let step = self.one_of(&STEPS);
            self.set(ROSA, ("Opportunity", &deal), ("NextStep", step));
        }
    }

    pub fn put_back(&mut self, record: &str, from: &str, to: &str) {
        if self.holds("Lead", record, "Status") == from && !self.pending("Lead", record) {
            self.set(OTTO, ("Lead", record), ("Status", to));
        }
    }

    /// People read which leads are about to go back. Of the first ones of the story in turn one is held, one is
    /// closed, one is worked on, and an agent finds one; later it is left to chance.
    pub async fn read_announcement(&mut self) {
        let runs = self.context.ledger.decay_runs().await.expect("the ledger can be read");
        let Some(open) = runs.into_iter().find(|known| known.counts.is_none()) else { return };
        let announced =
            self.context.ledger.proposals_of_run(&open.run.id).await.expect("the ledger can be read");
        for known in announced {
            let lead = known.proposal.record.to_string();
            let pick = match self.diary.objections {
                // An agent's find may be decided before the run, so that one turn is not enough.
                0..12 => self.diary.objections % 4 * 10,
                _ => rand::Rng::random_range(&mut self.rng, 0..100),
            };
            self.diary.objections += 1;
            match pick {
                0..8 => self.hold(&lead),
                8..16 => {
                    self.set(ROSA, ("Lead", &lead), ("Status", CLOSED));
                }
                16..24 => {
                    self.set(OTTO, ("Lead", &lead), ("Status", OPEN));
                    let (who, object, field, value) = (OTTO, "Lead", "Status", WORKING.to_owned());
                    self.in_minutes(3, 9, Act::Set { who, object, record: lead, field, value });
                }
                24..34 => self.propose_lead(0, Some(&lead)).await,
                _ => {}
            }
        }
    }

    fn hold(&mut self, lead: &str) {
        let until = self.now().to_zoned(TimeZone::UTC).date() + jiff::Span::new().days(8);
        let fields = json!({ names::HOLD_UNTIL: until.to_string(), names::HOLD_REASON: "in talks" });
        assert!(self.save(RITA, &[("Lead", lead.to_owned(), fields)])[0], "a reviewer may hold a record");
        self.diary.holds.push((lead.to_owned(), until, self.now()));
    }
}
