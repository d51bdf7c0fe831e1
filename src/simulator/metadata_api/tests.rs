//! Deploys over the wire: what clients are told, and what the org does afterwards.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::archive::tests::zipped;
use crate::{
    clock::Clock,
    simulator::{
        Org, OrgOptions,
        metadata::{Element, Package},
        server::{self, RunningOrg, ServerOptions},
    },
};

const XMLNS: &str = "xmlns=\"http://soap.sforce.com/2006/04/metadata\"";

struct World {
    running: RunningOrg,
    http: reqwest::Client,
}

impl World {
    async fn bare() -> Self {
        let org = Org::new(OrgOptions::new(Clock::system(), Package::default())).unwrap();
        let running = server::start(org, ServerOptions::default()).await.unwrap();
        Self { running, http: reqwest::Client::new() }
    }

    async fn soap(&self, role: &str, call: &str) -> (u16, Element) {
        let token = self.running.access_token(role).unwrap_or_default();
        let text = format!(
            "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Header {XMLNS}><SessionHeader>\
             <sessionId>{token}</sessionId></SessionHeader></e:Header><e:Body {XMLNS}>{call}</e:Body></e:Envelope>"
        );
        let url = format!("{}/services/Soap/m/67.0", self.running.instance_url);
        let reply = self.http.post(url).header("content-type", "text/xml").body(text).send().await.unwrap();
        let status = reply.status().as_u16();
        let body = Element::read_any(&reply.text().await.unwrap()).unwrap();
        (status, body.first("Body").unwrap().children[0].clone())
    }

    async fn soap_deploy(&self, zip: &[u8], options: &str) -> Element {
        let call = format!(
            "<deploy><ZipFile>{}</ZipFile><DeployOptions>{options}</DeployOptions></deploy>",
            STANDARD.encode(zip)
        );
        let (status, reply) = self.soap("admin", &call).await;
        assert_eq!(status, 200, "{reply:?}");
        let result = reply.first("result").unwrap();
        assert_eq!((result.text("done"), result.text("state")), (Some("false"), Some("Queued")));
        self.soap_end(result.text("id").unwrap()).await
    }

    async fn soap_end(&self, id: &str) -> Element {
        let call = format!(
            "<checkDeployStatus><asyncProcessId>{id}</asyncProcessId><includeDetails>true</includeDetails>\
             </checkDeployStatus>"
        );
        for _ in 0..200 {
            let (_, reply) = self.soap("admin", &call).await;
            let result = reply.first("result").unwrap().clone();
            if result.text("done") == Some("true") {
                return result;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the deploy does not end");
    }

    async fn rest(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/services/data/v67.0/metadata/deployRequest{path}", self.running.instance_url);
        let request = self.http.request(method.parse().unwrap(), url);
        let request = request.bearer_auth(self.running.access_token("admin").unwrap());
        let request = if body.is_null() { request } else { request.json(&body) };
        let reply = request.send().await.unwrap();
        (reply.status().as_u16(), reply.json().await.unwrap())
    }

    async fn rest_deploy(&self, zip: &[u8], options: Value) -> (u16, Value) {
        let mut body = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"package.xml\"\r\n\
            Content-Type: application/zip\r\n\r\n"
            .to_vec();
        body.extend_from_slice(zip);
        let options = json!({ "deployOptions": options });
        body.extend_from_slice(
            format!(
                "\r\n--b\r\nContent-Disposition: form-data; name=\"entity_content\"\r\n\
                 Content-Type: application/json\r\n\r\n{options}\r\n--b--\r\n"
            )
            .as_bytes(),
        );
        let url = format!("{}/services/data/v67.0/metadata/deployRequest", self.running.instance_url);
        let request = self.http.post(url).bearer_auth(self.running.access_token("admin").unwrap());
        let request = request.header("content-type", "multipart/form-data; boundary=b").body(body);
        let reply = request.send().await.unwrap();
        (reply.status().as_u16(), reply.json().await.unwrap())
    }

    async fn rest_end(&self, id: &str) -> Value {
        for _ in 0..200 {
            let (_, reply) = self.rest("GET", &format!("/{id}?includeDetails=true"), Value::Null).await;
            if reply["deployResult"]["done"] == true {
                return reply["deployResult"].clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the deploy does not end");
    }

    fn has_field(&self, field: &str) -> bool {
        self.running.org.object("Lead").unwrap().field(field).is_some()
    }
}

fn manifest(members: &[(&str, &str)]) -> String {
    let types = members
        .iter()
        .map(|(kind, name)| format!("<types><members>{name}</members><name>{kind}</name></types>"));
    format!("<Package {XMLNS}>{}<version>67.0</version></Package>", types.collect::<String>())
}

fn lead(body: &str) -> String {
    format!("<CustomObject {XMLNS}>{body}</CustomObject>")
}

const NOTE: &str = "<fields><fullName>Note__c</fullName><label>Note</label><length>20</length>\
    <type>Text</type></fields>";
const RULE: &str = "<validationRules><fullName>No_Note</fullName><active>true</active>\
    <errorConditionFormula>Note__c = &quot;no&quot;</errorConditionFormula>\
    <errorMessage>NO: no</errorMessage></validationRules>";

fn good() -> Vec<u8> {
    let members = [("CustomField", "Lead.Note__c"), ("ValidationRule", "Lead.No_Note")];
    zipped(&[("package.xml", &manifest(&members)), ("objects/Lead.object", &lead(&format!("{NOTE}{RULE}")))])
}

fn names<'a>(result: &'a Element, list: &'a str) -> Vec<&'a str> {
    let details = result.first("details").unwrap();
    details.all(list).filter_map(|message| message.text("fullName")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn soap_deploys_and_tells_of_every_component() {
    let world = World::bare().await;
    let checked = world.soap_deploy(&good(), "<checkOnly>true</checkOnly>").await;
    assert_eq!((checked.text("status"), checked.text("checkOnly")), (Some("Succeeded"), Some("true")));
    assert!(!world.has_field("Note__c"), "a validation changes nothing");

    let result = world.soap_deploy(&good(), "<rollbackOnError>true</rollbackOnError>").await;
    assert_eq!(names(&result, "componentSuccesses"), ["Lead.Note__c", "Lead.No_Note", "package.xml"]);
    assert_eq!(result.text("numberComponentsTotal"), Some("2"), "the manifest is not counted");
    let field = result.first("details").unwrap().first("componentSuccesses").unwrap();
    assert_eq!(field.text("fileName"), Some("objects/Lead.object"));
    assert_eq!((field.text("created"), field.text("changed")), (Some("true"), Some("true")));
    assert!(field.text("id").unwrap().starts_with("00N"));
    assert!(world.has_field("Note__c"));

    let again = world.soap_deploy(&good(), "").await;
    let field = again.first("details").unwrap().first("componentSuccesses").unwrap().clone();
    assert_eq!((field.text("created"), field.text("changed")), (Some("false"), Some("false")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_deploy_names_component_file_and_place() {
    let world = World::bare().await;
    let bad_rule = RULE.replace("Note__c =", "Nothing__c =");
    let members = [("CustomField", "Lead.Note__c"), ("ValidationRule", "Lead.No_Note"), ("Flow", "Gone")];
    let zip = zipped(&[
        ("package.xml", &manifest(&members)),
        ("objects/Lead.object", &lead(&format!("{NOTE}{bad_rule}"))),
    ]);
    let result = world.soap_deploy(&zip, "<rollbackOnError>true</rollbackOnError>").await;
    assert_eq!((result.text("status"), result.text("success")), (Some("Failed"), Some("false")));
    assert_eq!(result.text("numberComponentErrors"), Some("2"));
    assert_eq!(names(&result, "componentFailures"), ["Lead.No_Note", "Gone"]);
    let rule = result.first("details").unwrap().first("componentFailures").unwrap();
    assert_eq!(rule.text("componentType"), Some("ValidationRule"));
    assert!(rule.text("problem").unwrap().contains("Nothing__c"), "{rule:?}");
    assert!(!world.has_field("Note__c"), "all or nothing");

    let partial = world.soap_deploy(&zip, "<rollbackOnError>false</rollbackOnError>").await;
    assert_eq!(partial.text("status"), Some("SucceededPartial"));
    assert!(world.has_field("Note__c"));

    let broken = lead("<fields><fullName>A__c</fullName>\n<type>hat</type></fields>");
    let zip = zipped(&[
        ("package.xml", &manifest(&[("CustomField", "Lead.A__c")])),
        ("objects/Lead.object", &broken),
    ]);
    let result = world.soap_deploy(&zip, "<rollbackOnError>true</rollbackOnError>").await;
    let details = result.first("details").unwrap();
    let failures: Vec<&Element> = details.all("componentFailures").collect();
    let [failure] = failures[..] else { panic!("{failures:?}") };
    assert_eq!(
        (failure.text("componentType"), failure.text("lineNumber")),
        (Some("CustomObject"), Some("2"))
    );
    assert!(failure.text("problem").unwrap().starts_with("Error parsing file: 'hat'"));

    let result = world.soap_deploy(b"no zip", "").await;
    assert_eq!(result.text("status"), Some("Failed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn destructive_changes_remove_and_are_refused_while_something_depends_on_it() {
    let world = World::bare().await;
    world.soap_deploy(&good(), "").await;
    let remove = |members: &[(&str, &str)]| {
        zipped(&[("package.xml", &manifest(&[])), ("destructiveChanges.xml", &manifest(members))])
    };
    let field = ("CustomField", "Lead.Note__c");
    let result = world.soap_deploy(&remove(&[field]), "<rollbackOnError>true</rollbackOnError>").await;
    assert_eq!(names(&result, "componentFailures"), ["Lead.Note__c"]);
    let zip = remove(&[field, ("ValidationRule", "Lead.No_Note"), ("Flow", "Gone")]);
    let result = world.soap_deploy(&zip, "<rollbackOnError>true</rollbackOnError>").await;
    assert_eq!(result.text("status"), Some("Succeeded"), "{result:?}");
    let deleted = result.first("details").unwrap().all("componentSuccesses");
    let deleted: Vec<&str> = deleted
        .filter(|message| message.text("deleted") == Some("true"))
        .filter_map(|message| message.text("fullName"))
        .collect();
    assert_eq!(deleted, ["Lead.Note__c", "Lead.No_Note"]);
    assert!(!world.has_field("Note__c"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_admin_deploys() {
    let world = World::bare().await;
    for (role, code) in [("promoter", "sf:INSUFFICIENT_ACCESS"), ("nobody", "sf:INVALID_SESSION_ID")] {
        let (status, fault) = world.soap(role, "<describeMetadata/>").await;
        assert_eq!((status, fault.text("faultcode")), (500, Some(code)), "{role}");
        assert!(fault.text("faultstring").unwrap().starts_with(code.trim_start_matches("sf:")));
    }
    let (status, fault) = world.soap("admin", "<readMetadata/>").await;
    assert_eq!((status, fault.text("faultcode")), (500, Some("sf:UNKNOWN_EXCEPTION")));
}

#[tokio::test(flavor = "multi_thread")]
async fn rest_deploys_validates_and_deploys_quickly() {
    let world = World::bare().await;
    let options = json!({ "rollbackOnError": true, "checkOnly": true, "testLevel": "RunLocalTests" });
    let (status, reply) = world.rest_deploy(&good(), options).await;
    assert_eq!((status, &reply["deployResult"]["status"]), (201, &json!("Pending")));
    let id = reply["id"].as_str().unwrap();
    let result = world.rest_end(id).await;
    assert_eq!((&result["status"], &result["runTestsEnabled"]), (&json!("Succeeded"), &json!(true)));
    assert_eq!(result["details"]["runTestResult"]["numTestsRun"], 0, "Apex cannot run here");
    assert!(!world.has_field("Note__c"));

    let (status, reply) = world.rest("POST", "", json!({ "validatedDeployRequestId": id })).await;
    assert_eq!(status, 201, "{reply}");
    let result = world.rest_end(reply["id"].as_str().unwrap()).await;
    assert_eq!((&result["status"], &result["checkOnly"]), (&json!("Succeeded"), &json!(false)));
    assert!(world.has_field("Note__c"));

    let cancel = json!({ "deployResult": { "status": "Canceling" } });
    let (status, reply) = world.rest("PATCH", &format!("/{id}"), cancel.clone()).await;
    assert_eq!((status, &reply[0]["errorCode"]), (400, &json!("INVALID_ID_FIELD")), "it is over");
    let (_, reply) = world.rest_deploy(&good(), json!({})).await;
    let id = reply["id"].as_str().unwrap();
    let (status, _) = world.rest("PATCH", &format!("/{id}"), cancel).await;
    assert_eq!(status, 202);
    assert_eq!(world.rest_end(id).await["status"], "Canceled");
    assert_eq!(world.rest("GET", "/0Af000000000999", Value::Null).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn components_and_kinds_are_listed() {
    let world = World::bare().await;
    world.soap_deploy(&good(), "").await;
    let call = "<listMetadata><queries><type>CustomField</type></queries></listMetadata>";
    let (_, reply) = world.soap("admin", call).await;
    let listed: Vec<&str> = reply.all("result").filter_map(|it| it.text("fullName")).collect();
    assert_eq!(listed, ["Lead.Note__c"]);
    let (_, reply) = world.soap("admin", "<describeMetadata/>").await;
    assert!(reply.first("result").unwrap().all("metadataObjects").count() > 15);
}
