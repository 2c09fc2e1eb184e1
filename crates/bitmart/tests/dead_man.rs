//! The dead-man's switch against the sandbox, whose clock only moves when it is told to. The client
//! lives in the same time.

use std::sync::Arc;
use std::time::Duration;

use bitmart::rest::dead_man::{CancelResult, DeadManSwitch, Event, Reason, Timer};
use bitmart::rest::{Client, LimitPolicy, Limiter, futures, spot};
use bitmart::sandbox::{self, Config, Fault, Sandbox};
use bitmart::types::Clock;
use bitmart::{Timestamp, dec};

type TestResult = Result<(), Box<dyn std::error::Error>>;

const CONTRACT: &str = "BTCUSDT";
const PAIR: &str = "BTC_USDT";
const CANCEL_AFTER: &str = "/contract/private/cancel-all-after";
const CANCEL_FUTURES: &str = "/contract/private/cancel-orders";
const CANCEL_SPOT: &str = "/spot/v4/cancel_all";

/// How long a test waits for what must happen. Only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct ExchangeTime(Arc<Sandbox>);

impl Clock for ExchangeTime {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0.now_ms()).expect("a time"))
    }
}

struct Desk {
    exchange: Arc<Sandbox>,
    client: Client,
}

impl Desk {
    async fn open() -> Result<Self, Box<dyn std::error::Error>> {
        let config = Config::new().stepped_clock(1_700_000_000_000).rate_limits(false);
        let exchange = Arc::new(Sandbox::start(config).await?);
        let client = Client::builder()
            .environment(sandbox::environment(&exchange)?)
            .credentials(sandbox::credentials(&exchange)?)
            .clock(ExchangeTime(exchange.clone()))
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
        assert!(tokio::time::timeout(PATIENCE, switch.armed()).await??);
        Ok(switch)
    }

    /// One order on each side, far from the market.
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

    /// Open orders of the contract and of the pair.
    async fn open_orders(&self) -> Result<(usize, usize), bitmart::rest::Error> {
        let futures = self.client.futures().open_orders(futures::ListOpenOrders::new()).await?;
        let spot = self.client.spot().open_orders(spot::ListOpenOrders::new()).await?;
        Ok((futures.len(), spot.len()))
    }
}

async fn until(switch: &DeadManSwitch, wanted: fn(&Event) -> bool) -> TestResult {
    tokio::time::timeout(PATIENCE, async {
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
async fn armed_is_said_for_a_little_less_than_the_exchange_waits() -> TestResult {
    let desk = Desk::open().await?;
    let switch = desk.guarded(3_600).await?;
    desk.place().await?;
    desk.exchange.advance(Duration::from_secs(3_598));
    assert!(matches!(switch.timers()[0].1, Timer::Armed { .. }), "{switch:?}");
    desk.exchange.advance(Duration::from_secs(1));
    assert_eq!(switch.timers()[0].1, Timer::MayHaveFired);
    assert_eq!(desk.open_orders().await?, (1, 1));
    desk.exchange.advance(Duration::from_secs(1));
    assert_eq!(desk.open_orders().await?, (0, 1), "spot has no timer");
    assert!(switch.shutdown().await.is_clear());
    Ok(())
}

#[tokio::test]
async fn an_outage_longer_than_the_timeout_is_told_and_so_is_its_end() -> TestResult {
    let desk = Desk::open().await?;
    let switch = desk.guarded(6).await?;
    desk.place().await?;
    desk.exchange.inject(Fault::DropBefore.on(CANCEL_AFTER).times(u32::MAX));
    until(&switch, |event| matches!(event, Event::RenewalFailed { .. })).await?;
    desk.exchange.advance(Duration::from_secs(6));
    assert_eq!(switch.timers()[0].1, Timer::MayHaveFired);
    assert_eq!(desk.open_orders().await?, (0, 1));
    until(&switch, |event| matches!(event, Event::MayHaveFired(_))).await?;
    desk.exchange.clear_faults();
    until(&switch, |event| matches!(event, Event::Rearmed(_))).await?;
    assert!(switch.is_armed());
    assert!(switch.shutdown().await.is_clear());
    Ok(())
}

#[tokio::test]
async fn a_renewal_whose_response_is_lost_is_followed_by_one_that_arrives() -> TestResult {
    let desk = Desk::open().await?;
    desk.exchange.inject(Fault::DropAfter.on(CANCEL_AFTER).times(1));
    let switch = desk.guarded(6).await?;
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
async fn lost_and_refused_cancellations_end_with_nothing_open() -> TestResult {
    for (fault, accepted) in [
        (Fault::DropAfter, false),
        (Fault::DropBefore, true),
        (Fault::HtmlAfter(502), false),
        (Fault::Maintenance, true),
        (Fault::Unavailable, true),
    ] {
        let desk = Desk::open().await?;
        let switch = desk.guarded(60).await?;
        desk.place().await?;
        desk.exchange.inject(fault.on(CANCEL_FUTURES).times(1));
        desk.exchange.inject(fault.on(CANCEL_SPOT).times(1));
        let report = switch.shutdown().await;
        assert!(report.is_clear(), "{fault:?}: {report:?}");
        for one in &report.markets {
            assert_eq!(one.accepted, accepted, "{fault:?}: {one:?}");
            assert!(one.error.is_some(), "{fault:?}: {one:?}");
        }
        assert_eq!(desk.open_orders().await?, (0, 0), "{fault:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_switch_that_is_dropped_cancels_in_the_background() -> TestResult {
    let desk = Desk::open().await?;
    let switch = desk.guarded(60).await?;
    desk.place().await?;
    drop(switch);
    tokio::time::timeout(PATIENCE, async {
        while desk.open_orders().await? != (0, 0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    })
    .await?
}

#[tokio::test]
async fn a_strategy_that_falls_silent_loses_its_orders_and_is_told_to_stop() -> TestResult {
    let desk = Desk::open().await?;
    let switch = DeadManSwitch::builder(desk.client.clone())
        .all_pairs()
        .stale_after(Duration::from_secs(2))
        .start()?;
    desk.place().await?;
    let report = tokio::time::timeout(PATIENCE, switch.ended()).await?;
    assert_eq!((report.reason, &report.markets[0].result), (Reason::Stale, &CancelResult::Canceled));
    assert!(!switch.beat());
    assert_eq!(desk.open_orders().await?, (1, 0), "futures were not guarded");
    Ok(())
}

#[tokio::test]
async fn disarming_leaves_orders_and_no_timer() -> TestResult {
    let desk = Desk::open().await?;
    let switch = desk.guarded(60).await?;
    desk.place().await?;
    let report = switch.disarm().await;
    assert!(report.markets.iter().all(|one| one.timer.is_none()), "{report:?}");
    desk.exchange.advance(Duration::from_secs(600));
    assert_eq!(desk.open_orders().await?, (1, 1));
    Ok(())
}
