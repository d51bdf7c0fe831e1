//! The org's own rules: which of ours refused a write, and what that means.
//!
//! Every message of a shipped validation rule starts with its code. The code, not the words, is
//! what the daemon goes by: administrators translate and reword messages.

use std::fmt;

macro_rules! rules {
    ($($name:ident = $code:literal, $refuses:literal, $fix:literal;)+) => {
        /// A validation rule of the shipped package, the same number on every object.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum GateRule {
            $(#[doc = $refuses] $name,)+
        }

        impl GateRule {
            /// All rules, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable code, with which the rule's name and its message start.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            /// What it refuses.
            pub fn refuses(self) -> &'static str {
                match self {
                    $(Self::$name => $refuses,)+
                }
            }

            /// What to do when it refused a write.
            pub fn fix(self) -> &'static str {
                match self {
                    $(Self::$name => $fix,)+
                }
            }
        }
    };
}

rules! {
    ProposerWritesNoState = "AI_GATE_01",
        "A proposer created a record or wrote a governed field.",
        "Write the AI_ proposal fields instead; the daemon promotes what a person approved.";
    DecisionGuard = "AI_GATE_02",
        "Somebody who may not decide wrote a decision, or a decision named another proposal than the one on the record.",
        "Decide as a reviewer, on the proposal that is on the record; a proposer sets the decision to Pending.";
    ProposalImmutable = "AI_GATE_03",
        "A proposal was edited under its own id.",
        "Write the new values together with a new AI_Proposal_ID__c.";
    PromotionNumber = "AI_GATE_04",
        "A promotion did not carry the record's number plus one: another promotion was faster.",
        "Nothing: the daemon reads the record again and tells the proposal that it is stale.";
    ExpectedValue = "AI_GATE_05",
        "The value that a promotion expected does not stand on the record any more.",
        "Nothing: the daemon tells the proposal that it is stale; propose again from the new value.";
    PromotionStamps = "AI_GATE_06",
        "A promotion lacked its stamps (source, time, promotion id).",
        "Compare the versions of daemon and package; this does not happen when they fit.";
    ApprovedValue = "AI_GATE_07",
        "A promotion carried what nobody approved: another proposal, other values, or an approval that was used before.",
        "Look at the decision fields of the record; approve the proposal that is on it.";
    AutoSwitch = "AI_GATE_08",
        "A promotion without a person is switched off in the org for the field.",
        "Have a person decide, or turn on the field's switch in the custom metadata type AI_Gate_Setting__mdt.";
    RollbackValue = "AI_GATE_09",
        "A rollback would put back another value than the one that stood before.",
        "Plan the rollback again: the record has moved since.";
    DecayDue = "AI_GATE_10",
        "A decay write came before its day, or on an object that does not decay.",
        "Wait for Decay_Eligible_Date__c.";
    StampsAreTheDaemons = "AI_GATE_11",
        "Somebody else than the promoter wrote the stamps of a promotion.",
        "Leave those fields out of the save; the source Human with the true previous value goes along with a person's own change.";
    PendingDemanded = "AI_GATE_12",
        "A proposal or a decision was saved without the pending flag.",
        "Set AI_Gate_Pending__c in the same save: without it the daemon does not hear of it.";
    PendingKept = "AI_GATE_13",
        "Somebody else than the promoter took the pending flag off.",
        "Leave the flag; to withdraw a proposal, empty AI_Proposal_ID__c.";
    Expired = "AI_GATE_14",
        "The proposal was approved, or would have run by itself, after AI_Proposal_Expires_At__c.",
        "Reject it, or have it proposed again with a new id and a later time.";
    SecondApprover = "AI_GATE_15",
        "The amount needs two people, and the first approval is missing, is for another proposal, or is the same person's.",
        "Have another reviewer give the first approval of this proposal; the amount is set in AI_Gate_Setting__mdt.";
    Hold = "AI_GATE_16",
        "People hold the record until AI_Hold_Until__c, and a promotion would have changed it.",
        "Wait until the day has passed, or end the hold by emptying AI_Hold_Until__c, then propose again.";
    BreakGlass = "AI_GATE_17",
        "The break-glass reason was written by somebody without that permission, emptied, or saved without the pending flag.",
        "Hold AI_Break_Glass and no other role of ours, give a new reason, and set AI_Gate_Pending__c in the same save.";
    MarkIsThePromoters = "AI_GATE_18",
        "Somebody else than the promoter wrote the proposal's id on a record that the gate makes.",
        "Leave AI_Proposal_ID__c out of the save.";
    MakeSwitch = "AI_GATE_19",
        "The promoter would make a record, and the org's switch for that is off, or no proposal is named.",
        "Turn on the object's switch in the custom metadata type AI_Gate_Setting__mdt.";
    PromoterKeepsToItsOwn = "AI_GATE_20",
        "The promoter would change a record that it did not make.",
        "Nothing: countersign cancels only what it made.";
    ProposerMakesNothing = "AI_GATE_21",
        "A proposer made a record by itself, or changed one that the gate made.",
        "Send a proposal with the operation create instead.";
    OutcomeIsOfTheProposal = "AI_GATE_22",
        "The daemon wrote an outcome for a proposal that is not the one on the record any more.",
        "Nothing: the daemon reads the record again and judges what is there now.";
    Heartbeat = "AI_GATE_23",
        "A promotion without a person came while the org had not heard of the daemon for longer than Silent_Hours__c.",
        "See that AI_Heartbeat_At__c of the promoter's user moves: heartbeat.every_minutes, countersign watch; then propose again.";
}

impl GateRule {
    /// The rule whose code a message starts with.
    pub fn of_message(message: &str) -> Option<Self> {
        let code = message.trim_start().get(..10)?;
        Self::of_code(code)
    }

    /// The rule with this code, in any case.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.code().eq_ignore_ascii_case(code))
    }

    /// Whether it refuses because the record has moved: somebody else was faster.
    pub fn is_lost_race(self) -> bool {
        matches!(self, Self::PromotionNumber | Self::ExpectedValue)
    }

    /// Whether it refuses because what was decided does not hold any more.
    pub fn is_lost_ground(self) -> bool {
        matches!(self, Self::ApprovedValue | Self::AutoSwitch | Self::Heartbeat)
    }
}

impl fmt::Display for GateRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_numbered_from_one_without_a_gap() {
        for (number, rule) in (1..).zip(GateRule::ALL) {
            assert_eq!(rule.code(), format!("AI_GATE_{number:02}"));
            assert!(rule.refuses().ends_with('.') && rule.fix().ends_with('.'), "{rule}");
        }
    }

    #[test]
    fn a_message_is_known_by_its_start_only() {
        assert_eq!(GateRule::of_message("AI_GATE_16: on hold"), Some(GateRule::Hold));
        assert_eq!(GateRule::of_message("  AI_GATE_04: x"), Some(GateRule::PromotionNumber));
        for other in ["see AI_GATE_16", "AI_GATE_99: x", "AI_GATE_1", "", "AI_GATE_\u{e9}6: x"] {
            assert_eq!(GateRule::of_message(other), None, "{other}");
        }
    }
}
