//! A futures order, its sides and modes, and its fills.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, OrderId,
    book::{SelfTrade, Side},
};

/// The four sides, named as in hedge mode. In one-way mode they are buy, buy
/// to reduce only, sell to reduce only, and sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FuturesSide {
    /// Buys contracts for the long position.
    OpenLong,
    /// Buys back contracts of the short position.
    CloseShort,
    /// Sells contracts of the long position.
    CloseLong,
    /// Sells contracts for the short position.
    OpenShort,
}

impl FuturesSide {
    pub(crate) fn book(self) -> Side {
        match self {
            Self::OpenLong | Self::CloseShort => Side::Buy,
            Self::CloseLong | Self::OpenShort => Side::Sell,
        }
    }

    pub(crate) fn buys(self) -> bool {
        self.book() == Side::Buy
    }

    /// Whether it may make a position larger, and not only smaller.
    pub fn opens(self) -> bool {
        matches!(self, Self::OpenLong | Self::OpenShort)
    }

    /// Whether it works on the long position of hedge mode.
    pub fn long(self) -> bool {
        matches!(self, Self::OpenLong | Self::CloseLong)
    }
}

/// How long an order lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Rests until it is filled or cancelled.
    GoodTilCancelled,
    /// Is filled completely at once, or not at all.
    FillOrKill,
    /// Takes what it can at once; the rest is cancelled.
    ImmediateOrCancel,
    /// Rests, and is cancelled if it would trade at once.
    MakerOnly,
}

/// A checked request for a futures order. No price means market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFuturesOrder {
    /// The contract, such as `BTCUSDT`.
    pub symbol: SmolStr,
    /// Direction, and whether it opens or closes.
    pub side: FuturesSide,
    /// Worst price in the quote currency; none for a market order.
    pub price: Option<Decimal>,
    /// Whole contracts.
    pub size: Decimal,
    /// What becomes of the part that is not filled at once.
    pub mode: Mode,
    /// From 1 to the highest of the contract. A closing order takes that of its position.
    pub leverage: u32,
    /// Isolated margin, or else cross. A closing order takes the mode of its position.
    pub isolated: bool,
    /// Up to 32 ASCII letters and digits, chosen by the client; `PLAN_` and a number when a trigger placed it.
    pub client_id: Option<SmolStr>,
    /// What happens when it would trade with an order of the same account.
    pub stp: SelfTrade,
}

/// Who placed an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// The account itself, or an order of it that waited for a price.
    Customer,
    /// A position that is closed by force, at the market.
    Liquidation,
    /// What the market did not take of it: the house takes it over.
    Bankruptcy,
}

/// A futures order as the exchange keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FuturesOrder {
    /// Number of the order; it is also its key in [`Exchange::futures_orders`](crate::Exchange::futures_orders).
    pub id: OrderId,
    /// Who owns it.
    pub account: AccountId,
    /// Its terms, with all changes.
    pub request: NewFuturesOrder,
    /// Who placed it: its owner, or the exchange by force.
    pub origin: Origin,
    /// Placed in one-way mode.
    pub one_way: bool,
    /// Contracts of the opposite position that are promised to it.
    pub closes: Decimal,
    /// Filled contracts, those before a change included.
    pub filled: Decimal,
    /// Sum of price times contracts.
    pub filled_value: Decimal,
    /// Margin and fee still frozen for it.
    pub reserved: Decimal,
    /// It can still be filled; false once it was filled or cancelled.
    pub open: bool,
    /// Milliseconds since 1970.
    pub created_ms: u64,
    /// When it was last filled, changed or cancelled, in milliseconds since 1970.
    pub updated_ms: u64,
}

impl FuturesOrder {
    pub(crate) fn left(&self) -> Decimal {
        self.request.size - self.filled
    }

    /// Returns the average price of its fills; zero before the first.
    pub fn average_price(&self) -> Decimal {
        self.filled_value.checked_div(self.filled).unwrap_or_default()
    }

    /// The average price as answers and frames tell it alike: cut to the decimals of the contract.
    pub fn told_average(&self, decimals: u32) -> Decimal {
        self.average_price().round_dp_with_strategy(decimals, RoundingStrategy::ToZero)
    }
}

/// One side of a trade, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FuturesFill {
    /// Number of the trade, equal for both sides.
    pub trade: u64,
    /// The order that was filled.
    pub order: OrderId,
    /// Who owns the order.
    pub account: AccountId,
    /// The contract, such as `BTCUSDT`.
    pub symbol: SmolStr,
    /// The side of the order.
    pub side: FuturesSide,
    /// In the quote currency.
    pub price: Decimal,
    /// Contracts.
    pub size: Decimal,
    /// In the quote currency.
    pub fee: Decimal,
    /// Profit of the contracts that it closed, in the quote currency and before fees; below zero for a loss.
    pub realised: Decimal,
    /// The order rested in the book.
    pub maker: bool,
    /// Milliseconds since 1970.
    pub time_ms: u64,
}
