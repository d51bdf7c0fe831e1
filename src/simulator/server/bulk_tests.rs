//! Bulk queries of the simulated org, step by step.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Caller, running};

const JOBS: &str = "/services/data/v67.0/jobs/query";

async fn make(caller: &Caller, query: &str) -> (StatusCode, Value) {
    let body = json!({ "operation": "query", "query": query });
    caller.send(Method::POST, JOBS, Some(body)).await
}

async fn get(caller: &Caller, path: &str) -> (StatusCode, Value) {
    caller.send(Method::GET, path, None).await
}

#[tokio::test]
async fn a_job_is_queued_complete_after_a_look_and_gone_when_it_is_deleted() {
    let org = running(false).await;
    let caller = Caller::new(&org, "promoter");
    let (status, made) = make(&caller, "SELECT Id FROM Lead").await;
    assert_eq!(
        (status, &made["state"], &made["object"]),
        (StatusCode::OK, &json!("UploadComplete"), &json!("Lead"))
    );
    let job = format!("{JOBS}/{}", made["id"].as_str().unwrap());
    let (status, early) = get(&caller, &format!("{job}/results")).await;
    assert_eq!((status, &early[0]["errorCode"]), (StatusCode::BAD_REQUEST, &json!("INVALIDJOBSTATE")));
    let (status, _) = caller.send(Method::DELETE, &job, None).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "it is not complete");
    get(&caller, &job).await;
    let (_, complete) = get(&caller, &job).await;
    assert_eq!(
        (&complete["state"], &complete["numberRecordsProcessed"]),
        (&json!("JobComplete"), &json!(20))
    );
    for wrong in ["results?maxRecords=0", "results?locator=zz", "results?locator=ffff"] {
        assert_eq!(get(&caller, &format!("{job}/{wrong}")).await.0, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let other = Caller::new(&org, "admin");
    assert_eq!(get(&other, &job).await.0, StatusCode::NOT_FOUND, "another user's job");
    let (status, _) = caller.send(Method::PATCH, &job, Some(json!({ "state": "Aborted" }))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "it is complete");
    assert_eq!(caller.send(Method::DELETE, &job, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(get(&caller, &job).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_result_is_a_table_in_parts() {
    let org = running(false).await;
    let caller = Caller::new(&org, "promoter");
    let query = "SELECT Id, Name, LastModifiedDate, IsConverted, AI_Proposal_ID__c FROM Lead ORDER BY Name";
    let (_, made) = make(&caller, query).await;
    let job = format!("{}{JOBS}/{}", org.instance_url, made["id"].as_str().unwrap());
    let ask = async |url: String| caller.http.get(url).bearer_auth(&caller.token).send().await.unwrap();
    ask(job.clone()).await;
    let (mut next, mut rows) = (String::new(), 0);
    for part in 0..3 {
        let reply = ask(format!("{job}/results?maxRecords=8{next}")).await;
        let header = |name: &str| reply.headers()[name].to_str().unwrap().to_owned();
        let (place, count) = (header("sforce-locator"), header("sforce-numberofrecords"));
        assert_eq!(header("content-type"), "text/csv");
        let text = reply.text().await.unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "\"Id\",\"Name\",\"LastModifiedDate\",\"IsConverted\",\"AI_Proposal_ID__c\"");
        assert!(lines[1].ends_with(".000Z\",\"false\",\"\""), "{}", lines[1]);
        assert_eq!(count, (lines.len() - 1).to_string());
        rows += lines.len() - 1;
        assert_eq!(place == "null", part == 2, "the last part has no next one");
        next = format!("&locator={place}");
    }
    assert_eq!(rows, 20);
}

#[tokio::test]
async fn what_bulk_queries_do_not_do_is_refused() {
    let org = running(false).await;
    let caller = Caller::new(&org, "promoter");
    for (query, code) in [
        ("SELECT COUNT() FROM Lead", "FEATURENOTENABLED"),
        ("SELECT Status, COUNT(Id) FROM Lead GROUP BY Status", "FEATURENOTENABLED"),
        ("SELECT Nonsense FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FROM Nonsense", "INVALID_TYPE"),
    ] {
        let (status, told) = make(&caller, query).await;
        assert_eq!((status, &told[0]["errorCode"]), (StatusCode::BAD_REQUEST, &json!(code)), "{query}");
    }
    let body = json!({ "operation": "delete", "query": "SELECT Id FROM Lead" });
    assert_eq!(caller.send(Method::POST, JOBS, Some(body)).await.0, StatusCode::BAD_REQUEST);
}
