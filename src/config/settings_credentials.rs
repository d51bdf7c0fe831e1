//! One identity's login, read from a table such as `[promoter]`.

use std::path::{Path, PathBuf};

use super::{Secret, load::Keys, settings::Credentials};

/// Keys that each kind needs, and keys that it may have.
const KINDS: &[(&str, &[&str], &[&str])] = &[
    ("jwt", &["client_id", "username", "private_key_path"], &["audience"]),
    ("client_credentials", &["client_id", "client_secret"], &[]),
    ("refresh", &["client_id", "refresh_token"], &["client_secret"]),
    ("access_token", &["access_token"], &[]),
];

const NAMES: &[&str] = &[
    "client_id",
    "client_secret",
    "username",
    "private_key_path",
    "audience",
    "refresh_token",
    "access_token",
];

/// The login in `table`; `None` when the table is absent or has a problem.
pub(super) fn credentials(keys: &mut Keys, table: &str) -> Option<Credentials> {
    if !keys.has_table(table) {
        return None;
    }
    let kind_key = format!("{table}.kind");
    let Some(kind) = keys.text(&kind_key) else {
        keys.missing(&kind_key, "the kind of login is not set");
        return None;
    };
    let Some((_, needed, optional)) = KINDS.iter().find(|(name, _, _)| *name == kind) else {
        keys.malformed(&kind_key, "this kind of login is not known");
        return None;
    };
    let mut complete = true;
    for name in NAMES {
        let key = format!("{table}.{name}");
        let given = keys.text(&key).is_some();
        if needed.contains(name) && !given {
            keys.missing(&key, &format!("a login of kind `{kind}` needs it"));
            complete = false;
        } else if given && !needed.contains(name) && !optional.contains(name) {
            let fix = "remove it or change the kind".to_owned();
            keys.push(&key, "key-not-of-kind", &format!("a login of kind `{kind}` has no use for it"), fix);
        }
    }
    complete.then(|| build(keys, table, &kind))
}

fn build(keys: &mut Keys, table: &str, kind: &str) -> Credentials {
    let text = |keys: &Keys, name: &str| keys.text(&format!("{table}.{name}")).unwrap_or_default();
    let secret = |keys: &Keys, name: &str| keys.secret(&format!("{table}.{name}"));
    let needed = |keys: &Keys, name: &str| secret(keys, name).unwrap_or_else(|| Secret::new(String::new()));
    let client_id = text(keys, "client_id");
    match kind {
        "jwt" => {
            let private_key_path = PathBuf::from(text(keys, "private_key_path"));
            check_key_file(keys, table, &private_key_path);
            let username = text(keys, "username");
            let audience = keys.text(&format!("{table}.audience"));
            Credentials::Jwt { client_id, username, private_key_path, audience }
        }
        "client_credentials" => {
            Credentials::ClientCredentials { client_id, client_secret: needed(keys, "client_secret") }
        }
        "refresh" => Credentials::Refresh {
            client_id,
            client_secret: secret(keys, "client_secret"),
            refresh_token: needed(keys, "refresh_token"),
        },
        _ => Credentials::AccessToken { access_token: needed(keys, "access_token") },
    }
}

/// Whoever reads the key file can log in as the promoter, or sign checkpoints.
pub(super) fn check_key_file(keys: &mut Keys, table: &str, path: &Path) {
    check_private(keys, &format!("{table}.private_key_path"), path);
}

/// A file that holds a secret is for its owner only.
pub(super) fn check_private(keys: &mut Keys, key: &str, path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    match std::fs::metadata(path) {
        Ok(file) if !file.is_file() => keys.malformed(key, "this is not a file"),
        Ok(file) if file.permissions().mode() & 0o077 != 0 => {
            let fix = "take the rights of group and others away: chmod 600".to_owned();
            keys.push(key, "private-key-readable-by-others", "other users of this machine can read it", fix);
        }
        Ok(_) => {}
        Err(error) => keys.malformed(key, &format!("the file cannot be read: {error}")),
    }
}
