//! The time and the maintenance windows of the exchange.

use serde_json::json;

use super::{Call, HandlerResult};

pub(crate) fn time(call: &mut Call<'_>) -> HandlerResult {
    Ok(json!({ "server_time": call.now_ms }))
}

/// A past maintenance window per host, so that clients have rows to decode.
pub(crate) fn service(call: &mut Call<'_>) -> HandlerResult {
    let end = call.now_ms / 86_400_000 * 86_400_000;
    let row = |title: &str, service: &str| {
        json!({
            "title": title,
            "service_type": service,
            "status": "2",
            "start_time": end - 3_600_000,
            "end_time": end,
        })
    };
    Ok(json!({ "service": [row("Spot API Stop", "spot"), row("Contract API Stop", "contract")] }))
}
