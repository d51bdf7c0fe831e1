//! The org's daily API calls: a share is left to others, and what waits goes on by itself.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    processes::{countersign, eventually},
};

fn status(world: &World) -> Value {
    let (code, out, err) = countersign(&["status", "--json", "--ledger", &world.ledger()], None);
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap()
}

async fn used(world: &World) -> u64 {
    world.org.stats().await["api_calls"].as_u64().unwrap()
}

/// Naive: uses the last call of the day, and everybody's integrations stand still.
#[tokio::test]
async fn a_share_of_the_day_is_left_to_others() {
    let mut world = World::with_settings(&json!({ "daily-api-requests": 400 }));
    world.kill();
    world.set("[api]\nlook_again_seconds = 1\n[sweep]\nevery_seconds = 1\n");
    world.restart();
    let rows = world.opportunities().await;
    let id = text(&rows[0]["Id"]);
    world.asks(id, ("p-1", "Call on Monday")).await;
    // Others use up what is theirs and more: 320 of 400, a fifth is kept.
    while used(&world).await < 320 {
        world.org.call("admin", "GET", "/limits", None).await;
    }
    eventually("the daemon tells that it waits", Duration::from_secs(20), || async {
        status(&world)["waiting"].as_str().unwrap_or_default().starts_with("api-budget-spent: ")
    })
    .await;
    let before = used(&world).await;
    let fields = json!({ "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": "p-1",
        "AI_Gate_Pending__c": true });
    assert_eq!(world.patch("reviewer", "Opportunity", id, fields).await.0, 204);
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_ne!(world.stage("p-1"), "promoted");
    // Its own looks, one a second, and the reviewer's write.
    assert!(used(&world).await - before <= 8, "{} calls", used(&world).await - before);
    // The calls have fallen out of the window, as they do within a day.
    world.org.reset("/__limits").await;
    world.wait_stage("p-1", "promoted").await;
    eventually("nothing waits", Duration::from_secs(20), || async { status(&world)["waiting"].is_null() })
        .await;
}
