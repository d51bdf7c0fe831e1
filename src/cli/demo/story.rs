//! The story, step by step. Each step acts, waits for what should follow, and says what it saw.

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::{report::Report, tamper, world::World};
use crate::{
    domain::{Settlement, Stage},
    workflow::{propose::Submitted, rollback},
};

/// Tells the whole story.
pub async fn tell(world: &World, report: &mut Report) -> anyhow::Result<()> {
    wrong_picklist(world, report).await?;
    direct_write(world, report).await?;
    runs_by_itself(world, report).await?;
    waits_for_a_person(world, report).await?;
    approval_dies(world, report).await?;
    race_is_lost(world, report).await?;
    rolled_back(world, report).await?;
    chain_holds(world, report).await
}

async fn wrong_picklist(world: &World, report: &mut Report) -> anyhow::Result<()> {
    report.heading("A wrong picklist value is refused, with the values that are allowed");
    report.say(&format!(
        "An agent proposes {}.Status = \"Contacted\", which this org does not have.",
        world.lead.label
    ));
    let submitted = world
        .submit(json!({
            "proposal_id": "demo:wrong-value", "object": "Lead", "record_id": world.lead.id,
            "patch": { "Status": "Contacted" }, "confidence": 0.97,
            "reason": "The lead answered.", "actor": { "agent": "demo-agent" },
        }))
        .await?;
    let (observed, ok) = match &submitted {
        Submitted::Refused(judged) => {
            let finding = judged.verdict.deciding().context("a refusal has a finding")?;
            let named = finding.would_change.contains("Working - Contacted")
                || finding.message.contains("Working - Contacted");
            (format!("refused, {}: {}", finding.code, finding.message), named)
        }
        other => (format!("not refused: {other:?}"), false),
    };
    report.step("wrong-picklist-refused", "refused with the allowed values", observed, ok).await;
    Ok(())
}

async fn direct_write(world: &World, report: &mut Report) -> anyhow::Result<()> {
    report.heading("An agent that writes Status directly is refused by the org itself");
    report.say("The agent skips the proposal and updates Lead.Status with its own credentials.");
    let errors = world
        .write("proposer", &world.lead, json!({ "Status": "Working - Contacted" }))
        .err()
        .unwrap_or_default();
    let ok = errors.iter().any(|error| error.contains("AI_GATE_01"));
    let observed = if errors.is_empty() { "the org took it".to_owned() } else { errors.join("; ") };
    report.step("direct-write-refused", "Salesforce refuses with AI_GATE_01", observed, ok).await;
    Ok(())
}

async fn runs_by_itself(world: &World, report: &mut Report) -> anyhow::Result<()> {
    report.heading("A low-risk proposal runs by itself, because policy and org both allow it");
    report
        .say("An admin turns on the org's own switch for Lead.Status. The policy asks for confidence 0.90.");
    world.allow_auto("Lead_Status_Auto__c").await?;
    world
        .submit(json!({
            "proposal_id": "demo:low-risk", "object": "Lead", "record_id": world.lead.id,
            "patch": { "Status": "Working - Contacted" }, "confidence": 0.96,
            "reason": "Replied and asked for a call.", "actor": { "agent": "demo-agent" },
            "evidence": [{ "kind": "reply", "source": "mailbox", "occurred_at": world.now() }],
        }))
        .await?;
    let stage = world.wait_for("demo:low-risk", Stage::Promoted).await?;
    let status = world.value(&world.lead, "Status");
    let previous = world.value(&world.lead, "Previous_Lead_Status__c");
    let source = world.value(&world.lead, "Lead_Status_Change_Source__c");
    let observed = format!("{}: Status {previous} → {status}, source {source}", stage.name());
    let ok =
        stage == Stage::Promoted && status == "Working - Contacted" && previous == "Open - Not Contacted";
    report.step("low-risk-promoted", "promoted with no person, previous value kept", observed, ok).await;
    Ok(())
}

async fn waits_for_a_person(world: &World, report: &mut Report) -> anyhow::Result<()> {
    report.heading("A stage change waits for a person");
    let deal = &world.first_deal;
    report.say(&format!("An agent proposes a new stage and next step for {}.", deal.label));
    world
        .submit(json!({
            "proposal_id": "demo:stage", "object": "Opportunity", "record_id": deal.id,
            "patch": { "StageName": "Qualification", "NextStep": "Send the security questionnaire" },
            "confidence": 0.91, "reason": "Budget confirmed in writing.", "actor": { "agent": "demo-agent" },
        }))
        .await?;
    let stage = world.wait_for("demo:stage", Stage::AwaitingApproval).await?;
    let before = world.value(deal, "StageName");
    let observed = format!("{}; the record still says {before}", stage.name());
    let ok = stage == Stage::AwaitingApproval && before == "Prospecting";
    report.step("stage-waits", "awaiting approval, record unchanged", observed, ok).await;

    report.heading("The person approves in Salesforce, and exactly that is promoted");
    report.say("Rita opens Review AI Proposal on the record, a flow of the package. Her screen shows:");
    let reviewed = world.approve(deal)?;
    for line in &reviewed.shown {
        report.say(&format!("  {line}"));
    }
    report.say(&format!("She chooses Approve. {}", reviewed.said));
    let saw = |words: &str| reviewed.shown.iter().any(|line| line.contains(words));
    let side_by_side = saw("Prospecting") && saw("Qualification") && saw("Budget confirmed");
    let stage = world.wait_for("demo:stage", Stage::Promoted).await?;
    let (now, kept) = (world.value(deal, "StageName"), world.value(deal, "Previous_Stage__c"));
    let observed = format!("{}: StageName {kept} → {now}, approved by {}", stage.name(), world.reviewer());
    let ok = side_by_side && stage == Stage::Promoted && now == "Qualification" && kept == "Prospecting";
    let expected = "promoted after approval on the review screen, previous stage kept";
    report.step("stage-promoted", expected, observed, ok).await;
    Ok(())
}

async fn approval_dies(world: &World, report: &mut Report) -> anyhow::Result<()> {
    report.heading("An approval dies when the value under it moves");
    let deal = &world.second_deal;
    let before = world.value(deal, "Amount");
    report.say(&format!("{}: an agent proposes Amount {before} → 64000. It waits for a person.", deal.label));
    world
        .submit(json!({
            "proposal_id": "demo:amount", "object": "Opportunity", "record_id": deal.id,
            "patch": { "Amount": 64000 }, "confidence": 0.88,
            "reason": "The quote was revised.", "actor": { "agent": "demo-agent" },
        }))
        .await?;
    world.wait_for("demo:amount", Stage::AwaitingApproval).await?;
    {
        let _held = world.hold().await;
        let reviewed = world.approve(deal)?;
        report.say(&format!("Rita approves on the screen. {}", reviewed.said));
        report.say("In the same moment the owner changes Amount to 52000.");
        let edited = world.write("admin", deal, json!({ "Amount": 52000 }));
        ensure!(edited.is_ok(), "the owner's edit must go through: {edited:?}");
    }
    let stage = world.wait_for("demo:amount", Stage::Stale).await?;
    let now = world.value(deal, "Amount");
    let observed = format!("{}; the owner's {now} stands", world.why("demo:amount").await?);
    report
        .step(
            "approval-dies",
            "stale, the owner's amount stands",
            observed,
            stage == Stage::Stale && now == "52000",
        )
        .await;
    Ok(())
}

async fn race_is_lost(world: &World, report: &mut Report) -> anyhow::Result<()> {
    report.heading("A race is lost: the org refuses the write, because the value has moved");
    let deal = &world.third_deal;
    world
        .submit(json!({
            "proposal_id": "demo:race", "object": "Opportunity", "record_id": deal.id,
            "patch": { "NextStep": "Book the workshop" }, "confidence": 0.9,
            "reason": "They asked for a workshop.", "actor": { "agent": "demo-agent" },
        }))
        .await?;
    world.wait_for("demo:race", Stage::AwaitingApproval).await?;
    world.edit_before_next_write(deal, json!({ "NextStep": "Call the CFO first" }));
    let reviewed = world.approve(deal)?;
    report.say(&format!("Rita approves on the screen. {}", reviewed.said));
    report.say("A person edits NextStep after the daemon's last read and before its write lands.");
    let stage = world.wait_for("demo:race", Stage::Stale).await?;
    let now = world.value(deal, "NextStep");
    let settled = world.settlement("demo:race").await?;
    let observed = format!("{}: {}; \"{now}\" stands", stage.name(), settled);
    let ok = stage == Stage::Stale && now == "Call the CFO first" && settled.contains("AI_GATE_0");
    report.step("race-refused", "refused by compare-and-set, the person's text stands", observed, ok).await;
    Ok(())
}

async fn rolled_back(world: &World, report: &mut Report) -> anyhow::Result<()> {
    report.heading("A rollback restores one field and spares a newer human edit");
    let deal = &world.first_deal;
    let edited = world.write("admin", deal, json!({ "NextStep": "Legal is reading the contract" }));
    ensure!(edited.is_ok(), "the person's edit must go through: {edited:?}");
    report.say("Somebody has written a new next step since. Now the promotion from before is rolled back.");
    let _held = world.hold().await;
    let promotion = rollback::find(&world.daemon().context, "demo:stage").await?;
    let plan = rollback::plan(&world.daemon().context, &promotion).await?;
    let ended =
        rollback::apply(&world.daemon().context, &world.promoter(), (&promotion, &plan), None).await?;
    let (stage, step) = (world.value(deal, "StageName"), world.value(deal, "NextStep"));
    let state = ended.as_ref().map_or("nothing to do", |promotion| promotion.settlement.name());
    let observed = format!("{state}: StageName back to {stage}; NextStep spared: \"{step}\"");
    let ok = ended.is_some_and(|promotion| promotion.settlement == Settlement::Done)
        && stage == "Prospecting"
        && step == "Legal is reading the contract"
        && plan.spared.len() == 1;
    report.step("rollback-spares", "StageName restored, newer NextStep spared", observed, ok).await;
    Ok(())
}

async fn chain_holds(world: &World, report: &mut Report) -> anyhow::Result<()> {
    report.heading("The ledger proves it: every entry is hashed to the one before");
    let copy = world.copy_ledger().await?;
    let clean = crate::ledger::verify::verify_file(&copy).await?;
    let observed = format!("{} entries, {} damage(s)", clean.entries, clean.findings.len());
    report
        .step("chain-verifies", "no damage found", observed, clean.findings.is_empty() && clean.entries > 0)
        .await;

    report.heading("Then one byte of a copy is changed");
    let changed = tamper::one_byte(&copy)?;
    report.say(&format!("One byte of the copy now differs ({changed})."));
    let damaged = crate::ledger::verify::verify_file(&copy).await?;
    let observed = match damaged.findings.first() {
        Some(damage) => format!("detected, {}: {}", damage.code, damage.what),
        None => "not detected".to_owned(),
    };
    report.step("tampering-detected", "the change is detected", observed, !damaged.findings.is_empty()).await;
    Ok(())
}
