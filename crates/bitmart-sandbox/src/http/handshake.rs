//! WebSocket handshakes and their faults.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
};

use http_body_util::Either;
use hyper::{
    Request, StatusCode,
    body::Incoming,
    header::{HeaderValue, SEC_WEBSOCKET_ACCEPT},
};

use super::{
    injection::Dropped,
    response::{HttpResponse, html},
    tcp::Ending,
};
use crate::{
    address::{SocketKind, address},
    fault::Fault,
    generated::Host,
    shared::Shared,
    traffic::Capture,
    ws,
};

/// An accept key that matches no handshake.
const WRONG: HeaderValue = HeaderValue::from_static("AAAAAAAAAAAAAAAAAAAAAAAAAAA=");

/// Responds to a handshake, and sets how the connection ends.
pub(super) async fn handshake(
    shared: Arc<Shared>,
    host: Host,
    kind: SocketKind,
    peer: IpAddr,
    ending: &Ending,
    request: Request<Incoming>,
    capture: Option<&mut Capture>,
) -> Result<HttpResponse, Dropped> {
    let fault = shared.faults().take(address(host, kind), Fault::is_handshake);
    if let Some(capture) = capture {
        capture.fault(fault);
    }
    match fault {
        Some(Fault::DropBefore) => return Err(Dropped),
        Some(Fault::ResetMidBody) => {
            ending.reset.store(true, Ordering::Relaxed);
            return Err(Dropped);
        }
        Some(Fault::Html(status)) => return Ok(html(status)),
        Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
        _ => {}
    }
    let mut response = ws::upgrade(shared, host, kind, peer, request);
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        // A socket that is closed because of a message may have unread bytes of that message.
        ending.linger.store(true, Ordering::Relaxed);
    }
    if fault == Some(Fault::WrongAccept) {
        response.headers_mut().insert(SEC_WEBSOCKET_ACCEPT, WRONG);
    }
    Ok(response.map(Either::Left))
}
