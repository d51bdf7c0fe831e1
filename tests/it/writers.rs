//! Who writes governed fields besides the daemon: heard where the channel lets it through, told when new,
//! and stopped when two of them set a value against each other.

use std::{fs, time::Duration};

use countersign::package::SHIPPED;
use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    processes::{countersign, eventually},
};

fn writers(world: &World) -> Value {
    serde_json::from_str(&world.over_ledger(&["writers", "--json"])).expect("JSON")
}

/// The row of a user and field.
fn row<'a>(report: &'a Value, user: &str, field: &str) -> Option<&'a Value> {
    let rows = report["writers"].as_array().expect("a list");
    rows.iter().find(|row| row["user"] == user && row["field"] == field && row["ours"] == false)
}

/// Takes the filter of the channel's member away: every change is delivered.
async fn widen(world: &World) {
    let name = "AI_Proposals_chn_OpportunityChangeEvent.platformEventChannelMember-meta.xml";
    let (_, shipped) = SHIPPED.iter().find(|(path, _)| path.ends_with(name)).expect("it is shipped");
    let (before, rest) = shipped.split_once("<filterExpression>").expect("it has a filter");
    let (_, after) = rest.split_once("</filterExpression>").expect("it ends");
    let file =
        "platformEventChannelMembers/AI_Proposals_chn_OpportunityChangeEvent.platformEventChannelMember";
    let member = ("PlatformEventChannelMember", "AI_Proposals_chn_OpportunityChangeEvent", file);
    let wide = format!("{before}{after}");
    world.org.deploy(&[(member.0, member.1, member.2, &wide)]).await;
}

async fn step(world: &World, role: &str, id: &str, value: &str) {
    let (status, said) = world.patch(role, "Opportunity", id, json!({ "NextStep": value })).await;
    assert_eq!(status, 204, "{role}: {said}");
}

async fn the_map_knows_who_was_heard() {
    let world = World::start();
    let (admin, deals) = (world.org.text("/users/admin/user_id"), world.opportunities().await);
    let (one, two) = (text(&deals[0]["Id"]), text(&deals[1]["Id"]));
    step(&world, "admin", one, "Not heard").await;
    world.asks(two, ("writer:own", "Send the draft")).await;
    world.decides(two, ("writer:own", "Approved"), "promoted").await;
    eventually("our own write is counted", Duration::from_secs(20), || async {
        !writers(&world)["writers"].as_array().unwrap().is_empty()
    })
    .await;
    let narrow = writers(&world);
    assert!(row(&narrow, &admin, "NextStep").is_none(), "the shipped channel does not carry it: {narrow:#}");
    assert_eq!(narrow["fields"][0]["ungoverned_percent"], 0, "{narrow:#}");

    widen(&world).await;
    step(&world, "admin", one, "Heard").await;
    eventually("a foreign write is counted", Duration::from_secs(20), || async {
        row(&writers(&world), &admin, "NextStep").is_some()
    })
    .await;
    let wide = writers(&world);
    let foreign = row(&wide, &admin, "NextStep").unwrap();
    assert_eq!((&foreign["object"], &foreign["writes"]), (&json!("Opportunity"), &json!("1")), "{wide:#}");
    assert!(text(&foreign["client"]).starts_with("rest"), "{foreign:#}");
    let field = &wide["fields"][0];
    assert_eq!(
        (&field["ours"], &field["others"], &field["ungoverned_percent"]),
        (&json!(1), &json!(1), &json!(50))
    );
    assert!(world.said().contains("writer-new"), "{}", world.said());
    told_in_every_form(&world, &admin);
}

/// The names come from the org, when they are asked for.
fn told_in_every_form(world: &World, admin: &str) {
    let text = world.over_ledger(&["writers"]);
    for words in ["Opportunity.NextStep", "1 of 2 write(s) went past the gate (50 %)", admin] {
        assert!(text.contains(words), "{words} in {text}");
    }
    let csv = world.over_ledger(&["writers", "--format", "csv"]);
    assert!(csv.lines().count() == 3 && csv.contains(&format!("\"{admin}\",\"\",\"\",\"rest")), "{csv}");
    let page = world.over_ledger(&["writers", "--format", "html"]);
    for bad in ["<script", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(bad), "{bad}");
    }
    assert!(page.contains("Past the gate") && page.contains("1 of 2"), "{page}");
    let (code, named, err) = countersign(&["writers", "--names", "--config", &world.config], None);
    assert!(code == 0 && named.contains("(person)") && !named.contains(admin), "{named}{err}");
    let runs = world.over_ledger(&["jobs", "runs", "drift", "--format", "csv"]);
    assert!(runs.starts_with("\"slot\",\"try\""), "{runs}");
    let page = world.over_ledger(&["jobs", "runs", "drift", "--format", "html"]);
    assert!(page.contains("<h1>Job drift</h1>"), "{page}");
    let (code, out, _) =
        countersign(&["drift", "report", "--format", "html", "--ledger", &world.ledger()], None);
    assert!(code == 0 && out.contains("Opportunity: as ") && out.contains("What differs"), "{out}");
    let (code, _, err) =
        countersign(&["writers", "--json", "--format", "csv", "--ledger", &world.ledger()], None);
    assert!(code == 2 && err.contains("cannot be used with"), "one form at a time: {err}");
}

async fn a_kill_loses_no_count() {
    let mut world = World::start();
    widen(&world).await;
    let (admin, deals) = (world.org.text("/users/admin/user_id"), world.opportunities().await);
    let one = text(&deals[0]["Id"]);
    step(&world, "admin", one, "Call them").await;
    eventually("a new writer is recorded at once", Duration::from_secs(20), || async {
        row(&writers(&world), &admin, "NextStep").is_some()
    })
    .await;
    // Counted in memory, until the hour is over.
    for place in 0..3 {
        step(&world, "admin", one, &format!("Call them, {place}")).await;
    }
    let processed = |world: &World| -> Value {
        serde_json::from_str(&world.over_ledger(&["status", "--json"])).expect("JSON")
    };
    eventually("they were worked on", Duration::from_secs(20), || async {
        processed(&world)["inbox_waiting"] == 0
    })
    .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(row(&writers(&world), &admin, "NextStep").unwrap()["writes"], "1", "not recorded yet");
    world.kill();
    world.restart();
    step(&world, "reviewer", one, "Write to them").await;
    let reviewer = world.org.text("/users/reviewer/user_id");
    eventually("another new writer is recorded", Duration::from_secs(30), || async {
        row(&writers(&world), &reviewer, "NextStep").is_some()
    })
    .await;
    let told = writers(&world);
    assert_eq!(row(&told, &admin, "NextStep").unwrap()["writes"], "4", "{told:#}");
    assert_eq!(row(&told, &reviewer, "NextStep").unwrap()["writes"], "1", "{told:#}");
    world.stop();
    world.over_ledger(&["verify"]);
}

async fn two_writers_against_each_other_stop_the_record_and_are_named() {
    let world = World::start();
    widen(&world).await;
    let deals = world.opportunities().await;
    let (one, two) = (text(&deals[0]["Id"]), text(&deals[1]["Id"]));
    let (admin, reviewer) =
        (world.org.text("/users/admin/user_id"), world.org.text("/users/reviewer/user_id"));
    for _ in 0..2 {
        step(&world, "admin", one, "Call them").await;
        step(&world, "reviewer", one, "Write to them").await;
    }
    let scope = format!("record:Opportunity.{one}");
    eventually("the record is stopped", Duration::from_secs(20), || async {
        world.over_ledger(&["freeze", "--list"]).contains(&scope)
    })
    .await;
    let stopped = writers(&world)["quarantined"].clone();
    let why = text(&stopped[0]["reason"]);
    assert!(
        why.contains("NextStep goes back and forth") && why.contains(&admin) && why.contains(&reviewer),
        "{why}"
    );
    assert_eq!(stopped.as_array().unwrap().len(), 1, "{stopped:#}");

    world.asks(two, ("flap:other", "Send the draft")).await;
    world.decides(two, ("flap:other", "Approved"), "promoted").await;
    let body = json!({ "proposal_id": "flap:here", "object": "Opportunity", "record_id": one,
        "patch": { "NextStep": "Send the draft" }, "confidence": 0.9 });
    let (code, said, err) = countersign(&["propose", "--config", &world.config], Some(&body.to_string()));
    assert_eq!(code, 4, "{said}{err}");
    assert!(said.contains("frozen"), "{said}");
    let (code, said, err) =
        countersign(&["unfreeze", &scope, "--by", "Pat Example", "--config", &world.config], None);
    assert_eq!(code, 0, "{said}{err}");
}

/// Names the file of who may write in the settings, and starts with it.
fn owned(world: &mut World, text: &str) -> String {
    let file = world.path("ownership.toml");
    fs::write(&file, text).unwrap();
    world.kill();
    world.set(&format!("[policy]\nownership = \"{file}\"\n[http]\nlisten = \"127.0.0.1:0\"\n"));
    world.restart();
    file
}

async fn who_is_listed_is_no_news_and_who_is_not_is_told() {
    let mut world = World::start();
    widen(&world).await;
    let user = |role: &str| world.org.text(&format!("/users/{role}/user_id"));
    let (admin, reviewer) = (user("admin"), user("reviewer"));
    let list = format!(
        "[[field]]\nobject = \"Opportunity\"\nfield = \"NextStep\"\nowner = \"<b>Deal desk</b>\"\n\
         [[field.writer]]\nuser = \"{}\"\nwhy = \"the nightly sync\"\n",
        &admin[..15]
    );
    let file = owned(&mut world, &list);
    let at = world.http().await;
    let unlisted = "countersign_unlisted_writes_total{object=\"Opportunity\",field=\"NextStep\"}";
    for zero in
        ["countersign_new_writers_total 0", "countersign_break_glass_uses_total 0", &format!("{unlisted} 0")]
    {
        eventually(zero, Duration::from_secs(20), || async { metrics(&at).await.contains(zero) }).await;
    }
    let deals = world.opportunities().await;
    step(&world, "admin", text(&deals[0]["Id"]), "Call them").await;
    for place in 0..2 {
        step(&world, "reviewer", text(&deals[1]["Id"]), &format!("Write to them, {place}")).await;
    }
    eventually("both are counted", Duration::from_secs(20), || async {
        let told = writers(&world);
        row(&told, &admin, "NextStep").is_some() && row(&told, &reviewer, "NextStep").is_some()
    })
    .await;
    eventually("each write counts", Duration::from_secs(20), || async {
        metrics(&at).await.contains(&format!("{unlisted} 2"))
    })
    .await;
    assert!(metrics(&at).await.contains("countersign_new_writers_total 0"), "one alert for one warning");
    let said = world.said();
    let warned: Vec<&str> = said.lines().filter(|line| line.contains("code=writer-")).collect();
    assert!(warned.len() == 1 && warned[0].contains("writer-not-listed"), "{warned:?}");
    assert!(warned[0].contains(&reviewer), "{warned:?}");

    let with =
        |words: &[&str]| countersign(&[&["writers"], words, &["--config", &world.config]].concat(), None);
    let told: Value = serde_json::from_str(&with(&["--json"]).1).expect("JSON");
    let (listed, other) =
        (row(&told, &admin, "NextStep").unwrap(), row(&told, &reviewer, "NextStep").unwrap());
    assert_eq!((&listed["standing"], &listed["why"]), (&json!("listed"), &json!("the nightly sync")));
    assert_eq!((&other["standing"], &other["why"]), (&json!("not-listed"), &Value::Null));
    // A count between two entries is in memory only, so one or both are told.
    let (field, heard) = (&told["fields"][0], text(&other["writes"]));
    assert_eq!(field["owner"], "<b>Deal desk</b>", "{told:#}");
    assert!(["1", "2"].contains(&heard) && field["not_listed"] == heard.parse::<u64>().unwrap(), "{told:#}");
    let plain = with(&[]).1;
    let owner = format!("Deal desk</b> answers for it, {heard} write(s) by writers who are not listed");
    assert!(plain.contains(&owner) && plain.contains("NOT LISTED"), "{plain}");
    let page = with(&["--format", "html"]).1;
    assert!(
        page.contains("&lt;b&gt;Deal desk") && !page.contains("<b>Deal") && page.contains("NOT LISTED"),
        "{page}"
    );
    let without = world.over_ledger(&["writers"]);
    assert!(!without.contains("NOT LISTED") && !without.contains("Deal desk"), "{without}");

    // A wrong list is refused before anything starts.
    fs::write(&file, list.replace("NextStep", "Description")).unwrap();
    let (code, out, err) = countersign(&["check", "--config", &world.config], None);
    assert!(code == 2 && out.contains("ownership-field-unknown"), "{out}{err}");
    let (_, told, _) = countersign(&["doctor", "--no-canary", "--config", &world.config], None);
    assert!(told.contains("ownership-field-unknown"), "{told}");
    let (code, out, err) = with(&[]);
    assert!(code == 2 && err.contains("ownership-field-unknown"), "{out}{err}");
    world.stop();
    let (code, out, err) = countersign(&["serve", "--config", &world.config], None);
    assert!(code == 2 && err.contains("ownership-field-unknown"), "{out}{err}");
}

/// What `/metrics` shows.
async fn metrics(address: &str) -> String {
    let answer = reqwest::get(format!("{address}/metrics")).await.expect("an answer");
    answer.text().await.expect("a page")
}

crate::databases::over_both!(
    who_is_listed_is_no_news_and_who_is_not_is_told,
    the_map_knows_who_was_heard,
    a_kill_loses_no_count,
    two_writers_against_each_other_stop_the_record_and_are_named,
);
