//! The console over real processes: who may look, what stands on the pages, and that it is what the
//! commands tell.

use std::{os::unix::fs::PermissionsExt as _, time::Duration};

use serde_json::{Value, json};

use crate::{
    daemon_world::{World, text},
    databases::{self, over_both},
    decay,
    postgres::PostgresServer,
    processes::{ServeProcess, countersign, eventually},
};

const SOON: Duration = Duration::from_secs(60);
const PASSWORD: &str = "correct horse battery";
/// What may stand in words of agents: markup, and a mark that turns lines around.
const HOSTILE: &str = "<script>alert(1)</script>\u{200f}\u{202e} & \"more\"";

/// An answer of the daemon.
struct Answer {
    code: u16,
    headers: reqwest::header::HeaderMap,
    body: String,
}

async fn ask(address: &str, method: &str, path: &str, password: Option<&str>) -> Answer {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = reqwest::Client::new().request(method, format!("{address}{path}"));
    if let Some(password) = password {
        request = request.basic_auth("anybody", Some(password));
    }
    let reply = request.send().await.expect("it answers");
    let (code, headers) = (reply.status().as_u16(), reply.headers().clone());
    Answer { code, headers, body: reply.text().await.expect("a body") }
}

/// A page as a person with the password sees it.
async fn page(address: &str, path: &str) -> String {
    let answer = ask(address, "GET", path, Some(PASSWORD)).await;
    assert_eq!(answer.code, 200, "{path}: {}", answer.body);
    answer.body
}

/// Turns the console on for the next daemon.
fn with_console(world: &World) {
    let file = world.path("console-password");
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    world.set(&format!("[http]\nlisten = \"127.0.0.1:0\"\nconsole_password_file = \"{file}\"\n"));
}

/// Where the newest daemon of the world listens.
async fn address(world: &World) -> String {
    eventually("it serves", SOON, || async { world.said().contains("serving; health") }).await;
    let said = world.said();
    let address = said.rsplit("address=").next().and_then(|rest| rest.split_whitespace().next());
    format!("http://{}", address.expect("it listens"))
}

/// A counter of the overview.
fn counter(page: &str, name: &str) -> u64 {
    let rest =
        page.split(&format!("data-counter=\"{name}\">")).nth(1).unwrap_or_else(|| panic!("{name} in {page}"));
    rest.split('<').next().and_then(|number| number.parse().ok()).expect("a number")
}

/// A page whose addresses are easy to look for: slashes are escaped, too.
fn plain(page: &str) -> String {
    page.replace("&#x2f;", "/")
}

/// A served page without what only served pages have.
fn as_file(page: &str) -> String {
    let (before, rest) = page.split_once("<style>nav").expect("links");
    let (_, after) = rest.split_once("</nav>\n").expect("links");
    format!("{before}{after}")
}

fn lines(world: &World, command: &[&str]) -> Vec<Value> {
    let out = world.over_ledger(command);
    out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The places where these stand, one after the other.
fn stand_in_order(page: &str, words: &[&str]) {
    let places: Vec<usize> =
        words.iter().map(|word| page.find(word).unwrap_or_else(|| panic!("{word} in {page}"))).collect();
    assert!(places.is_sorted(), "{words:?} at {places:?} in {page}");
}

async fn it_is_off_until_a_password_is_set_and_then_wants_it() {
    let mut world = World::start();
    world.kill();
    world.set("[http]\nlisten = \"127.0.0.1:0\"\n");
    world.restart();
    let at = address(&world).await;
    for path in ["/console", "/console/", "/console/queue"] {
        let off = ask(&at, "GET", path, Some(PASSWORD)).await;
        assert_eq!(off.code, 404, "{path}");
        assert!(
            off.body.contains("http.console_password_file in the settings switches it on"),
            "{}",
            off.body
        );
    }
    world.stop();
    let known = std::fs::read_to_string(&world.config).unwrap();
    std::fs::write(&world.config, known.replace("[http]\nlisten = \"127.0.0.1:0\"\n", "")).unwrap();
    with_console(&world);
    world.restart();
    let at = address(&world).await;
    for (path, password) in
        [("/console", None), ("/console/nothing", None), ("/console/queue", Some("correct horse batterz"))]
    {
        let refused = ask(&at, "GET", path, password).await;
        assert_eq!(refused.code, 401, "{path}");
        assert_eq!(refused.headers["www-authenticate"], "Basic realm=\"countersign\"");
        assert_eq!(refused.headers["cache-control"], "no-store");
        assert!(!refused.body.contains('<'), "{}", refused.body);
    }
    eventually("a wrong password is logged", SOON, || async { world.said().contains("console-refused") })
        .await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "HEAD"] {
        let refused = ask(&at, method, "/console", Some(PASSWORD)).await;
        assert_eq!((refused.code, &refused.headers["allow"]), (405, &"GET".parse().unwrap()), "{method}");
    }
    let first = ask(&at, "GET", "/console", Some(PASSWORD)).await;
    assert_eq!((first.code, &first.headers["refresh"]), (200, &"2".parse().unwrap()));
    assert_eq!(
        first.headers["content-security-policy"],
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    );
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(first.headers[name], value, "{name}");
    }
    assert_eq!(first.headers["content-type"], "text/html; charset=utf-8");
    for path in [
        "/console/nothing",
        "/console/proposals/none:such",
        "/console/proposals/not%20an%20id%21",
        "/console/decay/0123abcd",
        "/console/reconcile/0123abcd",
        "/console/jobs/none",
        "/console/stages/none",
        "/console/%ff",
        "/console/..%2fmetrics",
    ] {
        let missing = ask(&at, "GET", path, Some(PASSWORD)).await;
        assert_eq!(missing.code, 404, "{path}: {}", missing.body);
        assert!(missing.body.contains("There is no such page") && missing.body.contains("<nav>"), "{path}");
    }
    assert!(!world.said().contains("without-tls"), "on loopback nobody listens");
    world.stop();
}

/// Proposals of every kind of end, a decay run, a reconciliation and runs of jobs.
async fn much_happens(world: &World) {
    let mut deals = Vec::new();
    for deal in world.opportunities().await {
        deals.push(text(&deal["Id"]).to_owned());
    }
    world.asks(&deals[0], ("console:first", "Call them")).await;
    world.asks(&deals[1], ("console:second", HOSTILE)).await;
    world.asks(&deals[2], ("console:third", "Send the draft")).await;
    world.decides(&deals[2], ("console:third", "Approved"), "promoted").await;
    let body = json!({ "proposal_id": "console:told", "object": "Lead", "record_id": world.lead("Amy").await,
        "patch": { "Status": "Working - Contacted" }, "confidence": 0.7, "reason": HOSTILE,
        "actor": { "agent": format!("agent {HOSTILE}"), "version": "2" } });
    let (code, out, err) = countersign(&["propose", "--config", &world.config], Some(&body.to_string()));
    assert_eq!(code, 4, "{out}{err}");
    for name in ["Ben", "Cleo"] {
        decay::stale(world, name).await;
    }
    for words in [
        &["decay", "announce", "--by", HOSTILE][..],
        &["decay", "run"],
        &["reconcile", "run"],
        &["jobs", "run", "approvers", "--by", "Olivia Example"],
    ] {
        let (code, out, err) = countersign(&[words, &["--config", &world.config]].concat(), None);
        assert!(matches!(code, 0 | 4), "{words:?}: {out}{err}");
    }
    eventually("all has landed", SOON, || async {
        let status = &lines(world, &["status", "--json"])[0];
        status["promotions_open"] == 0
            && status["promotions_unconfirmed"] == 0
            && status["inbox_waiting"] == 0
    })
    .await;
}

async fn every_page_is_what_the_command_tells() {
    let mut world = decay::world(0, "[watch]\nevery_seconds = 1\ndisk_free_mb = 0");
    world.kill();
    with_console(&world);
    world.restart();
    let at = address(&world).await;
    much_happens(&world).await;

    let (overview, status) = at_one_head(&world, &at).await;
    assert!(overview.contains("data-status=\"leads\""), "{overview}");
    for stage in countersign::domain::Stage::ALL {
        let told = status["stages"][stage.name()].as_u64().unwrap_or(0);
        assert_eq!(counter(&overview, stage.name()), told, "{stage:?}: {status}");
    }
    assert_eq!((counter(&overview, "promoted"), counter(&overview, "awaiting-approval")), (3, 3), "{status}");
    assert_eq!((counter(&overview, "open"), counter(&overview, "batches")), (0, 0));
    assert!(overview.contains(text(&status["head_at"])) && overview.contains("lead</td><td>this replica"));

    let queue = plain(&page(&at, "/console/queue").await);
    let listed = ["proposals", "--stage", "awaiting-approval", "--oldest", "--json"];
    let ids: Vec<String> =
        lines(&world, &listed).iter().map(|line| text(&line["proposal_id"]).to_owned()).collect();
    assert_eq!(ids, ["console:first", "console:second", "console:told"]);
    stand_in_order(&queue, &ids.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(!queue.contains("console:third"), "{queue}");
    assert!(queue.contains("href=\"/console/proposals/console:told\""), "{queue}");
    stand_in_order(
        &page(&at, "/console/proposals").await,
        &["console:told", "console:third", "console:first"],
    );
    assert!(page(&at, "/console/stages/promoted").await.contains("console:third"));

    stories(&world, &at).await;
    reports(&world, &at).await;

    eventually("the daemon has looked", SOON, || async {
        page(&at, "/console/health").await.contains("The daemon looked last at")
    })
    .await;
    let health = page(&at, "/console/health").await;
    for dog in countersign::domain::Watchdog::ALL {
        assert!(health.contains(dog.name()), "{dog} in {health}");
    }
    assert!(!health.contains("only a running daemon can tell"), "{health}");
    nothing_runs_and_hides(&at, &ids).await;
    world.stop();
    world.over_ledger(&["verify"]);
}

/// The overview and `countersign status`, with no entry between them: jobs write now and then.
async fn at_one_head(world: &World, at: &str) -> (String, Value) {
    for _ in 0..50 {
        let before = lines(world, &["status", "--json"]).remove(0);
        let overview = page(at, "/console").await;
        if lines(world, &["status", "--json"])[0]["head_seq"] == before["head_seq"] {
            return (overview, before);
        }
    }
    panic!("the ledger never stood still: {}", world.said());
}

/// The story of a proposal has every line of `countersign explain`.
async fn stories(world: &World, at: &str) {
    let told = page(at, "/console/proposals/console:third").await;
    assert_eq!(told, page(at, "/console/proposals/console%3Athird/").await);
    let command = world.story("console:third");
    let sentences: Vec<&str> = command
        .lines()
        .filter(|line| line.trim_start().starts_with('#'))
        .filter_map(|line| line.split("  ").last())
        .collect();
    assert!(sentences.len() > 6, "{command}");
    for sentence in &sentences {
        assert!(told.contains(&format!(">{}<", sentence.trim())), "{sentence} in {told}");
    }
    assert_eq!(told.matches("<td class=\"name\">#").count(), sentences.len());
    assert!(told.contains("Opportunity") && told.contains("promoted") && told.contains("Send the draft"));
}

/// Reports are those that the commands write to files, to the letter.
async fn reports(world: &World, at: &str) {
    let runs: Value = serde_json::from_str(&world.over_ledger(&["decay", "list", "--json"])).expect("JSON");
    let run = text(&runs[0]["run"]["id"])[..12].to_owned();
    let listed = plain(&page(at, "/console/decay").await);
    assert!(
        listed.contains(&format!("href=\"/console/decay/{run}\"")) && listed.contains("2 moved"),
        "{listed}"
    );
    assert_eq!(
        as_file(&page(at, &format!("/console/decay/{run}")).await),
        world.over_ledger(&["decay", "report", "--format", "html"])
    );
    let listed = plain(&page(at, "/console/reconcile").await);
    let run = listed
        .split("href=\"/console/reconcile/")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a run");
    assert_eq!(
        as_file(&page(at, &format!("/console/reconcile/{run}")).await),
        world.over_ledger(&["reconcile", "report", "--format", "html"])
    );
    assert_eq!(
        as_file(&page(at, "/console/writers").await),
        world.over_ledger(&["writers", "--format", "html"])
    );
    let quality = page(at, "/console/quality").await;
    assert!(quality.contains("Opportunity.NextStep") && quality.contains("1 of 1"), "{quality}");
    assert_eq!(as_file(&quality), world.over_ledger(&["quality", "--format", "html"]));
    let cards = page(at, "/console/scorecards").await;
    assert!(cards.contains("Shadow scorecards") && cards.contains("Nothing was watched yet."), "{cards}");
    let jobs = plain(&page(at, "/console/jobs").await);
    for job in countersign::domain::job::Job::ALL {
        assert!(
            jobs.contains(&format!("href=\"/console/jobs/{job}\"")) && jobs.contains(job.about()),
            "{job}"
        );
    }
    assert_eq!(
        as_file(&page(at, "/console/jobs/approvers").await),
        world.over_ledger(&["jobs", "runs", "approvers", "--format", "html"])
    );
}

/// What agents wrote is shown, runs nothing and turns nothing around.
async fn nothing_runs_and_hides(at: &str, ids: &[String]) {
    let stories = ids.iter().map(|id| format!("/console/proposals/{id}"));
    let mut shown = 0;
    for path in ["/console", "/console/queue", "/console/proposals", "/console/decay", "/console/writers"]
        .into_iter()
        .map(str::to_owned)
        .chain(stories)
    {
        let html = page(at, &path).await;
        for bad in ["<script", "\u{200f}", "\u{202e}", "\"more\"", "javascript:", "src=", "url("] {
            assert!(!html.contains(bad), "{bad} in {path}: {html}");
        }
        shown += html
            .matches("&lt;script&gt;alert(1)&lt;&#x2f;script&gt;&lt;U+200F&gt;&lt;U+202E&gt; &amp;")
            .count();
    }
    assert!(shown >= 7, "a value, a reason, an agent and a name are shown where they stand: {shown}");
}

over_both!(it_is_off_until_a_password_is_set_and_then_wants_it, every_page_is_what_the_command_tells);

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_stands_by_and_one_without_its_database_answer() {
    let server = PostgresServer::start();
    databases::use_postgres();
    let mut world = World::start();
    world.kill();
    databases::set_ledger(world.folder.path(), &server.database());
    let known = std::fs::read_to_string(&world.config).unwrap();
    let ledger = known.lines().find(|line| line.starts_with("path = \"postgres")).expect("a ledger");
    std::fs::write(&world.config, known.replace(ledger, &format!("path = \"{}\"", world.ledger()))).unwrap();
    with_console(&world);
    world.restart();
    let leader = address(&world).await;
    let deals = world.opportunities().await;
    world.asks(text(&deals[0]["Id"]), ("standby:one", "Call them")).await;
    let second = ServeProcess::start_with(world.config.as_ref(), &[]);
    let standby = second.http().await;
    eventually("the second stands by", SOON, || async {
        page(&standby, "/console").await.contains("data-status=\"stands by\"")
    })
    .await;
    let (one, other) = (page(&leader, "/console").await, page(&standby, "/console").await);
    assert!(one.contains("lead</td><td>this replica; epoch 1, its lease is held"), "{one}");
    assert!(other.contains("lead</td><td>not this replica; epoch 1, its lease is held"), "{other}");
    assert_eq!((counter(&one, "awaiting-approval"), counter(&other, "awaiting-approval")), (1, 1));
    assert!(page(&standby, "/console/queue").await.contains("standby:one"));

    server.running(false);
    eventually("both say what they wait for", SOON, || async {
        let (one, other) = (page(&leader, "/console").await, page(&standby, "/console").await);
        [one, other].iter().all(|page| page.contains("The ledger cannot be read. ledger-unreachable"))
    })
    .await;
    let queue = ask(&standby, "GET", "/console/queue", Some(PASSWORD)).await;
    assert_eq!(queue.code, 500);
    assert!(queue.body.contains("ledger-unreachable") && queue.body.contains("<nav>"), "{}", queue.body);
    server.running(true);
    eventually("both count again", SOON, || async {
        let (one, other) = (page(&leader, "/console").await, page(&standby, "/console").await);
        [one, other].iter().all(|page| page.contains("data-counter"))
    })
    .await;
    assert!(page(&standby, "/console/queue").await.contains("standby:one"));
}
