//! A real PostgreSQL for the tests: one server for each test process, on a unix socket in a folder of
//! its own, with a database for each test. It ends with the process, however that ends.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// Starts the server, says so, waits until nobody holds its input any more, and clears up. What it
/// starts is stopped also when the tests are killed.
const KEEPER: &str = r#"
set -e
"$1/initdb" -D "$2/data" -A trust -U countersign -E UTF8 --locale=C --no-sync >"$2/initdb.log" 2>&1
printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$2'" 'max_connections = 300' \
  'shared_buffers = 32MB' 'fsync = off' 'wal_level = minimal' 'max_wal_senders = 0' 'autovacuum = off' \
  >>"$2/data/postgresql.conf"
"$1/pg_ctl" -D "$2/data" -l "$2/log" -w start >/dev/null 2>&1 || { cat "$2/log"; exit 1; }
echo ready
read -r _ || true
"$1/pg_ctl" -D "$2/data" -m immediate stop >/dev/null 2>&1 || true
rm -rf "$2"
"#;

/// A running server.
pub struct PostgresServer {
    binaries: PathBuf,
    folder: PathBuf,
    /// Its end closes the input of the keeper.
    _keeper: Child,
    databases: AtomicU32,
}

impl PostgresServer {
    /// Starts one. The package must be there; `tests/run.sh` installs it.
    pub fn start() -> Self {
        let binaries = binaries();
        let folder = tempfile::Builder::new().prefix("countersign-pg-").tempdir().expect("a folder").keep();
        let mut command = as_somebody("sh", &folder);
        command.args(["-c", KEEPER, "keeper"]).arg(&binaries).arg(&folder);
        let mut keeper = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sh runs");
        let mut line = String::new();
        let out = keeper.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("a line");
        assert_eq!(line.trim(), "ready", "PostgreSQL did not start");
        Self { binaries, folder, _keeper: keeper, databases: AtomicU32::new(0) }
    }

    /// The one of this test process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PostgresServer> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A new, empty database: its URL.
    pub fn database(&self) -> String {
        let name = format!("t{}", self.databases.fetch_add(1, Ordering::SeqCst));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        format!("postgres://countersign@localhost/{name}?host={}", self.folder.display())
    }

    /// Runs statements and gives what they print.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let (done, out) = self.try_sql(database, sql);
        assert!(done, "{sql}: {out}");
        out
    }

    /// The same; whether it worked, and what it printed.
    pub fn try_sql(&self, database: &str, sql: &str) -> (bool, String) {
        let mut command = Command::new(self.binaries.join("psql"));
        command.args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-U", "countersign", "-d", database]);
        let output = command.arg("-h").arg(&self.folder).args(["-c", sql]).output().expect("psql runs");
        let out = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&out).trim().to_owned())
    }

    /// Ends every process of the server at once, as a crash would, and starts it again.
    pub fn crash(&self) {
        assert!(self.control(&["restart"]), "the server starts again");
    }

    /// Stops it, or starts it again.
    pub fn running(&self, wanted: bool) {
        assert!(self.control(&[if wanted { "start" } else { "stop" }]));
    }

    /// From now on it also listens on loopback, and there it takes nobody without TLS. Its port, which
    /// the socket has now too.
    pub fn listen_with_tls(&self, certificate: &str, key: &str) -> u16 {
        let data = self.folder.join("data");
        let rules = "local all all trust\nhostssl all all 127.0.0.1/32 trust\n";
        let owner = std::fs::metadata(&data).expect("a folder");
        for (name, text) in [("server.crt", certificate), ("server.key", key), ("pg_hba.conf", rules)] {
            let path = data.join(name);
            std::fs::write(&path, text).expect("it is written");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
            chown(&path, Some(owner.uid()), Some(owner.gid())).expect("it is ours");
        }
        self.running(false);
        // The server wants a number: one that was free a moment ago.
        let started = (0..10).find_map(|_| {
            let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
            let how = format!("-c listen_addresses=127.0.0.1 -c port={} -c ssl=on", free.port());
            self.control(&["-o", &how, "start"]).then_some(free.port())
        });
        started.expect("the server starts with TLS")
    }

    fn control(&self, words: &[&str]) -> bool {
        let pg_ctl = self.binaries.join("pg_ctl");
        let mut command = as_somebody(pg_ctl.to_str().expect("a plain path"), &self.folder);
        command.arg("-D").arg(self.folder.join("data")).args(["-m", "immediate", "-w", "-l"]);
        command.arg(self.folder.join("log")).args(words).stdout(Stdio::null());
        command.status().expect("pg_ctl runs").success()
    }

    /// Whether these words stand in any file of a database.
    pub fn tables_hold(&self, database: &str, words: &str) -> bool {
        let id =
            self.sql(database, "CHECKPOINT; SELECT oid FROM pg_database WHERE datname = current_database()");
        holds(&self.folder.join("data/base").join(id), words.as_bytes())
    }
}

/// The name of the database in a URL that [`PostgresServer::database`] gave.
pub fn name_of(url: &str) -> &str {
    url.split(['/', '?']).nth(3).expect("a URL of ours")
}

fn holds(folder: &Path, words: &[u8]) -> bool {
    std::fs::read_dir(folder).expect("a folder").map_while(Result::ok).any(|entry| {
        let path = entry.path();
        match path.is_dir() {
            true => holds(&path, words),
            false => {
                let bytes = std::fs::read(&path).unwrap_or_default();
                bytes.windows(words.len()).any(|window| window == words)
            }
        }
    })
}

/// Debian keeps the programs of each version in a folder of its own.
fn binaries() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().map_while(Result::ok);
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    found.sort();
    let elsewhere = ["/usr/local/bin", "/usr/bin"].map(PathBuf::from);
    let mut all = found.into_iter().rev().chain(elsewhere);
    let usable = all.find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists());
    usable.expect("PostgreSQL is not installed: tests/run.sh installs it")
}

/// PostgreSQL refuses to run as root, so root runs it as the user of the package.
fn as_somebody(program: &str, folder: &Path) -> Command {
    if std::fs::metadata("/proc/self").expect("Linux").uid() != 0 {
        return Command::new(program);
    }
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o711)).expect("it is ours");
    let done = Command::new("chown").arg("postgres").arg(folder).status();
    assert!(done.is_ok_and(|status| status.success()), "the user `postgres` comes with the package");
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--", program]).current_dir("/");
    command
}
