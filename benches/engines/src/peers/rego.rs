//! Rego by regorus: its interpreter, and its virtual machine with the policy compiled.

use std::collections::BTreeMap;

use regorus::{Engine, Value, languages::rego::compiler::Compiler, rvm::vm::RegoVM};

use super::Peer;
use crate::{
    facts::{Answer, Facts},
    told::read,
};

const POLICY: &str = include_str!("../../policies/lead.rego");
const RULE: &str = "data.lead.answer";

fn engine() -> Engine {
    let mut engine = Engine::new();
    engine.add_policy("lead.rego".to_owned(), POLICY.to_owned()).expect("the Rego policy");
    engine
}

fn input(facts: &Facts) -> Value {
    let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
    let known = [
        ("field", Some(Value::from(facts.field.as_str()))),
        ("from", Some(text(&facts.from))),
        ("to", Some(text(&facts.to))),
        ("base", Some(text(&facts.base))),
        ("confidence", facts.confidence.map(Value::from)),
        ("decision", facts.decision.as_deref().map(Value::from)),
        ("same_patch", Some(Value::from(facts.same_patch))),
        ("decided_ago", Some(Value::from(facts.decided_ago))),
        ("age_on_arrival", Some(Value::from(facts.age_on_arrival))),
        ("age", Some(Value::from(facts.age))),
        ("waiting", Some(Value::from(facts.waiting))),
        ("hold_until", facts.hold_until.map(Value::from)),
        ("today", Some(Value::from(facts.today))),
        ("asks_for_review", Some(Value::from(facts.asks_for_review))),
        ("switch_on", Some(Value::from(facts.switch_on))),
    ];
    let pairs = known.into_iter().filter_map(|(name, value)| Some((Value::from(name), value?)));
    Value::from(pairs.collect::<BTreeMap<Value, Value>>())
}

fn answer(value: &Value) -> Answer {
    read(value.as_string().expect("a text"))
}

/// The interpreter.
pub struct Interpreter {
    engine: Engine,
}

impl Interpreter {
    /// Reads the policy.
    pub fn new() -> Self {
        Self { engine: engine() }
    }
}

impl Peer for Interpreter {
    type Ready = Value;

    fn ready(&self, facts: &Facts) -> Value {
        input(facts)
    }

    fn ask(&mut self, ready: &Value) -> Answer {
        self.engine.set_input(ready.clone());
        answer(&self.engine.eval_rule(RULE.to_owned()).expect("an answer"))
    }
}

/// The virtual machine.
pub struct Machine {
    machine: RegoVM,
}

impl Machine {
    /// Reads and compiles the policy.
    pub fn new() -> Self {
        let policy = engine().compile_with_entrypoint(&RULE.into()).expect("a compiled policy");
        let program = Compiler::compile_from_policy(&policy, &[RULE]).expect("a program");
        let mut machine = RegoVM::new();
        machine.load_program(program);
        Self { machine }
    }
}

impl Peer for Machine {
    type Ready = Value;

    fn ready(&self, facts: &Facts) -> Value {
        input(facts)
    }

    fn ask(&mut self, ready: &Value) -> Answer {
        self.machine.set_input(ready.clone());
        answer(&self.machine.execute().expect("an answer"))
    }
}
