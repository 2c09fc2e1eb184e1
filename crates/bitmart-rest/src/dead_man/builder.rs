//! The builder of a switch.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bitmart_types::{ContractSymbol, Symbol};

use super::{DeadManSwitch, GuardedMarket, renewal, shared::Shared, supervisor};
use crate::{Client, futures};
use bitmart_types::ConfigError;

/// Renewals per timeout, so that two may fail.
pub(super) const RENEWALS_PER_TIMEOUT: u32 = 3;

pub(super) type Condition = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Settings of a [`DeadManSwitch`].
#[must_use = "nothing happens until `start`"]
pub struct Builder {
    client: Client,
    markets: Vec<GuardedMarket>,
    timeout: Duration,
    stale_after: Option<Duration>,
    cancel_timeout: Duration,
    conditions: Vec<Condition>,
}

impl Builder {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            markets: Vec::new(),
            timeout: Duration::from_secs(60),
            stale_after: None,
            cancel_timeout: Duration::from_secs(60),
            conditions: Vec::new(),
        }
    }

    /// Guards the orders of a contract, with the exchange's timer.
    ///
    /// The exchange accepts 2 cancellations in 2 seconds and 4 renewals in 2 seconds per user. A
    /// renewal for each contract every third of the [timeout](Self::timeout) must fit into a part
    /// of that: up to 26 contracts with a timeout of 60 seconds, 2 with 5 seconds.
    pub fn contract(mut self, symbol: impl Into<ContractSymbol>) -> Self {
        self.markets.push(GuardedMarket::Contract(symbol.into()));
        self
    }

    /// Guards the orders of a spot pair, from this program only.
    ///
    /// The exchange accepts one such cancellation in 3 seconds, so the fifth pair is canceled after
    /// 12 seconds. For more than one or two pairs use [`all_pairs`](Self::all_pairs).
    pub fn pair(mut self, symbol: impl Into<Symbol>) -> Self {
        self.markets.push(GuardedMarket::Pair(symbol.into()));
        self
    }

    /// Guards the orders of all spot pairs, from this program only, with a single request. Includes
    /// orders that other programs placed for the same user.
    pub fn all_pairs(mut self) -> Self {
        self.markets.push(GuardedMarket::AllPairs);
        self
    }

    /// Time without a renewal after which the exchange cancels the orders of a contract: whole seconds,
    /// at least 5; no maximum is documented. Renewed every third of it. Default: 60 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Trips the switch if no [beat](DeadManSwitch::beat) arrives within `limit`, from
    /// [`start`](Self::start) on. Default: off, so that the timers of a strategy that hangs are renewed
    /// for as long as the runtime runs tasks.
    ///
    /// Measured with this machine's monotonic clock, which may stop while the machine sleeps.
    pub fn stale_after(mut self, limit: Duration) -> Self {
        self.stale_after = Some(limit);
        self
    }

    /// Trips the switch when `condition` completes, whatever its output, or panics: ctrl-c
    /// (`tokio::signal::ctrl_c()`), a health check, the end of a stream. Can be called several times.
    /// The future runs in its own task.
    ///
    /// ```
    /// # async fn run(client: bitmart_rest::Client) -> Result<(), bitmart_rest::types::ConfigError> {
    /// use bitmart_rest::dead_man::DeadManSwitch;
    ///
    /// let (healthy, mut watched) = tokio::sync::watch::channel(true);
    /// let switch = DeadManSwitch::builder(client)
    ///     .contract("BTCUSDT")
    ///     // Also if the sender is dropped.
    ///     .cancel_on(async move { watched.wait_for(|healthy| !healthy).await.is_ok() })
    ///     .start()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn cancel_on(mut self, condition: impl Future + Send + 'static) -> Self {
        self.conditions.push(Box::pin(async {
            condition.await;
        }));
        self
    }

    /// Timeout for canceling or disarming. Markets without a result by then are reported as
    /// [unknown](super::CancelResult::Unknown). Default: 60 seconds.
    pub fn cancel_timeout(mut self, limit: Duration) -> Self {
        self.cancel_timeout = limit;
        self
    }

    /// Starts guarding. The first timers are set at once, in the background: wait for
    /// [`DeadManSwitch::wait_until_armed`] before the first order.
    ///
    /// # Errors
    /// No market is guarded or one is guarded twice, the timeout is not a whole number of seconds or
    /// below 5, or it is too short for the number of contracts: see [`contract`](Self::contract).
    ///
    /// # Panics
    /// Outside of a tokio runtime. The tasks it starts need one with time and, for the client's
    /// default transport, I/O enabled.
    pub fn start(self) -> Result<DeadManSwitch, ConfigError> {
        if !futures::CancelAllAfter::is_timeout(self.timeout) {
            let reason = "must be a whole number of seconds, at least 5";
            return Err(ConfigError::new("timeout", reason));
        }
        if self.markets.is_empty() {
            return Err(ConfigError::new("contract", "or `pair` must name a market to guard"));
        }
        let is_duplicate =
            |(at, market): (usize, &GuardedMarket)| self.markets[..at].contains(market);
        if self.markets.iter().enumerate().any(is_duplicate) {
            return Err(ConfigError::new("contract", "or `pair` names the same market twice"));
        }
        let contracts = self.markets.iter().filter(|one| matches!(one, GuardedMarket::Contract(_)));
        let contracts = u32::try_from(contracts.count()).unwrap_or(u32::MAX);
        if renewal::SPACING.saturating_mul(contracts) > self.timeout / RENEWALS_PER_TIMEOUT {
            return Err(ConfigError::new(
                "timeout",
                "is too short for so many contracts: renewals would exceed the rate limit",
            ));
        }
        let shared = Shared::new(
            self.client,
            self.markets,
            self.timeout,
            self.stale_after,
            self.cancel_timeout,
        );
        Ok(DeadManSwitch { shared: supervisor::start(shared, self.conditions) })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("markets", &self.markets)
            .field("timeout", &self.timeout)
            .field("stale_after", &self.stale_after)
            .field("cancel_timeout", &self.cancel_timeout)
            .finish_non_exhaustive()
    }
}
