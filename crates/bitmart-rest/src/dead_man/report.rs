//! What a switch guards, why it ended, and what became of the orders.

use std::fmt;
use std::sync::Arc;

use bitmart_types::{ContractSymbol, OrderId, Symbol};

use super::Timer;
use crate::Error;

/// A market whose orders a switch guards.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Guarded {
    /// A futures contract.
    Contract(ContractSymbol),
    /// A spot pair.
    Pair(Symbol),
    /// All spot pairs.
    AllPairs,
}

impl fmt::Display for Guarded {
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
    /// No beat came in time.
    Stale,
    /// [`DeadManSwitch::trigger`](super::DeadManSwitch::trigger) was called.
    Triggered,
    /// A [condition](super::Builder::cancel_on) came true.
    Condition,
    /// [`DeadManSwitch::shutdown`](super::DeadManSwitch::shutdown) was called.
    Shutdown,
    /// The switch was dropped.
    Dropped,
    /// [`DeadManSwitch::disarm`](super::DeadManSwitch::disarm) was called: nothing is cancelled.
    Disarmed,
    /// The runtime stopped while the switch was guarding or cancelling.
    RuntimeStopped,
}

/// What became of everything that a switch guarded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Why it stopped guarding.
    pub reason: Reason,
    /// Each market, in the order in which they were named.
    pub markets: Vec<MarketReport>,
}

impl Report {
    /// Whether the exchange lists no open order of any market any more.
    pub fn is_clear(&self) -> bool {
        let clear =
            |one: &MarketReport| matches!(one.cleared, Cleared::Cancelled | Cleared::NothingOpen);
        self.markets.iter().all(clear)
    }
}

/// What became of the orders of one market.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MarketReport {
    /// Which market.
    pub market: Guarded,
    /// What became of its orders.
    pub cleared: Cleared,
    /// Whether the exchange accepted a request to cancel all of its orders.
    pub accepted: bool,
    /// What is known of the exchange's timer; `None` for spot, and when it is certainly off. A
    /// timer that runs still cancels once more when it runs out: see the [module](super).
    pub timer: Option<Timer>,
    /// The last failure on the way, also if things came right afterwards.
    pub error: Option<Arc<Error>>,
}

/// What became of the orders of a market.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cleared {
    /// The exchange accepted that all are cancelled, and a second later listed none. It does not
    /// tell how many there were; some may have been filled.
    Cancelled,
    /// The exchange lists none, and accepted no request to cancel: there was nothing, or a request
    /// whose response was lost did it.
    NothingOpen,
    /// These were listed as open to the end, or when cancelling was refused. Empty if rows were
    /// listed that do not decode.
    Left(Vec<OrderId>),
    /// The exchange did not tell in time: orders may be open. See
    /// [`error`](MarketReport::error).
    Unknown,
    /// Nothing was cancelled: the switch was disarmed.
    LeftAlone,
}
