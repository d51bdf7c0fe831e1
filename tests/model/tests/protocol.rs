//! The protocol as it is, within two bounds that a minute is enough for, and one for a night.
//! Each check prints a line: the variant, the result, how many states, how many seconds.

use countersign_model::{Bounds, CAN_HAPPEN, Flaws, Protocol, World, check};

/// Checks within these bounds, and says what was not reached.
fn kept(name: &str, bounds: Bounds) -> Vec<&'static str> {
    let row = check(name, Protocol { flaws: Flaws::NONE, bounds, world: World::Plain });
    assert_eq!(row.broken, [], "{name}: a promise is broken");
    row.unreached
}

#[test]
fn the_protocol_keeps_every_promise() {
    let proposals = kept("full protocol, two proposals", Bounds::TWO_PROPOSALS);
    let take_overs = kept("full protocol, two take-overs", Bounds::TWO_TAKE_OVERS);
    let nowhere: Vec<_> = proposals.iter().filter(|name| take_overs.contains(name)).collect();
    assert!(
        nowhere.is_empty(),
        "the model can do less than the protocol: {nowhere:?} of {}",
        CAN_HAPPEN.len()
    );
}

/// The value is edited, approved as it then stands, and edited back to the base that the ledger has.
/// The stamp of the change tells it, although the values fit.
#[test]
fn a_decision_on_a_value_between_two_readings_is_not_used() {
    let bounds = Bounds { edits: 3, crashes: 0, timeouts: 1, take_overs: 0, ..Bounds::SMALL };
    let world = World::LateApproval;
    let row = check("world: LateApproval", Protocol { flaws: Flaws::NONE, bounds, world });
    assert_eq!(row.broken, [], "a promise is broken");
}

#[test]
#[ignore = "takes ten minutes and 8 GB; tests/nightly.sh runs it"]
fn the_protocol_keeps_every_promise_through_a_night() {
    let unreached = kept("full protocol, all together", Bounds::NIGHT);
    assert_eq!(unreached, Vec::<&str>::new(), "the model can do less than the protocol");
}
