//! What people and agents do in the org, by its own rules: they are refused where it refuses them.

use std::time::Duration;

use countersign::{
    domain::FieldValue,
    salesforce::names,
    simulator::{WriteOp, WriteOptions, WriteRow},
};
use rand::Rng as _;
use serde_json::{Map, Value, json};

use crate::scene::{Scene, Subject};

const STATES: &[&str] = &["Open - Not Contacted", "Working - Contacted", "Closed - Not Converted"];
const STEPS: &[&str] = &["Call the buyer", "Send the data sheet", "Site visit"];

impl Scene {
    /// Opportunities beside the leads.
    pub fn plant_deals(&mut self) {
        for number in 0..self.plan.deals {
            let fields = json!({ "Name": format!("Example deal {number}"), "StageName": "Prospecting",
                "CloseDate": "2026-09-30", "NextStep": STEPS[0] });
            if let Some(id) = self.write("admin", (WriteOp::Create, "Opportunity", None), fields) {
                self.subjects.push(Subject { object: "Opportunity", id });
            }
        }
        self.follow_org();
    }

    /// One write as one of the seeded users; `None` when the org refuses it.
    fn write(
        &mut self,
        role: &str,
        (op, object, id): (WriteOp, &str, Option<&str>),
        fields: Value,
    ) -> Option<String> {
        let user = self.org.user(role).expect("a seeded user");
        let fields = match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        let row = WriteRow { op, object: object.to_owned(), id: id.map(str::to_owned), fields };
        let result = self.org.write(&user, &WriteOptions::default(), vec![row]).remove(0);
        if let Some(error) = result.errors.first() {
            let words: String = error.message.chars().take(80).collect();
            self.say(format!("{role} is refused: {} {words}", error.code));
            self.reached(format!("refused by the org: {role}"));
            return None;
        }
        result.id
    }

    fn save(&mut self, role: &str, subject: &Subject, fields: Value) -> bool {
        let saved = self.write(role, (WriteOp::Update, subject.object, Some(&subject.id)), fields).is_some();
        self.follow_org();
        saved
    }

    fn value(&self, subject: &Subject, field: &str) -> Option<String> {
        let row = self.org.row(subject.object, &subject.id)?;
        row.get(field).and_then(FieldValue::as_text).map(str::to_owned)
    }

    /// The governed field of the schedule, where it is proposed, and its values.
    pub fn lane(subject: &Subject) -> (&'static str, &'static str, &'static [&'static str]) {
        match subject.object {
            "Lead" => ("Status", "AI_Recommended_Status__c", STATES),
            _ => ("NextStep", "AI_Recommended_Next_Step__c", STEPS),
        }
    }

    pub fn subject(&mut self) -> Subject {
        let subjects = self.subjects.clone();
        self.one_of(&subjects)
    }

    /// Another value than the record has.
    pub fn other_value(&mut self, subject: &Subject) -> &'static str {
        let (field, _, values) = Self::lane(subject);
        let now = self.value(subject, field).unwrap_or_default();
        let others: Vec<&'static str> = values.iter().copied().filter(|value| *value != now).collect();
        self.one_of(&others)
    }

    pub fn new_id(&mut self) -> String {
        self.proposals += 1;
        format!("p:{}", self.proposals)
    }

    /// Somebody does something.
    pub fn people_act(&mut self) {
        let subject = self.subject();
        let waits = self.value(&subject, names::PROPOSAL_ID).is_some()
            && self.value(&subject, names::DECISION).as_deref() == Some("Pending");
        let pick = self.rng.random_range(0..100);
        match pick {
            0..25 => self.propose(&subject),
            25..55 if waits => self.decide(&subject, "Approved"),
            25..55 => self.propose(&subject),
            55..60 => self.decide(&subject, "Rejected"),
            60..66 => self.take_back(&subject),
            66..80 => self.edit(&subject),
            80..85 => self.edit_proposal(&subject),
            85..90 => self.agent_approves(&subject),
            90..93 => self.approve_what_was_moved(&subject),
            93..95 => self.delete(&subject),
            95..97 => self.convert(&subject),
            _ => self.edit_and_back(&subject),
        }
    }

    /// An agent writes its proposal fields.
    pub fn propose(&mut self, subject: &Subject) {
        let (field, proposed, _) = Self::lane(subject);
        let (id, value) = (self.new_id(), self.other_value(subject));
        let confidence = self.one_of(&[json!(0.6), json!(0.95)]);
        self.say(format!("an agent proposes {id}: {field} = {value}"));
        let mut fields = json!({ names::PROPOSAL_ID: id, proposed: value, names::DECISION: "Pending",
            names::PENDING: true, names::EVALUATED_AT: self.clock.now().to_string(), names::EXPIRES_AT: null });
        if self.chance(150) {
            let ends = self.clock.now() + jiff::SignedDuration::from_mins(30);
            fields[names::EXPIRES_AT] = json!(ends.to_string());
        }
        match subject.object {
            "Lead" => fields["AI_Status_Confidence__c"] = confidence,
            _ => {
                fields["AI_Proposal_Confidence__c"] = confidence;
                fields["AI_Proposed_Fields__c"] = json!(field);
            }
        }
        if self.save("proposer", subject, fields) {
            self.reached("people: proposed on the record");
        }
    }

    pub fn decide(&mut self, subject: &Subject, decision: &str) {
        let Some(id) = self.value(subject, names::PROPOSAL_ID) else { return };
        let role = self.one_of(&["reviewer", "reviewer2"]);
        self.say(format!("{role} decides on {id}: {decision}"));
        let mut fields =
            json!({ names::DECISION: decision, names::DECISION_PROPOSAL_ID: id, names::PENDING: true });
        if decision == "Rejected" {
            fields[names::REJECTION_REASON] = json!("Wrong Value");
        }
        if self.save(role, subject, fields) {
            self.reached(format!("people: {decision}"));
        }
        if decision == "Approved" && self.chance(150) {
            // A change of mind, or of the record, seconds after the approval.
            self.clock_ticks();
            self.edit(subject);
            self.reached("people: a change seconds after the approval");
        }
    }

    fn clock_ticks(&mut self) {
        let seconds = self.rng.random_range(0..4);
        self.pass(Duration::from_secs(seconds));
    }

    fn take_back(&mut self, subject: &Subject) {
        let decided = self.value(subject, names::DECISION);
        if decided.as_deref().is_none_or(|decision| decision == "Pending") {
            return;
        }
        self.say("a decision is taken back");
        if self.save("reviewer", subject, json!({ names::DECISION: "Pending", names::PENDING: true })) {
            self.reached("people: a decision taken back");
        }
    }

    /// A person changes the governed field by hand.
    pub fn edit(&mut self, subject: &Subject) {
        let (field, _, _) = Self::lane(subject);
        let value = self.other_value(subject);
        self.say(format!("a person sets {field} = {value}"));
        if self.save("outsider", subject, json!({ field: value })) {
            self.reached("people: edited by hand");
        }
    }

    /// The governed value as it stands.
    pub fn governed_value(&self, subject: &Subject) -> Option<String> {
        self.value(subject, Self::lane(subject).0)
    }

    /// A person sets the governed field to what it was.
    pub fn put_back(&mut self, subject: &Subject, old: &str) {
        let (field, _, _) = Self::lane(subject);
        self.say(format!("a person puts back {field} = {old}"));
        self.save("outsider", subject, json!({ field: old }));
    }

    fn edit_and_back(&mut self, subject: &Subject) {
        let (field, _, _) = Self::lane(subject);
        let Some(old) = self.value(subject, field) else { return };
        self.edit(subject);
        self.clock_ticks();
        self.say(format!("a person puts back {field} = {old}"));
        if self.save("outsider", subject, json!({ field: old })) {
            self.reached("people: edited and put back");
        }
    }

    /// The approval is given while the value is another one, which is then put back.
    fn approve_what_was_moved(&mut self, subject: &Subject) {
        let (field, _, _) = Self::lane(subject);
        let Some(old) = self.value(subject, field) else { return };
        self.edit(subject);
        self.decide(subject, "Approved");
        self.clock_ticks();
        if self.save("outsider", subject, json!({ field: old })) {
            self.reached("people: put back after the approval");
        }
    }

    /// A reviewer edits the proposal and approves it in one save.
    fn edit_proposal(&mut self, subject: &Subject) {
        let (_, proposed, _) = Self::lane(subject);
        let Some(id) = self.value(subject, names::PROPOSAL_ID).filter(|id| !id.contains(names::EDIT_MARK))
        else {
            return;
        };
        let value = self.other_value(subject);
        self.proposals += 1;
        let edited = format!("{id}~{}", self.proposals);
        self.say(format!("a reviewer edits {id} to {edited}: {value}"));
        let fields = json!({ names::PROPOSAL_ID: edited, names::EDITED_FROM: id, proposed: value,
            names::DECISION: "Approved", names::DECISION_PROPOSAL_ID: edited, names::PENDING: true });
        if self.save("reviewer", subject, fields) {
            self.reached("people: a proposal edited");
        }
    }

    /// An agent tries to approve, or to write the governed field by itself.
    fn agent_approves(&mut self, subject: &Subject) {
        let Some(id) = self.value(subject, names::PROPOSAL_ID) else { return };
        let (field, _, _) = Self::lane(subject);
        let value = self.other_value(subject);
        self.say("an agent tries to approve its own proposal");
        let tries = [
            json!({ names::DECISION: "Approved", names::DECISION_PROPOSAL_ID: id, names::PENDING: true }),
            json!({ field: value }),
        ];
        let fields = self.one_of(&tries);
        let role = self.one_of(&["proposer", "promoter"]);
        self.save(role, subject, fields);
        self.reached("people: an agent tried to approve");
    }

    pub fn delete(&mut self, subject: &Subject) {
        if self.subjects.len() < 2 || self.value(subject, "Id").is_none() {
            return;
        }
        self.say("a record is deleted");
        self.write("admin", (WriteOp::Delete, subject.object, Some(&subject.id)), Value::Null);
        self.subjects.retain(|other| other.id != subject.id);
        self.follow_org();
        self.reached("people: a record deleted");
    }

    pub fn convert(&mut self, subject: &Subject) {
        if self.subjects.len() < 2 || subject.object != "Lead" {
            return;
        }
        let admin = self.org.user("admin").expect("a seeded user");
        let converted = self.org.convert_lead(&admin, &subject.id, false).is_ok();
        self.say(format!("a lead is converted: {converted}"));
        if converted {
            self.subjects.retain(|other| other.id != subject.id);
            self.reached("people: a lead converted");
        }
        self.follow_org();
    }
}
