//! Response bodies, and the faults that change or truncate them.

use std::{fmt, io::Write as _, pin::Pin, time::Duration};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use futures_util::{
    StreamExt,
    stream::{self, Stream},
};
use http_body_util::{Either, Full, StreamBody};
use hyper::{HeaderMap, body::Frame, header};
use serde_json::Value;
use tokio::time::sleep;

type Part = Result<Frame<Bytes>, Truncated>;
type Parts = StreamBody<Pin<Box<dyn Stream<Item = Part> + Send>>>;

pub(super) type Body = Either<Full<Bytes>, Parts>;

/// The error with which a fault ends a body early.
#[derive(Debug)]
pub(super) struct Truncated;

impl fmt::Display for Truncated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fault truncates the body")
    }
}

impl std::error::Error for Truncated {}

/// A complete body.
pub(super) fn complete(body: Bytes) -> Body {
    Either::Left(Full::new(body))
}

/// Compresses a body and adds its header.
pub(super) fn gzip(headers: &mut HeaderMap, body: &Bytes) -> Body {
    let mut compressed = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail. If it did, the uncompressed body would be valid as well.
    match compressed.write_all(body).and_then(|()| compressed.finish()) {
        Ok(compressed) => {
            headers.insert(header::CONTENT_ENCODING, header::HeaderValue::from_static("gzip"));
            complete(compressed.into())
        }
        Err(_) => complete(body.clone()),
    }
}

/// The data of a response: its member `data`, or all of a response without an envelope.
fn data_of(response: &mut Value) -> &mut Value {
    if response.get("data").is_some() { &mut response["data"] } else { response }
}

/// Replaces every member of the rows of a response by null. Rows are in the data, or in the lists within it.
pub(super) fn null_rows(body: &Bytes) -> Bytes {
    let Ok(mut response) = serde_json::from_slice::<Value>(body) else { return body.clone() };
    let lists = match data_of(&mut response) {
        Value::Object(members) => members.values_mut().collect(),
        data => vec![data],
    };
    let rows = lists.into_iter().filter_map(Value::as_array_mut).flatten();
    for member in rows.filter_map(Value::as_object_mut).flat_map(serde_json::Map::values_mut) {
        *member = Value::Null;
    }
    response.to_string().into()
}

/// Removes the rows of a response that were created after `latest_ms`. Rows are in the data itself.
pub(super) fn without_newest(body: &Bytes, latest_ms: u64) -> Bytes {
    let Ok(mut response) = serde_json::from_slice::<Value>(body) else { return body.clone() };
    let time = |row: &Value| {
        let time = row.get("createTime").or_else(|| row.get("create_time"))?;
        time.as_u64().or_else(|| time.as_str()?.parse().ok())
    };
    if let Some(rows) = data_of(&mut response).as_array_mut() {
        rows.retain(|row| time(row).is_none_or(|time| time <= latest_ms));
    }
    response.to_string().into()
}

/// Sends the first half of a body and then an error. The header announces the full length.
pub(super) fn half(headers: &mut HeaderMap, body: &Bytes) -> Body {
    announce_length(headers, body);
    let first = body.slice(..body.len() / 2);
    let then = stream::once(async {
        // The first half is only flushed while the connection waits for more.
        tokio::task::yield_now().await;
        Err(Truncated)
    });
    in_parts(stream::iter([Ok(Frame::data(first))]).chain(then))
}

/// Sends a body in small parts, spread over `time`. The first byte is sent at once.
pub(super) fn drip(headers: &mut HeaderMap, body: Bytes, time: Duration) -> Body {
    announce_length(headers, &body);
    let (size, pause) = drip_parts(body.len(), time);
    let parts = stream::unfold((body, false), move |(mut rest, started)| async move {
        if rest.is_empty() {
            return None;
        }
        if started {
            sleep(pause).await;
        }
        let part = rest.split_to(if started { size.min(rest.len()) } else { 1 });
        Some((Ok(Frame::data(part)), (rest, true)))
    });
    in_parts(parts)
}

/// The size of the parts after the first byte, and the pause before each. A pause is at least the resolution of the
/// timers, a millisecond, so that the pauses do not add up to more than `time`.
fn drip_parts(length: usize, time: Duration) -> (usize, Duration) {
    let max_parts = usize::try_from(time.as_millis()).unwrap_or(usize::MAX).max(1);
    let rest = length.saturating_sub(1).max(1);
    let size = rest.div_ceil(max_parts);
    let count = u32::try_from(rest.div_ceil(size)).unwrap_or(u32::MAX);
    (size, time / count)
}

fn in_parts(parts: impl Stream<Item = Part> + Send + 'static) -> Body {
    Either::Right(StreamBody::new(Box::pin(parts)))
}

fn announce_length(headers: &mut HeaderMap, body: &Bytes) {
    headers.insert(header::CONTENT_LENGTH, body.len().into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_changed_with_and_without_an_envelope() {
        let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
        for (body, nulled) in [
            (r#"{"data":[{"a":1}],"x":[{"b":2}]}"#, r#"{"data":[{"a":null}],"x":[{"b":2}]}"#),
            (r#"{"data":{"list":[{"a":1}],"n":1}}"#, r#"{"data":{"list":[{"a":null}],"n":1}}"#),
            (r#"{"list":[{"a":1}],"total":1}"#, r#"{"list":[{"a":null}],"total":1}"#),
            (r#"[{"a":1}]"#, r#"[{"a":null}]"#),
            (r#"{"data":null}"#, r#"{"data":null}"#),
        ] {
            assert_eq!(null_rows(&bytes(body)), nulled);
        }
        for (body, older) in [
            (r#"{"data":[{"createTime":5},{"createTime":6}]}"#, r#"{"data":[{"createTime":5}]}"#),
            (r#"[{"create_time":"6"},{"a":1}]"#, r#"[{"a":1}]"#),
            (r#"{"list":[],"total":0}"#, r#"{"list":[],"total":0}"#),
        ] {
            assert_eq!(without_newest(&bytes(body), 5), older);
        }
    }

    #[test]
    fn the_pauses_of_a_drip_are_whole_ticks_and_do_not_exceed_its_time() {
        for (length, millis) in [(0, 0), (1, 5), (30, 100), (20_000, 1_000), (20_001, 7)] {
            let time = Duration::from_millis(millis);
            let (size, pause) = drip_parts(length, time);
            let count = length.saturating_sub(1).div_ceil(size);
            let count = u32::try_from(count).expect("few parts");
            assert!(
                pause * count <= time,
                "{length} bytes in {time:?}: {count} pauses of {pause:?}"
            );
            assert!(pause >= Duration::from_millis(1) || millis == 0, "{length}: {pause:?}");
        }
    }
}
