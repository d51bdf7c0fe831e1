//! The conditions that choose promotions, as they are given on the command line.

use jiff::Timestamp;

use crate::{
    cli::{ExitWith, moment::moment, replay},
    domain::{Choice, FieldName, ObjectName, ProposalId, RecordId},
    gate::FindingCode,
};

/// All conditions that are given must hold. Only promotions that landed, are no rollbacks and were
/// not undone yet are meant; each is undone whole.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Many promotions")]
pub struct Chosen {
    /// Of this proposal.
    #[arg(long, value_name = "ID", value_parser = proposal)]
    proposal: Option<ProposalId>,
    /// Proposed by this agent; for proposals written to the record, the user's id.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Judged under the policy of this name, or of a digest that starts so.
    #[arg(long, value_name = "NAME_OR_DIGEST")]
    policy: Option<String>,
    /// The verdict had a finding with this code, for example `auto-allowed`.
    #[arg(long, value_name = "CODE", value_parser = code)]
    rule: Option<FindingCode>,
    /// On this record, for example `Lead/00Q000000000001AAA`.
    #[arg(long, value_name = "OBJECT/ID", value_parser = record)]
    record: Option<(ObjectName, RecordId)>,
    /// Changed this field, for example `Opportunity.NextStep`, alone or with others.
    #[arg(long, value_name = "OBJECT.FIELD", value_parser = replay::lane)]
    lane: Option<(ObjectName, FieldName)>,
    /// Intended since then: a day such as 2026-01-31, a time, or an age such as 30d or 12h.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Intended before then.
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Proposed in this run or workflow.
    #[arg(long, value_name = "ID")]
    run: Option<String>,
}

impl Chosen {
    /// What was asked for. An id and conditions do not go together.
    pub fn read(&self, id: Option<&str>, now: Timestamp) -> anyhow::Result<Choice> {
        let when = |key: &str, text: Option<&String>| text.map(|text| moment(key, text, now)).transpose();
        let choice = Choice {
            proposal: self.proposal.clone(),
            agent: self.agent.clone(),
            run: self.run.clone(),
            policy: self.policy.clone(),
            rule: self.rule.map(|code| code.as_str().to_owned()),
            record: self.record.clone(),
            lane: self.lane.clone(),
            since: when("since", self.since.as_ref())?,
            until: when("until", self.until.as_ref())?,
        };
        if id.is_some() && !choice.is_empty() {
            return Err(ExitWith::usage(
                "rollback-two-choices: give an id, or conditions such as --agent, not both",
            )
            .into());
        }
        Ok(choice)
    }
}

fn proposal(text: &str) -> Result<ProposalId, String> {
    ProposalId::parse(text).map_err(|error| error.to_string())
}

fn code(text: &str) -> Result<FindingCode, String> {
    let found = FindingCode::ALL.iter().copied().find(|code| code.as_str() == text);
    found.ok_or_else(|| "no such finding code; `countersign explain` lists them".to_owned())
}

fn record(text: &str) -> Result<(ObjectName, RecordId), String> {
    let (object, id) =
        text.split_once('/').ok_or("write it as OBJECT/ID, for example Lead/00Q000000000001AAA")?;
    let object = ObjectName::parse(object).map_err(|error| error.to_string())?;
    Ok((object, RecordId::parse(id).map_err(|error| error.to_string())?))
}
