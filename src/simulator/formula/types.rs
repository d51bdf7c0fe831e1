//! Names and types: what Salesforce refuses at deploy is refused here.

use super::{
    FormulaError, Types,
    ast::{BinaryOp, Expr, ExprKind, FieldKind, Node, Type, UnaryOp},
    calls,
    lexer::Dialect,
};
use crate::domain::FieldValue;

/// A checked expression with its type.
pub(super) type Checked = Result<(Node, Type), FormulaError>;

/// Checks expressions against what exists.
pub(super) struct Checker<'a> {
    pub(super) types: &'a dyn Types,
    pub(super) dialect: Dialect,
}

/// An error at an expression.
pub(super) fn error<T>(expr: &Expr, message: impl Into<String>) -> Result<T, FormulaError> {
    Err(FormulaError { position: expr.position, message: message.into() })
}

impl Checker<'_> {
    /// A whole validation rule: it must be true or false.
    pub(super) fn rule(&self, expr: &Expr) -> Result<Node, FormulaError> {
        let (node, found) = self.check(expr)?;
        if found == Type::Bool {
            return Ok(node);
        }
        error(
            expr,
            format!(
                "Formula result is data type ({}), incompatible with expected data type (true or false)",
                found.name()
            ),
        )
    }

    /// Any expression.
    pub(super) fn check(&self, expr: &Expr) -> Checked {
        match &expr.kind {
            ExprKind::Number(number) => Ok((Node::Constant(FieldValue::decimal(*number)), Type::Number)),
            ExprKind::Text(text) => Ok((Node::Constant(FieldValue::text(text.clone())), Type::Text)),
            ExprKind::Bool(flag) => Ok((Node::Constant(FieldValue::Bool(*flag)), Type::Bool)),
            ExprKind::Null => Ok((Node::Constant(FieldValue::Null), Type::Null)),
            ExprKind::Name(name) => self.name(expr, name),
            ExprKind::Call(name, arguments) => calls::check(self, expr, name, arguments),
            ExprKind::Unary(UnaryOp::Not, inner) => {
                Ok((Node::Not(Box::new(self.expect(inner, Type::Bool, "!")?)), Type::Bool))
            }
            ExprKind::Unary(UnaryOp::Minus, inner) => {
                Ok((Node::Minus(Box::new(self.expect(inner, Type::Number, "-")?)), Type::Number))
            }
            ExprKind::Unary(UnaryOp::Plus, inner) => {
                Ok((self.expect(inner, Type::Number, "+")?, Type::Number))
            }
            ExprKind::Binary(operator, left, right) => self.operator(*operator, [left, right]),
        }
    }

    /// An expression of one type.
    pub(super) fn expect(&self, expr: &Expr, wanted: Type, user: &str) -> Result<Node, FormulaError> {
        let (node, found) = self.check(expr)?;
        if found == wanted || found == Type::Null {
            return Ok(node);
        }
        self.wrong(expr, user, wanted.name(), found)
    }

    /// The refusal of a type, in Salesforce's words for picklists and for the rest.
    pub(super) fn wrong<T>(
        &self,
        expr: &Expr,
        user: &str,
        wanted: &str,
        found: Type,
    ) -> Result<T, FormulaError> {
        if let (Type::Picklist | Type::MultiPicklist, ExprKind::Name(name)) = (found, &expr.kind) {
            return error(
                expr,
                format!(
                    "Field {name} is a picklist field. Picklist fields are only supported in certain functions"
                ),
            );
        }
        error(
            expr,
            format!("Incorrect parameter type for '{user}'. Expected {wanted}, received {}", found.name()),
        )
    }

    /// The type of a field of the record, which must exist and be usable in a formula.
    pub(super) fn field(&self, expr: &Expr, name: &str) -> Result<Type, FormulaError> {
        match self.types.field(name) {
            None => error(expr, format!("Field {name} does not exist. Check spelling")),
            Some(FieldKind::LongText) if self.dialect == Dialect::Flow => Ok(Type::Text),
            Some(FieldKind::LongText) => error(
                expr,
                format!("Field {name} is a long text area field. Long text area fields may not be used"),
            ),
            Some(FieldKind::Plain(plain)) => Ok(plain),
            Some(FieldKind::Picklist(_)) => Ok(Type::Picklist),
            Some(FieldKind::MultiPicklist(_)) => Ok(Type::MultiPicklist),
        }
    }

    fn name(&self, expr: &Expr, name: &str) -> Checked {
        let missing = || error(expr, format!("Field {name} does not exist. Check spelling"));
        let parts: Vec<&str> = name.split('.').collect();
        match parts.as_slice() {
            ["$Permission", permission] if self.types.has_permission(permission) => {
                Ok((Node::Permission((*permission).to_owned()), Type::Bool))
            }
            ["$CustomMetadata", metadata_type, record, field] => {
                match self.types.custom_metadata(metadata_type, record, field) {
                    Some(FieldKind::Plain(plain)) => Ok((
                        Node::CustomMetadata(
                            (*metadata_type).to_owned(),
                            (*record).to_owned(),
                            (*field).to_owned(),
                            plain,
                        ),
                        plain,
                    )),
                    _ => missing(),
                }
            }
            ["$User", field @ ("Id" | "ProfileId" | "Username" | "Email")] => {
                Ok((Node::User((*field).to_owned()), Type::Text))
            }
            ["$User", field] if field.ends_with("__c") => match self.types.user_field(field) {
                Some(FieldKind::Plain(plain)) => Ok((Node::User((*field).to_owned()), plain)),
                _ => missing(),
            },
            [field] if !field.starts_with('$') => self.resource(expr, field),
            ["$Permission" | "$CustomMetadata", ..] => missing(),
            _ if self.dialect == Dialect::Flow => self.resource(expr, name),
            _ => missing(),
        }
    }

    /// A field, or in a flow whatever else has a name.
    fn resource(&self, expr: &Expr, name: &str) -> Checked {
        let found = self.field(expr, name)?;
        Ok((Node::Field(name.to_owned(), found), found))
    }

    fn operator(&self, operator: BinaryOp, sides: [&Expr; 2]) -> Checked {
        let symbol = symbol(operator);
        let [left, right] = sides;
        match operator {
            BinaryOp::And | BinaryOp::Or => {
                let both =
                    vec![self.expect(left, Type::Bool, symbol)?, self.expect(right, Type::Bool, symbol)?];
                let node = if operator == BinaryOp::And { Node::And(both) } else { Node::Or(both) };
                Ok((node, Type::Bool))
            }
            BinaryOp::Concat => {
                let both = [self.expect(left, Type::Text, symbol)?, self.expect(right, Type::Text, symbol)?];
                Ok((Node::Concat(Box::new(both)), Type::Text))
            }
            BinaryOp::Equal | BinaryOp::NotEqual => {
                let (both, common) = self.alike(sides, symbol)?;
                let node = Node::Equal {
                    sides: Box::new(both),
                    as_text: matches!(common, Type::Text | Type::Null),
                    negated: operator == BinaryOp::NotEqual,
                };
                Ok((node, Type::Bool))
            }
            BinaryOp::Less | BinaryOp::LessOrEqual | BinaryOp::Greater | BinaryOp::GreaterOrEqual => {
                let (both, common) = self.alike(sides, symbol)?;
                if common == Type::Bool {
                    return self.wrong(left, symbol, "Number, Date, DateTime or Text", common);
                }
                Ok((Node::Compare(operator, Box::new(both)), Type::Bool))
            }
            BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide => {
                self.arithmetic(operator, sides)
            }
        }
    }

    /// Two operands of one comparable type.
    fn alike(&self, sides: [&Expr; 2], symbol: &str) -> Result<([Node; 2], Type), FormulaError> {
        let [left, right] = sides;
        let (left_node, left_type) = self.comparable(left, symbol)?;
        let (right_node, right_type) = self.comparable(right, symbol)?;
        let common = if left_type == Type::Null { right_type } else { left_type };
        if right_type != common && right_type != Type::Null {
            return self.wrong(right, symbol, common.name(), right_type);
        }
        Ok(([left_node, right_node], common))
    }

    fn comparable(&self, expr: &Expr, symbol: &str) -> Checked {
        let (node, found) = self.check(expr)?;
        if matches!(found, Type::Picklist | Type::MultiPicklist) {
            return self.wrong(expr, symbol, "Text, Number, Date, DateTime or Boolean", found);
        }
        Ok((node, found))
    }

    fn arithmetic(&self, operator: BinaryOp, sides: [&Expr; 2]) -> Checked {
        let [left, right] = sides;
        let (left_node, left_type) = self.check(left)?;
        let (right_node, right_type) = self.check(right)?;
        let result = match (operator, left_type, right_type) {
            (_, Type::Number | Type::Null, Type::Number | Type::Null) => Type::Number,
            (BinaryOp::Add | BinaryOp::Subtract, Type::Date, Type::Number) => Type::Date,
            (BinaryOp::Add | BinaryOp::Subtract, Type::DateTime, Type::Number) => Type::DateTime,
            (BinaryOp::Add, Type::Number, Type::Date) => Type::Date,
            (BinaryOp::Add, Type::Number, Type::DateTime) => Type::DateTime,
            (BinaryOp::Subtract, Type::Date, Type::Date)
            | (BinaryOp::Subtract, Type::DateTime, Type::DateTime) => Type::Number,
            (_, Type::Number, other) => return self.wrong(right, symbol(operator), "Number", other),
            (_, other, _) => return self.wrong(left, symbol(operator), "Number", other),
        };
        Ok((Node::Arithmetic(operator, Box::new([left_node, right_node])), result))
    }
}

fn symbol(operator: BinaryOp) -> &'static str {
    match operator {
        BinaryOp::Or => "||",
        BinaryOp::And => "&&",
        BinaryOp::Equal => "=",
        BinaryOp::NotEqual => "<>",
        BinaryOp::Less => "<",
        BinaryOp::LessOrEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterOrEqual => ">=",
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Concat => "&",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
    }
}
