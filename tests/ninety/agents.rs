//! What agents propose, and what that starts among people.

use rand::Rng as _;

use crate::{
    cast::{AGENTS, CLOSED, OPEN, OTTO, ROSA, STEPS, WORKING},
    diary::{Proposed, deal_segment, lead_segment},
    story::Act,
    world::World,
};

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

impl World {
    /// An agent proposes the next state of a lead: of this one, or of one that it finds.
    pub async fn propose_lead(&mut self, agent: usize, on: Option<&str>) {
        let Some(record) = on.map(str::to_owned).or_else(|| self.lead_to_propose_on()) else { return };
        let place = self.leads.iter().position(|lead| *lead == record).expect("a lead of the story");
        let who = AGENTS[agent];
        let segment = lead_segment(place);
        let right = self.chance(if segment == "general" { who.leads.0 } else { who.leads.1 });
        let base = self.holds("Lead", &record, "Status");
        let value = if base == OPEN && (right || self.chance(500)) { WORKING } else { CLOSED };
        if base == value {
            return;
        }
        let surest = usize::from(on.is_some() || self.chance(500));
        let wanted = Proposed {
            id: format!("{}:lead:{}", who.name, self.next_number()),
            agent: who,
            object: "Lead",
            record,
            field: "Status",
            value: value.to_owned(),
            base,
            segment,
            at: self.now(),
            went_on: false,
        };
        let sent = self.submit(wanted, who.confidences[surest]).await;
        self.settle().await;
        if let Some(sent) = sent {
            self.people_meet(&sent, right);
        }
    }

    /// A lead without an open question: neither closed, nor waiting, nor held, nor fought over.
    fn lead_to_propose_on(&mut self) -> Option<String> {
        let today = self.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let held: Vec<&String> =
            self.diary.holds.iter().filter(|(_, until, _)| *until >= today).map(|(id, ..)| id).collect();
        let free: Vec<String> = self
            .leads
            .iter()
            .filter(|lead| !self.contested().contains(lead) && !held.contains(lead))
            .filter(|lead| !self.pending("Lead", lead) && self.holds("Lead", lead, "Status") != CLOSED)
            .cloned()
            .collect();
        // Who is worked on already is mostly left to people, so that some grow stale.
        let fresh = self.chance(800);
        let free: Vec<String> =
            free.into_iter().filter(|lead| !fresh || self.holds("Lead", lead, "Status") == OPEN).collect();
        // Mostly those that no rep looks after.
        let alone = |lead: &&String| self.leads.iter().step_by(2).any(|other| other == *lead);
        let left: Vec<String> = free.iter().filter(alone).cloned().collect();
        let free = if !left.is_empty() && self.chance(750) { left } else { free };
        (!free.is_empty()).then(|| self.one_of(&free))
    }

    /// What people will make of a proposal on a lead. They see it, or, where the lane only records, go on
    /// with their own work.
    fn people_meet(&mut self, sent: &Proposed, right: bool) {
        let (record, proposal) = (sent.record.clone(), sent.id.clone());
        let hand = |value: &str| Act::Set {
            who: ROSA,
            object: "Lead",
            record: sent.record.clone(),
            field: "Status",
            value: value.to_owned(),
        };
        let other = if sent.value == CLOSED { WORKING } else { CLOSED };
        if self.pending("Lead", &record) {
            let pick = self.rng.random_range(0..100);
            let act = match (right, pick) {
                (true, 0..75) => Some(Act::Approve { record, proposal }),
                (true, 75..80) => Some(Act::Reject { record, proposal }),
                (true, 80..86) => Some(hand(other)),
                (true, 86..92) => Some(hand(&sent.value)),
                (false, 0..55) => Some(Act::Reject { record, proposal }),
                (false, 55..75) => Some(Act::Edit { record, proposal, value: other }),
                (false, 75..85) => Some(Act::Approve { record, proposal }),
                _ => None,
            };
            if let Some(act) = act {
                self.in_minutes(30, 30 * HOUR, act);
            }
        } else if !sent.went_on && self.chance(600) {
            let act = hand(if right { &sent.value } else { other });
            self.in_minutes(HOUR, 10 * DAY, act);
        }
        if self.chance(40) {
            let (from, to) = (sent.value.clone(), sent.base.clone());
            self.in_minutes(2 * DAY, 12 * DAY, Act::PutBack { record: sent.record.clone(), from, to });
        }
    }

    /// An agent proposes a next step of a deal. Nobody sees it; what people do later is drawn now.
    pub async fn propose_deal(&mut self, agent: usize) {
        let deals = self.deals.clone();
        let record = self.one_of(&deals);
        let place = deals.iter().position(|deal| *deal == record).expect("a deal of the story");
        let who = AGENTS[agent];
        let segment = deal_segment(place);
        let base = self.holds("Opportunity", &record, "NextStep");
        let others: Vec<&str> = STEPS.into_iter().filter(|step| *step != base).collect();
        let value = self.one_of(&others);
        let right = self.chance(if segment == "general" { who.deals.0 } else { who.deals.1 });
        let wanted = Proposed {
            id: format!("{}:deal:{}", who.name, self.next_number()),
            agent: who,
            object: "Opportunity",
            record: record.clone(),
            field: "NextStep",
            value: value.to_owned(),
            base,
            segment,
            at: self.now(),
            went_on: false,
        };
        if self.submit(wanted, who.confidences[0]).await.is_none() || !self.chance(700) {
            return;
        }
        let elsewhere: Vec<&str> = others.into_iter().filter(|step| *step != value).collect();
        let elsewhere = self.one_of(&elsewhere);
        let steps = match (right, self.chance(150)) {
            (true, true) => vec![elsewhere, value],
            (true, false) => vec![value],
            (false, _) => vec![elsewhere],
        };
        let mut minutes = self.rng.random_range(HOUR..8 * DAY);
        for value in steps {
            let (who, field) = (OTTO, "NextStep");
            let act = Act::Set {
                who,
                object: "Opportunity",
                record: record.clone(),
                field,
                value: value.to_owned(),
            };
            self.in_minutes(minutes, minutes + HOUR, act);
            minutes += 4 * HOUR;
        }
    }
}
