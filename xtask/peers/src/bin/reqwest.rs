//! The usual stack: reqwest with one client, and tokio-tungstenite. With `--quick-start` as the Rust sample of the
//! exchange's quick start: a new client for each request, and JSON trees instead of models.

use std::env;
use std::io::Read as _;

use flate2::read::DeflateDecoder;
use futures_util::{SinkExt as _, StreamExt as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use peers::envelope::{Book, Envelope, Frame, Placed, Ticker};
use peers::{Failure, ORDER_PATH, Peer, Settings, TICKER_PATH, TOPIC, Values};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio_tungstenite::tungstenite::Message;

#[derive(Clone)]
struct Usual {
    settings: Settings,
    /// `None` in the quick start, which makes a new client for each request.
    client: Option<reqwest::Client>,
}

/// A ticker as the program reads it.
enum ReadTicker {
    Model(Box<Ticker>),
    Tree(Value),
}

impl Usual {
    fn new() -> Result<Self, Failure> {
        let installed = rustls::crypto::ring::default_provider().install_default();
        installed.map_err(|_| "a provider is installed")?;
        let quick = env::args().any(|argument| argument == "--quick-start");
        let client = if quick { None } else { Some(reqwest::Client::new()) };
        Ok(Self { settings: Settings::from_env()?, client })
    }

    fn client(&self) -> reqwest::Client {
        self.client.clone().unwrap_or_else(reqwest::Client::new)
    }

    fn sign(&self, now: u64, body: &str) -> Result<String, Failure> {
        let keys = &self.settings.keys;
        let mut mac = Hmac::<Sha256>::new_from_slice(keys.secret.as_bytes())?;
        mac.update(format!("{now}#{}#{body}", keys.memo).as_bytes());
        Ok(hex::encode(mac.finalize().into_bytes()))
    }
}

impl Peer for Usual {
    type Ticker = ReadTicker;
    type Book = Book;

    async fn order(&self, tls: bool) -> Result<(), Failure> {
        let body = json!({
            "symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "0.001", "price": "50000",
        })
        .to_string();
        let now = Settings::now_ms()?;
        let response = self
            .client()
            .post(format!("{}{ORDER_PATH}", self.settings.orders(tls)))
            .header("Content-Type", "application/json")
            .header("X-BM-KEY", &self.settings.keys.key)
            .header("X-BM-TIMESTAMP", now)
            .header("X-BM-SIGN", self.sign(now, &body)?)
            .body(body)
            .send()
            .await?;
        let accepted = if self.client.is_some() {
            !response.json::<Envelope<Placed>>().await?.data()?.order_id.is_empty()
        } else {
            response.json::<Value>().await?["code"].as_u64() == Some(1000)
        };
        if accepted { Ok(()) } else { Err("not accepted".into()) }
    }

    async fn ticker(&self) -> Result<ReadTicker, Failure> {
        let url = format!("{}{TICKER_PATH}", self.settings.market);
        let response = self.client().get(url).send().await?;
        Ok(if self.client.is_some() {
            ReadTicker::Model(Box::new(response.json::<Envelope<Ticker>>().await?.data()?))
        } else {
            ReadTicker::Tree(response.json::<Value>().await?)
        })
    }

    async fn books(
        &self,
        url: &str,
        count: usize,
        mut each: impl FnMut(Book) + Send,
    ) -> Result<(), Failure> {
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await?;
        let subscribe = format!(r#"{{"op":"subscribe","args":["{TOPIC}"]}}"#);
        socket.send(Message::text(subscribe)).await?;
        let mut received = 0;
        while received < count {
            let Message::Binary(bytes) = socket.next().await.ok_or("the stream ended")?? else {
                continue;
            };
            let mut text = String::new();
            DeflateDecoder::new(&bytes[..]).read_to_string(&mut text)?;
            for book in serde_json::from_str::<Frame>(&text)?.data {
                each(book);
            }
            received += 1;
        }
        socket.close(None).await?;
        Ok(())
    }
}

impl Values for ReadTicker {
    fn values(&self) -> Vec<String> {
        const FIELDS: [&str; 13] = [
            "symbol",
            "last",
            "v_24h",
            "qv_24h",
            "open_24h",
            "high_24h",
            "low_24h",
            "fluctuation",
            "bid_px",
            "bid_sz",
            "ask_px",
            "ask_sz",
            "ts",
        ];
        match self {
            Self::Model(ticker) => ticker.values(),
            Self::Tree(tree) => FIELDS
                .iter()
                .map(|field| tree["data"][field].as_str().unwrap_or_default().to_owned())
                .collect(),
        }
    }
}

fn main() -> Result<(), Failure> {
    peers::run(Usual::new)
}
