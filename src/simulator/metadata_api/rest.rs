//! `/metadata/deployRequest` of the REST API.

use serde_json::{Value, json};

use super::{
    super::{org::Org, users::UserContext},
    Refusal,
    jobs::{self, Work},
    options::Options,
    report::Report,
};

/// A call below `/services/data/vNN.0/metadata`.
pub(in crate::simulator) struct RestCall<'a> {
    pub(in crate::simulator) org: &'a Org,
    pub(in crate::simulator) user: &'a UserContext,
    pub(in crate::simulator) method: &'a str,
    /// After `metadata`.
    pub(in crate::simulator) path: Vec<&'a str>,
    pub(in crate::simulator) details: bool,
    pub(in crate::simulator) content_type: &'a str,
    pub(in crate::simulator) body: &'a [u8],
}

/// HTTP status and body.
pub(in crate::simulator) type Answer = (u16, Value);

impl RestCall<'_> {
    /// Answers the call; `None` when there is no such resource.
    pub(in crate::simulator) async fn answer(self) -> Option<Answer> {
        let work = match (self.method, self.path.as_slice()) {
            ("POST", ["deployRequest"]) => self.deploy().await,
            ("GET", ["deployRequest", id]) => jobs::may_deploy(self.user)
                .and_then(|()| jobs::status(self.org, id))
                .map(|report| (200, report)),
            ("PATCH", ["deployRequest", id]) => self.cancel(id).map(|report| (202, report)),
            _ => return None,
        };
        Some(match work {
            Ok((status, report)) => (status, body(&report, self.details)),
            Err(refusal) => failed(&refusal),
        })
    }

    async fn deploy(&self) -> Result<(u16, Report), Refusal> {
        jobs::may_deploy(self.user)?;
        let malformed = |words: String| Refusal::new("INVALID_MULTIPART_REQUEST", words);
        let Ok(boundary) = multer::parse_boundary(self.content_type) else {
            let asked: Value = serde_json::from_slice(self.body)
                .map_err(|error| Refusal::new("JSON_PARSER_ERROR", error.to_string()))?;
            let id = asked.get("validatedDeployRequestId").and_then(Value::as_str);
            let id = id.ok_or_else(|| malformed("A deploy is multipart/form-data".into()))?;
            return Ok((201, jobs::quick(self.org, self.user, id)?));
        };
        let bytes = axum::body::Bytes::copy_from_slice(self.body);
        let stream = futures::stream::once(async move { Ok::<_, std::convert::Infallible>(bytes) });
        let mut parts = multer::Multipart::new(stream, boundary);
        let (mut zip, mut options) = (None, None);
        while let Some(part) = parts.next_field().await.map_err(|error| malformed(error.to_string()))? {
            let name = part.name().unwrap_or_default().to_owned();
            let content = part.bytes().await.map_err(|error| malformed(error.to_string()))?;
            match name.as_str() {
                "file" => zip = Some(content.to_vec()),
                // The documentation calls this part `json`; clients send `entity_content`.
                "entity_content" | "json" => {
                    let value: Value = serde_json::from_slice(&content)
                        .map_err(|error| Refusal::new("JSON_PARSER_ERROR", error.to_string()))?;
                    options = Some(Options::of_json(value.get("deployOptions").unwrap_or(&Value::Null)));
                }
                _ => {}
            }
        }
        let zip = zip.ok_or_else(|| malformed("The part with the zip file is missing: file".into()))?;
        let options = options.unwrap_or_else(|| Options::of_json(&Value::Null));
        Ok((201, jobs::start(self.org, self.user, options, Work::Zip(zip))))
    }

    fn cancel(&self, id: &str) -> Result<Report, Refusal> {
        jobs::may_deploy(self.user)?;
        let asked: Value = serde_json::from_slice(self.body).unwrap_or(Value::Null);
        let status = asked.pointer("/deployResult/status").and_then(Value::as_str);
        if status != Some("Canceling") {
            let words = "Only deployResult.status Canceling can be asked for";
            return Err(Refusal::new("JSON_PARSER_ERROR", words));
        }
        jobs::cancel(self.org, self.user, id)
    }
}

fn body(report: &Report, details: bool) -> Value {
    json!({
        "deployOptions": report.options.to_json(),
        "deployResult": report.to_json(details),
        "id": report.id,
        "validatedDeployRequestId": null,
    })
}

fn failed(refusal: &Refusal) -> Answer {
    let status = match refusal.code {
        "INSUFFICIENT_ACCESS" => 403,
        "INVALID_CROSS_REFERENCE_KEY" => 404,
        _ => 400,
    };
    (status, json!([{ "errorCode": refusal.code, "message": refusal.message }]))
}
