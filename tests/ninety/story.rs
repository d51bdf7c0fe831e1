//! The calendar: what people, agents and foreign writers have in mind on each day.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{
    cast::{FLAP_FROM, IMPORT_FROM, Writer},
    world::World,
};

/// Something that happens at a time.
#[derive(Debug, Clone)]
pub enum Act {
    /// The alarm of the jobs.
    Wake,
    /// An agent (by its place) looks for a lead or a deal to propose something on.
    ProposeLead(usize),
    ProposeDeal(usize),
    /// A reviewer comes to a proposal.
    Approve {
        record: String,
        proposal: String,
    },
    Reject {
        record: String,
        proposal: String,
    },
    Edit {
        record: String,
        proposal: String,
        value: &'static str,
    },
    /// A rep works a lead of their own choice.
    WorkLead,
    /// A rep changes a deal of their own choice.
    WorkDeal,
    /// Somebody sets a field, whatever it holds.
    Set {
        who: Writer,
        object: &'static str,
        record: String,
        field: &'static str,
        value: String,
    },
    /// A rep puts a lead back to what it was, if it still holds what was promoted.
    PutBack {
        record: String,
        from: String,
        to: String,
    },
    /// People read what was announced, and object.
    ReadAnnouncement,
    /// The nightly integration sets states in bulk.
    Sync,
    /// The writer that is new since day 40.
    Import,
    /// Two writers set one lead against each other.
    Flap,
}

impl World {
    /// Plays a number of days.
    pub async fn play(&mut self, from: i64, to: i64) {
        for day in from..to {
            let begins = self.began + SignedDuration::from_hours(24 * day);
            let ends = begins + SignedDuration::from_hours(24);
            self.plan_slots(ends);
            self.plan_day(day, begins);
            while let Some((key, act)) = self.agenda.pop_first() {
                if key.0 > ends {
                    self.agenda.insert(key, act);
                    break;
                }
                self.pass_to(key.0);
                self.happens(act).await;
                self.settle().await;
            }
            self.pass_to(ends);
        }
    }

    async fn happens(&mut self, act: Act) {
        match act {
            Act::Wake => self.wake().await,
            Act::ProposeLead(agent) => self.propose_lead(agent, None).await,
            Act::ProposeDeal(agent) => self.propose_deal(agent).await,
            Act::Approve { record, proposal } => self.approve(&record, &proposal),
            Act::Reject { record, proposal } => self.reject(&record, &proposal),
            Act::Edit { record, proposal, value } => self.edit_proposal(&record, &proposal, value),
            Act::WorkLead => self.work_lead(),
            Act::WorkDeal => self.work_deal(),
            Act::Set { who, object, record, field, value } => {
                self.set(who, (object, &record), (field, &value));
            }
            Act::PutBack { record, from, to } => self.put_back(&record, &from, &to),
            Act::ReadAnnouncement => self.read_announcement().await,
            Act::Sync => self.sync(),
            Act::Import => self.import(),
            Act::Flap => self.flap(),
        }
    }

    /// What is meant to happen on a day. Days begin at nine in the morning, as the story does.
    fn plan_day(&mut self, day: i64, begins: Timestamp) {
        let hour = |hours: i64| begins + SignedDuration::from_hours(hours);
        let weekend = begins.to_zoned(TimeZone::UTC).date().weekday().to_monday_one_offset() > 5;
        if !weekend {
            for agent in 0..2 {
                for _ in 0..2 {
                    self.between(hour(0), hour(8), Act::ProposeLead(agent));
                }
                self.between(hour(0), hour(8), Act::ProposeDeal(agent));
                if agent == 0 || day % 2 == 0 {
                    self.between(hour(0), hour(8), Act::ProposeDeal(agent));
                }
            }
            for _ in 0..3 {
                self.between(hour(0), hour(9), Act::WorkLead);
            }
            self.between(hour(0), hour(9), Act::WorkDeal);
        }
        self.between(hour(0), hour(1), Act::ReadAnnouncement);
        self.between(hour(16), hour(17), Act::Sync);
        if day >= IMPORT_FROM {
            self.between(hour(5), hour(6), Act::Import);
        }
        if day >= FLAP_FROM && day % 4 == 0 {
            self.between(hour(2), hour(3), Act::Flap);
        }
    }

    fn between(&mut self, from: Timestamp, to: Timestamp, act: Act) {
        let minutes = to.duration_since(from).as_mins();
        let at = from + SignedDuration::from_mins(rand::Rng::random_range(&mut self.rng, 0..minutes));
        self.later(at, act);
    }
}
