//! Spot orders and their fills.

use std::collections::VecDeque;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, Exchange, OrderId,
    book::{SelfTradePrevention, Side},
    ledger::WalletId,
    slab::IdMap,
};

/// The four order types of the spot market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpotOrderType {
    /// Fills up to its price; the rest is added to the book.
    Limit,
    /// Fills at any price; the rest is canceled.
    Market,
    /// Added to the book; canceled if it would trade at once.
    LimitMaker,
    /// Fills up to its price at once; the rest is canceled.
    #[serde(alias = "Ioc")]
    ImmediateOrCancel,
}

// Rule: An order ends as filled, canceled or partially_canceled and changes no more. Source: documented
// (endpoint spot_order)
/// The state of an order. It changes only in the order of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SpotOrderState {
    /// Accepted, and not filled yet.
    New,
    /// Filled in part, and still open.
    PartiallyFilled,
    /// Filled completely.
    Filled,
    /// Canceled without a fill.
    Canceled,
    /// Canceled after a part was filled.
    PartiallyCanceled,
}

impl SpotOrderState {
    /// Whether it can still be filled.
    pub fn is_open(self) -> bool {
        matches!(self, Self::New | Self::PartiallyFilled)
    }
}

/// Who canceled an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CancelSource {
    /// The owner of the order.
    User,
    /// The exchange, because of the order type or a liquidation.
    System,
    /// Self-trade prevention.
    #[serde(alias = "SelfTrade")]
    SelfTradePrevention,
}

/// The terms of a new spot order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewSpotOrder {
    /// The pair, such as `BTC_USDT`.
    pub symbol: SmolStr,
    /// Whether it is paid from the margin account of the pair.
    pub margin: bool,
    /// Side.
    pub side: Side,
    /// Order type.
    pub kind: SpotOrderType,
    /// Up to 32 ASCII letters and digits, chosen by the client.
    #[serde(alias = "client_id")]
    pub client_order_id: Option<SmolStr>,
    /// Self-trade prevention; `None` allows self-trades.
    #[serde(alias = "stp")]
    pub self_trade_prevention: Option<SelfTradePrevention>,
    /// Size in base units; zero for a market buy.
    pub size: Decimal,
    /// Limit price; zero for market orders.
    pub price: Decimal,
    /// Amount of a market buy in the quote currency; zero for other orders.
    pub notional: Decimal,
}

impl NewSpotOrder {
    /// Creates a limit order, paid from the spot wallet.
    pub fn limit(symbol: impl Into<SmolStr>, side: Side, size: Decimal, price: Decimal) -> Self {
        Self {
            symbol: symbol.into(),
            margin: false,
            side,
            kind: SpotOrderType::Limit,
            client_order_id: None,
            self_trade_prevention: None,
            size,
            price,
            notional: Decimal::ZERO,
        }
    }

    /// Creates a market order that spends an amount of the quote currency.
    pub fn market_buy(symbol: impl Into<SmolStr>, notional: Decimal) -> Self {
        let order = Self::limit(symbol, Side::Buy, Decimal::ZERO, Decimal::ZERO);
        Self { kind: SpotOrderType::Market, notional, ..order }
    }

    /// Creates a market order that sells an amount of the base currency.
    pub fn market_sell(symbol: impl Into<SmolStr>, size: Decimal) -> Self {
        let order = Self::limit(symbol, Side::Sell, size, Decimal::ZERO);
        Self { kind: SpotOrderType::Market, ..order }
    }
}

/// A spot order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpotOrder {
    /// Number of the order; it is also its key in [`Exchange::spot_order`].
    pub id: OrderId,
    /// The owner.
    pub account: AccountId,
    /// The terms.
    pub request: NewSpotOrder,
    /// Filled size in base units.
    pub filled_size: Decimal,
    /// Value of all fills in the quote currency, without fees.
    pub filled_notional: Decimal,
    /// Frozen money: quote currency for buys, base currency for sells.
    pub reserved: Decimal,
    /// The state.
    pub state: SpotOrderState,
    /// Who canceled it, if it was canceled.
    pub cancel_source: Option<CancelSource>,
    /// Milliseconds since 1970.
    pub created_ms: u64,
    /// When it was last filled or canceled, in milliseconds since 1970.
    pub updated_ms: u64,
    /// The wallet that pays, kept to avoid a lookup at every trade.
    pub(crate) paid_from: WalletId,
    /// The wallet that receives, once the order had a fill.
    pub(crate) paid_into: Option<WalletId>,
}

impl SpotOrder {
    pub(crate) fn open_size(&self) -> Decimal {
        self.request.size - self.filled_size
    }

    /// Returns the average price of the fills; zero without any.
    pub fn average_price(&self) -> Decimal {
        self.filled_notional.checked_div(self.filled_size).unwrap_or_default()
    }

    /// Returns the state that the order has once it is canceled.
    pub fn canceled_state(&self) -> SpotOrderState {
        if self.filled_size.is_zero() {
            SpotOrderState::Canceled
        } else {
            SpotOrderState::PartiallyCanceled
        }
    }
}

/// A fill: one side of a trade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpotFill {
    /// Trade id, equal for both sides.
    pub trade: u64,
    /// The order that was filled.
    pub order: OrderId,
    /// The owner of the order.
    pub account: AccountId,
    /// The terms of the order. A fill may be kept longer than its order.
    pub request: NewSpotOrder,
    /// In the quote currency.
    pub price: Decimal,
    /// Base units.
    pub size: Decimal,
    /// In the quote currency.
    pub fee: Decimal,
    /// Whether the order was the maker.
    pub maker: bool,
    /// Milliseconds since 1970.
    pub time_ms: u64,
}

/// The trades of each kept order, oldest first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct TradesOfOrders(IdMap<OrderId, VecDeque<u64>>);

impl TradesOfOrders {
    fn of(&self, order: OrderId) -> impl Iterator<Item = u64> {
        self.0.get(&order).into_iter().flatten().copied()
    }

    fn add(&mut self, order: OrderId, trade: u64) {
        self.0.entry(order).or_default().push_back(trade);
    }

    fn forget_oldest(&mut self, order: OrderId) {
        if let Some(trades) = self.0.get_mut(&order) {
            trades.pop_front();
        }
    }

    /// Forgets the trades of an order that is no longer kept.
    pub(crate) fn forget(&mut self, order: OrderId) {
        self.0.remove(&order);
    }
}

impl Exchange {
    /// Returns the kept fills of an order, oldest first.
    pub fn spot_fills_of(&self, id: OrderId) -> impl Iterator<Item = &SpotFill> {
        self.spot_trades.of(id).filter_map(move |trade| {
            let since = self.spot_fills.since(move |fill| fill.trade < trade);
            let mut both_sides = since.take_while(|fill| fill.trade == trade);
            both_sides.find(|fill| fill.order == id)
        })
    }

    /// Keeps a fill among the latest ones, and its trade with its order.
    pub(crate) fn keep_spot_fill(&mut self, fill: SpotFill) {
        let (order, trade) = (fill.order, fill.trade);
        // The oldest fill of all is also the oldest one of its order.
        if let Some(removed) = self.spot_fills.add(fill, self.history_limit) {
            self.spot_trades.forget_oldest(removed.order);
        }
        self.spot_trades.add(order, trade);
    }
}
