//! Accepts connections and serves them with hyper.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use hyper::{Request, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    net::TcpListener,
};

use super::{
    body::Body,
    cors,
    handshake::handshake,
    injection::Dropped,
    response::{HttpResponse, too_many_connections},
    service::respond,
    tcp::{Connection, Ending, Lingering, MonitoredStream},
};
use crate::{
    address::{PRIVATE, PUBLIC, SocketKind},
    generated::Host,
    shared::Shared,
    shutdown::stopped,
    slots::{Capacity, EndReason, Slot, Slots, TrackedBody},
    tls::Acceptor,
    traffic::{Capture, Traffic},
};

/// Connections of one host at the same time.
const CAPACITY: Capacity = Capacity { heads: 256, served: 1_024 };
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_HEAD: usize = 64 << 10;

/// Whether bytes below HTTP are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encryption {
    None,
    Tls,
}

/// Accepts connections until the sandbox stops.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    host: Host,
    listener: TcpListener,
    tls: Option<Acceptor>,
) {
    let mut control = shared.control.subscribe();
    let (slots, lingering) = (Slots::new(CAPACITY), Lingering::default());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut control) => return,
        };
        // An error concerns one connection, or too many open files. Neither is a reason to stop.
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let (shared, tls) = (Arc::clone(&shared), tls.clone());
        let slot = slots.acquire();
        // Small responses must not wait for an acknowledgement.
        let _ = stream.set_nodelay(true);
        let ending = Arc::new(Ending::default());
        let stream = Connection::new(stream, Arc::clone(&ending), lingering.clone());
        tokio::spawn(async move {
            let mut control = shared.control.subscribe();
            tokio::select! {
                () = serve_connection(Arc::clone(&shared), host, stream, &ending, peer.ip(), tls, slot) => {}
                () = stopped(&mut control) => {}
            }
        });
    }
}

/// Serves one TCP connection until one side ends it.
async fn serve_connection(
    shared: Arc<Shared>,
    host: Host,
    stream: Connection,
    ending: &Ending,
    peer: IpAddr,
    tls: Option<Acceptor>,
    slot: Arc<Slot>,
) {
    match tls {
        None => serve_http(shared, host, stream, peer, &slot, ending, Encryption::None).await,
        Some(tls) => {
            // Bytes of the TLS handshake do not count as a request head.
            let accepted = tokio::select! {
                accepted = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)) => accepted,
                _ = slot.wait_for_end() => return,
            };
            if let Ok(Ok(stream)) = accepted {
                serve_http(shared, host, stream, peer, &slot, ending, Encryption::Tls).await;
            }
        }
    }
    slot.release();
}

/// Serves one connection in memory until one side or the sandbox ends it.
pub(crate) async fn serve_stream(shared: Arc<Shared>, host: Host, stream: DuplexStream) {
    let mut control = shared.control.subscribe();
    let slot = Slots::new(CAPACITY).acquire();
    let (peer, ending) = (Ipv4Addr::LOCALHOST.into(), Ending::default());
    tokio::select! {
        () = serve_http(Arc::clone(&shared), host, stream, peer, &slot, &ending, Encryption::None) => {
            slot.release();
        }
        () = stopped(&mut control) => {}
    }
}

/// Serves HTTP until one side ends it.
async fn serve_http<S>(
    shared: Arc<Shared>,
    host: Host,
    stream: S,
    peer: IpAddr,
    slot: &Arc<Slot>,
    ending: &Ending,
    encryption: Encryption,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let _connected = shared.traffic.as_ref().map(Traffic::connect);
    let service = service_fn(|request| {
        let (shared, busy) = (Arc::clone(&shared), slot.begin_request());
        async move {
            let response = match busy {
                Some(_) => respond_or_upgrade(shared, host, peer, ending, request).await?,
                None => too_many_connections(),
            };
            Ok::<_, Dropped>(response.map(|body: Body| TrackedBody::new(body, busy)))
        }
    });
    let stream = MonitoredStream::new(stream, Arc::clone(slot));
    let served = http1::Builder::new()
        // The slot has the timeouts of heads: hyper would start and drop a timer for each request. Its limit of 100
        // headers is not set again, because it would then clear a buffer of them for each request.
        .header_read_timeout(None)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(served);
    tokio::select! {
        // An error means that the client violated the protocol or disconnected, or that a fault was injected.
        served = served.as_mut() => if let Err(error) = served {
            end_after_error(&error, slot, ending, encryption);
        },
        end = slot.wait_for_end() => if end == EndReason::Overdue {
            set_final_status(ending, 408, encryption);
        },
    }
}

/// Sets how a connection ends after a protocol violation. Hyper sends no response after a truncated head or HTTP/2, so
/// a status is set. In other cases hyper has responded, and the response must reach a client that is still sending.
fn end_after_error(error: &hyper::Error, slot: &Slot, ending: &Ending, encryption: Encryption) {
    let silent = error.is_incomplete_message() || error.is_parse_version_h2();
    if !silent {
        ending.linger.store(error.is_parse(), Ordering::Relaxed);
    } else if slot.has_incomplete_head() {
        // Only before any response to this request.
        set_final_status(ending, 400, encryption);
    }
}

/// Sets the status of the final response, which is sent below TLS, and therefore not to a client of TLS.
fn set_final_status(ending: &Ending, status: u16, encryption: Encryption) {
    if encryption == Encryption::None {
        ending.set_status(status);
    }
}

/// Responds to a request: a preflight, a WebSocket handshake, or one of the REST API.
async fn respond_or_upgrade(
    shared: Arc<Shared>,
    host: Host,
    peer: IpAddr,
    ending: &Ending,
    request: Request<Incoming>,
) -> Result<HttpResponse, Dropped> {
    // A preflight is not a request of the page: rate limits and faults do not apply.
    if cors::is_preflight(&request) {
        return Ok(cors::preflight());
    }
    let traffic = shared.traffic.as_ref();
    let mut capture = traffic.map(|traffic| Capture::start(traffic, host, &request));
    let record = capture.as_mut();
    let mut response = match request.uri().path() {
        PUBLIC => handshake(shared, host, SocketKind::Public, peer, ending, request, record).await,
        PRIVATE => {
            handshake(shared, host, SocketKind::Private, peer, ending, request, record).await
        }
        _ => respond(&shared, host, peer, &ending.reset, request, record).await,
    }?;
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE {
        // The client may still be sending what is too large.
        ending.linger.store(true, Ordering::Relaxed);
    }
    cors::allow(response.headers_mut());
    if let Some(capture) = capture {
        capture.finish(response.status().as_u16(), response.headers());
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        time::Instant,
    };

    use super::*;
    use crate::{
        config::Config,
        slots::{HEAD_TIMEOUT, IDLE_TIMEOUT},
    };

    /// Opens a connection. The task returns the status with which it ends.
    fn connect() -> (DuplexStream, tokio::task::JoinHandle<u16>) {
        let (client, server) = tokio::io::duplex(1 << 20);
        let config = Config::new().stepped_clock(1_700_000_000_000).market_maker(false);
        let shared = Arc::new(Shared::new(config));
        let slot = Slots::new(CAPACITY).acquire();
        let task = tokio::spawn(async move {
            let ending = Ending::default();
            let peer = Ipv4Addr::LOCALHOST.into();
            serve_http(shared, Host::Spot, server, peer, &slot, &ending, Encryption::None).await;
            ending.status()
        });
        (client, task)
    }

    const VALID_REQUEST: &[u8] = b"GET /system/time HTTP/1.1\r\nhost: x\r\n\r\n";

    /// Sends bytes and nothing more. Returns the time until the connection ends, and the final status.
    async fn ends_after(bytes: &[u8]) -> (Duration, u16) {
        let (mut client, task) = connect();
        let begun = Instant::now();
        client.write_all(bytes).await.expect("written");
        let mut response = Vec::new();
        client.read_to_end(&mut response).await.expect("read");
        (begun.elapsed(), task.await.expect("no panic"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_takes_over_five_seconds_ends_the_connection() {
        let near = |time: Duration, due: Duration| time.abs_diff(due) < Duration::from_millis(10);
        for head in [&b"G"[..], b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nhost: x\r\n", b"\r\n"] {
            let (time, status) = ends_after(head).await;
            assert!(near(time, HEAD_TIMEOUT), "{head:?}: {time:?}");
            assert_eq!(status, 408, "{head:?}");
        }
        for complete in [&b""[..], VALID_REQUEST] {
            let (time, status) = ends_after(complete).await;
            assert!(near(time, IDLE_TIMEOUT), "{complete:?}: {time:?}");
            assert_eq!(status, 0, "{complete:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_timeout_of_a_head_starts_anew_for_each_request() {
        let (mut client, task) = connect();
        for _ in 0..3 {
            client.write_all(VALID_REQUEST).await.expect("written");
            let mut response = [0; 1024];
            assert!(client.read(&mut response).await.expect("read") > 0);
            // An idle connection may wait longer than a head may take.
            tokio::time::sleep(HEAD_TIMEOUT * 2).await;
        }
        let begun = Instant::now();
        client.write_all(&VALID_REQUEST[..9]).await.expect("written");
        assert_eq!(task.await.expect("no panic"), 408);
        assert!(
            begun.elapsed() < HEAD_TIMEOUT + Duration::from_millis(10),
            "{:?}",
            begun.elapsed()
        );
    }
}
