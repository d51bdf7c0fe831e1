//! Versions, the resources of one version, and limits.

use serde_json::{Map, Value, json};

use super::{
    call::{Call, DATA, Reply, VERSIONS, not_allowed, not_found},
    context::Context,
};

/// Release names by season: v50.0 was Winter '21, and three releases follow each year.
fn label(version: u16) -> String {
    let (year, season) = (21 + (version - 50) / 3, (version - 50) % 3);
    match season {
        0 => format!("Winter '{year}"),
        1 => format!("Spring '{year}"),
        _ => format!("Summer '{year}"),
    }
}

/// `GET /services/data`: needs no token and is not counted.
pub(super) fn list() -> Reply {
    let versions = VERSIONS.map(|version| {
        json!({ "label": label(version), "url": format!("{DATA}/v{version}.0"), "version": format!("{version}.0") })
    });
    Reply::ok(versions.collect())
}

/// `GET /services/data/vNN.0`
pub(super) fn resources(context: &Context, call: &Call) -> Result<Reply, Reply> {
    if call.method != "GET" {
        return Err(not_allowed(&call.method, "GET,HEAD"));
    }
    let base = call.base();
    let mut map: Map<String, Value> =
        ["sobjects", "actions", "query", "queryAll", "limits", "composite", "tooling", "jobs"]
            .into_iter()
            .map(|name| (name.to_owned(), Value::String(format!("{base}/{name}"))))
            .collect();
    let identity = format!("{}/id/{}/{}", context.instance_url, context.org.org_id(), context.user.user_id);
    map.insert("identity".to_owned(), Value::String(identity));
    Ok(Reply::ok(Value::Object(map)))
}

/// `/limits` and `/limits/recordCount`
pub(super) fn limits(context: &Context, call: &Call, path: &[String]) -> Result<Reply, Reply> {
    if call.method != "GET" {
        return Err(not_allowed(&call.method, "GET,HEAD"));
    }
    match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(Reply::ok(daily(context))),
        ["recordCount"] => Ok(Reply::ok(record_count(context, call))),
        _ => Err(not_found()),
    }
}

fn daily(context: &Context) -> Value {
    let api = context.org.api_usage();
    let events = context.org.count_deliveries(0);
    let mut limits = Map::new();
    let mut limit = |name: &str, max: u64, remaining: u64| {
        limits.insert(name.to_owned(), json!({ "Max": max, "Remaining": remaining }));
    };
    limit("DailyApiRequests", api.max, api.remaining());
    limit("DailyDeliveredPlatformEvents", events.max, events.remaining());
    limit("DailyStandardVolumePlatformEvents", 10_000, 10_000);
    limit("HourlyPublishedPlatformEvents", 50_000, 50_000);
    limit("DailyAsyncApexExecutions", 250_000, 250_000);
    limit("DailyBulkApiBatches", 15_000, 15_000);
    limit("DailyBulkV2QueryJobs", 10_000, 10_000);
    limit("DailyStreamingApiEvents", 10_000, 10_000);
    limit("DataStorageMB", 5, 5);
    limit("FileStorageMB", 20, 20);
    limit("SingleEmail", 15, 15);
    Value::Object(limits)
}

/// Without `sObjects` all objects that hold rows are counted.
fn record_count(context: &Context, call: &Call) -> Value {
    let named = call.query.get("sObjects").map(|list| list.split(',').map(str::trim).collect::<Vec<_>>());
    let objects = context.org.objects();
    let wanted = objects.iter().filter(|object| match &named {
        Some(names) => names.iter().any(|name| name.eq_ignore_ascii_case(&object.name)),
        None => context.org.row_count(&object.name) > 0,
    });
    let readable = wanted.filter(|object| context.user.can_read_object(&object.name));
    let counts =
        readable.map(|object| json!({ "count": context.org.row_count(&object.name), "name": object.name }));
    json!({ "sObjects": counts.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_have_their_names() {
        assert_eq!(label(50), "Winter '21");
        assert_eq!(label(62), "Winter '25");
        assert_eq!(label(67), "Summer '26");
    }
}
