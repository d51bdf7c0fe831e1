//! PostgreSQL's form of a statement.

/// Reading a text inside a JSON text, as SQLite writes it.
const ARROW: &str = "->> '$.";

/// `?` becomes `$1`, `?2` becomes `$2`, and `body ->> '$.a.b'` becomes `(doc(body) #>> '{a,b}')`;
/// `doc` is a function of the ledger's schema. What stands in quotes stays as it is.
pub(super) fn postgres(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 16);
    let mut rest = sql;
    let mut bound = 0;
    while let Some(letter) = rest.chars().next() {
        if let Some(path) = rest.strip_prefix(ARROW) {
            let (path, after) = path.split_once('\'').unwrap_or((path, ""));
            let path = path.replace('.', ",");
            let column = last_name(&mut out);
            out.push_str(&format!("(doc({column}) #>> '{{{path}}}')"));
            rest = after;
            continue;
        }
        match letter {
            '?' => {
                let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
                if digits == 0 {
                    bound += 1;
                    out.push_str(&format!("${bound}"));
                } else {
                    out.push('$');
                    out.push_str(&rest[1..=digits]);
                }
                rest = &rest[1 + digits..];
            }
            '\'' => {
                let length = rest[1..].find('\'').map_or(rest.len(), |end| end + 2);
                out.push_str(&rest[..length]);
                rest = &rest[length..];
            }
            other => {
                out.push(other);
                rest = &rest[other.len_utf8()..];
            }
        }
    }
    out
}

/// Takes the name that stands last out of the text.
fn last_name(out: &mut String) -> String {
    out.truncate(out.trim_end().len());
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '.';
    let start = out.trim_end_matches(is_name).len();
    out.split_off(start)
}

#[cfg(test)]
mod tests {
    use super::postgres;

    #[test]
    fn marks_and_arrows_are_rewritten_and_quotes_are_not() {
        for (sql, expected) in [
            ("SELECT 1", "SELECT 1"),
            ("a = ? AND b IN (?,?)", "a = $1 AND b IN ($2,$3)"),
            ("VALUES (?1, ?12) SET v = ?1", "VALUES ($1, $12) SET v = $1"),
            ("x = 'a?b' AND y = ? AND z = '?'", "x = 'a?b' AND y = $1 AND z = '?'"),
            (
                "WHERE (? IS NULL OR p.body ->> '$.actor.agent' = ?)",
                "WHERE ($1 IS NULL OR (doc(p.body) #>> '{actor,agent}') = $2)",
            ),
            ("SELECT text ->> '$.at' FROM entry", "SELECT (doc(text) #>> '{at}') FROM entry"),
            ("it = 'it''s ?' OR a = ?", "it = 'it''s ?' OR a = $1"),
        ] {
            assert_eq!(postgres(sql), expected);
        }
    }
}
