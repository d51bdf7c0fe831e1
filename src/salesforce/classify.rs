//! The table of Salesforce's codes: what each means for a writer.
//!
//! Codes decide, never the HTTP status alone. A code that the table does not hold is permanent:
//! retrying what nobody understands is how a daemon floods an org.

/// What an answer means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Not applied; the same request may be sent again soon.
    Retry,
    /// Not applied because of a locked row; send again, in smaller groups.
    Bisect,
    /// Not applied and never will be with this payload.
    Drop,
    /// Not applied: the record has moved.
    Reread,
    /// The record is gone.
    Gone,
    /// Not applied; all writes must wait, often for a person.
    Pause,
    /// Not applied: the token is not good.
    Login,
    /// Not applied: the record is locked for hours or days.
    Park,
    /// Nobody knows whether it was applied.
    Unknown,
    /// Not applied because of another row; send again without that one.
    Innocent,
}

/// Code to class. `REQUEST_LIMIT_EXCEEDED` and wrapped trigger errors also look at the message.
const TABLE: &[(&str, Class)] = &[
    ("UNABLE_TO_LOCK_ROW", Class::Bisect),
    ("INVALID_SESSION_ID", Class::Login),
    ("SESSION_EXPIRED", Class::Login),
    ("ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE", Class::Reread),
    ("ENTITY_IS_DELETED", Class::Gone),
    ("NOT_FOUND", Class::Gone),
    ("INVALID_CROSS_REFERENCE_KEY", Class::Gone),
    ("TOO_MANY_APEX_REQUESTS", Class::Unknown),
    ("REQUEST_RUNNING_TOO_LONG", Class::Unknown),
    ("QUERY_TIMEOUT", Class::Unknown),
    ("SERVER_UNAVAILABLE", Class::Unknown),
    ("UNKNOWN_EXCEPTION", Class::Unknown),
    ("INTERNAL_ERROR", Class::Unknown),
    ("TXN_SECURITY_METERING_ERROR", Class::Unknown),
    ("TXN_SECURITY_RUNTIME_ERROR", Class::Unknown),
    ("TXN_SECURITY_FAIL_CLOSE", Class::Unknown),
    ("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", Class::Pause),
    ("INVALID_READ_ONLY_USER_DML", Class::Pause),
    ("FUNCTIONALITY_TEMPORARILY_UNAVAILABLE", Class::Pause),
    ("ORG_IN_MAINTENANCE", Class::Pause),
    ("API_DISABLED_FOR_ORG", Class::Pause),
    ("API_CURRENTLY_DISABLED", Class::Pause),
    ("ORG_LOCKED", Class::Pause),
    ("TRIAL_EXPIRED", Class::Pause),
    ("CLIENT_NOT_ACCESSIBLE_FOR_USER", Class::Pause),
    ("TXN_SECURITY_NO_ACCESS", Class::Pause),
    ("TXN_SECURITY_END_A_SESSION", Class::Pause),
    ("TXN_SECURITY_TWO_FA_REQUIRED", Class::Pause),
    ("STORAGE_LIMIT_EXCEEDED", Class::Pause),
    ("ENTITY_IS_LOCKED", Class::Park),
    ("RECORD_IN_USE_BY_WORKFLOW", Class::Park),
    ("ALL_OR_NONE_OPERATION_ROLLED_BACK", Class::Innocent),
    ("PROCESSING_HALTED", Class::Innocent),
    ("BATCH_PROCESSING_HALTED", Class::Innocent),
    ("FIELD_CUSTOM_VALIDATION_EXCEPTION", Class::Drop),
    ("INVALID_FIELD", Class::Drop),
    ("INVALID_FIELD_FOR_INSERT_UPDATE", Class::Drop),
    ("INSUFFICIENT_ACCESS_OR_READONLY", Class::Drop),
    ("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", Class::Drop),
    ("MALFORMED_ID", Class::Drop),
    ("INVALID_ID_FIELD", Class::Drop),
    ("INVALID_TYPE", Class::Drop),
    ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", Class::Drop),
    ("STRING_TOO_LONG", Class::Drop),
    ("REQUIRED_FIELD_MISSING", Class::Drop),
    ("MISSING_ARGUMENT", Class::Drop),
    ("JSON_PARSER_ERROR", Class::Drop),
    ("CANNOT_UPDATE_CONVERTED_LEAD", Class::Drop),
    ("DUPLICATES_DETECTED", Class::Drop),
    ("DUPLICATE_VALUE", Class::Drop),
    ("DUPLICATE_EXTERNAL_ID", Class::Drop),
    ("EXCEEDED_ID_LIMIT", Class::Drop),
    ("LIMIT_EXCEEDED", Class::Drop),
    ("EXCEEDED_MAX_SIZE_REQUEST", Class::Drop),
    ("METHOD_NOT_ALLOWED", Class::Drop),
    ("MALFORMED_QUERY", Class::Drop),
    ("INVALID_QUERY_LOCATOR", Class::Drop),
    ("TXN_SECURITY_APEX_ERROR", Class::Drop),
];

/// What a code means. `status` is the HTTP status of a whole call, `None` for one row of a
/// collections reply. `message` is looked at only where one code has two meanings.
pub fn classify(status: Option<u16>, code: &str, message: &str) -> Class {
    match code {
        // Concurrency passes in seconds, the daily limit in hours; only the text tells them apart.
        "REQUEST_LIMIT_EXCEEDED" if message.contains("Concurrent") => Class::Retry,
        "REQUEST_LIMIT_EXCEEDED" => Class::Pause,
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" | "CANNOT_EXECUTE_FLOW_TRIGGER" => wrapped(message),
        _ => match TABLE.iter().find(|(known, _)| *known == code) {
            Some((_, class)) => *class,
            None => by_status(status),
        },
    }
}

/// A trigger's error carries the inner code in its text.
fn wrapped(message: &str) -> Class {
    if message.contains("UNABLE_TO_LOCK_ROW") { Class::Bisect } else { Class::Drop }
}

fn by_status(status: Option<u16>) -> Class {
    match status {
        Some(401) => Class::Login,
        Some(404 | 410) => Class::Gone,
        Some(412) => Class::Reread,
        Some(429) => Class::Retry,
        Some(420 | 500..) => Class::Unknown,
        _ => Class::Drop,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_what_it_says() {
        for (code, class) in TABLE {
            assert_eq!(classify(Some(400), code, "any text"), *class, "{code}");
            assert_eq!(classify(None, code, ""), *class, "{code} in a row");
        }
    }

    #[test]
    fn no_code_stands_twice() {
        for (place, (code, _)) in TABLE.iter().enumerate() {
            assert!(!TABLE[..place].iter().any(|(earlier, _)| earlier == code), "{code} stands twice");
        }
    }

    #[test]
    fn one_limit_code_has_two_meanings() {
        let daily = "TotalRequests Limit exceeded.";
        let busy = "ConcurrentRequests (Concurrent API Requests) Limit exceeded.";
        let long = "ConcurrentPerOrgLongTxn Limit exceeded.";
        assert_eq!(classify(Some(403), "REQUEST_LIMIT_EXCEEDED", daily), Class::Pause);
        assert_eq!(classify(Some(403), "REQUEST_LIMIT_EXCEEDED", busy), Class::Retry);
        assert_eq!(classify(Some(403), "REQUEST_LIMIT_EXCEEDED", long), Class::Retry);
    }

    #[test]
    fn a_trigger_error_shows_its_inner_code() {
        let locked = "Trigger: execution of AfterUpdate caused by: System.DmlException: UNABLE_TO_LOCK_ROW";
        assert_eq!(classify(None, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", locked), Class::Bisect);
        assert_eq!(classify(None, "CANNOT_EXECUTE_FLOW_TRIGGER", "a flow failed"), Class::Drop);
    }

    #[test]
    fn unknown_codes_are_permanent_unless_the_status_says_more() {
        assert_eq!(classify(Some(400), "SOMETHING_NEW", ""), Class::Drop);
        assert_eq!(classify(None, "SOMETHING_NEW", ""), Class::Drop);
        assert_eq!(classify(Some(412), "", ""), Class::Reread);
        for status in [420, 500, 502, 503, 504] {
            assert_eq!(
                classify(Some(status), "", ""),
                Class::Unknown,
                "{status} says nothing about the effect"
            );
        }
    }
}
