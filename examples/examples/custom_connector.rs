//! A custom connector for both clients: it opens the byte streams that carry TLS, HTTP and WebSocket. This
//! one wraps the streams of another connector and counts their bytes. A relay or a tunnel works the same way.
//!
//! For an unwrapped TCP or Unix stream, the REST client checks with the operating system whether unexpected
//! bytes have arrived. A wrapped stream, as here, must return them without delay; if it cannot, set
//! `fresh_connection_for_writes`.
//!
//! ```sh
//! cargo run --example custom_connector
//! ```

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bitmart::net::{Connect, ConnectFuture, Connector, Stream, Target};
use bitmart::ws::{Update, topic};
use bitmart::{rest, ws};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

#[derive(Debug, Default)]
struct Traffic {
    sent: AtomicU64,
    received: AtomicU64,
}

struct CountingConnector<C> {
    inner: C,
    traffic: Arc<Traffic>,
}

impl<C: Connect> Connect for CountingConnector<C> {
    /// Opens a new stream for each call: the client does the pooling.
    fn connect<'a>(&'a self, target: &'a Target) -> ConnectFuture<'a> {
        Box::pin(async move {
            let stream = self.inner.connect(target).await?;
            println!("connected to {target}");
            Ok(Stream::new(CountingStream { stream, traffic: self.traffic.clone() }))
        })
    }
}

struct CountingStream {
    stream: Stream,
    traffic: Arc<Traffic>,
}

impl AsyncRead for CountingStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let read = buffer.filled().len() - before;
        self.traffic.received.fetch_add(read as u64, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for CountingStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.traffic.sent.fetch_add(written as u64, Ordering::Relaxed);
        Poll::Ready(Ok(written))
    }
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[tokio::main]
async fn main() -> examples::Result {
    let exchange = examples::exchange().await?;
    let traffic = Arc::new(Traffic::default());
    // Shared by both clients.
    let connector =
        Arc::new(CountingConnector { inner: Connector::direct(), traffic: traffic.clone() });

    let client = rest::Client::builder()
        .environment(exchange.environment.clone())
        .connector(connector.clone())
        .build()?;
    println!("last price {:?}", client.spot().ticker("BTC_USDT").await?.last_price);

    let streams = ws::Client::builder()
        .environment(exchange.environment.clone())
        .connector(connector)
        .build()?;
    let mut tickers = streams.subscribe(topic::spot::ticker("BTC_USDT")).await?;
    while let Some(update) = tickers.next().await {
        if let Update::Data(ticker) = update? {
            println!("ticker {:?}", ticker.last_price);
            break;
        }
    }
    streams.shutdown().await;
    println!("{traffic:?}");
    Ok(())
}
