//! Connected apps with authorised sessions: what else may be writing, and for how many users.
//!
//! Source: Object Reference (`OauthToken`, `ConnectedApplication`). Who has neither Customize Application
//! nor Manage Users sees its own tokens alone, which looks like an org without other apps: that is told as
//! not shown. A query gives at most 2,500 tokens; what is beyond is counted. Tokens of external client
//! apps are shown by the Connect API only and are not looked at.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::{hidden, text};
use crate::{
    domain::RecordId,
    salesforce::{Reader, SalesforceError, reader::RowPages},
};

/// Most users whose names are asked for.
const MOST_NAMES: usize = 400;

/// A connected app.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct App {
    /// Its label; data.
    pub name: String,
    /// Authorised sessions.
    pub tokens: u64,
    /// How many users have one.
    pub users: usize,
    /// When one was last used, as the org says it.
    pub last_used: Option<String>,
    /// Only users whom an admin approved may use it; `None` where the org does not say.
    pub approved_only: Option<bool>,
    /// Full names of the users, where they were asked for: personal data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

/// All apps that have sessions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Apps {
    /// By name.
    pub apps: Vec<App>,
    /// Sessions that the org did not list.
    pub beyond: u64,
}

impl Reader {
    /// Which apps have sessions; `None` where the org shows no tokens but this identity's own.
    pub(super) async fn apps(&self, named: bool) -> Result<Option<Apps>, SalesforceError> {
        let own = self.connection().identity().await?.user_id;
        let Some(tokens) = hidden(self.tokens().await)? else { return Ok(None) };
        let is_own = |row: &Value| user(row).is_none_or(|user| user == own);
        if tokens.iter().all(is_own) {
            return Ok(None);
        }
        // The count may be of a moment later.
        let all = self.count("SELECT COUNT() FROM OauthToken").await?;
        let beyond = all.saturating_sub(tokens.len() as u64);
        let apps = by_app(&tokens);
        let rules = self.installed().await?;
        let mut names = BTreeMap::new();
        if named {
            let ids: BTreeSet<&RecordId> = apps.values().flat_map(|(_, users)| users).collect();
            let ids: Vec<RecordId> = ids.into_iter().take(MOST_NAMES).cloned().collect();
            names = self.users(&ids).await?;
        }
        let finished = apps.into_values().map(|(app, users)| App {
            users: users.len(),
            approved_only: rules.get(&app.name).copied(),
            names: users.iter().filter_map(|id| names.get(id)).map(|user| user.name.clone()).collect(),
            ..app
        });
        Ok(Some(Apps { apps: finished.collect(), beyond }))
    }

    async fn tokens(&self) -> Result<Vec<Value>, SalesforceError> {
        let soql = "SELECT AppName, UserId, LastUsedDate FROM OauthToken";
        RowPages::new(self.clone(), soql.to_owned()).all().await
    }

    /// Apps that are installed, and whether only approved users may use them; none where they are hidden.
    async fn installed(&self) -> Result<BTreeMap<String, bool>, SalesforceError> {
        let soql = "SELECT Name, OptionsAllowAdminApprovedUsersOnly FROM ConnectedApplication";
        let rows = RowPages::new(self.clone(), soql.to_owned()).all().await;
        let rows = hidden(rows)?.unwrap_or_default();
        let app = |row: &Value| {
            let only = row.get("OptionsAllowAdminApprovedUsersOnly")?.as_bool()?;
            Some((text(row, "Name").to_owned(), only))
        };
        Ok(rows.iter().filter_map(app).collect())
    }
}

/// The apps of these tokens, and who has one of each.
fn by_app(tokens: &[Value]) -> BTreeMap<String, (App, BTreeSet<RecordId>)> {
    let mut apps: BTreeMap<String, (App, BTreeSet<RecordId>)> = BTreeMap::new();
    for row in tokens {
        let name = text(row, "AppName").to_owned();
        let (app, users) = apps.entry(name.clone()).or_default();
        app.name = name;
        app.tokens += 1;
        let used = row.get("LastUsedDate").and_then(Value::as_str).map(str::to_owned);
        app.last_used = app.last_used.take().max(used);
        users.extend(user(row));
    }
    apps
}

fn user(row: &Value) -> Option<RecordId> {
    RecordId::parse(&RecordId::complete(text(row, "UserId")).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tokens_are_counted_by_app_and_the_last_use_is_told() {
        let token = |app: &str, user: &str, used: Value| json!({ "AppName": app, "UserId": format!("005Cs000000000{user}"), "LastUsedDate": used });
        let found = by_app(&[
            token("Example Loader", "8", json!("2026-02-01T00:00:00.000+0000")),
            token("Example Loader", "8", json!("2026-03-01T00:00:00.000+0000")),
            token("Example Loader", "9", json!("2026-01-01T00:00:00.000+0000")),
            token("Example Sync", "9", Value::Null),
        ]);
        let (loader, users) = &found["Example Loader"];
        assert_eq!((loader.tokens, users.len()), (3, 2));
        assert_eq!(loader.last_used.as_deref(), Some("2026-03-01T00:00:00.000+0000"));
        let (sync, users) = &found["Example Sync"];
        assert_eq!((sync.tokens, users.len(), &sync.last_used), (1, 1, &None));
    }
}
