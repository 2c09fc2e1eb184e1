//! WebSocket handshakes, and the faults that strike them.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use http_body_util::Either;
use hyper::{
    Request,
    body::Incoming,
    header::{HeaderValue, SEC_WEBSOCKET_ACCEPT},
};

use super::{
    answer::{Reply, html},
    service::Dropped,
};
use crate::{fault::Fault, generated::Host, shared::Shared, ws};

/// The accept key of another handshake than any client makes.
const WRONG: HeaderValue = HeaderValue::from_static("AAAAAAAAAAAAAAAAAAAAAAAAAAA=");

/// Answers a handshake. `reset` is set when the connection is to be reset, not closed, at its end.
pub(super) async fn handshake(
    shared: Arc<Shared>,
    host: Host,
    private: bool,
    peer: IpAddr,
    reset: &AtomicBool,
    request: Request<Incoming>,
) -> Result<Reply, Dropped> {
    let fault = shared.faults().strike(ws::address(host, private), Fault::is_handshake);
    match fault {
        Some(Fault::DropBefore) => return Err(Dropped),
        Some(Fault::ResetMidBody) => {
            reset.store(true, Ordering::Relaxed);
            return Err(Dropped);
        }
        Some(Fault::Html(status)) => return Ok(html(status)),
        Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
        _ => {}
    }
    let mut reply = ws::upgrade(shared, host, private, peer, request);
    if fault == Some(Fault::WrongAccept) {
        reply.headers_mut().insert(SEC_WEBSOCKET_ACCEPT, WRONG);
    }
    Ok(reply.map(Either::Left))
}
