//! Cedar, asked through a process of its own (`cedar/` says why). It does its timing itself, so that
//! the way there and back does not count.

use std::{
    cell::RefCell,
    io::{BufRead as _, BufReader, Lines, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use crate::facts::{Answer, Facts};

struct Pipes {
    into: ChildStdin,
    out: Lines<BufReader<ChildStdout>>,
}

/// The process with Cedar in it.
pub struct Cedar {
    child: Child,
    pipes: RefCell<Pipes>,
}

impl Cedar {
    /// Builds the process, starts it, and has it answer every list of facts. Only the first is timed.
    pub fn start(lists: &[Vec<Facts>]) -> (Self, Vec<Vec<Answer>>) {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("cedar/Cargo.toml");
        let mut child = Command::new(env!("CARGO"))
            .args(["run", "--release", "--quiet", "--locked", "--manifest-path"])
            .arg(manifest)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("cargo runs");
        let into = child.stdin.take().expect("a pipe");
        let out = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let cedar = Self { child, pipes: RefCell::new(Pipes { into, out }) };
        let answers = cedar.say(&serde_json::to_string(lists).expect("JSON"));
        (cedar, serde_json::from_str(&answers).expect("answers"))
    }

    /// How long a number of passes takes; `what` is `build` or `ask`.
    pub fn time(&self, what: &str, passes: u32) -> Duration {
        Duration::from_nanos(self.say(&format!("{what} {passes}")).parse().expect("nanoseconds"))
    }

    fn say(&self, line: &str) -> String {
        let mut pipes = self.pipes.borrow_mut();
        writeln!(pipes.into, "{line}").expect("the process reads");
        pipes.out.next().expect("the process answers").expect("a line")
    }
}

impl Drop for Cedar {
    fn drop(&mut self) {
        // It waits for a next line; its pipes close only after this.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
