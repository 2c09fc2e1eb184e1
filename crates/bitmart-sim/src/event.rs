//! Events: what an exchange reports to its caller.

use smol_str::SmolStr;

use crate::{
    AccountId,
    futures_order::{FuturesFill, FuturesOrder},
    position::PositionSide,
    spot_order::{SpotFill, SpotOrder},
    tape::PublicTrade,
    trigger::{Plan, Trigger},
};

/// A change of the exchange. Events are reported in the order in which they happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Two orders of a pair traded.
    SpotTrade {
        /// The pair, such as `BTC_USDT`.
        symbol: SmolStr,
        /// The trade as all customers see it.
        trade: PublicTrade,
    },
    /// A spot order of a customer was placed, filled or canceled.
    SpotOrder {
        /// The order after the change.
        order: Box<SpotOrder>,
        /// The trade that changed it, if one did.
        fill: Option<Box<SpotFill>>,
    },
    /// Balances of a spot wallet changed.
    SpotBalance {
        /// The owner of the wallet.
        account: AccountId,
        /// Why they changed.
        reason: BalanceReason,
        /// The currencies whose balances changed.
        currencies: Vec<SmolStr>,
    },
    /// Two orders of a contract traded.
    FuturesTrade {
        /// The contract, such as `BTCUSDT`.
        symbol: SmolStr,
        /// The trade as all customers see it.
        trade: PublicTrade,
    },
    /// A futures order of a customer was placed, changed, filled or canceled.
    FuturesOrder {
        /// The order after the change.
        order: Box<FuturesOrder>,
        /// How it changed.
        action: FuturesAction,
        /// The trade that changed it, if one did.
        fill: Option<Box<FuturesFill>>,
    },
    /// A trigger order of a customer was placed, changed, triggered or canceled.
    FuturesPlan {
        /// The trigger order after the change.
        plan: Box<Trigger<Plan>>,
        /// How it changed: [`FuturesAction::Submitted`] also when it was changed or triggered.
        action: FuturesAction,
    },
    // Rule: A balance is reported, and pushed, after each change: several times if one command changes it several
    // times, such as an order with several trades. Source: simplified (no document or capture says whether changes
    // are joined)
    /// The balance of a futures wallet may have changed.
    FuturesAsset {
        /// The owner of the wallet.
        account: AccountId,
        /// The currency whose balance changed.
        currency: SmolStr,
    },
    /// A position changed, or how much of it is reserved for closing orders.
    FuturesPosition {
        /// The owner of the position.
        account: AccountId,
        /// The contract, such as `BTCUSDT`.
        symbol: SmolStr,
        /// The side of the position.
        side: PositionSide,
    },
}

/// Why a spot balance changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BalanceReason {
    /// An order paid from the spot wallet was filled.
    Trade,
    /// A deposit, a withdrawal of another account to this one, or a change by the operator.
    Deposit,
    /// A withdrawal was frozen, sent, or returned because it failed.
    Withdrawal,
    /// A transfer from or to another wallet, or savings.
    Transfer,
}

/// What happened to a futures order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FuturesAction {
    /// An order of a customer was filled, in part or completely.
    Filled,
    /// It was placed, or its terms were changed.
    Submitted,
    /// The rest was canceled, by the owner or by a rule of the exchange.
    Canceled,
    /// It was canceled because a position of its account was liquidated.
    CanceledByLiquidation,
    /// The order of a liquidation was filled at the market.
    Liquidated,
    /// The exchange took over the part of a liquidated position that the book could not fill.
    Bankrupt,
}

/// The events that the caller has not taken yet. Trigger orders are checked against each of them once.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventQueue {
    events: Vec<Event>,
    /// How many of them were checked for trigger orders.
    checked: usize,
}

impl EventQueue {
    pub(crate) fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    pub(crate) fn as_slice(&self) -> &[Event] {
        &self.events
    }

    /// Whether events were not checked for trigger orders.
    pub(crate) fn has_unchecked(&self) -> bool {
        self.checked < self.events.len()
    }

    /// Returns the next event that was not checked for trigger orders, and counts it as checked.
    pub(crate) fn next_unchecked(&mut self) -> Option<&Event> {
        let next = self.events.get(self.checked)?;
        self.checked += 1;
        Some(next)
    }

    /// Counts all events as checked for trigger orders.
    pub(crate) fn mark_checked(&mut self) {
        self.checked = self.events.len();
    }

    /// Returns the events since the last call.
    pub(crate) fn take(&mut self) -> Vec<Event> {
        self.checked = 0;
        // Capacity for the events of most commands, to avoid later allocations.
        std::mem::replace(&mut self.events, Vec::with_capacity(8))
    }

    /// Forgets all events.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}
