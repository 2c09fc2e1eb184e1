//! A futures order, its sides and modes, and its fills.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, OrderId,
    book::{SelfTrade, Side},
};

/// The four sides, numbered as on the wire and named as in hedge mode. In one-way mode they are buy, buy
/// to reduce only, sell to reduce only, and sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FuturesSide {
    OpenLong = 1,
    CloseShort = 2,
    CloseLong = 3,
    OpenShort = 4,
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

    pub(crate) fn opens(self) -> bool {
        matches!(self, Self::OpenLong | Self::OpenShort)
    }

    /// Whether it works on the long position of hedge mode.
    pub(crate) fn long(self) -> bool {
        matches!(self, Self::OpenLong | Self::CloseLong)
    }
}

/// How long an order lives, numbered as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Mode {
    GoodTilCancelled = 1,
    FillOrKill = 2,
    ImmediateOrCancel = 3,
    MakerOnly = 4,
}

/// A checked request for a futures order. No price means market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NewFuturesOrder {
    pub(crate) symbol: SmolStr,
    pub(crate) side: FuturesSide,
    pub(crate) price: Option<Decimal>,
    /// Whole contracts.
    pub(crate) size: Decimal,
    pub(crate) mode: Mode,
    pub(crate) leverage: u32,
    pub(crate) isolated: bool,
    pub(crate) client_id: Option<SmolStr>,
    pub(crate) stp: SelfTrade,
}

/// Who placed an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Origin {
    Customer,
    /// A position that is closed by force, at the market.
    Liquidation,
    /// What the market did not take of it: the house takes it over.
    Bankruptcy,
}

/// A futures order as the exchange keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FuturesOrder {
    pub(crate) id: OrderId,
    pub(crate) account: AccountId,
    pub(crate) request: NewFuturesOrder,
    pub(crate) origin: Origin,
    /// Placed in one-way mode.
    pub(crate) one_way: bool,
    /// Contracts of the opposite position that are promised to it.
    pub(crate) closes: Decimal,
    pub(crate) filled: Decimal,
    /// Sum of price times contracts.
    pub(crate) filled_value: Decimal,
    /// Margin and fee still frozen for it.
    pub(crate) reserved: Decimal,
    pub(crate) open: bool,
    pub(crate) created_ms: u64,
    pub(crate) updated_ms: u64,
}

impl FuturesOrder {
    pub(crate) fn left(&self) -> Decimal {
        self.request.size - self.filled
    }

    /// The word of REST.
    pub(crate) fn kind(&self) -> &'static str {
        match (self.origin, self.request.price) {
            (Origin::Liquidation, _) => "liquidate",
            (Origin::Bankruptcy, _) => "bankruptcy",
            (Origin::Customer, Some(_)) => "limit",
            (Origin::Customer, None) => "market",
        }
    }

    pub(crate) fn average_price(&self) -> Decimal {
        self.filled_value.checked_div(self.filled).unwrap_or_default()
    }

    /// The average price as answers and frames tell it alike: cut to the decimals of the contract.
    pub(crate) fn told_average(&self, decimals: u32) -> Decimal {
        self.average_price().round_dp_with_strategy(decimals, RoundingStrategy::ToZero)
    }
}

/// One side of a trade, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FuturesFill {
    pub(crate) trade: u64,
    pub(crate) order: OrderId,
    pub(crate) account: AccountId,
    pub(crate) symbol: SmolStr,
    pub(crate) side: FuturesSide,
    pub(crate) price: Decimal,
    pub(crate) size: Decimal,
    pub(crate) fee: Decimal,
    pub(crate) realised: Decimal,
    pub(crate) maker: bool,
    pub(crate) time_ms: u64,
}
