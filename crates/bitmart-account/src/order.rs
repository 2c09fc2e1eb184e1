//! An order and its fills, whichever way they were told.

use bitmart_types::{
    ClientOrderId, ContractSymbol, Currency, Decimal, OrderId, Side, Symbol, Timestamp, TradeId,
    TradeRole, futures, spot,
};

/// The two markets of the exchange. Each has its own orders, balances and streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::exhaustive_enums, reason = "the exchange has these two")]
pub enum Market {
    /// Pairs such as `BTC_USDT`, margin included.
    Spot,
    /// Contracts such as `BTCUSDT`.
    Futures,
}

/// What an order is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::exhaustive_enums, reason = "one for each market")]
pub enum Instrument {
    /// A spot pair. Sizes are amounts of its base currency.
    Pair(Symbol),
    /// A contract. Sizes are numbers of contracts.
    Contract(ContractSymbol),
}

impl Instrument {
    /// The market that it is traded on.
    pub fn market(&self) -> Market {
        match self {
            Self::Pair(_) => Market::Spot,
            Self::Contract(_) => Market::Futures,
        }
    }
}

/// Where an order is in its life, the same for both markets. It only ever moves down this list, and
/// never between the last four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Progress {
    /// Accepted, nothing filled.
    Open,
    /// Filled in part, still open.
    PartiallyFilled,
    /// Filled completely. A market buy is when it has spent what it can: the exchange returns the
    /// remainder of the quote amount and calls such an order `partially_canceled` (observed).
    Filled,
    /// Over, with a part filled.
    PartiallyCanceled,
    /// Over, with nothing filled.
    Canceled,
    /// Refused after it had been accepted; named in the exchange's change log only.
    Failed,
}

impl Progress {
    /// Whether the order is over.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Open | Self::PartiallyFilled)
    }

    fn rank(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::PartiallyFilled => 1,
            _ => 2,
        }
    }

    /// Spot says in a word how far an order is.
    pub(crate) fn of_spot(
        state: &spot::OrderState,
        order_type: Option<&spot::OrderType>,
        side: &Side,
        filled: Decimal,
    ) -> Self {
        let some = !filled.is_zero();
        match state {
            spot::OrderState::Filled => Self::Filled,
            spot::OrderState::PartiallyCanceled | spot::OrderState::Canceled if some => {
                if order_type == Some(&spot::OrderType::Market) && *side == Side::Buy {
                    Self::Filled
                } else {
                    Self::PartiallyCanceled
                }
            }
            spot::OrderState::PartiallyCanceled | spot::OrderState::Canceled => Self::Canceled,
            spot::OrderState::Failed => Self::Failed,
            _ if some => Self::PartiallyFilled,
            _ => Self::Open,
        }
    }

    /// Futures says only that an order is over: filled or cancelled follows from the sizes.
    pub(crate) fn of_futures(state: &futures::OrderState, size: Decimal, filled: Decimal) -> Self {
        match (state, filled.is_zero()) {
            (futures::OrderState::Finished, true) => Self::Canceled,
            (futures::OrderState::Finished, false) if filled < size => Self::PartiallyCanceled,
            (futures::OrderState::Finished, false) => Self::Filled,
            (_, true) => Self::Open,
            (_, false) => Self::PartiallyFilled,
        }
    }
}

/// An order of the account.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Order {
    /// The exchange's id.
    pub order_id: OrderId,
    /// Your id; `None` for an order that has none.
    pub client_order_id: Option<ClientOrderId>,
    /// What it is about.
    pub instrument: Instrument,
    /// Whether it buys; `None` for a side that this version does not know.
    pub is_buy: Option<bool>,
    /// How far it is.
    pub progress: Progress,
    /// Limit price in the quote currency; `None` for a market order.
    pub price: Option<Decimal>,
    /// Ordered size in the base currency or in contracts; `None` for a spot market buy.
    pub size: Option<Decimal>,
    /// Ordered amount in the quote currency; spot market buys only.
    pub notional: Option<Decimal>,
    /// Filled so far, in the base currency or in contracts.
    pub filled_size: Decimal,
    /// When it was accepted; `None`: not told.
    pub create_time: Option<Timestamp>,
    /// When it changed last, as far as is known; `None`: not told.
    pub update_time: Option<Timestamp>,
}

/// A price that stands for "none": market orders carry a word, an empty text or 0.
pub(crate) fn some_price(price: Option<Decimal>) -> Option<Decimal> {
    price.filter(|price| !price.is_zero())
}

impl Order {
    /// Takes in what is newer in a report about the same order. An order does not go back: of two
    /// reports in the wrong order the older one changes nothing. Gives whether anything changed.
    pub(crate) fn advance(&mut self, report: Self) -> bool {
        let before = (self.progress, self.filled_size);
        self.filled_size = self.filled_size.max(report.filled_size);
        if report.progress.rank() > self.progress.rank() {
            self.progress = report.progress;
        }
        self.progress = match self.progress {
            Progress::Open if !self.filled_size.is_zero() => Progress::PartiallyFilled,
            Progress::Canceled if !self.filled_size.is_zero() => Progress::PartiallyCanceled,
            progress => progress,
        };
        self.update_time = self.update_time.max(report.update_time);
        if self.client_order_id.is_none() {
            self.client_order_id = report.client_order_id;
        }
        // A limit order can be modified; a finished one says 0 for what it no longer has.
        if !self.progress.is_final() {
            self.price = some_price(report.price).or(self.price);
            self.size = some_price(report.size).or(self.size);
        }
        before != (self.progress, self.filled_size)
    }
}

/// A fill of an order of the account.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Fill {
    /// The exchange's id of the trade. When you trade with yourself, both orders have a fill with it.
    pub trade_id: TradeId,
    /// The order that filled.
    pub order_id: OrderId,
    /// What was traded.
    pub instrument: Instrument,
    /// Price in the quote currency.
    pub price: Decimal,
    /// Size in the base currency or in contracts.
    pub size: Decimal,
    /// Fee, as the exchange writes it: futures events may write it as a negative number.
    pub fee: Option<Decimal>,
    /// Currency of the fee, where it is told.
    pub fee_currency: Option<Currency>,
    /// Whether the order made or took, where it is told.
    pub role: Option<TradeRole>,
    /// When it happened.
    pub time: Option<Timestamp>,
}
