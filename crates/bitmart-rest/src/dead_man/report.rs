//! The report of a switch: why it ended and the result for each market.

use std::fmt;
use std::sync::Arc;

use bitmart_types::{ContractSymbol, OrderId, Symbol};

use super::Timer;
use crate::Error;

/// A market whose orders a switch guards.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GuardedMarket {
    /// A futures contract.
    Contract(ContractSymbol),
    /// A spot pair.
    Pair(Symbol),
    /// All spot pairs.
    AllPairs,
}

impl fmt::Display for GuardedMarket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contract(symbol) => symbol.fmt(f),
            Self::Pair(symbol) => symbol.fmt(f),
            Self::AllPairs => f.write_str("all pairs"),
        }
    }
}

/// Why a switch stopped guarding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// No beat arrived in time.
    Stale,
    /// [`DeadManSwitch::trigger`](super::DeadManSwitch::trigger) was called.
    Triggered,
    /// A [condition](super::Builder::cancel_on) completed.
    Condition,
    /// [`DeadManSwitch::shutdown`](super::DeadManSwitch::shutdown) was called.
    Shutdown,
    /// The switch was dropped.
    Dropped,
    /// [`DeadManSwitch::disarm`](super::DeadManSwitch::disarm) was called: no order is canceled.
    Disarmed,
    /// The runtime stopped while the switch was guarding or canceling.
    RuntimeStopped,
}

/// The report of a switch that has ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Why the switch ended.
    pub reason: Reason,
    /// The result for each market, in the order of the builder's calls.
    pub markets: Vec<MarketReport>,
}

impl Report {
    /// Whether every market was confirmed to have no open order. `false` after
    /// [`disarm`](super::DeadManSwitch::disarm), which neither cancels nor queries.
    pub fn is_clear(&self) -> bool {
        let clear = |one: &MarketReport| {
            matches!(one.result, CancelResult::Canceled | CancelResult::NothingOpen)
        };
        self.markets.iter().all(clear)
    }
}

/// The result for one market.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MarketReport {
    /// The market.
    pub market: GuardedMarket,
    /// The result of the cancellation.
    pub result: CancelResult,
    /// Whether the exchange accepted a request to cancel all of its orders.
    pub accepted: bool,
    /// The state of the exchange's timer; `None` for spot and if it is certainly off. A running timer
    /// cancels once more when it expires: see the [module](super).
    pub timer: Option<Timer>,
    /// The last error, even if the cancellation succeeded afterwards.
    pub error: Option<Arc<Error>>,
}

/// The result of canceling the orders of a market.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CancelResult {
    /// The exchange accepted the request and listed no open order a second later. It does not report how
    /// many were canceled; some may have been filled.
    Canceled,
    /// No order is open, although no request to cancel was accepted: none was open before, or the response
    /// of a successful request was lost.
    NothingOpen,
    /// These orders were still open at the deadline, or when the exchange rejected the cancellation. Empty
    /// if the listed rows do not decode.
    StillOpen(Vec<OrderId>),
    /// The exchange did not confirm the result in time: orders may be open. See
    /// [`error`](MarketReport::error).
    Unknown,
    /// No order was canceled, because the switch was disarmed.
    Untouched,
}
