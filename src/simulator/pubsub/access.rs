//! Who calls: the three credentials in the request's metadata.

use std::time::Duration;

use tonic::{Code, Status, metadata::MetadataMap};

use crate::simulator::{Org, UserContext};

use super::status;

/// A caller and the token that names it.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub user: UserContext,
    pub token: String,
}

/// Checks the metadata. A refusal comes late, as the service's does.
pub(super) async fn caller(org: &Org, metadata: &MetadataMap, rpc: &'static str) -> Result<Caller, Status> {
    let checked = check(org, metadata, rpc);
    if checked.is_err() {
        tokio::time::sleep(Duration::from_millis(org.settings().stream_auth_refusal_millis)).await;
    }
    checked
}

fn check(org: &Org, metadata: &MetadataMap, rpc: &'static str) -> Result<Caller, Status> {
    let header =
        |key| metadata.get(key).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty());
    let (Some(token), Some(instance), Some(tenant)) =
        (header("accesstoken"), header("instanceurl"), header("tenantid"))
    else {
        let words = "The metadata needs accesstoken, instanceurl and tenantid.";
        return Err(status::refuse(rpc, Code::Unauthenticated, "service.auth.headers.invalid", words));
    };
    let own = org.org_id();
    // Ids of 15 and of 18 characters are both accepted.
    let same_org = tenant == own || own.get(..15) == Some(tenant);
    if !same_org || !instance.starts_with("http") {
        return Err(status::auth(rpc));
    }
    let user = org.session(token).map_err(|_| status::auth(rpc))?;
    Ok(Caller { user, token: token.to_owned() })
}
