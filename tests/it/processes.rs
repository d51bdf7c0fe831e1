//! Real processes on loopback: the simulated org and the daemon, as their users start them.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// The program under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_countersign");

/// A `countersign org` process; killed when dropped.
pub struct OrgProcess {
    child: Child,
    pub facts: Value,
    http: reqwest::Client,
}

impl OrgProcess {
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(BINARY)
            .args(["org", "--json"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the org starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("one line of JSON");
        let facts = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
        Self { child, facts, http: reqwest::Client::new() }
    }

    pub fn text(&self, pointer: &str) -> String {
        let value = self.facts.pointer(pointer).unwrap_or_else(|| panic!("{pointer} in {}", self.facts));
        value.as_str().unwrap_or_else(|| panic!("{pointer} is a text")).to_owned()
    }

    fn url(&self, path: &str) -> String {
        format!("{}/services/data/v67.0{path}", self.text("/instance_url"))
    }

    fn token(&self, role: &str) -> String {
        self.text(&format!("/users/{role}/access_token"))
    }

    /// A call as one of the seeded users; the reply's status and JSON.
    pub async fn call(&self, role: &str, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method, self.url(path)).bearer_auth(self.token(role));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let reply = request.send().await.expect("the org answers");
        let status = reply.status().as_u16();
        let text = reply.text().await.expect("a body");
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    pub async fn query(&self, soql: &str) -> Vec<Value> {
        let mut records = Vec::new();
        let encoded: String = reqwest::Url::parse_with_params("http://x/", [("q", soql)])
            .expect("encodes")
            .query()
            .expect("a query")
            .to_owned();
        let mut path = format!("/query?{encoded}");
        loop {
            let (status, page) = self.call("admin", "GET", &path, None).await;
            assert_eq!(status, 200, "{page}");
            records.extend(page["records"].as_array().cloned().unwrap_or_default());
            match page["nextRecordsUrl"].as_str() {
                Some(next) => path = next.split("/v67.0").nth(1).expect("a path").to_owned(),
                None => return records,
            }
        }
    }

    /// A hand on the org; it must work.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}{path}", self.text("/instance_url"));
        let reply = self.http.post(url).json(&body).send().await.expect("the org answers");
        let (status, text) = (reply.status(), reply.text().await.expect("a body"));
        assert!(status.is_success(), "{path}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Takes back what hands did to the org, or what was counted.
    pub async fn reset(&self, path: &str) {
        let url = format!("{}{path}", self.text("/instance_url"));
        let reply = self.http.delete(url).send().await.expect("the org answers");
        assert!(reply.status().is_success(), "{path}: {}", reply.status());
    }

    /// Names of the faults that struck.
    pub async fn fired(&self) -> Vec<String> {
        let url = format!("{}/__faults", self.text("/instance_url"));
        let reply = self.http.get(url).send().await.expect("the org answers");
        let told: Value = reply.json().await.expect("faults as JSON");
        serde_json::from_value(told["fired"].clone()).expect("names")
    }

    /// The org's counters.
    pub async fn stats(&self) -> Value {
        let url = format!("{}/__stats", self.text("/instance_url"));
        let reply = self.http.get(url).send().await.expect("the org answers");
        reply.json().await.expect("counters as JSON")
    }

    /// Creates or changes many rows, 200 in a call; every row must succeed.
    pub async fn collections(&self, role: &str, method: &str, rows: &[Value]) -> Vec<String> {
        let mut ids = Vec::new();
        for chunk in rows.chunks(200) {
            let body = json!({ "allOrNone": false, "records": chunk });
            let (status, results) = self.call(role, method, "/composite/sobjects", Some(body)).await;
            assert_eq!(status, 200, "{results}");
            for result in results.as_array().expect("a list") {
                assert_eq!(result["success"], true, "{result}");
                ids.push(result["id"].as_str().expect("an id").to_owned());
            }
        }
        ids
    }

    /// Settings for a daemon against this org, in a file of `folder`.
    pub fn write_config(&self, folder: &Path) -> PathBuf {
        let path = folder.join("countersign.toml");
        let identity = |role: &str| {
            format!(
                "[{role}]\nkind = \"jwt\"\nclient_id = \"{}\"\nusername = \"{}\"\nprivate_key_path = \"{}\"\n",
                self.text("/oauth/client_id"),
                self.text(&format!("/users/{role}/username")),
                self.text("/oauth/jwt_key_pem_path"),
            )
        };
        let text = format!(
            "[org]\nlogin_url = \"{url}\"\ninstance_url = \"{url}\"\npubsub_endpoint = \"http://{}\"\n\n{}\n{}\n\
             [ledger]\npath = \"{}\"\nlease_seconds = 3\n",
            self.text("/pubsub_endpoint"),
            identity("promoter"),
            identity("proposer"),
            crate::databases::ledger(folder),
            url = self.text("/instance_url"),
        );
        std::fs::write(&path, text).expect("the settings are written");
        path
    }
}

impl Drop for OrgProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A `countersign serve` process; killed when dropped.
pub struct ServeProcess {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl ServeProcess {
    pub fn start(config: &Path) -> Self {
        Self::start_with(config, &[])
    }

    /// With more arguments; what it logs is kept and shown.
    pub fn start_with(config: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(BINARY)
            .args(["serve", "--config"])
            .arg(config)
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the daemon starts");
        let said = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&said);
        let err = child.stderr.take().expect("piped");
        std::thread::spawn(move || {
            for line in BufReader::new(err).lines().map_while(Result::ok) {
                eprintln!("{line}");
                let mut said = heard.lock().expect("no reader panics");
                said.push_str(&line);
                said.push('\n');
            }
        });
        Self { child, said }
    }

    /// What it has logged so far.
    pub fn said(&self) -> String {
        self.said.lock().expect("no reader panics").clone()
    }

    /// Where health and metrics answer, once it has said so.
    pub async fn http(&self) -> String {
        let mut found = None;
        eventually("the daemon says where it listens", Duration::from_secs(30), || {
            found = self
                .said()
                .split("address=")
                .nth(1)
                .map(|rest| rest.split_whitespace().next().unwrap_or_default().to_owned());
            let there = found.is_some();
            async move { there }
        })
        .await;
        format!("http://{}", found.expect("it was found"))
    }

    /// Waits until it ends by itself: its exit code.
    pub async fn ends(&mut self, within: Duration) -> i32 {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                return status.code().unwrap_or(-1);
            }
            assert!(Instant::now() < deadline, "the daemon did not end in {within:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: no handler runs.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// SIGTERM.
    pub fn ask_to_stop(&self) {
        let pid = self.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
    }

    /// SIGTERM, then waits for the exit code.
    pub fn terminate(mut self) -> i32 {
        self.ask_to_stop();
        self.child.wait().expect("gone").code().unwrap_or(-1)
    }
}

impl Drop for ServeProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command of the binary to its end: exit code, stdout, stderr.
pub fn countersign(arguments: &[&str], stdin: Option<&str>) -> (i32, String, String) {
    use std::io::Write as _;
    let mut child = Command::new(BINARY)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut pipe = child.stdin.take().expect("piped");
    // A command that reads nothing may have ended already.
    let _ = pipe.write_all(stdin.unwrap_or("").as_bytes());
    drop(pipe);
    let output = child.wait_with_output().expect("the command ends");
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// Waits until `check` holds, looking every 100 ms.
pub async fn eventually<F, Fut>(what: &str, within: Duration, mut check: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let deadline = Instant::now() + within;
    while !check().await {
        assert!(Instant::now() < deadline, "did not happen in {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
