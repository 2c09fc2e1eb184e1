//! Listening, accepting, and handing each connection to hyper.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

use super::{
    answer::Reply,
    cors,
    handshake::handshake,
    service::{Dropped, answer},
    wire::Wire,
};
use crate::{
    generated::Host,
    shared::{Shared, stopped},
    tls::Acceptor,
};

/// Connections of one host at the same time.
const CONNECTIONS: usize = 1_024;
/// How long a client may take for its next request head, or stay idle.
const HEAD_TIME: Duration = Duration::from_mins(1);
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
const HEAD_BYTES: usize = 64 << 10;
const HEADERS: usize = 100;

/// Accepts connections until the sandbox stops.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    host: Host,
    listener: TcpListener,
    tls: Option<Acceptor>,
) {
    let mut control = shared.control.subscribe();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut control) => return,
        };
        // An error here is one of a single connection (or of too many files): go on.
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let (shared, tls) = (Arc::clone(&shared), tls.clone());
        tokio::spawn(async move {
            let _place = place;
            let mut control = shared.control.subscribe();
            tokio::select! {
                () = connection(Arc::clone(&shared), host, stream, peer.ip(), tls) => {}
                () = stopped(&mut control) => {}
            }
        });
    }
}

async fn connection(
    shared: Arc<Shared>,
    host: Host,
    stream: TcpStream,
    peer: IpAddr,
    tls: Option<Acceptor>,
) {
    // Small answers must not wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let stream = Wire::new(stream, Arc::clone(&reset));
    match tls {
        None => http(shared, host, stream, peer, &reset).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIME, tls.accept(stream)).await {
                http(shared, host, stream, peer, &reset).await;
            }
        }
    }
}

async fn http<S>(shared: Arc<Shared>, host: Host, stream: S, peer: IpAddr, reset: &AtomicBool)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request| route(Arc::clone(&shared), host, peer, reset, request));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    // An error is the client's: it broke the protocol, went away or was dropped on purpose.
    drop(served);
}

async fn route(
    shared: Arc<Shared>,
    host: Host,
    peer: IpAddr,
    reset: &AtomicBool,
    request: Request<Incoming>,
) -> Result<Reply, Dropped> {
    // It is no request of the page yet: no limit counts it and no fault strikes it.
    if cors::is_preflight(&request) {
        return Ok(cors::preflight());
    }
    let mut reply = match request.uri().path() {
        "/api" => handshake(shared, host, false, peer, reset, request).await,
        "/user" => handshake(shared, host, true, peer, reset, request).await,
        _ => answer(&shared, host, peer, reset, request).await,
    }?;
    cors::allow(reply.headers_mut());
    Ok(reply)
}
