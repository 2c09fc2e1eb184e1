//! A tracker and an embedded exchange under virtual time: real sockets and requests, and one clock for
//! both sides that only a test advances.

use std::collections::BTreeSet;
use std::time::Duration;

use bitmart::account::{AccountEvent, AccountTracker, Assumptions, AuditStats, Health, Market};
use bitmart::rest::limit::{LimitPolicy, Limiter};
use bitmart::rest::spot;
use bitmart::sandbox::{self, Config, Contract, Sandbox, SpotPair};
use bitmart::types::Clock;
use bitmart::{Timestamp, TradeId, dec, rest, ws};
use tokio::time::Instant;

pub(crate) type Failure = Box<dyn std::error::Error>;
pub(crate) type TestResult = Result<(), Failure>;

/// Virtual time after which a test fails.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Real time after which a wait without virtual time fails.
const REAL_TIMEOUT: Duration = Duration::from_secs(60);

/// The time step, equal to that of the sandbox's market.
const STEP: Duration = Duration::from_millis(100);

/// Yields between two steps, so that all tasks can read and write.
const YIELDS: usize = 20;

const START_SECONDS: u32 = 1_790_000_000;

/// Tokio's clock, which the tests pause.
#[derive(Clone, Debug)]
struct VirtualClock(Instant);

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(i64::from(START_SECONDS) * 1_000) + self.0.elapsed()
    }
}

/// An exchange and its clients. Requires tokio's clock to be paused.
pub(crate) struct Harness {
    pub(crate) exchange: Sandbox,
    pub(crate) rest: rest::Client,
    /// A client without rate limits, to place orders.
    pub(crate) trader: rest::Client,
    ws: ws::Client,
    /// A task that keeps the runtime busy, so that tokio does not advance the paused clock.
    busy: tokio::task::AbortHandle,
}

impl Drop for Harness {
    fn drop(&mut self) {
        self.busy.abort();
    }
}

impl Harness {
    /// Starts an exchange with one pair and without rate limits. `queue` is the capacity of a stream's
    /// queue.
    pub(crate) async fn open(config: Config, queue: usize) -> Result<Self, Failure> {
        let busy = tokio::spawn(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
        let clock = VirtualClock(Instant::now());
        let pairs = SpotPair::listed().into_iter().filter(|pair| pair.symbol() == "BTC_USDT");
        let config = config
            .stepped_clock(u64::from(START_SECONDS) * 1_000)
            .rate_limits(false)
            .pairs(pairs.collect::<Vec<_>>())
            .contracts(Vec::<Contract>::new());
        let exchange = Sandbox::start(config).await?;
        let environment = sandbox::environment(&exchange);
        let credentials = sandbox::credentials(&exchange)?;
        let client = || {
            rest::Client::builder()
                .environment(environment.clone())
                .credentials(credentials.clone())
                .clock(clock.clone())
                .auto_sync_clock(false)
                .timeout(Duration::from_secs(60))
        };
        let rest = client().build()?;
        let trader = client().limiter(Limiter::new(LimitPolicy::Off)).build()?;
        let ws = ws::Client::builder()
            .environment(environment)
            .credentials(credentials)
            .clock(clock)
            .queue_capacity(queue)
            .build()?;
        Ok(Self { exchange, rest, trader, ws, busy: busy.abort_handle() })
    }

    pub(crate) fn follow(&self, assumptions: Assumptions) -> Consumer {
        let account = AccountTracker::builder(self.rest.clone(), self.ws.clone());
        Consumer {
            account: account.spot().assumptions(assumptions).build(),
            fills: Vec::new(),
            events: Vec::new(),
            healths: Vec::new(),
        }
    }

    /// Returns the time of both sides.
    pub(crate) fn now(&self) -> Timestamp {
        self.rest.now()
    }

    /// Lets all tasks run until they wait.
    async fn settle(&self) {
        for _ in 0..YIELDS {
            tokio::task::yield_now().await;
        }
    }

    /// Can be canceled: both clocks advance before the first await.
    async fn step(&self) {
        self.exchange.step_market(1);
        tokio::time::advance(STEP).await;
        self.settle().await;
    }

    /// Advances time without reading the account's events.
    pub(crate) async fn advance(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() + STEP <= end {
            self.step().await;
        }
        let remaining = end.saturating_duration_since(Instant::now());
        tokio::time::advance(remaining).await;
        self.exchange.advance(remaining);
        self.settle().await;
    }

    /// Places a market order, which fills immediately.
    pub(crate) async fn trade(&self, number: usize) -> TestResult {
        let order = if number.is_multiple_of(2) {
            spot::NewOrder::market_buy("BTC_USDT", dec!(20))
        } else {
            spot::NewOrder::market_sell("BTC_USDT", dec!(0.0003))
        };
        self.trader.spot().submit_order(order).await?;
        Ok(())
    }

    /// Closes all WebSocket connections and waits until they are gone.
    pub(crate) async fn disconnect(&self) {
        self.exchange.kill_sockets();
        // Virtual time stands still meanwhile.
        let begin = std::time::Instant::now();
        while self.exchange.sockets() > 0 {
            assert!(begin.elapsed() < REAL_TIMEOUT, "connections are still open");
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn ledger(&self) -> BTreeSet<TradeId> {
        let fills = self.exchange.fills();
        fills.iter().map(|fill| TradeId::from(fill.trade_id.as_str())).collect()
    }
}

/// A consumer of a tracker that records its events.
pub(crate) struct Consumer {
    pub(crate) account: AccountTracker,
    pub(crate) fills: Vec<TradeId>,
    /// Descriptions of events other than orders, fills and balances.
    pub(crate) events: Vec<String>,
    pub(crate) healths: Vec<Health>,
}

impl Consumer {
    pub(crate) fn is_live(&self) -> bool {
        self.account.is_live(Market::Spot)
    }

    pub(crate) fn audits(&self) -> AuditStats {
        self.account.audit_stats(Market::Spot).unwrap_or_default()
    }

    fn record(&mut self, event: AccountEvent) {
        match event {
            AccountEvent::Fill(fill) => self.fills.push(fill.trade_id),
            AccountEvent::Health { health, .. } => self.healths.push(health),
            AccountEvent::Order(_) | AccountEvent::Balance { .. } => {}
            // The beginning identifies the event.
            other => self.events.push(format!("{other:?}").chars().take(120).collect()),
        }
    }

    pub(crate) fn has_event(&self, name: &str) -> bool {
        self.events.iter().any(|event| event.contains(name))
    }

    /// Reads events while virtual time advances, until `done`. Returns the virtual time that it took.
    pub(crate) async fn until(
        &mut self,
        harness: &Harness,
        done: impl Fn(&Self) -> bool,
    ) -> Result<Duration, Failure> {
        let begin = Instant::now();
        while !done(self) {
            if begin.elapsed() > TIMEOUT {
                let (count, ledger) = (self.fills.len(), harness.exchange.fills().len());
                return Err(format!("{count} fills of {ledger}: {:?}", self.events).into());
            }
            tokio::select! {
                biased;
                event = self.account.next() => self.record(event.ok_or("the account ended")??),
                () = harness.step() => {}
            }
        }
        Ok(begin.elapsed())
    }

    /// Reads events for this time.
    pub(crate) async fn read_for(&mut self, harness: &Harness, time: Duration) -> TestResult {
        let end = Instant::now() + time;
        self.until(harness, |_| end <= Instant::now()).await?;
        Ok(())
    }

    /// Checks that every fill of the exchange was reported once.
    pub(crate) fn check_fills(&self, harness: &Harness) -> TestResult {
        let known: BTreeSet<_> = self.fills.iter().cloned().collect();
        let ledger = harness.ledger();
        let duplicates = self.fills.len() - known.len();
        let missing = ledger.difference(&known).count();
        let unknown = known.difference(&ledger).count();
        if duplicates + missing + unknown > 0 {
            let count = ledger.len();
            return Err(format!(
                "of {count} fills {missing} are missing, {duplicates} duplicated, {unknown} unknown"
            )
            .into());
        }
        Ok(())
    }
}
