//! Layers, all problems at once, and secrets that do not print.

use std::{collections::BTreeMap, io::Write as _, os::unix::fs::PermissionsExt as _};

use super::{ConfigErrors, Credentials, KEYS, Secret, Settings, load_from};

fn with(text: &str, variables: &[(&str, &str)]) -> Result<Settings, ConfigErrors> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    load_from(Some(file.path()), Some(variables))
}

const GOOD: &str = r#"
[org]
login_url = "https://example.my.salesforce.com/"
[promoter]
kind = "client_credentials"
client_id = "app"
client_secret = "canary-secret"
"#;

fn codes(result: Result<Settings, ConfigErrors>) -> Vec<(String, &'static str)> {
    result.unwrap_err().0.into_iter().map(|problem| (problem.key, problem.code)).collect()
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_defaults() {
    let text = format!("{GOOD}\n[sweep]\nevery_seconds = 60\n");
    let settings = with(&text, &[]).unwrap();
    assert_eq!(settings.sweep.every_seconds, 60);
    assert_eq!(settings.promotion.batch_rows, 200);
    assert_eq!(settings.org.login_url, "https://example.my.salesforce.com");
    let settings = with(&text, &[("COUNTERSIGN__SWEEP__EVERY_SECONDS", "7")]).unwrap();
    assert_eq!(settings.sweep.every_seconds, 7);
}

#[test]
fn a_secret_from_the_environment_keeps_its_text() {
    let settings = with(GOOD, &[("COUNTERSIGN__PROMOTER__CLIENT_SECRET", "00012e5")]).unwrap();
    let Credentials::ClientCredentials { client_secret, .. } = settings.promoter else { panic!("kind") };
    assert_eq!(client_secret.expose(), "00012e5");
}

#[test]
fn secrets_print_as_stars() {
    let printed = format!("{:?}", with(GOOD, &[]).unwrap());
    assert!(!printed.contains("canary-secret") && printed.contains("***"), "{printed}");
}

#[test]
fn all_problems_are_told_at_once_with_the_nearest_key() {
    let text = r#"
        [org]
        login_ur = "https://example.my.salesforce.com"
        api_version = "12.0"
        production = "maybe"
        [promoter]
        kind = "jwt"
        client_id = "app"
        client_secret = "canary-secret"
        [promotion]
        batch_rows = 201
        [sweep]
        every_seconds = [1]
    "#;
    let errors = with(text, &[]).unwrap_err();
    let found: Vec<(&str, &str)> = errors.0.iter().map(|p| (p.key.as_str(), p.code)).collect();
    let expected = [
        ("org.api_version", "value-malformed"),
        ("org.login_ur", "key-unknown"),
        ("org.login_url", "key-missing"),
        ("org.production", "value-malformed"),
        ("promoter.client_secret", "key-not-of-kind"),
        ("promoter.private_key_path", "key-missing"),
        ("promoter.username", "key-missing"),
        ("promotion.batch_rows", "value-malformed"),
    ];
    for problem in expected {
        assert!(found.contains(&problem), "{problem:?} must be told: {found:?}");
    }
    assert!(found.iter().any(|(key, _)| key.starts_with("sweep.every_seconds")), "{found:?}");
    let text = errors.to_string();
    assert!(text.contains("did you mean `org.login_url`?") && !text.contains("canary-secret"), "{text}");
}

#[test]
fn plain_http_is_for_loopback_only() {
    for bad in [
        "http://example.my.salesforce.com",
        "https://user:pw@example.my.salesforce.com",
        "ftp://x",
        "https://a/b",
    ] {
        let found = codes(with(GOOD, &[("COUNTERSIGN__ORG__LOGIN_URL", bad)]));
        assert_eq!(found, [("org.login_url".to_owned(), "value-malformed")], "{bad} must be refused");
    }
    for good in ["http://127.0.0.1:4711", "http://localhost:1", "http://[::1]:1"] {
        assert!(with(GOOD, &[("COUNTERSIGN__ORG__LOGIN_URL", good)]).is_ok(), "{good} must pass");
    }
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    let key = tempfile::NamedTempFile::new().unwrap();
    let text = format!(
        "[org]\nlogin_url = \"https://example.my.salesforce.com\"\n[promoter]\nkind = \"jwt\"\nclient_id = \"a\"\nusername = \"u\"\nprivate_key_path = \"{}\"\n",
        key.path().display()
    );
    std::fs::set_permissions(key.path(), std::fs::Permissions::from_mode(0o640)).unwrap();
    let found = codes(with(&text, &[]));
    assert_eq!(found, [("promoter.private_key_path".to_owned(), "private-key-readable-by-others")]);
    std::fs::set_permissions(key.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(with(&text, &[]).is_ok());
}

#[test]
fn a_password_of_the_ledger_stands_in_a_file_of_its_own_and_nowhere_else() {
    let url = "postgres://countersign@db.example.com/countersign";
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "canary-secret\n").unwrap();
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
    let path = file.path().to_str().unwrap();
    let set = [("COUNTERSIGN__LEDGER__PATH", url), ("COUNTERSIGN__LEDGER__PASSWORD_PATH", path)];
    let settings = with(GOOD, &set).unwrap();
    assert_eq!(settings.ledger.password.as_ref().map(Secret::expose), Some("canary-secret"));
    assert!(!format!("{settings:?}").contains("canary-secret"));
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let found = codes(with(GOOD, &set));
    assert_eq!(found, [("ledger.password_path".to_owned(), "private-key-readable-by-others")]);
    let open = url.replace("countersign@", "countersign:canary-secret@");
    let refused = with(GOOD, &[("COUNTERSIGN__LEDGER__PATH", open.as_str())]);
    assert!(!refused.as_ref().err().unwrap().to_string().contains("canary-secret"));
    assert_eq!(codes(refused), [("ledger.path".to_owned(), "value-malformed")]);
}

#[test]
fn the_password_of_the_console_is_long_and_for_its_owner_only() {
    use std::{io::Write as _, os::unix::fs::PermissionsExt as _};
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let set = [("COUNTERSIGN__HTTP__CONSOLE_PASSWORD_FILE", path.as_str())];
    let key = || "http.console_password_file".to_owned();
    assert_eq!(codes(with(GOOD, &set)), [(key(), "value-malformed")], "an empty file");
    writeln!(file, "canary-eleve").unwrap();
    file.flush().unwrap();
    let settings = with(GOOD, &set).unwrap();
    assert_eq!(settings.http.console_password.as_ref().unwrap().expose(), "canary-eleve");
    assert!(!format!("{settings:?}").contains("canary"));
    file.as_file_mut().set_len(11).unwrap();
    let short = with(GOOD, &set);
    assert!(!short.as_ref().err().unwrap().to_string().contains("canary"));
    assert_eq!(codes(short), [(key(), "value-malformed")]);
    file.as_file_mut().set_len(13).unwrap();
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(codes(with(GOOD, &set))[0], (key(), "private-key-readable-by-others"));
    assert!(with(GOOD, &[]).unwrap().http.console_password.is_none());
}

#[test]
fn users_are_a_list_or_a_text_and_name_one_thing_each() {
    let set = |lines: &str| with(&format!("{GOOD}\n[shadow]\n{lines}\n"), &[]);
    let list = set("programs = [\"sync@example.com\", \"005Cs0000000003\"]").unwrap().shadow;
    let text = set("programs = \"sync@example.com,005Cs0000000003IAA\"").unwrap().shadow;
    assert_eq!(list, text);
    assert_ne!(list, super::ShadowSettings::default());
    let variable = [("COUNTERSIGN__SHADOW__PROGRAMS", "sync@example.com,005Cs0000000003IAA")];
    assert_eq!(with(GOOD, &variable).unwrap().shadow, text);
    for (lines, key) in [
        ("programs = [\"night sync\"]", "shadow.programs"),
        ("programs = [7]", "shadow.programs"),
        ("people = \"00QCs0000000001MAA\"", "shadow.people"),
        ("programs = \"a@example.com\"\npeople = \"A@example.com\"", "shadow.people"),
    ] {
        assert_eq!(codes(set(lines)), [(key.to_owned(), "value-malformed")], "{lines}");
    }
}

#[test]
fn a_missing_promoter_is_a_problem_and_a_missing_proposer_is_not() {
    let found = codes(with("[org]\nlogin_url = \"https://example.my.salesforce.com\"\n", &[]));
    assert_eq!(found, [("promoter.kind".to_owned(), "key-missing")]);
    assert!(with(GOOD, &[]).unwrap().proposer.is_none());
}

#[test]
fn the_readme_lists_every_key_and_no_other() {
    let readme = include_str!("../../config/README.md");
    let listed: Vec<&str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(key, _)| key))
        .filter(|key| key.contains('.'))
        .collect();
    let known: Vec<&str> = KEYS.iter().map(|key| key.path).collect();
    assert_eq!(listed, known, "config/README.md must list the keys in the order of KEYS");
    for key in KEYS.iter().filter(|key| key.default.is_some()) {
        let default = key.default.unwrap_or_default();
        let row = readme.lines().find(|line| line.starts_with(&format!("| `{}`", key.path))).unwrap();
        assert!(row.contains(&format!("`{default}`")), "{row} must name the default {default}");
    }
}

#[test]
fn the_shipped_file_has_no_key_that_is_not_known() {
    let shipped = include_str!("../../config/countersign.toml");
    let uncommented: String =
        shipped.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line)).collect::<Vec<_>>().join("\n");
    let problems = with(&uncommented, &[]).err().map_or_else(Vec::new, |errors| errors.0);
    assert!(problems.iter().all(|problem| problem.code != "key-unknown"), "{problems:?}");
}
