//! A dead-man's switch: cancels open orders when the program that placed them stops looking after
//! them.
//!
//! # What it does
//!
//! **Futures.** The exchange has a timer for each contract
//! ([`CancelAllAfter`](crate::futures::CancelAllAfter)) that cancels the contract's orders unless
//! it is set anew in time. The switch sets it and keeps it running. When this program dies, hangs
//! or loses its network, nobody sets the timer any more and the exchange cancels by itself.
//!
//! **Spot.** The exchange has no such timer. The switch can only cancel from here.
//!
//! **Both.** The switch is *tripped* by [`trigger`](DeadManSwitch::trigger), by a missing
//! [`beat`](DeadManSwitch::beat), by a [condition](Builder::cancel_on) such as ctrl-c, by
//! [`shutdown`](DeadManSwitch::shutdown) and when it is dropped. It then sets no timer any more,
//! cancels all orders of everything that it guards, looks at what is open, cancels again what is
//! still there, and [reports](Report).
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
//! switch.armed().await?; // Before the first order.
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
//! # What it cannot promise
//!
//! * **Spot orders stay in the book when nobody is left to cancel them**: the machine dies or
//!   sleeps, the network is gone, the process is killed (`kill -9`, out of memory) or ends without
//!   waiting for [`shutdown`](DeadManSwitch::shutdown), the tokio runtime stops, the exchange bans
//!   this address. Futures orders are then cancelled by the exchange when the timer runs out.
//! * It closes no position, and it cancels plain orders only: stop, trailing and take-profit orders
//!   of [`spot`](crate::spot) (`algo`) and [`futures`](crate::futures) (`plan`) are not touched,
//!   for they usually protect a position. No source says whether the exchange's timer cancels them.
//! * Orders can fill until they are cancelled, also between two looks.
//! * An order that this program sends while the switch cancels, or whose request is still on its
//!   way, can arrive afterwards. Stop placing orders when [`beat`](DeadManSwitch::beat) returns
//!   `false`. For futures the timer is left running for this: it cancels what came late. Orders
//!   that you place on purpose before it has run out are cancelled, too: start a new switch first,
//!   or [`disarm`](DeadManSwitch::disarm) instead of cancelling.
//! * The timer belongs to the user and the contract, not to the program. Two programs that set it
//!   for the same contract overrule each other.
//! * The exchange lists 100 open orders of a contract, 200 of spot and those of the last 7 days
//!   only. What it does not list is not in a report.
//!
//! # When renewals fail
//!
//! A renewal that fails is an [`Event`]. The next one comes early, with a time and signature of its
//! own. This is no write sent again by the library in the hope that it counts once: setting the
//! timer twice is the same as setting it at the later of the two moments, and keeping it set is
//! what you asked for. So a renewal whose response was lost is harmless whether it arrived or not.
//!
//! What is harmful is to believe in a timer that ran out. [`Timer::Armed`] is said only while the
//! timer cannot have run out: counted from before the last accepted renewal was *sent*, less a
//! second because the exchange counts in whole seconds, by this machine's steady clock and by the
//! client's clock, whichever is further. After that it is [`Timer::MayHaveFired`], until a renewal
//! succeeds; then [`Event::Rearmed`] says that orders placed before may be gone.

use std::fmt;
use std::sync::Arc;

use bitmart_types::ContractSymbol;

use crate::Error;

mod builder;
mod cancel;
mod event;
mod keep;
mod report;
mod run;
mod shared;
mod timer;

pub use builder::Builder;
pub use event::{Event, Trouble};
pub use report::{Cleared, Guarded, MarketReport, Reason, Report};
pub use timer::Timer;

use shared::{Order, Shared};

/// How far a switch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// It keeps the timers running and waits to be tripped.
    Guarding,
    /// It was tripped and is cancelling, or it is being disarmed.
    Ending,
    /// Its report is there.
    Ended,
}

/// Cancels open orders when nobody looks after them any more: see the [module](self).
///
/// Dropping it trips it: a task in the background cancels, if the runtime lives long enough.
/// [`shutdown`](Self::shutdown) is the sure way.
#[must_use = "dropping it cancels all orders that it guards"]
pub struct DeadManSwitch {
    shared: Arc<Shared>,
}

/// Beats for a [`DeadManSwitch`] from wherever the strategy runs. Cheap to clone; keeps nothing
/// alive and trips nothing when it is dropped.
#[derive(Clone)]
pub struct Heart {
    shared: Arc<Shared>,
}

impl DeadManSwitch {
    /// Settings of a switch that sends with `client`.
    pub fn builder(client: crate::Client) -> Builder {
        Builder::new(client)
    }

    /// Waits until the timers of all contracts run, and asks once for the open orders of the spot
    /// pairs, so that a key that does not work is found now. `false` if the switch was tripped
    /// before. Place no order before.
    ///
    /// It waits for as long as the timers cannot be set; [`next_event`](Self::next_event) says why.
    ///
    /// # Errors
    /// When the open orders of a pair cannot be read.
    ///
    /// # Cancel safety
    /// Safe: the switch goes on.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time enabled, if pairs are guarded.
    pub async fn armed(&self) -> Result<bool, Error> {
        for market in &self.shared.markets {
            if !matches!(market, Guarded::Contract(_)) {
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

    /// Says that the strategy is alive. `false` when the switch has been tripped, also because this
    /// beat comes too late: place no more orders then.
    pub fn beat(&self) -> bool {
        self.shared.beat()
    }

    /// A handle that beats, to give away.
    pub fn heart(&self) -> Heart {
        Heart { shared: self.shared.clone() }
    }

    /// How far it is.
    pub fn phase(&self) -> Phase {
        self.shared.phase()
    }

    /// Whether it is guarding, and the timers of all contracts certainly run.
    pub fn is_armed(&self) -> bool {
        let armed = |(_, timer): &(_, Timer)| matches!(timer, Timer::Armed { .. });
        self.phase() == Phase::Guarding && self.timers().iter().all(armed)
    }

    /// What is known at this moment of the timer of each contract.
    pub fn timers(&self) -> Vec<(ContractSymbol, Timer)> {
        self.shared.timers()
    }

    /// The next event, oldest first; `None` after [`Event::Ended`]. At most 256 wait here: when
    /// more come, the oldest are dropped and [`Event::Missed`] says how many. They need not be
    /// read.
    ///
    /// # Cancel safety
    /// Safe: no event is lost.
    pub async fn next_event(&self) -> Option<Event> {
        self.shared.events.next().await
    }

    /// Trips the switch: a task in the background cancels everything that is guarded. Does nothing
    /// if it was tripped before.
    pub fn trigger(&self) {
        self.shared.order(Order::Cancel(Reason::Triggered));
    }

    /// Waits until the switch was tripped, by whatever, and has finished cancelling.
    ///
    /// # Cancel safety
    /// Safe: the switch goes on.
    pub async fn ended(&self) -> Report {
        self.shared.ended().await
    }

    /// Cancels everything that is guarded and says what became of it. The timers of contracts are
    /// left to run out: see [`MarketReport::timer`].
    ///
    /// # Cancel safety
    /// Dropping the future does not stop the cancelling, which goes on in the background.
    pub async fn shutdown(self) -> Report {
        self.shared.order(Order::Cancel(Reason::Shutdown));
        self.shared.ended().await
    }

    /// Stops guarding without cancelling: orders stay open and nobody watches them. Switches the
    /// timers of the contracts off.
    ///
    /// [`MarketReport::timer`] is `None` where the timer is certainly off. If the switch was
    /// tripped before, this is the report of its cancelling.
    ///
    /// # Cancel safety
    /// Dropping the future does not stop the disarming, which goes on in the background.
    pub async fn disarm(self) -> Report {
        self.shared.order(Order::Disarm);
        self.shared.ended().await
    }
}

impl Heart {
    /// As [`DeadManSwitch::beat`].
    pub fn beat(&self) -> bool {
        self.shared.beat()
    }
}

impl Drop for DeadManSwitch {
    fn drop(&mut self) {
        self.shared.order(Order::Cancel(Reason::Dropped));
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

impl fmt::Debug for Heart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heart").field("phase", &self.shared.phase()).finish_non_exhaustive()
    }
}
