//! Watchdogs over real processes: what they find, where it is told, and that it ends.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    databases::over_both,
    processes::{countersign, eventually},
};

const SOON: Duration = Duration::from_secs(30);

/// What `countersign watch` says, with its exit code. There is no whole ledger before the daemon has made it.
fn watch(world: &World) -> (i32, Value) {
    let (code, out, _) = countersign(&["watch", "--json", "--config", &world.config], None);
    (code, serde_json::from_str(&out).unwrap_or_default())
}

fn state(report: &Value, code: &str) -> String {
    let rows = report["watchdogs"].as_array().expect("a list");
    text(&rows.iter().find(|row| row["code"] == code).expect("it is listed")["state"]).to_owned()
}

async fn page(world: &World, path: &str) -> String {
    let said = world.said();
    let address = said.rsplit("address=").next().and_then(|rest| rest.split_whitespace().next());
    let url = format!("http://{}{path}", address.expect("it listens"));
    reqwest::get(url).await.expect("it answers").text().await.expect("a body")
}

fn look_at_approvers(world: &World) -> Value {
    let words = ["jobs", "run", "approvers", "--by", "Olivia Example", "--json", "--config", &world.config];
    let (code, out, err) = countersign(&words, None);
    assert_eq!(code, 0, "{out}{err}");
    let told: Value = serde_json::from_str(&out).expect("JSON");
    told["end"]["counts"].clone()
}

async fn who_cannot_decide_is_told_everywhere_until_somebody_can() {
    let mut world = World::start();
    world.kill();
    world.set("[watch]\nevery_seconds = 1\ndisk_free_mb = 0\n[http]\nlisten = \"127.0.0.1:0\"\n");
    world.restart();
    eventually("all is quiet", SOON, || async { watch(&world).0 == 0 }).await;

    let queue = world.org.query("SELECT Id FROM Group WHERE Type = 'Queue'").await;
    let lead = world.lead("Amy").await;
    let owner = json!({ "OwnerId": queue[0]["Id"] });
    assert_eq!(world.patch("admin", "Lead", &lead, owner).await.0, 204);
    let body = json!({ "proposal_id": "watch:one", "object": "Lead", "record_id": lead,
        "patch": { "Status": "Working - Contacted" }, "confidence": 0.7 });
    let (code, out, err) = countersign(&["propose", "--config", &world.config], Some(&body.to_string()));
    assert_eq!(code, 4, "{out}{err}");
    world.wait_stage("watch:one", "awaiting-approval").await;
    assert_eq!(look_at_approvers(&world), json!({ "waiting": "1", "idle": "0" }));

    // The only member of the queue leaves.
    world.org.control("/__users", json!({ "user": "reviewer", "active": false })).await;
    assert_eq!(look_at_approvers(&world), json!({ "waiting": "1", "idle": "1" }));
    let (code, told) = watch(&world);
    assert_eq!((code, &*state(&told, "approver-inactive")), (1, "alarm"), "{told:#}");
    assert!(told.to_string().contains("watch:one (queue-empty"), "{told:#}");
    eventually("the daemon tells it", SOON, || async {
        page(&world, "/metrics").await.contains("countersign_watch{code=\"approver-inactive\"} 1")
    })
    .await;
    let ready: Value = serde_json::from_str(&page(&world, "/readyz").await).unwrap();
    assert_eq!(
        (&ready["ready"], &ready["troubles"]),
        (&json!(true), &json!([])),
        "the work goes on: {ready}"
    );
    assert!(text(&ready["warnings"][0]).starts_with("approver-inactive: "), "{ready}");
    assert!(world.said().contains("code=approver-inactive"), "and in the log");

    world.org.control("/__users", json!({ "user": "reviewer", "active": true })).await;
    look_at_approvers(&world);
    eventually("all is quiet again", SOON, || async {
        watch(&world).0 == 0
            && page(&world, "/metrics").await.contains("countersign_watch{code=\"approver-inactive\"} 0")
    })
    .await;

    world.stop();
    eventually("the silence is told", SOON, || async { watch(&world).0 == 1 }).await;
    let (_, told) = watch(&world);
    assert_eq!(state(&told, "daemon-silent"), "alarm");
    assert_eq!(state(&told, "stream-late"), "unknown", "nobody can tell: {told:#}");
    assert_eq!(state(&told, "approver-inactive"), "quiet");
    world.over_ledger(&["verify"]);
}

/// A queue that holds a public group is as empty as the group is.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_in_a_queue_is_looked_into() {
    let world = World::start();
    world.org.control("/__queue", json!({})).await;
    let queue = world.org.query("SELECT Id FROM Group WHERE Type = 'Queue'").await;
    let lead = world.lead("Amy").await;
    assert_eq!(world.patch("admin", "Lead", &lead, json!({ "OwnerId": queue[0]["Id"] })).await.0, 204);
    let body = json!({ "proposal_id": "watch:group", "object": "Lead", "record_id": lead,
        "patch": { "Status": "Working - Contacted" }, "confidence": 0.7 });
    let (code, out, err) = countersign(&["propose", "--config", &world.config], Some(&body.to_string()));
    assert_eq!(code, 4, "{out}{err}");
    world.wait_stage("watch:group", "awaiting-approval").await;
    let active = |user: &str, active: bool| {
        let wish = json!({ "user": user, "active": active });
        world.org.control("/__users", wish)
    };
    assert_eq!(look_at_approvers(&world), json!({ "waiting": "1", "idle": "0" }));
    active("reviewer", false).await;
    assert_eq!(look_at_approvers(&world), json!({ "waiting": "1", "idle": "0" }), "the other one is there");
    active("reviewer2", false).await;
    assert_eq!(look_at_approvers(&world), json!({ "waiting": "1", "idle": "1" }), "nobody is left");
    active("reviewer", true).await;
    assert_eq!(look_at_approvers(&world), json!({ "waiting": "1", "idle": "0" }));
}

over_both!(who_cannot_decide_is_told_everywhere_until_somebody_can);
