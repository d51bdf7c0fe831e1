//! The template engine: what templates exist, and how values become XML.

use std::fmt::Write as _;

use minijinja::{
    AutoEscape, Environment, Error, Output, State, UndefinedBehavior, Value, syntax::SyntaxConfig,
    value::Serde,
};
use serde::Serialize;

/// Every template, by the name that other templates use.
const TEMPLATES: &[(&str, &str)] = &[
    ("field.xml", include_str!("templates/field.xml.j2")),
    ("rule.xml", include_str!("templates/rule.xml.j2")),
    ("permission_set.xml", include_str!("templates/permission_set.xml.j2")),
    ("value_set.xml", include_str!("templates/value_set.xml.j2")),
    ("manifest.xml", include_str!("templates/manifest.xml.j2")),
    ("channel_member.xml", include_str!("templates/channel_member.xml.j2")),
    ("rules/macros.j2", include_str!("templates/rules/macros.j2")),
    ("rules/01", include_str!("templates/rules/01.j2")),
    ("rules/02", include_str!("templates/rules/02.j2")),
    ("rules/03", include_str!("templates/rules/03.j2")),
    ("rules/04", include_str!("templates/rules/04.j2")),
    ("rules/05", include_str!("templates/rules/05.j2")),
    ("rules/06", include_str!("templates/rules/06.j2")),
    ("rules/07", include_str!("templates/rules/07.j2")),
    ("rules/08", include_str!("templates/rules/08.j2")),
    ("rules/09", include_str!("templates/rules/09.j2")),
    ("rules/10", include_str!("templates/rules/10.j2")),
    ("rules/11", include_str!("templates/rules/11.j2")),
    ("rules/12", include_str!("templates/rules/12.j2")),
    ("rules/13", include_str!("templates/rules/13.j2")),
    ("rules/14", include_str!("templates/rules/14.j2")),
    ("rules/15", include_str!("templates/rules/15.j2")),
    ("rules/16", include_str!("templates/rules/16.j2")),
    ("rules/17", include_str!("templates/rules/17.j2")),
    ("rules/22", include_str!("templates/rules/22.j2")),
    ("rules/23", include_str!("templates/rules/23.j2")),
];

/// Renders templates. A name that a template uses and nobody gives is an error.
pub(super) struct Engine {
    environment: Environment<'static>,
}

impl Engine {
    pub(super) fn new() -> Self {
        let mut environment = Environment::new();
        let syntax =
            SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
        environment.set_syntax(syntax.expect("block marks are the usual ones"));
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| match name.ends_with(".xml") {
            true => AutoEscape::Custom("xml".into()),
            false => AutoEscape::None,
        });
        environment.set_formatter(format);
        environment.add_filter("listed", |words: Vec<String>, last: &str| listed(&words, last));
        for (name, text) in TEMPLATES {
            environment.add_template(name, text).expect("shipped templates parse");
        }
        Self { environment }
    }

    /// A template of [`TEMPLATES`] over one named value.
    ///
    /// # Panics
    /// When a shipped template and what it is given do not fit; tests render every template.
    pub(super) fn render(&self, template: &str, name: &str, value: impl Serialize) -> String {
        let template = self.environment.get_template(template).expect("the template is shipped");
        let context = Value::from_pairs([(name, Value::from(Serde(value)))]);
        template.render(context).expect("shipped templates fit what they are given")
    }

    /// One string of the text files beside the templates.
    pub(super) fn text(&self, text: &str, context: &Value) -> String {
        self.environment.render_str(text, context).expect("shipped texts fit what they are given")
    }
}

/// What strings and templates may name.
pub(super) fn context(values: &serde_json::Value) -> Value {
    Value::from(Serde(values))
}

/// Values in XML files are escaped as Salesforce's own tools write them.
fn format(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if !matches!(state.auto_escape(), AutoEscape::Custom(_)) {
        return minijinja::escape_formatter(out, state, value);
    }
    if let Ok(flag) = bool::try_from(value.clone()) {
        return Ok(out.write_str(if flag { "true" } else { "false" })?);
    }
    for letter in value.to_string().chars() {
        match letter {
            '&' => out.write_str("&amp;")?,
            '<' => out.write_str("&lt;")?,
            '>' => out.write_str("&gt;")?,
            '"' => out.write_str("&quot;")?,
            '\'' => out.write_str("&apos;")?,
            other => out.write_char(other)?,
        }
    }
    Ok(())
}

/// `a, b or c`
fn listed(words: &[String], last: &str) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}
