//! References of composite subrequests: `@{ref.id}`, `@{ref.records[0].Id}`, `@{ref[1].id}`.

use std::collections::BTreeMap;

use serde_json::Value;

/// Bodies of the subrequests that ran so far, by reference id; `None` when one failed.
pub(super) type Results = BTreeMap<String, Option<Value>>;

/// Why a reference has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReferenceError {
    /// The subrequest that it names failed or was not run.
    Halted(String),
    /// No such subrequest before this one, or no such value in its reply.
    Unresolved(String),
}

/// The text with every reference replaced.
pub(super) fn resolve_text(text: &str, results: &Results) -> Result<String, ReferenceError> {
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("@{") {
        let Some(length) = rest[start..].find('}') else { break };
        resolved.push_str(&rest[..start]);
        resolved.push_str(&plain(&look_up(&rest[start + 2..start + length], results)?));
        rest = &rest[start + length + 1..];
    }
    resolved.push_str(rest);
    Ok(resolved)
}

/// The JSON with every reference in its texts replaced. A text that is one whole
/// reference takes the value with its type.
pub(super) fn resolve(json: &Value, results: &Results) -> Result<Value, ReferenceError> {
    Ok(match json {
        Value::String(text) => match text.strip_prefix("@{").and_then(|inner| inner.strip_suffix('}')) {
            Some(path) if !path.contains('}') => look_up(path, results)?,
            _ => Value::String(resolve_text(text, results)?),
        },
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| resolve(item, results)).collect::<Result<_, _>>()?)
        }
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, value)| Ok((key.clone(), resolve(value, results)?)))
                .collect::<Result<_, _>>()?,
        ),
        other => other.clone(),
    })
}

fn look_up(path: &str, results: &Results) -> Result<Value, ReferenceError> {
    let unresolved = || ReferenceError::Unresolved(path.to_owned());
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let (name, mut rest) = path.split_at(end);
    let body = match results.get(name) {
        Some(Some(body)) => body,
        Some(None) => return Err(ReferenceError::Halted(name.to_owned())),
        None => return Err(unresolved()),
    };
    let mut value = body;
    while !rest.is_empty() {
        if let Some(index) = rest.strip_prefix('[') {
            let close = index.find(']').ok_or_else(unresolved)?;
            let at: usize = index[..close].trim().parse().map_err(|_| unresolved())?;
            value = value.get(at).ok_or_else(unresolved)?;
            rest = &index[close + 1..];
        } else {
            let field = rest.strip_prefix('.').ok_or_else(unresolved)?;
            let end = field.find(['.', '[']).unwrap_or(field.len());
            value = value.get(&field[..end]).ok_or_else(unresolved)?;
            rest = &field[end..];
        }
    }
    if value.is_object() || value.is_array() || value.is_null() {
        Err(unresolved())
    } else {
        Ok(value.clone())
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn results() -> Results {
        Results::from([
            ("made".to_owned(), Some(json!({ "id": "00Q1", "success": true }))),
            ("found".to_owned(), Some(json!({ "records": [{ "Id": "001A", "Owner": { "Name": "R" } }] }))),
            ("many".to_owned(), Some(json!([{ "id": "a" }, { "id": "b" }]))),
            ("failed".to_owned(), None),
        ])
    }

    #[test]
    fn values_are_found_by_path() {
        let text = resolve_text("/sobjects/Lead/@{made.id}?x=@{found.records[0].Owner.Name}", &results());
        assert_eq!(text.unwrap(), "/sobjects/Lead/00Q1?x=R");
        let body = json!({ "A": "@{many[1].id}", "B": ["@{made.success}", "@{made.id}-x"], "C": 1 });
        let expected = json!({ "A": "b", "B": [true, "00Q1-x"], "C": 1 });
        assert_eq!(resolve(&body, &results()).unwrap(), expected);
    }

    #[test]
    fn names_are_case_sensitive_and_failures_are_told_apart() {
        let error = |text: &str| resolve_text(text, &results()).unwrap_err();
        assert_eq!(error("@{failed.id}"), ReferenceError::Halted("failed".into()));
        for path in ["Made.id", "made.Id", "many[2].id", "found.records", "later.id"] {
            assert_eq!(error(&format!("@{{{path}}}")), ReferenceError::Unresolved(path.into()));
        }
        assert_eq!(resolve_text("a@{b", &results()).unwrap(), "a@{b", "an open brace is text");
    }
}
