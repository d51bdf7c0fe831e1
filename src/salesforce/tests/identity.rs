//! Tokens: one login for many, one refresh for one request, and none where it cannot help.

use serde_json::json;

use super::fake::{Answer, Fake, expired};
use crate::{
    domain::RecordId,
    salesforce::{Connection, Credentials, SalesforceError},
};

fn userinfo() -> Answer {
    Answer::Json(
        200,
        json!({ "user_id": "005000000000001AAA", "organization_id": "00D000000000001EAA", "preferred_username": "p@example.com" }),
    )
}

#[tokio::test]
async fn many_requests_make_one_login() {
    let fake = Fake::start((0..20).map(|_| userinfo()).collect()).await;
    let connection = fake.connection();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let connection = connection.clone();
            tokio::spawn(async move { connection.identity().await.unwrap() })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().username, "p@example.com");
    }
    assert_eq!(fake.logins().len(), 1);
    assert_eq!(connection.calls(), 20);
    assert_eq!(connection.limits().map(|limits| (limits.used, limits.max)), Some((18, 5000)));
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_no_more() {
    let fake = Fake::start(vec![expired(), userinfo(), expired(), expired()]).await;
    let connection = fake.connection();
    connection.identity().await.unwrap();
    assert_eq!(fake.logins().len(), 2);
    let error = connection.identity().await.unwrap_err();
    assert_eq!(error.salesforce_code(), Some("INVALID_SESSION_ID"));
    assert_eq!(fake.asked().len(), 4, "one request, one repeat, then an error");
}

#[tokio::test]
async fn bodies_that_loop_are_not_answered_with_a_login() {
    for body in
        ["This session is not valid for use with the REST API", "Connected app is not attached to Agent"]
    {
        let fake = Fake::start(vec![Answer::Json(
            401,
            json!([{"message": body, "errorCode": "INVALID_SESSION_ID"}]),
        )])
        .await;
        assert!(fake.connection().identity().await.is_err());
        assert_eq!(fake.logins().len(), 1, "{body}");
    }
}

#[tokio::test]
async fn userinfo_has_its_own_way_to_refuse_a_token() {
    let fake = Fake::start(vec![Answer::Html(403, "Bad_OAuth_Token"), userinfo()]).await;
    assert!(fake.connection().identity().await.is_ok());
    assert_eq!(fake.logins().len(), 2);
}

#[tokio::test]
async fn a_token_from_elsewhere_is_not_renewed() {
    let fake = Fake::start(vec![expired()]).await;
    let connection =
        fake.connection_as(Credentials::AccessToken { access_token: "00D000000000001!canary".into() });
    assert!(connection.identity().await.is_err());
    assert_eq!((fake.logins().len(), fake.asked().len()), (0, 1));
}

#[tokio::test]
async fn a_refused_login_says_why_and_is_not_repeated() {
    let refusal = json!({ "error": "invalid_client_id", "error_description": "client identifier invalid" });
    let fake = Fake::start(vec![]).await.tokens(vec![(400, refusal)]);
    let connection = fake.connection();
    let error = connection.identity().await.unwrap_err();
    assert!(matches!(error, SalesforceError::LoginRefused { .. }), "{error}");
    assert_eq!(connection.identity().await.unwrap_err(), error);
    assert_eq!(fake.logins().len(), 1, "a refused login is not tried again at once");
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[tokio::test]
async fn a_token_for_another_host_is_refused() {
    let elsewhere = json!({ "access_token": "canary", "instance_url": "https://169.254.169.254", "id": "x" });
    let fake = Fake::start(vec![userinfo()]).await.tokens(vec![(200, elsewhere)]);
    let error = fake.connection().identity().await.unwrap_err();
    assert_eq!(error.code(), "salesforce-wrong-instance");
    assert!(fake.asked().is_empty());
}

#[tokio::test]
async fn another_org_than_the_pinned_one_is_refused() {
    let fake = Fake::start(vec![userinfo()]).await;
    let credentials =
        || Credentials::ClientCredentials { client_id: "a".to_owned(), client_secret: "b".into() };
    let pinned = RecordId::complete("00D000000000002").unwrap();
    let error = fake.connection_with(credentials(), Some(&pinned)).identity().await.unwrap_err();
    assert_eq!(error.code(), "salesforce-wrong-instance");
    let own = RecordId::complete("00D000000000001").unwrap();
    assert!(fake.connection_with(credentials(), Some(&own)).identity().await.is_ok());
}

/// A naive client goes on after a sandbox refresh as if it were the same org.
#[tokio::test]
async fn a_login_that_leads_to_another_org_than_the_first_is_refused() {
    let fake = Fake::start(vec![userinfo(), expired(), userinfo()]).await;
    let token = |org: &str| {
        let id = format!("{}/id/{org}/005000000000001AAA", fake.url);
        (200, json!({ "access_token": "canary", "instance_url": fake.url, "id": id }))
    };
    let answers = vec![token("00D000000000001"), token("00D000000000002")];
    let fake = fake.clone().tokens(answers);
    let connection = fake.connection();
    assert!(connection.identity().await.is_ok());
    let error = connection.identity().await.unwrap_err();
    assert_eq!(error.code(), "salesforce-wrong-instance");
    assert!(error.to_string().contains("the first login"), "{error}");
}

#[tokio::test]
async fn the_token_endpoint_is_asked_again_when_it_stumbles() {
    let fake = Fake::start(vec![userinfo()]).await.tokens(vec![(503, json!("maintenance"))]);
    assert!(fake.connection().identity().await.is_ok());
    assert_eq!(fake.logins().len(), 2);
}

#[tokio::test]
async fn nothing_secret_prints() {
    let fake = Fake::start(vec![userinfo()]).await;
    let connection: Connection = fake.connection();
    connection.identity().await.unwrap();
    assert!(!format!("{connection:?}").contains("canary"));
}
