//! Listening, accepting, and handing each connection to hyper.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};

use super::{
    body::Body,
    cors,
    handshake::handshake,
    injection::Dropped,
    response::{HttpResponse, too_many_connections},
    service::respond,
    tcp::{Connection, Ending, Watched},
};
use crate::{
    address::{PRIVATE, PUBLIC},
    generated::Host,
    shared::Shared,
    shutdown::stopped,
    slots::{Capacity, End, Held, Slot, Slots},
    tls::Acceptor,
};

/// Connections of one host at the same time.
const CAPACITY: Capacity = Capacity { heads: 256, served: 1_024 };
/// How long a connection may stay idle.
const IDLE_TIME: Duration = Duration::from_secs(60);
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
    let slots = Slots::new(CAPACITY);
    loop {
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
        let slot = slots.enter();
        tokio::spawn(async move {
            let mut control = shared.control.subscribe();
            tokio::select! {
                () = connection(Arc::clone(&shared), host, stream, peer.ip(), tls, slot) => {}
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
    slot: Arc<Slot>,
) {
    // Small responses must not wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let ending = Arc::new(Ending::default());
    let stream = Connection::new(stream, Arc::clone(&ending));
    match tls {
        None => http(shared, host, stream, peer, &slot, &ending, true).await,
        Some(tls) => {
            // What comes here begins no head.
            let accepted = tokio::select! {
                accepted = tokio::time::timeout(HANDSHAKE_TIME, tls.accept(stream)) => accepted,
                _ = slot.end() => return,
            };
            if let Ok(Ok(stream)) = accepted {
                http(shared, host, stream, peer, &slot, &ending, false).await;
            }
        }
    }
    slot.leave();
}

/// Serves HTTP until one side ends it. `plain` is a stream without TLS.
async fn http<S>(
    shared: Arc<Shared>,
    host: Host,
    stream: S,
    peer: IpAddr,
    slot: &Arc<Slot>,
    ending: &Ending,
    plain: bool,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request| {
        let (shared, busy) = (Arc::clone(&shared), slot.head_is_complete());
        async move {
            let response = match busy {
                Some(_) => route(shared, host, peer, ending, request).await?,
                None => too_many_connections(),
            };
            Ok::<_, Dropped>(response.map(|body: Body| Held::new(body, busy)))
        }
    });
    let stream = Watched::new(stream, Arc::clone(slot));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIME)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(served);
    tokio::select! {
        // An error is that of the client, which violated the protocol or went away, or of a fault.
        served = served.as_mut() => if let Err(error) = served {
            end_after_error(&error, slot, ending, plain);
        },
        end = slot.end() => if end == End::Overdue && plain {
            ending.set_status(408);
        },
    }
}

/// How a connection ends after a violation of the protocol. Where hyper sends no response, there is a status:
/// after a truncated head, and after HTTP/2. A response of hyper must reach a client that still sends.
fn end_after_error(error: &hyper::Error, slot: &Slot, ending: &Ending, plain: bool) {
    let silent = error.is_incomplete_message() || error.is_parse_version_h2();
    if !silent {
        ending.linger.store(error.is_parse(), Ordering::Relaxed);
    } else if plain && slot.awaits_rest_of_head() {
        // Not behind a response.
        ending.set_status(400);
    }
}

async fn route(
    shared: Arc<Shared>,
    host: Host,
    peer: IpAddr,
    ending: &Ending,
    request: Request<Incoming>,
) -> Result<HttpResponse, Dropped> {
    // It is no request of the page yet: no limit counts it and no fault is on it.
    if cors::is_preflight(&request) {
        return Ok(cors::preflight());
    }
    let mut response = match request.uri().path() {
        PUBLIC => handshake(shared, host, false, peer, &ending.reset, request).await,
        PRIVATE => handshake(shared, host, true, peer, &ending.reset, request).await,
        _ => respond(&shared, host, peer, &ending.reset, request).await,
    }?;
    cors::allow(response.headers_mut());
    Ok(response)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
        time::Instant,
    };

    use super::*;
    use crate::{config::Config, slots::HEAD_TIME};

    /// A connection, and the status that it ends with.
    fn connect() -> (DuplexStream, tokio::task::JoinHandle<u16>) {
        let (client, server) = tokio::io::duplex(1 << 20);
        let config = Config::new().stepped_clock(1_700_000_000_000).market_maker(false);
        let shared = Arc::new(Shared::new(config));
        let slot = Slots::new(CAPACITY).enter();
        let task = tokio::spawn(async move {
            let ending = Ending::default();
            let peer = Ipv4Addr::LOCALHOST.into();
            http(shared, Host::Spot, server, peer, &slot, &ending, true).await;
            ending.status()
        });
        (client, task)
    }

    const GOOD: &[u8] = b"GET /system/time HTTP/1.1\r\nhost: x\r\n\r\n";

    /// How long the server waits for a client that sends this and nothing more, and the status at the end.
    async fn ends_after(bytes: &[u8]) -> (Duration, u16) {
        let (mut client, task) = connect();
        let begun = Instant::now();
        client.write_all(bytes).await.expect("written");
        let mut response = Vec::new();
        client.read_to_end(&mut response).await.expect("read");
        (begun.elapsed(), task.await.expect("no panic"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_is_complete_five_seconds_after_its_first_byte_or_the_connection_ends() {
        let near = |time: Duration, due: Duration| time.abs_diff(due) < Duration::from_millis(10);
        for head in [&b"G"[..], b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nhost: x\r\n", b"\r\n"] {
            let (time, status) = ends_after(head).await;
            assert!(near(time, HEAD_TIME), "{head:?}: {time:?}");
            assert_eq!(status, 408, "{head:?}");
        }
        for whole in [&b""[..], GOOD] {
            let (time, status) = ends_after(whole).await;
            assert!(near(time, IDLE_TIME), "{whole:?}: {time:?}");
            assert_eq!(status, 0, "{whole:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_head_of_a_later_request_has_as_long() {
        let (mut client, task) = connect();
        for _ in 0..3 {
            client.write_all(GOOD).await.expect("written");
            let mut response = [0; 1024];
            assert!(client.read(&mut response).await.expect("read") > 0);
            // Idle in between for longer than a head may take.
            tokio::time::sleep(HEAD_TIME * 2).await;
        }
        let begun = Instant::now();
        client.write_all(&GOOD[..9]).await.expect("written");
        assert_eq!(task.await.expect("no panic"), 408);
        assert!(begun.elapsed() < HEAD_TIME + Duration::from_millis(10), "{:?}", begun.elapsed());
    }
}
