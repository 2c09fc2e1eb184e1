//! The client side of the WebSocket handshake over HTTP/1.1.

use bitmart_net::base64_encode;
use bytes::Bytes;
use http::header::{
    CONNECTION, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
};
use http::header::{SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE, USER_AGENT};
use http::{HeaderMap, HeaderName, Request, StatusCode};
use http_body_util::Empty;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use ring::digest;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Address, rejection};
use crate::reason::ReconnectReason;

/// Largest head of the response.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// The `User-Agent` header. The proxy in front of the exchange may block those of HTTP libraries.
const CLIENT_AGENT: &str = concat!("bitmart-rust/", env!("CARGO_PKG_VERSION"));

pub(super) enum HandshakeError {
    /// The server responded with another status than 101.
    Rejected(ReconnectReason),
    /// There was no response, or an invalid one.
    Failed(String),
}

impl From<String> for HandshakeError {
    fn from(detail: String) -> Self {
        Self::Failed(detail)
    }
}

/// Requests the upgrade to WebSocket and verifies that the response belongs to the request.
pub(super) async fn perform<S>(address: &Address, stream: S) -> Result<Upgraded, HandshakeError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let key = new_key()?;
    let request = Request::get(&address.target)
        .header(HOST, &address.authority)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, &key)
        .header(USER_AGENT, CLIENT_AGENT)
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(MAX_HEAD_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    // Driven here and not in a task of its own, so that nothing outlives this call.
    let mut connection = std::pin::pin!(connection.with_upgrades());
    let upgrade = async {
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(HandshakeError::Rejected(rejection::read(response).await));
        }
        check_headers(response.headers(), &key)?;
        Ok(hyper::upgrade::on(response).await.map_err(|error| error.to_string())?)
    };
    let mut upgrade = std::pin::pin!(upgrade);
    tokio::select! {
        biased;
        upgraded = &mut upgrade => upgraded,
        ended = &mut connection => match ended {
            Ok(()) => upgrade.await,
            Err(error) => Err(HandshakeError::Failed(error.to_string())),
        },
    }
}

fn check_headers(headers: &HeaderMap, key: &str) -> Result<(), String> {
    if !has_token(headers, &UPGRADE, "websocket") || !has_token(headers, &CONNECTION, "upgrade") {
        return Err("the response does not upgrade to WebSocket".to_owned());
    }
    let accept = headers.get(SEC_WEBSOCKET_ACCEPT).map(http::HeaderValue::as_bytes);
    if accept != Some(accept_key(key).as_bytes()) {
        return Err("the accept key does not match: the response is not to this request".to_owned());
    }
    if headers.contains_key(SEC_WEBSOCKET_EXTENSIONS)
        || headers.contains_key(SEC_WEBSOCKET_PROTOCOL)
    {
        return Err("the server chose an extension or protocol that was not offered".to_owned());
    }
    Ok(())
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(token))
}

fn new_key() -> Result<String, String> {
    let mut nonce = [0; 16];
    getrandom::getrandom(&mut nonce)
        .map_err(|error| format!("no random number generator: {error}"))?;
    Ok(base64_encode(&nonce))
}

/// Returns the accept key that a server must send for this key (RFC 6455, section 4.2.2).
pub(crate) fn accept_key(key: &str) -> String {
    let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    context.update(key.as_bytes());
    // A constant of the RFC.
    context.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    base64_encode(context.finish().as_ref())
}
