//! A connector of your own below both clients: it opens the byte streams over which TLS, HTTP and
//! WebSocket are spoken. Here it passes streams of another one on and counts their bytes; a relay,
//! a tunnel or a Unix socket is whatever else `connect` returns.
//!
//! Of a TCP or Unix stream that is handed to `Stream::new` as it is, the REST client asks the
//! operating system whether something has arrived that belongs to no request. A wrapped stream, as
//! here, is asked itself; with one that keeps bytes back, set `fresh_connection_for_writes`.
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

struct Counting<C> {
    inner: C,
    traffic: Arc<Traffic>,
}

impl<C: Connect> Connect for Counting<C> {
    /// A stream of its own for each call: pooling is the client's business.
    fn connect<'a>(&'a self, target: &'a Target) -> ConnectFuture<'a> {
        Box::pin(async move {
            let stream = self.inner.connect(target).await?;
            println!("connected to {target}");
            Ok(Stream::new(Counted { stream, traffic: self.traffic.clone() }))
        })
    }
}

struct Counted {
    stream: Stream,
    traffic: Arc<Traffic>,
}

impl AsyncRead for Counted {
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

impl AsyncWrite for Counted {
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
    let venue = examples::venue().await?;
    let traffic = Arc::new(Traffic::default());
    // One for both clients.
    let connector = Arc::new(Counting { inner: Connector::direct(), traffic: traffic.clone() });

    let client = rest::Client::builder()
        .environment(venue.environment.clone())
        .connector(connector.clone())
        .build()?;
    println!("last price {:?}", client.spot().ticker("BTC_USDT").await?.last_price);

    let streams = ws::Client::builder()
        .environment(venue.environment.clone())
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
