//! Three foreign writers: one in bulk at night, one that answers, and one that is new on day 40.

use serde_json::json;

use crate::{
    cast::{CLOSED, IMPORTER, OPEN, REPLY, SYNC, WORKING},
    story::Act,
    world::World,
};

impl World {
    /// Leads that the new writer fights over; nobody else works them.
    pub fn contested(&self) -> [String; 2] {
        let last = self.leads.len();
        [self.leads[last - 2].clone(), self.leads[last - 1].clone()]
    }

    /// Sets the state of some leads in one call.
    pub fn sync(&mut self) {
        let mut rows = Vec::new();
        for lead in self.some_leads(2) {
            let next = match self.holds("Lead", &lead, "Status").as_str() {
                OPEN => WORKING,
                WORKING => CLOSED,
                _ => OPEN,
            };
            rows.push(("Lead", lead, json!({ "Status": next })));
        }
        self.save(SYNC, &rows);
    }

    /// Different leads that nobody is asked about at the moment.
    fn some_leads(&mut self, number: usize) -> Vec<String> {
        let contested = self.contested();
        let mut free: Vec<String> =
            self.leads.iter().skip(1).step_by(2).filter(|lead| !contested.contains(lead)).cloned().collect();
        free.retain(|lead| !self.pending("Lead", lead));
        let mut some = Vec::new();
        for _ in 0..number.min(free.len()) {
            let lead = self.one_of(&free);
            free.retain(|other| *other != lead);
            some.push(lead);
        }
        some
    }

    /// A few minutes after a rep closed a lead it is opened again.
    pub fn reply_soon(&mut self, lead: &str) {
        let (who, object, field, value) = (REPLY, "Lead", "Status", WORKING.to_owned());
        self.in_minutes(2, 6, Act::Set { who, object, record: lead.to_owned(), field, value });
    }

    pub fn import(&mut self) {
        for lead in self.some_leads(1) {
            let next = if self.holds("Lead", &lead, "Status") == OPEN { WORKING } else { OPEN };
            self.set(IMPORTER, ("Lead", &lead), ("Status", next));
        }
    }

    /// The new writer and the one that answers set a lead against each other, three times each.
    pub fn flap(&mut self) {
        let [one, other] = self.contested();
        let lead = if self.day() < 75 { one } else { other };
        for turn in 0..6 {
            let (who, value) = if turn % 2 == 0 { (IMPORTER, WORKING) } else { (REPLY, CLOSED) };
            let (object, field, value) = ("Lead", "Status", value.to_owned());
            let minutes = 3 + turn * 4;
            self.in_minutes(
                minutes,
                minutes + 2,
                Act::Set { who, object, record: lead.clone(), field, value },
            );
        }
    }
}
