//! The WebSocket side: upgrade, sessions in two dialects, and the feed that pushes.

mod connection;
mod deflate;
mod depth;
mod feed;
mod futures;
mod payload;
mod plan;
mod render;
mod render_account;
mod room;
mod spot;
mod topic;
pub(crate) mod versions;
mod writer;

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Request, Response, StatusCode, body::Incoming, header, header::HeaderValue,
};
use sha1::{Digest, Sha1};

use self::room::{Door, Place};
pub(crate) use self::{feed::Feed, room::Rooms};
use crate::{generated::Host, shared::Shared};

/// Whether a text is a topic of one of the hosts.
pub(crate) fn is_topic(text: &str) -> bool {
    [Host::Spot, Host::Futures].iter().any(|host| topic::parse(*host, text).is_some())
}

/// Every address of a socket, as faults name them.
pub(crate) const ADDRESSES: [&str; 4] = ["spot/api", "spot/user", "futures/api", "futures/user"];

/// The name of an address of sockets.
pub(crate) fn address(host: Host, private: bool) -> &'static str {
    let [spot, spot_private, futures, futures_private] = ADDRESSES;
    match (host, private) {
        (Host::Spot, false) => spot,
        (Host::Spot, true) => spot_private,
        (Host::Futures, false) => futures,
        (Host::Futures, true) => futures_private,
    }
}

/// Answers a WebSocket handshake and starts the session. Extensions are never agreed on.
pub(crate) fn upgrade(
    shared: Arc<Shared>,
    host: Host,
    private: bool,
    peer: IpAddr,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let Some(accept) = accept_key(request.headers()) else {
        let mut refused =
            Response::new(Full::new(Bytes::from_static(b"a WebSocket handshake is needed here")));
        *refused.status_mut() = StatusCode::BAD_REQUEST;
        return refused;
    };
    // Before the answer, so that places are taken in the order of the handshakes.
    let place = Place::take(&shared, Door { host, private, peer });
    tokio::spawn(async move {
        if let Ok(upgraded) = hyper::upgrade::on(request).await {
            match place {
                Ok(place) => connection::run(shared, host, private, upgraded, place).await,
                Err(crowded) => connection::turn_away(host, upgraded, crowded).await,
            }
        }
    });
    let mut agreed = Response::new(Full::default());
    *agreed.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = agreed.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    agreed
}

/// The proof of a well-formed handshake (RFC 6455, section 4.2.2); none for anything else.
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
        for place in 0..4 {
            let letter = ALPHABET[group >> (18 - 6 * place) & 63];
            text.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_key_is_that_of_the_rfc() {
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
    fn base64_pads() {
        assert_eq!([base64(b"a"), base64(b"ab"), base64(b"abc")], ["YQ==", "YWI=", "YWJj"]);
    }
}
