//! Salesforce's names: the fields of the contract with the org, in one place.
//!
//! `salesforce-metadata/` ships exactly these; a test compares the two.

/// The pending flag: set by whoever proposes or decides, cleared by the daemon.
pub const PENDING: &str = "AI_Gate_Pending__c";
/// The outcome in words, starting with a stable code; written by the daemon.
pub const OUTCOME: &str = "AI_Gate_Outcome__c";
/// The proposal that stood there when the outcome was written, so that one that comes late is refused;
/// written by the daemon.
pub const OUTCOME_OF: &str = "AI_Gate_Outcome_Of__c";
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
/// What the model saw; data for people.
pub const EVIDENCE: &str = "AI_Proposal_Evidence__c";
/// From when on the proposal can be approved no more.
pub const EXPIRES_AT: &str = "AI_Proposal_Expires_At__c";
/// The agent's proposal that a reviewer edited and approved in one save.
pub const EDITED_FROM: &str = "AI_Edited_From__c";
/// Stands in an edited proposal's id between the id in [`EDITED_FROM`] and a suffix.
pub const EDIT_MARK: char = '~';
/// Why a reviewer rejected, from a list.
pub const REJECTION_REASON: &str = "AI_Rejection_Reason__c";
/// Up to and including this day nothing is promoted; set by people.
pub const HOLD_UNTIL: &str = "AI_Hold_Until__c";
/// Why.
pub const HOLD_REASON: &str = "AI_Hold_Reason__c";
/// Why somebody repaired by hand what only the daemon writes.
pub const BREAK_GLASS_REASON: &str = "AI_Break_Glass_Reason__c";
/// The first of two reviewers, on objects that can need two.
pub const FIRST_APPROVED_BY: &str = "AI_First_Approved_By__c";
/// The proposal that the first reviewer approved.
pub const FIRST_APPROVAL_PROPOSAL_ID: &str = "AI_First_Approval_Proposal_ID__c";

/// The field with the record that Salesforce locks together with a record of this object.
pub fn parent_of(object: &str) -> Option<&'static str> {
    matches!(object, "Opportunity" | "Contact" | "Contract" | "Case" | "Asset" | "Order")
        .then_some("AccountId")
}

/// Texts that are read from change events. One that is no text any more must not be taken for empty.
pub const TEXTS_OF_EVENTS: &[&str] =
    &[PROPOSAL_ID, DECISION, DECISION_PROPOSAL_ID, LAST_PROMOTION_ID, OUTCOME, BREAK_GLASS_REASON];

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
    /// Above this amount two reviewers approve; blank or zero means that one is enough.
    pub const TWO_APPROVERS_ABOVE: &str = "Two_Approvers_Above__c";
    /// Without a heartbeat for so many hours nothing runs by itself; blank or zero: not asked.
    pub const SILENT_HOURS: &str = "Silent_Hours__c";
}

/// The custom metadata type with the steps that the org wants proposed.
pub mod transition {
    /// Type.
    pub const OBJECT: &str = "AI_Transition_Rule__mdt";
    /// API name of the governed object.
    pub const OF_OBJECT: &str = "Object__c";
    /// API name of the governed field.
    pub const OF_FIELD: &str = "Field__c";
    /// Value before the step.
    pub const FROM: &str = "From_Value__c";
    /// Value after it.
    pub const TO: &str = "To_Value__c";
    /// From 0 to 1; blank leaves it to the policy.
    pub const MIN_CONFIDENCE: &str = "Min_Confidence__c";
    /// Only active rules count.
    pub const ACTIVE: &str = "Active__c";
}

/// The object that holds signed statements about the ledger. The daemon only adds records.
pub mod checkpoint {
    /// Object.
    pub const OBJECT: &str = "AI_Checkpoint__c";
    /// Size and head in one: a checkpoint that is sent twice is kept once.
    pub const KEY: &str = "Checkpoint_Key__c";
    /// The signed text; what counts.
    pub const NOTE: &str = "Note__c";
    /// Which ledger.
    pub const ORIGIN: &str = "Origin__c";
    /// Head of the tree, base64.
    pub const ROOT: &str = "Root__c";
    /// When it was signed.
    pub const SIGNED_AT: &str = "Signed_At__c";
    /// Entries that it covers.
    pub const SIZE: &str = "Size__c";
    /// All fields, by name.
    pub const FIELDS: [&str; 6] = [KEY, NOTE, ORIGIN, ROOT, SIGNED_AT, SIZE];
}

/// The object that holds the totals of runs, for the org's own reports. The daemon only adds records.
pub mod total {
    /// Object.
    pub const OBJECT: &str = "AI_Run_Total__c";
    /// How many.
    pub const COUNT: &str = "Count__c";
    /// When the run ended.
    pub const ENDED_AT: &str = "Ended_At__c";
    /// Source, run and place in one: a row that is sent twice is kept once.
    pub const KEY: &str = "Total_Key__c";
    /// What a reader should know or do.
    pub const NOTE: &str = "Note__c";
    /// How these ended.
    pub const OUTCOME: &str = "Outcome__c";
    /// Which part of the run.
    pub const PART: &str = "Part__c";
    /// Digest that names the run.
    pub const RUN: &str = "Run__c";
    /// The share of the part, in percent.
    pub const SHARE: &str = "Share__c";
    /// What ran.
    pub const SOURCE: &str = "Source__c";
    /// All fields, by name.
    pub const FIELDS: [&str; 9] = [COUNT, ENDED_AT, NOTE, OUTCOME, PART, RUN, SHARE, SOURCE, KEY];
}

/// Where the daemon says that it is at work: on its own user, whom the rules see without a query.
pub mod heartbeat {
    /// Object.
    pub const OBJECT: &str = "User";
    /// When it was last at work.
    pub const AT: &str = "AI_Heartbeat_At__c";
}

/// Custom permissions that the rules test.
pub mod permission {
    /// May write proposal fields only.
    pub const PROPOSER: &str = "AI_Proposer";
    /// May promote, with the right stamps.
    pub const PROMOTER: &str = "AI_Promoter";
    /// May decide.
    pub const REVIEWER: &str = "AI_Reviewer";
    /// May repair by hand, with a reason each time; never approves by it.
    pub const BREAK_GLASS: &str = "AI_Break_Glass";
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
    /// How its values look on the wire; limits come from the org's description.
    pub kind: LaneKind,
}

/// How the values of a lane look on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneKind {
    /// Texts and picklists.
    Text,
    /// Numbers, currencies and percents, with the digits after the point.
    Number(u32),
    /// A day.
    Date,
    /// A moment.
    DateTime,
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
    /// The field that names a record to people.
    pub name_field: &'static str,
    /// The owner, on objects that have one; details of a master have none.
    pub owner: Option<&'static str>,
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
    /// The governed amount above which two reviewers may be needed; the object then has
    /// [`FIRST_APPROVED_BY`].
    pub two_approvers: Option<&'static str>,
    /// A checkbox that makes the record read-only for ever (`IsConverted`).
    pub converted: Option<&'static str>,
    /// Validation rules and digests of their formulas, where the package does not ship them.
    pub rules: &'static [(&'static str, &'static str)],
}

/// Lead: one governed field.
pub const LEAD: ObjectContract = ObjectContract {
    object: "Lead",
    name_field: "Name",
    owner: Some("OwnerId"),
    lanes: &[Lane {
        field: "Status",
        proposed: "AI_Recommended_Status__c",
        previous: "Previous_Lead_Status__c",
        auto_switch: "Lead_Status_Auto__c",
        kind: LaneKind::Text,
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
    two_approvers: None,
    converted: Some("IsConverted"),
    rules: &[],
};

/// Opportunity: one proposal bundle for four fields.
pub const OPPORTUNITY: ObjectContract = ObjectContract {
    object: "Opportunity",
    name_field: "Name",
    owner: Some("OwnerId"),
    lanes: &[
        Lane {
            field: "StageName",
            proposed: "AI_Recommended_Stage__c",
            previous: "Previous_Stage__c",
            auto_switch: "Opportunity_Stage_Auto__c",
            kind: LaneKind::Text,
        },
        Lane {
            field: "CloseDate",
            proposed: "AI_Recommended_Close_Date__c",
            previous: "Previous_Close_Date__c",
            auto_switch: "Opportunity_Close_Date_Auto__c",
            kind: LaneKind::Date,
        },
        Lane {
            field: "Amount",
            proposed: "AI_Recommended_Amount__c",
            previous: "Previous_Amount__c",
            auto_switch: "Opportunity_Amount_Auto__c",
            kind: LaneKind::Number(2),
        },
        Lane {
            field: "NextStep",
            proposed: "AI_Recommended_Next_Step__c",
            previous: "Previous_Next_Step__c",
            auto_switch: "Opportunity_Next_Step_Auto__c",
            kind: LaneKind::Text,
        },
    ],
    proposed_fields: Some("AI_Proposed_Fields__c"),
    confidence: "AI_Proposal_Confidence__c",
    reason: "AI_Proposal_Reason__c",
    changed_at: "Opportunity_Changed_Date__c",
    change_source: "Opportunity_Change_Source__c",
    signals: None,
    two_approvers: Some("Amount"),
    converted: None,
    rules: &[],
};

/// An object whose records may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MadeContract {
    /// Object API name.
    pub object: &'static str,
    /// The object that its custom fields are deployed with: tasks and events share theirs.
    pub fields_of: &'static str,
    /// Unique external id that holds the proposal's id.
    pub mark: &'static str,
    /// The org-side switch on the setting type, a checkbox.
    pub auto_switch: &'static str,
}

/// Tasks: activity logs, call summaries, drafts of next steps.
pub const TASK: MadeContract = MadeContract {
    object: "Task",
    fields_of: "Activity",
    mark: PROPOSAL_ID,
    auto_switch: "Task_Create_Auto__c",
};

/// The objects whose records may be made.
pub const MADE: &[&MadeContract] = &[&TASK];

/// Custom fields that every governed object has.
pub const SHARED_FIELDS: &[&str] = &[
    PENDING,
    OUTCOME,
    OUTCOME_OF,
    PROPOSAL_ID,
    EVALUATED_AT,
    REQUIRES_REVIEW,
    DECISION,
    DECISION_PROPOSAL_ID,
    DECIDED_BY,
    DECIDED_AT,
    DECISION_COMMENTS,
    PROMOTED_PROPOSAL_ID,
    PROMOTION_SEQ,
    LAST_PROMOTION_ID,
    EVIDENCE,
    EXPIRES_AT,
    EDITED_FROM,
    REJECTION_REASON,
    HOLD_UNTIL,
    HOLD_REASON,
    BREAK_GLASS_REASON,
];

/// The objects of the shipped package. [`super::Contracts`] holds those that are in force.
pub const SHIPPED: &[&ObjectContract] = &[&LEAD, &OPPORTUNITY];

impl ObjectContract {
    /// The lane of a canonical field.
    pub fn lane(&self, field: &str) -> Option<&'static Lane> {
        self.lanes.iter().find(|lane| lane.field == field)
    }

    /// Every custom field of the contract, in no particular order.
    pub fn custom_fields(&self) -> Vec<&'static str> {
        let mut fields = SHARED_FIELDS.to_vec();
        fields.extend([self.confidence, self.reason, self.changed_at, self.change_source]);
        fields.extend(self.lanes.iter().flat_map(|lane| [lane.proposed, lane.previous]));
        fields.extend(self.proposed_fields);
        fields.extend(self.signals.iter().flat_map(|it| [it.at, it.source, it.score, it.decay_eligible]));
        if self.two_approvers.is_some() {
            fields.extend([FIRST_APPROVED_BY, FIRST_APPROVAL_PROPOSAL_ID]);
        }
        fields
    }
}
