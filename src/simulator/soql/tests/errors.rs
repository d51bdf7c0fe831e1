//! What is refused, with which code, and what field-level security hides.

use super::{QueryOptions, World, execute};

/// Query, code, words of the message.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("SELECT Id FROM Leed", "INVALID_TYPE", "sObject type 'Leed' is not supported"),
    ("SELECT Foo__c FROM Lead", "INVALID_FIELD", "No such column 'Foo__c' on entity 'Lead'"),
    ("SELECT Id FROM Lead WHERE Foo = 1", "INVALID_FIELD", "No such column 'Foo'"),
    ("SELECT Id FROM Lead ORDER BY Foo", "INVALID_FIELD", "No such column 'Foo'"),
    ("SELECT Boss.Name FROM Lead", "INVALID_FIELD", "Didn't understand relationship 'Boss' in field path"),
    ("SELECT Owner.Foo FROM Lead", "INVALID_FIELD", "No such column 'Foo' on entity"),
    ("SELECT Id, id FROM Lead", "INVALID_FIELD", "duplicate field selected: Id"),
    (
        "SELECT Id FROM Lead WHERE AnnualRevenue = '5'",
        "INVALID_FIELD",
        "must be of type double and should not be enclosed in quotes",
    ),
    (
        "SELECT Id FROM Lead WHERE Company = 5",
        "INVALID_FIELD",
        "must be of type string and should be enclosed in quotes",
    ),
    ("SELECT Id FROM Lead WHERE CreatedDate = 2026-05-13", "INVALID_FIELD", "must be of type dateTime"),
    ("SELECT Id FROM Lead WHERE Seen_On__c = 2026-05-13T00:00:00Z", "INVALID_FIELD", "must be of type date"),
    ("SELECT Id FROM Lead WHERE IsConverted = 'true'", "INVALID_FIELD", "must be of type boolean"),
    ("SELECT Id FROM Lead WHERE Notes__c = 'x'", "INVALID_FIELD", "can not be filtered"),
    ("SELECT Id FROM Lead WHERE Address = 'x'", "INVALID_FIELD", "can not be filtered"),
    ("SELECT Id FROM Lead ORDER BY Notes__c", "MALFORMED_QUERY", "can not be sorted"),
    (
        "SELECT Id FROM Lead WHERE Id = 'nonsense'",
        "INVALID_QUERY_FILTER_OPERATOR",
        "invalid ID field: nonsense",
    ),
    (
        "SELECT Id FROM Lead WHERE Id LIKE '00Q%'",
        "INVALID_QUERY_FILTER_OPERATOR",
        "invalid operator on id field",
    ),
    (
        "SELECT Id FROM Lead WHERE IsConverted > false",
        "INVALID_QUERY_FILTER_OPERATOR",
        "invalid operator on boolean field",
    ),
    ("SELECT Id FROM Lead WHERE Company INCLUDES ('x')", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
    ("SELECT FIELDS(ALL) FROM Lead", "MALFORMED_QUERY", "must have a LIMIT of at most 200"),
    ("SELECT FIELDS(CUSTOM) FROM Lead LIMIT 201", "MALFORMED_QUERY", "must have a LIMIT of at most 200"),
    ("SELECT Id FROM Lead OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"),
    (
        "SELECT Company, COUNT(Id) FROM Lead GROUP BY Status",
        "MALFORMED_QUERY",
        "Field must be grouped or aggregated: Company",
    ),
    ("SELECT SUM(Company) FROM Lead", "MALFORMED_QUERY", "does not support this aggregate operator"),
    ("SELECT COUNT(), Id FROM Lead", "MALFORMED_QUERY", "COUNT()"),
    ("SELECT Id FROM Lead WHERE Seen_On__c = LAST_N_YEARS:100000", "MALFORMED_QUERY", "leaves the calendar"),
];

#[test]
fn each_mistake_has_its_code() {
    let world = World::with_leads();
    for (soql, code, words) in MISTAKES {
        let error = world.query(soql).expect_err(soql);
        assert_eq!(error.code, *code, "{soql}: {}", error.message);
        assert!(error.message.contains(words), "{soql}: {}", error.message);
    }
}

#[test]
fn the_caret_stands_under_the_mistake() {
    let error = World::new().query("SELECT Id, Foo__c FROM Lead").unwrap_err();
    let expected =
        "\nSELECT Id, Foo__c FROM Lead\n           ^\nERROR at Row:1:Column:12\nNo such column 'Foo__c'";
    assert!(error.message.starts_with(expected), "{}", error.message);
}

#[test]
fn hidden_fields_do_not_exist_for_a_user() {
    let world = World::with_leads();
    let outsider = world.org.user("outsider").unwrap();
    let query = |soql: &str| execute(&world.org, &outsider, soql, &QueryOptions::new("67.0"));
    assert!(query("SELECT Id, Company FROM Lead").is_ok());
    for soql in [
        "SELECT AI_Gate_Pending__c FROM Lead",
        "SELECT Id FROM Lead WHERE AI_Gate_Pending__c = true",
        "SELECT Id FROM Lead ORDER BY AI_Gate_Pending__c",
        "SELECT COUNT(AI_Gate_Pending__c) FROM Lead",
    ] {
        let error = query(soql).expect_err(soql);
        assert_eq!(error.code, "INVALID_FIELD");
        assert!(error.message.contains("No such column 'AI_Gate_Pending__c' on entity 'Lead'"), "{soql}");
    }
    let page = query("SELECT FIELDS(ALL) FROM Lead LIMIT 1").unwrap();
    assert!(page.records[0].get("AI_Gate_Pending__c").is_none());
}
