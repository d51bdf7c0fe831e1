//! A daemon whose gate is skipped: intents that no verdict ever allowed are written to its ledger
//! and sent by its own promoter, with its own credential and stamps. The org refuses each one:
//! only this value, this record, this base, once.

use std::time::Duration;

use countersign::{
    cli::org_side::OrgSide,
    clock::Clock,
    config,
    domain::{
        Actor, Basis, Change, Door, FieldName, FieldValue, Freeze, ObjectName, Plan, Promotion, PromotionId,
        Proposal, ProposalId, RecordId, Scope, Settlement, Stamps, event::Event,
    },
    salesforce::{Contracts, RowOutcome, RowWrite, names::LEAD},
    simulator::{
        Org, OrgOptions, Seed,
        metadata::Package,
        model::Row,
        seed,
        server::{self, RunningOrg, ServerOptions},
    },
    workflow::{promote::Promoter, stamp},
};
use serde_json::{Value, json};

const OPEN: &str = "Open - Not Contacted";
const WORKING: &str = "Working - Contacted";
const CLOSED: &str = "Closed - Not Converted";

/// An org, and the inside of a daemon that is connected to it.
struct World {
    running: RunningOrg,
    clock: Clock,
    side: OrgSide,
    promoter: Promoter,
    http: reqwest::Client,
    leads: Vec<RecordId>,
    _folder: tempfile::TempDir,
}

impl World {
    async fn start() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let clock = Clock::adjustable();
        let package = Package::embedded().expect("the shipped package deploys");
        let org = Org::new(OrgOptions::new(clock.clone(), package)).unwrap();
        seed::plant(&org, Seed::Demo).unwrap();
        let options = ServerOptions { tls: false, ..ServerOptions::default() };
        let running = server::start(org, options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("countersign.toml");
        std::fs::write(&settings, settings_text(&running, folder.path())).unwrap();
        let settings = config::load_from(Some(&settings), Some(std::collections::BTreeMap::new())).unwrap();
        let side = OrgSide::open(settings, clock.clone()).await.unwrap();
        let promoter = Promoter::new(side.context.clone(), side.promoter_writer());
        let mut leads: Vec<RecordId> = running
            .org
            .rows("Lead", false)
            .iter()
            .filter(|row| row["Status"].as_text() == Some(OPEN))
            .map(|row| RecordId::parse(row["Id"].as_text().unwrap()).unwrap())
            .collect();
        leads.sort();
        Self { running, clock, side, promoter, http: reqwest::Client::new(), leads, _folder: folder }
    }

    fn row(&self, lead: &RecordId) -> Row {
        (*self.running.org.row("Lead", lead.as_str()).expect("the lead is there")).clone()
    }

    /// A save over REST; the status, and the answer when it is refused.
    async fn save(&self, role: &str, lead: &RecordId, fields: Value) -> (u16, Value) {
        let url = format!("{}/services/data/v67.0/sobjects/Lead/{lead}", self.running.instance_url);
        let token = self.running.access_token(role).expect("a seeded user");
        let reply = self.http.patch(url).bearer_auth(token).json(&fields).send().await.unwrap();
        let status = reply.status().as_u16();
        (status, reply.json().await.unwrap_or(Value::Null))
    }

    async fn saved(&self, role: &str, lead: &RecordId, fields: Value) {
        let (status, said) = self.save(role, lead, fields).await;
        assert_eq!(status, 204, "{said}");
    }

    /// The agent proposes `WORKING`.
    async fn proposed(&self, id: &str, lead: &RecordId, more: Value) {
        let mut fields = json!({ "AI_Proposal_ID__c": id, "AI_Recommended_Status__c": WORKING,
            "AI_Status_Confidence__c": 0.9, "AI_Decision__c": "Pending", "AI_Gate_Pending__c": true });
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.saved("proposer", lead, fields).await;
    }

    async fn decided(&self, id: &str, lead: &RecordId, decision: &str) {
        let mut fields = json!({ "AI_Decision__c": decision, "AI_Decision_Proposal_ID__c": id,
            "AI_Gate_Pending__c": true });
        if decision == "Rejected" {
            fields["AI_Rejection_Reason__c"] = json!("Wrong Value");
        }
        self.saved("reviewer", lead, fields).await;
    }

    async fn approved(&self, id: &str, lead: &RecordId) {
        self.proposed(id, lead, json!({})).await;
        self.decided(id, lead, "Approved").await;
    }

    /// What the gate would have planned had it been right.
    fn plan(&self, lead: &RecordId, proposal: &str) -> Plan {
        Plan {
            making: None,
            object: ObjectName::parse("Lead").unwrap(),
            record: lead.clone(),
            proposal_id: ProposalId::parse(proposal).unwrap(),
            basis: Basis::Approved,
            changes: vec![Change {
                field: FieldName::parse("Status").unwrap(),
                before: FieldValue::text(OPEN),
                after: FieldValue::text(WORKING),
            }],
            expected_seq: self.seq(lead),
            stamps: Stamps::default(),
            planned_at: self.clock.now(),
        }
    }

    fn seq(&self, lead: &RecordId) -> u64 {
        let number = self.row(lead).get("AI_Promotion_Seq__c").map(FieldValue::to_json);
        number.and_then(|it| it.to_string().trim_matches('"').parse().ok()).unwrap_or(0)
    }

    /// Commits the intent that no verdict stands behind, and lets the promoter send it.
    async fn promote(&self, mark: &str, plan: Plan) -> Settlement {
        let id = PromotionId::new(mark);
        let promotion = promotion(mark, plan);
        let known = self.side.context.ledger.proposal(&promotion.plan.proposal_id).await.unwrap();
        let mut tx = self.side.context.ledger.begin("test").await.unwrap();
        if known.is_none() {
            let proposal = received(&promotion.plan);
            tx.append(&Event::ProposalReceived { proposal }).await.unwrap();
        }
        tx.append(&Event::PromotionIntended { promotion }).await.unwrap();
        tx.commit().await.unwrap();
        self.promoter.step().await.unwrap();
        self.side.context.ledger.promotion(&id).await.unwrap().expect("it was intended").settlement
    }

    async fn append(&self, event: Event) {
        let mut tx = self.side.context.ledger.begin("test").await.unwrap();
        tx.append(&event).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The attempt fails with this code and leaves the record as it was.
    async fn refused(&self, code: &str, mark: &str, plan: Plan) {
        let lead = plan.record.clone();
        let before = self.row(&lead);
        let settlement = self.promote(mark, plan).await;
        let said = match &settlement {
            Settlement::Refused { code, message } => format!("{code} {message}"),
            Settlement::Stale { reason } => reason.clone(),
            other => panic!("{mark}: {other:?}, not refused"),
        };
        assert!(said.contains(code), "{mark}: {said}, not {code}");
        assert_eq!(self.row(&lead), before, "{mark}: the record has changed");
    }

    /// The same for a row that the promoter itself would not make.
    async fn row_refused(&self, code: &str, row: RowWrite) {
        let lead = row.record.clone();
        let before = self.row(&lead);
        let said = self.side.promoter_writer().update(&[row]).await;
        match &said[0] {
            RowOutcome::Refused { code: found, .. } | RowOutcome::RaceLost { code: found, .. } => {
                assert_eq!(found, code, "{said:?}");
            }
            other => panic!("{other:?}, not refused"),
        }
        assert_eq!(self.row(&lead), before, "the record has changed");
    }
}

fn settings_text(running: &RunningOrg, folder: &std::path::Path) -> String {
    let identity = |role: &str| {
        format!(
            "[{role}]\nkind = \"jwt\"\nclient_id = \"{}\"\nusername = \"{}\"\nprivate_key_path = \"{}\"\n",
            running.org.oauth_app().client_id,
            running.org.user(role).unwrap().username,
            running.jwt_key_path.display()
        )
    };
    format!(
        "[org]\nlogin_url = \"{}\"\npubsub_endpoint = \"http://{}\"\n{}{}[ledger]\npath = \"{}\"\n",
        running.instance_url,
        running.pubsub_endpoint,
        identity("promoter"),
        identity("proposer"),
        folder.join("ledger.db").display()
    )
}

/// The proposal that a plan speaks of, as the daemon would have recorded it.
fn received(plan: &Plan) -> Proposal {
    let change = &plan.changes[0];
    Proposal {
        creates: None,
        id: plan.proposal_id.clone(),
        object: plan.object.clone(),
        record: plan.record.clone(),
        patch: [(change.field.clone(), change.after.clone())].into(),
        base: [(change.field.clone(), change.before.clone())].into(),
        confidence: None,
        reason: None,
        evaluated_at: None,
        expires_at: None,
        edited_from: None,
        requires_review: false,
        actor: Actor::named("test"),
        door: Door::Record,
        evidence: Vec::new(),
        received_at: plan.planned_at,
    }
}

fn promotion(mark: &str, plan: Plan) -> Promotion {
    let id = PromotionId::new(mark);
    let settlement = Settlement::Intended;
    Promotion {
        id,
        plan,
        attempts: 0,
        settlement,
        undoes: None,
        rollback: None,
        proof: std::collections::BTreeMap::new(),
    }
}

fn to(value: &str, mut plan: Plan) -> Plan {
    plan.changes[0].after = FieldValue::text(value);
    plan
}

fn from(value: &str, mut plan: Plan) -> Plan {
    plan.changes[0].before = FieldValue::text(value);
    plan
}

fn by(basis: Basis, mut plan: Plan) -> Plan {
    plan.basis = basis;
    plan
}

/// The promoter's row under another source.
fn as_source(source: &str, plan: Plan) -> RowWrite {
    let mut row = stamp::promotion_row(&Contracts::shipped(), &promotion("as-source", plan))
        .expect("Status has a lane");
    row.fields.insert(LEAD.change_source.to_owned(), json!(source));
    row
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_approved_is_refused() {
    let world = World::start().await;
    let lead = |n: usize| world.leads[n].clone();
    world.refused("AI_GATE_07", "no-proposal", world.plan(&lead(0), "p-0")).await;

    world.proposed("p-1", &lead(1), json!({})).await;
    world.refused("AI_GATE_07", "not-approved", world.plan(&lead(1), "p-1")).await;

    world.proposed("p-2", &lead(2), json!({})).await;
    world.decided("p-2", &lead(2), "Rejected").await;
    world.refused("AI_GATE_07", "rejected", world.plan(&lead(2), "p-2")).await;

    // The approval was for the proposal before.
    world.approved("p-3", &lead(3)).await;
    world.proposed("p-3b", &lead(3), json!({})).await;
    world.refused("AI_GATE_07", "approved-before", world.plan(&lead(3), "p-3b")).await;
    world.refused("AI_GATE_07", "replaced", world.plan(&lead(3), "p-3")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_this_value_this_record_and_this_base() {
    let world = World::start().await;
    let lead = |n: usize| world.leads[n].clone();
    world.approved("p-1", &lead(0)).await;
    world.refused("AI_GATE_07", "other-value", to(CLOSED, world.plan(&lead(0), "p-1"))).await;

    // Approved, but of another record.
    world.refused("AI_GATE_07", "other-record", world.plan(&lead(1), "p-1")).await;
    world.proposed("p-2", &lead(1), json!({})).await;
    world.refused("AI_GATE_07", "other-proposal", world.plan(&lead(1), "p-1")).await;

    // The base that is stated is not the record's, and then the record moves.
    world.refused("AI_GATE_05", "other-base", from(CLOSED, world.plan(&lead(0), "p-1"))).await;
    world.saved("reviewer", &lead(0), json!({ "Status": CLOSED })).await;
    world.refused("AI_GATE_05", "moved", world.plan(&lead(0), "p-1")).await;

    let mut late = from(CLOSED, world.plan(&lead(0), "p-1"));
    late.expected_seq += 3;
    world.refused("AI_GATE_04", "wrong-number", late).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_used_once() {
    let world = World::start().await;
    let lead = world.leads[0].clone();
    world.approved("p-1", &lead).await;
    let plan = world.plan(&lead, "p-1");
    assert_eq!(world.promote("first", plan.clone()).await, Settlement::Done, "what was approved lands");
    assert_eq!(world.row(&lead)["Status"].as_text(), Some(WORKING));

    // The same request again, and one with the next number after a person has put the value back.
    world
        .row_refused(
            "AI_GATE_04",
            stamp::promotion_row(&Contracts::shipped(), &promotion("late", plan)).unwrap(),
        )
        .await;
    world.saved("reviewer", &lead, json!({ "Status": OPEN })).await;
    world.refused("AI_GATE_07", "twice", world.plan(&lead, "p-1")).await;
    world.refused("AI_GATE_08", "twice-by-itself", by(Basis::Auto, world.plan(&lead, "p-1"))).await;

    let rollback = to(CLOSED, by(Basis::Rollback, world.plan(&lead, "p-1")));
    world.refused("AI_GATE_09", "rollback-to-another-value", rollback).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_switch_nor_expiry_nor_hold_is_passed_over() {
    let world = World::start().await;
    let lead = |n: usize| world.leads[n].clone();
    world.proposed("p-1", &lead(0), json!({})).await;
    world.refused("AI_GATE_08", "switch-off", by(Basis::Auto, world.plan(&lead(0), "p-1"))).await;

    world.approved("p-2", &lead(1)).await;
    world.saved("reviewer", &lead(1), json!({ "AI_Hold_Until__c": "2999-12-31" })).await;
    world.refused("AI_GATE_16", "on-hold", world.plan(&lead(1), "p-2")).await;

    assert!(world.running.org.set_setting("Lead_Status_Auto__c", true));
    let soon = world.clock.now() + jiff::SignedDuration::from_mins(30);
    world.proposed("p-3", &lead(2), json!({ "AI_Proposal_Expires_At__c": soon.to_string() })).await;
    world.proposed("p-4", &lead(3), json!({ "AI_Requires_Review__c": true })).await;
    world.refused("AI_GATE_08", "wants-a-person", by(Basis::Auto, world.plan(&lead(3), "p-4"))).await;
    world.clock.advance(Duration::from_secs(3_600));
    world.refused("AI_GATE_14", "expired", by(Basis::Auto, world.plan(&lead(2), "p-3"))).await;
    let (status, said) = world
        .save(
            "reviewer",
            &lead(2),
            json!({ "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": "p-3", "AI_Gate_Pending__c": true }),
        )
        .await;
    assert!(status == 400 && said.to_string().contains("AI_GATE_14"), "{status} {said}");

    let switched = world.promote("switch-on", by(Basis::Auto, world.plan(&lead(0), "p-1"))).await;
    assert_eq!(switched, Settlement::Done, "with its switch on it lands");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_intended_before_a_freeze_is_not_sent_while_it_lasts() {
    let world = World::start().await;
    let lead = world.leads[0].clone();
    world.approved("p-1", &lead).await;
    let before = world.row(&lead);
    let scope = Scope::parse("lane:Lead.Status").unwrap();
    let freeze = Freeze {
        scope: scope.clone(),
        since: world.clock.now(),
        by: "Pat Example".into(),
        reason: "odd values".into(),
    };
    world.append(Event::Frozen { freeze }).await;
    let settlement = world.promote("frozen", world.plan(&lead, "p-1")).await;
    assert_eq!((settlement, world.row(&lead)), (Settlement::Intended, before));
    world.append(Event::Unfrozen { scope, by: "Pat Example".into(), at: world.clock.now() }).await;
    world.promoter.step().await.unwrap();
    let promotion = world.side.context.ledger.promotion(&PromotionId::new("frozen")).await.unwrap();
    assert_eq!(promotion.unwrap().settlement, Settlement::Done, "it goes on where it was stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sources_open_no_door() {
    let world = World::start().await;
    let lead = world.leads[0].clone();
    world.approved("p-1", &lead).await;
    world.row_refused("AI_GATE_10", as_source("Decay", world.plan(&lead, "p-1"))).await;
    world.row_refused("AI_GATE_10", as_source("Reconciliation", world.plan(&lead, "p-1"))).await;
    world.row_refused("AI_GATE_06", as_source("Human", world.plan(&lead, "p-1"))).await;
    let mut unmarked =
        stamp::promotion_row(&Contracts::shipped(), &promotion("bare", world.plan(&lead, "p-1"))).unwrap();
    unmarked.fields.retain(|name, _| name == "Status");
    world.row_refused("AI_GATE_04", unmarked).await;
}
