//! Tables as a bulk query gives them: RFC 4180, the first row names the columns.
//!
//! A reader of our own, because the common one takes a quote that stands alone or a text that ends
//! within quotes for what was probably meant. Here a part that broke off must be refused.

use super::SalesforceError;

/// A table that is read row by row. It holds the whole text, and one row at a time as cells.
#[derive(Debug)]
pub(super) struct Table {
    text: Vec<u8>,
    at: usize,
    columns: Vec<String>,
}

impl Table {
    /// Reads the row of names. A text without any has no rows either.
    pub fn new(text: Vec<u8>) -> Result<Self, SalesforceError> {
        let at = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let mut table = Self { text, at, columns: Vec::new() };
        table.columns = table.cells()?.unwrap_or_default();
        Ok(table)
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The next row, a cell for each column.
    pub fn row(&mut self) -> Result<Option<Vec<String>>, SalesforceError> {
        let Some(cells) = self.cells()? else { return Ok(None) };
        if cells.len() != self.columns.len() {
            return Err(broken("a row has another number of cells than the first one"));
        }
        Ok(Some(cells))
    }

    /// The cells up to the end of the line.
    fn cells(&mut self) -> Result<Option<Vec<String>>, SalesforceError> {
        if self.at >= self.text.len() {
            return Ok(None);
        }
        let mut cells = Vec::with_capacity(self.columns.len());
        loop {
            let cell = if self.text.get(self.at) == Some(&b'"') { self.quoted()? } else { self.plain() };
            cells.push(String::from_utf8(cell).map_err(|_| broken("a cell is not UTF-8"))?);
            match self.text.get(self.at) {
                Some(b',') => self.at += 1,
                None => return Ok(Some(cells)),
                Some(b'\n') => {
                    self.at += 1;
                    return Ok(Some(cells));
                }
                Some(b'\r') if self.text.get(self.at + 1) == Some(&b'\n') => {
                    self.at += 2;
                    return Ok(Some(cells));
                }
                Some(_) => return Err(broken("something follows the closing quote of a cell")),
            }
        }
    }

    fn plain(&mut self) -> Vec<u8> {
        let rest = &self.text[self.at..];
        let end = rest.iter().position(|byte| matches!(byte, b',' | b'\n')).unwrap_or(rest.len());
        let cut = if rest[..end].ends_with(b"\r") && rest.get(end) == Some(&b'\n') { end - 1 } else { end };
        self.at += cut;
        rest[..cut].to_vec()
    }

    /// Two quotes inside quotes are one.
    fn quoted(&mut self) -> Result<Vec<u8>, SalesforceError> {
        let mut cell = Vec::new();
        let mut at = self.at + 1;
        loop {
            let rest = self.text.get(at..).unwrap_or_default();
            let Some(end) = rest.iter().position(|byte| *byte == b'"') else {
                return Err(broken("a quote is not closed"));
            };
            cell.extend_from_slice(&rest[..end]);
            at += end + 1;
            if self.text.get(at) != Some(&b'"') {
                self.at = at;
                return Ok(cell);
            }
            cell.push(b'"');
            at += 1;
        }
    }
}

fn broken(detail: &str) -> SalesforceError {
    SalesforceError::Unreadable { status: 200, detail: format!("the table of a bulk query: {detail}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(text: &str) -> Result<Vec<Vec<String>>, SalesforceError> {
        let mut table = Table::new(text.as_bytes().to_vec())?;
        std::iter::from_fn(|| table.row().transpose()).collect()
    }

    #[test]
    fn quotes_ends_of_lines_and_empty_cells_are_read() {
        let text = "\u{feff}\"Id\",\"Name\"\n\"1\",\"a \"\"b\"\",\nc\"\r\n2,\n\"\",x";
        let expected: [[&str; 2]; 3] = [["1", "a \"b\",\nc"], ["2", ""], ["", "x"]];
        assert_eq!(rows(text).unwrap(), expected.map(|row| row.map(str::to_owned).to_vec()));
        assert_eq!(Table::new(b"Id\n".to_vec()).unwrap().columns(), ["Id"]);
        assert!(Table::new(Vec::new()).unwrap().row().unwrap().is_none());
    }

    #[test]
    fn what_is_no_table_is_refused_and_never_a_row() {
        for text in ["a,b\n1\n", "a\n1,2\n", "a\n\"open", "a\n\"x\"y\n", "a\n\u{0}\"\",\n"] {
            assert_eq!(rows(text).unwrap_err().code(), "salesforce-unreadable", "{text:?}");
        }
        assert!(Table::new(vec![b'a', 0xff]).is_err());
    }

    proptest! {
        #[test]
        fn every_cell_comes_back(cells in prop::collection::vec("[a,\"\r\n é]{0,8}", 1..20), wide in 1_usize..4) {
            let quote = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let lines: Vec<Vec<String>> = cells.chunks_exact(wide).map(<[String]>::to_vec).collect();
            let head = vec!["c".to_owned(); wide];
            let text: String = std::iter::once(&head).chain(&lines)
                .map(|row| row.iter().map(quote).collect::<Vec<_>>().join(",") + "\n").collect();
            prop_assert_eq!(rows(&text).unwrap(), lines);
        }
    }
}
