//! Bodies of responses: whole as a rule, in parts with a fault.

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

type Part = Result<Frame<Bytes>, Cut>;
type Parts = StreamBody<Pin<Box<dyn Stream<Item = Part> + Send>>>;

pub(super) type Body = Either<Full<Bytes>, Parts>;

/// A fault ends the body early.
#[derive(Debug)]
pub(super) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fault truncates the body")
    }
}

impl std::error::Error for Cut {}

/// An ordinary body.
pub(super) fn whole(body: Bytes) -> Body {
    Either::Left(Full::new(body))
}

/// A compressed body, with the header for it.
pub(super) fn gzip(headers: &mut HeaderMap, body: &Bytes) -> Body {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing into memory does not fail; if it did, the plain body would be as good.
    match packed.write_all(body).and_then(|()| packed.finish()) {
        Ok(packed) => {
            headers.insert(header::CONTENT_ENCODING, header::HeaderValue::from_static("gzip"));
            whole(packed.into())
        }
        Err(_) => whole(body.clone()),
    }
}

/// A response in whose rows every member is null: data that is a list, or has lists.
pub(super) fn null_rows(body: &Bytes) -> Bytes {
    let Ok(mut response) = serde_json::from_slice::<Value>(body) else { return body.clone() };
    let data = match &mut response["data"] {
        Value::Object(members) => members.values_mut().collect(),
        data => vec![data],
    };
    let rows = data.into_iter().filter_map(Value::as_array_mut).flatten();
    for member in rows.filter_map(Value::as_object_mut).flat_map(serde_json::Map::values_mut) {
        *member = Value::Null;
    }
    response.to_string().into()
}

/// The response without the rows of its `data` that are younger than this.
pub(super) fn without_newest(body: &Bytes, most_ms: u64) -> Bytes {
    let Ok(mut response) = serde_json::from_slice::<Value>(body) else { return body.clone() };
    let time = |row: &Value| {
        let time = row.get("createTime").or_else(|| row.get("create_time"))?;
        time.as_u64().or_else(|| time.as_str()?.parse().ok())
    };
    if let Some(rows) = response["data"].as_array_mut() {
        rows.retain(|row| time(row).is_none_or(|time| time <= most_ms));
    }
    response.to_string().into()
}

/// The first half of a body whose head announces all of it, then an error.
pub(super) fn half(headers: &mut HeaderMap, body: &Bytes) -> Body {
    announce_length(headers, body);
    let first = body.slice(..body.len() / 2);
    let then = stream::once(async {
        // What is ready is flushed while the body makes the connection wait, not before.
        tokio::task::yield_now().await;
        Err(Cut)
    });
    in_parts(stream::iter([Ok(Frame::data(first))]).chain(then))
}

/// A body that comes byte by byte, over this time in all. The first byte comes at once.
pub(super) fn drip(headers: &mut HeaderMap, body: Bytes, time: Duration) -> Body {
    announce_length(headers, &body);
    let gaps = u32::try_from(body.len().saturating_sub(1)).unwrap_or(u32::MAX).max(1);
    let pause = time / gaps;
    let bytes = stream::unfold((body, false), move |(mut rest, started)| async move {
        if rest.is_empty() {
            return None;
        }
        if started {
            sleep(pause).await;
        }
        Some((Ok(Frame::data(rest.split_to(1))), (rest, true)))
    });
    in_parts(bytes)
}

fn in_parts(parts: impl Stream<Item = Part> + Send + 'static) -> Body {
    Either::Right(StreamBody::new(Box::pin(parts)))
}

fn announce_length(headers: &mut HeaderMap, body: &Bytes) {
    headers.insert(header::CONTENT_LENGTH, body.len().into());
}
