//! Records that countersign makes: call summaries and drafts of next steps, with real processes. Named in
//! a policy, switched on in the org, made one time, refused with codes, cancelled and never deleted.

use std::{fs, path::Path, time::Duration};

use countersign::package::SHIPPED;
use serde_json::{Value, json};

use crate::processes::{OrgProcess, ServeProcess, countersign, eventually};

const POLICY: &str = include_str!("../../config/examples/activity-log/task.toml");
const LONG: Duration = Duration::from_secs(60);

struct World {
    folder: tempfile::TempDir,
    org: OrgProcess,
    config: String,
    lead: String,
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().expect("a plain path").to_owned()
}

impl World {
    /// An org with the package and what is generated for tasks, and settings with the example's policy.
    async fn start(switched_on: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in SHIPPED {
            let file = folder.path().join("metadata").join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let metadata = path(folder.path(), "metadata");
        let words = ["metadata", "generate", "--object", "Task", "--create", "--out", &metadata];
        let (code, said, err) = countersign(&words, None);
        assert_eq!(code, 0, "{said}{err}");
        assert!(said.contains("Task_Create_Auto__c"), "{said}");
        fs::create_dir_all(folder.path().join("policies")).unwrap();
        fs::write(folder.path().join("policies/task.toml"), POLICY).unwrap();
        let org = OrgProcess::start(&["--metadata", &metadata]);
        let config = org.write_config(folder.path());
        let text = fs::read_to_string(&config).unwrap();
        let policies = path(folder.path(), "policies");
        fs::write(&config, format!("{text}\n[policy]\ndirectory = {policies:?}\n")).unwrap();
        if switched_on {
            org.control("/__settings", json!({ "field": "Task_Create_Auto__c", "on": true })).await;
        }
        let lead = json!({ "LastName": "Sample", "Company": "Example Widgets Ltd" });
        let (status, made) = org.call("admin", "POST", "/sobjects/Lead", Some(lead)).await;
        assert_eq!(status, 201, "{made}");
        let lead = made["id"].as_str().unwrap().to_owned();
        Self { config: config.to_str().expect("a plain path").to_owned(), folder, org, lead }
    }

    fn body(&self, id: &str, patch: &Value) -> Value {
        json!({ "proposal_id": id, "operation": "create", "object": "Task", "rule": "call-summary",
            "parent": { "object": "Lead", "record_id": self.lead }, "patch": patch, "confidence": 0.9,
            "reason": "the call of this morning", "actor": { "agent": "note-taker", "run": "run-7" } })
    }

    fn send(&self, command: &str, body: &Value) -> (i32, String) {
        let (code, out, err) = countersign(&[command, "--config", &self.config], Some(&body.to_string()));
        (code, format!("{out}{err}"))
    }

    fn propose(&self, id: &str, subject: &str) -> (i32, String) {
        self.send("propose", &self.body(id, &json!({ "Subject": subject })))
    }

    fn serve(&self) -> ServeProcess {
        ServeProcess::start(self.config.as_ref())
    }

    async fn tasks(&self) -> Vec<Value> {
        let soql = "SELECT Id, Subject, Status, TaskSubtype, WhoId, WhatId, Description, AI_Proposal_ID__c FROM Task";
        self.org.query(soql).await
    }

    fn over_ledger(&self, words: &[&str]) -> (i32, String) {
        let ledger = path(self.folder.path(), "ledger.db");
        let (code, out, err) = countersign(&[words, &["--ledger", &ledger]].concat(), None);
        (code, format!("{out}{err}"))
    }

    fn stage(&self, id: &str) -> String {
        let (code, out) = self.over_ledger(&["explain", id, "--json"]);
        assert_eq!(code, 0, "{out}");
        serde_json::from_str::<Value>(&out).unwrap()["stage"].as_str().unwrap().to_owned()
    }

    async fn until(&self, id: &str, stage: &str) {
        eventually(&format!("{id} is {stage}"), LONG, || async { self.stage(id) == stage }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_summary_is_made_told_and_cancelled() {
    let world = World::start(true).await;
    for (words, expected) in [
        (&["check", "--config", &world.config][..], "activity-log"),
        (&["policy", "lint", &path(world.folder.path(), "policies")][..], ""),
        (&["policy", "test", "config/examples/activity-log"], "6 cases, 0 not as written"),
    ] {
        let (code, out, err) = countersign(words, None);
        assert_eq!(code, 0, "{out}{err}");
        assert!(out.contains(expected), "{out}");
    }
    let summary = json!({ "Subject": "Call with Sample", "Description": "Wants a quote.\nAsked for terms.",
        "ActivityDate": "2026-05-20", "CallDurationInSeconds": 420 });
    let body = world.body("call:1", &summary);
    let (code, card) = world.send("preview", &body);
    assert_eq!(code, 0, "{card}");
    assert!(card.contains("new Task (call-summary) below Lead"), "{card}");
    assert!(card.contains("create.call-summary.fixed") && card.contains("\"Completed\""), "{card}");
    assert!(card.contains("nothing is deleted"), "{card}");
    assert!(world.tasks().await.is_empty(), "a preview makes nothing");

    let (code, said) = world.send("propose", &body);
    assert_eq!(code, 0, "it may run by itself: {said}");
    let serve = world.serve();
    world.until("call:1", "promoted").await;
    let tasks = world.tasks().await;
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    let task = &tasks[0];
    for (field, value) in [("Subject", "Call with Sample"), ("Status", "Completed"), ("TaskSubtype", "Call")]
    {
        assert_eq!(task[field], value, "{task}");
    }
    assert_eq!(
        (&task["WhoId"], &task["AI_Proposal_ID__c"]),
        (&json!(world.lead), &json!("call:1")),
        "{task}"
    );
    let id = task["Id"].as_str().unwrap();
    let (_, story) = world.over_ledger(&["explain", "call:1"]);
    assert!(story.contains(&format!("record {id}")) && story.contains("make a record"), "{story}");
    assert!(story.contains("the call of this morning"), "{story}");

    // The same proposal again makes nothing more; another body under its id is refused.
    assert_eq!(world.send("propose", &body).0, 0);
    let (code, said) = world.propose("call:1", "Another call");
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("proposal-id-reused"), "{said}");
    // One below an opportunity hangs on the other field.
    let deal = json!({ "Name": "Example deal", "StageName": "Prospecting", "CloseDate": "2026-09-30" });
    let (_, deal) = world.org.call("admin", "POST", "/sobjects/Opportunity", Some(deal)).await;
    let mut body = world.body("draft:1", &json!({ "Subject": "Send the quote" }));
    body["rule"] = json!("next-step-draft");
    body["parent"] = json!({ "object": "Opportunity", "record_id": deal["id"] });
    assert_eq!(world.send("propose", &body).0, 0);
    world.until("draft:1", "promoted").await;
    let tasks = world.tasks().await;
    let draft = tasks.iter().find(|task| task["AI_Proposal_ID__c"] == "draft:1").expect("it was made");
    assert_eq!((&draft["WhatId"], &draft["Status"]), (&deal["id"], &json!("Not Started")), "{draft}");
    assert_eq!(tasks.len(), 2);
    assert_eq!(serve.terminate(), 0);
    let (code, out) = world.over_ledger(&["verify"]);
    assert_eq!(code, 0, "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_rule_names_is_refused_with_its_code() {
    let world = World::start(true).await;
    let good = world.body("no:0", &json!({ "Subject": "Call" }));
    let with = |change: Value| {
        let mut body = good.clone();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    let lead = &world.lead;
    for (n, (change, code)) in [
        (json!({ "rule": "meeting-notes" }), "create-not-named"),
        (json!({ "patch": { "Subject": "Call", "OwnerId": "005000000000001AAA" } }), "field-unknown"),
        (json!({ "patch": { "Subject": "Call", "Status": "Deferred" } }), "create-field-not-named"),
        (json!({ "patch": { "Subject": "Call", "WhatId": lead } }), "create-field-not-named"),
        (json!({ "patch": { "Subject": "x".repeat(256) } }), "value-too-long"),
        (json!({ "confidence": 0.5 }), "create-confidence-too-low"),
        (json!({ "requires_review": true }), "create-needs-person"),
        (json!({ "operation": "delete" }), "operation-unknown"),
        (json!({ "record_id": lead }), "key-out-of-place"),
        (json!({ "object": "Contact" }), "object-not-governed"),
        (json!({ "parent": { "object": "Lead", "record_id": "00Q000000000zzzEAA" } }), "record-missing"),
        (json!({ "parent": { "object": "Account", "record_id": lead } }), "object-not-governed"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = with(change.clone());
        body["proposal_id"] = json!(format!("no:{n}"));
        let (exit, said) = world.send("propose", &body);
        assert!(matches!(exit, 2 | 3), "{change}: {exit} {said}");
        assert!(said.contains(code), "{code} is missing for {change}: {said}");
    }
    // A task is not changed, only made.
    let update = json!({ "proposal_id": "no:u", "object": "Task", "record_id": "00T000000000001AAA",
        "patch": { "Status": "Completed" }, "confidence": 0.9 });
    let (code, said) = world.send("propose", &update);
    assert_eq!(code, 2, "{said}");
    let serve = world.serve();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(world.tasks().await.is_empty(), "nothing was made");
    drop(serve);

    // The org's own walls: only the promoter marks, an agent makes nothing by itself.
    let marked = json!({ "Subject": "Forged", "AI_Proposal_ID__c": "forged:1" });
    for (role, fields, code) in [
        ("admin", marked.clone(), "AI_GATE_18"),
        ("promoter", json!({ "Subject": "Unmarked" }), "AI_GATE_19"),
    ] {
        let (status, reply) = world.org.call(role, "POST", "/sobjects/Task", Some(fields)).await;
        assert_eq!(status, 400, "{reply}");
        assert!(reply.to_string().contains(code), "{role}: {reply}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_switch_nothing_is_made() {
    let world = World::start(false).await;
    let (code, said) = world.propose("off:1", "Call");
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("create-switched-off"), "{said}");
    assert_eq!(world.stage("off:1"), "refused");
    // And the org itself refuses, should the daemon be wrong about it.
    let marked = json!({ "Subject": "Call", "AI_Proposal_ID__c": "off:2", "WhoId": world.lead });
    let (status, reply) = world.org.call("promoter", "POST", "/sobjects/Task", Some(marked)).await;
    assert_eq!(status, 400, "{reply}");
    assert!(reply.to_string().contains("AI_GATE_19"), "{reply}");
}

/// Strikes the call that makes records: the one before it, which reads the parent, passes.
async fn strike(world: &World, name: &str, (point, action): (&str, Value)) {
    let fault = json!({ "name": name, "point": point, "skip": 1, "action": action,
        "match": { "method": "POST", "path_contains": "/composite/sobjects",
            "username": world.org.text("/users/promoter/username") } });
    world.org.control("/__faults", fault).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_the_call_and_its_reply_one_task_stands() {
    let world = World::start(true).await;
    assert_eq!(world.propose("kill:1", "Call before the kill").0, 0);
    strike(&world, "slow reply", ("reply", json!({ "kind": "delay", "millis": 60_000 }))).await;
    let serve = world.serve();
    eventually("the org has saved the task", LONG, || async { world.tasks().await.len() == 1 }).await;
    serve.kill();
    assert_ne!(world.stage("kill:1"), "promoted", "nobody heard the reply");
    let _serve = world.serve();
    world.until("kill:1", "promoted").await;
    assert_eq!(world.tasks().await.len(), 1, "it was looked for before anything was sent again");
    let (_, story) = world.over_ledger(&["explain", "kill:1"]);
    assert!(story.contains("landing proven by read"), "{story}");
    let (code, out) = world.over_ledger(&["verify"]);
    assert_eq!(code, 0, "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_is_lost_before_the_work_is_sent_again_one_time() {
    let world = World::start(true).await;
    assert_eq!(world.propose("lost:1", "Call").0, 0);
    strike(&world, "no call", ("request", json!({ "kind": "drop-reply" }))).await;
    let _serve = world.serve();
    world.until("lost:1", "promoted").await;
    assert_eq!(world.tasks().await.len(), 1);
    assert_eq!(world.org.fired().await, ["no call"]);
    let (_, story) = world.over_ledger(&["explain", "lost:1"]);
    assert!(story.contains("promotion unknown"), "it was the call that makes the task: {story}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_cancels_what_nobody_touched_and_deletes_nothing() {
    let world = World::start(true).await;
    let serve = world.serve();
    for (id, subject) in [("undo:1", "One"), ("undo:2", "Two"), ("undo:3", "Three"), ("undo:4", "Four")] {
        assert_eq!(world.propose(id, subject).0, 0);
    }
    for id in ["undo:1", "undo:2", "undo:3", "undo:4"] {
        world.until(id, "promoted").await;
    }
    let task = |tasks: &[Value], mark: &str| {
        tasks.iter().find(|task| task["AI_Proposal_ID__c"] == mark).cloned().expect("the task is there")
    };
    // One by its proposal.
    let apply = |words: &[&str]| countersign(&[words, &["--config", &world.config]].concat(), None);
    let (code, said, err) = apply(&["rollback", "plan", "undo:1"]);
    assert_eq!(code, 0, "{said}{err}");
    assert!(said.contains("cancel   Status: Completed → Deferred"), "{said}");
    let (code, said, err) = apply(&["rollback", "apply", "undo:1"]);
    assert_eq!(code, 0, "{said}{err}");
    assert_eq!(task(&world.tasks().await, "undo:1")["Status"], "Deferred");
    assert_eq!(world.stage("undo:1"), "rolled-back");
    let (code, said, err) = apply(&["rollback", "apply", "undo:1"]);
    assert_eq!(code, 0, "a second time there is nothing to do: {said}{err}");

    // Many by their agent: a person took one of them up, and it is spared.
    let second = task(&world.tasks().await, "undo:2")["Id"].as_str().unwrap().to_owned();
    let (status, reply) = world
        .org
        .call(
            "reviewer",
            "PATCH",
            &format!("/sobjects/Task/{second}"),
            Some(json!({ "Subject": "Two, by hand" })),
        )
        .await;
    assert_eq!(status, 204, "{reply}");
    let many = ["--agent", "note-taker", "--by", "Ida Example", "--reason", "the notes were wrong"];
    let (code, said, err) = apply(&["rollback", "plan", "--agent", "note-taker", "--json"]);
    assert_eq!(code, 0, "{said}{err}");
    let shown: Value = serde_json::from_str(&said).unwrap();
    let digest = shown["digest"].as_str().unwrap();
    let mut words = vec!["rollback", "apply"];
    words.extend(many);
    words.extend(["--manifest", digest, "--json"]);
    let (code, said, err) = apply(&words);
    assert_eq!(code, 4, "one is spared: {said}{err}");
    let ended: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (&ended["cancelled"], &ended["restored"], &ended["failed"]),
        (&json!(2), &json!(0), &json!(0)),
        "{ended}"
    );
    assert!(ended["spared"].as_u64().unwrap() >= 1, "{ended}");
    let tasks = world.tasks().await;
    assert_eq!(tasks.len(), 4, "nothing was deleted");
    assert_eq!(task(&tasks, "undo:2")["Status"], "Completed", "a person's task stays");
    for id in ["undo:3", "undo:4"] {
        assert_eq!(task(&tasks, id)["Status"], "Deferred");
        assert_eq!(world.stage(id), "rolled-back");
    }
    assert_eq!(serve.terminate(), 0);
    let (code, out) = world.over_ledger(&["verify"]);
    assert_eq!(code, 0, "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_agent_makes_nothing_until_people_let_it_go_on() {
    let world = World::start(true).await;
    let serve = world.serve();
    // The daemon is there, and so is its ledger.
    assert_eq!(world.propose("ice:0", "Call").0, 0);
    world.until("ice:0", "promoted").await;
    let freeze = |words: &[&str]| {
        let with = ["--by", "Ida Example", "--config", &world.config];
        let (code, out, err) = countersign(&[words, &with].concat(), None);
        assert_eq!(code, 0, "{out}{err}");
    };
    freeze(&["freeze", "agent:note-taker", "--reason", "odd notes"]);
    let (code, said) = world.propose("ice:1", "Call");
    assert_eq!(code, 4, "{said}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(world.tasks().await.len(), 1, "nothing is made while it is frozen");
    freeze(&["unfreeze", "agent:note-taker"]);
    world.until("ice:1", "promoted").await;
    assert_eq!(world.tasks().await.len(), 2);
    assert_eq!(serve.terminate(), 0);
}
