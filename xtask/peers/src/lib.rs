//! The protocol of the compared programs: commands on standard input, one line of JSON for each on standard output.
//!
//! | Command | Response |
//! |---|---|
//! | `order` | `{"values": []}` once an order is accepted |
//! | `ticker` | `{"values": [...]}`: what was decoded, as texts |
//! | `books URL COUNT` | the same for so many frames of `spot/depth50:BTC_USDT` |
//! | `orders plain\|tls IN_FLIGHT COUNT` | `{"elapsed": ns, "each": [ns, ...]}`: times of all together, and of each |
//! | `tickers COUNT` | the same |
//! | `frames URL COUNT` | `{"elapsed": ns}` |
//! | `clean` | `{"values": []}` once no order is open; ours only |
//!
//! The programs in other languages follow the same table.

pub mod envelope;
mod settings;

use std::io::{self, BufRead as _, Write as _};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub use settings::{Keys, Settings};

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

pub const SYMBOL: &str = "BTC_USDT";
pub const ORDER_PATH: &str = "/spot/v2/submit_order";
pub const TICKER_PATH: &str = "/spot/quotation/v3/ticker?symbol=BTC_USDT";
/// The topic whose frames are replayed.
pub const TOPIC: &str = "spot/depth50:BTC_USDT";

/// What was decoded, as texts, to compare the programs. This is not timed.
pub trait Values {
    fn values(&self) -> Vec<String>;
}

/// A client that is compared.
pub trait Peer: Clone + Send + Sync + 'static {
    type Ticker: Values + Send;
    type Book: Values + Send;

    /// Places an order, over TLS or not, and returns when it is accepted.
    fn order(&self, tls: bool) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Queries a ticker.
    fn ticker(&self) -> impl Future<Output = Result<Self::Ticker, Failure>> + Send;
    /// Connects, subscribes and calls `each` with each decoded book, `count` times.
    fn books(
        &self,
        url: &str,
        count: usize,
        each: impl FnMut(Self::Book) + Send,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Cancels the orders of all programs, which have one account. Only one program needs to be able to.
    fn clean(&self) -> impl Future<Output = Result<(), Failure>> + Send {
        async { Err("this program cannot cancel orders".into()) }
    }
}

/// Runs commands until standard input ends.
pub fn run<P: Peer>(new: impl Fn() -> Result<P, Failure>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let peer = runtime.block_on(async { new() })?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let response = runtime.block_on(async {
            // Between two commands nothing runs. Now the client can notice connections that the server has closed.
            tokio::time::sleep(Duration::from_millis(2)).await;
            respond(&peer, &words).await
        });
        let response = response.unwrap_or_else(|error| json!({ "error": format!("{error:?}") }));
        let mut out = io::stdout().lock();
        writeln!(out, "{response}")?;
        out.flush()?;
    }
    Ok(())
}

async fn respond<P: Peer>(peer: &P, words: &[&str]) -> Result<Value, Failure> {
    match words {
        ["order"] => {
            peer.order(false).await?;
            Ok(json!({ "values": [] }))
        }
        ["ticker"] => Ok(json!({ "values": peer.ticker().await?.values() })),
        ["books", url, count] => {
            let mut values = Vec::new();
            peer.books(url, count.parse()?, |book| values.extend(book.values())).await?;
            Ok(json!({ "values": values }))
        }
        ["orders", kind, in_flight, count] => {
            orders(peer, *kind == "tls", in_flight.parse()?, count.parse()?).await
        }
        ["tickers", count] => {
            let (begin, mut each) = (Instant::now(), Vec::new());
            for _ in 0..count.parse()? {
                let start = Instant::now();
                std::hint::black_box(peer.ticker().await?);
                each.push(nanos(start));
            }
            Ok(json!({ "elapsed": nanos(begin), "each": each }))
        }
        ["frames", url, count] => {
            let begin = Instant::now();
            peer.books(url, count.parse()?, |book| {
                std::hint::black_box(book);
            })
            .await?;
            Ok(json!({ "elapsed": nanos(begin) }))
        }
        ["clean"] => {
            peer.clean().await?;
            Ok(json!({ "values": [] }))
        }
        other => Err(format!("no such command: {other:?}").into()),
    }
}

/// Sends `count` orders in `in_flight` tasks.
async fn orders<P: Peer>(
    peer: &P,
    tls: bool,
    in_flight: usize,
    count: usize,
) -> Result<Value, Failure> {
    let (begin, mut tasks, mut each) = (Instant::now(), Vec::new(), Vec::new());
    for task in 0..in_flight {
        let peer = peer.clone();
        let share = count / in_flight + usize::from(task < count % in_flight);
        tasks.push(tokio::spawn(async move {
            let mut each = Vec::with_capacity(share);
            for _ in 0..share {
                let start = Instant::now();
                peer.order(tls).await?;
                each.push(nanos(start));
            }
            Ok::<_, Failure>(each)
        }));
    }
    for task in tasks {
        each.extend(task.await??);
    }
    Ok(json!({ "elapsed": nanos(begin), "each": each }))
}

fn nanos(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
