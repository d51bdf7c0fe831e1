//! Break-glass: the org lets it through, the daemon tells it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    processes::eventually,
};

const LONG: Duration = Duration::from_secs(30);

fn uses(world: &World) -> Vec<Value> {
    let status: Value = serde_json::from_str(&world.over_ledger(&["status", "--json"])).unwrap();
    status["break_glass_uses"].as_array().unwrap().clone()
}

async fn wait_uses(world: &World, count: usize) {
    eventually(&format!("{count} uses are in the ledger"), LONG, || async { uses(world).len() == count })
        .await;
}

async fn break_glass(world: &World, id: &str, reason: &str) {
    let repair = json!({ "AI_Break_Glass_Reason__c": reason, "AI_Gate_Pending__c": true,
        "AI_Gate_Outcome__c": "repaired by hand" });
    let (status, reply) = world.patch("breaker", "Lead", id, repair).await;
    assert_eq!(status, 204, "{reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_use_is_told_one_time_with_who_when_and_why() {
    let world = World::start();
    let breaker = world.org.text("/users/breaker/user_id");
    let leads = world.org.query("SELECT Id FROM Lead WHERE Status = 'Open - Not Contacted' LIMIT 2").await;
    let (one, two) = (text(&leads[0]["Id"]).to_owned(), text(&leads[1]["Id"]).to_owned());

    eventually("it serves", LONG, || async { world.said().contains("sweep finished") }).await;
    break_glass(&world, &one, "the stamp was wrong").await;
    wait_uses(&world, 1).await;
    break_glass(&world, &one, "the stamp was wrong again").await;
    break_glass(&world, &two, "the stamp was wrong").await;
    wait_uses(&world, 3).await;
    // The record is read again and again; the use is the same.
    let touched = json!({ "AI_Gate_Pending__c": true });
    assert_eq!(world.patch("reviewer", "Lead", &one, touched).await.0, 204);
    eventually("the flag is taken off", LONG, || async {
        let (_, row) = world.org.call("admin", "GET", &format!("/sobjects/Lead/{one}"), None).await;
        row["AI_Gate_Pending__c"] == false
            && row["AI_Gate_Outcome__c"].as_str().is_some_and(|text| text.starts_with("nothing-waits"))
    })
    .await;
    let found = uses(&world);
    assert_eq!(found.len(), 3, "{found:?}");
    for used in &found {
        assert_eq!(
            (&used["by"], &used["object"]),
            (&json!(breaker), &json!("Lead")),
            "whether an event or a read told it first"
        );
    }
    // Uses on different records may be told in either order.
    let told = |id: &str| -> Vec<_> {
        found.iter().filter(|used| used["record"] == *id).map(|used| text(&used["reason"])).collect()
    };
    assert_eq!(told(&one), ["the stamp was wrong", "the stamp was wrong again"]);
    assert_eq!(told(&two), ["the stamp was wrong"]);

    let said = world.said();
    assert_eq!(said.matches("code=break-glass-used").count(), 3, "{said}");
    assert!(!said.contains("the stamp was wrong"), "a person's words stay out of the log");
    let status = world.over_ledger(&["status"]);
    assert!(status.contains("used 3 time(s)") && status.contains("the stamp was wrong again"), "{status}");
    world.over_ledger(&["verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_use_while_the_daemon_was_down_is_found_by_the_sweep() {
    let mut world = World::start();
    let leads = world.org.query("SELECT Id FROM Lead WHERE Status = 'Open - Not Contacted' LIMIT 1").await;
    let id = text(&leads[0]["Id"]).to_owned();
    eventually("it has looked for what waits", LONG, || async { world.said().contains("sweep finished") })
        .await;
    world.kill();
    break_glass(&world, &id, "nobody was listening").await;
    assert!(uses(&world).is_empty());
    world.restart();
    wait_uses(&world, 1).await;
    eventually("the flag is taken off", LONG, || async {
        world.outcome("Lead", &id).await.starts_with("nothing-waits")
    })
    .await;
    assert_eq!(uses(&world).len(), 1, "sweep and event tell the same use");
    world.over_ledger(&["verify"]);
}
