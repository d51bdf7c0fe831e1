//! Every code that a writer meets, refused by the simulated org, and what the promoter makes of it.

use countersign::{
    salesforce::{Class, RowOutcome, classify},
    simulator::{Fault, FaultAction, FaultPoint},
};

use crate::salesforce_client::{World, proposal};

/// What the promoter does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    /// Not applied for sure, soon over: sent again after a short pause, the mark read first.
    TriesAgain,
    /// Not applied for sure, over in hours or days: sent again after long pauses, while the approval
    /// lives.
    WaitsLong,
    /// Not applied for sure; everything has the same trouble, often one for people.
    HoldsAll,
    /// Nobody knows: the record's mark is read.
    ReadsTheMark,
    /// Not applied: the record has moved, the promotion is stale.
    CallsItStale,
    /// Refused for good.
    Refuses,
    /// The record is gone.
    CallsItGone,
}

use Does::{CallsItGone, CallsItStale, HoldsAll, ReadsTheMark, Refuses, TriesAgain, WaitsLong};

/// Code, text and what is done when one row is refused with it.
const ROWS: &[(&str, &str, Does)] = &[
    ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", TriesAgain),
    ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "caused by: UNABLE_TO_LOCK_ROW", TriesAgain),
    ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "caused by: System.NullPointerException", Refuses),
    ("CANNOT_EXECUTE_FLOW_TRIGGER", "a flow failed", Refuses),
    ("TOO_MANY_APEX_REQUESTS", "x", ReadsTheMark),
    ("REQUEST_RUNNING_TOO_LONG", "x", ReadsTheMark),
    ("QUERY_TIMEOUT", "x", ReadsTheMark),
    ("UNKNOWN_EXCEPTION", "ErrorId: 1", ReadsTheMark),
    ("INTERNAL_ERROR", "x", ReadsTheMark),
    ("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", "x", HoldsAll),
    ("INVALID_READ_ONLY_USER_DML", "x", HoldsAll),
    ("FUNCTIONALITY_TEMPORARILY_UNAVAILABLE", "x", HoldsAll),
    ("ORG_IN_MAINTENANCE", "x", HoldsAll),
    ("STORAGE_LIMIT_EXCEEDED", "x", HoldsAll),
    ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Amount must be positive", Refuses),
    ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "AI_GATE_04: the promotion number has moved", CallsItStale),
    ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "AI_GATE_05: the value has moved", CallsItStale),
    ("INVALID_FIELD", "No such column 'X'", Refuses),
    ("INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: X", Refuses),
    ("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", Refuses),
    ("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "x", Refuses),
    ("ENTITY_IS_DELETED", "entity is deleted", CallsItGone),
    ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", CallsItGone),
    ("NOT_FOUND", "x", CallsItGone),
    ("MALFORMED_ID", "x", Refuses),
    ("INVALID_ID_FIELD", "x", Refuses),
    ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "x", Refuses),
    ("STRING_TOO_LONG", "x", Refuses),
    ("REQUIRED_FIELD_MISSING", "x", Refuses),
    ("JSON_PARSER_ERROR", "x", Refuses),
    ("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", Refuses),
    ("ENTITY_IS_LOCKED", "the entity is locked for editing", WaitsLong),
    ("RECORD_IN_USE_BY_WORKFLOW", "x", WaitsLong),
    ("DUPLICATES_DETECTED", "Use one of these records?", Refuses),
    ("DUPLICATE_VALUE", "x", Refuses),
    ("DUPLICATE_EXTERNAL_ID", "x", Refuses),
    ("TXN_SECURITY_NO_ACCESS", "x", HoldsAll),
    ("TXN_SECURITY_END_A_SESSION", "x", HoldsAll),
    ("TXN_SECURITY_TWO_FA_REQUIRED", "x", HoldsAll),
    ("TXN_SECURITY_METERING_ERROR", "x", ReadsTheMark),
    ("TXN_SECURITY_RUNTIME_ERROR", "x", ReadsTheMark),
    ("TXN_SECURITY_FAIL_CLOSE", "x", ReadsTheMark),
    ("TXN_SECURITY_APEX_ERROR", "x", Refuses),
    ("ALL_OR_NONE_OPERATION_ROLLED_BACK", "x", TriesAgain),
    ("PROCESSING_HALTED", "x", TriesAgain),
    ("ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE", "x", CallsItStale),
    ("SESSION_EXPIRED", "x", HoldsAll),
    ("INVALID_TYPE", "x", Refuses),
    ("MISSING_ARGUMENT", "x", Refuses),
    ("SOMETHING_NEW", "x", Refuses),
];

/// The same when the whole call is refused, with its HTTP status.
const CALLS: &[(u16, &str, &str, Does)] = &[
    (
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        TriesAgain,
    ),
    (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", HoldsAll),
    (401, "INVALID_SESSION_ID", "Session expired or invalid", HoldsAll),
    (403, "API_DISABLED_FOR_ORG", "x", HoldsAll),
    (403, "API_CURRENTLY_DISABLED", "x", HoldsAll),
    (403, "ORG_LOCKED", "x", HoldsAll),
    (403, "TRIAL_EXPIRED", "x", HoldsAll),
    (403, "CLIENT_NOT_ACCESSIBLE_FOR_USER", "x", HoldsAll),
    (412, "", "", HoldsAll),
    (404, "NOT_FOUND", "The requested resource does not exist", HoldsAll),
    (503, "SERVER_UNAVAILABLE", "x", ReadsTheMark),
    (500, "UNKNOWN_EXCEPTION", "ErrorId: 1", ReadsTheMark),
    (502, "", "", ReadsTheMark),
    (504, "", "", ReadsTheMark),
    (400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access", TriesAgain),
    (500, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access", TriesAgain),
    (400, "JSON_PARSER_ERROR", "x", Refuses),
    (400, "EXCEEDED_ID_LIMIT", "record limit reached", Refuses),
    (400, "LIMIT_EXCEEDED", "x", Refuses),
    (413, "EXCEEDED_MAX_SIZE_REQUEST", "x", Refuses),
    (412, "BATCH_PROCESSING_HALTED", "x", TriesAgain),
];

fn meant(outcome: &RowOutcome) -> Does {
    match outcome {
        RowOutcome::Done => panic!("it was not refused"),
        RowOutcome::Retry { code } if classify(None, code, "") == Class::Park => WaitsLong,
        RowOutcome::Retry { .. } => TriesAgain,
        RowOutcome::NotSent { .. } => HoldsAll,
        RowOutcome::Unknown { .. } => ReadsTheMark,
        RowOutcome::RaceLost { .. } => CallsItStale,
        RowOutcome::Refused { .. } => Refuses,
        RowOutcome::Gone { .. } => CallsItGone,
    }
}

async fn refused(world: &World, point: FaultPoint, (status, code, message): (u16, &str, &str)) -> Does {
    let action = FaultAction::Error { status, code: code.to_owned(), message: message.to_owned() };
    let writer = world.writer("proposer");
    writer.connection().identity().await.unwrap();
    world.running.org.faults().arm(Fault { count: None, ..Fault::once(point, action) });
    let outcomes = writer.update(&[proposal(&world.leads()[0], "run-1")]).await;
    world.running.org.faults().clear();
    meant(&outcomes[0])
}

/// A client that goes by the HTTP status, or tries everything again, fails most of these.
#[tokio::test]
async fn a_refused_row_means_what_its_code_says() {
    let world = World::start().await;
    for (code, message, does) in ROWS {
        let found = refused(&world, FaultPoint::Row, (400, code, message)).await;
        assert_eq!(found, *does, "{code}: {message}");
    }
}

#[tokio::test]
async fn a_refused_call_means_what_its_code_says() {
    let world = World::start().await;
    for (status, code, message, does) in CALLS {
        let found = refused(&world, FaultPoint::Request, (*status, code, message)).await;
        assert_eq!(found, *does, "{status} {code}: {message}");
    }
}
