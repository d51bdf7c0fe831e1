//! What formulas mean, legal and illegal, with blanks in every place.

use std::collections::BTreeMap;

use super::{lexer::Dialect, *};

struct World {
    now: BTreeMap<&'static str, FieldValue>,
    before: Option<BTreeMap<&'static str, FieldValue>>,
    blanks: Blanks,
}

impl Types for World {
    fn field(&self, name: &str) -> Option<FieldKind> {
        Some(match name {
            "Status" => FieldKind::Picklist(None),
            "Decision" => FieldKind::Picklist(Some(vec!["Pending".into(), "Approved".into()])),
            "Fields" => FieldKind::MultiPicklist(Some(vec!["Amount".into(), "NextStep".into()])),
            "Previous" | "Name" => FieldKind::Plain(Type::Text),
            "Amount" | "Seq" => FieldKind::Plain(Type::Number),
            "Close" => FieldKind::Plain(Type::Date),
            "Seen" => FieldKind::Plain(Type::DateTime),
            "Flag" => FieldKind::Plain(Type::Bool),
            "Long" => FieldKind::LongText,
            _ => return None,
        })
    }
    fn has_permission(&self, name: &str) -> bool {
        matches!(name, "Yes" | "No")
    }
    fn custom_metadata(&self, metadata_type: &str, record: &str, field: &str) -> Option<FieldKind> {
        ((metadata_type, record, field) == ("S__mdt", "Default", "On__c"))
            .then_some(FieldKind::Plain(Type::Bool))
    }
}

impl Scope for World {
    fn field(&self, name: &str) -> FieldValue {
        self.now.get(name).cloned().unwrap_or_default()
    }
    fn prior(&self, name: &str) -> FieldValue {
        let before = self.before.as_ref().expect("PRIORVALUE is not asked for on insert");
        before.get(name).cloned().unwrap_or_default()
    }
    fn is_new(&self) -> bool {
        self.before.is_none()
    }
    fn permission(&self, name: &str) -> bool {
        name == "Yes"
    }
    fn custom_metadata(&self, _: &str, _: &str, _: &str) -> FieldValue {
        FieldValue::Bool(true)
    }
    fn user(&self, _: &str) -> FieldValue {
        FieldValue::text("005000000000001AAA")
    }
    fn today(&self) -> Date {
        "2026-03-01".parse().unwrap()
    }
    fn now(&self) -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }
    fn blanks(&self) -> Blanks {
        self.blanks
    }
}

fn blank() -> World {
    World { now: BTreeMap::new(), before: Some(BTreeMap::new()), blanks: Blanks::AsNull }
}

fn changed() -> World {
    let text = |text: &str| FieldValue::text(text);
    let number = |text: &str| FieldValue::decimal(text.parse().unwrap());
    World {
        now: BTreeMap::from([
            ("Status", text("Working")),
            ("Decision", text("Approved")),
            ("Fields", text("Amount;NextStep")),
            ("Previous", text("New")),
            ("Name", text("Example Widgets Ltd")),
            ("Amount", number("15000.50")),
            ("Seq", number("4")),
            ("Close", FieldValue::Date("2026-04-30".parse().unwrap())),
            ("Seen", FieldValue::DateTime("2026-03-01T11:00:00Z".parse().unwrap())),
            ("Flag", FieldValue::Bool(true)),
        ]),
        before: Some(BTreeMap::from([("Status", text("New")), ("Seq", number("3"))])),
        blanks: Blanks::AsNull,
    }
}

#[track_caller]
fn value(world: &World, text: &str) -> FieldValue {
    let expr = parser::parse(text, Dialect::Rule).unwrap();
    let (node, _) = types::Checker { types: world, dialect: Dialect::Rule }.check(&expr).unwrap();
    eval::eval(&node, world).unwrap()
}

#[track_caller]
fn fires(world: &World, text: &str) -> bool {
    Formula::compile(text, world).unwrap().is_true(world)
}

fn refusal(text: &str) -> String {
    Formula::compile(text, &blank()).unwrap_err().message
}

#[test]
fn blank_text_equals_the_empty_text() {
    for text in
        ["Previous = \"\"", "\"\" = Previous", "ISBLANK(Previous)", "TEXT(Status) = \"\"", "Previous = Name"]
    {
        assert!(fires(&blank(), text), "{text}");
    }
    assert!(fires(&blank(), "Previous <> \"x\""));
    assert!(fires(&blank(), "ISPICKVAL(Status, \"\")"));
}

#[test]
fn a_comparison_with_a_blank_number_day_or_moment_is_null() {
    for text in [
        "Amount = 1",
        "Amount <> 1",
        "Amount < 1",
        "Amount = Seq",
        "Close <> TODAY()",
        "Close < TODAY()",
        "Seen = NOW()",
        "Amount + 1 = 1",
        "NOT(Amount = 1)",
    ] {
        assert_eq!(value(&blank(), text), FieldValue::Null, "{text}");
        assert!(!fires(&blank(), text), "{text}");
    }
    assert!(fires(&blank(), "OR(Amount = 1, ISBLANK(Amount))"), "null counts as false inside OR");
    assert!(fires(&blank(), "IF(Amount = 1, FALSE, TRUE)"), "null takes the other branch");
}

#[test]
fn blank_numbers_can_be_zero_by_setting() {
    let mut world = blank();
    world.blanks = Blanks::AsZero;
    assert!(fires(&world, "Amount = 0"));
    assert!(fires(&world, "Amount <> 1"));
    assert!(!fires(&world, "Close < TODAY()"), "days stay blank");
}

#[test]
fn change_functions_on_update() {
    let world = changed();
    assert!(fires(&world, "AND(ISCHANGED(Status), TEXT(PRIORVALUE(Status)) = Previous)"));
    assert!(fires(&world, "Seq = BLANKVALUE(PRIORVALUE(Seq), 0) + 1"));
    assert!(fires(&world, "ISBLANK(PRIORVALUE(Amount))"));
    assert!(!fires(&world, "ISNEW()"));
    assert!(fires(&blank(), "BLANKVALUE(Seq, 0) = 0"));
}

#[test]
fn change_functions_on_insert() {
    let mut world = changed();
    world.before = None;
    assert!(fires(&world, "AND(ISNEW(), NOT(ISCHANGED(Status)))"));
    assert!(fires(&world, "PRIORVALUE(Seq) = Seq"), "PRIORVALUE gives the current value");
    assert!(fires(&world, "ISPICKVAL(PRIORVALUE(Decision), \"Approved\")"));
}

#[test]
fn globals() {
    assert!(fires(&blank(), "AND($Permission.Yes, NOT($Permission.No))"));
    assert!(fires(&blank(), "$CustomMetadata.S__mdt.Default.On__c"));
    assert!(fires(&blank(), "LEFT($User.Id, 3) = \"005\""));
}

#[test]
fn text_functions() {
    let world = changed();
    for text in [
        "BEGINS(Name, \"Example\")",
        "NOT(BEGINS(Name, \"example\"))",
        "CONTAINS(Name, \"Widgets\")",
        "LEN(Name) = 19",
        "LEFT(Name, 7) = \"Example\"",
        "RIGHT(Name, 3) = \"Ltd\"",
        "MID(Name, 9, 7) = \"Widgets\"",
        "MID(Name, 17, 99) = \"Ltd\"",
        "UPPER(LEFT(Name, 2)) = \"EX\"",
        "TRIM(\" x \") = \"x\"",
        "VALUE(\"1.50\") = 1.5",
        "\"a\" & \"b\" = \"ab\"",
        "TEXT(Amount) = \"15000.5\"",
        "TEXT(Close) = \"2026-04-30\"",
        "TEXT(Seen) = \"2026-03-01 11:00:00Z\"",
        "LEN(\"\") = 0",
        "\"a\" < \"b\"",
        "Name <> \"example widgets ltd\"",
    ] {
        assert!(fires(&world, text), "{text}");
    }
    assert_eq!(value(&blank(), "BEGINS(Name, \"x\")"), FieldValue::Null);
    assert!(fires(&blank(), "BEGINS(Name, \"\")"));
    assert!(fires(&blank(), "ISBLANK(LEFT(Name, 5))"));
    assert!(fires(&blank(), "LEFT(Name, 5) <> \"void:\""), "the null-safe way to test a prefix");
}

#[test]
fn picklists() {
    let world = changed();
    assert!(fires(&world, "CASE(Status, \"New\", 1, \"Working\", 2, 3) = 2"));
    assert!(fires(&world, "CASE(Seq, 1, \"a\", 4, \"b\", \"c\") = \"b\""));
    assert!(fires(&blank(), "CASE(Seq, 1, \"a\", \"c\") = \"c\""));
    assert!(fires(&world, "AND(INCLUDES(Fields, \"Amount\"), INCLUDES(Fields, \"NextStep\"))"));
    assert!(!fires(&blank(), "INCLUDES(Fields, \"Amount\")"));
}

#[test]
fn arithmetic_and_days() {
    let world = changed();
    for text in [
        "1 + 2 * 3 = 7",
        "-(1 - 3) = 2",
        "7 / 2 = 3.5",
        "Close - TODAY() = 60",
        "TODAY() + 1 > TODAY()",
        "NOW() - Seen < 1 / 23",
        "NOW() - Seen > 1 / 25",
        "NOW() - 1 / 24 = Seen",
        "DATEVALUE(Seen) = TODAY()",
        "DATEVALUE(\"2026-04-30\") = Close",
        "ABS(-2) = 2",
        "0.1 + 0.2 = 0.3",
    ] {
        assert!(fires(&world, text), "{text}");
    }
}

#[test]
fn a_calculation_without_a_result_refuses_the_save() {
    for text in [
        "1 / (Seq - 4) = 1",
        "VALUE(Name) = 1",
        "DATEVALUE(Name) = TODAY()",
        "TODAY() + 99999999999 > TODAY()",
    ] {
        let world = changed();
        let formula = Formula::compile(text, &world).unwrap();
        assert!(formula.eval(&world).is_err(), "{text}");
        assert!(formula.is_true(&world), "{text}");
    }
}

#[test]
fn illegal_formulas_are_refused_as_a_deploy_would() {
    for (text, expected) in [
        ("Status = \"New\"", "is a picklist field"),
        ("Previous <> Status", "is a picklist field"),
        ("ISBLANK(Status & \"x\")", "is a picklist field"),
        ("ISBLANK(TEXT(Name))", "Expected Number, Date, DateTime, Picklist, received Text"),
        ("TEXT(PRIORVALUE(Fields)) = \"\"", "received Multi-Select Picklist"),
        ("ISPICKVAL(Status, Previous)", "text literal"),
        ("ISPICKVAL(Name, \"x\")", "Expected Picklist, received Text"),
        ("ISPICKVAL(Decision, \"Maybe\")", "'Maybe' is not a value of Decision"),
        ("INCLUDES(Fields, \"Stage\")", "'Stage' is not a value of Fields"),
        ("INCLUDES(Status, \"Stage\")", "Expected Multi-Select Picklist"),
        ("PRIORVALUE(Seq + 1) = 1", "takes a field of this record"),
        ("ISCHANGED(Owner.Name)", "takes a field of this record"),
        ("ISCHANGED(Missing)", "Field Missing does not exist"),
        ("ISCHANGED(Long)", "long text area"),
        ("ISBLANK(Long)", "long text area"),
        ("$Permission.Other", "$Permission.Other does not exist"),
        ("$CustomMetadata.S__mdt.Other.On__c", "does not exist"),
        ("$Setup.X", "does not exist"),
        ("$User.Secret", "does not exist"),
        ("Amount = \"1\"", "Expected Number, received Text"),
        ("Amount = Close", "Expected Number, received Date"),
        ("AND(Flag, Amount)", "Expected Boolean, received Number"),
        ("AND()", "Incorrect number of parameters"),
        ("LEFT(Name)", "Expected 2, received 1"),
        ("IF(Flag, 1, \"a\") = 1", "Expected Number, received Text"),
        ("CASE(Status, Previous, 1, 2) = 1", "text literal"),
        ("CASE(Status, \"a\", 1) = 1", "Incorrect number of parameters"),
        ("REGEX(Name, \"x\")", "Unknown function REGEX"),
        ("Flag < TRUE", "received Boolean"),
        ("TODAY() * 2 = 1", "Expected Number, received Date"),
        ("ISBLANK(Flag)", "received Boolean"),
        ("Amount", "incompatible with expected data type (true or false)"),
        ("Amount = ", "ends too early"),
    ] {
        let message = refusal(text);
        assert!(message.contains(expected), "{text}: {message}");
    }
    assert!(refusal(&format!("Name = \"{}\"", "x".repeat(4_000))).contains("too long"));
}

/// Names of flows: the whole name comes through.
struct Flow;

impl Types for Flow {
    fn field(&self, name: &str) -> Option<FieldKind> {
        Some(match name {
            "$Record.Status" => FieldKind::Picklist(None),
            "$Record.AI_Proposal_ID__c" | "$Record__Prior.AI_Proposal_ID__c" | "Get_Lead.Name" => {
                FieldKind::Plain(Type::Text)
            }
            "comments" => FieldKind::LongText,
            "amount" | "limit" => FieldKind::Plain(Type::Number),
            "$Flow.CurrentDateTime" => FieldKind::Plain(Type::DateTime),
            _ => return None,
        })
    }
    fn has_permission(&self, name: &str) -> bool {
        name == "Yes"
    }
    fn custom_metadata(&self, _: &str, _: &str, _: &str) -> Option<FieldKind> {
        None
    }
}

fn in_flow(text: &str, values: &[(&'static str, FieldValue)]) -> FieldValue {
    let (formula, _) = Formula::compile_flow(text, &Flow).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut world = blank();
    world.now = values.iter().cloned().collect();
    formula.eval(&world).unwrap()
}

#[test]
fn flow_formulas_have_any_type_and_name_resources() {
    let text = |text: &str| FieldValue::text(text);
    let moment = FieldValue::DateTime("2026-03-01T09:08:07Z".parse().unwrap());
    let id = "{!Get_Lead.Name} & \"~\" & SUBSTITUTE(MID(TEXT({!$Flow.CurrentDateTime}), 12, 8), \":\", \"\")";
    let given = [("Get_Lead.Name", text("p-1")), ("$Flow.CurrentDateTime", moment)];
    assert_eq!(in_flow(id, &given), text("p-1~090807"));
    let number = |digits: &str| FieldValue::decimal(digits.parse().unwrap());
    let given = [("amount", number("70000")), ("limit", number("50000.5"))];
    assert_eq!(in_flow("MAX({!amount}, {!limit}, 1)", &given), number("70000"));
    assert_eq!(in_flow("MIN({!amount}, {!limit})", &given), number("50000.5"));
    assert_eq!(in_flow("ROUND({!limit}, 0)", &given), number("50001"));
    assert_eq!(in_flow("MAX({!amount}, BLANKVALUE({!limit}, 0))", &given[..1]), number("70000"));
    assert_eq!(in_flow("MAX({!amount}, {!limit})", &given[..1]), FieldValue::Null, "blank stays blank");
    assert_eq!(in_flow("ISBLANK({!comments})", &[]), FieldValue::Bool(true), "long text is allowed");
    let moved = "ISCHANGED({!$Record.AI_Proposal_ID__c})";
    assert_eq!(in_flow(moved, &[("$Record.AI_Proposal_ID__c", text("p-2"))]), FieldValue::Bool(true));
    assert_eq!(in_flow("{!$Record__Prior.AI_Proposal_ID__c} = \"\"", &[]), FieldValue::Bool(true));
}

#[test]
fn flow_formulas_refuse_what_is_not_there() {
    for text in [
        "{!Nothing} = 1",
        "{!$Permission.No}",
        "{!$Record.Missing__c} = \"x\"",
        "{!$Record.Status} = \"New\"",
        "ISCHANGED({!Get_Lead.Name})",
        "MAX({!Get_Lead.Name}, 1)",
        "SUBSTITUTE(\"a\", \"b\")",
        "{!amount",
    ] {
        assert!(Formula::compile_flow(text, &Flow).is_err(), "{text}");
    }
    assert!(Formula::compile("{!amount} = 1", &Flow).is_err(), "rules have no references");
}
