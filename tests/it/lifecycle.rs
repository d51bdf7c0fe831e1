//! How the daemon starts, stops and gives way.

use std::{net::TcpListener, time::Duration};

use crate::processes::{OrgProcess, ServeProcess, eventually};

const LONG: Duration = Duration::from_secs(30);

/// A server that takes connections and never answers.
fn silent_server() -> (String, std::sync::mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (came, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for connection in listener.incoming() {
            held.push(connection);
            let _ = came.send(());
        }
    });
    (url, heard)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_during_the_start_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let (url, connected) = silent_server();
    let config = folder.path().join("countersign.toml");
    let text = format!(
        "[org]\nlogin_url = \"{url}\"\ninstance_url = \"{url}\"\n[promoter]\nkind = \"client_credentials\"\n\
         client_id = \"example\"\nclient_secret = \"example\"\n[promotion]\ntimeout_ms = 600000\n\
         [ledger]\npath = \"{}\"\n",
        folder.path().join("ledger.db").display()
    );
    std::fs::write(&config, text).unwrap();
    let mut serve = ServeProcess::start(&config);
    connected.recv_timeout(LONG).expect("the daemon tries to log in");
    serve.ask_to_stop();
    // The login itself would wait for ten minutes.
    assert_eq!(serve.ends(LONG).await, 0, "{}", serve.said());
    assert!(serve.said().contains("stopped before it served"), "{}", serve.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_lost_the_lead_ends_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let org = OrgProcess::start(&["--seed", "demo"]);
    let config = org.write_config(folder.path());
    let mut first = ServeProcess::start_with(&config, &["--http", "127.0.0.1:0"]);
    first.http().await;
    let second = ServeProcess::start_with(&config, &["--http", "127.0.0.1:0"]);
    let health = second.http().await;
    assert_eq!(first.ends(LONG).await, 1, "{}", first.said());
    assert!(first.said().contains("countersign: ledger-fenced: "), "{}", first.said());
    eventually("the second one serves", LONG, || async {
        reqwest::get(format!("{health}/readyz")).await.is_ok_and(|reply| reply.status().is_success())
    })
    .await;
    assert_eq!(second.terminate(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_tidied_up_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let org = OrgProcess::start(&["--seed", "demo"]);
    let config = org.write_config(folder.path());
    let serve = ServeProcess::start_with(&config, &["--http", "127.0.0.1:0"]);
    let url = format!("{}/metrics", serve.http().await);
    eventually("the metrics were tidied up", LONG, || async {
        let page = reqwest::get(&url).await.expect("metrics answer").text().await.expect("text");
        page.lines().any(|line| line.starts_with("countersign_metrics_upkeep_total"))
    })
    .await;
}
