//! Function calls: which exist, and what they take.

use super::{
    FormulaError,
    ast::{Expr, ExprKind, FieldKind, Function, Node, Type},
    lexer::Dialect,
    types::{Checked, Checker, error},
};

/// Checks one call. `name` is in capitals.
pub(super) fn check(checker: &Checker<'_>, expr: &Expr, name: &str, arguments: &[Expr]) -> Checked {
    match (name, arguments) {
        ("AND", [_, ..]) => Ok((Node::And(all_bool(checker, name, arguments)?), Type::Bool)),
        ("OR", [_, ..]) => Ok((Node::Or(all_bool(checker, name, arguments)?), Type::Bool)),
        ("NOT", [inner]) => {
            Ok((Node::Not(Box::new(checker.expect(inner, Type::Bool, "NOT()")?)), Type::Bool))
        }
        ("IF", [condition, yes, no]) => {
            let condition = checker.expect(condition, Type::Bool, "IF()")?;
            let (yes, no, common) = same_type(checker, name, yes, no)?;
            Ok((Node::If(Box::new([condition, yes, no])), common))
        }
        ("CASE", [subject, rest @ ..]) if rest.len() >= 3 && rest.len() % 2 == 1 => {
            case(checker, subject, rest)
        }
        ("ISNEW", []) => Ok((Node::IsNew, Type::Bool)),
        ("ISCHANGED", [field]) => {
            let (name, found) = bare_field(checker, "ISCHANGED", field)?;
            Ok((Node::IsChanged(name, found), Type::Bool))
        }
        ("PRIORVALUE", [field]) => {
            let (name, found) = bare_field(checker, "PRIORVALUE", field)?;
            Ok((Node::Prior(name, found), found))
        }
        ("ISPICKVAL", [field, literal]) => {
            let (node, literal) = pick(checker, "ISPICKVAL", Type::Picklist, [field, literal])?;
            Ok((Node::IsPickVal(Box::new(node), literal), Type::Bool))
        }
        ("INCLUDES", [field, literal]) => {
            let (node, literal) = pick(checker, "INCLUDES", Type::MultiPicklist, [field, literal])?;
            Ok((Node::Includes(Box::new(node), literal), Type::Bool))
        }
        ("ISBLANK" | "ISNULL", [inner]) => match checker.check(inner)? {
            (_, Type::Bool) => checker.wrong(inner, "ISBLANK()", "a value that can be blank", Type::Bool),
            (node, _) => Ok((Node::IsBlank(Box::new(node)), Type::Bool)),
        },
        ("BLANKVALUE" | "NULLVALUE", [value, otherwise]) => {
            let (value, otherwise, common) = same_type(checker, name, value, otherwise)?;
            Ok((Node::BlankValue(Box::new([value, otherwise])), common))
        }
        ("TEXT", [inner]) => match checker.check(inner)? {
            (node, Type::Number | Type::Date | Type::DateTime | Type::Picklist) => {
                Ok((Node::Function(Function::Text, vec![node]), Type::Text))
            }
            (_, found) => checker.wrong(inner, "TEXT()", "Number, Date, DateTime, Picklist", found),
        },
        ("MAX" | "MIN", [_, ..]) => {
            let numbers = arguments.iter().map(|it| checker.expect(it, Type::Number, &format!("{name}()")));
            let function = if name == "MAX" { Function::Max } else { Function::Min };
            Ok((Node::Function(function, numbers.collect::<Result<_, _>>()?), Type::Number))
        }
        ("DATEVALUE", [inner]) => match checker.check(inner)? {
            (node, Type::DateTime | Type::Text) => {
                Ok((Node::Function(Function::DateValue, vec![node]), Type::Date))
            }
            (_, found) => checker.wrong(inner, "DATEVALUE()", "DateTime, Text", found),
        },
        _ => plain(checker, expr, name, arguments),
    }
}

/// Functions with fixed argument types: name, function, arguments, result.
const PLAIN: &[(&str, Function, &[Type], Type)] = &[
    ("BEGINS", Function::Begins, &[Type::Text, Type::Text], Type::Bool),
    ("CONTAINS", Function::Contains, &[Type::Text, Type::Text], Type::Bool),
    ("LEN", Function::Len, &[Type::Text], Type::Number),
    ("LEFT", Function::Left, &[Type::Text, Type::Number], Type::Text),
    ("RIGHT", Function::Right, &[Type::Text, Type::Number], Type::Text),
    ("MID", Function::Mid, &[Type::Text, Type::Number, Type::Number], Type::Text),
    ("UPPER", Function::Upper, &[Type::Text], Type::Text),
    ("LOWER", Function::Lower, &[Type::Text], Type::Text),
    ("SUBSTITUTE", Function::Substitute, &[Type::Text, Type::Text, Type::Text], Type::Text),
    ("ROUND", Function::Round, &[Type::Number, Type::Number], Type::Number),
    ("TRIM", Function::Trim, &[Type::Text], Type::Text),
    ("VALUE", Function::Value, &[Type::Text], Type::Number),
    ("ABS", Function::Abs, &[Type::Number], Type::Number),
    ("TODAY", Function::Today, &[], Type::Date),
    ("NOW", Function::Now, &[], Type::DateTime),
];

/// Functions of [`check`], to tell a wrong number of arguments from an unknown function.
const SPECIAL: &[&str] = &[
    "AND",
    "OR",
    "NOT",
    "IF",
    "CASE",
    "ISNEW",
    "ISCHANGED",
    "PRIORVALUE",
    "ISPICKVAL",
    "INCLUDES",
    "ISBLANK",
    "ISNULL",
    "BLANKVALUE",
    "NULLVALUE",
    "TEXT",
    "DATEVALUE",
    "MAX",
    "MIN",
];

fn plain(checker: &Checker<'_>, expr: &Expr, name: &str, arguments: &[Expr]) -> Checked {
    let Some((_, function, wanted, result)) = PLAIN.iter().find(|(known, ..)| *known == name) else {
        if SPECIAL.contains(&name) {
            return error(
                expr,
                format!(
                    "Incorrect number of parameters for function '{name}()', received {}",
                    arguments.len()
                ),
            );
        }
        return error(expr, format!("Unknown function {name}. Check spelling"));
    };
    if wanted.len() != arguments.len() {
        return error(
            expr,
            format!(
                "Incorrect number of parameters for function '{name}()'. Expected {}, received {}",
                wanted.len(),
                arguments.len()
            ),
        );
    }
    let nodes = arguments
        .iter()
        .zip(*wanted)
        .map(|(argument, wanted)| checker.expect(argument, *wanted, &format!("{name}()")))
        .collect::<Result<Vec<_>, _>>()?;
    Ok((Node::Function(*function, nodes), *result))
}

fn all_bool(checker: &Checker<'_>, name: &str, arguments: &[Expr]) -> Result<Vec<Node>, FormulaError> {
    arguments.iter().map(|it| checker.expect(it, Type::Bool, &format!("{name}()"))).collect()
}

/// Two alternatives of one type that is not a picklist.
fn same_type(
    checker: &Checker<'_>,
    name: &str,
    first: &Expr,
    second: &Expr,
) -> Result<(Node, Node, Type), FormulaError> {
    let user = format!("{name}()");
    let (first_node, first_type) = checker.check(first)?;
    if matches!(first_type, Type::Picklist | Type::MultiPicklist) {
        return checker.wrong(first, &user, "Text, Number, Date, DateTime or Boolean", first_type);
    }
    let (second_node, second_type) = checker.check(second)?;
    let common = if first_type == Type::Null { second_type } else { first_type };
    if second_type != common && second_type != Type::Null {
        return checker.wrong(second, &user, common.name(), second_type);
    }
    Ok((first_node, second_node, common))
}

fn case(checker: &Checker<'_>, subject: &Expr, rest: &[Expr]) -> Checked {
    let (node, subject_type) = checker.check(subject)?;
    let key_type = match subject_type {
        Type::Picklist => Type::Text,
        Type::MultiPicklist | Type::Bool => {
            return checker.wrong(subject, "CASE()", "Text, Number, Date, DateTime, Picklist", subject_type);
        }
        other => other,
    };
    let [pairs @ .., last] = rest else {
        return error(subject, "Incorrect number of parameters for 'CASE()'");
    };
    let (otherwise, result) = checker.check(last)?;
    let mut arms = Vec::new();
    for pair in pairs.chunks_exact(2) {
        let [key, value] = pair else { continue };
        if subject_type == Type::Picklist && !matches!(key.kind, ExprKind::Text(_)) {
            return error(
                key,
                "Incorrect parameter for 'CASE()'. A picklist is compared with a text literal",
            );
        }
        arms.push((checker.expect(key, key_type, "CASE()")?, checker.expect(value, result, "CASE()")?));
    }
    let as_text = key_type == Type::Text;
    Ok((Node::Case { subject: Box::new(node), as_text, arms, otherwise: Box::new(otherwise) }, result))
}

/// The argument of `ISCHANGED` and `PRIORVALUE`: a field of this record, nothing else.
fn bare_field(checker: &Checker<'_>, name: &str, expr: &Expr) -> Result<(String, Type), FormulaError> {
    match &expr.kind {
        ExprKind::Name(name) if is_of_record(checker.dialect, name) => {
            Ok((name.clone(), checker.field(expr, name)?))
        }
        _ => error(expr, format!("The {name} function takes a field of this record, not an expression")),
    }
}

/// Whether a name is a field of the record that is saved.
fn is_of_record(dialect: Dialect, name: &str) -> bool {
    let field = match dialect {
        Dialect::Rule => Some(name),
        Dialect::Flow => name.strip_prefix("$Record."),
    };
    field.is_some_and(|field| !field.contains('.') && !field.starts_with('$'))
}

/// A picklist and a literal that must be one of its values.
fn pick(
    checker: &Checker<'_>,
    name: &str,
    wanted: Type,
    arguments: [&Expr; 2],
) -> Result<(Node, String), FormulaError> {
    let [field, literal] = arguments;
    let (node, found) = checker.check(field)?;
    if found != wanted {
        return error(
            field,
            format!(
                "Incorrect parameter type for '{name}()'. Expected {}, received {}",
                wanted.name(),
                found.name()
            ),
        );
    }
    let ExprKind::Text(text) = &literal.kind else {
        return error(
            literal,
            format!("Incorrect parameter for '{name}()'. The second one is a text literal"),
        );
    };
    let (Node::Field(field_name, _) | Node::Prior(field_name, _)) = &node else {
        return error(field, format!("Incorrect parameter for '{name}()'. The first one is a field"));
    };
    let known = match checker.types.field(field_name) {
        Some(FieldKind::Picklist(known) | FieldKind::MultiPicklist(known)) => known,
        _ => None,
    };
    match known {
        Some(values) if !text.is_empty() && !values.contains(text) => {
            error(literal, format!("'{text}' is not a value of {field_name}"))
        }
        _ => Ok((node, text.clone())),
    }
}
