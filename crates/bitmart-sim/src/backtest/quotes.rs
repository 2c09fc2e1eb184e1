//! The orders of the exchange in a backtest: quotes at the price of the candle, and fills of the orders that the
//! price reaches.

use rust_decimal::{Decimal, RoundingStrategy};
use smol_str::SmolStr;

use crate::{
    AccountId, Exchange, FuturesRequest, MAKER, OrderId, Request, SpotRequest, TAKER,
    book::{Book, SelfTradePrevention, Side},
    futures_order::{FuturesSide, MarginType, NewFuturesOrder, OrderMode},
    markets::MarketKind,
    spot_order::{NewSpotOrder, SpotOrderType},
    tape::Tape,
};

/// Value of a quote in the quote currency: 1e9.
const QUOTE_VALUE: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);
/// Largest size of a quote in base units, 1e11: products of sizes and prices must not overflow.
const MAX_SIZE: Decimal = Decimal::from_parts(1_215_752_192, 23, 0, false, 0);

/// Decimals of prices and sizes of a market.
#[derive(Debug, Clone, Copy)]
struct Precision {
    price_decimals: u32,
    size_decimals: u32,
    /// Base units of one contract; 1 on spot.
    contract: Decimal,
}

/// The bid and the ask that were placed in one market.
pub(super) type QuotePair = [Option<OrderId>; 2];

impl MarketKind {
    pub(super) fn of(exchange: &Exchange, symbol: &str) -> Option<Self> {
        if exchange.spot.contains_key(symbol) {
            Some(Self::Spot)
        } else {
            exchange.futures.contains_key(symbol).then_some(Self::Futures)
        }
    }

    pub(super) fn tape<'a>(self, exchange: &'a Exchange, symbol: &str) -> Option<&'a Tape> {
        match self {
            Self::Spot => exchange.spot.get(symbol).map(|market| &market.tape),
            Self::Futures => exchange.futures.get(symbol).map(|market| &market.tape),
        }
    }

    fn book<'a>(self, exchange: &'a Exchange, symbol: &str) -> Option<&'a Book> {
        match self {
            Self::Spot => exchange.spot.get(symbol).map(|market| &market.book),
            Self::Futures => exchange.futures.get(symbol).map(|market| &market.book),
        }
    }

    fn precision(self, exchange: &Exchange, symbol: &str) -> Option<Precision> {
        match self {
            Self::Spot => exchange.spot.get(symbol).map(|market| Precision {
                price_decimals: market.rules.price_decimals,
                size_decimals: market.rules.size_decimals,
                contract: Decimal::ONE,
            }),
            Self::Futures => exchange.futures.get(symbol).map(|market| Precision {
                price_decimals: market.rules.price_decimals,
                size_decimals: 0,
                contract: market.rules.contract_size,
            }),
        }
    }

    /// Whether a request can trade in this market, which then needs a quote.
    pub(super) fn can_trade(self, request: &Request, symbol: &str) -> bool {
        match (self, request) {
            (Self::Spot, Request::Spot(SpotRequest::Place(order))) => order.symbol == symbol,
            (Self::Spot, Request::Spot(SpotRequest::PlaceTrigger(new))) => {
                new.terms.order.symbol == symbol
            }
            (Self::Futures, Request::Futures(FuturesRequest::Place { order, .. })) => {
                order.symbol == symbol
            }
            (
                Self::Futures,
                Request::Futures(FuturesRequest::Cancel(_) | FuturesRequest::CancelAll { .. }),
            ) => false,
            (Self::Futures, Request::Futures(_)) => true,
            _ => false,
        }
    }

    pub(super) fn has_orders(self, exchange: &Exchange, symbol: &str) -> bool {
        self.book(exchange, symbol)
            .is_some_and(|book| book.best_bid().is_some() || book.best_ask().is_some())
    }

    /// Fills the resting orders that a price reaches.
    pub(super) fn trade_through(
        self,
        exchange: &mut Exchange,
        symbol: &SmolStr,
        price: Decimal,
        now_ms: u64,
    ) {
        let Some(book) = self.book(exchange, symbol) else { return };
        let reached = |side| book.would_take(side, price);
        let Some(side) = [Side::Buy, Side::Sell].into_iter().find(|side| reached(*side)) else {
            return;
        };
        let matching = book.matching_orders(side, Some(price), TAKER, SelfTradePrevention::Off);
        let size = matching.map(|row| row.1).sum();
        self.place(exchange, TAKER, symbol, side, price, size, now_ms);
    }

    /// Places a bid and an ask around a price, at least one tick apart.
    pub(super) fn quote(
        self,
        exchange: &mut Exchange,
        symbol: &SmolStr,
        price: Decimal,
        half_spread: Decimal,
        now_ms: u64,
    ) -> QuotePair {
        let Some(precision) = self.precision(exchange, symbol) else { return [None; 2] };
        let tick = Decimal::new(1, precision.price_decimals);
        let distance = price * half_spread;
        let rounded =
            |price: Decimal, way| price.round_dp_with_strategy(precision.price_decimals, way);
        let bid = rounded(price - distance, RoundingStrategy::ToNegativeInfinity);
        let ask = rounded(price + distance, RoundingStrategy::ToPositiveInfinity).max(bid + tick);
        let size = (QUOTE_VALUE / ask / precision.contract).min(MAX_SIZE);
        let size = size.round_dp_with_strategy(precision.size_decimals, RoundingStrategy::ToZero);
        let mut place =
            |side, price| self.place(exchange, MAKER, symbol, side, price, size, now_ms);
        [place(Side::Buy, bid), place(Side::Sell, ask)]
    }

    pub(super) fn withdraw(self, exchange: &mut Exchange, pair: QuotePair, now_ms: u64) {
        for id in pair.into_iter().flatten() {
            exchange.run_due_tasks(now_ms);
            // A filled quote cannot be canceled.
            let _ = match self {
                Self::Spot => exchange.cancel_spot(MAKER, id, now_ms),
                Self::Futures => exchange.cancel_futures(MAKER, id, now_ms),
            };
            exchange.run_triggers(now_ms);
        }
    }

    /// Places a limit order of the exchange. It rests when it is one of the maker, else the rest is canceled.
    #[allow(clippy::too_many_arguments, reason = "an order has as many parts")]
    fn place(
        self,
        exchange: &mut Exchange,
        account: AccountId,
        symbol: &SmolStr,
        side: Side,
        price: Decimal,
        size: Decimal,
        now_ms: u64,
    ) -> Option<OrderId> {
        let rests = account == MAKER;
        let symbol = symbol.clone();
        exchange.run_due_tasks(now_ms);
        // Not a command: the rules of customers do not apply to orders of the exchange.
        let placed = match self {
            Self::Spot => {
                let kind =
                    if rests { SpotOrderType::Limit } else { SpotOrderType::ImmediateOrCancel };
                let order = NewSpotOrder { kind, ..NewSpotOrder::limit(symbol, side, size, price) };
                exchange.place_spot(account, order, now_ms)
            }
            Self::Futures => {
                let buys = side == Side::Buy;
                let order = NewFuturesOrder {
                    symbol,
                    side: if buys { FuturesSide::OpenLong } else { FuturesSide::OpenShort },
                    price: Some(price),
                    size,
                    mode: if rests {
                        OrderMode::GoodTillCanceled
                    } else {
                        OrderMode::ImmediateOrCancel
                    },
                    leverage: 1,
                    margin_type: MarginType::Cross,
                    client_order_id: None,
                    self_trade_prevention: SelfTradePrevention::Off,
                };
                exchange.place_futures(account, order, now_ms)
            }
        };
        exchange.run_triggers(now_ms);
        placed.ok()
    }
}
