//! The rules for connectors as a test.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::{Connect, Io, Stream, Target};

/// How long a step may take before it counts as failed. Nothing waits for it otherwise.
const GUARD: Duration = Duration::from_secs(20);

/// More than sockets and pipes hold.
const MUCH: usize = 1 << 20;

/// A host on this machine that a connector under test can lead to.
#[derive(Debug)]
pub struct Host {
    listener: TcpListener,
    target: Target,
}

impl Host {
    /// Listens on a loopback address, on a port that the system chooses.
    ///
    /// # Errors
    /// When the system gives no port.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn listen() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, target: Target::new(address.ip().to_string(), address.port(), false) })
    }

    /// What a client dials.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The host's end of the next connection.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Cancel safety
    /// Safe: a connection that is not handed out is handed out next time.
    pub async fn accept(&self) -> io::Result<Stream> {
        Ok(Stream::new(self.listener.accept().await?.0))
    }
}

/// Tests whether `connect` keeps the rules of [`Connect`] that can be seen from outside: streams of
/// their own for each call; bytes once, in order and unchanged, in both directions; nothing of the
/// connector's own; reads that tell at once; ends that arrive.
///
/// `accept` gives the host's end of the next connection to `target`, as [`Host::accept`] does.
///
/// ```
/// use bitmart_net::Connector;
/// use bitmart_net::testing::{Host, conformance};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let host = Host::listen().await?;
/// conformance(&Connector::direct(), host.target(), || host.accept()).await;
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Panics
/// When a rule is broken; the message names it.
///
/// # Cancel safety
/// Dropping the future ends the test.
pub async fn conformance<S, A, Fut>(connect: &dyn Connect, target: &Target, mut accept: A)
where
    S: Io,
    A: FnMut() -> Fut,
    Fut: Future<Output = io::Result<S>>,
{
    let mut pair = async || {
        let (client, host) = tokio::join!(
            within("a connection", connect.connect(target)),
            within("a connection at the host", accept()),
        );
        let client = client.unwrap_or_else(|error| panic!("no connection: {error}"));
        (client, host.unwrap_or_else(|error| panic!("no connection at the host: {error}")))
    };

    // Both ends speak first on one stream each, while the other is open.
    let (mut first, mut first_host) = pair().await;
    let (mut second, mut second_host) = pair().await;
    send(&mut first, b"first").await;
    send(&mut second, b"second").await;
    expect(&mut first_host, b"first", "what is written comes first and alone, on its stream").await;
    expect(&mut second_host, b"second", "each call opens a stream of its own").await;
    send(&mut first_host, b"1").await;
    expect(&mut first, b"1", "a read tells at once what has arrived").await;
    send(&mut second_host, b"2").await;
    expect(&mut second, b"2", "answers come back on their own stream").await;

    // Much, both ways at once.
    let (up, down) = (pattern(3), pattern(7));
    let (mut reader, mut writer) = tokio::io::split(&mut first);
    let (mut host_reader, mut host_writer) = tokio::io::split(&mut first_host);
    tokio::join!(
        send(&mut writer, &up),
        send(&mut host_writer, &down),
        expect(&mut host_reader, &up, "what is written goes out once, in order, unchanged"),
        expect(&mut reader, &down, "what is sent comes back once, in order, unchanged"),
    );

    // Ends.
    within("the end of a stream", first.shutdown()).await.unwrap_or_else(|error| {
        panic!("the write half does not end: {error}");
    });
    end(&mut first_host, "the end of what is written reaches the host").await;
    drop(first_host);
    end(&mut first, "the end of the host's stream is the end of the read half").await;
    // A surplus response that nobody reads belongs to its stream and to no later one.
    send(&mut second_host, b"surplus").await;
    drop(second);
    end(&mut second_host, "dropping the stream closes it").await;
    let (mut third, mut third_host) = pair().await;
    send(&mut third_host, b"third").await;
    expect(&mut third, b"third", "a stream is new: no byte of an earlier one comes with it").await;
}

fn pattern(step: u8) -> Vec<u8> {
    (0..MUCH)
        .scan(0_u8, |byte, _| {
            *byte = byte.wrapping_mul(5).wrapping_add(step);
            Some(*byte)
        })
        .collect()
}

async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    let done = timeout(GUARD, work).await;
    done.unwrap_or_else(|_| panic!("{what} took longer than {GUARD:?}"))
}

async fn send(io: &mut (impl tokio::io::AsyncWrite + Unpin), bytes: &[u8]) {
    let sending = async {
        io.write_all(bytes).await?;
        io.flush().await
    };
    if let Err(error) = within("writing", sending).await {
        panic!("cannot write: {error}");
    }
}

async fn expect(io: &mut (impl AsyncRead + Unpin), bytes: &[u8], rule: &str) {
    let mut read = vec![0; bytes.len()];
    match within(rule, io.read_exact(&mut read)).await {
        Ok(_) => assert!(read == bytes, "broken: {rule}"),
        Err(error) => panic!("broken: {rule}: {error}"),
    }
}

/// The end, or a reset, which is one as well.
async fn end(io: &mut (impl AsyncRead + Unpin), rule: &str) {
    let mut byte = [0];
    if let Ok(count) = within(rule, io.read(&mut byte)).await {
        assert!(count == 0, "broken: {rule}");
    }
}
