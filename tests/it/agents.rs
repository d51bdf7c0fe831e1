//! `serve` does not start while a user that proposes could write a governed field by itself.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::processes::{OrgProcess, ServeProcess, countersign, eventually};

const LONG: Duration = Duration::from_secs(30);
const WALL: &str = "force-app/main/default/objects/Lead/validationRules/AI_GATE_01_Proposer_Writes_No_State.validationRule-meta.xml";

/// A copy of the shipped package in which the rule against proposers is switched off.
fn package_without_the_wall(folder: &Path) -> PathBuf {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("salesforce-metadata");
    let copy = folder.join("package");
    copy_all(&shipped, &copy);
    let rule = copy.join(WALL);
    let text = fs::read_to_string(&rule).unwrap();
    let off = text.replace("<active>true</active>", "<active>false</active>");
    assert_ne!(text, off);
    fs::write(rule, off).unwrap();
    copy
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_all(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

fn append(config: &Path, text: &str) {
    let before = fs::read_to_string(config).unwrap();
    fs::write(config, format!("{before}\n{text}")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_wall_holds_up_the_start_unless_the_settings_say_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let package = package_without_the_wall(folder.path());
    let org = OrgProcess::start(&["--metadata", package.to_str().unwrap()]);
    let config = org.write_config(folder.path());
    let (code, out, err) = countersign(&["serve", "--config", config.to_str().unwrap()], None);
    assert_eq!(code, 2, "{out}{err}");
    for word in
        ["agents-unguarded", "agent-wall-open", "AI_GATE_01 of Lead is switched off", "allow_unguarded"]
    {
        assert!(err.contains(word), "`{word}` is told: {err}");
    }
    let (code, out, _) = countersign(&["doctor", "--json", "--config", config.to_str().unwrap()], None);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("agent-wall-open"), "{out}");

    append(&config, "[agents]\nallow_unguarded = true\n");
    let serve = ServeProcess::start(&config);
    eventually("it serves", LONG, || async { serve.said().contains("sweep finished") }).await;
    assert!(serve.said().contains("code=agent-wall-open"), "{}", serve.said());
    assert_eq!(serve.terminate(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposer_that_the_rule_does_not_know_holds_up_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let org = OrgProcess::start(&[]);
    let config = org.write_config(folder.path());
    let (proposer, outsider) = (org.text("/users/proposer/username"), org.text("/users/outsider/username"));
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace(&proposer, &outsider)).unwrap();
    let (code, out, err) = countersign(&["serve", "--config", config.to_str().unwrap()], None);
    assert_eq!(code, 2, "{out}{err}");
    assert!(err.contains("agent-unmarked") && err.contains(&outsider), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_seen_is_told_and_the_proposer_is_asked_instead() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("org.json");
    fs::write(&settings, r#"{"promoter-sees-setup": false}"#).unwrap();
    let org = OrgProcess::start(&["--settings", settings.to_str().unwrap()]);
    let config = org.write_config(folder.path());
    let serve = ServeProcess::start(&config);
    eventually("it serves", LONG, || async { serve.said().contains("sweep finished") }).await;
    assert!(serve.said().contains("code=agent-wall-hidden"), "{}", serve.said());
    assert_eq!(serve.terminate(), 0);

    // A user that may edit amounts, behind a rule that nobody can see.
    let (proposer, outsider) = (org.text("/users/proposer/username"), org.text("/users/outsider/username"));
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace(&proposer, &outsider)).unwrap();
    let (code, out, err) = countersign(&["serve", "--config", config.to_str().unwrap()], None);
    assert_eq!(code, 2, "{out}{err}");
    assert!(err.contains("agent-field-open") && err.contains("Opportunity.Amount"), "{err}");
}
