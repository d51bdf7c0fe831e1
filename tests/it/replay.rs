//! `countersign replay` over a ledger that the daemon wrote: the same bytes under the rules of
//! then, and under candidates what would have turned out otherwise, joined with what people did.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    processes::countersign,
};

/// The shipped policies with one text replaced by another.
fn candidates(from: &str, to: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let shipped = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config/policies"));
    for name in ["lead-lifecycle.toml", "opportunity-pilot.toml"] {
        let text = fs::read_to_string(shipped.join(name)).unwrap();
        let changed = if name.starts_with("opportunity") { text.replacen(from, to, 1) } else { text };
        fs::write(folder.path().join(name), changed).unwrap();
    }
    folder
}

fn replay(ledger: &str, words: &[&str]) -> (i32, String, String) {
    countersign(&[&["replay", "--ledger", ledger], words].concat(), None)
}

async fn decided(world: &World, id: &str, (proposal, step): (&str, &str), (decision, stage): (&str, &str)) {
    let body = json!({ "proposal_id": proposal, "object": "Opportunity", "record_id": id,
        "patch": { "NextStep": step }, "confidence": 0.9 });
    let (code, out, err) = countersign(&["propose", "--config", &world.config], Some(&body.to_string()));
    assert_eq!(code, 4, "{out}{err}");
    world.wait_stage(proposal, "awaiting-approval").await;
    let decision = json!({ "AI_Decision__c": decision, "AI_Decision_Proposal_ID__c": proposal, "AI_Gate_Pending__c": true });
    assert_eq!(world.patch("reviewer", "Opportunity", id, decision).await.0, 204);
    world.wait_stage(proposal, stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_decisions_are_made_again_and_joined_with_what_people_did() {
    let mut world = World::start();
    let deals = world.opportunities().await;
    let id = |place: usize| text(&deals[place]["Id"]).to_owned();
    decided(&world, &id(0), ("basis:yes", "Send the draft"), ("Approved", "promoted")).await;
    decided(&world, &id(1), ("replay:no", "Call at midnight"), ("Rejected", "rejected")).await;
    decided(&world, &id(2), ("replay:undone", "Send the wrong draft"), ("Approved", "promoted")).await;
    let (code, out, err) =
        countersign(&["rollback", "apply", "replay:undone", "--config", &world.config], None);
    assert_eq!(code, 0, "{out}{err}");
    world.wait_stage("replay:undone", "rolled-back").await;
    world.kill();
    let ledger = world.folder.path().join("ledger.db").to_str().unwrap().to_owned();

    // The rules of then give the bytes of then.
    let (code, out, err) = replay(&ledger, &["--json"]);
    let told: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    assert_eq!(code, 0, "{out}");
    assert!(told["replayed"].as_u64().unwrap() >= 6, "{out}");
    assert_eq!(
        (&told["same"], &told["differing"], &told["skipped"]),
        (&told["replayed"], &json!(0), &json!({}))
    );
    let (_, out, _) = replay(&ledger, &["--json", "--since", "2100-01-01"]);
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["replayed"], 0, "nothing is that young");

    // A candidate that lets steps run by themselves: nothing without the org's switch.
    let rule = "tier = \"autonomous\"\nauto = [{ from = \"any\", to = \"any\", min_confidence = \"0.8\" }]";
    let looser = candidates("[fields.NextStep]\ntier = \"reviewed\"", &format!("[fields.NextStep]\n{rule}"));
    let looser = looser.path().to_str().unwrap();
    let (code, out, err) = replay(&ledger, &["--policy", looser]);
    assert_eq!(code, 0, "{out}{err}");
    let words = ["--policy", looser, "--switch", "Opportunity.NextStep"];
    let (code, out, err) = replay(&ledger, &[&words[..], &["--json"]].concat());
    assert_eq!(code, 4, "{out}{err}");
    let told: Value = serde_json::from_str(&out).unwrap();
    let flip = &told["flips"][0];
    assert_eq!(
        (&flip["was"], &flip["now"], &flip["proposals"]),
        (&json!("review"), &json!("promote"), &json!(3))
    );
    assert_eq!(flip["fates"], json!({ "approved": 1, "rejected": 1, "rolled-back": 1 }));
    assert_eq!((&told["reviews_spared"], &told["against_people"]), (&json!(3), &json!(2)), "{out}");
    let (_, out, _) = replay(&ledger, &[&words[..], &["--markdown"]].concat());
    assert!(out.contains("| review | promote | 3 | 1 approved, 1 rejected, 1 rolled back |"), "{out}");
    assert!(
        out.contains("3 review(s) fewer: 0 h 15 min") && out.contains("2 proposal(s) would run although"),
        "{out}"
    );

    // A stricter one asks for nothing to be looked at.
    let stricter = candidates("min_confidence = \"0.50\"", "min_confidence = \"0.95\"");
    let stricter_next = candidates(
        "[fields.NextStep]\ntier = \"reviewed\"\npath = \"approval_only\"\nmode = \"live\"\nmin_confidence = \"0.50\"",
        "[fields.NextStep]\ntier = \"reviewed\"\npath = \"approval_only\"\nmode = \"live\"\nmin_confidence = \"0.95\"",
    );
    assert_eq!(replay(&ledger, &["--policy", stricter.path().to_str().unwrap()]).0, 0);
    let (code, out, _) = replay(&ledger, &["--policy", stricter_next.path().to_str().unwrap()]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("review → block: 3 proposal(s)") && out.contains("confidence-too-low (3)"), "{out}");
}

#[test]
fn what_is_asked_wrongly_is_told() {
    let (code, _, err) = replay("nowhere.db", &[]);
    assert_eq!(code, 1);
    assert!(err.contains("ledger-missing"), "{err}");
    let (code, _, err) = replay("nowhere.db", &["--switch", "Opportunity.NextStep"]);
    assert_eq!(code, 2, "a switch says something of candidates only: {err}");
}
