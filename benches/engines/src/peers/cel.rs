//! CEL by the `cel` crate: the expression is compiled once, what is constant stands in an outer scope.

use std::{collections::BTreeMap, sync::Arc};

use cel::{Context, Program, Value};

use super::Peer;
use crate::{
    facts::{Answer, Facts, STATES},
    told::read,
};

const POLICY: &str = include_str!("../../policies/lead.cel");

/// The engine. The outer scope lives as long as the process, so that inputs may borrow it.
pub struct Cel {
    program: Program,
    outer: &'static Context<'static, 'static>,
}

impl Cel {
    /// Compiles the expression and fills the outer scope.
    pub fn new() -> Self {
        let mut outer = Context::default();
        let rank: BTreeMap<String, i64> = STATES.iter().map(|state| (state.0.to_owned(), state.1)).collect();
        let names = |wanted: fn(&(&str, i64, bool, bool)) -> bool| -> Vec<Value> {
            STATES.iter().filter(|state| wanted(state)).map(|state| Value::from(state.0)).collect()
        };
        let tiers = BTreeMap::from([("Lead.Status".to_owned(), "autonomous".to_owned())]);
        outer.add_variable("rank", rank).expect("a map");
        outer.add_variable("tiers", tiers).expect("a map");
        outer.add_variable_from_value("terminal", Value::List(Arc::new(names(|state| state.2))));
        outer.add_variable_from_value("reserved", Value::List(Arc::new(names(|state| state.3))));
        let program = Program::compile(POLICY).expect("the CEL expression");
        Self { program, outer: Box::leak(Box::new(outer)) }
    }
}

impl Peer for Cel {
    type Ready = Context<'static, 'static>;

    fn ready(&self, facts: &Facts) -> Self::Ready {
        let mut inner = self.outer.new_inner_scope();
        let text = |text: &Option<String>| Value::from(text.as_deref().unwrap_or_default());
        let number = |number: Option<i64>| number.map_or(Value::Null, Value::Int);
        let known = [
            ("field", Value::from(facts.field.as_str())),
            ("from", text(&facts.from)),
            ("to", text(&facts.to)),
            ("base", text(&facts.base)),
            ("confidence", number(facts.confidence)),
            ("decision", Value::from(facts.decision.as_deref().unwrap_or_default())),
            ("same_patch", Value::Bool(facts.same_patch)),
            ("decided_ago", Value::Int(facts.decided_ago)),
            ("age_on_arrival", Value::Int(facts.age_on_arrival)),
            ("age", Value::Int(facts.age)),
            ("waiting", Value::Int(facts.waiting)),
            ("hold_until", number(facts.hold_until)),
            ("today", Value::Int(facts.today)),
            ("asks_for_review", Value::Bool(facts.asks_for_review)),
            ("switch_on", Value::Bool(facts.switch_on)),
        ];
        for (name, value) in known {
            inner.add_variable_from_value(name, value);
        }
        inner
    }

    fn ask(&mut self, ready: &Self::Ready) -> Answer {
        match self.program.execute(ready).expect("an answer") {
            Value::String(word) => read(&word),
            other => panic!("no answer: {other:?}"),
        }
    }
}
