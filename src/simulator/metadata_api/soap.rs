//! The SOAP endpoint of the Metadata API.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    super::{metadata::Element, org::Org, server::Site, users::UserContext},
    Refusal, catalog,
    jobs::{self, Work},
    options::Options,
};

type Body = axum::body::Body;

const NAMESPACE: &str = "http://soap.sforce.com/2006/04/metadata";

/// Any call of the Metadata API over SOAP.
pub(super) async fn handle(State(site): State<Site>, body: Bytes) -> Response<Body> {
    let org = site.org.clone();
    let work = tokio::task::spawn_blocking(move || answer(&org, &body));
    let answer =
        work.await.unwrap_or_else(|_| Err(Refusal::new("UNKNOWN_EXCEPTION", "An unexpected error occurred")));
    match answer {
        Ok((call, result)) => reply(StatusCode::OK, &success(&call, &result)),
        Err(refusal) => reply(StatusCode::INTERNAL_SERVER_ERROR, &fault(&refusal)),
    }
}

/// The call's name and its results.
fn answer(org: &Org, body: &[u8]) -> Result<(String, Vec<Value>), Refusal> {
    let wrong = |words: String| Refusal::new("INVALID_TYPE", words);
    let text = std::str::from_utf8(body).map_err(|_| wrong("The request is not UTF-8".into()))?;
    let envelope = Element::read_any(text).map_err(wrong)?;
    let session = envelope.first("Header").and_then(|header| header.first("SessionHeader"));
    let token = session.and_then(|session| session.text("sessionId")).unwrap_or_default().trim();
    let user = org.session(token).map_err(|_| {
        Refusal::new(
            "INVALID_SESSION_ID",
            "Invalid Session ID found in SessionHeader: Illegal Session. Session not found, missing session key",
        )
    })?;
    if org.count_api_call().exceeded() {
        return Err(Refusal::new("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."));
    }
    let call = envelope.first("Body").and_then(|body| body.children.first());
    let call = call.ok_or_else(|| wrong("The request has no call".into()))?;
    org.note_call(&user.username, "POST", &["Soap".to_owned(), "m".to_owned(), call.name.clone()]);
    jobs::may_deploy(&user)?;
    Ok((call.name.clone(), run(org, &user, call)?))
}

fn run(org: &Org, user: &UserContext, call: &Element) -> Result<Vec<Value>, Refusal> {
    let text = |name: &str| call.text(name).unwrap_or_default().trim().to_owned();
    Ok(match call.name.as_str() {
        "deploy" => {
            let zip: String = text("ZipFile").split_whitespace().collect();
            let bytes = STANDARD
                .decode(zip)
                .map_err(|error| Refusal::new("INVALID_TYPE", format!("ZipFile is not base64: {error}")))?;
            let options = Options::of_xml(call.first("DeployOptions"));
            let report = jobs::start(org, user, options, Work::Zip(bytes));
            vec![json!({ "done": false, "id": report.id, "state": "Queued" })]
        }
        "checkDeployStatus" => {
            let details = text("includeDetails") == "true";
            vec![jobs::status(org, &text("asyncProcessId"))?.to_json(details)]
        }
        "cancelDeploy" => {
            let report =
                jobs::cancel(org, user, &text("String")).or_else(|refusal| match text("id").is_empty() {
                    true => Err(refusal),
                    false => jobs::cancel(org, user, &text("id")),
                })?;
            vec![json!({ "done": report.status.done(), "id": report.id })]
        }
        // The result of this call is the id alone.
        "deployRecentValidation" => vec![json!(jobs::quick(org, user, &text("validationId"))?.id)],
        "describeMetadata" => vec![catalog::describe()],
        "listMetadata" => {
            let kinds = call.all("queries").filter_map(|query| query.text("type"));
            kinds.flat_map(|kind| catalog::list(org, kind.trim())).collect()
        }
        other => {
            let words =
                format!("No operation available for request {{{NAMESPACE}}}{other} in the simulated org");
            return Err(Refusal::new("UNKNOWN_EXCEPTION", words));
        }
    })
}

fn success(call: &str, results: &[Value]) -> String {
    let mut body = String::new();
    for result in results {
        write("result", result, &mut body);
    }
    envelope("", &format!("<{call}Response>{body}</{call}Response>"))
}

fn fault(refusal: &Refusal) -> String {
    let code = escape(refusal.code);
    let words = escape(&refusal.message);
    let body = format!(
        "<soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: {words}</faultstring></soapenv:Fault>"
    );
    envelope(&format!(" xmlns:sf=\"{NAMESPACE}\""), &body)
}

fn envelope(more: &str, body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope \
         xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"{NAMESPACE}\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"{more}><soapenv:Body>{body}</soapenv:Body>\
         </soapenv:Envelope>"
    )
}

/// Lists become repeated elements; what is null is left out.
fn write(name: &str, value: &Value, out: &mut String) {
    match value {
        Value::Null => {}
        Value::Array(values) => values.iter().for_each(|value| write(name, value, out)),
        Value::Object(map) => {
            out.push_str(&format!("<{name}>"));
            map.iter().for_each(|(name, value)| write(name, value, out));
            out.push_str(&format!("</{name}>"));
        }
        Value::String(text) => out.push_str(&format!("<{name}>{}</{name}>", escape(text))),
        other => out.push_str(&format!("<{name}>{other}</{name}>")),
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            // Control characters have no place in XML.
            letter if letter.is_control() && !matches!(letter, '\n' | '\r' | '\t') => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

fn reply(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml;charset=UTF-8"));
    response
}
