//! A dead-man's switch: cancels open orders when the program that placed them fails.
//!
//! # What it does
//!
//! **Futures.** The exchange has a timer for each contract
//! ([`CancelAllAfter`](crate::futures::CancelAllAfter)) that cancels the contract's orders unless
//! it is renewed in time. The switch sets it and renews it. When this program dies, hangs or loses
//! its network, the timer is not renewed and the exchange cancels the orders.
//!
//! **Spot.** The exchange has no such timer. The switch can only cancel from this program.
//!
//! **Both.** The switch is *tripped* by [`trigger`](DeadManSwitch::trigger), by a missing
//! [`beat`](DeadManSwitch::beat), by a [condition](Builder::cancel_on) such as ctrl-c, by
//! [`shutdown`](DeadManSwitch::shutdown) and when it is dropped. It then stops renewing timers,
//! cancels all orders of the markets that it guards, queries the open orders, cancels again if any
//! are left, and [reports](Report).
//!
//! ```no_run
//! # async fn run(client: bitmart_rest::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use bitmart_rest::dead_man::DeadManSwitch;
//!
//! let switch = DeadManSwitch::builder(client)
//!     .contract("BTCUSDT")
//!     .pair("BTC_USDT")
//!     .timeout(Duration::from_secs(30))
//!     .stale_after(Duration::from_secs(10))
//!     .start()?;
//! switch.wait_until_armed().await?; // Before the first order.
//! # let markets_are_open = || true;
//! while markets_are_open() && switch.beat() {
//!     // One step of the strategy.
//! }
//! let report = switch.shutdown().await;
//! assert!(report.is_clear(), "{report:?}");
//! # Ok(())
//! # }
//! ```
//!
//! # Limitations
//!
//! * **Spot orders stay open if this program cannot cancel them**: the machine dies or sleeps, the
//!   network is gone, the process is killed (`kill -9`, out of memory) or ends without
//!   waiting for [`shutdown`](DeadManSwitch::shutdown), the tokio runtime stops, the exchange bans
//!   this address. Futures orders are then canceled by the exchange when the timer expires.
//! * It closes no position, and it cancels plain orders only: stop, trailing and take-profit orders
//!   of [`spot`](crate::spot) (`algo`) and [`futures`](crate::futures) (`plan`) are not touched,
//!   because they usually protect a position. It is not documented whether the exchange's timer
//!   cancels them.
//! * Orders can fill until they are canceled.
//! * An order whose request is in flight while the switch cancels can arrive afterwards. Stop placing
//!   orders when [`beat`](DeadManSwitch::beat) returns `false`. The timer of a contract is left
//!   running and cancels such late orders. It also cancels orders that you place on purpose before
//!   it expires: start a new switch first, or [`disarm`](DeadManSwitch::disarm) instead of canceling.
//! * The timer belongs to the user and the contract, not to the program. Two programs that set it
//!   for the same contract overwrite each other's timeout.
//! * The exchange lists at most 100 open orders of a contract and 200 of spot. A report cannot contain others.
//!   Spot orders older than a week are queried with a time range from 2017 on; no source documents a maximum
//!   range.
//!
//! # When renewals fail
//!
//! A failed renewal is reported as an [`Event`]. The next one is sent early, newly signed. Sending it
//! although the first one may have arrived is safe: setting the timer is idempotent, the later
//! request wins.
//!
//! Relying on an expired timer is not safe. [`Timer::Armed`] is therefore reported only while the
//! timer cannot have expired: counted from before the last accepted renewal was *sent*, less one
//! second because the exchange counts in whole seconds, by this machine's monotonic clock and by the
//! client's clock, whichever is ahead. After that it is [`Timer::MayHaveFired`] until a renewal
//! succeeds; [`Event::Rearmed`] then reports that earlier orders may have been canceled.

use std::fmt;
use std::sync::Arc;

use bitmart_types::ContractSymbol;

use crate::Error;

mod builder;
mod cancel;
mod event;
mod renewal;
mod report;
mod shared;
mod supervisor;
mod timer;

pub use builder::Builder;
pub use event::{Event, RenewalError};
pub use report::{CancelResult, GuardedMarket, MarketReport, Reason, Report};
pub use timer::Timer;

use shared::{EndRequest, Shared};

/// The phase of a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Timers are renewed; the switch waits to be tripped.
    Guarding,
    /// Orders are being canceled, or the switch is being disarmed.
    Ending,
    /// The report is available.
    Ended,
}

/// Cancels open orders when the program fails: see the [module](self).
///
/// Dropping it trips it: a background task cancels, if the runtime lives long enough. Call
/// [`shutdown`](Self::shutdown) to wait for the result.
#[must_use = "dropping it cancels all orders that it guards"]
pub struct DeadManSwitch {
    shared: Arc<Shared>,
}

/// Sends beats to a [`DeadManSwitch`] from another task or thread. Cheap to clone; dropping it has no
/// effect on the switch.
#[derive(Clone)]
pub struct Heartbeat {
    shared: Arc<Shared>,
}

impl DeadManSwitch {
    /// Settings of a switch that sends with `client`.
    pub fn builder(client: crate::Client) -> Builder {
        Builder::new(client)
    }

    /// Waits until the timers of all contracts run, and queries the open orders of the spot pairs
    /// once, so that an invalid key is detected early. Returns `false` if the switch was tripped in
    /// the meantime. Place no order before it returns.
    ///
    /// It waits for as long as the timers cannot be set; [`next_event`](Self::next_event) reports why.
    ///
    /// # Errors
    /// The open orders of a pair cannot be queried.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect on the switch.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time enabled, if pairs are guarded.
    pub async fn wait_until_armed(&self) -> Result<bool, Error> {
        for market in &self.shared.markets {
            if !matches!(market, GuardedMarket::Contract(_)) {
                cancel::open_orders(&self.shared.client, market).await?;
            }
        }
        let mut changes = self.shared.changes.subscribe();
        loop {
            if self.phase() != Phase::Guarding {
                return Ok(false);
            }
            if self.is_armed() || changes.changed().await.is_err() {
                return Ok(self.is_armed());
            }
        }
    }

    /// Signals that the strategy is alive. Returns `false` if the switch has been tripped, including
    /// by this beat being late: place no more orders then.
    pub fn beat(&self) -> bool {
        self.shared.beat()
    }

    /// A handle to send beats from elsewhere.
    pub fn heartbeat(&self) -> Heartbeat {
        Heartbeat { shared: self.shared.clone() }
    }

    /// The current phase.
    pub fn phase(&self) -> Phase {
        self.shared.phase()
    }

    /// Whether the switch is guarding and the timers of all contracts are certainly running.
    pub fn is_armed(&self) -> bool {
        let armed = |(_, timer): &(_, Timer)| matches!(timer, Timer::Armed { .. });
        self.phase() == Phase::Guarding && self.timers().iter().all(armed)
    }

    /// The current state of each contract's timer.
    pub fn timers(&self) -> Vec<(ContractSymbol, Timer)> {
        self.shared.timers()
    }

    /// The next event, oldest first; `None` after [`Event::Ended`]. At most 256 are queued: beyond
    /// that the oldest are dropped, and [`Event::Missed`] reports their number. Reading events is
    /// optional.
    ///
    /// # Cancel safety
    /// Dropping the future loses no event.
    pub async fn next_event(&self) -> Option<Event> {
        self.shared.events.next().await
    }

    /// Trips the switch: a background task cancels the orders of all guarded markets. Has no effect if
    /// it was tripped before.
    pub fn trigger(&self) {
        self.shared.request_end(EndRequest::Cancel(Reason::Triggered));
    }

    /// Waits until the switch was tripped for any reason and has finished canceling.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect on the switch.
    pub async fn wait_until_ended(&self) -> Report {
        self.shared.ended().await
    }

    /// Cancels the orders of all guarded markets and returns the result. The timers of contracts are
    /// left to expire: see [`MarketReport::timer`].
    ///
    /// # Cancel safety
    /// Dropping the future does not stop the cancellation, which continues in the background.
    pub async fn shutdown(self) -> Report {
        self.shared.request_end(EndRequest::Cancel(Reason::Shutdown));
        self.shared.ended().await
    }

    /// Stops guarding without canceling: orders stay open. Switches the timers of the contracts off.
    ///
    /// [`MarketReport::timer`] is `None` where the timer is certainly off. If the switch was
    /// tripped before, this is the report of that cancellation.
    ///
    /// # Cancel safety
    /// Dropping the future does not stop the disarming, which continues in the background.
    pub async fn disarm(self) -> Report {
        self.shared.request_end(EndRequest::Disarm);
        self.shared.ended().await
    }
}

impl Heartbeat {
    /// Like [`DeadManSwitch::beat`].
    pub fn beat(&self) -> bool {
        self.shared.beat()
    }
}

impl Drop for DeadManSwitch {
    fn drop(&mut self) {
        self.shared.request_end(EndRequest::Cancel(Reason::Dropped));
    }
}

impl fmt::Debug for DeadManSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadManSwitch")
            .field("phase", &self.phase())
            .field("markets", &self.shared.markets)
            .field("timers", &self.timers())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heartbeat").field("phase", &self.shared.phase()).finish_non_exhaustive()
    }
}
