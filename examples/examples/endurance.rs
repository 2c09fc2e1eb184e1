//! Streams under constant faults: every few seconds all connections are closed, one stops sending, or a book
//! update is lost, while orders are placed and fill. In the end the books must equal those of the exchange,
//! and every fill must be known once.
//!
//! ```sh
//! cargo run --release --example endurance          # 12 seconds
//! cargo run --release --example endurance -- 600   # ten minutes
//! ```

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bitmart::account::{AccountEvent, AccountTracker, Market};
use bitmart::rest::{self, RetryPolicy, spot};
use bitmart::sandbox::{self, Config, Fault, Sandbox};
use bitmart::ws;
use bitmart::ws::event::DepthEvent;
use bitmart::ws::topic::Topic;
use bitmart::ws::topic::{self, DepthLevels, DepthSpeed};
use bitmart::{Decimal, TradeId, dec};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Pairs, and the size of a sell order in the base currency.
const PAIRS: [(&str, Decimal); 3] =
    [("BTC_USDT", dec!(0.0005)), ("ETH_USDT", dec!(0.01)), ("SOL_USDT", dec!(0.2))];
const CONTRACTS: [&str; 2] = ["BTCUSDT", "ETHUSDT"];

/// Timeout for recovery after the last fault.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
struct Totals {
    orders: usize,
    disconnects: u32,
    silent_connections: u32,
    sequence_gaps: u32,
    reconnects: u32,
    catch_ups: u32,
    fills_streamed: usize,
    fills_caught_up: usize,
    book_changes: u64,
    book_resyncs: u64,
}

/// The result of following one book.
#[derive(Debug, Default)]
struct BookResult {
    symbol: String,
    changes: u64,
    resyncs: u64,
    equal: bool,
}

#[tokio::main]
async fn main() -> examples::Result {
    let seconds = std::env::args().nth(1).map_or(Ok(12), |text| text.parse())?;
    let end = Instant::now() + Duration::from_secs(seconds);
    // Without rate limits, which would slow the orders down.
    let exchange = Sandbox::start(Config::new().seed(7).rate_limits(false)).await?;
    let environment = sandbox::environment(&exchange);
    let credentials = sandbox::credentials(&exchange)?;
    let client = rest::Client::builder()
        .environment(environment.clone())
        .credentials(credentials.clone())
        .retry_reads(RetryPolicy::within(Duration::from_secs(10)))
        .build()?;
    let streams =
        ws::Client::builder().environment(environment).credentials(credentials).build()?;
    println!("embedded exchange, {seconds} s of faults");

    // Whether the market is stopped, so that books can be compared.
    let (stop_market, market_stopped) = watch::channel(false);
    let exchange = std::sync::Arc::new(exchange);
    let mut books = JoinSet::new();
    for (symbol, _) in PAIRS {
        let topic = topic::spot::depth_updates(symbol);
        books.spawn(follow(
            streams.clone(),
            topic,
            symbol,
            exchange.clone(),
            market_stopped.clone(),
        ));
    }
    for symbol in CONTRACTS {
        let topic = topic::futures::depth_updates(symbol, DepthLevels::Fifty, DepthSpeed::Ms100);
        books.spawn(follow(
            streams.clone(),
            topic,
            symbol,
            exchange.clone(),
            market_stopped.clone(),
        ));
    }

    let mut account = AccountTracker::builder(client.clone(), streams.clone()).spot().build();
    let mut totals = Totals::default();
    let mut fills = Vec::new();
    let mut caught_up = 0;
    let mut fault = tokio::time::interval(Duration::from_secs(3));
    let mut order = tokio::time::interval(Duration::from_millis(150));
    order.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut fault_count = 0_u32;
    while Instant::now() < end {
        tokio::select! {
            event = account.next() => {
                let event = event.ok_or("the account ended")??;
                record(&event, &mut totals, &mut fills, &mut caught_up);
            }
            _ = fault.tick() => {
                fault_count += 1;
                inject_fault(&exchange, fault_count, &mut totals);
            }
            _ = order.tick() => {
                let (pair, size) = PAIRS[totals.orders % PAIRS.len()];
                totals.orders += 1;
                let order = if totals.orders % 5 < 3 {
                    spot::NewOrder::market_buy(pair, dec!(20))
                } else {
                    spot::NewOrder::market_sell(pair, size)
                };
                client.spot().submit_order(order).await?;
            }
        }
    }

    exchange.clear_faults();
    exchange.pause_market_makers(true);
    stop_market.send(true)?;
    let exchange_fills: BTreeSet<TradeId> =
        exchange.fills().iter().map(|fill| TradeId::from(fill.trade_id.as_str())).collect();
    let settled = tokio::time::timeout(RECOVERY_TIMEOUT, async {
        while fills.len() < exchange_fills.len() || !account.is_live(Market::Spot) {
            let event = account.next().await.ok_or("the account ended")??;
            record(&event, &mut totals, &mut fills, &mut caught_up);
        }
        examples::Result::Ok(())
    });
    settled
        .await
        .map_err(|_| format!("{} of {} fills are known", fills.len(), exchange_fills.len()))??;
    totals.fills_caught_up = caught_up;
    totals.fills_streamed = fills.len() - caught_up;
    let mut different = Vec::new();
    while let Some(result) = books.join_next().await {
        let result = result?.map_err(|error| format!("a book ended: {error}"))?;
        totals.book_changes += result.changes;
        totals.book_resyncs += result.resyncs;
        if !result.equal {
            different.push(result.symbol);
        }
    }
    let known: BTreeSet<TradeId> = fills.iter().cloned().collect();
    let duplicated = fills.len() - known.len();
    let missing = exchange_fills.difference(&known).count();
    println!("{totals:#?}");
    println!(
        "fills: {} on the exchange, {missing} missing, {duplicated} duplicated",
        exchange_fills.len()
    );
    println!(
        "books: {} followed, {} differ {different:?}",
        PAIRS.len() + CONTRACTS.len(),
        different.len()
    );
    streams.shutdown().await;
    if missing + duplicated + different.len() > 0 {
        Err("fills or books differ".into())
    } else {
        Ok(())
    }
}

/// Injects a fault. Its number decides the kind, so that all kinds take turns.
fn inject_fault(exchange: &Sandbox, number: u32, totals: &mut Totals) {
    match number % 4 {
        0 | 2 => {
            exchange.kill_sockets();
            totals.disconnects += 1;
        }
        1 => {
            for (pair, _) in PAIRS {
                exchange.inject(Fault::VersionGap.on(format!("spot/depth/increase100:{pair}")));
            }
            totals.sequence_gaps += 1;
        }
        _ => {
            exchange.inject(Fault::SilentSocket.on("spot/depth/increase100:BTC_USDT"));
            totals.silent_connections += 1;
        }
    }
}

fn record(
    event: &AccountEvent,
    totals: &mut Totals,
    fills: &mut Vec<TradeId>,
    caught_up: &mut usize,
) {
    match event {
        AccountEvent::Fill(fill) => fills.push(fill.trade_id.clone()),
        AccountEvent::Reconnecting { .. } => totals.reconnects += 1,
        AccountEvent::CaughtUp(report) => {
            totals.catch_ups += 1;
            *caught_up += report.fills;
        }
        AccountEvent::CatchUpFailed { error, .. } => {
            println!("catching up failed, will be retried: {error}");
        }
        _ => {}
    }
}

/// Follows a book until the market is stopped and the book equals the exchange's, or a timeout.
async fn follow<T: DepthEvent>(
    streams: ws::Client,
    topic: Topic<T>,
    symbol: &str,
    exchange: std::sync::Arc<Sandbox>,
    mut market_stopped: watch::Receiver<bool>,
) -> Result<BookResult, ws::Error> {
    let mut result = BookResult { symbol: symbol.to_owned(), ..BookResult::default() };
    let mut books = streams.order_book(topic).await?;
    let mut deadline = None;
    loop {
        let stopped = *market_stopped.borrow_and_update();
        if stopped {
            let until = *deadline.get_or_insert(tokio::time::Instant::now() + RECOVERY_TIMEOUT);
            let expected = exchange.book(symbol);
            let book = books.book();
            let (asks, bids): (Vec<_>, Vec<_>) = (
                book.asks().map(|level| (level.price, level.size)).collect(),
                book.bids().map(|level| (level.price, level.size)).collect(),
            );
            result.equal = book.is_synchronized()
                && expected.is_some_and(|book| {
                    book.asks.starts_with(&asks) && book.bids.starts_with(&bids)
                });
            if result.equal || tokio::time::Instant::now() >= until {
                return Ok(result);
            }
        }
        tokio::select! {
            book = books.next() => match book {
                Some(book) => {
                    result.changes += 1;
                    result.resyncs += u64::from(!book?.is_synchronized());
                }
                None => return Ok(result),
            },
            _ = market_stopped.changed(), if !stopped => {}
            () = tokio::time::sleep(Duration::from_secs(1)), if stopped => {}
        }
    }
}
