//! Salesforce's names: the fields of the contract with the org, in one place.
//!
//! `salesforce-metadata/` ships exactly these; a test compares the two.

/// The pending flag: set by whoever proposes or decides, cleared by the daemon.
pub const PENDING: &str = "AI_Gate_Pending__c";
/// The outcome in words, starting with a stable code; written by the daemon.
pub const OUTCOME: &str = "AI_Gate_Outcome__c";
/// The proposer's id of the proposal on the record.
pub const PROPOSAL_ID: &str = "AI_Proposal_ID__c";
/// When the model looked.
pub const EVALUATED_AT: &str = "AI_Last_Evaluated_At__c";
/// The proposer asks for a person.
pub const REQUIRES_REVIEW: &str = "AI_Requires_Review__c";
/// `Pending`, `Approved` or `Rejected`.
pub const DECISION: &str = "AI_Decision__c";
/// The proposal id that the reviewer saw.
pub const DECISION_PROPOSAL_ID: &str = "AI_Decision_Proposal_ID__c";
/// Who decided.
pub const DECIDED_BY: &str = "AI_Decided_By__c";
/// When.
pub const DECIDED_AT: &str = "AI_Decided_At__c";
/// The reviewer's words.
pub const DECISION_COMMENTS: &str = "AI_Decision_Comments__c";
/// The proposal whose value the record carries.
pub const PROMOTED_PROPOSAL_ID: &str = "AI_Promoted_Proposal_ID__c";
/// The promotion number.
pub const PROMOTION_SEQ: &str = "AI_Promotion_Seq__c";
/// The mark of the last promotion, or `void:` and its id.
pub const LAST_PROMOTION_ID: &str = "AI_Last_Promotion_ID__c";

/// Values of the change-source picklists.
pub mod source {
    /// A person, by hand.
    pub const HUMAN: &str = "Human";
    /// A proposal that a person approved.
    pub const APPROVED: &str = "AI Proposal";
    /// A proposal that policy and the org's switch let run by itself.
    pub const AUTO: &str = "AI Auto";
    /// Scheduled decay.
    pub const DECAY: &str = "Decay";
    /// Reconciliation.
    pub const RECONCILIATION: &str = "Reconciliation";
    /// An earlier promotion undone.
    pub const ROLLBACK: &str = "Rollback";
}

/// The custom metadata type with the org's own switches, and its one record.
pub mod setting {
    /// Type.
    pub const OBJECT: &str = "AI_Gate_Setting__mdt";
    /// Developer name of the record.
    pub const RECORD: &str = "Default";
}

/// Custom permissions that the rules test.
pub mod permission {
    /// May write proposal fields only.
    pub const PROPOSER: &str = "AI_Proposer";
    /// May promote, with the right stamps.
    pub const PROMOTER: &str = "AI_Promoter";
    /// May decide.
    pub const REVIEWER: &str = "AI_Reviewer";
}

/// The channel that carries what the daemon needs to hear.
pub const CHANNEL: &str = "AI_Proposals__chn";
/// Its topic.
pub const TOPIC: &str = "/data/AI_Proposals__chn";
/// What the channel lets through of each object: what waits for the daemon, and its own writes.
pub const CHANNEL_FILTER: &str =
    "AI_Gate_Pending__c = true OR ChangeEventHeader.changeOrigin LIKE '%client=countersign%'";
/// Sent as `Sforce-Call-Options: client=..`; shows up in a change event's origin.
pub const CLIENT: &str = "countersign";

/// One governed field: where it is proposed and where its previous value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane {
    /// Canonical field.
    pub field: &'static str,
    /// Proposal field.
    pub proposed: &'static str,
    /// Before-image on the record; the expected value of the compare-and-set.
    pub previous: &'static str,
    /// The org-side switch of this lane on [`setting::OBJECT`], a checkbox.
    pub auto_switch: &'static str,
}

/// Signal stamps, on objects that have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalFields {
    /// When the newest signal happened.
    pub at: &'static str,
    /// Where it was seen.
    pub source: &'static str,
    /// Compact score.
    pub score: &'static str,
    /// From when on decay may move the state back.
    pub decay_eligible: &'static str,
}

/// The contract with one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectContract {
    /// Object API name.
    pub object: &'static str,
    /// Its record-id prefix.
    pub key_prefix: &'static str,
    /// Governed fields.
    pub lanes: &'static [Lane],
    /// Which fields the proposal speaks of, where one proposal can hold several.
    pub proposed_fields: Option<&'static str>,
    /// Confidence, 0 to 1.
    pub confidence: &'static str,
    /// The model's words.
    pub reason: &'static str,
    /// When a canonical field last changed.
    pub changed_at: &'static str,
    /// What changed it.
    pub change_source: &'static str,
    /// Signal stamps.
    pub signals: Option<SignalFields>,
    /// A checkbox that makes the record read-only for ever (`IsConverted`).
    pub converted: Option<&'static str>,
}

/// Lead: one governed field.
pub const LEAD: ObjectContract = ObjectContract {
    object: "Lead",
    key_prefix: "00Q",
    lanes: &[Lane {
        field: "Status",
        proposed: "AI_Recommended_Status__c",
        previous: "Previous_Lead_Status__c",
        auto_switch: "Lead_Status_Auto__c",
    }],
    proposed_fields: None,
    confidence: "AI_Status_Confidence__c",
    reason: "AI_Status_Reason__c",
    changed_at: "Lead_Status_Changed_Date__c",
    change_source: "Lead_Status_Change_Source__c",
    signals: Some(SignalFields {
        at: "Last_Signal_Date__c",
        source: "Last_Signal_Source__c",
        score: "Signal_Score__c",
        decay_eligible: "Decay_Eligible_Date__c",
    }),
    converted: Some("IsConverted"),
};

/// Opportunity: one proposal bundle for four fields.
pub const OPPORTUNITY: ObjectContract = ObjectContract {
    object: "Opportunity",
    key_prefix: "006",
    lanes: &[
        Lane {
            field: "StageName",
            proposed: "AI_Recommended_Stage__c",
            previous: "Previous_Stage__c",
            auto_switch: "Opportunity_Stage_Auto__c",
        },
        Lane {
            field: "CloseDate",
            proposed: "AI_Recommended_Close_Date__c",
            previous: "Previous_Close_Date__c",
            auto_switch: "Opportunity_Close_Date_Auto__c",
        },
        Lane {
            field: "Amount",
            proposed: "AI_Recommended_Amount__c",
            previous: "Previous_Amount__c",
            auto_switch: "Opportunity_Amount_Auto__c",
        },
        Lane {
            field: "NextStep",
            proposed: "AI_Recommended_Next_Step__c",
            previous: "Previous_Next_Step__c",
            auto_switch: "Opportunity_Next_Step_Auto__c",
        },
    ],
    proposed_fields: Some("AI_Proposed_Fields__c"),
    confidence: "AI_Proposal_Confidence__c",
    reason: "AI_Proposal_Reason__c",
    changed_at: "Opportunity_Changed_Date__c",
    change_source: "Opportunity_Change_Source__c",
    signals: None,
    converted: None,
};

/// Every governed object.
pub const CONTRACTS: &[&ObjectContract] = &[&LEAD, &OPPORTUNITY];

/// The contract of an object.
pub fn contract(object: &str) -> Option<&'static ObjectContract> {
    CONTRACTS.iter().copied().find(|contract| contract.object == object)
}

impl ObjectContract {
    /// The lane of a canonical field.
    pub fn lane(&self, field: &str) -> Option<&'static Lane> {
        self.lanes.iter().find(|lane| lane.field == field)
    }
}
