//! A long run with random faults of every kind. In the end the fills of the exchange, of the tracker
//! and of the history are equal.
//!
//! 500 orders by default; `cargo xtask soak` places 100,000.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bitmart::account::{Assumptions, Market};
use bitmart::rest::spot;
use bitmart::sandbox::{Config, Fault};
use bitmart::{Timestamp, TradeId};

use super::harness::{Consumer, Harness, TestResult};

/// Environment variables: the number of orders, the real minutes after which no more are placed, and
/// the seed.
const ORDERS: &str = "BITMART_SOAK_ORDERS";
const MINUTES: &str = "BITMART_SOAK_MINUTES";
const SEED: &str = "BITMART_SOAK_SEED";

/// Small, so that it overflows.
const QUEUE: usize = 64;

/// All queries of the tracker.
const QUERIES: [&str; 5] = [
    "/spot/v4/query/open-orders",
    "/spot/v4/query/history-orders",
    "/spot/v4/query/trades",
    "/spot/v4/query/order",
    "/spot/v1/wallet",
];
const STREAM: &str = "spot/user/orders:ALL_SYMBOLS";

fn from_env(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| {
        text.parse().unwrap_or_else(|_| panic!("{variable} is not a number"))
    })
}

/// A deterministic random number generator (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn duration_below(&mut self, limit: Duration) -> Duration {
        Duration::from_millis(self.below(u64::try_from(limit.as_millis()).unwrap_or(1).max(1)))
    }
}

/// A fault of a REST response, within the assumptions about the exchange.
fn rest_fault(random: &mut Random) -> Fault {
    match random.below(13) {
        0 => Fault::Delay(random.duration_below(Duration::from_secs(50))),
        1 => Fault::DropBefore,
        2 => Fault::DropAfter,
        3 => Fault::Html(502),
        4 => Fault::HtmlAfter(502),
        5 => Fault::TruncatedJson,
        6 => Fault::NullRows,
        7 => Fault::ResetMidBody,
        8 => Fault::SlowDrip(random.duration_below(Duration::from_secs(5))),
        9 => Fault::RateLimited,
        10 => Fault::Unavailable,
        11 => Fault::Maintenance,
        _ => Fault::Banned,
    }
}

/// A fault of a WebSocket frame.
fn frame_fault(random: &mut Random) -> Fault {
    match random.below(5) {
        0 => Fault::SilentSocket,
        1 => Fault::HalfOpen,
        2 => Fault::Duplicate,
        3 => Fault::LatePush(random.duration_below(Duration::from_secs(4))),
        _ => Fault::Garbage,
    }
}

fn handshake_fault(random: &mut Random) -> Fault {
    match random.below(4) {
        0 => Fault::WrongAccept,
        1 => Fault::Delay(random.duration_below(Duration::from_secs(4))),
        2 => Fault::DropBefore,
        _ => Fault::Html(502),
    }
}

fn inject_fault(harness: &Harness, random: &mut Random) {
    let times = u32::try_from(1 + random.below(4)).unwrap_or(1);
    let fault = match random.below(7) {
        0 | 1 => {
            let query = QUERIES[usize::try_from(random.below(5)).unwrap_or(0)];
            rest_fault(random).on(query)
        }
        2 | 3 => frame_fault(random).on(STREAM),
        4 => handshake_fault(random).on("spot/user"),
        5 => {
            // Almost the assumed maximum.
            let lag = Fault::LateHistory(Duration::from_millis(4_900));
            let list = QUERIES[usize::try_from(random.below(3)).unwrap_or(0)];
            return harness.exchange.inject(lag.on(list).times(times * 10));
        }
        _ => return harness.exchange.kill_sockets(),
    };
    harness.exchange.inject(fault.times(times));
}

/// Checks that every fill until the watermark was reported.
fn check_watermark(harness: &Harness, consumer: &Consumer) -> TestResult {
    let Some(until) = consumer.account.complete_until(Market::Spot) else { return Ok(()) };
    let known: BTreeSet<_> = consumer.fills.iter().map(TradeId::as_str).collect();
    let before = |time_ms: u64| i64::try_from(time_ms).is_ok_and(|ms| ms < until.as_millis());
    let fills = harness.exchange.fills();
    let missing =
        fills.iter().find(|fill| before(fill.time_ms) && !known.contains(fill.trade_id.as_str()));
    match missing {
        None => Ok(()),
        Some(fill) => {
            let time = fill.time_ms;
            Err(format!("a fill of {time} is missing, claimed complete until {until}").into())
        }
    }
}

#[tokio::test(start_paused = true)]
async fn soak() -> TestResult {
    let orders = usize::try_from(from_env(ORDERS, 500))?;
    let minutes = Duration::from_secs(60 * from_env(MINUTES, u64::from(u32::MAX)));
    let seed = from_env(SEED, 1);
    let mut random = Random(0x2545_f491_4f6c_dd1d ^ (seed << 32));
    let config = Config::new().seed(5).history_limit(orders * 2 + 1_000);
    let started = Instant::now();
    let harness = Harness::open(config, QUEUE).await?;
    let begin = harness.now();
    let mut consumer = harness.follow(Assumptions::default());
    consumer.until(&harness, Consumer::is_live).await?;
    let mut pause_until = harness.now();
    let (mut placed, mut faults) = (0, 0);
    while placed < orders && started.elapsed() < minutes {
        harness.trade(placed).await?;
        placed += 1;
        if random.below(20) == 0 {
            inject_fault(&harness, &mut random);
            faults += 1;
        }
        let pause = match (random.below(300), random.below(2_500)) {
            (_, 0) => random.duration_below(Duration::from_secs(240)),
            (0, _) => random.duration_below(Duration::from_secs(20)),
            _ => Duration::ZERO,
        };
        pause_until = pause_until.max(harness.now() + pause);
        if placed == (orders / 2).min(500) {
            // At least one long pause in every run.
            harness.advance(Duration::from_secs(120)).await;
        }
        if placed.is_multiple_of(1_000) {
            check_watermark(&harness, &consumer)?;
        }
        // Bursts of orders with pauses between them.
        let time = match random.below(20) {
            0 => random.duration_below(Duration::from_secs(3)),
            1..5 => random.duration_below(Duration::from_millis(300)),
            _ => continue,
        };
        if harness.now() < pause_until {
            harness.advance(time).await;
        } else {
            consumer.read_for(&harness, time).await?;
        }
    }
    check_watermark(&harness, &consumer)?;
    harness.exchange.clear_faults();
    consumer.until(&harness, Consumer::is_live).await?;
    // Delayed pushes arrive within the assumed maximum.
    consumer.read_for(&harness, Duration::from_secs(20)).await?;
    consumer.until(&harness, Consumer::is_live).await?;
    consumer.check_fills(&harness)?;
    assert_eq!(
        history(&harness, begin).await?,
        harness.ledger(),
        "the history differs from the exchange's fills"
    );
    let completed = consumer.audits().completed;
    consumer.account.request_audit(Market::Spot);
    consumer.until(&harness, |consumer| consumer.audits().completed > completed).await?;
    let audits = consumer.audits();
    assert_eq!(
        (audits.not_received, audits.not_on_exchange),
        (0, 0),
        "an audit found a difference"
    );
    let count = |name: &str| consumer.events.iter().filter(|event| event.contains(name)).count();
    println!(
        "soak {seed}: {placed} orders and {} fills, each reported once: exchange, tracker and history \
         agree; {} min of the exchange in {} s, {faults} faults, {} interruptions reported, {} overflows, {} \
         fetches failed, {} times live, the first included, {} audits of {} trades without a difference",
        consumer.fills.len(),
        harness.now().duration_since(begin).as_secs() / 60,
        started.elapsed().as_secs(),
        count("Reconnecting"),
        count("Overflowed"),
        count("CatchUpFailed"),
        count("CaughtUp"),
        audits.completed,
        audits.compared,
    );
    Ok(())
}

/// Queries all trades from the history.
async fn history(
    harness: &Harness,
    begin: Timestamp,
) -> Result<BTreeSet<TradeId>, Box<dyn std::error::Error>> {
    let mut listed = BTreeSet::new();
    let minute = Duration::from_secs(60);
    let (from, to) = (begin - minute, harness.now() + minute);
    let mut pages = harness.trader.history(spot::ListFills::new(), from, to);
    while let Some(page) = pages.next().await {
        listed.extend(page?.into_iter().map(|fill| fill.trade_id));
    }
    Ok(listed)
}
