//! A `countersign serve` that may end by itself.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    thread::JoinHandle,
};

/// A running daemon; killed when dropped.
pub struct Served {
    child: Child,
    said: Option<JoinHandle<String>>,
}

impl Served {
    /// Starts it; `crash_at` is the point at which it ends, 0 for none.
    pub fn start(config: &Path, crash_at: u64) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["serve", "--crash-at", &crash_at.to_string(), "--config"])
            .arg(config)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the daemon starts");
        let err = BufReader::new(child.stderr.take().expect("piped"));
        let said = std::thread::spawn(move || {
            err.lines().map_while(Result::ok).fold(String::new(), |said, line| said + &line + "\n")
        });
        Self { child, said: Some(said) }
    }

    /// Whether it still runs.
    pub fn lives(&mut self) -> bool {
        self.child.try_wait().expect("it can be asked").is_none()
    }

    /// Asks it to stop and waits for it: everything that it said.
    pub fn stop(mut self) -> String {
        let pid = self.child.id().to_string();
        // It may have ended in this instant.
        let _ = Command::new("kill").args(["-TERM", &pid]).stderr(Stdio::null()).status();
        self.child.wait().expect("gone");
        self.said.take().map(|said| said.join().expect("the reader ends")).unwrap_or_default()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
