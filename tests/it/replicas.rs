//! Several replicas by one database: one leads, the others stand by, and whatever happens to the
//! leader or the database, each approved proposal lands one time.

use std::{process::Command, time::Duration};

use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    databases,
    postgres::{PostgresServer, name_of},
    processes::{OrgProcess, ServeProcess, countersign, eventually},
};

const LONG: Duration = Duration::from_secs(90);
const FIRST: &str = "Open - Not Contacted";
const NEXT: &str = "Working - Contacted";

/// An org with leads, and two replicas over one ledger.
struct Pair {
    org: OrgProcess,
    config: std::path::PathBuf,
    ledger: String,
    replicas: Vec<(ServeProcess, String)>,
    leads: Vec<String>,
    _folder: tempfile::TempDir,
}

impl Pair {
    async fn start(leads: usize) -> Self {
        databases::use_postgres();
        Self::start_in(tempfile::tempdir().unwrap(), leads).await
    }

    async fn start_in(folder: tempfile::TempDir, leads: usize) -> Self {
        let org = OrgProcess::start(&[]);
        let config = org.write_config(folder.path());
        let ledger = databases::ledger(folder.path());
        let rows: Vec<_> = (0..leads)
            .map(|n| {
                json!({ "attributes": { "type": "Lead" }, "LastName": format!("Pair {n}"),
                    "Company": "Pair Example", "Status": FIRST })
            })
            .collect();
        let leads = org.collections("admin", "POST", &rows).await;
        let mut pair = Self { org, config, ledger, replicas: Vec::new(), leads, _folder: folder };
        pair.join().await;
        pair.join().await;
        pair
    }

    /// One replica more; it is there when it says what it is at.
    async fn join(&mut self) {
        let replica = ServeProcess::start_with(&self.config, &["--http", "127.0.0.1:0"]);
        let address = replica.http().await;
        self.replicas.push((replica, address));
    }

    /// What each replica is at.
    async fn stand(&self) -> Vec<(u16, String)> {
        let mut stand = Vec::new();
        for (_, address) in &self.replicas {
            stand.push(readiness(address).await);
        }
        stand
    }

    async fn wait_stand(&self, expected: &[(u16, &str)]) {
        let expected: Vec<_> = expected.iter().map(|(code, at)| (*code, (*at).to_owned())).collect();
        eventually(&format!("they stand as {expected:?}"), LONG, || async { self.stand().await == expected })
            .await;
    }

    /// Proposes and approves for a range of the leads.
    async fn approve(&self, range: std::ops::Range<usize>) {
        let rows = |of: &dyn Fn(usize) -> Value| -> Vec<Value> {
            range
                .clone()
                .map(|n| {
                    let mut row = of(n);
                    row["attributes"] = json!({ "type": "Lead" });
                    row["id"] = json!(self.leads[n]);
                    row["AI_Gate_Pending__c"] = json!(true);
                    row
                })
                .collect()
        };
        let proposals = rows(&|n| {
            json!({ "AI_Proposal_ID__c": format!("pair:{n}"), "AI_Recommended_Status__c": NEXT,
                "AI_Status_Confidence__c": 0.8 })
        });
        self.org.collections("proposer", "PATCH", &proposals).await;
        let decisions = rows(
            &|n| json!({ "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": format!("pair:{n}") }),
        );
        self.org.collections("reviewer", "PATCH", &decisions).await;
    }

    async fn promoted(&self) -> usize {
        self.org.query(&format!("SELECT Id FROM Lead WHERE Status = '{NEXT}'")).await.len()
    }

    async fn wait_promoted(&self, count: usize) {
        eventually(&format!("{count} are promoted"), LONG, || async { self.promoted().await >= count }).await;
    }

    /// Everything landed, each one time, and the ledger proves it.
    async fn ends_well(mut self, epochs: u64) {
        self.wait_promoted(self.leads.len()).await;
        // Late work, if any, would show now.
        tokio::time::sleep(Duration::from_secs(2)).await;
        for (replica, _) in self.replicas.drain(..) {
            assert_eq!(replica.terminate(), 0, "a clean stop");
        }
        let soql = "SELECT Id, AI_Promotion_Seq__c FROM Lead WHERE Company = 'Pair Example'";
        let rows = self.org.query(soql).await;
        assert_eq!(rows.len(), self.leads.len());
        for row in rows {
            assert_eq!(row["AI_Promotion_Seq__c"].to_string().trim_end_matches(".0"), "1", "{row}");
        }
        let (code, out, err) = countersign(&["verify", "--ledger", &self.ledger], None);
        assert_eq!(code, 0, "{out}{err}");
        let (_, out, _) = countersign(&["status", "--ledger", &self.ledger, "--json"], None);
        let counts: Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!(counts["stages"]["promoted"], self.leads.len(), "{counts}");
        assert_eq!(counts["promotions_open"], 0, "{counts}");
        assert!(epochs_never_go_down(&self.ledger) >= epochs, "the lead changed hands");
    }
}

async fn readiness(address: &str) -> (u16, String) {
    let Ok(reply) = reqwest::get(format!("{address}/readyz")).await else { return (0, String::new()) };
    let code = reply.status().as_u16();
    let told: Value = reply.json().await.unwrap_or_default();
    (code, told["status"].as_str().unwrap_or_default().to_owned())
}

/// The last epoch of the entries.
fn epochs_never_go_down(ledger: &str) -> u64 {
    let (_, out, _) = countersign(&["export", "--ledger", ledger], None);
    let lines = out.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let epochs = lines.filter_map(|line| line["entry"]["epoch"].as_str()?.parse::<u64>().ok());
    // Commands beside the leader write without an epoch.
    epochs.filter(|epoch| *epoch > 0).fold(0, |last, epoch| {
        assert!(epoch >= last, "epoch {epoch} after {last}");
        epoch
    })
}

fn signal(replica: &ServeProcess, name: &str) {
    let id = replica.id().to_string();
    assert!(Command::new("kill").args([name, &id]).status().expect("kill runs").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_replica_stands_by_and_takes_over_when_the_leader_is_killed() {
    let mut pair = Pair::start(600).await;
    pair.wait_stand(&[(200, "serving"), (200, "standby")]).await;
    pair.approve(0..400).await;
    pair.wait_promoted(1).await;
    pair.replicas.remove(0).0.kill();
    pair.approve(400..600).await;
    pair.wait_promoted(600).await;
    pair.wait_stand(&[(200, "serving")]).await;
    // The killed one comes back and stands by; a clean stop of the leader hands over.
    pair.join().await;
    pair.wait_stand(&[(200, "serving"), (200, "standby")]).await;
    assert_eq!(pair.replicas.remove(0).0.terminate(), 0);
    pair.wait_stand(&[(200, "serving")]).await;
    pair.ends_well(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_was_frozen_longer_than_its_lease_gives_way() {
    let pair = Pair::start(600).await;
    pair.wait_stand(&[(200, "serving"), (200, "standby")]).await;
    pair.approve(0..400).await;
    pair.wait_promoted(1).await;
    signal(&pair.replicas[0].0, "-STOP");
    eventually("the other one serves", LONG, || async {
        readiness(&pair.replicas[1].1).await == (200, "serving".to_owned())
    })
    .await;
    let epoch = epochs_never_go_down(&pair.ledger);
    signal(&pair.replicas[0].0, "-CONT");
    pair.approve(400..600).await;
    pair.wait_stand(&[(200, "standby"), (200, "serving")]).await;
    assert!(pair.replicas[0].0.said().contains("giving way"), "{}", pair.replicas[0].0.said());
    assert_eq!(epochs_never_go_down(&pair.ledger), epoch, "the one that woke wrote nothing");
    pair.ends_well(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_crashes_and_comes_back_loses_and_doubles_nothing() {
    // A server of its own: the other tests go on.
    let server = PostgresServer::start();
    databases::use_postgres();
    let folder = tempfile::tempdir().unwrap();
    databases::set_ledger(folder.path(), &server.database());
    let pair = Pair::start_in(folder, 600).await;
    pair.wait_stand(&[(200, "serving"), (200, "standby")]).await;
    for part in 0..3 {
        pair.approve(part * 200..(part + 1) * 200).await;
        pair.wait_promoted(part * 200 + 1).await;
        server.crash();
    }
    pair.wait_promoted(600).await;
    // Gone for longer: red, and then well again.
    server.running(false);
    eventually("both are red", LONG, || async { pair.stand().await.iter().all(|(code, _)| *code == 503) })
        .await;
    server.running(true);
    eventually("one serves, one stands by", LONG, || async {
        let mut stand = pair.stand().await;
        stand.sort();
        stand == [(200, "serving".to_owned()), (200, "standby".to_owned())]
    })
    .await;
    pair.ends_well(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_database_put_back_is_not_led() {
    databases::use_postgres();
    let mut world = crate::checkpoint::world();
    let deals = world.opportunities().await;
    let id = |place: usize| text(&deals[place]["Id"]).to_owned();
    world.asks(&id(0), ("older:one", "Call them")).await;
    world.stop();
    let (server, url) = (PostgresServer::shared(), world.ledger());
    let name = name_of(&url);
    server.sql("postgres", &format!("CREATE DATABASE {name}_older TEMPLATE {name}"));
    world.restart();
    world.asks(&id(1), ("older:two", "Call them")).await;
    world.stop();
    server.sql("postgres", &format!("ALTER DATABASE {name} RENAME TO {name}_kept"));
    server.sql("postgres", &format!("ALTER DATABASE {name}_older RENAME TO {name}"));
    let mut refused = ServeProcess::start(world.config.as_ref());
    assert_eq!(refused.ends(Duration::from_secs(30)).await, 1);
    assert!(refused.said().contains("ledger-older-than-checkpoint"), "{}", refused.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stood_by_compares_again_before_it_leads() {
    databases::use_postgres();
    let mut world = crate::checkpoint::world();
    let deals = world.opportunities().await;
    let id = |place: usize| text(&deals[place]["Id"]).to_owned();
    world.asks(&id(0), ("again:one", "Call them")).await;
    world.stop();
    let (server, url) = (PostgresServer::shared(), world.ledger());
    let name = name_of(&url);
    server.sql("postgres", &format!("CREATE DATABASE {name}_older TEMPLATE {name}"));
    world.restart();
    world.asks(&id(1), ("again:two", "Call them")).await;
    world.stop();
    world.restart();
    world.asks(&id(2), ("again:three", "Call them")).await;
    let mut standby = ServeProcess::start(world.config.as_ref());
    eventually("it stands by", Duration::from_secs(30), || async { standby.said().contains("standing by") })
        .await;
    // The older database is put back while it waits, before the lease of the dead leader is over.
    world.kill();
    let gone = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    server.sql("postgres", &gone);
    server.sql("postgres", &format!("ALTER DATABASE {name} RENAME TO {name}_kept"));
    server.sql("postgres", &format!("ALTER DATABASE {name}_older RENAME TO {name}"));
    assert_eq!(standby.ends(Duration::from_secs(60)).await, 1);
    assert!(standby.said().contains("ledger-older-than-checkpoint"), "{}", standby.said());
    assert!(!standby.said().contains("the lease is taken"), "{}", standby.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_server_is_refused_with_advice_and_urls_keep_no_password() {
    databases::use_postgres();
    let mut world = World::start();
    let deals = world.opportunities().await;
    world.asks(text(&deals[0]["Id"]), ("advice:one", "Call them")).await;
    world.stop();
    let (code, out, err) =
        countersign(&["backup", "--config", &world.config, "--out", &world.path("copy.db")], None);
    assert!(code == 1 && err.contains("ledger-no-file") && err.contains("pg_dump"), "{out}{err}");
    assert!(!std::path::Path::new(&world.path("copy.db")).exists());
    let secret = "postgres://countersign:canary-secret@localhost/ledgers";
    for words in [["status", "--ledger", secret], ["verify", "--ledger", secret]] {
        let (code, out, err) = countersign(&words, None);
        assert!(code != 0 && err.contains("ledger-place"), "{out}{err}");
        assert!(!format!("{out}{err}").contains("canary-secret"), "{out}{err}");
    }
}
