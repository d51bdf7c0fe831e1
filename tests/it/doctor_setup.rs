//! The doctor against orgs whose package lacks something that only Setup shows.

use std::{collections::BTreeMap, fs, path::Path};

use countersign::{
    cli::doctor::{self, Check, Report, State},
    clock::Clock,
    config,
    salesforce::Contracts,
    simulator::{
        Fault, FaultAction, FaultMatch, FaultPoint, Org, OrgOptions, Seed, Settings, WriteOp, WriteOptions,
        WriteRow,
        metadata::Package,
        seed,
        server::{self, RunningOrg, ServerOptions},
    },
};
use jiff::SignedDuration;

const LEAD_RULE: &str = "objects/Lead/validationRules/AI_GATE_05_Expected_Value";
const DEAL_RULE: &str = "objects/Opportunity/validationRules/AI_GATE_07_Approved_Value";
const LEAD_MEMBER: &str = "AI_Proposals_chn_LeadChangeEvent";

/// The shipped package with one file changed by `change`, or left out where that gives nothing.
fn package(name: &str, change: impl Fn(&str) -> Option<String>) -> Package {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("salesforce-metadata");
    let mut files = Vec::new();
    read(&root, &root, &mut files);
    let touched = files.iter().filter(|(path, _)| path.contains(name)).count();
    assert_eq!(touched, 1, "{name} names one file");
    let changed = files.into_iter().filter_map(|(path, text)| match path.contains(name) {
        true => Some((path, change(&text)?)),
        false => Some((path, text)),
    });
    Package::from_files(changed.collect()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn read(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            read(root, &path, files);
        } else if [".xml", ".cls", ".json"].iter().any(|end| name.ends_with(end)) {
            files.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

async fn org(package: Package, settings: Settings) -> RunningOrg {
    // The binary installs the provider itself; a second test finds one installed.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let options = OrgOptions { settings, ..OrgOptions::new(Clock::system(), package) };
    let org = Org::new(options).unwrap();
    seed::plant(&org, Seed::Demo).unwrap();
    server::start(org, ServerOptions::default()).await.unwrap()
}

/// The doctor's report, with the token of a person where one is given.
async fn doctor(org: &RunningOrg, person: Option<&str>) -> Report {
    doctor_with(org, person, "").await
}

/// The same, with more settings.
async fn doctor_with(org: &RunningOrg, person: Option<&str>, more: &str) -> Report {
    let user = &org.org.user("promoter").unwrap().username;
    let text = format!(
        "[org]\nlogin_url = \"{}\"\npubsub_endpoint = \"http://{}\"\n[promoter]\nkind = \"jwt\"\n\
         client_id = \"{}\"\nusername = \"{user}\"\nprivate_key_path = \"{}\"\n{more}\n",
        org.instance_url,
        org.pubsub_endpoint,
        org.org.oauth_app().client_id,
        org.jwt_key_path.display(),
    );
    let file = org.jwt_key_path.with_file_name("settings.toml");
    fs::write(&file, text).unwrap();
    let mut settings = config::load_from(Some(&file), Some(BTreeMap::new())).unwrap();
    settings.doctor.access_token = person.map(|token| config::Secret::new(token.to_owned()));
    let mut report = Report::default();
    doctor::examine(
        &settings,
        (Some(&config::policies::load_default().unwrap()), &Contracts::shipped()),
        (&mut report, true),
    )
    .await;
    report
}

/// All records, as they stand.
fn records(org: &RunningOrg) -> String {
    ["Lead", "Opportunity"].map(|object| format!("{:?}", org.org.rows(object, true))).concat()
}

/// The report of an org with this package.
async fn examined(package: Package) -> Report {
    doctor(&org(package, Settings::default()).await, None).await
}

fn find<'a>(report: &'a Report, code: &str) -> &'a Check {
    report.checks.iter().find(|check| check.code == code).unwrap_or_else(|| panic!("{code}:\n{report}"))
}

/// Codes and areas of what is not well, the missing proposer aside.
fn troubles(report: &Report) -> Vec<(&str, &str)> {
    let troubles = report.checks.iter().filter(|check| check.state != State::Ok);
    let troubles = troubles.filter(|check| check.code != "login-not-set");
    troubles.map(|check| (check.area.as_str(), check.code.as_str())).collect()
}

#[tokio::test]
async fn the_shipped_package_is_well() {
    let report = examined(Package::embedded().unwrap()).await;
    assert_eq!(troubles(&report), [], "{report}");
    assert_eq!(report.checks.iter().filter(|check| check.code == "rules").count(), 2, "{report}");
    assert_eq!(find(&report, "channel-members").state, State::Ok);
}

#[tokio::test]
async fn a_rule_that_is_missing_is_named_with_its_place() {
    let report = examined(package(LEAD_RULE, |_| None)).await;
    let expected = [("canary Lead", "canary-let-through"), ("rules Lead", "rules-missing")];
    assert_eq!(troubles(&report), expected, "{report}");
    let check = find(&report, "rules-missing");
    assert_eq!((check.state, check.message.as_str()), (State::Failed, "not there: AI_GATE_05"));
    assert!(check.fix.contains("Setup > Object Manager > Lead > Validation Rules"), "{}", check.fix);
}

#[tokio::test]
async fn a_rule_that_was_switched_off_is_named_with_its_place() {
    let off = |text: &str| Some(text.replace("<active>true</active>", "<active>false</active>"));
    let report = examined(package(DEAL_RULE, off)).await;
    assert_eq!(troubles(&report), [("rules Opportunity", "rules-inactive")], "{report}");
    let check = find(&report, "rules-inactive");
    assert_eq!(
        (check.state, check.message.as_str()),
        (State::Failed, "not active: AI_GATE_07_Approved_Value")
    );
    assert!(check.fix.contains("Setup > Object Manager > Opportunity > Validation Rules"), "{}", check.fix);
}

#[tokio::test]
async fn an_org_without_any_rule_is_told_from_one_that_hides_them() {
    let mut package = Package::embedded().unwrap();
    for object in package.objects.values_mut() {
        object.rules.clear();
    }
    let report = examined(package).await;
    let expected = [
        ("agents", "agent-wall-open"),
        ("agents", "agent-wall-open"),
        ("rules Lead", "rules-missing"),
        ("rules Opportunity", "rules-missing"),
    ];
    let (canaries, others): (Vec<_>, Vec<_>) =
        troubles(&report).into_iter().partition(|(area, _)| area.starts_with("canary"));
    assert_eq!(others, expected, "{report}");
    assert_eq!(canaries.len(), 2 + 5, "each trial write is let through: {report}");
}

#[tokio::test]
async fn a_channel_without_an_object_fails() {
    let report = examined(package(LEAD_MEMBER, |_| None)).await;
    assert_eq!(troubles(&report), [("channel members", "channel-member-missing")], "{report}");
    let check = find(&report, "channel-member-missing");
    assert_eq!(check.message, "AI_Proposals__chn does not carry LeadChangeEvent");
    assert!(check.fix.contains("platformEventChannelMembers"), "{}", check.fix);
}

#[tokio::test]
async fn a_channel_that_is_missing_fails() {
    let mut package = Package::embedded().unwrap();
    package.channels.clear();
    package.channel_members.clear();
    let report = examined(package).await;
    assert_eq!(find(&report, "channel-missing").state, State::Failed, "{report}");
}

#[tokio::test]
async fn another_filter_fails_and_no_filter_warns() {
    let other = |text: &str| Some(text.replace("AI_Gate_Pending__c = true", "AI_Gate_Pending__c = false"));
    let report = examined(package(LEAD_MEMBER, other)).await;
    assert_eq!(troubles(&report), [("channel members", "channel-filter-differs")], "{report}");
    let check = find(&report, "channel-filter-differs");
    assert_eq!(check.state, State::Failed);
    assert!(check.message.contains("LeadChangeEvent") && check.message.contains("= false"), "{check:?}");
    assert!(check.fix.contains("AI_Gate_Pending__c = true OR"), "{}", check.fix);

    let none = |text: &str| {
        let lines = text.lines().filter(|line| !line.contains("filterExpression"));
        Some(lines.collect::<Vec<_>>().join("\n"))
    };
    let report = examined(package(LEAD_MEMBER, none)).await;
    assert_eq!(troubles(&report), [("channel members", "channel-filter-missing")], "{report}");
    assert!(report.is_good(), "more events than needed do no harm: {report}");
}

#[tokio::test]
async fn blanks_in_a_filter_make_no_difference() {
    let wrapped = |text: &str| Some(text.replace(" OR ", "\n        or  "));
    let report = examined(package(LEAD_MEMBER, wrapped)).await;
    assert_eq!(troubles(&report), [], "{report}");
}

#[tokio::test]
async fn who_may_not_see_setup_is_told_what_it_takes() {
    let settings = Settings { promoter_sees_setup: false, ..Settings::default() };
    let org = org(package(LEAD_RULE, |_| None), settings).await;
    let report = doctor(&org, None).await;
    let expected = [
        ("agents", "agent-wall-hidden"),
        ("agents", "agent-wall-hidden"),
        ("rules Lead", "rules-hidden"),
        ("rules Opportunity", "rules-hidden"),
        ("channel members", "channel-members-hidden"),
        ("flows", "flows-hidden"),
    ];
    let troubles_seen = troubles(&report);
    assert_eq!(
        troubles_seen[0],
        ("canary Lead", "canary-let-through"),
        "the canary needs no sight: {report}"
    );
    assert_eq!(troubles_seen[1..], expected, "{report}");
    let failed = report.checks.iter().filter(|check| check.state == State::Failed).count();
    assert_eq!(failed, 1, "what cannot be seen is no failure: {report}");
    let hidden = report.checks.iter().filter(|check| check.state == State::Hidden).count();
    assert_eq!(hidden, expected.len(), "{report}");
    for (_, code) in expected {
        assert!(find(&report, code).fix.contains("View Setup and Configuration"), "{report}");
    }
    assert!(find(&report, "rules-hidden").fix.contains("Setup > Object Manager > Lead"), "{report}");

    let token = org.access_token("admin").unwrap();
    let report = doctor(&org, Some(&token)).await;
    assert_eq!(troubles(&report)[1..], [("rules Lead", "rules-missing")], "a person sees it: {report}");
    let report = doctor(&org, Some("00Dnonsense!token")).await;
    assert!(!report.is_good(), "a token that is not good is said, not passed over: {report}");
}

#[tokio::test]
async fn an_org_that_does_not_tell_filters_leaves_a_warning() {
    let settings = Settings { filter_expression_column: false, ..Settings::default() };
    let org = org(package(LEAD_RULE, |text| Some(text.to_owned())), settings).await;
    let report = doctor(&org, None).await;
    assert_eq!(troubles(&report), [("channel members", "channel-filter-hidden")], "{report}");
    assert!(find(&report, "channel-filter-hidden").fix.contains("AI_Gate_Pending__c = true OR"), "{report}");
}

const NUMBER: &str = "objects/Opportunity/validationRules/AI_GATE_04_Promotion_Number";

#[tokio::test]
async fn the_canary_finds_what_no_longer_holds_and_changes_nothing() {
    let off = |text: &str| Some(text.replace("<active>true</active>", "<active>false</active>"));
    let org = org(package(NUMBER, off), Settings::default()).await;
    let before = records(&org);
    let report = doctor(&org, None).await;
    let expected = [("canary Opportunity", "canary-let-through"), ("rules Opportunity", "rules-inactive")];
    assert_eq!(troubles(&report), expected, "{report}");
    let check = find(&report, "canary-let-through");
    assert_eq!(check.state, State::Failed);
    assert!(
        check.message.contains("used promotion number") && check.message.contains("AI_GATE_04"),
        "{check:?}"
    );
    let well = report.checks.iter().find(|check| check.area == "canary Lead").unwrap();
    assert_eq!((well.state, well.code.as_str()), (State::Ok, "canary"), "{report}");
    assert!(well.message.starts_with("2 late and stale writes"), "{}", well.message);
    assert_eq!(records(&org), before, "what was let through was undone");
}

const WALL: &str = "objects/Lead/validationRules/AI_GATE_01_Proposer_Writes_No_State";
const GUARD: &str = "flows/AI_Lead_Guard.flow-meta.xml";

#[tokio::test]
async fn a_rule_with_another_formula_is_named() {
    let weaker = |text: &str| Some(text.replace("ISCHANGED(Status)", "AND(ISCHANGED(Status), ISNEW())"));
    let report = examined(package(LEAD_RULE, weaker)).await;
    assert_eq!(troubles(&report), [("rules Lead", "rules-differ")], "{report}");
    let check = find(&report, "rules-differ");
    assert_eq!(check.state, State::Failed);
    assert!(check.message.contains("AI_GATE_05_Expected_Value"), "{}", check.message);
}

#[tokio::test]
async fn a_formula_in_another_layout_is_the_same() {
    let report = examined(package(LEAD_RULE, |text| Some(text.replace("\n  ", "\r\n      ")))).await;
    assert_eq!(troubles(&report), [], "{report}");
}

#[tokio::test]
async fn an_open_wall_lets_agents_write() {
    let off = |text: &str| Some(text.replace("<active>true</active>", "<active>false</active>"));
    let report = examined(package(WALL, off)).await;
    let expected = [("agents", "agent-wall-open"), ("rules Lead", "rules-inactive")];
    assert_eq!(troubles(&report), expected, "{report}");
    let check = find(&report, "agent-wall-open");
    assert!(check.message.contains("AI_GATE_01 of Lead is switched off"), "{}", check.message);
    assert!(check.fix.contains("agents.allow_unguarded"), "{}", check.fix);
}

#[tokio::test]
async fn a_flow_that_does_not_run_warns_and_a_flow_that_is_missing_fails() {
    let draft = |text: &str| Some(text.replace("<status>Active</status>", "<status>Draft</status>"));
    let report = examined(package(GUARD, draft)).await;
    assert_eq!(troubles(&report), [("flows", "flows-inactive")], "{report}");
    let check = find(&report, "flows-inactive");
    assert!(check.message.contains("AI_Lead_Guard") && check.fix.contains("Activate"), "{check:?}");
    assert!(report.is_good(), "rules hold without flows: {report}");
    let report = examined(package(GUARD, |_| None)).await;
    assert_eq!(troubles(&report), [("flows", "flows-missing")], "{report}");
}

#[tokio::test]
async fn roles_and_people_are_told() {
    let org = org(Package::embedded().unwrap(), Settings::default()).await;
    let report = doctor(&org, None).await;
    assert_eq!(find(&report, "roles").state, State::Ok, "{report}");
    assert!(find(&report, "break-glass-holders").message.contains("breaker@"), "{report}");
    assert_eq!(find(&report, "agents-guarded").state, State::Ok, "{report}");
    assert_eq!(find(&report, "notification-type").state, State::Ok, "{report}");
    assert_eq!(report.checks.iter().filter(|check| check.code == "group-members").count(), 2, "{report}");
}

#[tokio::test]
async fn a_promoter_that_does_not_see_all_records_fails() {
    let narrow = |text: &str| {
        let (before, after) = text.split_once("<object>Opportunity</object>")?;
        let after = after.replace("<viewAllRecords>true", "<viewAllRecords>false");
        Some(format!("{before}<object>Opportunity</object>{after}"))
    };
    let report = examined(package("permissionsets/AI_Promoter", narrow)).await;
    let check = find(&report, "view-all-missing");
    assert_eq!(check.state, State::Failed);
    assert!(check.message.contains("View All on Opportunity:"), "{}", check.message);
}

#[tokio::test]
async fn a_rule_with_our_code_and_another_name_is_not_ours() {
    let mut package = Package::embedded().unwrap();
    for rule in &mut package.objects.get_mut("Lead").unwrap().rules {
        if rule.name.starts_with("AI_GATE_05") {
            rule.name = "AI_GATE_05_Something".into();
        }
    }
    let report = examined(package).await;
    assert_eq!(find(&report, "rules-missing").message, "not there: AI_GATE_05", "{report}");
}

#[tokio::test]
async fn a_formula_that_does_not_come_is_said_and_not_taken_for_ours() {
    let org = org(Package::embedded().unwrap(), Settings::default()).await;
    let action =
        FaultAction::Error { status: 400, code: "MALFORMED_QUERY".into(), message: "not today".into() };
    let matcher = FaultMatch { path_contains: Some("tooling/query".into()), ..FaultMatch::default() };
    // The first tooling query lists the rules of Lead; the second asks for a formula.
    org.org.faults().arm(Fault { skip: 1, matcher, ..Fault::once(FaultPoint::Request, action) });
    let report = doctor(&org, None).await;
    assert_eq!(troubles(&report)[0..1], [("agents", "agent-wall-hidden")], "{report}");
    let check = find(&report, "rules-unread");
    assert_eq!((check.state, check.area.as_str()), (State::Hidden, "rules Lead"));
    assert!(check.message.contains("AI_GATE_01_Proposer_Writes_No_State"), "{}", check.message);
}

/// The shipped setting with so many silent hours.
fn with_silent_hours(hours: &str) -> Package {
    package("AI_Gate_Setting.Default", |text| {
        let own = format!(
            "<values><field>Silent_Hours__c</field><value xsi:type=\"xsd:double\">{hours}</value></values>"
        );
        Some(text.replace("</CustomMetadata>", &format!("{own}</CustomMetadata>")))
    })
}

fn beats(report: &Report) -> Vec<(&str, State)> {
    let of_area = report.checks.iter().filter(|check| check.area == "heartbeat");
    of_area.map(|check| (check.code.as_str(), check.state)).collect()
}

const EVERY_15: &str = "[heartbeat]\nevery_minutes = 15";

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_that_does_not_fit_what_the_org_asks_is_told() {
    let shipped = org(Package::embedded().unwrap(), Settings::default()).await;
    assert_eq!(beats(&doctor(&shipped, None).await), [], "nothing asks for it and nothing runs by itself");
    let told = doctor_with(&shipped, None, EVERY_15).await;
    assert_eq!(beats(&told), [("silent-hours-unset", State::Warning), ("heartbeat-none", State::Warning)]);
    beat(&shipped, SignedDuration::from_mins(5));
    let told = doctor_with(&shipped, None, EVERY_15).await;
    assert_eq!(beats(&told), [("silent-hours-unset", State::Warning)], "well is said only where all is");
    assert!(shipped.org.set_setting("Lead_Status_Auto__c", true));
    let told = doctor(&shipped, None).await;
    assert_eq!(beats(&told), [("silent-hours-unset", State::Warning)], "Lead.Status runs by itself");
    assert!(told.checks.iter().any(|check| check.message.starts_with("Lead.Status may run by itself")));

    let asks = org(with_silent_hours("1"), Settings::default()).await;
    let told = doctor(&asks, None).await;
    assert_eq!(beats(&told), [("heartbeat-off", State::Failed), ("heartbeat-none", State::Warning)]);
    assert!(!told.is_good());
    let told = doctor_with(&asks, None, "[heartbeat]\nevery_minutes = 21").await;
    assert_eq!(beats(&told)[0], ("heartbeat-seldom", State::Warning));
    beat(&asks, SignedDuration::from_mins(5));
    assert_eq!(beats(&doctor_with(&asks, None, EVERY_15).await), [("heartbeat", State::Ok)]);
    beat(&asks, SignedDuration::from_mins(50));
    assert_eq!(beats(&doctor_with(&asks, None, EVERY_15).await), [("heartbeat-late", State::Warning)]);
    beat(&asks, SignedDuration::from_mins(61));
    assert_eq!(beats(&doctor_with(&asks, None, EVERY_15).await), [("heartbeat-old", State::Warning)]);
    beat(&asks, SignedDuration::from_mins(-90));
    assert_eq!(beats(&doctor_with(&asks, None, EVERY_15).await), [("heartbeat-ahead", State::Failed)]);
}

/// The daemon's user was heard of so long ago.
fn beat(org: &RunningOrg, ago: SignedDuration) {
    let at = Clock::system().now() - ago;
    let user = org.org.user("promoter").unwrap();
    let fields = serde_json::json!({ "AI_Heartbeat_At__c": at.to_string() });
    let row = WriteRow {
        op: WriteOp::Update,
        object: "User".to_owned(),
        id: Some(user.user_id.clone()),
        fields: fields.as_object().unwrap().clone(),
    };
    let context = org.org.user_by_id(&user.user_id).unwrap();
    let done = org.org.write(&context, &WriteOptions::default(), vec![row]);
    assert!(done[0].errors.is_empty(), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_that_the_promoter_may_not_write_is_told() {
    let closed = package("AI_Promoter.permissionset", |text| {
        let open = "<editable>true</editable>\n        <field>User.AI_Heartbeat_At__c</field>";
        assert!(text.contains(open), "{text}");
        Some(text.replace(open, "<editable>false</editable>\n        <field>User.AI_Heartbeat_At__c</field>"))
    });
    let closed = org(closed, Settings::default()).await;
    assert_eq!(
        beats(&doctor_with(&closed, None, EVERY_15).await)[0],
        ("heartbeat-not-writable", State::Failed)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_that_the_promoter_does_not_see_is_told() {
    let hidden = package("AI_Promoter.permissionset", |text| {
        let field = text.find("<field>User.AI_Heartbeat_At__c</field>").expect("it is there");
        let begin = text[..field].rfind("<fieldPermissions>").expect("it begins");
        let end = field + text[field..].find("</fieldPermissions>").expect("it ends");
        Some(format!("{}{}", &text[..begin], &text[end + "</fieldPermissions>".len()..]))
    });
    let hidden = org(hidden, Settings::default()).await;
    // Whether such a field is described, read as empty or refused is the org's to say.
    let told = doctor_with(&hidden, None, EVERY_15).await;
    assert_eq!(
        beats(&told)[..2],
        [("heartbeat-not-writable", State::Failed), ("silent-hours-unset", State::Warning)]
    );
}
