//! The conformance test for connectors.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::{Connect, Io, Stream, Target};

/// A step that takes longer counts as failed.
const STEP_TIMEOUT: Duration = Duration::from_secs(20);

/// A payload larger than the buffers of sockets and pipes.
const LARGE: usize = 1 << 20;

/// A loopback host for a connector under test.
#[derive(Debug)]
pub struct TestHost {
    listener: TcpListener,
    target: Target,
}

impl TestHost {
    /// Listens on a loopback address, on a free port.
    ///
    /// # Errors
    /// Binding fails.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn listen() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, target: Target::plain_text(address.ip().to_string(), address.port()) })
    }

    /// Returns the target to connect to.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Accepts the next connection and returns the host's end of it.
    ///
    /// # Errors
    /// Accepting fails.
    ///
    /// # Cancel safety
    /// Safe: no connection is lost.
    pub async fn accept(&self) -> io::Result<Stream> {
        Ok(Stream::new(self.listener.accept().await?.0))
    }
}

/// Tests the parts of the [`Connect`] contract that are visible from outside: a new stream per call;
/// every byte once, in order and unchanged, in both directions, and no others; reads without delay;
/// end of stream in both directions.
///
/// `accept` returns the host's end of the next connection to `target`, like [`TestHost::accept`].
///
/// ```
/// use bitmart_net::Connector;
/// use bitmart_net::testing::{TestHost, conformance};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let host = TestHost::listen().await?;
/// conformance(&Connector::direct(), host.target(), || host.accept()).await;
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Panics
/// The contract is violated; the message names the rule.
///
/// # Cancel safety
/// Dropping the future cancels the test.
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

    // Two streams at once, both ends of each send first.
    let (mut first, mut first_host) = pair().await;
    let (mut second, mut second_host) = pair().await;
    send(&mut first, b"first").await;
    send(&mut second, b"second").await;
    expect(
        &mut first_host,
        b"first",
        "written bytes arrive on their stream, without any before them",
    )
    .await;
    expect(&mut second_host, b"second", "each call opens a stream of its own").await;
    send(&mut first_host, b"1").await;
    expect(&mut first, b"1", "a read returns what has arrived without delay").await;
    send(&mut second_host, b"2").await;
    expect(&mut second, b"2", "responses arrive on their own stream").await;

    // Large payloads, in both directions at once.
    let (up, down) = (pattern(3), pattern(7));
    let (mut reader, mut writer) = tokio::io::split(&mut first);
    let (mut host_reader, mut host_writer) = tokio::io::split(&mut first_host);
    tokio::join!(
        send(&mut writer, &up),
        send(&mut host_writer, &down),
        expect(&mut host_reader, &up, "bytes are sent once, in order and unchanged"),
        expect(&mut reader, &down, "bytes are received once, in order and unchanged"),
    );

    // End of stream.
    within("the end of a stream", first.shutdown()).await.unwrap_or_else(|error| {
        panic!("cannot shut down the write half: {error}");
    });
    expect_end(&mut first_host, "end of stream reaches the host").await;
    drop(first_host);
    expect_end(&mut first, "end of stream from the host reaches the reader").await;
    // An unread extra response must not appear on a later stream.
    send(&mut second_host, b"extra").await;
    drop(second);
    expect_end(&mut second_host, "dropping the stream closes it").await;
    let (mut third, mut third_host) = pair().await;
    send(&mut third_host, b"third").await;
    expect(&mut third, b"third", "a new stream contains no bytes of an earlier one").await;
}

fn pattern(step: u8) -> Vec<u8> {
    (0..LARGE)
        .scan(0_u8, |byte, _| {
            *byte = byte.wrapping_mul(5).wrapping_add(step);
            Some(*byte)
        })
        .collect()
}

async fn within<T>(step: &str, work: impl Future<Output = T>) -> T {
    timeout(STEP_TIMEOUT, work)
        .await
        .unwrap_or_else(|_| panic!("{step} took longer than {STEP_TIMEOUT:?}"))
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
        Ok(_) => assert!(read == bytes, "violated: {rule}"),
        Err(error) => panic!("violated: {rule}: {error}"),
    }
}

/// Expects end of stream; a reset counts as well.
async fn expect_end(io: &mut (impl AsyncRead + Unpin), rule: &str) {
    let mut byte = [0];
    if let Ok(count) = within(rule, io.read(&mut byte)).await {
        assert!(count == 0, "violated: {rule}");
    }
}
