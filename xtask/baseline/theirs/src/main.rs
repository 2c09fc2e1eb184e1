//! Places an order and reads tickers the way a program without an SDK would.

use std::io::Read;
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use hmac::{Hmac, KeyInit, Mac};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tokio_tungstenite::tungstenite::Message;

type Failure = Box<dyn std::error::Error>;

#[derive(Serialize)]
struct Order {
    symbol: &'static str,
    side: &'static str,
    r#type: &'static str,
    size: Decimal,
    price: Decimal,
}

#[derive(Debug, Deserialize)]
struct Envelope {
    code: i64,
    message: String,
    data: Option<Placed>,
}

#[derive(Debug, Deserialize)]
struct Placed {
    order_id: String,
}

#[derive(Debug, Deserialize)]
struct Frame {
    data: Vec<Ticker>,
}

#[derive(Debug, Deserialize)]
struct Ticker {
    symbol: String,
    last_price: Decimal,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let variable = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let (key, secret) = (variable("BITMART_API_KEY")?, variable("BITMART_API_SECRET")?);
    let memo = variable("BITMART_API_MEMO")?;

    let body = serde_json::to_string(&Order {
        symbol: "BTC_USDT",
        side: "buy",
        r#type: "limit",
        size: Decimal::new(1, 3),
        price: Decimal::new(60_000, 0),
    })?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
    mac.update(format!("{now}#{memo}#{body}").as_bytes());
    let response: Envelope = reqwest::Client::new()
        .post(format!("{}/spot/v2/submit_order", variable("BITMART_REST")?))
        .header("X-BM-KEY", key)
        .header("X-BM-TIMESTAMP", now.to_string())
        .header("X-BM-SIGN", hex::encode(mac.finalize().into_bytes()))
        .header("Content-Type", "application/json")
        .body(body)
        .send()
        .await?
        .json()
        .await?;
    println!(
        "{} {} {:?}",
        response.code,
        response.message,
        response.data.map(|data| data.order_id)
    );

    let (mut socket, _) = tokio_tungstenite::connect_async(variable("BITMART_WS")?).await?;
    socket.send(Message::text(r#"{"op":"subscribe","args":["spot/ticker:BTC_USDT"]}"#)).await?;
    while let Some(message) = socket.next().await {
        if let Message::Binary(bytes) = message? {
            let mut text = String::new();
            flate2::read::DeflateDecoder::new(&bytes[..]).read_to_string(&mut text)?;
            for ticker in serde_json::from_str::<Frame>(&text)?.data {
                println!("{} {}", ticker.symbol, ticker.last_price);
            }
        }
    }
    Ok(())
}
