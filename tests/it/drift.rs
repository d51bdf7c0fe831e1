//! An admin changes the org in the middle of a run: the lanes that the change touches wait for a person,
//! the others go on.

use std::time::Duration;

use countersign::package::SHIPPED;
use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    processes::{countersign, eventually},
};

const XMLNS: &str = "xmlns=\"http://soap.sforce.com/2006/04/metadata\"";

/// The stages of a fresh org, where another name may stand for one of them.
fn stages(rename: Option<(&str, &str)>) -> String {
    let names = [
        "Prospecting",
        "Qualification",
        "Needs Analysis",
        "Value Proposition",
        "Id. Decision Makers",
        "Perception Analysis",
        "Proposal/Price Quote",
        "Negotiation/Review",
        "Closed Won",
        "Closed Lost",
    ];
    let value = |name: &str| {
        let name = rename.filter(|(old, _)| *old == name).map_or(name, |(_, new)| new);
        format!(
            "<standardValue><fullName>{name}</fullName><default>false</default><label>{name}</label></standardValue>"
        )
    };
    let values: String = names.into_iter().map(value).collect();
    format!("<StandardValueSet {XMLNS}><sorted>false</sorted>{values}</StandardValueSet>")
}

async fn deploy_stages(world: &World, rename: Option<(&str, &str)>) {
    let file = "standardValueSets/OpportunityStage.standardValueSet";
    world.org.deploy(&[("StandardValueSet", "OpportunityStage", file, &stages(rename))]).await;
}

fn drift(world: &World, words: &[&str]) -> (i32, String) {
    let (code, out, err) = countersign(&[&["drift"], words, &["--config", &world.config]].concat(), None);
    (code, format!("{out}{err}"))
}

fn report(world: &World) -> (i32, Value) {
    json_of(world, "report")
}

fn json_of(world: &World, what: &str) -> (i32, Value) {
    let (code, out, err) = countersign(&["drift", what, "--json", "--config", &world.config], None);
    (code, serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}")))
}

/// Until the daemon has looked for the first time.
async fn looked(world: &World) {
    eventually("the daemon has looked at the org", Duration::from_secs(30), || async {
        let (_, said) = drift(world, &["report"]);
        ["Lead  as", "Opportunity  as"].iter().all(|words| said.contains(words))
    })
    .await;
}

fn of_object<'a>(report: &'a Value, object: &str) -> &'a Value {
    let objects = report["objects"].as_array().expect("a list");
    objects.iter().find(|one| one["object"] == object).unwrap_or_else(|| panic!("{object} in {report:#}"))
}

async fn asks_stage(world: &World, id: &str, (proposal, stage): (&str, &str)) {
    let body = json!({ "proposal_id": proposal, "object": "Opportunity", "record_id": id,
        "patch": { "StageName": stage }, "confidence": 0.9 });
    let (code, out, err) = countersign(&["propose", "--config", &world.config], Some(&body.to_string()));
    assert_eq!(code, 4, "{out}{err}");
    world.wait_stage(proposal, "awaiting-approval").await;
}

async fn approve(world: &World, id: &str, proposal: &str) {
    let decision = json!({ "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": proposal,
        "AI_Gate_Pending__c": true });
    assert_eq!(world.patch("reviewer", "Opportunity", id, decision).await.0, 204);
}

async fn told(world: &World, proposal: &str, code: &str) {
    eventually(&format!("the story of {proposal} tells {code}"), Duration::from_secs(20), || async {
        world.story(proposal).contains(code)
    })
    .await;
}

async fn frozen_lanes(world: &World, lanes: &[&str]) {
    eventually(&format!("frozen: {lanes:?}"), Duration::from_secs(20), || async {
        of_object(&report(world).1, "Opportunity")["frozen_lanes"] == json!(lanes)
    })
    .await;
}

async fn a_renamed_stage_freezes_its_lane_until_a_person_accepts_it() {
    let mut world = World::start();
    world.sweep_often();
    looked(&world).await;
    let (code, first) = report(&world);
    assert_eq!((code, &first["frozen"]), (0, &json!(false)), "{first:#}");
    assert_eq!(of_object(&first, "Opportunity")["accepted_by"], "the start of service");
    assert_eq!(of_object(&first, "Opportunity")["sees_setup"], true);
    let deals = world.opportunities().await;
    let ids: Vec<&str> = deals.iter().take(3).map(|deal| text(&deal["Id"])).collect();
    asks_stage(&world, ids[0], ("drift:gone", "Qualification")).await;
    asks_stage(&world, ids[1], ("drift:waits", "Needs Analysis")).await;
    world.asks(ids[2], ("drift:step", "Send the draft")).await;

    deploy_stages(&world, Some(("Qualification", "Qualified"))).await;
    frozen_lanes(&world, &["StageName"]).await;
    approve(&world, ids[1], "drift:waits").await;
    told(&world, "drift:waits", "schema-drift-values").await;
    world.decides(ids[2], ("drift:step", "Approved"), "promoted").await;
    assert_eq!(world.stage("drift:waits"), "awaiting-approval", "no approval passes a change of the org");
    world.wait_stage("drift:gone", "refused").await;

    let (code, found) = report(&world);
    assert_eq!(code, 4, "{found:#}");
    let deals = of_object(&found, "Opportunity");
    assert_eq!(of_object(&found, "Lead")["changes"], json!([]), "{found:#}");
    let gone = deals["changes"].as_array().unwrap().iter().find(|one| one["kind"] == "value-gone").unwrap();
    assert_eq!((&gone["before"], &gone["freezes"]), (&json!("Qualification"), &json!(true)));
    assert!(text(&gone["suggestion"]).contains("write \"Qualified\" in its place"), "{gone:#}");
    let line = &gone["policy"][0];
    assert!(text(&line["file"]).ends_with("opportunity-pilot.toml"), "{gone:#}");
    assert_eq!(
        (&line["key"], &line["value"]),
        (&json!("fields.StageName.lifecycle"), &json!("Qualification"))
    );
    let of = |id: &str| {
        let touched = deals["proposals"].as_array().unwrap();
        touched.iter().find(|one| one["proposal"] == id).unwrap_or_else(|| panic!("{id} in {deals:#}"))
    };
    assert_eq!(of("drift:waits")["breaks"], Value::Null);
    assert!(text(&of("drift:gone")["breaks"]).starts_with("picklist-value-unknown"), "{deals:#}");
    assert_eq!(deals["proposals"].as_array().unwrap().len(), 2, "the other lane is not touched: {deals:#}");
    let (_, page) = drift(&world, &["report"]);
    for words in ["frozen: StageName", "opportunity-pilot.toml:", "countersign drift accept Opportunity@"] {
        assert!(page.contains(words), "{words} in {page}");
    }
    accepting(&world, text(&deals["id"])).await;
    world.wait_stage("drift:waits", "promoted").await;
    assert_eq!(of_object(&report(&world).1, "Opportunity")["accepted_by"], "Pat Example");
    world.kill();
    world.over_ledger(&["verify"]);
    let replayed: Value = serde_json::from_str(&world.over_ledger(&["replay", "--json"])).unwrap();
    assert_eq!((&replayed["same"], &replayed["differing"]), (&replayed["replayed"], &json!(0)), "{replayed}");
}

async fn accepting(world: &World, id: &str) {
    let accept = |id: &str, more: &[&str]| drift(world, &[&["accept", id], more].concat());
    let words = ["--by", "Pat Example", "--reason", "the stage was renamed"];
    assert_eq!(accept(id, &words[..2]).0, 2, "a reason must be told");
    assert!(accept("Opportunity@0000000000", &words).1.contains("drift-moved"));
    assert!(accept("Lead@0000000000", &words).1.contains("no-drift"));
    assert!(accept("Opportunity", &words).1.contains("drift-unknown"));
    assert_eq!(world.stage("drift:waits"), "awaiting-approval");
    let (code, said) = accept(id, &words);
    assert_eq!(code, 0, "{said}");
}

async fn what_runs_on_save_and_what_the_promoter_may_do_freeze_too() {
    let world = World::start();
    let rule = |active: bool| {
        format!(
            "<CustomObject {XMLNS}><validationRules><fullName>Example_Rule</fullName><active>{active}</active>\
             <errorConditionFormula>ISBLANK(NextStep)</errorConditionFormula><errorMessage>A next step</errorMessage>\
             </validationRules></CustomObject>"
        )
    };
    let file = "objects/Opportunity.object";
    let kinds = |world: &World| -> (i32, Vec<String>) {
        let (code, found) = json_of(world, "look");
        let changes = of_object(&found, "Opportunity")["changes"].as_array().expect("a list").clone();
        (code, changes.iter().map(|one| text(&one["kind"]).to_owned()).collect())
    };
    assert_eq!(kinds(&world), (0, vec![]));
    world.org.deploy(&[("ValidationRule", "Opportunity.Example_Rule", file, &rule(true))]).await;
    assert_eq!(kinds(&world), (4, vec!["automation-new".to_owned()]));
    let found = report(&world).1;
    assert_eq!(
        of_object(&found, "Opportunity")["frozen_lanes"],
        json!(["Amount", "CloseDate", "NextStep", "StageName"])
    );
    world.org.deploy(&[("ValidationRule", "Opportunity.Example_Rule", file, &rule(false))]).await;
    assert_eq!(
        kinds(&world),
        (0, vec!["automation-draft".to_owned()]),
        "it does not run: the freeze is over"
    );

    let name = "AI_Promoter.permissionset-meta.xml";
    let (_, shipped) = SHIPPED.iter().find(|(path, _)| path.ends_with(name)).expect("it is shipped");
    let open = "<editable>true</editable>\n        <field>Opportunity.NextStep</field>";
    assert!(shipped.contains(open));
    let closed = shipped.replace(open, &open.replace("true", "false"));
    world
        .org
        .deploy(&[("PermissionSet", "AI_Promoter", "permissionsets/AI_Promoter.permissionset", &closed)])
        .await;
    assert_eq!(kinds(&world), (4, vec!["field-not-writable".to_owned(), "automation-draft".to_owned()]));
    assert_eq!(of_object(&report(&world).1, "Opportunity")["frozen_lanes"], json!(["NextStep"]));
}

async fn a_daemon_starts_over_a_changed_org_and_serves_the_other_lanes() {
    let mut world = World::start();
    let deals = world.opportunities().await;
    let id = text(&deals[0]["Id"]);
    looked(&world).await;
    world.kill();
    deploy_stages(&world, Some(("Qualification", "Qualified"))).await;
    world.restart();
    frozen_lanes(&world, &["StageName"]).await;
    world.asks(id, ("drift:start", "Send the draft")).await;
    world.decides(id, ("drift:start", "Approved"), "promoted").await;
    deploy_stages(&world, None).await;
    let (code, said) = drift(&world, &["look"]);
    assert_eq!(code, 0, "the org went back, and nobody has to accept anything: {said}");
}

crate::databases::over_both!(
    a_renamed_stage_freezes_its_lane_until_a_person_accepts_it,
    what_runs_on_save_and_what_the_promoter_may_do_freeze_too,
    a_daemon_starts_over_a_changed_org_and_serves_the_other_lanes,
);
