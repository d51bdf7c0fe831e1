//! Cedar in a process of its own.
//!
//! It switches on a feature of `serde_json` that keeps the order of keys. In one build with the gate
//! that would make the gate another one than the shipped one.
//!
//! The first line in is a JSON list of lists of facts; the first line out has the answers. After that
//! `build 100` and `ask 100` time a hundred passes over the first list and print nanoseconds.

mod engine;
#[path = "../../src/facts.rs"]
mod facts;

use std::{
    hint::black_box,
    io::{BufRead as _, Lines, StdinLock, stdin},
    time::Instant,
};

use cedar_policy::Request;

use crate::{
    engine::Cedar,
    facts::{Answer, Facts},
};

// The daemon's own allocator, as for the other engines.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let cedar = Cedar::new();
    let mut lines = stdin().lock().lines();
    let lists: Vec<Vec<Facts>> = serde_json::from_str(&line(&mut lines).expect("facts")).expect("facts");
    let answer = |facts: &Facts| cedar.ask(&cedar.ready(facts));
    let answers: Vec<Vec<Answer>> = lists.iter().map(|list| list.iter().map(answer).collect()).collect();
    println!("{}", serde_json::to_string(&answers).expect("JSON"));
    let facts = lists.first().expect("a list to time");
    let ready: Vec<Request> = facts.iter().map(|facts| cedar.ready(facts)).collect();
    while let Some(line) = line(&mut lines) {
        let (what, passes) = line.split_once(' ').expect("what to do, and how often");
        let passes: u32 = passes.parse().expect("a number");
        let started = Instant::now();
        for _ in 0..passes {
            if what == "build" {
                facts.iter().for_each(|facts| _ = black_box(answer(black_box(facts))));
            } else {
                ready.iter().for_each(|ready| _ = black_box(cedar.ask(black_box(ready))));
            }
        }
        println!("{}", started.elapsed().as_nanos());
    }
}

fn line(lines: &mut Lines<StdinLock<'_>>) -> Option<String> {
    lines.next().map(|line| line.expect("readable input"))
}
