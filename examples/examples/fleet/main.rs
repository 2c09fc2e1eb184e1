//! A fleet on one machine: Redis, NATS, two collectors and two bots, each a process of its own, on a sandbox that
//! enforces its limits. Both bots trade as fast as the limit of their account allows, on market data that the exchange
//! sends once. In the middle the collector that they read from is killed.
//!
//! Needs `redis-server` and `nats-server`. Fails if a limit was exceeded or market data did not return.
//!
//! ```sh
//! cargo run --example fleet --features fleet
//! ```

mod processes;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bitmart::rest::limit::{LimitPolicy, Limiter};
use bitmart::rest::{Client, ErrorKind, spot};
use bitmart::sandbox::{Config, Sandbox};
use bitmart::ws::{self, Update, topic};
use bitmart::{Timestamp, dec};
use bitmart_fleet::collector::Collector;
use bitmart_fleet::nats::{self, Options};
use bitmart_fleet::{ClientOrderIds, RedisBudgets};
use processes::{Event, Fleet};
use tokio::sync::watch;

/// The limit of `submit_order` per account, and its window.
const LIMIT: usize = 40;
const WINDOW_MS: i64 = 2_000;
/// The longest time that a request of a bot may take.
const TIMEOUT: Duration = Duration::from_secs(1);
/// The names of the bots, which are also the beginnings of their client order ids.
const BOTS: [&str; 2] = ["m1", "m2"];
/// Orders of each bot before the collector is killed, and again afterwards.
const ORDERS: usize = 60;

/// Collects and publishes market data until it is killed or stopped.
async fn collector(id: &str, nats: &str) -> examples::Result {
    let exchange = examples::exchange().await?;
    let exchange = ws::Client::builder().environment(exchange.environment).build()?;
    let collector = Collector::builder(Options::new(nats), exchange)
        .id(id)
        .topic(topic::spot::trades("BTC_USDT"))
        .topic(topic::spot::ticker("BTC_USDT"))
        // One shard: one collector has it, the other stands by. With more shards each has a part of the topics.
        .shards(1)
        .start()
        .await?;
    let mut leases = None;
    while processes::is_wanted() {
        let now = collector.status().leases;
        if leases.replace(now) != Some(now) {
            processes::report(&Event::Leases(now));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    collector.stop().await;
    Ok(())
}

/// Reads market data from the fleet, and trades as long as it arrives.
async fn bot(name: &str, nats: &str, redis: &str) -> examples::Result {
    let exchange = examples::exchange().await?;
    // The exchange counts the orders of both bots together, so both take their permits from Redis.
    let budgets = RedisBudgets::builder(redis, "127.0.0.1").call_timeout(TIMEOUT).build()?;
    budgets.check().await?;
    let limiter = Limiter::new(LimitPolicy::WaitUpTo(Duration::from_secs(20)))
        .with_store(Arc::new(budgets.clone()));
    let rest = Client::builder()
        .environment(exchange.environment)
        .credentials(exchange.credentials)
        .timeout(TIMEOUT)
        .limiter(limiter)
        .build()?;
    // Instead of `ws::Client::builder().build()?`. Nothing else changes.
    let market = nats::connect(Options::new(nats)).await?;
    let mut trades = market.subscribe(topic::spot::trades("BTC_USDT")).await?;

    let (live, is_live) = watch::channel(false);
    let trading = tokio::spawn(trade(rest, ClientOrderIds::new(name)?, is_live));
    let mut frames = 0;
    while processes::is_wanted() {
        // A read that is dropped loses nothing.
        let next = tokio::time::timeout(Duration::from_millis(50), trades.next()).await;
        match next.ok().flatten().transpose()? {
            Some(Update::Subscribed) => drop(live.send_replace(true)),
            Some(Update::Data(_)) => frames += 1,
            Some(Update::Reconnecting(reason)) => {
                live.send_replace(false);
                processes::report(&Event::Gap(reason.to_string()));
            }
            Some(Update::Resynced) => {
                live.send_replace(true);
                processes::report(&Event::Resumed(Timestamp::now().as_millis()));
            }
            _ => {}
        }
    }
    live.send_replace(false);
    drop(live);
    trading.await?;
    // Gives its permits back at once.
    budgets.close().await;
    processes::report(&Event::Frames(frames));
    Ok(())
}

/// Buys and sells in turns while there is market data, and ends with the sender of `live`.
async fn trade(rest: Client, ids: ClientOrderIds, mut live: watch::Receiver<bool>) {
    let mut buys = true;
    while live.wait_for(|live| *live).await.is_ok() {
        let order = if buys {
            spot::NewOrder::market_buy("BTC_USDT", dec!(50))
        } else {
            spot::NewOrder::market_sell("BTC_USDT", dec!(0.0005))
        };
        buys = !buys;
        match rest.spot().submit_order(order.with_client_order_id(ids.create())).await {
            Ok(_) => processes::report(&Event::Accepted(Timestamp::now().as_millis())),
            // Held back here, and not sent: by the limiter, or because Redis could not be asked.
            Err(error) if matches!(error.kind(), ErrorKind::Throttled(_)) => {}
            Err(error) if error.is_rate_limited() => processes::report(&Event::Refused),
            Err(error) => eprintln!("{}: {error}", ids.name()),
        }
    }
}

/// Starts everything, kills a collector in the middle, and checks that no limit was exceeded and that the other
/// collector took over.
async fn fleet() -> examples::Result {
    let exchange = Sandbox::start(Config::new()).await?; // with its limits on
    let mut fleet = Fleet::start(&exchange.ready_line())?;
    for id in ["collector-a", "collector-b"] {
        fleet.start_process("collector", id)?;
    }
    fleet.until(|seen| holder(seen).is_some())?;
    for name in BOTS {
        fleet.start_process("bot", name)?;
    }
    println!(
        "Redis does not know what was sent before it started, so the first orders wait a few seconds."
    );
    let traded = |seen: &Seen, count: usize| BOTS.iter().all(|bot| accepted(seen, bot) >= count);
    fleet.until(|seen| traded(seen, ORDERS))?;
    let killed = holder(fleet.seen()).ok_or("nobody holds the topics")?;
    println!("kill -9 {killed}");
    let killed_at = Timestamp::now().as_millis();
    fleet.kill(&killed)?;
    // The bots go on as soon as the other collector publishes.
    let before = BOTS.map(|bot| accepted(fleet.seen(), bot));
    fleet.until(|seen| {
        let resumed =
            BOTS.iter().all(|bot| has_event(seen, bot, |event| matches!(event, Event::Resumed(_))));
        resumed && traded(seen, before[0].max(before[1]) + ORDERS)
    })?;
    let successor = holder(fleet.seen());
    let seen = fleet.stop(BOTS)?;

    let mut orders = Vec::new();
    for bot in BOTS {
        println!("{bot}: {} orders accepted", accepted(&seen, bot));
        for event in &seen[bot] {
            match event {
                Event::Accepted(at) => orders.push(*at),
                Event::Gap(reason) => println!("{bot}: no market data: {reason}"),
                Event::Resumed(at) => {
                    println!("{bot}: market data again, {} ms after the kill", at - killed_at);
                }
                Event::Frames(count) => println!("{bot}: {count} trades seen"),
                Event::Refused | Event::Leases(_) => {}
            }
        }
    }
    println!("{} took over", successor.as_deref().unwrap_or("nobody"));
    let refused = seen.values().flatten().filter(|event| matches!(event, Event::Refused)).count();
    println!("{refused} orders refused by the limit of the exchange, {LIMIT} in {WINDOW_MS} ms");
    orders.sort_unstable();
    let in_window =
        |from: i64| orders.iter().filter(|at| (from..from + WINDOW_MS).contains(*at)).count();
    let maximum = orders.iter().map(|at| in_window(*at)).max().unwrap_or(0);
    println!("{maximum} orders accepted in the busiest {WINDOW_MS} ms");
    if refused > 0 || successor.is_none_or(|successor| successor == killed) {
        return Err("a limit was exceeded, or nobody took over".into());
    }
    Ok(())
}

/// The reports of each process, in order.
type Seen = BTreeMap<String, Vec<Event>>;

fn has_event(seen: &Seen, process: &str, wanted: impl Fn(&Event) -> bool) -> bool {
    seen.get(process).into_iter().flatten().any(wanted)
}

/// The number of orders of a bot that were accepted.
fn accepted(seen: &Seen, bot: &str) -> usize {
    seen.get(bot).into_iter().flatten().filter(|event| matches!(event, Event::Accepted(_))).count()
}

/// The collector whose latest report says that it holds a lease.
fn holder(seen: &Seen) -> Option<String> {
    let holds = |events: &[Event]| {
        events.iter().rev().find_map(|event| match event {
            Event::Leases(leases) => Some(*leases > 0),
            _ => None,
        })
    };
    seen.iter().find(|(_, events)| holds(events) == Some(true)).map(|(name, _)| name.clone())
}

#[tokio::main]
async fn main() -> examples::Result {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => fleet().await,
        ["collector", id, nats, _] => collector(id, nats).await,
        ["bot", name, nats, redis] => bot(name, nats, redis).await,
        _ => Err("takes no arguments".into()),
    }
}
