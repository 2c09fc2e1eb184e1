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
    OpenLong,
    CloseShort,
    CloseLong,
    OpenShort,
}

impl FuturesSide {
    pub fn book(self) -> Side {
        match self {
            Self::OpenLong | Self::CloseShort => Side::Buy,
            Self::CloseLong | Self::OpenShort => Side::Sell,
        }
    }

    pub fn buys(self) -> bool {
        self.book() == Side::Buy
    }

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
    GoodTilCancelled,
    FillOrKill,
    ImmediateOrCancel,
    MakerOnly,
}

/// A checked request for a futures order. No price means market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFuturesOrder {
    pub symbol: SmolStr,
    pub side: FuturesSide,
    pub price: Option<Decimal>,
    /// Whole contracts.
    pub size: Decimal,
    pub mode: Mode,
    pub leverage: u32,
    pub isolated: bool,
    pub client_id: Option<SmolStr>,
    pub stp: SelfTrade,
}

/// Who placed an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    Customer,
    /// A position that is closed by force, at the market.
    Liquidation,
    /// What the market did not take of it: the house takes it over.
    Bankruptcy,
}

/// A futures order as the exchange keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FuturesOrder {
    pub id: OrderId,
    pub account: AccountId,
    pub request: NewFuturesOrder,
    pub origin: Origin,
    /// Placed in one-way mode.
    pub one_way: bool,
    /// Contracts of the opposite position that are promised to it.
    pub closes: Decimal,
    pub filled: Decimal,
    /// Sum of price times contracts.
    pub filled_value: Decimal,
    /// Margin and fee still frozen for it.
    pub reserved: Decimal,
    pub open: bool,
    pub created_ms: u64,
    pub updated_ms: u64,
}

impl FuturesOrder {
    pub fn left(&self) -> Decimal {
        self.request.size - self.filled
    }

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
    pub trade: u64,
    pub order: OrderId,
    pub account: AccountId,
    pub symbol: SmolStr,
    pub side: FuturesSide,
    pub price: Decimal,
    pub size: Decimal,
    pub fee: Decimal,
    pub realised: Decimal,
    pub maker: bool,
    pub time_ms: u64,
}
