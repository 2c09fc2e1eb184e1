//! A futures order, its sides and modes, and its fills.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, OrderId,
    book::{SelfTradePrevention, Side},
    position::PositionSide,
};

/// The four sides of a futures order, named as in hedge mode. In one-way mode they are buy, buy reduce-only, sell
/// reduce-only, and sell.
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
    pub(crate) fn book_side(self) -> Side {
        match self {
            Self::OpenLong | Self::CloseShort => Side::Buy,
            Self::CloseLong | Self::OpenShort => Side::Sell,
        }
    }

    pub(crate) fn buys(self) -> bool {
        self.book_side() == Side::Buy
    }

    /// Returns the side of the position that the order closes. In one-way mode, an order that opens closes the opposite
    /// position first.
    pub(crate) fn closed_side(self) -> PositionSide {
        if self.buys() { PositionSide::Short } else { PositionSide::Long }
    }

    /// Whether the order may open or increase a position.
    pub fn opens(self) -> bool {
        matches!(self, Self::OpenLong | Self::OpenShort)
    }

    /// Returns the side of the position that the order opens or closes in hedge mode.
    pub fn position_side(self) -> PositionSide {
        match self {
            Self::OpenLong | Self::CloseLong => PositionSide::Long,
            Self::OpenShort | Self::CloseShort => PositionSide::Short,
        }
    }
}

/// The mode of an order: its time in force, or post-only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderMode {
    /// The unfilled part rests in the book.
    #[serde(alias = "GoodTilCancelled")]
    GoodTillCanceled,
    /// Fills completely at once, or is canceled.
    FillOrKill,
    /// Fills what it can at once; the rest is canceled.
    ImmediateOrCancel,
    /// Rests in the book; is canceled if it would trade at once.
    #[serde(alias = "MakerOnly")]
    PostOnly,
}

/// The margin that backs a position.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "bool", into = "bool")]
pub enum MarginType {
    /// The wallet, which all cross positions of a currency share.
    #[default]
    Cross,
    /// The margin of the position only.
    Isolated,
}

impl MarginType {
    /// Whether only its own margin backs the position.
    pub fn is_isolated(self) -> bool {
        self == Self::Isolated
    }
}

/// Journals and snapshots store whether the margin is isolated.
impl From<bool> for MarginType {
    fn from(is_isolated: bool) -> Self {
        if is_isolated { Self::Isolated } else { Self::Cross }
    }
}

impl From<MarginType> for bool {
    fn from(margin_type: MarginType) -> Self {
        margin_type.is_isolated()
    }
}

/// The terms of a new futures order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFuturesOrder {
    /// The contract, such as `BTCUSDT`.
    pub symbol: SmolStr,
    /// Side.
    pub side: FuturesSide,
    /// Limit price in the quote currency; `None` for a market order.
    pub price: Option<Decimal>,
    /// Whole contracts.
    pub size: Decimal,
    /// What happens to the part that does not fill at once.
    pub mode: OrderMode,
    /// From 1 to the highest leverage of the contract. A closing order uses the leverage of its position.
    pub leverage: u32,
    /// The margin type. A closing order uses that of its position.
    #[serde(rename = "isolated")]
    pub margin_type: MarginType,
    /// Client order id: up to 32 ASCII letters and digits, or `PLAN_` and a number when a trigger order placed it.
    #[serde(alias = "client_id")]
    pub client_order_id: Option<SmolStr>,
    /// Self-trade prevention.
    #[serde(alias = "stp")]
    pub self_trade_prevention: SelfTradePrevention,
}

/// The origin of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// A request or a trigger order of the customer.
    Customer,
    /// A liquidation, at the market.
    Liquidation,
    /// The part of a liquidation that the exchange takes over.
    Bankruptcy,
}

/// A futures order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FuturesOrder {
    /// Number of the order; it is also its key in [`Exchange::futures_orders`](crate::Exchange::futures_orders).
    pub id: OrderId,
    /// The owner.
    pub account: AccountId,
    /// The terms, including changes.
    pub request: NewFuturesOrder,
    /// Who placed it: the owner, or a liquidation.
    pub origin: Origin,
    /// Whether the account was in one-way mode when it was placed.
    pub one_way: bool,
    /// Contracts of the opposite position that are reserved for it.
    pub closes: Decimal,
    /// Filled contracts.
    pub filled: Decimal,
    /// Sum of price times contracts of all fills.
    pub filled_value: Decimal,
    /// Margin and fee that are frozen for it, in the quote currency.
    pub reserved: Decimal,
    /// Whether it can still be filled.
    pub open: bool,
    /// Milliseconds since 1970.
    pub created_ms: u64,
    /// When it was last filled, changed or canceled, in milliseconds since 1970.
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

    /// Returns the average price of its fills, rounded down to a number of decimals.
    pub fn truncated_average_price(&self, decimals: u32) -> Decimal {
        self.average_price().round_dp_with_strategy(decimals, RoundingStrategy::ToZero)
    }
}

/// A fill: one side of a trade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FuturesFill {
    /// Trade id, equal for both sides.
    pub trade: u64,
    /// The order that was filled.
    pub order: OrderId,
    /// The owner of the order.
    pub account: AccountId,
    /// The contract, such as `BTCUSDT`.
    pub symbol: SmolStr,
    /// The side of the order.
    pub side: FuturesSide,
    /// Price in the quote currency.
    pub price: Decimal,
    /// Size in contracts.
    pub size: Decimal,
    /// Fee in the quote currency.
    pub fee: Decimal,
    /// Realized profit of the closed contracts, in the quote currency and before fees; negative for a loss.
    #[serde(alias = "realised")]
    pub realized: Decimal,
    /// Whether the order was the maker.
    pub maker: bool,
    /// Milliseconds since 1970.
    pub time_ms: u64,
}
