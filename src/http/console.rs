//! The door of the console: a password, `GET` alone, and headers under which a page loads and runs
//! nothing. What stands on the pages is not known here.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use super::Shared;

/// What is said where no password is set.
const OFF: &str = "the console is off; http.console_password_file in the settings switches it on\n";

/// What is said to whoever has no password or a wrong one.
const WHO: &str = "the console wants a password, with any user name; the file that http.console_password_file \
    names holds it\n";

/// Wrong passwords are answered one at a time, each after this long. Nobody waits with a right one.
const REFUSED_AFTER: Duration = Duration::from_secs(1);

/// Sent with every answer: no script, nothing from elsewhere, no frame, nothing kept.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

/// A page, as it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Status code of HTTP.
    pub code: u16,
    /// The whole page.
    pub html: String,
    /// Seconds after which a browser asks for it again; `None`: when people do.
    pub again: Option<u32>,
}

/// Makes the pages.
#[async_trait::async_trait]
pub trait Console: Send + Sync {
    /// The page at a path below `/console/`, without a slash at its ends; the first page has an empty
    /// one. What cannot be made is a page too.
    async fn page(&self, path: &str) -> Page;
}

/// The pages behind their password.
#[derive(Clone)]
pub struct Door {
    /// Not the password itself: of two digests no comparison tells how much of one was right.
    password: [u8; 32],
    pages: Arc<dyn Console>,
    refusing: Arc<Mutex<()>>,
}

impl Door {
    /// Whoever gives the password sees the pages.
    pub fn new(password: &str, pages: Arc<dyn Console>) -> Self {
        Self { password: Sha256::digest(password).into(), pages, refusing: Arc::default() }
    }

    fn opens(&self, given: &[u8]) -> bool {
        let given: [u8; 32] = Sha256::digest(given).into();
        verify_slices_are_equal(&self.password, &given).is_ok()
    }

    /// Nothing where it opens, else the answer.
    async fn refusal(&self, headers: &HeaderMap) -> Option<Response> {
        match given(headers) {
            // A browser asks people only after it has been refused, so this one does not wait.
            None => {}
            Some(password) if self.opens(&password) => return None,
            Some(_) => {
                let _one_at_a_time = self.refusing.lock().await;
                tokio::time::sleep(REFUSED_AFTER).await;
                tracing::warn!(code = "console-refused", "a wrong password for the console was refused");
            }
        }
        let realm = HeaderValue::from_static("Basic realm=\"countersign\"");
        Some((StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, realm)], WHO).into_response())
    }
}

/// The password of HTTP Basic. The user name before the first colon says nothing.
fn given(headers: &HeaderMap) -> Option<Vec<u8>> {
    let (scheme, rest) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let both = STANDARD.decode(rest.trim()).ok()?;
    let colon = both.iter().position(|byte| *byte == b':')?;
    Some(both[colon + 1..].to_vec())
}

/// The first page.
pub(super) async fn first(State(shared): State<Shared>, method: Method, headers: HeaderMap) -> Response {
    answer(&shared, &method, &headers, "").await
}

/// Any other page. A path that is no text is one that is not known.
pub(super) async fn other(
    State(shared): State<Shared>,
    method: Method,
    headers: HeaderMap,
    path: Result<Path<String>, axum::extract::rejection::PathRejection>,
) -> Response {
    let path = path.map_or_else(|_| "\u{fffd}".to_owned(), |Path(path)| path);
    answer(&shared, &method, &headers, &path).await
}

async fn answer(shared: &Shared, method: &Method, headers: &HeaderMap, path: &str) -> Response {
    let mut response = match &shared.console {
        None => (StatusCode::NOT_FOUND, OFF).into_response(),
        Some(_) if method != Method::GET => {
            (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET")], "the console only shows\n")
                .into_response()
        }
        Some(door) => match door.refusal(headers).await {
            Some(refused) => refused,
            None => page(&door.pages.page(path.trim_matches('/')).await),
        },
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn page(page: &Page) -> Response {
    let code = StatusCode::from_u16(page.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    let mut response = (code, html, page.html.clone()).into_response();
    if let Some(seconds) = page.again {
        response.headers_mut().insert(header::REFRESH, HeaderValue::from(seconds));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    #[async_trait::async_trait]
    impl Console for Nothing {
        async fn page(&self, path: &str) -> Page {
            Page { code: 200, html: path.to_owned(), again: None }
        }
    }

    fn with(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn the_password_is_all_that_stands_behind_the_first_colon() {
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(given(&with(&basic("anna:a:b"))), Some(b"a:b".to_vec()));
        assert_eq!(given(&with(&basic(":only"))), Some(b"only".to_vec()));
        assert_eq!(given(&with(&basic("anna:")).clone()), Some(Vec::new()));
        assert_eq!(given(&with(&basic("x:y").replace("Basic", "bAsIc"))), Some(b"y".to_vec()));
        for none in [basic("no colon"), "Bearer eHk=".to_owned(), "Basic !".to_owned(), "Basic".to_owned()] {
            assert_eq!(given(&with(&none)), None, "{none}");
        }
        assert_eq!(given(&HeaderMap::new()), None);
    }

    #[tokio::test]
    async fn wrong_passwords_are_answered_one_a_second_and_a_right_one_at_once() {
        let door = Door::new("a long password", Arc::new(Nothing));
        let of = |password: &str| with(&format!("Basic {}", STANDARD.encode(format!("x:{password}"))));
        let begun = tokio::time::Instant::now();
        let (wrong, longer, right) = (of("a long passwore"), of("a long password "), of("a long password"));
        let at_once = async {
            assert!(door.refusal(&right).await.is_none());
            assert!(door.refusal(&HeaderMap::new()).await.is_some());
            begun.elapsed()
        };
        let (one, other, passed) = tokio::join!(door.refusal(&wrong), door.refusal(&longer), at_once);
        assert!(passed < REFUSED_AFTER, "{passed:?}");
        assert!(begun.elapsed() >= 2 * REFUSED_AFTER, "{:?}", begun.elapsed());
        for answer in [one, other] {
            assert_eq!(answer.unwrap().status(), StatusCode::UNAUTHORIZED);
        }
    }
}
