//! The org as a whole: people, sessions, retention, limits, its file, and racing writers.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    super::{
        InjectedChange, Seed, Settings, WriteOp, WriteOptions, WriteRow,
        metadata::Package,
        model::{ChangeKind, Row},
        seed,
    },
    *,
};

fn start() -> Clock {
    Clock::manual("2026-03-02T09:00:00Z".parse().unwrap())
}

fn org() -> Org {
    Org::new(OrgOptions::new(start(), Package::default())).unwrap()
}

fn touch(org: &Org, id: &str, title: &str) {
    let Value::Object(fields) = json!({"Title": title}) else { unreachable!() };
    let rows = vec![WriteRow { op: WriteOp::Update, object: "Lead".into(), id: Some(id.into()), fields }];
    let results = org.write(&org.user("admin").unwrap(), &WriteOptions::default(), rows);
    assert!(results[0].success());
}

#[test]
fn every_org_has_its_people_and_tables() {
    let org = org();
    let roles: Vec<String> = org.users().into_iter().map(|user| user.role).collect();
    let expected =
        ["admin", "proposer", "promoter", "reviewer", "outsider", "reviewer2", "manager", "breaker"];
    assert_eq!(roles, expected);
    let otto = org.row("User", &org.user("outsider").unwrap().user_id).unwrap();
    let mona = FieldValue::text(org.user("manager").unwrap().user_id);
    assert_eq!((otto.get("ManagerId"), otto.get("DelegatedApproverId")), (Some(&mona), Some(&mona)));
    assert_eq!((org.row_count("Group"), org.row_count("GroupMember")), (2, 3));
    assert!(org.user_by_username("Reviewer@countersign.example").is_some());
    assert!(!org.user("admin").unwrap().has_permission("AI_Promoter"));
    assert_eq!(org.row_count("LeadStatus"), 4);
    assert_eq!(org.row_count("OpportunityStage"), 10);
    assert_eq!(org.row_count("Organization"), 1);
    assert!(org.row("Organization", &org.org_id()).is_some());
    assert!(org.object("leadhistory").is_some() && org.object("Nonsense").is_none());
}

#[test]
fn an_org_id_is_checked() {
    let options =
        |id: &str| OrgOptions { org_id: Some(id.to_owned()), ..OrgOptions::new(start(), Package::default()) };
    assert_eq!(Org::new(options("00DCs0000000002")).unwrap().org_id().len(), 18);
    assert_eq!(Org::new(options("00Q")).unwrap_err().code(), "org-id-malformed");
}

#[test]
fn tokens_stand_for_users_until_they_end() {
    let org = org();
    let reviewer = org.user("reviewer").unwrap();
    let token = org.open_session(&reviewer.user_id, Duration::from_secs(600));
    assert_eq!(org.session(&token).unwrap().username, reviewer.username);
    org.expire_sessions(&reviewer.user_id);
    assert!(org.session(&token).is_err());
    let refresh = org.open_refresh(&reviewer.user_id);
    assert_eq!(org.refresh_user(&refresh), Some(reviewer.user_id.clone()));
    assert!(org.oauth_app().approved_users.contains(&reviewer.user_id));
}

#[test]
fn changes_are_forgotten_after_three_days_and_watchers_hear_of_new_ones() {
    let org = org();
    seed::plant(&org, Seed::Demo).unwrap();
    let id = text(&org.rows("Lead", false)[0], "Id");
    let watch = org.tip_watch();
    let first = org.tip();
    org.clock().advance(Duration::from_secs(72 * 3600 + 1));
    touch(&org, &id, "New");
    assert!(watch.has_changed().unwrap());
    let page = org.changes_after(0, 1_000);
    assert_eq!(page.records.len(), 1, "only the new one is left");
    assert_eq!(page.oldest, first + 1);
    org.clock().advance(Duration::from_secs(73 * 3600));
    org.expire_changes();
    assert!(org.changes_after(0, 1).records.is_empty());
    assert!(org.tip() >= org.changes_after(0, 1).oldest);
}

#[test]
fn limits_count_a_day() {
    let settings = Settings { daily_api_requests: 2, ..Settings::default() };
    let org = Org::new(OrgOptions { settings, ..OrgOptions::new(start(), Package::default()) }).unwrap();
    assert!(!org.count_api_call().exceeded());
    assert!(!org.count_api_call().exceeded());
    assert!(org.count_api_call().exceeded());
    assert_eq!((org.api_usage().used, org.api_usage().remaining()), (3, 0));
    org.clock().advance(Duration::from_secs(25 * 3600));
    assert!(!org.count_api_call().exceeded());
    assert_eq!(org.stats().api_calls, 4);
}

#[test]
fn a_state_file_brings_everything_back() {
    let folder = tempfile::tempdir().unwrap();
    let options = || OrgOptions {
        state_file: Some(folder.path().join("org.json")),
        ..OrgOptions::new(start(), Package::default())
    };
    let org = Org::new(options()).unwrap();
    seed::plant(&org, Seed::Demo).unwrap();
    let id = text(&org.rows("Opportunity", false)[0], "Id");
    org.lock_record(&id, true);
    let token = org.open_session(&org.user("promoter").unwrap().user_id, Duration::from_secs(60));
    org.save_state().unwrap();
    let again = Org::new(options()).unwrap();
    for object in ["Lead", "Opportunity", "Account", "User", "OpportunityHistory"] {
        assert_eq!(org.rows(object, true), again.rows(object, true), "{object}");
    }
    assert_eq!(again.tip(), org.tip());
    assert_eq!(again.changes_after(0, 9_999).records, org.changes_after(0, 9_999).records);
    assert_eq!(again.session(&token).unwrap().role, "promoter");
    assert_eq!(again.oauth_app(), org.oauth_app());
    touch(&again, &text(&again.rows("Lead", false)[3], "Id"), "x");
    assert!(again.tip() > org.tip(), "it goes on from there");
    seed::plant(&again, Seed::Demo).unwrap();
    assert_eq!(again.row_count("Lead"), 20, "a loaded org is not seeded again");
}

#[test]
fn changes_are_saved_without_being_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("org.json");
    let options =
        OrgOptions { state_file: Some(path.clone()), ..OrgOptions::new(start(), Package::default()) };
    let org = Org::new(options).unwrap();
    seed::plant(&org, Seed::Demo).unwrap();
    let saved = || path.exists();
    for _ in 0..100 {
        if saved() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(saved(), "the file appears within seconds");
}

#[test]
fn a_file_that_is_no_state_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("org.json");
    std::fs::write(&path, "{\"version\": 0").unwrap();
    let options = OrgOptions { state_file: Some(path), ..OrgOptions::new(start(), Package::default()) };
    assert_eq!(Org::new(options).unwrap_err().code(), "state-file-malformed");
}

#[test]
fn injected_changes_need_no_rows() {
    let org = org();
    let change = |number: u64| InjectedChange {
        object: "Lead".into(),
        record_id: ids::nth("00Q", number),
        kind: ChangeKind::Update,
        changed: Row::from([("Status".to_owned(), FieldValue::text("x"))]),
    };
    org.inject_changes("005", "", (1..=1_000).map(change).collect());
    assert_eq!(org.changes_after(0, 2_000).records.len(), 1_000);
    assert_eq!(org.row_count("Lead"), 0);
}

#[test]
fn bulk_leads_are_rows_without_events() {
    let org = org();
    let tip = org.tip();
    let ids = seed::bulk_leads(&org, 5_000);
    assert_eq!((ids.len(), org.row_count("Lead"), org.tip()), (5_000, 5_000, tip));
    touch(&org, &ids[4_321], "Buyer");
    assert_eq!(org.stats().writes[&ids[4_321]], 1);
}

#[test]
fn racing_writers_are_one_after_another() {
    let org = org();
    let id = seed::bulk_leads(&org, 1).remove(0);
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let (org, id) = (org.clone(), id.clone());
            scope.spawn(move || {
                for round in 0..25 {
                    touch(&org, &id, &format!("{writer}-{round}"));
                }
            });
        }
    });
    let events = org.changes_after(0, 1_000).records;
    assert_eq!(events.len(), 100, "each write has its event");
    assert!(events.windows(2).all(|pair| pair[0].commit.commit_number < pair[1].commit.commit_number));
    assert_eq!(text(&org.row("Lead", &id).unwrap(), "Title"), text(&events[99].changed, "Title"));
}

fn text(row: &Row, field: &str) -> String {
    row.get(field).map(ToString::to_string).unwrap_or_default()
}
