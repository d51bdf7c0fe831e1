//! The SELECT list.

use super::{
    super::{
        ast::{Aggregate, FieldSet, Function, Path, Selected},
        error::SoqlError,
        lexer::TokenKind,
    },
    Parser,
};

impl Parser<'_> {
    pub(super) fn select_list(&mut self) -> Result<Vec<Selected>, SoqlError> {
        let mut list = vec![self.selected()?];
        while self.take_symbol(",") {
            list.push(self.selected()?);
        }
        Ok(list)
    }

    fn selected(&mut self) -> Result<Selected, SoqlError> {
        if self.is_symbol(0, "(") {
            let at = self.peek().at;
            let message = "sub-queries in the SELECT list are not supported by this org";
            return Err(SoqlError::malformed(self.soql, at, message));
        }
        if !self.is_symbol(1, "(") {
            return self.path().map(Selected::Field);
        }
        if self.is_word(0, "FIELDS") {
            return self.field_set();
        }
        if self.is_word(0, "COUNT") && self.is_symbol(2, ")") {
            self.next += 3;
            return Ok(Selected::CountRows);
        }
        let (function, path) = self.function_of()?;
        let alias = if self.is_symbol(0, ",") || self.is_word(0, "FROM") { None } else { Some(self.name()?) };
        Ok(Selected::Aggregate(Aggregate { function, path, alias }))
    }

    /// The aggregate function that stands next, if one does.
    pub(super) fn function_ahead(&self) -> Option<Function> {
        match &self.peek().kind {
            TokenKind::Word(name) if self.is_symbol(1, "(") => function(name),
            _ => None,
        }
    }

    /// `function(path)`
    pub(super) fn function_of(&mut self) -> Result<(Function, Path), SoqlError> {
        let found = self.function_ahead();
        let at = self.peek().at;
        let name = self.name()?;
        let function = found.ok_or_else(|| {
            SoqlError::malformed(self.soql, at, format!("function '{name}' is not supported by this org"))
        })?;
        self.need_symbol("(")?;
        let path = self.path()?;
        self.need_symbol(")")?;
        Ok((function, path))
    }

    fn field_set(&mut self) -> Result<Selected, SoqlError> {
        let at = self.peek().at;
        self.next += 2;
        let set = if self.take_word("ALL") {
            FieldSet::All
        } else if self.take_word("STANDARD") {
            FieldSet::Standard
        } else if self.take_word("CUSTOM") {
            FieldSet::Custom
        } else {
            return Err(self.unexpected());
        };
        self.need_symbol(")")?;
        Ok(Selected::Fields(set, at))
    }
}

fn function(name: &str) -> Option<Function> {
    const FUNCTIONS: &[(&str, Function)] = &[
        ("COUNT", Function::Count),
        ("COUNT_DISTINCT", Function::CountDistinct),
        ("MIN", Function::Min),
        ("MAX", Function::Max),
        ("SUM", Function::Sum),
        ("AVG", Function::Avg),
    ];
    FUNCTIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, function)| *function)
}

#[cfg(test)]
mod tests {
    use super::super::{super::ast::*, parse};

    #[test]
    fn reads_functions_and_field_sets() {
        let select = |soql| parse(soql).unwrap().select;
        assert_eq!(select("SELECT COUNT() FROM Lead"), [Selected::CountRows]);
        assert!(matches!(select("SELECT fields(all) FROM Lead")[0], Selected::Fields(FieldSet::All, 7)));
        let counted = select("SELECT Status, count(Id) total, MAX(CreatedDate) FROM Lead");
        assert!(
            matches!(&counted[1], Selected::Aggregate(a) if a.alias.as_deref() == Some("total") && a.function == Function::Count)
        );
        assert!(matches!(&counted[2], Selected::Aggregate(a) if a.alias.is_none()));
    }

    #[test]
    fn names_what_it_does_not_do() {
        let refused = |soql| parse(soql).unwrap_err().message;
        assert!(refused("SELECT toLabel(Status) FROM Lead").contains("'toLabel' is not supported"));
        assert!(refused("SELECT (SELECT Id FROM Contacts) FROM Account").contains("sub-queries"));
        assert!(refused("SELECT FIELDS(SOME) FROM Lead").contains("unexpected token: 'SOME'"));
    }
}
