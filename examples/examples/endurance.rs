//! A trader's streams under constant attack: every few seconds all sockets are cut, one falls silent
//! or a book update is lost, while orders go out and fill. In the end the books must be those of the
//! exchange, and the fills those of its ledger, each once.
//!
//! ```sh
//! cargo run --release --example endurance          # some seconds
//! cargo run --release --example endurance -- 600   # ten minutes
//! ```

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bitmart::account::{AccountEvent, AccountTracker, Market};
use bitmart::rest::{self, RetryPolicy, spot};
use bitmart::sandbox::{self, Config, Fault, Sandbox};
use bitmart::ws::event::DepthEvent;
use bitmart::ws::topic::{self, DepthLevels, DepthSpeed};
use bitmart::ws::{self, Topic};
use bitmart::{Decimal, TradeId, dec};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Pairs and what to sell of each, in its base currency.
const PAIRS: [(&str, Decimal); 3] =
    [("BTC_USDT", dec!(0.0005)), ("ETH_USDT", dec!(0.01)), ("SOL_USDT", dec!(0.2))];
const CONTRACTS: [&str; 2] = ["BTCUSDT", "ETHUSDT"];

/// How long everything may take to come right after the last attack.
const CALM: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
struct Tally {
    orders: usize,
    cuts: u32,
    silences: u32,
    gaps: u32,
    reconnections: u32,
    catch_ups: u32,
    fills_streamed: usize,
    fills_caught_up: usize,
    book_changes: u64,
    book_losses: u64,
}

/// What one book went through.
#[derive(Debug, Default)]
struct BookLog {
    symbol: String,
    changes: u64,
    losses: u64,
    equal: bool,
}

#[tokio::main]
async fn main() -> examples::Result {
    let seconds = std::env::args().nth(1).map_or(Ok(12), |text| text.parse())?;
    let end = Instant::now() + Duration::from_secs(seconds);
    // Limits of the exchange would end the run before the attacks do.
    let exchange = Sandbox::start(Config::new().seed(7).rate_limits(false)).await?;
    let environment = sandbox::environment(&exchange)?;
    let credentials = sandbox::credentials(&exchange)?;
    let client = rest::Client::builder()
        .environment(environment.clone())
        .credentials(credentials.clone())
        .retry_reads(RetryPolicy::within(Duration::from_secs(10)))
        .build()?;
    let streams =
        ws::Client::builder().environment(environment).credentials(credentials).build()?;
    println!("embedded exchange, {seconds} s of attacks on its streams");

    // Whether the market stands still, so that books can be compared.
    let (calm, standing) = watch::channel(false);
    let exchange = std::sync::Arc::new(exchange);
    let mut books = JoinSet::new();
    for (symbol, _) in PAIRS {
        let topic = topic::spot::depth_increase(symbol);
        books.spawn(follow(streams.clone(), topic, symbol, exchange.clone(), standing.clone()));
    }
    for symbol in CONTRACTS {
        let topic = topic::futures::depth_increase(symbol, DepthLevels::Fifty, DepthSpeed::Ms100);
        books.spawn(follow(streams.clone(), topic, symbol, exchange.clone(), standing.clone()));
    }

    let mut account = AccountTracker::new(client.clone(), streams.clone()).spot();
    let mut tally = Tally::default();
    let mut fills = Vec::new();
    let mut caught_up = 0;
    let mut attack = tokio::time::interval(Duration::from_secs(3));
    let mut order = tokio::time::interval(Duration::from_millis(150));
    order.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut turn = 0_u32;
    while Instant::now() < end {
        tokio::select! {
            event = account.next() => {
                let event = event.ok_or("the account ended")??;
                note(&event, &mut tally, &mut fills, &mut caught_up);
            }
            _ = attack.tick() => {
                turn += 1;
                strike(&exchange, turn, &mut tally);
            }
            _ = order.tick() => {
                let (pair, size) = PAIRS[tally.orders % PAIRS.len()];
                tally.orders += 1;
                let order = if tally.orders % 5 < 3 {
                    spot::NewOrder::market_buy(pair, dec!(20))
                } else {
                    spot::NewOrder::market_sell(pair, size)
                };
                client.spot().submit_order(order).await?;
            }
        }
    }

    exchange.clear_faults();
    exchange.hold_market(true);
    calm.send(true)?;
    let ledger: BTreeSet<TradeId> =
        exchange.fills().iter().map(|fill| TradeId::from(fill.trade_id.as_str())).collect();
    let settled = tokio::time::timeout(CALM, async {
        while fills.len() < ledger.len() || !account.is_in_step(Market::Spot) {
            let event = account.next().await.ok_or("the account ended")??;
            note(&event, &mut tally, &mut fills, &mut caught_up);
        }
        examples::Result::Ok(())
    });
    settled.await.map_err(|_| format!("{} of {} fills are known", fills.len(), ledger.len()))??;
    tally.fills_caught_up = caught_up;
    tally.fills_streamed = fills.len() - caught_up;
    let mut wrong = Vec::new();
    while let Some(log) = books.join_next().await {
        let log = log?.map_err(|error| format!("a book ended: {error}"))?;
        tally.book_changes += log.changes;
        tally.book_losses += log.losses;
        if !log.equal {
            wrong.push(log.symbol);
        }
    }
    let known: BTreeSet<TradeId> = fills.iter().cloned().collect();
    let doubled = fills.len() - known.len();
    let missing = ledger.difference(&known).count();
    println!("{tally:#?}");
    println!("fills: {} in the ledger, {missing} missing, {doubled} doubled", ledger.len());
    println!("books: {} followed, {} differ {wrong:?}", PAIRS.len() + CONTRACTS.len(), wrong.len());
    streams.shutdown().await;
    if missing + doubled + wrong.len() > 0 { Err("the tally is not even".into()) } else { Ok(()) }
}

/// The next attack. They take turns, so that a short run has some of each.
fn strike(exchange: &Sandbox, turn: u32, tally: &mut Tally) {
    match turn % 4 {
        0 | 2 => {
            exchange.kill_sockets();
            tally.cuts += 1;
        }
        1 => {
            for (pair, _) in PAIRS {
                exchange.inject(Fault::VersionGap.on(format!("spot/depth/increase100:{pair}")));
            }
            tally.gaps += 1;
        }
        _ => {
            exchange.inject(Fault::SilentSocket.on("spot/depth/increase100:BTC_USDT"));
            tally.silences += 1;
        }
    }
}

fn note(event: &AccountEvent, tally: &mut Tally, fills: &mut Vec<TradeId>, caught_up: &mut usize) {
    match event {
        AccountEvent::Fill(fill) => fills.push(fill.trade_id.clone()),
        AccountEvent::Reconnecting { .. } => tally.reconnections += 1,
        AccountEvent::CaughtUp(found) => {
            tally.catch_ups += 1;
            *caught_up += found.fills;
        }
        AccountEvent::CatchUpFailed { error, .. } => println!("not caught up yet: {error}"),
        _ => {}
    }
}

/// Keeps a book until the market stands still and the book is the exchange's, or time is up.
async fn follow<T: DepthEvent>(
    streams: ws::Client,
    topic: Topic<T>,
    symbol: &str,
    exchange: std::sync::Arc<Sandbox>,
    mut standing: watch::Receiver<bool>,
) -> Result<BookLog, ws::Error> {
    let mut log = BookLog { symbol: symbol.to_owned(), ..BookLog::default() };
    let mut books = streams.order_book(topic).await?;
    let mut deadline = None;
    loop {
        let calm = *standing.borrow_and_update();
        if calm {
            let until = *deadline.get_or_insert(tokio::time::Instant::now() + CALM);
            let own = exchange.book(symbol);
            let book = books.book();
            let (asks, bids): (Vec<_>, Vec<_>) = (
                book.asks().map(|level| (level.price, level.size)).collect(),
                book.bids().map(|level| (level.price, level.size)).collect(),
            );
            log.equal = book.is_whole()
                && own
                    .is_some_and(|own| own.asks.starts_with(&asks) && own.bids.starts_with(&bids));
            if log.equal || tokio::time::Instant::now() >= until {
                return Ok(log);
            }
        }
        tokio::select! {
            book = books.next() => match book {
                Some(book) => {
                    log.changes += 1;
                    log.losses += u64::from(!book?.is_whole());
                }
                None => return Ok(log),
            },
            _ = standing.changed(), if !calm => {}
            () = tokio::time::sleep(Duration::from_secs(1)), if calm => {}
        }
    }
}
