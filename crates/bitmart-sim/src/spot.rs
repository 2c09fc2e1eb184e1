//! The spot market: placing, matching, settling and cancelling orders.
//!
//! The fee of both sides is taken in the quote currency, as BitMart's trade samples show. A buy
//! freezes its fee with its price, so that a fill can never make a balance negative.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, BalanceReason, DECIMALS, Event, Exchange, OrderId,
    book::{Book, Match, SelfTrade, Side, Want},
    cut, keep_latest,
    ledger::House,
    next,
    order::{CancelSource, Kind, NewSpotOrder, SpotFill, SpotOrder, State},
    owner,
    reject::{Reject, Source},
    sane,
    tape::{PublicTrade, Tape},
};
use crate::markets::SpotPair;

// Rule: Taker and maker pay 0.1 % of the value of a spot trade, in the quote currency. Source: documented (class A
// of endpoint account_fee_rates, and the fee of a buy in the sample of endpoint spot_order_trades for the
// currency); simplified (two sample trades charge 0.1 and 0.25 %, and here every pair is of class A)
/// Fee of the order that took, as a ratio of the value: 0.1 %, the lowest class of the fee table BitMart publishes.
pub const TAKER_FEE: Decimal = Decimal::from_parts(1, 0, 0, false, 3);
/// Fee of the order that rested, as a ratio of the value: 0.1 %.
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

/// One pair: rules, book, tape.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SpotMarket {
    /// What is fixed for this pair.
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
            start_price: sane(pair.start_price, price_decimals),
        };
        Self { rules, book: Book::default(), tape: Tape::default() }
    }

    /// Returns the latest price of the tape; the initial price before there was one.
    pub fn last_price(&self) -> Decimal {
        self.tape.last_price().unwrap_or(self.rules.start_price)
    }
}

impl Exchange {
    // Rule: A buy freezes its highest cost with its fee, a sell its size. Source: simplified (the samples show
    // the sums, not how they are made)
    /// Places an order: freezes its money, trades what can trade, and rests or ends the remainder.
    pub(crate) fn place_spot(
        &mut self,
        account: AccountId,
        request: NewSpotOrder,
        now_ms: u64,
    ) -> Result<OrderId, Reject> {
        let rules = &self.spot.get(&request.symbol).ok_or(Reject::UnknownMarket)?.rules;
        let (currency, reserved) = match (request.side, request.kind) {
            (Side::Sell, _) => (&rules.base, request.size),
            (Side::Buy, Kind::Market) => (&rules.quote, Self::with_fee(account, request.notional)),
            (Side::Buy, _) => (&rules.quote, Self::with_fee(account, request.price * request.size)),
        };
        let owner = owner(&mut self.accounts, account);
        // Rule: A client order id names one order of an account and market, as long as that is remembered or
        // waits. Source: documented (the table of error codes); simplified (for how long)
        if let Some(id) = &request.client_id
            && (owner.spot_orders.by_client_id(id).is_some()
                || self.triggers.spot.will_use(account, id))
        {
            return Err(Reject::DuplicateClientOrderId);
        }
        let paying = owner.paying(&request, currency);
        let Some(wallet) = paying.filter(|wallet| self.ledger.freeze(*wallet, reserved)) else {
            let source = if request.margin { Source::Margin } else { Source::Spot };
            let free = paying.map_or(Decimal::ZERO, |one| self.ledger.amount(one.available()));
            return Err(Reject::insufficient(source, currency, free, reserved));
        };
        let id = OrderId(next(&mut self.counters.spot_order));
        if !owner.house {
            owner.spot_orders.add(id, request.client_id.as_ref());
        }
        let order = SpotOrder {
            id,
            account,
            request,
            filled_size: Decimal::ZERO,
            filled_notional: Decimal::ZERO,
            reserved,
            state: State::New,
            cancel_source: None,
            created_ms: now_ms,
            updated_ms: now_ms,
            paid_from: wallet,
            paid_into: None,
        };
        self.spot_orders.insert(id, order);
        self.report_spot(id, None);
        self.run_spot(id, now_ms);
        Ok(id)
    }

    /// Notes that an order is done, and forgets the oldest finished one when there are too many.
    fn finish_spot(&mut self, account: AccountId, id: OrderId) {
        let remembered = self.remembered;
        let oldest = self.account_mut(account).spot_orders.finish(id, remembered);
        let Some(oldest) = oldest else { return };
        self.spot_trades.remove(&oldest);
        if let Some(gone) = self.spot_orders.remove(oldest) {
            self.account_mut(account).spot_orders.forget_client_id(gone.request.client_id.as_ref());
        }
    }

    /// The remembered trades of an order, oldest first.
    pub fn spot_fills_of(&self, id: OrderId) -> impl Iterator<Item = &SpotFill> {
        self.spot_trades.get(&id).into_iter().flatten().filter_map(move |trade| {
            let from = self.spot_fills.partition_point(|fill| fill.trade < *trade);
            let both_sides = self.spot_fills.range(from..).take_while(|fill| fill.trade == *trade);
            both_sides.into_iter().find(|fill| fill.order == id)
        })
    }

    fn run_spot(&mut self, id: OrderId, now_ms: u64) {
        let Some(order) = self.spot_orders.get(&id) else { return };
        let (account, request) = (order.account, &order.request);
        let (side, kind, price) = (request.side, request.kind, request.price);
        let Some(market) = self.spot.get_mut(&request.symbol) else { return };
        // Rule: A limit_maker order that would take, or is below the smallest value, is accepted and then
        // cancelled by the system. Source: documented (endpoint spot_submit_order, for one that would take);
        // simplified (for one below the smallest value)
        // BitMart cancels such an order after accepting it, without an error (endpoint v2/submit_order).
        if kind == Kind::LimitMaker
            && (price * request.size < market.rules.min_notional
                || market.book.would_take(side, price))
        {
            return self.end_spot(id, CancelSource::System, now_ms);
        }
        let limit = (kind != Kind::Market).then_some(price);
        let want = if kind == Kind::Market && side == Side::Buy {
            Want::Notional { amount: request.notional, lot: market.rules.lot }
        } else {
            Want::Size(request.size)
        };
        let policy = request.stp.unwrap_or(SelfTrade::Allow);
        let taken = market.book.take(side, limit, want, account, policy);
        let left = taken.left > Decimal::ZERO && !taken.stopped;
        let rests = left && matches!(kind, Kind::Limit | Kind::LimitMaker);
        if rests {
            market.book.rest(side, price, id, account, taken.left);
        }
        for one in &taken.matches {
            self.settle_spot(id, *one, now_ms);
        }
        for removed in taken.removed {
            self.end_spot(removed, CancelSource::SelfTrade, now_ms);
        }
        if taken.stopped {
            self.end_spot(id, CancelSource::SelfTrade, now_ms);
        } else if rests && !taken.matches.is_empty() {
            self.release_spot_surplus(id);
        } else if left && !rests {
            self.end_spot(id, CancelSource::System, now_ms);
        }
    }

    /// What a buy of this value freezes: its fee goes with it.
    pub(super) fn with_fee(account: AccountId, value: Decimal) -> Decimal {
        let rate = if Self::is_house(account) { Decimal::ZERO } else { TAKER_FEE };
        value + value * rate
    }

    // Rule: What a better price saved is free at once. Source: simplified (no source says when)
    /// Gives back what a buy had frozen for its limit price and got cheaper.
    fn release_spot_surplus(&mut self, id: OrderId) {
        let Some(order) = self.spot_orders.get_mut(&id) else { return };
        if order.request.side == Side::Sell || order.filled_size.is_zero() {
            return;
        }
        let needed = Self::with_fee(order.account, order.open_size() * order.request.price);
        let surplus = order.reserved - needed;
        order.reserved = needed;
        self.ledger.release(order.paid_from, surplus);
    }

    fn settle_spot(&mut self, taker: OrderId, one: Match, now_ms: u64) {
        let Some(order) = self.spot_orders.get(&taker) else { return };
        let (symbol, side) = (order.request.symbol.clone(), order.request.side);
        let trade = next(&mut self.counters.spot_trade);
        let public =
            PublicTrade { id: trade, price: one.price, size: one.size, side, time_ms: now_ms };
        if let Some(market) = self.spot.get_mut(&symbol) {
            market.tape.record(public.clone(), one.price * one.size);
        }
        self.events.push(Event::SpotTrade { symbol, trade: public });
        self.fill_spot(one.maker, one, trade, true, now_ms);
        self.fill_spot(taker, one, trade, false, now_ms);
    }

    /// Books one side of a trade: money, order, report.
    fn fill_spot(&mut self, id: OrderId, one: Match, trade: u64, maker: bool, now_ms: u64) {
        let Some(order) = self.spot_orders.get_mut(&id) else { return };
        let Some(rules) = self.spot.get(&order.request.symbol).map(|market| &market.rules) else {
            return;
        };
        let value = one.price * one.size;
        let fee = match (Self::is_house(order.account), maker) {
            (true, _) => Decimal::ZERO,
            (false, true) => cut(value * MAKER_FEE),
            (false, false) => cut(value * TAKER_FEE),
        };
        let spent = match order.request.side {
            Side::Buy => value + fee,
            Side::Sell => one.size,
        };
        order.reserved -= spent;
        order.filled_size += one.size;
        order.filled_notional += value;
        order.updated_ms = now_ms;
        let complete = if order.request.kind == Kind::Market && order.request.side == Side::Buy {
            order.filled_notional == order.request.notional
        } else {
            order.open_size().is_zero()
        };
        order.state = if complete { State::Filled } else { State::PartiallyFilled };
        let rest = if complete { std::mem::take(&mut order.reserved) } else { Decimal::ZERO };
        let (account, request) = (order.account, &order.request);
        let paid_from = order.paid_from;
        let paid_into = if let Some(wallet) = order.paid_into {
            wallet
        } else {
            let currency = if request.side == Side::Buy { &rules.base } else { &rules.quote };
            let owner = owner(&mut self.accounts, account);
            *order.paid_into.insert(owner.trading(&mut self.ledger, request, currency))
        };
        match request.side {
            Side::Buy => {
                self.ledger.pay(paid_from.frozen(), House::Clearing, value);
                self.ledger.pay(paid_from.frozen(), House::Fees, fee);
                self.ledger.draw(House::Clearing, paid_into.available(), one.size);
            }
            Side::Sell => {
                self.ledger.pay(paid_from.frozen(), House::Clearing, one.size);
                self.ledger.draw(House::Clearing, paid_into.available(), value);
                self.ledger.pay(paid_into.available(), House::Fees, fee);
            }
        }
        self.ledger.release(paid_from, rest);
        if Self::is_house(account) {
            if complete {
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
            price: one.price,
            size: one.size,
            fee,
            maker,
            time_ms: now_ms,
        };
        keep_latest(&mut self.spot_fills, fill.clone(), self.remembered);
        self.spot_trades.entry(id).or_default().push(trade);
        if maker && !complete {
            self.release_spot_surplus(id);
        }
        self.report_spot(id, Some(fill));
        if complete {
            self.finish_spot(account, id);
        }
        if margin {
            return;
        }
        let currencies = vec![base, quote];
        self.events.push(Event::SpotBalance { account, reason: BalanceReason::Trade, currencies });
    }

    /// Ends an open order and gives back what it froze. The caller has taken it out of the book,
    /// or it never was there. Finished orders of the house are not kept.
    fn end_spot(&mut self, id: OrderId, source: CancelSource, now_ms: u64) {
        let Some(order) = self.spot_orders.get_mut(&id).filter(|order| order.state.is_open())
        else {
            return;
        };
        order.state = order.ended();
        order.cancel_source = Some(source);
        order.updated_ms = now_ms;
        let rest = std::mem::take(&mut order.reserved);
        let account = order.account;
        self.ledger.release(order.paid_from, rest);
        if Self::is_house(account) {
            self.spot_orders.remove(id);
            return;
        }
        self.report_spot(id, None);
        self.finish_spot(account, id);
    }

    // Rule: An order that has ended cannot be cancelled; the spot endpoint reports `result: false`. Source:
    // documented (endpoint spot_cancel_order)
    /// Cancels an open order of `account`.
    pub(crate) fn cancel_spot(
        &mut self,
        account: AccountId,
        id: OrderId,
        now_ms: u64,
    ) -> Result<(), Reject> {
        let order = self
            .spot_orders
            .get(&id)
            .filter(|order| order.account == account)
            .ok_or(Reject::UnknownOrder)?;
        if !order.state.is_open() {
            return Err(Reject::OrderNotOpen);
        }
        self.take_back_spot(id, CancelSource::User, now_ms);
        Ok(())
    }

    /// Cancels the open orders of an account, of one pair or side when it is named, oldest first.
    pub(crate) fn cancel_all_spot(
        &mut self,
        account: AccountId,
        symbol: Option<&str>,
        side: Option<Side>,
        now_ms: u64,
    ) {
        let open = self.account(account).map(|owner| &owner.spot_orders.open);
        let open = open.into_iter().flatten().filter_map(|id| self.spot_orders.get(id));
        let wanted = open.filter(|order| {
            symbol.is_none_or(|symbol| order.request.symbol == symbol)
                && side.is_none_or(|side| order.request.side == side)
        });
        for id in wanted.map(|order| order.id).collect::<Vec<_>>() {
            self.take_back_spot(id, CancelSource::User, now_ms);
        }
    }

    /// Takes an open order out of its book and ends it.
    pub(super) fn take_back_spot(&mut self, id: OrderId, source: CancelSource, now_ms: u64) {
        let Some(order) = self.spot_orders.get(&id) else { return };
        if let Some(market) = self.spot.get_mut(&order.request.symbol) {
            market.book.remove(id);
        }
        self.end_spot(id, source, now_ms);
    }

    fn report_spot(&mut self, id: OrderId, fill: Option<SpotFill>) {
        if let Some(order) =
            self.spot_orders.get(&id).filter(|order| !Self::is_house(order.account))
        {
            let (order, fill) = (Box::new(order.clone()), fill.map(Box::new));
            self.events.push(Event::SpotOrder { order, fill });
        }
    }
}
