//! Who may edit governed fields, and which connected apps have sessions, for a terminal.

use std::fmt::Write as _;

use crate::{
    cli::show::{safe, table},
    salesforce::{Access, Apps, Giver, Inventory, MOST_EDITORS_NAMED, Set},
};

/// Both, each with what the org does not show. `named`: users were asked for.
pub fn text(found: &Inventory, named: bool) -> String {
    let mut out = String::from("\nwho may edit governed fields\n");
    match &found.access {
        Some(told) => out += &access(told, named),
        None => {
            out += "  not shown by the org: it takes View Setup and Configuration\n";
        }
    }
    out += "\nconnected apps with authorised sessions\n";
    match &found.apps {
        Some(told) => out += &apps(told),
        None => {
            out += "  not shown by the org: without Customize Application or Manage Users an identity sees its own\n";
        }
    }
    out
}

fn is(set: &Set) -> &'static str {
    match set.is {
        Giver::Profile => "profile",
        Giver::PermissionSet => "permission set",
        Giver::Group => "permission set group",
    }
}

fn users(set: &Set) -> String {
    set.users.map_or_else(|| "not shown".to_owned(), |users| users.to_string())
}

fn access(told: &Access, named: bool) -> String {
    let mut rows = vec![["field", "through", "is", "users", "edits the object"].map(str::to_owned).to_vec()];
    rows.extend(told.grants.iter().map(|grant| {
        vec![
            format!("{}.{}", grant.object, grant.field),
            safe(&grant.set.name),
            is(&grant.set).to_owned(),
            users(&grant.set),
            if grant.with_object { "yes" } else { "by another set" }.to_owned(),
        ]
    }));
    let mut out = String::new();
    for line in table(&rows).lines() {
        let _ = writeln!(out, "  {line}");
    }
    for set in &told.administrators {
        let (name, is, users) = (safe(&set.name), is(set), users(set));
        let _ = writeln!(out, "  may change rules and all data: {name} ({is}), users: {users}");
    }
    match (&told.editors, told.assignments) {
        (Some(editors), _) => {
            for one in editors {
                let through = one.through.iter().map(|name| safe(name)).collect::<Vec<_>>().join(", ");
                let (name, username) = (safe(&one.name), safe(&one.username));
                let _ =
                    writeln!(out, "  {}.{}: {name} ({username}) through {through}", one.object, one.field);
            }
        }
        (None, None) => out += "  which users have them is not shown by the org\n",
        (None, Some(all)) if named => {
            let _ = writeln!(out, "  {all} assignments: users are named up to {MOST_EDITORS_NAMED}");
        }
        (None, Some(_)) => {}
    }
    out
}

fn apps(told: &Apps) -> String {
    let mut rows =
        vec![["app", "users", "sessions", "last used", "who may use it"].map(str::to_owned).to_vec()];
    rows.extend(told.apps.iter().map(|app| {
        vec![
            safe(&app.name),
            app.users.to_string(),
            app.tokens.to_string(),
            safe(app.last_used.as_deref().unwrap_or("-")),
            match app.approved_only {
                Some(true) => "users whom an admin approved",
                Some(false) => "every user",
                None => "not shown",
            }
            .to_owned(),
        ]
    }));
    let mut out = String::new();
    for line in table(&rows).lines() {
        let _ = writeln!(out, "  {line}");
    }
    for app in told.apps.iter().filter(|app| !app.names.is_empty()) {
        let names = app.names.iter().map(|name| safe(name)).collect::<Vec<_>>().join(", ");
        let _ = writeln!(out, "  {}: {names}", safe(&app.name));
    }
    if told.beyond > 0 {
        let _ = writeln!(out, "  and {} session(s) that the org did not list", told.beyond);
    }
    out
}
