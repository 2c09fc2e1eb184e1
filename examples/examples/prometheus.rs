//! The figures of the clients for Prometheus: an exporter that renders text, served by a few lines.
//!
//! The library knows the facade `metrics` only; the exporter is your choice. All figures are listed in
//! `docs/observability.md`.
//!
//! ```sh
//! cargo run --example prometheus
//! ```

use bitmart::rest::spot;
use bitmart::ws::{Update, topic};
use bitmart::{dec, rest, ws};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Bounds of the buckets of all times, in seconds.
const BOUNDS: [f64; 9] = [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

#[tokio::main]
async fn main() -> examples::Result {
    // Before the first client: handles are registered once.
    let figures = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BOUNDS)?
        .install_recorder()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    println!("Prometheus would be told to scrape http://{address}/metrics.\n");
    tokio::spawn(serve(listener, figures));

    let venue = examples::venue().await?;
    let client = rest::Client::builder()
        .environment(venue.environment.clone())
        .credentials(venue.credentials.clone())
        .sync_clock(true)
        .build()?;
    let streams = ws::Client::builder()
        .environment(venue.environment.clone())
        .credentials(venue.credentials.clone())
        .build()?;
    let mut orders = streams.subscribe(topic::spot::user_orders("BTC_USDT")).await?;
    client.spot().ticker("BTC_USDT").await?;
    if venue.is_embedded() {
        client.spot().submit_order(spot::NewOrder::market_buy("BTC_USDT", dec!(50))).await?;
        while let Some(update) = orders.next().await {
            if let Update::Data(_) = update? {
                break;
            }
        }
    }

    let text = scrape(address).await?;
    for wanted in ["bitmart_rest_call_duration_seconds", "bitmart_ws_connections_open"] {
        assert!(text.contains(wanted), "{wanted} is missing in {text}");
    }
    println!("{text}");
    Ok(())
}

/// Answers every request with the figures: enough for a scraper in the same network.
async fn serve(listener: TcpListener, figures: PrometheusHandle) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let figures = figures.clone();
        tokio::spawn(async move {
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            // Moves what was recorded into the buckets; call it every few seconds if nobody scrapes.
            figures.run_upkeep();
            let text = figures.render();
            let length = text.len();
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\n";
            let head = format!("{head}content-length: {length}\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(text.as_bytes()).await;
        });
    }
}

/// What a scraper does.
async fn scrape(address: std::net::SocketAddr) -> examples::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: example\r\n\r\n").await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    let (_, body) = text.split_once("\r\n\r\n").ok_or("no response")?;
    Ok(body.to_owned())
}
