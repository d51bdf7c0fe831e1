//! Every behaviour that real orgs differ in, or that nobody could confirm, as a named setting.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How the simulated org behaves where there is a choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Calls allowed in a rolling day. A Developer org has 15,000.
    pub daily_api_requests: u64,
    /// Event deliveries allowed in a rolling day. A Developer org has 10,000.
    pub daily_event_deliveries: u64,
    /// Hours that the event bus keeps changes.
    pub retention_hours: u32,
    /// Unconfirmed: whether `If-Unmodified-Since` is checked under the row lock (true) or
    /// before it is taken (false), when a racing write can still slip in between.
    pub precondition_under_lock: bool,
    /// Unconfirmed: the body of a 412, an error array (true) or nothing (false).
    pub precondition_body: bool,
    /// Unconfirmed: whether `Sforce-Call-Options: client=` is honoured on collections and
    /// composite calls; the documentation lists only single-row resources.
    pub call_options_on_collections: bool,
    /// Unconfirmed: whether `Sforce-Auto-Assign: FALSE` is honoured on collections.
    pub auto_assign_on_collections: bool,
    /// Whether an update that changes no value still moves `LastModifiedDate`. Real orgs do.
    pub no_op_updates_touch: bool,
    /// Unconfirmed: whether such an update makes a change event.
    pub no_op_updates_publish: bool,
    /// Unconfirmed: what a stage outside the org's list does to Probability, IsClosed and IsWon.
    pub unlisted_stage: UnlistedStage,
    /// Unconfirmed: what becomes of decimals beyond the field's scale.
    pub excess_decimals: ExcessDecimals,
    /// Unconfirmed: whether leading and trailing blanks of single-line texts are removed.
    pub trim_text: bool,
    /// Unconfirmed: how a validation rule compares a blank number or date.
    pub blank_numbers: BlankNumbers,
    /// Unconfirmed: whether one locked row fails its whole batch of rows or only itself.
    pub locked_row_fails_batch: bool,
    /// Milliseconds that a collections request keeps the accounts of its rows from the next one, as
    /// triggers and roll-ups do in busy orgs. 0: never.
    pub parent_lock_millis: u64,
    /// Unconfirmed: the HTTP status of `UNABLE_TO_LOCK_ROW` (400 and 500 are both reported).
    pub lock_row_status: u16,
    /// Unconfirmed: the HTTP status of `INSUFFICIENT_ACCESS_OR_READONLY` (400 or 403).
    pub insufficient_access_status: u16,
    /// Whether the promoter may look into Setup; a permission of its own in real orgs.
    pub promoter_sees_setup: bool,
    /// Whether the promoter sees everybody's tokens; Customize Application or Manage Users in real orgs.
    pub promoter_sees_tokens: bool,
    /// Connected apps besides our own, with the roles of the users who have a token of them.
    pub other_apps: BTreeMap<String, Vec<String>>,
    /// Unconfirmed: whether a user may write custom fields of its own record, where field-level security
    /// opens them, without Manage Users.
    pub users_edit_themselves: bool,
    /// Unconfirmed: whether tooling queries offer `FilterExpression` as a column of its own.
    pub filter_expression_column: bool,
    /// Whether autolaunched flows are active after a deploy. In production they are not,
    /// unless the org allows it and Apex tests cover them; screen flows always are.
    pub flows_active: bool,
    /// Whether the REST flow action starts screen flows and shows their screens, in place of
    /// the Lightning runtime. Real REST knows autolaunched flows only.
    pub screen_flows_over_rest: bool,
    /// Whether converted leads may be edited; a permission in real orgs.
    pub converted_leads_editable: bool,
    /// Whether rules and flows run in lead conversion: Require Validation for Converted Leads.
    pub conversion_is_validated: bool,
    /// Unconfirmed: whether the change event of a conversion carries `LastModifiedDate`.
    pub conversion_event_has_last_modified: bool,
    /// The user or queue that an active lead assignment rule would give every created or
    /// updated lead to. Empty: no rule is active.
    pub lead_assignment_owner: Option<String>,
    /// Fields with history tracking, by object.
    pub history_fields: BTreeMap<String, Vec<String>>,
    /// How many looks a bulk query job takes until it is complete.
    pub bulk_query_looks: u32,
    /// Whether a call extends the session that made it.
    pub sessions_slide: bool,
    /// Seconds that an access token lives.
    pub session_seconds: u64,
    /// Milliseconds that a deploy of metadata takes at least.
    pub deploy_millis: u64,
    /// Seconds between keepalives on an idle stream. The service uses up to 270.
    pub keepalive_seconds: u64,
    /// Milliseconds before a Pub/Sub call with a bad token is refused. One to eleven
    /// seconds were seen.
    pub stream_auth_refusal_millis: u64,
    /// Seconds after which a stream with no credit left is closed.
    pub idle_close_seconds: u64,
    /// Unconfirmed: whether a long-lived stream is re-authenticated, and after how many seconds.
    pub stream_reauth_seconds: Option<u64>,
    /// Whether replay ids have a form that shows no number. Real ones are documented as opaque, and
    /// were only ever seen as a number.
    pub opaque_replay_ids: bool,
    /// Unconfirmed: whether bits of fields hidden by field-level security stay in `changedFields`.
    pub hidden_fields_keep_bits: bool,
    /// Unconfirmed: whether emptied fields stand in `changedFields` as well as in `nulledFields`.
    pub nulled_fields_also_changed: bool,
}

/// What a stage outside the list does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnlistedStage {
    /// Probability, forecast category and the closed flags stay as they were.
    Keep,
    /// Probability 0, category Omitted, open.
    Zero,
}

/// What becomes of decimals beyond the scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExcessDecimals {
    /// Rounded half away from zero.
    Round,
    /// Kept as sent.
    Keep,
}

/// How rules compare blank numbers and dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlankNumbers {
    /// The comparison is null and the rule does not fire.
    AsNull,
    /// Blank counts as zero.
    AsZero,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            daily_api_requests: 15_000,
            daily_event_deliveries: 10_000,
            retention_hours: 72,
            precondition_under_lock: true,
            precondition_body: true,
            call_options_on_collections: true,
            auto_assign_on_collections: true,
            no_op_updates_touch: true,
            no_op_updates_publish: false,
            unlisted_stage: UnlistedStage::Keep,
            excess_decimals: ExcessDecimals::Round,
            trim_text: true,
            blank_numbers: BlankNumbers::AsNull,
            locked_row_fails_batch: false,
            parent_lock_millis: 0,
            lock_row_status: 400,
            insufficient_access_status: 400,
            promoter_sees_setup: true,
            promoter_sees_tokens: false,
            other_apps: BTreeMap::new(),
            users_edit_themselves: true,
            filter_expression_column: true,
            flows_active: true,
            screen_flows_over_rest: true,
            converted_leads_editable: false,
            conversion_is_validated: true,
            conversion_event_has_last_modified: false,
            lead_assignment_owner: None,
            history_fields: default_history(),
            bulk_query_looks: 1,
            sessions_slide: true,
            session_seconds: 7_200,
            deploy_millis: 200,
            keepalive_seconds: 120,
            stream_auth_refusal_millis: 1_000,
            idle_close_seconds: 60,
            stream_reauth_seconds: None,
            opaque_replay_ids: false,
            hidden_fields_keep_bits: false,
            nulled_fields_also_changed: true,
        }
    }
}

fn default_history() -> BTreeMap<String, Vec<String>> {
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    BTreeMap::from([
        ("Lead".to_owned(), names(&["Status", "OwnerId", "AI_Decision__c", "AI_Promoted_Proposal_ID__c"])),
        (
            "Opportunity".to_owned(),
            names(&["StageName", "Amount", "CloseDate", "NextStep", "OwnerId", "AI_Decision__c"]),
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_file_keeps_the_other_defaults() {
        let settings: Settings = serde_json::from_str(r#"{"retention-hours": 1}"#).unwrap();
        assert_eq!(settings, Settings { retention_hours: 1, ..Settings::default() });
        assert!(serde_json::from_str::<Settings>(r#"{"retention": 1}"#).is_err(), "a typo is refused");
    }
}
