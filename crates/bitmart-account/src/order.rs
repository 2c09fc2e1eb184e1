//! Orders and fills of both markets.

use bitmart_types::{
    ClientOrderId, ContractSymbol, Currency, Decimal, Market, OrderId, Side, Symbol, Timestamp,
    TradeId, TradeRole, futures, spot,
};

/// The instrument of an order or a fill.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[allow(clippy::exhaustive_enums, reason = "one for each market")]
pub enum Instrument {
    /// A spot pair. Sizes are in units of its base currency.
    Pair(Symbol),
    /// A contract. Sizes are in contracts.
    Contract(ContractSymbol),
}

impl Instrument {
    /// Returns the market of the instrument.
    pub fn market(&self) -> Market {
        match self {
            Self::Pair(_) => Market::Spot,
            Self::Contract(_) => Market::Futures,
        }
    }

    /// Returns the name of the pair or contract.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Pair(symbol) => symbol.as_str(),
            Self::Contract(symbol) => symbol.as_str(),
        }
    }
}

/// The lifecycle state of an order, in the same words for both markets.
///
/// An order is `Open`, then perhaps `PartiallyFilled`. All other states are final: the order cannot fill any more.
/// Reports arrive in any order, so a final state still becomes more precise when a later report tells more: `Canceled`
/// becomes `PartiallyCanceled` with a fill, both become `Filled` once the filled size reaches the size, and `Finished`
/// becomes one of these when a report of the end contains the size. On spot the state follows from the one that the
/// exchange sends, on futures from that and the sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum OrderProgress {
    /// Accepted, nothing filled.
    Open,
    /// Filled in part, still open.
    PartiallyFilled,
    /// Filled completely. A spot market buy with a fill always ends in this state, although the exchange reports
    /// `partially_canceled`: usually because a remainder of the quote amount was too small to buy anything (observed).
    /// A market buy for which the book had too few sell orders looks the same; compare [`Order::filled_notional`]
    /// with [`Order::notional`].
    Filled,
    /// Finished with a fill, but whether completely filled or canceled is not known. Futures orders only: the exchange
    /// has one state for both, and the report of the end may contain 0 instead of the size. An earlier size
    /// proves nothing, since the order may have been modified.
    Finished,
    /// Canceled after a partial fill.
    PartiallyCanceled,
    /// Canceled without a fill.
    Canceled,
    /// Rejected after it had been accepted. Mentioned only in the exchange's change log.
    Failed,
}

impl OrderProgress {
    /// Returns whether the order can no longer fill.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Open | Self::PartiallyFilled)
    }

    /// Orders the states by how much they tell about the end of an order. A report of a lower or equal rank does not
    /// replace the known state.
    fn rank(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::PartiallyFilled => 1,
            Self::Finished => 2,
            _ => 3,
        }
    }

    /// Returns the final state of a futures order with fills: [`Finished`](Self::Finished) if its size is not known.
    fn after_fills(size: Option<Decimal>, filled: Decimal) -> Self {
        match nonzero(size) {
            None => Self::Finished,
            Some(size) if filled < size => Self::PartiallyCanceled,
            Some(_) => Self::Filled,
        }
    }

    /// Returns `None` for a state that this version does not know. It may be a final one.
    pub(crate) fn from_spot(
        state: &spot::OrderState,
        order_type: Option<&spot::OrderType>,
        side: &Side,
        filled: Decimal,
    ) -> Option<Self> {
        let has_fills = !filled.is_zero();
        Some(match state {
            spot::OrderState::Filled => Self::Filled,
            spot::OrderState::PartiallyCanceled | spot::OrderState::Canceled if has_fills => {
                if order_type == Some(&spot::OrderType::Market) && *side == Side::Buy {
                    Self::Filled
                } else {
                    Self::PartiallyCanceled
                }
            }
            spot::OrderState::PartiallyCanceled | spot::OrderState::Canceled => Self::Canceled,
            spot::OrderState::Failed => Self::Failed,
            spot::OrderState::New | spot::OrderState::PartiallyFilled if has_fills => {
                Self::PartiallyFilled
            }
            spot::OrderState::New | spot::OrderState::PartiallyFilled => Self::Open,
            _ => return None,
        })
    }

    /// Futures has one state for filled and canceled orders; the sizes distinguish them. Returns `None`
    /// for a state that this version does not know.
    pub(crate) fn from_futures(
        state: &futures::OrderState,
        size: Decimal,
        filled: Decimal,
    ) -> Option<Self> {
        Some(match (state, filled.is_zero()) {
            (futures::OrderState::Finished, true) => Self::Canceled,
            (futures::OrderState::Finished, false) => Self::after_fills(Some(size), filled),
            (futures::OrderState::Approving | futures::OrderState::Open, true) => Self::Open,
            (futures::OrderState::Approving | futures::OrderState::Open, false) => {
                Self::PartiallyFilled
            }
            _ => return None,
        })
    }
}

/// An order of the account, from order streams and from order queries of REST.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Order {
    /// The exchange's order id, unique within its market.
    pub order_id: OrderId,
    /// The client order id; `None` for an order without one.
    pub client_order_id: Option<ClientOrderId>,
    /// The pair or contract.
    pub instrument: Instrument,
    /// Buy or sell.
    pub side: Side,
    /// The lifecycle state.
    pub progress: OrderProgress,
    /// Limit price in the quote currency; `None` for market orders.
    pub price: Option<Decimal>,
    /// Size in the base currency or in contracts; `None` for spot market buys.
    pub size: Option<Decimal>,
    /// Amount in the quote currency; spot market buys only.
    pub notional: Option<Decimal>,
    /// Filled size in the base currency or in contracts.
    pub filled_size: Decimal,
    /// Filled amount in the quote currency; spot only, and `None` if the exchange does not send it.
    pub filled_notional: Option<Decimal>,
    /// When the order was accepted, by the exchange's clock; `None` if the exchange does not send it.
    pub create_time: Option<Timestamp>,
    /// Latest known change, by the exchange's clock; `None` if the exchange does not send it.
    pub update_time: Option<Timestamp>,
}

/// Maps 0 to `None`: the exchange sends it for values that an order does not have.
pub(crate) fn nonzero(value: Option<Decimal>) -> Option<Decimal> {
    value.filter(|value| !value.is_zero())
}

impl Order {
    /// Merges another report of the same order. Reports may arrive in any order: an older one takes nothing back, but
    /// adds what was not known. Returns whether the progress, the filled size, the price or the size changed.
    pub(crate) fn advance(&mut self, update: Self) -> bool {
        let before = (self.progress, self.filled_size, self.price, self.size);
        let is_older = matches!(
            (update.update_time, self.update_time),
            (Some(time), Some(known)) if time < known
        );
        // Of two reports of the end, the one with more fills was made last.
        let is_later_end = self.progress.is_final()
            && update.progress.is_final()
            && update.filled_size > self.filled_size;
        self.filled_notional = self.filled_notional.max(update.filled_notional);
        self.filled_size = self.filled_size.max(update.filled_size);
        if is_later_end || update.progress.rank() > self.progress.rank() {
            self.progress = update.progress;
        }
        self.update_time = self.update_time.max(update.update_time);
        self.create_time = self.create_time.or(update.create_time);
        self.notional = self.notional.or(update.notional);
        if self.client_order_id.is_none() {
            self.client_order_id = update.client_order_id;
        }
        // An open limit order can be modified, even while no stream is connected. So the newest report of an open order
        // counts, and after its end only reports of the end, which may contain 0 for price and size.
        if !is_older && (!self.progress.is_final() || update.progress.is_final()) {
            self.price = nonzero(update.price).or(self.price);
            self.size = nonzero(update.size).or(self.size);
        } else {
            // Each was possibly missing so far. A spot market buy has neither in any report.
            self.price = self.price.or(nonzero(update.price));
            self.size = self.size.or(nonzero(update.size));
        }
        self.progress = self.progress_with_fills();
        before != (self.progress, self.filled_size, self.price, self.size)
    }

    /// Returns the progress as the filled size makes it more precise, which may come from another report.
    fn progress_with_fills(&self) -> OrderProgress {
        let is_filled = self.size.is_some_and(|size| size <= self.filled_size);
        let is_spot_market_buy = self.size.is_none()
            && self.side == Side::Buy
            && matches!(self.instrument, Instrument::Pair(_));
        match self.progress {
            progress if self.filled_size.is_zero() => progress,
            OrderProgress::Open => OrderProgress::PartiallyFilled,
            OrderProgress::Canceled if is_filled || is_spot_market_buy => OrderProgress::Filled,
            OrderProgress::PartiallyCanceled if is_filled => OrderProgress::Filled,
            OrderProgress::Canceled => OrderProgress::PartiallyCanceled,
            progress => progress,
        }
    }
}

/// A fill of an order of the account, from order streams and from fill queries of REST.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Fill {
    /// The exchange's trade id. In a trade between two own orders both fills have the same one.
    pub trade_id: TradeId,
    /// The exchange's id of the order.
    pub order_id: OrderId,
    /// The pair or contract.
    pub instrument: Instrument,
    /// Price in the quote currency.
    pub price: Decimal,
    /// Size in the base currency or in contracts.
    pub size: Decimal,
    /// Fee in [`fee_currency`](Self::fee_currency): positive if it was paid, negative for a rebate. By the
    /// documented samples, futures events have the opposite sign on the wire. `None` if the exchange does
    /// not send it.
    pub fee: Option<Decimal>,
    /// Currency of the fee; `None` if the exchange does not send it.
    pub fee_currency: Option<Currency>,
    /// Maker or taker; `None` if the exchange does not send it.
    pub trade_role: Option<TradeRole>,
    /// When the trade happened, by the exchange's clock; `None` if the exchange does not send it.
    pub timestamp: Option<Timestamp>,
}

impl Fill {
    /// Returns the field in which a repeated report contradicts this one. Only price and size are compared: times
    /// differ between messages and rows, and fees may be settled later.
    pub(crate) fn contradiction(&self, repeated: &Self) -> Option<&'static str> {
        if self.price != repeated.price {
            return Some("price");
        }
        (self.size != repeated.size).then_some("size")
    }

    /// Adds what this report of the fill lacks and a repeated one has.
    pub(crate) fn complete(&mut self, repeated: Self) {
        self.fee = self.fee.or(repeated.fee);
        self.fee_currency = self.fee_currency.take().or(repeated.fee_currency);
        self.trade_role = self.trade_role.take().or(repeated.trade_role);
        self.timestamp = self.timestamp.or(repeated.timestamp);
    }
}

#[cfg(test)]
mod tests;
