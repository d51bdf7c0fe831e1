//! The console: what the commands tell, as pages that the daemon serves. It changes nothing.
//!
//! Each page is made by the function that makes the command's report, over a connection of its own that
//! only reads, one page at a time: who looks holds up whoever else looks, and not the engine. A replica that
//! stands by, or waits for its database, answers too.

mod frame;
mod overview;
mod route;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::sync::Mutex;

use self::route::Route;
use super::{
    code_of, decay,
    explain::Story,
    form::Form,
    jobs, ownership, place, quality, reconcile, shadow,
    status::{self, Standing},
    tables::{self, Page},
    watch, writers,
};
use crate::{
    clock::Clock,
    config::Settings,
    domain::Stage,
    http::{self, Console, Door, Probe},
    ledger::{Ledger, ProposalFilter},
    workflow::{decay::DecayError, reconcile::ReconcileError},
};

/// Most rows of a list; the commands have all.
const MOST: usize = 200;

/// How long a page may take.
const WITHIN: Duration = Duration::from_secs(10);

/// Seconds after which a browser asks for the overview again.
const AGAIN: u32 = 2;

/// The pages over one ledger.
struct Pages {
    settings: Settings,
    probe: Arc<dyn Probe>,
    clock: Clock,
    /// Opened when somebody looks; given up after each failure, so that the next look begins anew.
    ledger: Mutex<Option<Ledger>>,
}

/// The console behind its password; `None`: the settings name none.
pub fn door(settings: &Settings, probe: &Arc<dyn Probe>) -> Option<Door> {
    let password = settings.http.console_password.as_ref()?;
    let pages = Pages {
        settings: settings.clone(),
        probe: Arc::clone(probe),
        clock: Clock::system(),
        ledger: Mutex::new(None),
    };
    Some(Door::new(password.expose(), Arc::new(pages)))
}

/// Says where the console is, and what it lacks there.
pub fn announce(address: SocketAddr) {
    tracing::info!(%address, "the console is at /console");
    if !address.ip().is_loopback() {
        tracing::warn!(
            code = "console-without-tls",
            "the console is served beyond this machine, and its password goes there in clear text: put a proxy \
             with TLS in front, and let nobody else reach this port"
        );
    }
}

#[async_trait::async_trait]
impl Console for Pages {
    async fn page(&self, path: &str) -> http::Page {
        let Some(route) = Route::parse(path) else { return answer((404, missing()), None) };
        let made = match self.read(&route).await {
            Ok(Some(html)) => (200, Ok(html)),
            Ok(None) => (404, missing()),
            Err(error) if is_unknown(&error) => (404, missing()),
            // What the daemon is at is told also where its ledger cannot be read.
            Err(error) if route == Route::Overview => {
                let why = in_words(&error);
                (200, overview::html(&self.probe.readiness().await, Err(&why), self.clock.now()))
            }
            Err(error) => (500, failed(&error)),
        };
        answer(made, Some(&route))
    }
}

fn answer((code, html): (u16, anyhow::Result<String>), route: Option<&Route>) -> http::Page {
    let again = (route == Some(&Route::Overview)).then_some(AGAIN);
    match html {
        Ok(html) => http::Page { code, html: frame::around(&html, route), again },
        // Not even a page that tells it.
        Err(_) => http::Page { code: 500, html: "the page could not be made".to_owned(), again },
    }
}

impl Pages {
    /// Reads within the time that a page has, one page at a time.
    async fn read(&self, route: &Route) -> anyhow::Result<Option<String>> {
        let turn = async {
            let mut held = self.ledger.lock().await;
            // Taken out, so that a connection which is given up in the middle does not come back.
            let ledger = match held.take() {
                Some(ledger) => ledger,
                None => Ledger::open_read_only(&place::of(&self.settings.ledger)?).await?,
            };
            let made = self.make(&ledger, route).await;
            if made.as_ref().err().is_none_or(is_unknown) {
                *held = Some(ledger);
            }
            made
        };
        let late = |_| anyhow::anyhow!("console-late: it took longer than {} s", WITHIN.as_secs());
        tokio::time::timeout(WITHIN, turn).await.map_err(late)?
    }

    /// The page of a route; `None`: there is no such thing.
    async fn make(&self, ledger: &Ledger, route: &Route) -> anyhow::Result<Option<String>> {
        let now = self.clock.now();
        let page = match route {
            Route::Overview => {
                let (readiness, standing) = (self.probe.readiness().await, Standing::read(ledger).await?);
                return overview::html(&readiness, Ok(&standing), now).map(Some);
            }
            Route::DecayRun(name) => return decay::page_of(ledger, name).await.map(Some),
            Route::Reconciliation(name) => return reconcile::page_of(ledger, name).await.map(Some),
            Route::Scorecards => return shadow::tell(ledger, Form::Html, now).await.map(Some),
            Route::Queue => self.proposals(ledger, Some(Stage::AwaitingApproval), true).await?,
            Route::Proposals => self.proposals(ledger, None, false).await?,
            Route::Stage(stage) => self.proposals(ledger, Some(*stage), false).await?,
            Route::Proposal(id) => match Story::read(ledger, id).await? {
                Some(story) => story.page(),
                None => return Ok(None),
            },
            Route::Decay => decay::print::runs_page(&ledger.decay_runs().await?, MOST, "/console/decay"),
            Route::Reconcile => {
                let runs = ledger.reconciliations().await?;
                reconcile::print::runs_page(&runs, MOST, "/console/reconcile")
            }
            Route::Quality => quality::page_of(ledger, now).await?,
            Route::Writers => writers::page_of(ledger, ownership::of(&self.settings.policy)?).await?,
            Route::Jobs => {
                let listed = jobs::listed(ledger, &self.settings, now).await?;
                jobs::print::list_page(&listed, now, "/console/jobs")
            }
            Route::Job(job) => jobs::print::runs_page(*job, &ledger.job_runs(*job, MOST).await?),
            Route::Health => watch::page_of(ledger, &self.settings, now).await?,
        };
        tables::html(&page).map(Some)
    }

    /// The proposals of a stage, or of all.
    async fn proposals(
        &self,
        ledger: &Ledger,
        stage: Option<Stage>,
        oldest_first: bool,
    ) -> anyhow::Result<Page> {
        let found = ledger.proposals(&ProposalFilter { stage, limit: MOST, oldest_first }).await?;
        let order = if oldest_first { "oldest first" } else { "newest first" };
        let mut words = vec![match found.len() {
            MOST => format!("The first {MOST}, {order}."),
            count => format!("{count}, {order}."),
        }];
        if stage == Some(Stage::AwaitingApproval) {
            words.push("A reviewer decides on the record, in Salesforce.".to_owned());
        }
        let title = match stage {
            Some(Stage::AwaitingApproval) => "What waits for people".to_owned(),
            Some(stage) => format!("Proposals: {}", stage.name()),
            None => "Proposals".to_owned(),
        };
        let list = status::rows(&found, self.clock.now(), stage.is_none(), "/console/proposals");
        Ok(Page { title, words, tables: vec![list] })
    }
}

/// Whether the failure only says that there is nothing under this name.
fn is_unknown(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(DecayError::Unknown(_)))
        || matches!(error.downcast_ref(), Some(ReconcileError::Unknown(_)))
}

/// A failure with its code.
fn in_words(error: &anyhow::Error) -> String {
    match code_of(error) {
        Some(code) => format!("{code}: {error:#}"),
        None => format!("{error:#}"),
    }
}

fn missing() -> anyhow::Result<String> {
    told("There is no such page", "Nothing is known under this address.".to_owned())
}

fn failed(error: &anyhow::Error) -> anyhow::Result<String> {
    tracing::warn!(code = code_of(error), "a page of the console could not be made");
    told("This page could not be made", in_words(error))
}

fn told(title: &str, words: String) -> anyhow::Result<String> {
    tables::html(&Page { title: title.to_owned(), words: vec![words], tables: Vec::new() })
}
