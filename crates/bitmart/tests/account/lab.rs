//! A tracker against an embedded exchange under virtual time: real sockets and real requests, and a
//! clock that stands still until a test moves it, for both sides at once.

use std::collections::BTreeSet;
use std::time::Duration;

use bitmart::account::{AccountEvent, AccountTracker, Assumptions, Audits, Health, Market};
use bitmart::rest::{LimitPolicy, Limiter, spot};
use bitmart::sandbox::{self, Config, Contract, Sandbox, SpotPair};
use bitmart::types::Clock;
use bitmart::{Timestamp, TradeId, dec, rest, ws};
use tokio::time::Instant;

pub(crate) type Failure = Box<dyn std::error::Error>;
pub(crate) type TestResult = Result<(), Failure>;

/// Virtual time after which a test gives up waiting.
const PATIENCE: Duration = Duration::from_secs(600);

/// The step in which time goes on, that of the sandbox's market.
const STEP: Duration = Duration::from_millis(100);

/// Rounds in which everybody may read and write between two steps.
const ROUNDS: usize = 20;

const BEGIN_MS: u32 = 1_790_000_000;

/// Tokio's clock, which the tests pause.
#[derive(Clone, Debug)]
struct Virtual(Instant);

impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(i64::from(BEGIN_MS) * 1_000) + self.0.elapsed()
    }
}

/// An exchange and clients for it. Needs a paused clock.
pub(crate) struct Lab {
    pub(crate) exchange: Sandbox,
    pub(crate) rest: rest::Client,
    /// Without limits, to place orders.
    pub(crate) trader: rest::Client,
    ws: ws::Client,
    /// As long as it runs the runtime is never idle, so that time does not move by itself.
    busy: tokio::task::AbortHandle,
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.busy.abort();
    }
}

impl Lab {
    /// One pair without limits. `queue` is what the queue of a stream holds.
    pub(crate) async fn open(config: Config, queue: usize) -> Result<Self, Failure> {
        let busy = tokio::spawn(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
        let clock = Virtual(Instant::now());
        let pairs = SpotPair::listed().into_iter().filter(|pair| pair.symbol() == "BTC_USDT");
        let config = config
            .stepped_clock(u64::from(BEGIN_MS) * 1_000)
            .rate_limits(false)
            .pairs(pairs.collect::<Vec<_>>())
            .contracts(Vec::<Contract>::new());
        let exchange = Sandbox::start(config).await?;
        let environment = sandbox::environment(&exchange)?;
        let credentials = sandbox::credentials(&exchange)?;
        let client = || {
            rest::Client::builder()
                .environment(environment.clone())
                .credentials(credentials.clone())
                .clock(clock.clone())
                .sync_clock(false)
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

    pub(crate) fn follow(&self, assume: Assumptions) -> Watcher {
        let account = AccountTracker::new(self.rest.clone(), self.ws.clone());
        Watcher {
            account: account.spot().assume(assume),
            fills: Vec::new(),
            told: Vec::new(),
            healths: Vec::new(),
        }
    }

    /// The time of both sides.
    pub(crate) fn now(&self) -> Timestamp {
        self.rest.now()
    }

    /// Everybody reads and writes what there is to read and write.
    async fn settle(&self) {
        for _ in 0..ROUNDS {
            tokio::task::yield_now().await;
        }
    }

    /// May be dropped half-done: both clocks are moved before it waits for the first time.
    async fn step(&self) {
        self.exchange.step_market(1);
        tokio::time::advance(STEP).await;
        self.settle().await;
    }

    /// Time goes on, and the account is not read.
    pub(crate) async fn pass(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() + STEP <= end {
            self.step().await;
        }
        let rest = end.saturating_duration_since(Instant::now());
        tokio::time::advance(rest).await;
        self.exchange.advance(rest);
        self.settle().await;
    }

    /// A market order that fills at once.
    pub(crate) async fn trade(&self, number: usize) -> TestResult {
        let order = if number.is_multiple_of(2) {
            spot::NewOrder::market_buy("BTC_USDT", dec!(20))
        } else {
            spot::NewOrder::market_sell("BTC_USDT", dec!(0.0003))
        };
        self.trader.spot().submit_order(order).await?;
        Ok(())
    }

    /// All sockets are closed, and nobody listens any more.
    pub(crate) async fn cut(&self) {
        self.exchange.kill_sockets();
        while self.exchange.sockets() > 0 {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn ledger(&self) -> BTreeSet<TradeId> {
        let fills = self.exchange.fills();
        fills.iter().map(|fill| TradeId::from(fill.trade_id.as_str())).collect()
    }
}

/// A consumer, and what it was told.
pub(crate) struct Watcher {
    pub(crate) account: AccountTracker,
    pub(crate) fills: Vec<TradeId>,
    /// Events other than orders, fills and balances, in short.
    pub(crate) told: Vec<String>,
    pub(crate) healths: Vec<Health>,
}

impl Watcher {
    pub(crate) fn is_live(&self) -> bool {
        self.account.is_in_step(Market::Spot)
    }

    pub(crate) fn audits(&self) -> Audits {
        self.account.audits(Market::Spot).unwrap_or_default()
    }

    fn note(&mut self, event: AccountEvent) {
        match event {
            AccountEvent::Fill(fill) => self.fills.push(fill.trade_id),
            AccountEvent::Health { health, .. } => self.healths.push(health),
            AccountEvent::Order(_) | AccountEvent::Balance { .. } => {}
            // The begin says what it is.
            other => self.told.push(format!("{other:?}").chars().take(120).collect()),
        }
    }

    pub(crate) fn was_told(&self, what: &str) -> bool {
        self.told.iter().any(|told| told.contains(what))
    }

    /// Reads while time goes on, until `done`. Gives the time that it took.
    pub(crate) async fn until(
        &mut self,
        lab: &Lab,
        done: impl Fn(&Self) -> bool,
    ) -> Result<Duration, Failure> {
        let begin = Instant::now();
        while !done(self) {
            if begin.elapsed() > PATIENCE {
                let (count, ledger) = (self.fills.len(), lab.exchange.fills().len());
                return Err(format!("{count} fills of {ledger}: {:?}", self.told).into());
            }
            tokio::select! {
                biased;
                event = self.account.next() => self.note(event.ok_or("the account ended")??),
                () = lab.step() => {}
            }
        }
        Ok(begin.elapsed())
    }

    /// Reads for so long.
    pub(crate) async fn watch(&mut self, lab: &Lab, time: Duration) -> TestResult {
        let end = Instant::now() + time;
        self.until(lab, |_| end <= Instant::now()).await?;
        Ok(())
    }

    /// Every fill of the ledger was told, and each once.
    pub(crate) fn agrees(&self, lab: &Lab) -> TestResult {
        let known: BTreeSet<_> = self.fills.iter().cloned().collect();
        let ledger = lab.ledger();
        let doubled = self.fills.len() - known.len();
        let missing = ledger.difference(&known).count();
        let surplus = known.difference(&ledger).count();
        if doubled + missing + surplus > 0 {
            let count = ledger.len();
            return Err(format!(
                "of {count} fills {missing} are missing, {doubled} doubled, {surplus} unheard of"
            )
            .into());
        }
        Ok(())
    }
}
