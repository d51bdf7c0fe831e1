//! Where the promises end: a world that does more than the protocol is made for. What happens
//! then is pinned here, so that a change of the protocol that does better is seen.

use countersign_model::*;

/// Asserts that each of these promises is broken in this world.
fn broken_in(world: World, bounds: Bounds, promises: &[&'static str]) {
    let name = format!("world: {world:?}");
    let row = refute(&name, Protocol { flaws: Flaws::NONE, bounds, world }, promises);
    let broken: Vec<&str> = row.broken.iter().map(|(promise, _)| *promise).collect();
    assert_eq!(broken, promises, "{name}");
}

/// A refusal of the first attempt proves nothing when the way to the org keeps a copy.
#[test]
fn a_call_that_is_copied_on_its_way() {
    let bounds = Bounds { crashes: 0, timeouts: 0, take_overs: 0, ..Bounds::SMALL };
    broken_in(World::Copies, bounds, &[FINAL_WORD]);
}

/// `gone` says that the record was gone, and nothing of what had landed before, or lands after
/// it was restored.
#[test]
fn a_record_that_is_deleted_and_restored() {
    let bounds = Bounds { edits: 0, crashes: 0, timeouts: 1, take_overs: 0, ..Bounds::SMALL };
    broken_in(World::Deletion, bounds, &[FINAL_WORD]);
}

/// A rollback by command writes to the ledger beside the leader, without an epoch. What lands and
/// the final word stay right, and no plan that was read before the other's write is intended after
/// it. Only the two may send one after the other, as both care for what is open.
#[test]
fn a_rollback_beside_the_leader() {
    let bounds = Bounds { edits: 1, crashes: 0, take_overs: 0, timeouts: 1, ..Bounds::TWO_PROPOSALS };
    let protocol = Protocol { flaws: Flaws::NONE, bounds, world: World::Rollback };
    let row = check("world: Rollback, everything", protocol);
    let mut broken: Vec<&str> = row.broken.iter().map(|(promise, _)| *promise).collect();
    broken.sort_unstable();
    assert_eq!(broken, [SENDS_HAVE_A_CAUSE]);
    broken_in(World::Rollback, bounds, &[SENDS_HAVE_A_CAUSE]);
}

/// Without the ledger's look at the number, such a plan ends in `conflict` though nobody else wrote
/// stamps.
#[test]
fn a_rollback_beside_the_leader_with_a_number_that_was_used() {
    let bounds = Bounds { edits: 1, crashes: 0, take_overs: 0, timeouts: 1, ..Bounds::TWO_PROPOSALS };
    let flaws = Flaws::of(&[Flaw::NumberReused]);
    let row = refute("number used twice", Protocol { flaws, bounds, world: World::Rollback }, &[NO_CONFLICT]);
    let broken: Vec<&str> = row.broken.iter().map(|(promise, _)| *promise).collect();
    assert_eq!(broken, [NO_CONFLICT]);
}
