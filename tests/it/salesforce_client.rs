//! The Salesforce client and the doctor against the simulated org, over real sockets.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use countersign::{
    cli::doctor::{self, Report},
    clock::Clock,
    config,
    domain::{FieldName, ObjectName, RecordId, RecordState},
    salesforce::{
        Connection, ConnectionSettings, Contracts, Credentials, Reader, RowOutcome, RowWrite, Writer,
        names::LEAD,
    },
    simulator::{
        Fault, FaultAction, FaultPoint, Org, OrgOptions, Seed, Settings,
        metadata::Package,
        seed,
        server::{self, RunningOrg, ServerOptions},
    },
};
use serde_json::{Value, json};

pub struct World {
    pub running: RunningOrg,
}

impl World {
    pub async fn start() -> Self {
        Self::with(Package::embedded().expect("the shipped package deploys"), false).await
    }

    async fn with(package: Package, tls: bool) -> Self {
        Self::settled(package, tls, Settings::default()).await
    }

    /// With another org's answers.
    pub async fn settled(package: Package, tls: bool, settings: Settings) -> Self {
        // The binary installs the provider itself; a second test finds one installed.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let options = OrgOptions { settings, ..OrgOptions::new(Clock::system(), package) };
        let org = Org::new(options).unwrap();
        seed::plant(&org, Seed::Demo).unwrap();
        let running = server::start(org, ServerOptions { tls, ..ServerOptions::default() }).await.unwrap();
        Self { running }
    }

    fn username(&self, role: &str) -> String {
        self.running.org.user(role).unwrap().username.clone()
    }

    pub fn connection(&self, role: &str) -> Connection {
        Connection::new(ConnectionSettings {
            login_url: self.running.instance_url.clone(),
            instance_url: None,
            api_version: "67.0".to_owned(),
            credentials: Credentials::Jwt {
                client_id: self.running.org.oauth_app().client_id,
                username: self.username(role),
                private_key_path: self.running.jwt_key_path.clone(),
                audience: None,
            },
            org_id: Some(self.running.org.org_id()),
            ca_pem: self.running.ca_pem.clone().map(String::into_bytes),
            timeout: Duration::from_secs(5),
            clock: Clock::system(),
        })
        .unwrap()
    }

    pub fn writer(&self, role: &str) -> Writer {
        Writer::new(self.connection(role))
    }

    /// Ids of leads that are not converted, in order.
    pub fn leads(&self) -> Vec<RecordId> {
        let mut ids: Vec<RecordId> = self
            .running
            .org
            .rows("Lead", false)
            .iter()
            .filter(|row| !row["IsConverted"].as_bool())
            .map(|row| RecordId::parse(row["Id"].as_text().unwrap()).unwrap())
            .collect();
        ids.sort();
        ids
    }

    pub fn arm(&self, point: FaultPoint, action: FaultAction) {
        self.running.org.faults().arm(Fault::once(point, action));
    }

    fn settings(&self, proposer: &str) -> config::Settings {
        let login = |role: &str| {
            format!(
                "kind = \"jwt\"\nclient_id = \"{}\"\nusername = \"{}\"\nprivate_key_path = \"{}\"\n",
                self.running.org.oauth_app().client_id,
                self.username(role),
                self.running.jwt_key_path.display()
            )
        };
        let text = format!(
            "[org]\nlogin_url = \"{}\"\npubsub_endpoint = \"http://{}\"\n[promoter]\n{}[proposer]\n{}",
            self.running.instance_url,
            self.running.pubsub_endpoint,
            login("promoter"),
            login(proposer)
        );
        let file: PathBuf = self.running.jwt_key_path.with_file_name(format!("settings-{proposer}.toml"));
        std::fs::write(&file, text).unwrap();
        config::load_from(Some(&file), Some(BTreeMap::new())).unwrap()
    }

    async fn doctor(&self, proposer: &str) -> Report {
        let policy = config::policies::load_default().unwrap();
        let mut report = Report::default();
        doctor::examine(
            &self.settings(proposer),
            (Some(&policy), &Contracts::shipped()),
            (&mut report, true),
        )
        .await;
        report
    }

    /// The doctor with the token of a person who sees Setup.
    async fn doctor_with_setup(&self) -> Report {
        let policy = config::policies::load_default().unwrap();
        let mut settings = self.settings("proposer");
        settings.doctor.access_token = self.running.access_token("admin").map(config::Secret::new);
        let mut report = Report::default();
        doctor::examine(&settings, (Some(&policy), &Contracts::shipped()), (&mut report, true)).await;
        report
    }
}

pub fn row(record: &RecordId, fields: Value) -> RowWrite {
    let Value::Object(fields) = fields else { panic!("fields") };
    RowWrite {
        object: ObjectName::parse("Lead").unwrap(),
        record: record.clone(),
        fields: fields.into_iter().collect(),
    }
}

pub fn proposal(record: &RecordId, id: &str) -> RowWrite {
    row(
        record,
        json!({
            "AI_Proposal_ID__c": id, "AI_Recommended_Status__c": "Working - Contacted", "AI_Status_Confidence__c": 0.93,
            "AI_Last_Evaluated_At__c": "2026-11-20T10:00:00.000+0000", "AI_Gate_Pending__c": true, "AI_Decision__c": "Pending",
        }),
    )
}

fn code_of(outcome: &RowOutcome) -> &str {
    match outcome {
        RowOutcome::Done => "done",
        RowOutcome::Refused { rule: Some(rule), .. } => rule.code(),
        RowOutcome::Refused { code, .. }
        | RowOutcome::RaceLost { code, .. }
        | RowOutcome::Retry { code }
        | RowOutcome::NotSent { code }
        | RowOutcome::Gone { code } => code,
        RowOutcome::Unknown { .. } => "unknown",
    }
}

#[tokio::test]
async fn a_proposal_is_written_read_back_and_found_as_pending() {
    let world = World::start().await;
    let lead = world.leads().remove(0);
    assert_eq!(world.writer("proposer").update(&[proposal(&lead, "run-1")]).await, [RowOutcome::Done]);

    let reader = Reader::new(world.connection("promoter"));
    let unknown = RecordId::parse(&RecordId::complete("00Q000000000zzz").unwrap()).unwrap();
    let readings = reader.retrieve(&LEAD, &[unknown, lead.clone()]).await.unwrap();
    assert_eq!(readings[0].snapshot.state, RecordState::Missing);
    let slot = &readings[1].slot;
    assert_eq!(slot.proposal_id.as_deref(), Some("run-1"));
    assert!(slot.pending);
    assert_eq!(slot.confidence, Some("0.93".parse().unwrap()));
    let status = FieldName::parse("Status").unwrap();
    assert_eq!(slot.patch[&status].as_text(), Some("Working - Contacted"));
    assert_eq!(
        readings[1].snapshot.modified_by,
        Some(world.connection("proposer").identity().await.unwrap().user_id)
    );

    let mut pages = reader.pending(&LEAD);
    let mut found = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        found.extend(page.into_iter().map(|reading| reading.snapshot.record));
    }
    assert!(found.contains(&lead));
    let schema = reader.describe(&LEAD).await.unwrap();
    assert!(schema.picklist(&status).unwrap().contains(&"Working - Contacted".to_owned()));
    assert!(schema.auto_allowed.is_empty());
    assert!(reader.connection().limits().is_some());
}

#[tokio::test]
async fn each_row_gets_the_orgs_own_answer() {
    let world = World::start().await;
    let leads = world.leads();
    let unknown = RecordId::parse(&RecordId::complete("00Q000000000zzz").unwrap()).unwrap();
    let by_proposer = [
        row(&leads[0], json!({ "Status": "Working - Contacted" })),
        proposal(&leads[1], &"x".repeat(65)),
        proposal(&leads[2], "run-2"),
        proposal(&unknown, "run-3"),
        row(&leads[3], json!({ "No_Such_Field__c": 1 })),
    ];
    let outcomes = world.writer("proposer").update(&by_proposer).await;
    let codes: Vec<&str> = outcomes.iter().map(code_of).collect();
    assert_eq!(codes[..3], ["AI_GATE_01", "STRING_TOO_LONG", "done"]);
    assert!(matches!(outcomes[3], RowOutcome::Gone { .. }), "{outcomes:?}");
    assert!(matches!(outcomes[4], RowOutcome::Refused { .. }), "{outcomes:?}");

    let without_number = row(&leads[0], json!({ "Status": "Working - Contacted" }));
    let outcomes = world.writer("promoter").update(&[without_number]).await;
    assert!(matches!(&outcomes[0], RowOutcome::RaceLost { .. }), "{outcomes:?}");
}

#[tokio::test]
async fn a_thousand_rows_cost_one_call() {
    let world = World::start().await;
    let ids = seed::bulk_leads(&world.running.org, 1000);
    let rows: Vec<RowWrite> = ids
        .iter()
        .enumerate()
        .map(|(number, id)| proposal(&RecordId::parse(id).unwrap(), &format!("bulk-{number}")))
        .collect();
    let writer = world.writer("proposer");
    let outcomes = writer.update(&rows).await;
    assert!(outcomes.iter().all(|outcome| *outcome == RowOutcome::Done));
    assert_eq!(writer.connection().calls(), 1);
    let mut pages = Reader::new(world.connection("promoter")).pending(&LEAD);
    let mut count = 0;
    while let Some(page) = pages.next().await.unwrap() {
        count += page.len();
    }
    assert!(count >= 1000);
}

#[tokio::test]
async fn a_lost_reply_is_unknown_although_the_write_landed() {
    let world = World::start().await;
    let lead = world.leads().remove(0);
    let writer = world.writer("proposer");
    writer.connection().identity().await.unwrap();
    world.arm(FaultPoint::Reply, FaultAction::DropReply);
    let outcomes = writer.update(&[proposal(&lead, "run-1")]).await;
    assert!(matches!(&outcomes[0], RowOutcome::Unknown { .. }), "{outcomes:?}");
    let readings = Reader::new(world.connection("promoter")).retrieve(&LEAD, &[lead]).await.unwrap();
    assert_eq!(readings[0].slot.proposal_id.as_deref(), Some("run-1"), "it did land");
}

#[tokio::test]
async fn faults_are_told_apart() {
    let world = World::start().await;
    let leads = world.leads();
    let writer = world.writer("proposer");
    writer.connection().identity().await.unwrap();
    let cases = [
        (FaultPoint::Row, FaultAction::LockRow, "done"),
        (FaultPoint::Request, FaultAction::ExpireToken, "done"),
        (FaultPoint::Request, FaultAction::DailyLimit, "REQUEST_LIMIT_EXCEEDED"),
        (FaultPoint::Request, FaultAction::ServiceUnavailable, "unknown"),
        (FaultPoint::Request, FaultAction::DropReply, "unknown"),
    ];
    for (number, (point, action, expected)) in cases.into_iter().enumerate() {
        let told = format!("{action:?}");
        world.arm(point, action);
        let outcomes = writer.update(&[proposal(&leads[0], &format!("run-{number}"))]).await;
        assert_eq!(code_of(&outcomes[0]), expected, "{told}: {outcomes:?}");
    }
}

#[tokio::test]
async fn tls_needs_the_orgs_authority() {
    let world = World::with(Package::embedded().unwrap(), true).await;
    assert!(world.connection("promoter").identity().await.is_ok());
    let mut strange = ConnectionSettings {
        login_url: world.running.instance_url.clone(),
        instance_url: None,
        api_version: "67.0".to_owned(),
        credentials: Credentials::AccessToken { access_token: "x".into() },
        org_id: None,
        ca_pem: None,
        timeout: Duration::from_secs(5),
        clock: Clock::system(),
    };
    let error = Connection::new(strange.clone()).unwrap().identity().await.unwrap_err();
    assert_eq!(error.code(), "salesforce-unreachable", "{error}");
    strange.ca_pem = Some(b"no certificate".to_vec());
    assert!(Connection::new(strange).is_err());
}

#[tokio::test]
async fn the_doctor_finds_nothing_in_a_good_org() {
    let world = World::start().await;
    let report = world.doctor("proposer").await;
    assert!(report.is_good(), "{report}");
    assert!(report.checks.iter().all(|check| check.state == doctor::State::Ok), "{report}");
    let report = world.doctor_with_setup().await;
    assert!(report.checks.iter().all(|check| check.state == doctor::State::Ok), "{report}");
}

#[tokio::test]
async fn the_doctor_names_what_is_missing_with_its_place() {
    let mut package = Package::embedded().unwrap();
    let lead = package.objects.get_mut("Lead").unwrap();
    lead.fields.retain(|field| field.name != "AI_Gate_Outcome__c");
    lead.rules.retain(|rule| !rule.name.starts_with("AI_GATE_05"));
    for rule in &mut package.objects.get_mut("Opportunity").unwrap().rules {
        rule.active = !rule.name.starts_with("AI_GATE_07");
    }
    package.channels.clear();
    package.channel_members.clear();
    let report = World::with(package, false).await.doctor_with_setup().await;
    let told = report.to_string();
    for expected in
        ["Lead.AI_Gate_Outcome__c", "AI_GATE_05", "AI_GATE_07", "/data/AI_Proposals__chn", "Setup > "]
    {
        assert!(told.contains(expected), "{expected} must be named:\n{told}");
    }
    assert!(!report.is_good());
}

#[tokio::test]
async fn the_doctor_refuses_an_identity_that_may_do_too_much() {
    let world = World::start().await;
    let report = world.doctor("reviewer").await;
    assert!(report.checks.iter().any(|check| check.code == "permission-set-too-many"), "{report}");
    assert!(report.checks.iter().any(|check| check.code == "field-too-open"), "{report}");
    let one_user = world.doctor("promoter").await;
    assert!(one_user.checks.iter().any(|check| check.code == "identities-are-one-user"), "{one_user}");
}
