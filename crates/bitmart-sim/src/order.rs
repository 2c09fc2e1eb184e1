//! A spot order and its life.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, OrderId,
    book::{SelfTrade, Side},
    ledger::WalletId,
};

/// The four order types of the spot market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Trades up to its price; the rest rests in the book.
    Limit,
    /// Trades at any price; the rest is cancelled.
    Market,
    /// Rests in the book, and is cancelled if it would trade at once.
    LimitMaker,
    /// Trades up to its price at once; the rest is cancelled.
    Ioc,
}

// Rule: An order ends as filled, canceled or partially_canceled and changes no more. Source: documented
// (endpoint spot_order)
/// States of an order. They only move downwards in this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    /// Accepted, and not filled yet.
    New,
    /// Filled in part, and still open.
    PartiallyFilled,
    /// Filled completely.
    Filled,
    /// Cancelled without a fill.
    Canceled,
    /// Cancelled after a part was filled.
    PartiallyCanceled,
}

impl State {
    /// Its name in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::PartiallyFilled => "partially_filled",
            Self::Filled => "filled",
            Self::Canceled => "canceled",
            Self::PartiallyCanceled => "partially_canceled",
        }
    }

    /// Whether it can still be filled.
    pub fn is_open(self) -> bool {
        matches!(self, Self::New | Self::PartiallyFilled)
    }
}

/// Who cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CancelSource {
    /// The owner of the order.
    User,
    /// The exchange: the rest may not rest, or the margin account is liquidated.
    System,
    /// Self-trade prevention.
    SelfTrade,
}

/// A checked request for a spot order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewSpotOrder {
    /// The pair, such as `BTC_USDT`.
    pub symbol: SmolStr,
    /// Paid from the margin account of the pair.
    pub margin: bool,
    /// Whether it buys or sells the base currency.
    pub side: Side,
    /// What happens to the part that does not trade at once.
    pub kind: Kind,
    /// Up to 32 ASCII letters and digits, chosen by the client.
    pub client_id: Option<SmolStr>,
    /// What happens when it would trade with an order of the same account; without one they trade.
    pub stp: Option<SelfTrade>,
    /// Base units; zero for a market buy.
    pub size: Decimal,
    /// Zero for market orders.
    pub price: Decimal,
    /// Quote units of a market buy; zero otherwise.
    pub notional: Decimal,
}

impl NewSpotOrder {
    /// A limit order, paid from the spot wallet.
    pub fn limit(symbol: impl Into<SmolStr>, side: Side, size: Decimal, price: Decimal) -> Self {
        Self {
            symbol: symbol.into(),
            margin: false,
            side,
            kind: Kind::Limit,
            client_id: None,
            stp: None,
            size,
            price,
            notional: Decimal::ZERO,
        }
    }

    /// A market order that spends so much of the quote currency.
    pub fn market_buy(symbol: impl Into<SmolStr>, notional: Decimal) -> Self {
        let order = Self::limit(symbol, Side::Buy, Decimal::ZERO, Decimal::ZERO);
        Self { kind: Kind::Market, notional, ..order }
    }

    /// A market order that sells so much of the base currency.
    pub fn market_sell(symbol: impl Into<SmolStr>, size: Decimal) -> Self {
        let order = Self::limit(symbol, Side::Sell, size, Decimal::ZERO);
        Self { kind: Kind::Market, ..order }
    }
}

/// A spot order as the exchange keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpotOrder {
    /// Number of the order; it is also its key in [`Exchange::spot_orders`](crate::Exchange::spot_orders).
    pub id: OrderId,
    /// Who owns it.
    pub account: AccountId,
    /// Its terms, which never change.
    pub request: NewSpotOrder,
    /// Base units.
    pub filled_size: Decimal,
    /// Quote units, without fees.
    pub filled_notional: Decimal,
    /// Money still frozen for it: quote for buys, base for sells.
    pub reserved: Decimal,
    /// How far it is.
    pub state: State,
    /// Who cancelled it; none unless it was.
    pub cancel_source: Option<CancelSource>,
    /// Milliseconds since 1970.
    pub created_ms: u64,
    /// When it was last filled or cancelled, in milliseconds since 1970.
    pub updated_ms: u64,
    /// Looked up once, not at every trade.
    pub(crate) paid_from: WalletId,
    pub(crate) paid_into: Option<WalletId>,
}

impl SpotOrder {
    pub(crate) fn open_size(&self) -> Decimal {
        self.request.size - self.filled_size
    }

    /// Average fill price, zero without a fill.
    pub fn average_price(&self) -> Decimal {
        self.filled_notional.checked_div(self.filled_size).unwrap_or_default()
    }

    /// The state it ends in when nothing more will happen to it.
    pub fn ended(&self) -> State {
        if self.filled_size.is_zero() { State::Canceled } else { State::PartiallyCanceled }
    }
}

/// One side of a trade, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpotFill {
    /// Number of the trade, equal for both sides.
    pub trade: u64,
    /// The order that was filled.
    pub order: OrderId,
    /// Who owns the order.
    pub account: AccountId,
    /// What was ordered. A fill may be remembered for longer than its order.
    pub request: NewSpotOrder,
    /// In the quote currency.
    pub price: Decimal,
    /// Base units.
    pub size: Decimal,
    /// In the quote currency.
    pub fee: Decimal,
    /// The order rested in the book.
    pub maker: bool,
    /// Milliseconds since 1970.
    pub time_ms: u64,
}
