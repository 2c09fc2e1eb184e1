//! The dead-man switch against a sandbox with a stepped clock, which the client shares.

use std::sync::Arc;
use std::time::Duration;

use bitmart::dec;
use bitmart::rest::dead_man::{CancelResult, DeadManSwitch, Event, Reason, Timer};
use bitmart::rest::limit::{LimitPolicy, Limiter};
use bitmart::rest::{Client, futures, spot};
use bitmart::sandbox::{self, Config, Fault, Sandbox};

use crate::exchange_clock::ExchangeClock;

type TestResult = Result<(), Box<dyn std::error::Error>>;

const CONTRACT: &str = "BTCUSDT";
const PAIR: &str = "BTC_USDT";
const CANCEL_AFTER: &str = "/contract/private/cancel-all-after";
const CANCEL_FUTURES: &str = "/contract/private/cancel-orders";
const CANCEL_SPOT: &str = "/spot/v4/cancel_all";

/// Timeout for expected events. Only a failing test reaches it.
const TIMEOUT: Duration = Duration::from_secs(60);

struct Harness {
    exchange: Arc<Sandbox>,
    client: Client,
}

impl Harness {
    async fn open() -> Result<Self, Box<dyn std::error::Error>> {
        let config = Config::new().stepped_clock(1_700_000_000_000).rate_limits(false);
        let exchange = Arc::new(Sandbox::start(config).await?);
        let client = Client::builder()
            .environment(sandbox::environment(&exchange))
            .credentials(sandbox::credentials(&exchange)?)
            .clock(ExchangeClock(exchange.clone()))
            .limiter(Limiter::new(LimitPolicy::Off))
            .build()?;
        Ok(Self { exchange, client })
    }

    async fn guarded(&self, timeout: u64) -> Result<DeadManSwitch, Box<dyn std::error::Error>> {
        let switch = DeadManSwitch::builder(self.client.clone())
            .contract(CONTRACT)
            .pair(PAIR)
            .timeout(Duration::from_secs(timeout))
            .start()?;
        assert!(tokio::time::timeout(TIMEOUT, switch.wait_until_armed()).await??);
        Ok(switch)
    }

    /// Places a spot and a futures order far from the market.
    async fn place(&self) -> TestResult {
        let order = spot::NewOrder::limit_buy(PAIR, dec!(0.01), dec!(50000));
        self.client.spot().submit_order(order).await?;
        let order =
            futures::NewOrder::open_long(CONTRACT, 1, futures::Execution::Limit(dec!(50000)));
        self.client
            .futures()
            .submit_order(order.leverage(dec!(5)).margin_type(futures::MarginType::Isolated))
            .await?;
        Ok(())
    }

    /// Returns the number of open futures and spot orders.
    async fn open_orders(&self) -> Result<(usize, usize), bitmart::rest::Error> {
        let futures = self.client.futures().open_orders(futures::ListOpenOrders::new()).await?;
        let spot = self.client.spot().open_orders(spot::ListOpenOrders::new()).await?;
        Ok((futures.len(), spot.len()))
    }
}

async fn until(switch: &DeadManSwitch, wanted: fn(&Event) -> bool) -> TestResult {
    tokio::time::timeout(TIMEOUT, async {
        while let Some(event) = switch.next_event().await {
            if wanted(&event) {
                return Ok(());
            }
        }
        Err("the events ended".into())
    })
    .await?
}

#[tokio::test]
async fn a_timer_counts_as_armed_until_shortly_before_it_fires() -> TestResult {
    let harness = Harness::open().await?;
    let switch = harness.guarded(3_600).await?;
    harness.place().await?;
    harness.exchange.advance(Duration::from_secs(3_598));
    assert!(matches!(switch.timers()[0].1, Timer::Armed { .. }), "{switch:?}");
    harness.exchange.advance(Duration::from_secs(1));
    assert_eq!(switch.timers()[0].1, Timer::MayHaveFired);
    assert_eq!(harness.open_orders().await?, (1, 1));
    harness.exchange.advance(Duration::from_secs(1));
    assert_eq!(harness.open_orders().await?, (0, 1), "spot has no timer");
    assert!(switch.shutdown().await.is_clear());
    Ok(())
}

#[tokio::test]
async fn an_outage_longer_than_the_timeout_is_reported_and_the_timer_rearmed() -> TestResult {
    let harness = Harness::open().await?;
    let switch = harness.guarded(6).await?;
    harness.place().await?;
    harness.exchange.inject(Fault::DropBefore.on(CANCEL_AFTER).times(u32::MAX));
    until(&switch, |event| matches!(event, Event::RenewalFailed { .. })).await?;
    harness.exchange.advance(Duration::from_secs(6));
    assert_eq!(switch.timers()[0].1, Timer::MayHaveFired);
    assert_eq!(harness.open_orders().await?, (0, 1));
    until(&switch, |event| matches!(event, Event::MayHaveFired(_))).await?;
    harness.exchange.clear_faults();
    until(&switch, |event| matches!(event, Event::Rearmed(_))).await?;
    assert!(switch.is_armed());
    assert!(switch.shutdown().await.is_clear());
    Ok(())
}

#[tokio::test]
async fn a_renewal_with_a_lost_response_is_repeated() -> TestResult {
    let harness = Harness::open().await?;
    harness.exchange.inject(Fault::DropAfter.on(CANCEL_AFTER).times(1));
    let switch = harness.guarded(6).await?;
    let first = switch.next_event().await;
    assert!(
        matches!(&first, Some(Event::RenewalFailed { error, timer: Timer::NotSet, .. })
            if error.is_unknown()),
        "{first:?}"
    );
    assert!(switch.shutdown().await.is_clear());
    Ok(())
}

#[tokio::test]
async fn lost_and_rejected_cancellations_are_repeated_until_nothing_is_open() -> TestResult {
    for (fault, accepted) in [
        (Fault::DropAfter, false),
        (Fault::DropBefore, true),
        (Fault::HtmlAfter(502), false),
        (Fault::Maintenance, true),
        (Fault::Unavailable, true),
    ] {
        let harness = Harness::open().await?;
        let switch = harness.guarded(60).await?;
        harness.place().await?;
        harness.exchange.inject(fault.on(CANCEL_FUTURES).times(1));
        harness.exchange.inject(fault.on(CANCEL_SPOT).times(1));
        let report = switch.shutdown().await;
        assert!(report.is_clear(), "{fault:?}: {report:?}");
        for market in &report.markets {
            assert_eq!(market.accepted, accepted, "{fault:?}: {market:?}");
            assert!(market.error.is_some(), "{fault:?}: {market:?}");
        }
        assert_eq!(harness.open_orders().await?, (0, 0), "{fault:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_dropped_switch_cancels_in_the_background() -> TestResult {
    let harness = Harness::open().await?;
    let switch = harness.guarded(60).await?;
    harness.place().await?;
    drop(switch);
    tokio::time::timeout(TIMEOUT, async {
        while harness.open_orders().await? != (0, 0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    })
    .await?
}

#[tokio::test]
async fn a_strategy_without_heartbeats_loses_its_orders_and_is_stopped() -> TestResult {
    let harness = Harness::open().await?;
    let switch = DeadManSwitch::builder(harness.client.clone())
        .all_pairs()
        .stale_after(Duration::from_secs(2))
        .start()?;
    harness.place().await?;
    let report = tokio::time::timeout(TIMEOUT, switch.wait_until_ended()).await?;
    assert_eq!(
        (report.reason, &report.markets[0].result),
        (Reason::Stale, &CancelResult::Canceled)
    );
    assert!(!switch.beat());
    assert_eq!(harness.open_orders().await?, (1, 0), "futures were not guarded");
    Ok(())
}

#[tokio::test]
async fn disarming_leaves_orders_and_clears_the_timers() -> TestResult {
    let harness = Harness::open().await?;
    let switch = harness.guarded(60).await?;
    harness.place().await?;
    let report = switch.disarm().await;
    assert!(report.markets.iter().all(|market| market.timer.is_none()), "{report:?}");
    harness.exchange.advance(Duration::from_secs(600));
    assert_eq!(harness.open_orders().await?, (1, 1));
    Ok(())
}
