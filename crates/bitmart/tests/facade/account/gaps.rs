//! Gaps that are read late: no fill may be lost.

use std::time::Duration;

use bitmart::account::{Assumptions, Health, Market};
use bitmart::sandbox::{Config, Fault};

use super::harness::{Consumer, Harness, TestResult};

/// The default capacity of a stream's queue.
const QUEUE: usize = 1_024;
/// How long the consumer does not read: longer than every limit of time in the tracker's assumptions.
const PAUSE: Duration = Duration::from_secs(40);

fn config() -> Config {
    Config::new().seed(5)
}

#[tokio::test(start_paused = true)]
async fn an_overflow_during_a_pause_of_the_consumer_loses_no_fill() -> TestResult {
    let harness = Harness::open(config(), QUEUE).await?;
    let mut consumer = harness.follow(Assumptions::default());
    consumer.until(&harness, Consumer::is_live).await?;
    for order in 0..1_500 {
        harness.trade(order).await?;
        if order.is_multiple_of(10) {
            harness.advance(Duration::from_millis(20)).await;
        }
    }
    harness.advance(PAUSE).await;
    let count = harness.ledger().len();
    let time_to_fills = consumer.until(&harness, |consumer| consumer.fills.len() == count).await?;
    assert!(consumer.has_event("Overflowed"), "{:?}", consumer.events);
    assert!(time_to_fills <= Duration::from_secs(10), "{count} fills after {time_to_fills:?}");
    let live = time_to_fills + consumer.until(&harness, Consumer::is_live).await?;
    assert!(live <= Duration::from_secs(15), "live after {live:?}");
    consumer.check_fills(&harness)
}

#[tokio::test(start_paused = true)]
async fn a_disconnect_during_a_pause_of_the_consumer_loses_no_fill() -> TestResult {
    let harness = Harness::open(config(), QUEUE).await?;
    let mut consumer = harness.follow(Assumptions::default());
    consumer.until(&harness, Consumer::is_live).await?;
    harness.disconnect().await;
    harness.trade(0).await?;
    harness.advance(PAUSE).await;
    // The loss has not been read, so the health is still the one before it.
    let healths_before = consumer.healths.len();
    let time_to_live = consumer
        .until(&harness, |consumer| {
            consumer.is_live() && consumer.healths.len() >= healths_before + 2
        })
        .await?;
    // The streams were subscribed long before, so one fetch of the history is enough.
    assert!(time_to_live <= Duration::from_secs(1), "live after {time_to_live:?}");
    consumer.check_fills(&harness)
}

#[tokio::test(start_paused = true)]
async fn a_fill_during_a_slow_fetch_is_not_lost() -> TestResult {
    let harness = Harness::open(config(), QUEUE).await?;
    let mut consumer = harness.follow(Assumptions::default());
    consumer.until(&harness, Consumer::is_live).await?;
    harness.exchange.inject(Fault::Delay(Duration::from_secs(45)).on("/spot/v1/wallet"));
    harness.disconnect().await;
    consumer.read_for(&harness, Duration::from_secs(6)).await?;
    assert!(matches!(consumer.healths.last(), Some(Health::CatchingUp { .. })));
    harness.disconnect().await;
    harness.trade(0).await?;
    let count = harness.ledger().len();
    let time_to_fill = consumer.until(&harness, |consumer| consumer.fills.len() == count).await?;
    assert!(
        time_to_fill <= Duration::from_secs(10),
        "the slow fetch delayed a newer one for {time_to_fill:?}"
    );
    let live = time_to_fill + consumer.until(&harness, Consumer::is_live).await?;
    assert!(live <= Duration::from_secs(15), "live after {live:?}");
    // The result of the slow fetch is ignored.
    consumer.read_for(&harness, Duration::from_secs(60)).await?;
    assert!(consumer.is_live());
    consumer.check_fills(&harness)
}

const TRADES: &str = "/spot/v4/query/trades";

#[tokio::test(start_paused = true)]
async fn a_lagging_history_hides_no_fill() -> TestResult {
    let harness = Harness::open(config(), QUEUE).await?;
    let mut consumer = harness.follow(Assumptions::default());
    consumer.until(&harness, Consumer::is_live).await?;
    let lag = Duration::from_millis(4_900);
    harness.exchange.inject(Fault::LateHistory(lag).on(TRADES).times(u32::MAX));
    harness.disconnect().await;
    harness.trade(0).await?;
    let traded = harness.now();
    consumer.until(&harness, |consumer| !consumer.is_live()).await?;
    consumer.until(&harness, Consumer::is_live).await?;
    assert!(traded + lag <= harness.now(), "the history did not lag when it was queried");
    consumer.check_fills(&harness)
}

#[tokio::test(start_paused = true)]
async fn an_audit_finds_fills_lost_to_a_violated_assumption() -> TestResult {
    let harness = Harness::open(config(), QUEUE).await?;
    let mut consumer = harness.follow(Assumptions::default().max_history_lag(Duration::ZERO));
    consumer.until(&harness, Consumer::is_live).await?;
    // An audit covers no fills from before the start of tracking.
    consumer.read_for(&harness, Duration::from_secs(10)).await?;
    let lag = Duration::from_secs(30);
    harness.exchange.inject(Fault::LateHistory(lag).on(TRADES).times(u32::MAX));
    harness.disconnect().await;
    harness.trade(0).await?;
    consumer.until(&harness, |consumer| !consumer.is_live()).await?;
    consumer.until(&harness, Consumer::is_live).await?;
    assert!(consumer.fills.is_empty(), "the history does not contain the fill yet");
    consumer.read_for(&harness, lag * 2).await?;
    assert!(!consumer.has_event("AuditMismatch"), "no audit has run");
    consumer.account.request_audit(Market::Spot);
    consumer.until(&harness, |consumer| consumer.audits().completed > 0).await?;
    consumer.until(&harness, |consumer| consumer.has_event("AuditMismatch")).await?;
    let audits = consumer.audits();
    assert_eq!((audits.not_received, audits.not_on_exchange), (harness.ledger().len() as u64, 0));
    consumer.until(&harness, |consumer| !consumer.is_live()).await?;
    consumer.until(&harness, Consumer::is_live).await?;
    consumer.check_fills(&harness)
}
