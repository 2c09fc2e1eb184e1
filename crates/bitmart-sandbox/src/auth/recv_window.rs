//! The receive window: how old a request may be when it arrives.

use super::diagnosis;
use crate::{
    clock::Clock,
    wire::{
        error::{WireError, error},
        parse_number,
    },
};

const DEFAULT_MS: i64 = 5_000;
const MAX_MS: i64 = 60_000;
/// Maximum time by which a timestamp may be ahead of the clock.
const MAX_AHEAD_MS: u64 = 1_000;

/// Checks the timestamp of a request to an endpoint with a `recvWindow`.
pub(crate) fn check_recv_window(
    requested: Option<&serde_json::Value>,
    timestamp: Option<&str>,
    clock: Clock,
) -> Result<(), WireError> {
    let window = match requested {
        None | Some(serde_json::Value::Null) => DEFAULT_MS,
        Some(value) => value
            .as_i64()
            .ok_or_else(|| error(30007).with_message("Param recvWindow must be long type"))?,
    };
    if window <= 0 || window > MAX_MS {
        return Err(error(30007)
            .with_message("Param recvWindow must be less than 60000 and greater than 0"));
    }
    let sent = timestamp.and_then(parse_number::unsigned).unwrap_or(0);
    let now_ms = clock.nearest_to(sent);
    let late = now_ms.saturating_sub(sent) > window.unsigned_abs();
    if late || sent >= now_ms + MAX_AHEAD_MS {
        let by = diagnosis::length(now_ms.abs_diff(sent));
        let reason = if late {
            format!("the request is {by} old, and its recvWindow is {window} ms")
        } else {
            format!(
                "X-BM-TIMESTAMP is {by} ahead of the clock of the sandbox, less than {MAX_AHEAD_MS} ms are allowed"
            )
        };
        return Err(error(30007).with_reason(reason).with_message(
            "Header X-BM-TIMESTAMP range. Timestamp for this request is outside of the recvWindow.",
        ));
    }
    Ok(())
}
