//! Conditions and filters, and the logic that joins them: `and`, `or`, `1 AND (2 OR 3)`.

use super::{
    super::{
        super::metadata::{Draft, Element},
        def::{Condition, Filter, Logic, Operator},
    },
    values::{only, operand},
};

/// The conditions of a decision outcome or a visibility rule.
pub(super) fn conditions(at: &mut Draft, parent: &Element) -> Filter {
    read(at, parent, ("conditions", "leftValueReference", "rightValue", "conditionLogic"))
}

/// The filters of a data element or a start element; none is every row.
pub(super) fn filters(at: &mut Draft, parent: &Element) -> Filter {
    read(at, parent, ("filters", "field", "value", "filterLogic"))
}

type Names = (&'static str, &'static str, &'static str, &'static str);

fn read(at: &mut Draft, parent: &Element, names: Names) -> Filter {
    let (list, left, right, logic) = names;
    let mut conditions = Vec::new();
    for entry in parent.all(list) {
        only(at, entry, &[left, "operator", right], &["processMetadataValues"]);
        let operator_name = at.required(entry, "operator");
        let operator = operator(&operator_name).unwrap_or_else(|| {
            at.wrong(format!("The simulated org does not support the operator '{operator_name}'"));
            Operator::EqualTo
        });
        let left = at.required(entry, left);
        conditions.push(Condition { left, operator, right: operand(at, entry, right) });
    }
    let text = parent.text(logic).unwrap_or("and");
    let logic = join(text, conditions.len()).unwrap_or_else(|| {
        at.wrong(format!("{logic} '{text}' cannot be read, or names a condition that is not there"));
        Logic::And(Vec::new())
    });
    Filter { conditions, logic }
}

fn operator(name: &str) -> Option<Operator> {
    Some(match name {
        "EqualTo" => Operator::EqualTo,
        "NotEqualTo" => Operator::NotEqualTo,
        "GreaterThan" => Operator::GreaterThan,
        "GreaterThanOrEqualTo" => Operator::GreaterThanOrEqualTo,
        "LessThan" => Operator::LessThan,
        "LessThanOrEqualTo" => Operator::LessThanOrEqualTo,
        "Contains" => Operator::Contains,
        "StartsWith" => Operator::StartsWith,
        "EndsWith" => Operator::EndsWith,
        "In" => Operator::In,
        "NotIn" => Operator::NotIn,
        "IsNull" => Operator::IsNull,
        "IsBlank" => Operator::IsBlank,
        "IsEmpty" => Operator::IsEmpty,
        "IsChanged" => Operator::IsChanged,
        _ => return None,
    })
}

fn join(text: &str, count: usize) -> Option<Logic> {
    let all = || (0..count).map(Logic::Condition).collect();
    match text.to_ascii_lowercase().as_str() {
        "and" | "" | "no_conditions" => Some(Logic::And(all())),
        "or" => Some(Logic::Or(all())),
        _ => {
            let spaced = text.replace('(', " ( ").replace(')', " ) ");
            let words: Vec<&str> = spaced.split_whitespace().collect();
            let mut rest = words.as_slice();
            let logic = either(&mut rest, count)?;
            rest.is_empty().then_some(logic)
        }
    }
}

fn next<'a>(rest: &mut &[&'a str]) -> Option<&'a str> {
    let (first, tail) = rest.split_first()?;
    *rest = tail;
    Some(first)
}

fn either(rest: &mut &[&str], count: usize) -> Option<Logic> {
    let mut parts = vec![both(rest, count)?];
    while rest.first().is_some_and(|word| word.eq_ignore_ascii_case("or")) {
        next(rest);
        parts.push(both(rest, count)?);
    }
    Some(if parts.len() == 1 { parts.remove(0) } else { Logic::Or(parts) })
}

fn both(rest: &mut &[&str], count: usize) -> Option<Logic> {
    let mut parts = vec![one(rest, count)?];
    while rest.first().is_some_and(|word| word.eq_ignore_ascii_case("and")) {
        next(rest);
        parts.push(one(rest, count)?);
    }
    Some(if parts.len() == 1 { parts.remove(0) } else { Logic::And(parts) })
}

fn one(rest: &mut &[&str], count: usize) -> Option<Logic> {
    match next(rest)? {
        "(" => {
            let inner = either(rest, count)?;
            (next(rest)? == ")").then_some(inner)
        }
        word if word.eq_ignore_ascii_case("not") => Some(Logic::Not(Box::new(one(rest, count)?))),
        word => {
            let number: usize = word.parse().ok()?;
            (1..=count).contains(&number).then(|| Logic::Condition(number - 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logic_is_read_or_refused() {
        let number = Logic::Condition;
        assert_eq!(join("and", 2), Some(Logic::And(vec![number(0), number(1)])));
        assert_eq!(
            join("1 AND (2 OR 3)", 3),
            Some(Logic::And(vec![number(0), Logic::Or(vec![number(1), number(2)])]))
        );
        assert_eq!(
            join("1 OR 2 AND NOT 3", 3),
            Some(Logic::Or(vec![number(0), Logic::And(vec![number(1), Logic::Not(Box::new(number(2)))])]))
        );
        for bad in ["1 AND", "1 AND 4", "(1 OR 2", "1 2", "1 AND 0", "x"] {
            assert_eq!(join(bad, 3), None, "{bad}");
        }
    }
}
