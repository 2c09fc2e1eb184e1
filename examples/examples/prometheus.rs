//! Metrics of the clients for Prometheus, with a minimal HTTP server.
//!
//! The library uses the facade `metrics`; the exporter is your choice. `docs/observability.md` lists all
//! metrics.
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

/// Bucket bounds of all durations, in seconds.
const BOUNDS: [f64; 9] = [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

#[tokio::main]
async fn main() -> examples::Result {
    // Before the first client, because handles are registered once.
    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BOUNDS)?
        .install_recorder()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    println!("Metrics are served at http://{address}/metrics.\n");
    tokio::spawn(serve(listener, metrics));

    let exchange = examples::exchange().await?;
    let client = rest::Client::builder()
        .environment(exchange.environment.clone())
        .credentials(exchange.credentials.clone())
        .auto_sync_clock(true)
        .build()?;
    let streams = ws::Client::builder()
        .environment(exchange.environment.clone())
        .credentials(exchange.credentials.clone())
        .build()?;
    let mut orders = streams.subscribe(topic::spot::user_orders("BTC_USDT")).await?;
    client.spot().ticker("BTC_USDT").await?;
    if exchange.is_embedded() {
        client.spot().submit_order(spot::NewOrder::market_buy("BTC_USDT", dec!(50))).await?;
        while let Some(update) = orders.next().await {
            if let Update::Data(_) = update? {
                break;
            }
        }
    }

    let text = scrape(address).await?;
    for expected in ["bitmart_rest_call_duration_seconds", "bitmart_ws_connections_open"] {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    println!("{text}");
    Ok(())
}

/// Responds to every request with the metrics, which is enough for a scraper in the same network.
async fn serve(listener: TcpListener, metrics: PrometheusHandle) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let metrics = metrics.clone();
        tokio::spawn(async move {
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            // Moves recorded values into the buckets. Call it every few seconds if nothing scrapes.
            metrics.run_upkeep();
            let text = metrics.render();
            let length = text.len();
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\n";
            let head = format!("{head}content-length: {length}\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(text.as_bytes()).await;
        });
    }
}

/// Requests the metrics as a scraper does.
async fn scrape(address: std::net::SocketAddr) -> examples::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: example\r\n\r\n").await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    let (_, body) = text.split_once("\r\n\r\n").ok_or("no response")?;
    Ok(body.to_owned())
}
