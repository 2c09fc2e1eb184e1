//! A spot order and its life.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, OrderId,
    book::{SelfTrade, Side},
};

/// The four order types of the spot market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Limit,
    Market,
    LimitMaker,
    Ioc,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Market => "market",
            Self::LimitMaker => "limit_maker",
            Self::Ioc => "ioc",
        }
    }
}

/// States as the wire names them. They only move downwards in this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum State {
    New,
    PartiallyFilled,
    Filled,
    Canceled,
    PartiallyCanceled,
}

impl State {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::PartiallyFilled => "partially_filled",
            Self::Filled => "filled",
            Self::Canceled => "canceled",
            Self::PartiallyCanceled => "partially_canceled",
        }
    }

    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::New | Self::PartiallyFilled)
    }
}

/// Who cancelled, as in `cancelSource`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CancelSource {
    User,
    System,
    SelfTrade,
}

impl CancelSource {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::System => "system",
            Self::SelfTrade => "stp",
        }
    }
}

/// A checked request for a spot order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NewSpotOrder {
    pub(crate) symbol: SmolStr,
    /// Paid from the margin account of the pair.
    pub(crate) margin: bool,
    pub(crate) side: Side,
    pub(crate) kind: Kind,
    pub(crate) client_id: Option<SmolStr>,
    pub(crate) stp: Option<SelfTrade>,
    /// Base units; zero for a market buy.
    pub(crate) size: Decimal,
    /// Zero for market orders.
    pub(crate) price: Decimal,
    /// Quote units of a market buy; zero otherwise.
    pub(crate) notional: Decimal,
}

impl NewSpotOrder {
    /// The `orderMode` of the order.
    pub(crate) fn mode(&self) -> &'static str {
        if self.margin { "iso_margin" } else { "spot" }
    }
}

/// A spot order as the exchange keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SpotOrder {
    pub(crate) id: OrderId,
    pub(crate) account: AccountId,
    pub(crate) request: NewSpotOrder,
    pub(crate) filled_size: Decimal,
    pub(crate) filled_notional: Decimal,
    /// Money still frozen for it: quote for buys, base for sells.
    pub(crate) reserved: Decimal,
    pub(crate) state: State,
    pub(crate) cancel_source: Option<CancelSource>,
    pub(crate) created_ms: u64,
    pub(crate) updated_ms: u64,
}

impl SpotOrder {
    pub(crate) fn open_size(&self) -> Decimal {
        self.request.size - self.filled_size
    }

    /// Average fill price, zero without a fill.
    pub(crate) fn average_price(&self) -> Decimal {
        self.filled_notional.checked_div(self.filled_size).unwrap_or_default()
    }

    /// The state it ends in when nothing more will happen to it.
    pub(crate) fn ended(&self) -> State {
        if self.filled_size.is_zero() { State::Canceled } else { State::PartiallyCanceled }
    }
}

/// One side of a trade, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SpotFill {
    pub(crate) trade: u64,
    pub(crate) order: OrderId,
    pub(crate) account: AccountId,
    /// What was ordered. A fill may be remembered for longer than its order.
    pub(crate) request: NewSpotOrder,
    pub(crate) price: Decimal,
    pub(crate) size: Decimal,
    /// In the quote currency.
    pub(crate) fee: Decimal,
    pub(crate) maker: bool,
    pub(crate) time_ms: u64,
}
