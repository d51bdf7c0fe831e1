//! The line of links on each page that is served. Pages that commands write to files have none.

use super::Route;

/// Where the body of every page begins; no value can write it, for each one is escaped.
const BODY: &str = "<body>\n";

const STYLE: &str = "<style>nav { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; padding-bottom: .7rem; \
    margin-bottom: 1.5rem; border-bottom: 1px solid var(--line); } nav a { color: inherit; } \
    nav a.here { font-weight: 600; text-decoration: none; }</style>\n";

/// Address, name, and whether a page stands under it.
type Link = (&'static str, &'static str, fn(&Route) -> bool);

const LINKS: [Link; 10] = [
    ("/console", "Overview", |at| matches!(at, Route::Overview)),
    ("/console/queue", "Queue", |at| matches!(at, Route::Queue)),
    ("/console/proposals", "Proposals", |at| {
        matches!(at, Route::Proposals | Route::Proposal(_) | Route::Stage(_))
    }),
    ("/console/decay", "Decay", |at| matches!(at, Route::Decay | Route::DecayRun(_))),
    ("/console/reconcile", "Reconciliation", |at| matches!(at, Route::Reconcile | Route::Reconciliation(_))),
    ("/console/scorecards", "Scorecards", |at| matches!(at, Route::Scorecards)),
    ("/console/quality", "Quality", |at| matches!(at, Route::Quality)),
    ("/console/writers", "Writers", |at| matches!(at, Route::Writers)),
    ("/console/jobs", "Jobs", |at| matches!(at, Route::Jobs | Route::Job(_))),
    ("/console/health", "Health", |at| matches!(at, Route::Health)),
];

/// The page with its links.
pub fn around(html: &str, at: Option<&Route>) -> String {
    let links = LINKS.iter().map(|(to, name, is_here)| {
        let here = if at.is_some_and(is_here) { " class=\"here\" aria-current=\"page\"" } else { "" };
        format!("<a href=\"{to}\"{here}>{name}</a>")
    });
    let links: Vec<String> = links.collect();
    html.replacen(BODY, &format!("{BODY}{STYLE}<nav>{}</nav>\n", links.join(" ")), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_stands_under_one_link_and_every_link_leads_to_a_page() {
        for (to, name, _) in LINKS {
            let path = to.trim_start_matches("/console").trim_start_matches('/');
            let route = Route::parse(path).unwrap_or_else(|| panic!("{to}"));
            let html = around("<html>\n<body>\n<p>&lt;body&gt;</p></body>", Some(&route));
            assert_eq!(html.matches("class=\"here\"").count(), 1, "{html}");
            assert!(html.contains(&format!("class=\"here\" aria-current=\"page\">{name}</a>")), "{html}");
        }
        assert!(!around("<body>\n", None).contains("class=\"here\""));
    }
}
