//! The WebSocket server: handshakes, connections, and sessions in two dialects.

mod connection;
mod context;
mod futures;
mod queue;
mod read;
mod record;
mod spot;
mod writer;

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, body::Incoming, header, header::HeaderValue,
};
use sha1::{Digest, Sha1};
use tokio::time::Instant;

use crate::{
    address::SocketKind, connection_limiter::ConnectionGroup, generated::Host, shared::Shared,
};

/// Responds to a WebSocket handshake and starts the session. Extensions are not supported.
pub(crate) fn upgrade(
    shared: Arc<Shared>,
    host: Host,
    kind: SocketKind,
    peer: IpAddr,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    // A handshake is a GET (RFC 6455, section 4.1).
    let is_get = request.method() == Method::GET;
    let Some(accept) = accept_key(request.headers()).filter(|_| is_get) else {
        let mut rejected =
            Response::new(Full::new(Bytes::from_static(b"expected a WebSocket handshake")));
        *rejected.status_mut() = StatusCode::BAD_REQUEST;
        return rejected;
    };
    // Acquired before the response, so that permits are granted in the order of the handshakes.
    let group = ConnectionGroup { host, kind, peer };
    let limited = shared.config.rate_limits;
    let permit = limited.then(|| shared.connections.acquire(group, Instant::now())).transpose();
    tokio::spawn(async move {
        if let Ok(upgraded) = hyper::upgrade::on(request).await {
            match permit {
                Ok(permit) => connection::run(shared, host, kind, upgraded, permit).await,
                Err(exceeded) => connection::reject(host, upgraded, exceeded).await,
            }
        }
    });
    let mut accepted = Response::new(Full::default());
    *accepted.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = accepted.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    accepted
}

/// The accept key of a handshake (RFC 6455, section 4.2.2); `None` if the handshake is malformed.
fn accept_key(headers: &HeaderMap) -> Option<HeaderValue> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let websocket = text(header::UPGRADE).eq_ignore_ascii_case("websocket");
    let key = text(header::SEC_WEBSOCKET_KEY);
    if !websocket || key.is_empty() || text(header::SEC_WEBSOCKET_VERSION) != "13" {
        return None;
    }
    let mut hash = Sha1::new();
    hash.update(key.as_bytes());
    hash.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    HeaderValue::from_str(&base64(&hash.finalize())).ok()
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .chain([&0, &0])
            .take(3)
            .fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
        for index in 0..4 {
            let letter = ALPHABET[group >> (18 - 6 * index) & 63];
            text.push(if index <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_key_of_the_rfc_example_is_computed() {
        let mut headers = HeaderMap::new();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        assert_eq!(accept_key(&headers), None);
        headers.insert(
            header::SEC_WEBSOCKET_KEY,
            HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ=="),
        );
        assert_eq!(
            accept_key(&headers),
            Some(HeaderValue::from_static("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        );
    }

    #[test]
    fn base64_is_padded() {
        assert_eq!([base64(b"a"), base64(b"ab"), base64(b"abc")], ["YQ==", "YWI=", "YWJj"]);
    }
}
