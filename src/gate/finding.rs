//! Findings: stable codes with words for people, and what each code does to the outcome.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::verdict::Outcome;
use crate::domain::{CanonicalError, Digest, FieldName, Proposal};

/// What a finding does to the outcome. The order is the precedence: the first effect
/// (from the top) that any finding has decides; with none, the change is promoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The proposal has ended already; nothing may be said about it again.
    Settled,
    /// A newer proposal took its place.
    Superseded,
    /// It may never run, whatever the record holds.
    Refused,
    /// A person said no.
    Rejected,
    /// The record holds every value already.
    NoChange,
    /// A base value moved. Before [`Effect::Blocked`], because what was judged or approved
    /// no longer stands, and a rebase may well pass.
    Stale,
    /// It may not run from the state that the record is in.
    Blocked,
    /// Too old.
    Expired,
    /// The lane only records.
    Shadow,
    /// Another promotion is open.
    Hold,
    /// A person must look.
    Review,
    /// Said for the reader; changes nothing.
    Note,
}

impl Effect {
    /// The outcome that the effect leads to; `None` for a note.
    pub fn outcome(self) -> Option<Outcome> {
        Some(match self {
            Self::Settled | Self::NoChange => Outcome::AlreadyDone,
            Self::Superseded => Outcome::Superseded,
            Self::Refused | Self::Blocked => Outcome::Block,
            Self::Rejected => Outcome::Rejected,
            Self::Stale => Outcome::Stale,
            Self::Expired => Outcome::Expired,
            Self::Shadow => Outcome::Shadow,
            Self::Hold => Outcome::Hold,
            Self::Review => Outcome::Review,
            Self::Note => return None,
        })
    }
}

macro_rules! codes {
    ($($name:ident = $text:literal, $effect:ident, $doc:literal;)+) => {
        /// Every code that the gate can answer with, in the order of the checks.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum FindingCode {
            $(
                #[doc = $doc]
                #[serde(rename = $text)]
                $name,
            )+
        }

        impl FindingCode {
            /// All codes, in the order of the checks.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable text of the code.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            /// What a finding with this code does to the outcome.
            pub fn effect(self) -> Effect {
                match self {
                    $(Self::$name => Effect::$effect,)+
                }
            }
        }
    };
}

codes! {
    CheckInconclusive = "check-inconclusive", Refused, "Something that a check needs is missing or has no exact form.";
    PatchEmpty = "patch-empty", Refused, "The proposal names no field.";
    ObjectNotGoverned = "object-not-governed", Refused, "No policy names the object.";
    FieldNotGoverned = "field-not-governed", Refused, "The object's policy does not name the field.";
    FieldReadOnly = "field-read-only", Refused, "The policy lets agents read the field only.";
    FieldBlocked = "field-blocked", Refused, "The policy refuses every proposal for the field and raises an alert.";
    CreateNotNamed = "create-not-named", Refused, "No rule of the policy names what would be made, or below what.";
    CreateFieldNotNamed = "create-field-not-named", Refused, "The rule does not let an agent fill the field.";
    CreateFieldMissing = "create-field-missing", Refused, "The org makes no such record without the field.";
    CreateValueUnfit = "create-value-unfit", Refused, "The org cannot hold a value that the rule itself sets.";
    CreateConfidenceTooLow = "create-confidence-too-low", Refused, "The confidence is missing or below the rule's least.";
    CreateSwitchedOff = "create-switched-off", Refused, "The org lets nothing of this kind be made.";
    AgentNotListed = "agent-not-listed", Refused, "The policy lets listed agents propose only.";
    AgentNotAllowed = "agent-not-allowed", Refused, "The policy keeps this agent from the field.";
    AgentConfidenceTooLow = "agent-confidence-too-low", Refused, "The agent must be surer than this.";
    AgentNeedsPerson = "agent-needs-person", Review, "This agent's change does not run by itself.";
    BudgetExceeded = "budget-exceeded", Refused, "The budget is spent, and the policy refuses what comes after.";
    BudgetSpent = "budget-spent", Hold, "The budget is spent; it waits for room.";
    BudgetNeedsPerson = "budget-needs-person", Review, "The budget is spent, so a person must look.";
    BudgetUnknown = "budget-unknown", Review, "Nobody counted what the budget asks for.";
    ObjectNotDescribed = "object-not-described", Refused, "The org did not describe the object.";
    FieldNotInOrg = "field-not-in-org", Refused, "The org has no such field, or hides it from the promoter.";
    FieldNotUpdateable = "field-not-updateable", Refused, "The promoter may not write the field.";
    ValueRequired = "value-required", Refused, "The field may not be emptied.";
    ValueWrongType = "value-wrong-type", Refused, "The value does not fit the field's type.";
    ValueTooLong = "value-too-long", Refused, "The text is longer than the field.";
    ValueUntrimmed = "value-untrimmed", Refused, "The text starts or ends with white space, which the org would cut.";
    NumberTooLarge = "number-too-large", Refused, "The number has more digits before the point than the field.";
    NumberTooPrecise = "number-too-precise", Refused, "The number has more digits after the point than the field.";
    DateOutOfRange = "date-out-of-range", Refused, "The org stores no date so early or so late.";
    PicklistValueUnknown = "picklist-value-unknown", Refused, "The value is not one of the org's active values.";
    PicklistValueNotInRecordType = "picklist-value-not-in-record-type", Refused, "The record's type does not offer the value.";
    RecordMismatch = "record-mismatch", Refused, "The record that was read is not the one proposed for.";
    RecordMissing = "record-missing", Refused, "The record does not exist or is not shared with the promoter.";
    RecordDeleted = "record-deleted", Refused, "The record is in the recycle bin.";
    RecordConverted = "record-converted", Refused, "The lead was converted and is read-only.";
    RecordProtected = "record-protected", Blocked, "The policy keeps every proposal from such records.";
    RecordNeedsPerson = "record-needs-person", Review, "The policy asks for a person on such records.";
    ProtectionUnknown = "protection-unknown", Note, "Nobody can say whether a protection holds, so it was applied.";
    AlreadyPromoted = "already-promoted", Settled, "This proposal has been promoted before.";
    NoChange = "no-change", NoChange, "The record holds every proposed value already.";
    AgentsDisagree = "agents-disagree", Review, "Another agent wants another value for the same field.";
    Superseded = "superseded", Superseded, "A newer proposal for the record took its place.";
    EvaluatedAtMissing = "evaluated-at-missing", Note, "The proposer did not say when the model looked.";
    EvaluatedInFuture = "evaluated-in-future", Refused, "The model says that it looked at a time that has not come.";
    ProposalTooOld = "proposal-too-old", Expired, "The model looked too long before the proposal came in.";
    ProposalExpired = "proposal-expired", Expired, "The proposer set an end, and it has passed without a decision.";
    BaseMoved = "base-moved", Stale, "The record's value changed after the proposal was first seen.";
    BaseUnproven = "base-unproven", Review, "Nobody can say which values the approver saw.";
    ConfidenceOutOfRange = "confidence-out-of-range", Refused, "The confidence is not between 0 and 1.";
    ConfidenceMissing = "confidence-missing", Note, "The policy asks for a confidence and none was given; a person weighs it.";
    ConfidenceTooLow = "confidence-too-low", Refused, "The confidence is below the policy's least.";
    EvidenceMissing = "evidence-missing", Refused, "There is less evidence than the policy demands.";
    EvidenceThin = "evidence-thin", Review, "There is less evidence than the policy asks for.";
    TargetUnknown = "target-unknown", Refused, "The proposed state is not part of the lifecycle.";
    TargetReserved = "target-reserved", Refused, "The proposed state is reached in another way only.";
    StateUnknown = "state-unknown", Blocked, "The record's state is not part of the lifecycle.";
    StateTerminal = "state-terminal", Blocked, "The record is in a state that nothing leaves in real time.";
    StateRegression = "state-regression", Blocked, "The proposal moves the record back in its lifecycle.";
    ChangeTooLarge = "change-too-large", Blocked, "The change is larger than the policy lets through.";
    ChangeNeedsPerson = "change-needs-person", Review, "The change is so large that a person must look.";
    DecayDue = "decay-due", Note, "The state has been quiet for longer than the policy gives it.";
    DecayNotNamed = "decay-not-named", Blocked, "The policy lets the record's state stay.";
    DecaySegmentUnknown = "decay-segment-unknown", Blocked, "Nobody can say which windows are the record's.";
    DecayWrongStep = "decay-wrong-step", Refused, "A stale state goes one step back and nowhere else.";
    DecayNotDue = "decay-not-due", Blocked, "The record's day of decay has not come.";
    DecayActive = "decay-active", Blocked, "Something happened on the record within the window.";
    DecayProposalOpen = "decay-proposal-open", Blocked, "Somebody else's proposal for the record is open.";
    Approved = "approved", Note, "A person approved exactly this change.";
    ApprovalRejected = "approval-rejected", Rejected, "A person refused the proposal.";
    ApprovedByMachine = "approved-by-machine", Refused, "The decision was written by a machine user.";
    ApprovalForOtherProposal = "approval-for-other-proposal", Note, "The decision on the record is for another proposal and does not count.";
    ApprovalForOtherPatch = "approval-for-other-patch", Stale, "The decision was given for other values or another base.";
    ApprovalInFuture = "approval-in-future", Hold, "The decision has a time that has not come.";
    ApprovalTooOld = "approval-too-old", Expired, "The approval was given too long ago.";
    DecisionOverdue = "decision-overdue", Expired, "Nobody decided in time.";
    AutoAllowed = "auto-allowed", Note, "Policy and org both let the field's change run by itself.";
    ApprovalRequired = "approval-required", Review, "The policy asks for a person.";
    ReviewRequested = "review-requested", Review, "The proposer itself asks for a person.";
    NoAutoRule = "no-auto-rule", Review, "No rule lets this step run by itself.";
    AutoConfidenceTooLow = "auto-confidence-too-low", Review, "The confidence is too low to run without a person.";
    AutoNotFresh = "auto-not-fresh", Review, "The model looked too long ago to run without a person.";
    AutoSwitchedOff = "auto-switched-off", Review, "The org's own switch lets nothing run by itself here.";
    NoApprovalPath = "no-approval-path", Refused, "It may not run by itself and the policy allows no approval.";
    CreateNeedsPerson = "create-needs-person", Refused, "A person would have to look, and none can approve a record that is not there.";
    ManualOverride = "manual-override", Blocked, "People hold the record until a day that has not passed.";
    Frozen = "frozen", Hold, "People froze the org, the lane or the agent.";
    FrozenAutomatic = "frozen-automatic", Review, "People froze what would run by itself.";
    SchemaDriftField = "schema-drift-field", Hold, "The field changed in the org, and nobody has accepted that.";
    SchemaDriftValues = "schema-drift-values", Hold, "The values on offer changed in the org, and nobody has accepted that.";
    SchemaDriftRequired = "schema-drift-required", Hold, "The org demands another field, and nobody has accepted that.";
    SchemaDriftPermission = "schema-drift-permission", Hold, "The promoter lost a permission.";
    SchemaDriftAutomation = "schema-drift-automation", Hold, "What runs on save changed in the org, and nobody has accepted that.";
    PromotionOpen = "promotion-open", Hold, "Another promotion of the record has not ended.";
    ShadowSteppedBack = "shadow-stepped-back", Shadow, "The lane acted, and stepped back to recording only.";
    ShadowActEnded = "shadow-act-ended", Shadow, "People let the lane act until a day that has passed.";
    ShadowMode = "shadow-mode", Shadow, "The lane only records what it would have done.";
}

impl fmt::Display for FindingCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable code.
    pub code: FindingCode,
    /// The field it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<FieldName>,
    /// What was found, in words. Values in it are data.
    pub message: String,
    /// What would have changed the outcome.
    pub would_change: String,
}

/// Collects findings in the order in which the checks report them, for one decision.
#[derive(Debug, Default)]
pub struct Findings {
    found: Vec<Finding>,
    patch: Option<Result<Digest, CanonicalError>>,
}

impl Findings {
    /// Adds a finding about the proposal as a whole.
    pub fn add(&mut self, code: FindingCode, message: impl Into<String>, would_change: impl Into<String>) {
        self.push(code, None, message.into(), would_change.into());
    }

    /// Adds a finding about one field.
    pub fn add_field(
        &mut self,
        code: FindingCode,
        field: &FieldName,
        message: impl Into<String>,
        would_change: impl Into<String>,
    ) {
        self.push(code, Some(field.clone()), message.into(), would_change.into());
    }

    /// What an approval of the decision's proposal is bound to, digested the first time that it is asked for.
    pub fn patch_digest(&mut self, proposal: &Proposal) -> &Result<Digest, CanonicalError> {
        self.patch.get_or_insert_with(|| proposal.patch_digest())
    }

    fn push(&mut self, code: FindingCode, field: Option<FieldName>, message: String, would_change: String) {
        self.found.push(Finding { code, field, message, would_change });
    }

    /// The strongest effect so far; [`Effect::Note`] when nothing speaks against the change.
    pub fn effect(&self) -> Effect {
        self.found.iter().map(|finding| finding.code.effect()).min().unwrap_or(Effect::Note)
    }

    /// Whether any finding so far has this effect.
    pub fn has(&self, effect: Effect) -> bool {
        self.found.iter().any(|finding| finding.code.effect() == effect)
    }

    /// The strongest effect without the one named: what the outcome would be otherwise.
    pub fn effect_without(&self, left_out: Effect) -> Effect {
        let effects = self.found.iter().map(|finding| finding.code.effect());
        effects.filter(|effect| *effect != left_out).min().unwrap_or(Effect::Note)
    }

    /// The findings, in the order in which they were reported.
    pub fn into_vec(self) -> Vec<Finding> {
        self.found
    }
}
