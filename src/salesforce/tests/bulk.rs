//! Bulk queries against a server that answers from a script.

use serde_json::json;

use super::fake::{Answer, Fake, lead};
use crate::{
    domain::reconciliation::Way,
    salesforce::{Reader, SalesforceError, Sighting, names::LEAD},
};

const HEAD: &str = "\"Id\",\"LastModifiedDate\",\"Status\"\n";

fn state(name: &str) -> Answer {
    Answer::Json(200, json!({ "id": "750000000000001AAA", "state": name }))
}

fn table(number: usize) -> String {
    format!("{HEAD}\"{}\",\"2026-05-01T07:25:37.000Z\",\"Open\"\n", lead(number))
}

/// Tables of a test live as long as the test.
fn part(number: usize, next: &'static str) -> Answer {
    Answer::Table(Box::leak(table(number).into_boxed_str()), next)
}

async fn read(fake: &Fake) -> Result<Vec<Sighting>, SalesforceError> {
    let reader = Reader::new(fake.connection());
    let mut sightings = reader.changed(&LEAD, None, Way::Bulk).await?;
    let mut found = Vec::new();
    while let Some(some) = sightings.next().await? {
        found.extend(some);
    }
    sightings.forget().await;
    Ok(found)
}

fn lines(fake: &Fake) -> Vec<String> {
    let path = "/services/data/v67.0/jobs/query";
    fake.asked().iter().map(|asked| asked.line.replace(path, "..")).collect()
}

#[tokio::test]
async fn parts_follow_their_locators_and_one_that_broke_off_is_asked_for_again() {
    let fake = Fake::start(vec![
        state("UploadComplete"),
        state("JobComplete"),
        part(1, "M/T&x"),
        Answer::Broken,
        part(2, "null"),
        Answer::Json(200, json!({})),
    ])
    .await;
    let found = read(&fake).await.unwrap();
    assert_eq!(found.iter().map(|one| one.record.clone()).collect::<Vec<_>>(), [lead(1), lead(2)]);
    let job = "../750000000000001AAA";
    assert_eq!(
        lines(&fake),
        [
            "POST ..".to_owned(),
            format!("GET {job}"),
            format!("GET {job}/results?maxRecords=25000"),
            format!("GET {job}/results?maxRecords=25000&locator=M%2FT%26x"),
            format!("GET {job}/results?maxRecords=25000&locator=M%2FT%26x"),
            format!("DELETE {job}"),
        ]
    );
    assert_eq!(fake.asked()[0].body["operation"], "query");
}

#[tokio::test]
async fn a_job_that_fails_says_why_and_is_deleted() {
    let told = json!({ "id": "750000000000001AAA", "state": "Failed", "errorMessage": "the org's words" });
    let fake =
        Fake::start(vec![state("UploadComplete"), Answer::Json(200, told), Answer::Json(200, json!({}))])
            .await;
    let error = read(&fake).await.unwrap_err();
    assert_eq!(error.salesforce_code(), Some("BULK_QUERY_FAILED"));
    assert!(error.to_string().contains("the org's words"), "{error}");
    assert_eq!(lines(&fake).last().unwrap(), "DELETE ../750000000000001AAA");
}

#[tokio::test]
async fn what_is_no_table_ends_the_reading() {
    let fake = Fake::start(vec![
        state("UploadComplete"),
        state("JobComplete"),
        Answer::Table("\"Id\",\"Status\"\n\"open", "null"),
    ])
    .await;
    assert_eq!(read(&fake).await.unwrap_err().code(), "salesforce-unreadable");
    let fake = Fake::start(vec![Answer::Json(200, json!({ "state": "UploadComplete" }))]).await;
    assert_eq!(read(&fake).await.unwrap_err().code(), "salesforce-unreadable", "a job without an id");
}
