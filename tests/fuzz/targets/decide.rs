//! Any bytes as changes of a golden case: the gate keeps its promises about every one.

#![no_main]

use arbitrary::Arbitrary;
use countersign_fuzz::{edit::Edit, promises, world::World};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
struct Fuzzed {
    start: u8,
    narrow: bool,
    edits: Vec<Edit>,
}

fuzz_target!(|fuzzed: Fuzzed| {
    let mut world = World::start(fuzzed.start % 16, fuzzed.narrow);
    fuzzed.edits.iter().for_each(|edit| edit.apply(&mut world));
    promises::hold(&world);
});
