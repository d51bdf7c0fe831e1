//! Pages that commands write: whole and by themselves. They load nothing and run nothing, and every
//! value in them is escaped.

use anyhow::Context as _;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

/// Fills a template. A name that it uses and nobody gives is an error.
pub fn render(template: &str, words: impl Into<Value>) -> anyhow::Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.render_named_str("page.html", template, words).context("the page")
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::render;

    #[test]
    fn values_are_data_and_a_missing_name_is_an_error() {
        assert_eq!(render("<b>{{ it }}</b>", context! { it => "<i>&" }).unwrap(), "<b>&lt;i&gt;&amp;</b>");
        assert!(render("{{ other }}", context! {}).is_err());
    }
}
