//! The spot market: placing, matching, settling and canceling orders.
//!
//! Both sides pay fees in the quote currency, as in BitMart's samples of trades. A buy freezes its fee in advance, so
//! that a fill can never make a balance negative.

mod cancel;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, BalanceReason, DECIMALS, Event, Exchange, OrderId, account_entry,
    book::{Book, Match, Quantity, SelfTradePrevention, Side, TradeRole},
    clamp_configured,
    ledger::HouseBook,
    reject::{Reject, Source},
    round_down,
    spot_order::{CancelSource, NewSpotOrder, SpotFill, SpotOrder, SpotOrderState, SpotOrderType},
    tape::{PublicTrade, Tape},
    value_of,
};
use crate::markets::SpotPair;

// Rule: Taker and maker pay 0.1 % of the value of a spot trade, in the quote currency. Source: documented (class A
// of endpoint account_fee_rates, and the fee of a buy in the sample of endpoint spot_order_fills for the
// currency); simplified (two sample trades charge 0.1 and 0.25 %, and here every pair is of class A)
/// Taker fee as a ratio of the value: 0.1 %, the lowest class of the documented fee table.
pub const TAKER_FEE: Decimal = Decimal::from_parts(1, 0, 0, false, 3);
/// Maker fee as a ratio of the value: 0.1 %.
pub const MAKER_FEE: Decimal = Decimal::from_parts(1, 0, 0, false, 3);

/// The rules of one pair.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SpotRules {
    /// Such as `BTC_USDT`.
    pub symbol: SmolStr,
    /// The currency of sizes, such as `BTC`.
    pub base: SmolStr,
    /// The currency of prices, values and fees, such as `USDT`.
    pub quote: SmolStr,
    /// Decimals of a price, 8 at most; the tick is one unit of the last.
    pub price_decimals: u32,
    /// Decimals of a size, 8 at most.
    pub size_decimals: u32,
    /// Size step and smallest size.
    pub lot: Decimal,
    /// Smallest value of an order, in the quote currency.
    pub min_notional: Decimal,
    pub(crate) start_price: Decimal,
}

/// The market of one pair.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SpotMarket {
    /// The rules of the pair.
    pub rules: SpotRules,
    /// Open limit orders; sizes are base units.
    pub book: Book,
    /// Trades and candles.
    pub tape: Tape,
}

impl SpotMarket {
    pub(crate) fn new(pair: &SpotPair) -> Self {
        let price_decimals = pair.price_decimals.min(DECIMALS);
        let size_decimals = pair.size_decimals.min(DECIMALS);
        let rules = SpotRules {
            symbol: pair.symbol().into(),
            base: pair.base.as_str().into(),
            quote: pair.quote.as_str().into(),
            price_decimals,
            size_decimals,
            lot: Decimal::new(1, size_decimals),
            min_notional: pair.min_notional.max(Decimal::ZERO),
            start_price: clamp_configured(pair.start_price, price_decimals),
        };
        Self { rules, book: Book::default(), tape: Tape::default() }
    }

    /// Returns the last price, or the start price before the first trade.
    pub fn last_price(&self) -> Decimal {
        self.tape.last_price().unwrap_or(self.rules.start_price)
    }
}

impl Exchange {
    // Rule: A buy freezes its highest cost with its fee, a sell its size. Source: simplified (the samples show
    // the sums, not how they are made)
    /// Places an order: freezes its money, matches it, and rests or cancels the remainder.
    pub(crate) fn place_spot(
        &mut self,
        account: AccountId,
        request: NewSpotOrder,
        now_ms: u64,
    ) -> Result<OrderId, Reject> {
        let rules = &self.spot.get(&request.symbol).ok_or(Reject::UnknownMarket)?.rules;
        let (currency, reserved) = match (request.side, request.kind) {
            (Side::Sell, _) => (&rules.base, request.size),
            (Side::Buy, SpotOrderType::Market) => {
                (&rules.quote, Self::with_fee(account, request.notional))
            }
            (Side::Buy, _) => {
                (&rules.quote, Self::with_fee(account, value_of(request.price, request.size)))
            }
        };
        let owner = account_entry(&mut self.accounts, account);
        // Rule: A client order id names one order of an account and market, as long as that is remembered or
        // waits. Source: documented (the table of error codes); simplified (for how long)
        if let Some(id) = &request.client_order_id
            && (owner.spot_orders.by_client_order_id(id).is_some()
                || self.triggers.spot.is_client_order_id_reserved(account, id))
        {
            return Err(Reject::DuplicateClientOrderId);
        }
        let rests = matches!(request.kind, SpotOrderType::Limit | SpotOrderType::LimitMaker);
        owner.spot_orders.check_open(rests)?;
        let paid_from = owner.paying_wallet(&request, currency);
        let Some(wallet) = paid_from.filter(|wallet| self.ledger.freeze(*wallet, reserved)) else {
            let source = if request.margin { Source::Margin } else { Source::Spot };
            let available = paid_from.map(|wallet| self.ledger.amount(wallet.available()));
            let available = available.unwrap_or_default();
            return Err(Reject::insufficient(source, currency, available, reserved));
        };
        let id = self.counters.next_spot_order();
        if !owner.house {
            owner.spot_orders.add(id, request.client_order_id.as_ref());
        }
        let order = SpotOrder {
            id,
            account,
            request,
            filled_size: Decimal::ZERO,
            filled_notional: Decimal::ZERO,
            reserved,
            state: SpotOrderState::New,
            cancel_source: None,
            created_ms: now_ms,
            updated_ms: now_ms,
            paid_from: wallet,
            paid_into: None,
        };
        self.spot_orders.insert(id, order);
        self.report_spot(id, None);
        self.match_spot(id, now_ms);
        Ok(id)
    }

    /// Marks an order as finished, and removes the oldest finished one beyond the history limit.
    fn finish_spot(&mut self, account: AccountId, id: OrderId) {
        let history_limit = self.history_limit;
        let oldest = self.account_mut(account).spot_orders.finish(id, history_limit);
        let Some(removed) = oldest.and_then(|oldest| self.spot_orders.remove(oldest)) else {
            return;
        };
        // An order without fills has no trades.
        if !removed.filled_size.is_zero() {
            self.spot_trades.forget(removed.id);
        }
        if removed.request.client_order_id.is_some() {
            let orders = &mut self.account_mut(account).spot_orders;
            orders.forget_client_order_id(removed.request.client_order_id.as_ref());
        }
    }

    /// Matches an order, then rests or cancels the remainder.
    fn match_spot(&mut self, id: OrderId, now_ms: u64) {
        let Some(order) = self.spot_orders.get(&id) else { return };
        let (account, request) = (order.account, &order.request);
        let (side, kind, price) = (request.side, request.kind, request.price);
        let Some(market) = self.spot.get_mut(&request.symbol) else { return };
        // Rule: A limit_maker order that would take, or is below the smallest value, is accepted and then
        // canceled by the system. Source: documented (endpoint spot_submit_order, for one that would take);
        // simplified (for one below the smallest value)
        if kind == SpotOrderType::LimitMaker
            && (price * request.size < market.rules.min_notional
                || market.book.would_take(side, price))
        {
            return self.end_spot(id, CancelSource::System, now_ms);
        }
        let limit = (kind != SpotOrderType::Market).then_some(price);
        let quantity = if kind == SpotOrderType::Market && side == Side::Buy {
            Quantity::Notional { amount: request.notional, lot: market.rules.lot }
        } else {
            Quantity::Size(request.size)
        };
        let policy = request.self_trade_prevention.unwrap_or(SelfTradePrevention::Off);
        let result = market.book.take(side, limit, quantity, account, policy);
        let has_remainder = result.unmatched > Decimal::ZERO && !result.stopped;
        let rests =
            has_remainder && matches!(kind, SpotOrderType::Limit | SpotOrderType::LimitMaker);
        if rests {
            market.book.rest(side, price, id, account, result.unmatched);
        }
        for matched in &result.matches {
            self.settle_spot(id, *matched, now_ms);
        }
        for removed in result.removed {
            self.end_spot(removed, CancelSource::SelfTradePrevention, now_ms);
        }
        if result.stopped {
            self.end_spot(id, CancelSource::SelfTradePrevention, now_ms);
        } else if rests && !result.matches.is_empty() {
            self.release_spot_surplus(id);
        } else if has_remainder && !rests {
            self.end_spot(id, CancelSource::System, now_ms);
        }
    }

    /// Returns a value and its taker fee, each rounded down: the amount that a buy freezes. The parts are not larger.
    pub(super) fn with_fee(account: AccountId, value: Decimal) -> Decimal {
        let rate = if Self::is_house(account) { Decimal::ZERO } else { TAKER_FEE };
        round_down(value) + round_down(value * rate)
    }

    // Rule: Money saved by a better price is released at once. Source: simplified (no source says when)
    /// Releases the money that a buy has saved by fills below its limit price.
    fn release_spot_surplus(&mut self, id: OrderId) {
        let Some(order) = self.spot_orders.get_mut(&id) else { return };
        if order.request.side == Side::Sell || order.filled_size.is_zero() {
            return;
        }
        let needed =
            Self::with_fee(order.account, value_of(order.request.price, order.open_size()));
        let surplus = order.reserved - needed;
        order.reserved = needed;
        self.ledger.release(order.paid_from, surplus);
    }

    /// Settles a trade for both orders.
    fn settle_spot(&mut self, taker: OrderId, matched: Match, now_ms: u64) {
        let Some(order) = self.spot_orders.get(&taker) else { return };
        let (symbol, side) = (order.request.symbol.clone(), order.request.side);
        let trade = self.counters.next_spot_trade();
        let public_trade = PublicTrade {
            id: trade,
            price: matched.price,
            size: matched.size,
            side,
            time_ms: now_ms,
        };
        if let Some(market) = self.spot.get_mut(&symbol) {
            market.tape.record(public_trade.clone(), matched.price * matched.size);
        }
        self.events.push(Event::SpotTrade { symbol, trade: public_trade });
        self.fill_spot(matched.maker, matched, trade, TradeRole::Maker, now_ms);
        self.fill_spot(taker, matched, trade, TradeRole::Taker, now_ms);
    }

    /// Settles one side of a trade, updates the order and reports the fill.
    fn fill_spot(&mut self, id: OrderId, matched: Match, trade: u64, role: TradeRole, now_ms: u64) {
        let Some(order) = self.spot_orders.get_mut(&id) else { return };
        let Some(rules) = self.spot.get(&order.request.symbol).map(|market| &market.rules) else {
            return;
        };
        let value = round_down(value_of(matched.price, matched.size));
        let fee = match role {
            _ if Self::is_house(order.account) => Decimal::ZERO,
            TradeRole::Maker => round_down(value * MAKER_FEE),
            TradeRole::Taker => round_down(value * TAKER_FEE),
        };
        let spent = match order.request.side {
            Side::Buy => value + fee,
            Side::Sell => matched.size,
        };
        order.reserved -= spent;
        order.filled_size += matched.size;
        order.filled_notional += matched.price * matched.size;
        order.updated_ms = now_ms;
        let is_complete =
            if order.request.kind == SpotOrderType::Market && order.request.side == Side::Buy {
                order.filled_notional == order.request.notional
            } else {
                order.open_size().is_zero()
            };
        order.state =
            if is_complete { SpotOrderState::Filled } else { SpotOrderState::PartiallyFilled };
        let unused = if is_complete { std::mem::take(&mut order.reserved) } else { Decimal::ZERO };
        let (account, request) = (order.account, &order.request);
        let paid_from = order.paid_from;
        let paid_into = if let Some(wallet) = order.paid_into {
            wallet
        } else {
            let currency = if request.side == Side::Buy { &rules.base } else { &rules.quote };
            let owner = account_entry(&mut self.accounts, account);
            *order.paid_into.insert(owner.ensure_order_wallet(&mut self.ledger, request, currency))
        };
        match request.side {
            Side::Buy => {
                self.ledger.pay_house(paid_from.frozen(), HouseBook::Clearing, value);
                self.ledger.pay_house(paid_from.frozen(), HouseBook::Fees, fee);
                self.ledger.pay_from_house(
                    HouseBook::Clearing,
                    paid_into.available(),
                    matched.size,
                );
            }
            Side::Sell => {
                self.ledger.pay_house(paid_from.frozen(), HouseBook::Clearing, matched.size);
                self.ledger.pay_from_house(HouseBook::Clearing, paid_into.available(), value);
                self.ledger.pay_house(paid_into.available(), HouseBook::Fees, fee);
            }
        }
        self.ledger.release(paid_from, unused);
        if Self::is_house(account) {
            if is_complete {
                self.spot_orders.remove(id);
            }
            return;
        }
        let (base, quote, request) = (rules.base.clone(), rules.quote.clone(), request.clone());
        let margin = request.margin;
        let fill = SpotFill {
            trade,
            order: id,
            account,
            request,
            price: matched.price,
            size: matched.size,
            fee,
            maker: role == TradeRole::Maker,
            time_ms: now_ms,
        };
        self.keep_spot_fill(fill.clone());
        if role == TradeRole::Maker && !is_complete {
            self.release_spot_surplus(id);
        }
        self.report_spot(id, Some(fill));
        if is_complete {
            self.finish_spot(account, id);
        }
        if margin {
            return;
        }
        let currencies = vec![base, quote];
        self.events.push(Event::SpotBalance { account, reason: BalanceReason::Trade, currencies });
    }

    /// Reports a change of an order of a customer.
    fn report_spot(&mut self, id: OrderId, fill: Option<SpotFill>) {
        if let Some(order) =
            self.spot_orders.get(&id).filter(|order| !Self::is_house(order.account))
        {
            let (order, fill) = (Box::new(order.clone()), fill.map(Box::new));
            self.events.push(Event::SpotOrder { order, fill });
        }
    }
}
