//! The gate beside policy engines that other people wrote: the same answers first, then the time.
//!
//! `-- parts` also prints where `decide` spends its time.

mod cedar;
mod facts;
mod measure;
mod parts;
mod peers;
mod told;
mod worlds;

use std::hint::black_box;

use countersign::gate::{Input, Rules, checks::CHECKS, decide, finding::Findings};

use crate::{
    cedar::Cedar,
    facts::{Answer, Facts},
    measure::{Run, measure, print},
    peers::{
        Peer,
        cel::Cel,
        rego::{Interpreter, Machine},
    },
    worlds::World,
};

// The daemon's own allocator, for all of them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let rules = worlds::rules();
    let (lead, opportunity) = (worlds::lead(&rules), worlds::opportunity(&rules));
    let lists = [("golden cases", &lead), ("inputs of a grid", &worlds::grid(&rules))];
    let facts = lists.map(|(_, worlds)| facts(worlds, &rules));
    let (cedar, answers) = Cedar::start(&facts);
    for (((of, worlds), facts), cedar) in lists.into_iter().zip(&facts).zip(&answers) {
        println!("the same answer as ours on the {of} of the lead pack ({}):", worlds.len());
        agree("Cedar", cedar, worlds, &rules);
        agree("Rego, interpreter", &answered(&mut Interpreter::new(), facts), worlds, &rules);
        agree("Rego, virtual machine", &answered(&mut Machine::new(), facts), worlds, &rules);
        agree("CEL", &answered(&mut Cel::new(), facts), worlds, &rules);
    }
    engines((&lead, &opportunity), &rules, &facts[0], &cedar);
    if std::env::args().any(|argument| argument == "parts") {
        for (pack, worlds) in [("lead", &lead), ("opportunity", &opportunity)] {
            let title = format!("the parts of decide, golden cases of the {pack} pack");
            print(&title, &parts::measured(worlds, &rules));
        }
    }
}

/// The facts of each world that the peers' policies can express, in order.
fn facts(worlds: &[World], rules: &Rules) -> Vec<Facts> {
    worlds.iter().filter_map(|world| told::facts(&world.input(rules))).collect()
}

fn answered<P: Peer>(peer: &mut P, facts: &[Facts]) -> Vec<Answer> {
    let answer = |facts| {
        let ready = peer.ready(facts);
        peer.ask(&ready)
    };
    facts.iter().map(answer).collect()
}

/// Stops where a peer answers otherwise: the time of another policy would say nothing.
fn agree(name: &str, answers: &[Answer], worlds: &[World], rules: &Rules) {
    let expressed = worlds.iter().filter(|world| told::facts(&world.input(rules)).is_some());
    let (mut answers, mut seen, mut left_out) = (answers.iter(), [0_usize; 3], worlds.len());
    for world in expressed {
        let verdict = decide(&world.input(rules));
        let (ours, theirs) = (told::answer(verdict.outcome), answers.next().expect("an answer for each"));
        assert_eq!(*theirs, ours, "{name} answers otherwise: {}\n{verdict:#?}", world.name);
        seen[ours as usize] += 1;
        left_out -= 1;
    }
    let [allow, review, block] = seen;
    assert!(answers.next().is_none(), "more answers than inputs");
    assert!(seen.iter().all(|count| *count > 0), "every answer must be among the inputs");
    let agreed = allow + review + block;
    println!(
        "  {name:<22} {agreed:>6} agree ({allow} allow, {review} review, {block} block), {left_out} left out"
    );
}

fn engines((lead, opportunity): (&[World], &[World]), rules: &Rules, facts: &[Facts], cedar: &Cedar) {
    let mut runs = vec![
        ours("countersign", lead, rules, ("checks, reasons, three digests, facts and plan", all)),
        ours("countersign, checks alone", lead, rules, ("the answer and its reasons", checks)),
        ours("countersign, opportunity pack", opportunity, rules, ("as the first, up to three fields", all)),
    ];
    let asks = facts.len();
    let built = "building the request, the answer";
    runs.push(Run::timed("Cedar", built, asks, |passes| cedar.time("build", passes)));
    runs.push(Run::timed("Cedar, request ready", "the answer", asks, |passes| cedar.time("ask", passes)));
    runs.extend(theirs("Rego, interpreter", "input", facts, Interpreter::new));
    runs.extend(theirs("Rego, virtual machine", "input", facts, Machine::new));
    runs.extend(theirs("CEL", "context", facts, Cel::new));
    print("one decision, golden cases", &measure(runs));
    println!(
        "\nratio: to the first line; less is faster. The peers give the bare answer and get their facts\n\
         ready made (ages in minutes, confidence in percent, whether the approval is for this patch)."
    );
}

fn all(input: &Input<'_>) {
    drop(black_box(decide(input)));
}

fn checks(input: &Input<'_>) {
    let mut findings = Findings::default();
    CHECKS.iter().for_each(|check| (check.run)(input, &mut findings));
    drop(black_box(findings));
}

type Ask = (&'static str, fn(&Input<'_>));

fn ours<'a>(name: &str, worlds: &'a [World], rules: &'a Rules, (includes, ask): Ask) -> Run<'a> {
    let inputs: Vec<Input<'a>> = worlds.iter().map(|world| world.input(rules)).collect();
    Run::new(name, includes, inputs.len(), move || inputs.iter().for_each(|input| ask(black_box(input))))
}

/// Two runs: with the engine's input built each time, and with it built before.
fn theirs<'a, P: Peer + 'a>(name: &str, what: &str, facts: &'a [Facts], new: fn() -> P) -> [Run<'a>; 2] {
    let (mut builds, mut asks) = (new(), new());
    let ready: Vec<P::Ready> = facts.iter().map(|facts| asks.ready(facts)).collect();
    let built = Run::new(name, &format!("building the {what}, the answer"), facts.len(), move || {
        for facts in facts {
            let ready = builds.ready(black_box(facts));
            black_box(builds.ask(&ready));
        }
    });
    let alone = Run::new(&format!("{name}, {what} ready"), "the answer", facts.len(), move || {
        for ready in &ready {
            black_box(asks.ask(black_box(ready)));
        }
    });
    [built, alone]
}
