//! A long run with every fault on every edge: in the end the ledger, the tracker and the history
//! agree.
//!
//! Some hundred orders in an ordinary run; `cargo xtask soak` makes it 100,000.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bitmart::account::{Assumptions, Market};
use bitmart::rest::spot;
use bitmart::sandbox::{Config, Fault};
use bitmart::{Timestamp, TradeId};

use crate::lab::{Lab, TestResult, Watcher};

/// Orders, minutes of the machine after which no more are placed, and the sequence of what happens;
/// others with these variables.
const ORDERS: &str = "BITMART_SOAK_ORDERS";
const MINUTES: &str = "BITMART_SOAK_MINUTES";
const SEED: &str = "BITMART_SOAK_SEED";

/// Small, so that it overflows.
const QUEUE: usize = 64;

/// Everything that an account asks for.
const QUERIES: [&str; 5] = [
    "/spot/v4/query/open-orders",
    "/spot/v4/query/history-orders",
    "/spot/v4/query/trades",
    "/spot/v4/query/order",
    "/spot/v1/wallet",
];
const STREAM: &str = "spot/user/orders:ALL_SYMBOLS";

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| {
        text.parse().unwrap_or_else(|_| panic!("{variable} is no number"))
    })
}

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn up_to(&mut self, most: Duration) -> Duration {
        Duration::from_millis(self.below(u64::try_from(most.as_millis()).unwrap_or(1).max(1)))
    }
}

/// What goes wrong on the way of an answer, within what is assumed about the exchange.
fn rest_fault(random: &mut Random) -> Fault {
    match random.below(13) {
        0 => Fault::Delay(random.up_to(Duration::from_secs(50))),
        1 => Fault::DropBefore,
        2 => Fault::DropAfter,
        3 => Fault::Html(502),
        4 => Fault::HtmlAfter(502),
        5 => Fault::TruncatedJson,
        6 => Fault::NullRows,
        7 => Fault::ResetMidBody,
        8 => Fault::SlowDrip(random.up_to(Duration::from_secs(5))),
        9 => Fault::RateLimited,
        10 => Fault::Unavailable,
        11 => Fault::Maintenance,
        _ => Fault::Banned,
    }
}

/// What goes wrong on the way of a frame.
fn frame_fault(random: &mut Random) -> Fault {
    match random.below(5) {
        0 => Fault::SilentSocket,
        1 => Fault::HalfOpen,
        2 => Fault::Duplicate,
        3 => Fault::LatePush(random.up_to(Duration::from_secs(4))),
        _ => Fault::Garbage,
    }
}

fn handshake_fault(random: &mut Random) -> Fault {
    match random.below(4) {
        0 => Fault::WrongAccept,
        1 => Fault::Delay(random.up_to(Duration::from_secs(4))),
        2 => Fault::DropBefore,
        _ => Fault::Html(502),
    }
}

fn strike(lab: &Lab, random: &mut Random) {
    let times = u32::try_from(1 + random.below(4)).unwrap_or(1);
    let fault = match random.below(7) {
        0 | 1 => {
            let query = QUERIES[usize::try_from(random.below(5)).unwrap_or(0)];
            rest_fault(random).on(query)
        }
        2 | 3 => frame_fault(random).on(STREAM),
        4 => handshake_fault(random).on("spot/user"),
        5 => {
            // By almost as much as is assumed at most.
            let behind = Fault::LateHistory(Duration::from_millis(4_900));
            let list = QUERIES[usize::try_from(random.below(3)).unwrap_or(0)];
            return lab.exchange.inject(behind.on(list).times(times * 10));
        }
        _ => return lab.exchange.kill_sockets(),
    };
    lab.exchange.inject(fault.times(times));
}

/// Every fill that is older than what is said to be whole was told.
fn claims_hold(lab: &Lab, watcher: &Watcher) -> TestResult {
    let Some(until) = watcher.account.whole_until(Market::Spot) else { return Ok(()) };
    let known: BTreeSet<_> = watcher.fills.iter().map(TradeId::as_str).collect();
    let before = |time_ms: u64| i64::try_from(time_ms).is_ok_and(|ms| ms < until.as_millis());
    let fills = lab.exchange.fills();
    let missing =
        fills.iter().find(|fill| before(fill.time_ms) && !known.contains(fill.trade_id.as_str()));
    match missing {
        None => Ok(()),
        Some(fill) => {
            let time = fill.time_ms;
            Err(format!("a fill of {time} is missing, said to be whole until {until}").into())
        }
    }
}

#[tokio::test(start_paused = true)]
async fn soak() -> TestResult {
    let orders = usize::try_from(number(ORDERS, 500))?;
    let minutes = Duration::from_secs(60 * number(MINUTES, u64::from(u32::MAX)));
    let seed = number(SEED, 1);
    let mut random = Random(0x2545_f491_4f6c_dd1d ^ (seed << 32));
    let config = Config::new().seed(5).remembered_orders(orders * 2 + 1_000);
    let started = Instant::now();
    let lab = Lab::open(config, QUEUE).await?;
    let begin = lab.now();
    let mut watcher = lab.follow(Assumptions::default());
    watcher.until(&lab, Watcher::is_live).await?;
    let mut pause_until = lab.now();
    let (mut placed, mut faults) = (0, 0);
    while placed < orders && started.elapsed() < minutes {
        lab.trade(placed).await?;
        placed += 1;
        if random.below(20) == 0 {
            strike(&lab, &mut random);
            faults += 1;
        }
        let pause = match (random.below(300), random.below(2_500)) {
            (_, 0) => random.up_to(Duration::from_secs(240)),
            (0, _) => random.up_to(Duration::from_secs(20)),
            _ => Duration::ZERO,
        };
        pause_until = pause_until.max(lab.now() + pause);
        if placed == (orders / 2).min(500) {
            // A long one in the shortest run, too.
            lab.pass(Duration::from_secs(120)).await;
        }
        if placed.is_multiple_of(1_000) {
            claims_hold(&lab, &watcher)?;
        }
        // Many at once, and then none for a while.
        let time = match random.below(20) {
            0 => random.up_to(Duration::from_secs(3)),
            1..5 => random.up_to(Duration::from_millis(300)),
            _ => continue,
        };
        if lab.now() < pause_until {
            lab.pass(time).await;
        } else {
            watcher.watch(&lab, time).await?;
        }
    }
    claims_hold(&lab, &watcher)?;
    lab.exchange.clear_faults();
    watcher.until(&lab, Watcher::is_live).await?;
    // What is still on its way comes within what is assumed.
    watcher.watch(&lab, Duration::from_secs(20)).await?;
    watcher.until(&lab, Watcher::is_live).await?;
    watcher.agrees(&lab)?;
    assert_eq!(history(&lab, begin).await?, lab.ledger(), "the history is not the ledger");
    let done = watcher.audits().done;
    watcher.account.audit(Market::Spot);
    watcher.until(&lab, |watcher| watcher.audits().done > done).await?;
    let audits = watcher.audits();
    assert_eq!((audits.missing, audits.surplus), (0, 0), "an audit found a difference");
    let told = |what: &str| watcher.told.iter().filter(|told| told.contains(what)).count();
    println!(
        "soak {seed}: {placed} orders and {} fills, each told once: the ledger, the tracker and the \
         history agree; {} min of the exchange in {} s, {faults} faults, {} connections lost, {} overflows, {} \
         fetches failed, {} times live again, {} audits of {} trades without a difference",
        watcher.fills.len(),
        lab.now().duration_since(begin).as_secs() / 60,
        started.elapsed().as_secs(),
        told("Reconnecting"),
        told("Overflowed"),
        told("CatchUpFailed"),
        told("CaughtUp"),
        audits.done,
        audits.compared,
    );
    Ok(())
}

/// Every trade that the exchange lists.
async fn history(
    lab: &Lab,
    begin: Timestamp,
) -> Result<BTreeSet<TradeId>, Box<dyn std::error::Error>> {
    let mut listed = BTreeSet::new();
    let minute = Duration::from_secs(60);
    let (from, to) = (begin - minute, lab.now() + minute);
    let mut pages = lab.trader.history(spot::ListAccountTrades::new(), from, to);
    while let Some(page) = pages.next().await {
        listed.extend(page?.into_iter().map(|fill| fill.trade_id));
    }
    Ok(listed)
}
