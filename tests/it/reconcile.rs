//! Reconciliation over real processes: what no event told, who changed what was promoted, and the same
//! by bulk query.

use std::time::Duration;

use countersign::clock::Clock;
use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    databases::over_both,
    processes::countersign,
};

const OPEN: &str = "Open - Not Contacted";
const WORKING: &str = "Working - Contacted";
const CLOSED: &str = "Closed - Not Converted";

/// A world in which nothing counts as under way.
fn world(org: &Value, more: &str) -> World {
    let mut world = World::with_settings(org);
    world.kill();
    world.set(&format!("[reconcile]\ngrace_seconds = 0\n{more}\n"));
    world.restart();
    world
}

async fn saves(world: &World, role: &str, lead: &str, fields: Value) {
    let (code, said) = world.patch(role, "Lead", lead, fields).await;
    assert_eq!(code, 204, "{role}: {said}");
}

/// An agent proposes on the record.
async fn proposes(world: &World, lead: &str, id: &str, more: Value) {
    let mut fields = json!({ "AI_Proposal_ID__c": id, "AI_Recommended_Status__c": WORKING,
        "AI_Status_Confidence__c": 0.7, "AI_Last_Evaluated_At__c": Clock::system().now().to_string(),
        "AI_Gate_Pending__c": true });
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    saves(world, "proposer", lead, fields).await;
}

async fn approves(world: &World, lead: &str, id: &str) {
    let fields =
        json!({ "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": id, "AI_Gate_Pending__c": true });
    saves(world, "reviewer", lead, fields).await;
}

/// The daemon's user takes the flag off, as a late notice does in an org without the rule
/// `AI_GATE_22`.
async fn late_notice(world: &World, (lead, id): (&str, &str)) {
    let fields = json!({ "AI_Gate_Pending__c": false, "AI_Gate_Outcome__c": "refused: an earlier one",
        "AI_Gate_Outcome_Of__c": id });
    saves(world, "promoter", lead, fields).await;
}

async fn promoted(world: &World, lead: &str, id: &str) {
    proposes(world, lead, id, json!({})).await;
    world.wait_stage(id, "awaiting-approval").await;
    approves(world, lead, id).await;
    world.wait_stage(id, "promoted").await;
}

fn reconcile(world: &World, words: &[&str]) -> (i32, Value) {
    let (code, out, err) =
        countersign(&[&["reconcile", "run"], words, &["--config", &world.config, "--json"]].concat(), None);
    let report = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{code}: {out}{err}"));
    (code, report)
}

/// Code and whether it was repaired, of what was found about a record.
fn of<'a>(report: &'a Value, record: &str) -> Vec<(&'a str, &'a str, bool)> {
    let found = report["run"]["found"].as_array().unwrap().iter();
    let mine = found.filter(|one| one["record"] == record);
    mine.map(|one| (text(&one["kind"]), text(&one["code"]), one["repaired"] == true)).collect()
}

async fn what_no_event_told_is_taken_in() {
    let mut world = world(&json!({}), "");
    let (hidden, taken_over, pending, decided) = (
        world.lead("Amy").await,
        world.lead("Ben").await,
        world.lead("Cleo").await,
        world.lead("Dora").await,
    );
    let (ends, quiet) = (world.lead("Eve").await, world.lead("Finn").await);
    proposes(&world, &decided, "rec:decided", json!({})).await;
    let soon = Clock::system().now() + jiff::SignedDuration::from_secs(12);
    proposes(&world, &ends, "rec:ends", json!({ "AI_Proposal_Expires_At__c": soon.to_string() })).await;
    world.wait_stage("rec:decided", "awaiting-approval").await;
    world.wait_stage("rec:ends", "awaiting-approval").await;
    world.kill();
    for (record, id) in [(&hidden, "rec:hidden"), (&taken_over, "rec:taken-over"), (&pending, "rec:pending")]
    {
        proposes(&world, record, id, json!({})).await;
    }
    approves(&world, &decided, "rec:decided").await;
    let notices = [
        (&hidden, "rec:hidden"),
        (&taken_over, "rec:taken-over"),
        (&decided, "rec:decided"),
        (&ends, "rec:ends"),
    ];
    for (record, id) in notices {
        late_notice(&world, (record, id)).await;
    }
    saves(&world, "admin", &taken_over, json!({ "Company": "Example Holdings Ltd" })).await;
    let left = soon.duration_since(Clock::system().now()).as_secs().max(0) + 1;
    tokio::time::sleep(Duration::from_secs(left.unsigned_abs())).await;

    let (code, report) = reconcile(&world, &[]);
    assert_eq!(code, 4, "one is left to people: {report}");
    assert_eq!(of(&report, &hidden), [("missed-event", "proposal-unseen", true)], "{report}");
    assert_eq!(of(&report, &taken_over), [("missed-event", "proposal-unseen", false)]);
    assert_eq!(of(&report, &pending), [("missed-event", "proposal-unseen", true)]);
    assert_eq!(of(&report, &decided), [("missed-event", "decision-unseen", true)]);
    assert_eq!(of(&report, &ends), [("proposal-stuck", "expired", true)]);
    assert_eq!(of(&report, &quiet), []);
    assert_eq!(report["run"]["counts"]["missed-event"], json!({ "found": "4", "repaired": "3" }));
    for id in ["rec:hidden", "rec:pending"] {
        assert_eq!(world.stage(id), "awaiting-approval", "{id}");
    }
    assert_eq!(world.stage("rec:taken-over"), "", "who saved it last decides whose it is");
    // The decision was carried out, through the gate and the protocol.
    let (_, row) = world.org.call("admin", "GET", &format!("/sobjects/Lead/{decided}"), None).await;
    assert_eq!(
        (&row["Status"], &row["Lead_Status_Change_Source__c"]),
        (&json!(WORKING), &json!("AI Proposal"))
    );

    // An owner who is gone decides nothing.
    world.org.control("/__users", json!({ "user": "admin", "active": false })).await;

    // A run is safe to repeat: nothing is taken in again, and it is compared with the run before.
    let (_, again) = reconcile(&world, &[]);
    let counts = json!({ "missed-event": { "found": "1", "repaired": "0" },
        "approver-inactive": { "found": "2", "repaired": "0" } });
    assert_eq!(again["run"]["counts"], counts, "{again}");
    assert_eq!(of(&again, &pending), [("approver-inactive", "owner-inactive", false)]);
    assert_eq!(again["before"]["id"], report["run"]["id"]);
    assert!(
        again["run"]["reads"]["Lead"]["since"].is_string()
            && report["run"]["reads"]["Lead"]["since"].is_null()
    );
    world.restart();
    approves(&world, &hidden, "rec:hidden").await;
    world.wait_stage("rec:hidden", "promoted").await;
    world.stop();
    world.over_ledger(&["verify"]);
}

async fn who_changed_what_was_promoted_is_told_with_rates() {
    let world = world(&json!({}), "");
    let (stands, changed, rejected) =
        (world.lead("Amy").await, world.lead("Ben").await, world.lead("Cleo").await);
    promoted(&world, &stands, "rate:stands").await;
    promoted(&world, &changed, "rate:changed").await;
    proposes(&world, &rejected, "rate:rejected", json!({})).await;
    world.wait_stage("rate:rejected", "awaiting-approval").await;
    let no = json!({ "AI_Decision__c": "Rejected", "AI_Decision_Proposal_ID__c": "rate:rejected",
        "AI_Rejection_Reason__c": "Wrong Value", "AI_Gate_Pending__c": true });
    saves(&world, "reviewer", &rejected, no).await;
    world.wait_stage("rate:rejected", "rejected").await;
    saves(&world, "reviewer", &changed, json!({ "Status": CLOSED })).await;

    let (code, report) = reconcile(&world, &[]);
    assert_eq!(code, 0, "people have the last word: {report}");
    assert_eq!(
        (of(&report, &stands), of(&report, &changed)),
        (vec![], vec![("overridden", "changed-by-hand", false)])
    );
    let one = &report["run"]["found"][0];
    let reviewer = world.org.text("/users/reviewer/user_id");
    assert_eq!(
        (&one["before"]["value"], &one["after"]["value"], &one["by"], &one["proposal"]),
        (&json!(WORKING), &json!(CLOSED), &json!(reviewer), &json!("rate:changed"))
    );
    let rate = |report: &Value, by: &str, name: &str| {
        let rates = report["run"]["rates"].as_array().unwrap().clone();
        let rate = rates.into_iter().find(|rate| rate["by"] == by && text(&rate["name"]).contains(name));
        let rate = rate.unwrap_or_else(|| panic!("{by} {name}: {report}"));
        ["stands", "rejected", "overridden"].map(|word| text(&rate[word]).to_owned())
    };
    let proposer = world.org.text("/users/proposer/user_id");
    for (by, name) in [
        ("agent", &*proposer),
        ("segment", "Lead.Status: Open - Not Contacted > Working"),
        ("rule", "Lead.Status"),
    ] {
        assert_eq!(rate(&report, by, name), ["1", "1", "1"], "{by}: {report}");
    }
    assert_eq!(report["run"]["rates"][0]["by"], "check");
    // What an earlier run saw counts in later ones, also when they do not read the record.
    let (_, later) = reconcile(&world, &[]);
    assert_eq!(rate(&later, "agent", &proposer), ["1", "1", "1"]);

    told_in_every_form(&world, &changed);
}

/// What the report says of it, in every form, and what is left of it when the record is erased.
fn told_in_every_form(world: &World, changed: &str) {
    let ledger = world.ledger();
    let told = |words: &[&str]| {
        let (code, out, err) = countersign(&[&["reconcile"], words, &["--ledger", &ledger]].concat(), None);
        assert_eq!(code, 0, "{out}{err}");
        out
    };
    let report = told(&["report"]);
    assert!(
        report.contains("overridden") && report.contains("66.6 %") && report.contains(CLOSED),
        "{report}"
    );
    let csv = told(&["report", "--format", "csv"]);
    assert!(csv.lines().count() == 2 && csv.contains(&format!("\"Lead\",\"{changed}\",\"Status\"")), "{csv}");
    assert!(told(&["report", "--format", "csv", "--rates"]).contains("\"666\""));
    let page = told(&["report", "--format", "html"]);
    for bad in ["<script", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(bad), "{bad}");
    }
    assert!(page.contains("up to a day") && page.contains(CLOSED), "{page}");
    assert_eq!(told(&["list"]).lines().count(), 3, "a heading and two runs");
    let (code, _, err) = countersign(&["reconcile", "report", "feedbeeffeed", "--ledger", &ledger], None);
    assert!(code == 1 && err.contains("reconcile-unknown"), "{err}");

    // Erased with the record: the value is gone, the count is left.
    let words = [
        "erase",
        "--record",
        &format!("Lead/{changed}"),
        "--by",
        "privacy",
        "--reason",
        "they asked",
        "--ledger",
        &ledger,
    ];
    let (code, out, err) = countersign(&words, None);
    assert_eq!(code, 0, "{out}{err}");
    let report = told(&["report"]);
    // The steps of a lifecycle stay, as the policy names them, and no record with them.
    let values = report.lines().filter(|line| !line.contains(&format!("Lead.Status: {WORKING} > {CLOSED} ")));
    let values: Vec<&str> = values.collect();
    assert!(values.iter().all(|line| !line.contains(CLOSED) && !line.contains(changed)), "{report}");
    assert!(report.contains("was erased") && report.contains("overridden"), "{report}");
}

async fn a_change_that_nothing_explains_is_found_also_without_field_history() {
    // The flow that stamps changes is not active, and no field is tracked.
    let world = world(&json!({ "flows-active": false, "history-fields": {} }), "");
    let (changed, marked) = (world.lead("Amy").await, world.lead("Ben").await);
    promoted(&world, &changed, "odd:changed").await;
    promoted(&world, &marked, "odd:marked").await;
    saves(&world, "admin", &changed, json!({ "Status": CLOSED })).await;
    // Its first promotion had the number 1.
    let stamps = json!({ "AI_Last_Promotion_ID__c": "void:somebody-else", "AI_Promotion_Seq__c": 2 });
    saves(&world, "promoter", &marked, stamps).await;

    let (code, report) = reconcile(&world, &[]);
    assert_eq!(code, 4, "{report}");
    assert_eq!(of(&report, &changed), [("unexplained-change", "no-provenance", false)], "{report}");
    assert_eq!(of(&report, &marked), [("foreign-mark", "mark-unknown", false)]);
    let one = report["run"]["found"].as_array().unwrap().iter().find(|one| one["record"] == changed).unwrap();
    assert_eq!(
        (&one["before"]["value"], &one["after"]["value"], &one["by"]),
        (&json!(WORKING), &json!(CLOSED), &json!(world.org.text("/users/admin/user_id")))
    );
    // By bulk query the same is found, and nothing of the job is left in the org.
    world.set("bulk_above = 0");
    let (_, bulk) = reconcile(&world, &["--full"]);
    assert_eq!(bulk["run"]["reads"]["Lead"]["way"], "bulk");
    assert_eq!(report["run"]["reads"]["Lead"]["way"], "pages");
    assert_eq!(bulk["run"]["found"], report["run"]["found"], "{bulk}");
    let calls = world.org.stats().await["calls"].clone();
    let made: Vec<&String> = calls.as_object().unwrap().keys().filter(|call| call.contains("jobs")).collect();
    assert!(made.iter().any(|call| call.contains(" DELETE jobs/query")), "{made:?}");
}

/// A bulk query that fails is an error, and nothing is recorded as reconciled.
#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_query_that_the_org_refuses_is_no_run() {
    let world = world(&json!({}), "bulk_above = 0");
    let amy = world.lead("Amy").await;
    proposes(&world, &amy, "bulk:amy", json!({})).await;
    let no = json!({ "point": "request", "match": { "path_contains": "jobs/query" },
        "action": { "kind": "error", "status": 400, "code": "FEATURENOTENABLED", "message": "Bulk API is not enabled" } });
    world.org.control("/__faults", no).await;
    let (code, _, err) = countersign(&["reconcile", "run", "--config", &world.config], None);
    assert!(code == 1 && err.contains("FEATURENOTENABLED"), "{err}");
    let (code, _, err) = countersign(&["reconcile", "report", "--ledger", &world.ledger()], None);
    assert!(code == 1 && err.contains("reconcile-none-yet"), "{err}");
}

/// The ledger says whether the slot was served.
#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_reconciles_by_its_timetable_and_not_at_each_start() {
    let mut world = world(&json!({}), "[jobs]\nreconcile = \"0 0 * * *\"");
    let runs = |world: &World| -> usize {
        let out = countersign(&["reconcile", "list", "--json", "--ledger", &world.ledger()], None).1;
        serde_json::from_str::<Vec<Value>>(&out).unwrap_or_default().len()
    };
    // A run whose end was not recorded is made again.
    let ended = |world: &World| -> bool {
        let out = countersign(&["jobs", "runs", "reconcile", "--json", "--ledger", &world.ledger()], None).1;
        serde_json::from_str::<Value>(&out).is_ok_and(|told| told[0]["end"]["result"] == "done")
    };
    crate::processes::eventually("it reconciles", Duration::from_secs(30), || async { ended(&world) }).await;
    assert_eq!(runs(&world), 1);
    world.kill();
    world.restart();
    let amy = world.lead("Amy").await;
    promoted(&world, &amy, "daily:amy").await;
    assert_eq!(runs(&world), 1);
    world.stop();
}

async fn a_promotion_whose_proof_never_came_is_listed() {
    let mut world = world(&json!({}), "proof_minutes = 1");
    let lead = world.lead("Ben").await;
    proposes(&world, &lead, "proof:none", json!({})).await;
    world.wait_stage("proof:none", "awaiting-approval").await;
    world.kill();
    // The stream says nothing more: the sweep at the start finds the approval, and no echo comes.
    let silent = json!({ "name": "silent", "point": "stream-delivery", "count": 1000,
        "action": { "kind": "stream-stall" } });
    world.org.control("/__faults", silent).await;
    approves(&world, &lead, "proof:none").await;
    world.restart();
    world.wait_stage("proof:none", "promoted").await;
    world.kill();
    let (code, said) = world.org.call("admin", "DELETE", &format!("/sobjects/Lead/{lead}"), None).await;
    assert_eq!(code, 204, "{said}");
    let (_, report) = reconcile(&world, &[]);
    assert!(of(&report, &lead).is_empty(), "listed before its minute was over: {report}");
    let listed = || async {
        let (code, report) = reconcile(&world, &[]);
        code == 4 && of(&report, &lead) == [("landing-unproven", "record-gone", false)]
    };
    crate::processes::eventually("it is listed", Duration::from_secs(120), listed).await;
    world.over_ledger(&["verify"]);
}

/// Lanes that are measured after so many days, with a part of the records; the next start has them.
fn measured(world: &World, label_days: u32) {
    let folder = world.folder.path().join("policies");
    std::fs::create_dir_all(&folder).unwrap();
    let shipped = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config/policies"));
    std::fs::copy(shipped.join("opportunity-pilot.toml"), folder.join("opportunity-pilot.toml")).unwrap();
    let lead = std::fs::read_to_string(shipped.join("lead-lifecycle.toml")).unwrap();
    let table = format!(
        "[shadow]\nlabel_days = {label_days}\nmin_sample = 5\nstep_back_below = \"0\"\nmax_reversals = \"1\"\n\n\
         [[shadow.segments]]\nname = \"named\"\n\
         when = {{ field = \"Name\", is_any_of = [\"Amy Example\", \"Ben Example\"] }}\n\n[signal_weights]"
    );
    let measured = lead.replacen("[signal_weights]", &table, 1);
    assert!(measured.contains("[shadow]\nlabel_days"));
    std::fs::write(folder.join("lead-lifecycle.toml"), measured).unwrap();
}

/// People's, the promoted value's, open and programs', of the rows of this kind, by name.
fn facts(report: &Value, by: &str) -> Vec<(String, [u64; 4])> {
    let rows = report["run"]["facts"].as_array().unwrap().iter().filter(|row| row["by"] == by);
    let number = |value: &Value| text(value).parse().unwrap();
    let counts = |row: &Value| ["people", "computed", "open", "programs"].map(|word| number(&row[word]));
    rows.map(|row| (text(&row["name"]).to_owned(), counts(row))).collect()
}

/// Six promotions that are put back: one stays so, one comes to it after all by hand, one by a new
/// approval, one is closed, one is converted, and one was put back by a program.
async fn followed_until_facts_settle_it(org: &Value) {
    let mut world = world(org, "");
    world.org.control("/__users", json!({ "user": "breaker", "program": true })).await;
    measured(&world, 14);
    world.kill();
    let folder = world.path("policies");
    world.set(&format!("[policy]\ndirectory = \"{folder}\"\n"));
    world.restart();
    let mut leads = Vec::new();
    for (place, name) in ["Amy", "Ben", "Cleo", "Dora", "Eve", "Finn"].iter().enumerate() {
        let lead = world.lead(name).await;
        promoted(&world, &lead, &format!("fact:{place}")).await;
        let role = if place == 5 { "breaker" } else { "reviewer" };
        saves(&world, role, &lead, json!({ "Status": OPEN })).await;
        leads.push(lead);
    }
    let (code, report) = reconcile(&world, &[]);
    assert_eq!(code, 0, "nothing is left to people: {report}");
    assert_eq!(of(&report, &leads[0]), [("overridden", "changed-by-hand", false)]);
    assert_eq!(of(&report, &leads[5]), [("overridden-by-program", "changed-by-program", false)], "{report}");
    let lane = |told: [u64; 4]| vec![("Lead.Status".to_owned(), told)];
    assert_eq!(facts(&report, "lane"), lane([0, 0, 5, 1]), "{report}");
    let rates = report["run"]["rates"].as_array().unwrap();
    let agent = rates.iter().find(|rate| rate["by"] == "agent").unwrap();
    assert_eq!((&agent["overridden"], &agent["programs"]), (&json!("5"), &json!("1")), "{report}");

    saves(&world, "admin", &leads[1], json!({ "Status": WORKING })).await;
    promoted(&world, &leads[2], "fact:again").await;
    saves(&world, "admin", &leads[3], json!({ "Status": CLOSED })).await;
    world.org.control("/__convert", json!({ "lead": leads[4], "opportunity": true })).await;
    saves(&world, "breaker", &leads[5], json!({ "Status": WORKING })).await;
    let (_, report) = reconcile(&world, &[]);
    assert_eq!(facts(&report, "lane"), lane([2, 2, 1, 1]), "{report}");
    let settled = report["run"]["settled"].as_array().unwrap().iter();
    let mut settled: Vec<&str> = settled.map(|one| text(&one["fact"])).collect();
    settled.sort_unstable();
    assert_eq!(settled, ["came-to-it", "came-to-it", "closed", "closed"]);
    let parts = [("Lead: general", [2, 1, 0, 0]), ("Lead: named", [0, 1, 1, 0])];
    let mut told = facts(&report, "part");
    told.sort();
    assert_eq!(told, parts.map(|(name, told)| (name.to_owned(), told)), "{report}");
    assert_eq!(report["advice"][0]["advice"], "need-more", "{report}");

    // What is settled stays so, whatever comes; what stood long enough is settled too.
    saves(&world, "reviewer", &leads[1], json!({ "Status": OPEN })).await;
    measured(&world, 0);
    let (_, report) = reconcile(&world, &[]);
    assert_eq!(facts(&report, "lane"), lane([3, 2, 0, 1]), "{report}");
    assert_eq!(report["run"]["settled"][0]["fact"], "kept");
    assert_eq!(
        facts(&report, "rule"),
        [("lead-lifecycle: Lead.Status is autonomous".to_owned(), [3, 2, 0, 1])]
    );
    let step = format!("Lead.Status: {WORKING} > {OPEN}");
    assert_eq!(facts(&report, "step")[0], (step.clone(), [3, 2, 0, 0]), "{report}");
    facts_in_every_form(&world, &step);
    world.stop();
    world.over_ledger(&["verify"]);
}

/// Counts and what follows in every form, and nobody's name.
fn facts_in_every_form(world: &World, step: &str) {
    let report = world.over_ledger(&["reconcile", "report"]);
    assert!(report.contains("whom later facts confirmed") && report.contains("divided"), "{report}");
    let csv = world.over_ledger(&["reconcile", "report", "--format", "csv", "--facts"]);
    let row = format!(
        "\"step\",\"{step}\",\"lead-lifecycle: Lead.Status is autonomous\",\"5\",\"3\",\"2\",\"0\",\"0\",\"5\",\"divided\",\"\""
    );
    assert!(csv.contains(&row), "{csv}");
    let page = world.over_ledger(&["reconcile", "report", "--format", "html"]);
    assert!(page.contains("By what was promoted and what people set"), "{page}");
    for role in ["reviewer", "admin", "breaker"] {
        let id = world.org.text(&format!("/users/{role}/user_id"));
        assert!(!csv.contains(&id) && !csv.contains(role), "{role}: {csv}");
    }
}

async fn what_people_overrode_is_followed_until_facts_settle_it() {
    followed_until_facts_settle_it(&json!({})).await;
}

/// Without field history the lists, the promotions and the records tell it.
async fn the_same_is_followed_where_no_field_is_tracked() {
    followed_until_facts_settle_it(&json!({ "history-fields": {} })).await;
}

over_both!(
    a_promotion_whose_proof_never_came_is_listed,
    what_no_event_told_is_taken_in,
    who_changed_what_was_promoted_is_told_with_rates,
    a_change_that_nothing_explains_is_found_also_without_field_history,
    what_people_overrode_is_followed_until_facts_settle_it,
    the_same_is_followed_where_no_field_is_tracked,
);
