//! Settings of a switch.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bitmart_types::{ContractSymbol, Symbol};

use super::{DeadManSwitch, Guarded, keep, run, shared::Shared};
use crate::{Client, ConfigError, futures};

/// Part of the timeout after which a timer is set anew, so that two renewals may fail.
pub(super) const RENEWALS: u32 = 3;

pub(super) type Condition = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Settings of a [`DeadManSwitch`].
#[must_use = "nothing happens until `start`"]
pub struct Builder {
    client: Client,
    markets: Vec<Guarded>,
    timeout: Duration,
    stale_after: Option<Duration>,
    cancel_within: Duration,
    conditions: Vec<Condition>,
}

impl Builder {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            markets: Vec::new(),
            timeout: Duration::from_secs(60),
            stale_after: None,
            cancel_within: Duration::from_secs(60),
            conditions: Vec::new(),
        }
    }

    /// Guards the orders of a contract, also by the exchange's timer.
    ///
    /// The exchange takes 2 cancellations in 2 seconds and 4 renewals in 2 seconds per user. A
    /// renewal for each contract every third of the [timeout](Self::timeout) must fit into a part
    /// of that: 26 contracts with 60 seconds, 2 with 5 seconds.
    pub fn contract(mut self, symbol: impl Into<ContractSymbol>) -> Self {
        self.markets.push(Guarded::Contract(symbol.into()));
        self
    }

    /// Guards the orders of a spot pair, from this program only.
    ///
    /// The exchange takes one request of this kind in 3 seconds, so that the fifth pair is
    /// cancelled after 12 seconds. For more than one or two use [`all_pairs`](Self::all_pairs).
    pub fn pair(mut self, symbol: impl Into<Symbol>) -> Self {
        self.markets.push(Guarded::Pair(symbol.into()));
        self
    }

    /// Guards the orders of all spot pairs, from this program only, with one request for all. Also
    /// orders that others placed for the same user.
    pub fn all_pairs(mut self) -> Self {
        self.markets.push(Guarded::AllPairs);
        self
    }

    /// After how long without a renewal the exchange cancels the orders of a contract. A minute by
    /// default; whole seconds, 5 at least. No source states a maximum. Set anew every third of it.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Trips the switch when no [beat](DeadManSwitch::beat) comes for so long, counted from
    /// [`start`](Self::start). Off by default: a strategy that hangs then keeps its timers running,
    /// for as long as the runtime runs tasks.
    ///
    /// Counted by this machine's steady clock, which may stand while the machine sleeps.
    pub fn stale_after(mut self, limit: Duration) -> Self {
        self.stale_after = Some(limit);
        self
    }

    /// Trips the switch when `condition` completes, whatever its output, or panics: ctrl-c
    /// (`tokio::signal::ctrl_c()`), a watch on the health of an account, a stream that ended. Can
    /// be called several times. The future runs as a task of its own.
    ///
    /// ```
    /// # async fn run(client: bitmart_rest::Client) -> Result<(), bitmart_rest::ConfigError> {
    /// use bitmart_rest::dead_man::DeadManSwitch;
    ///
    /// let (healthy, mut watched) = tokio::sync::watch::channel(true);
    /// let switch = DeadManSwitch::builder(client)
    ///     .contract("BTCUSDT")
    ///     // Also when the sender is gone.
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

    /// For how long the switch tries to cancel, or to disarm, before it reports what it does not
    /// know. A minute by default.
    pub fn cancel_within(mut self, limit: Duration) -> Self {
        self.cancel_within = limit;
        self
    }

    /// Starts guarding. The first timers are set at once, in the background: wait for
    /// [`DeadManSwitch::armed`] before the first order.
    ///
    /// # Errors
    /// When nothing is guarded or something twice, the timeout is no whole number of seconds or
    /// less than 5, or there are too many contracts for it: see [`contract`](Self::contract).
    ///
    /// # Panics
    /// Outside of a tokio runtime. The tasks it starts need one with time and, for the client's
    /// default transport, I/O enabled.
    pub fn start(self) -> Result<DeadManSwitch, ConfigError> {
        let seconds = u32::try_from(self.timeout.as_secs()).ok();
        let seconds = seconds.filter(|seconds| {
            self.timeout.subsec_nanos() == 0 && *seconds >= futures::CancelAllAfter::SECONDS_MIN
        });
        let seconds = seconds.ok_or_else(|| {
            ConfigError::new("timeout", "must be a whole number of seconds, at least 5")
        })?;
        if self.markets.is_empty() {
            return Err(ConfigError::new("contract", "or `pair` must name what to guard"));
        }
        let twice = |(at, market): (usize, &Guarded)| self.markets[..at].contains(market);
        if self.markets.iter().enumerate().any(twice) {
            return Err(ConfigError::new("contract", "or `pair` names the same market twice"));
        }
        let contracts = self.markets.iter().filter(|one| matches!(one, Guarded::Contract(_)));
        let contracts = u32::try_from(contracts.count()).unwrap_or(u32::MAX);
        if keep::SPACING.saturating_mul(contracts) > self.timeout / RENEWALS {
            return Err(ConfigError::new(
                "timeout",
                "is too short for so many contracts: renewals would break the rate limit",
            ));
        }
        let shared =
            Shared::new(self.client, self.markets, seconds, self.stale_after, self.cancel_within);
        Ok(DeadManSwitch { shared: run::start(shared, self.conditions) })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("markets", &self.markets)
            .field("timeout", &self.timeout)
            .field("stale_after", &self.stale_after)
            .field("cancel_within", &self.cancel_within)
            .finish_non_exhaustive()
    }
}
