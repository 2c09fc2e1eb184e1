//! The life of a futures order: placed, matched, rested, cancelled.

use rust_decimal::Decimal;
use smol_str::SmolStr;

use super::TAKER_FEE;
use crate::{
    AccountId, Event, Exchange, FuturesAction, OrderId,
    account::Purse,
    book::{Match, Want},
    cut,
    exchange::owner,
    futures_order::{FuturesFill, FuturesOrder, Mode, NewFuturesOrder, Origin},
    next,
    position::share,
    reject::Reject,
};

/// What an order is given before it may trade: contracts to close, and money to open with.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bound {
    pub(super) closes: Decimal,
    pub(super) reserved: Decimal,
}

// Rule: An order that opens holds its value by its leverage, and the taker fee, at the worst price that it may
// trade at. Source: simplified (no formula is published)
/// Margin and fee of contracts of this value. Both are cut, so that those of its parts are no more.
fn to_open(request: &NewFuturesOrder, value: Decimal) -> Decimal {
    let margin = share(value / Decimal::from(request.leverage.max(1)));
    margin + cut(value * TAKER_FEE)
}

impl Exchange {
    /// Places an order: takes margin or position, trades, and rests or ends the remainder.
    pub(crate) fn place_futures(
        &mut self,
        account: AccountId,
        mut request: NewFuturesOrder,
        now_ms: u64,
    ) -> Result<OrderId, Reject> {
        if !self.futures.contains_key(&request.symbol) {
            return Err(Reject::UnknownMarket);
        }
        let waits = |id: &SmolStr| self.triggers.futures.will_use(account, id);
        let is_waiting = request.client_id.as_ref().is_some_and(waits);
        let owner = self.account_mut(account);
        let one_way = owner.one_way;
        let taken = |id: &SmolStr| owner.futures_orders.by_client_id(id).is_some();
        if is_waiting || request.client_id.as_ref().is_some_and(taken) {
            return Err(Reject::DuplicateClientOrderId);
        }
        // Rule: A closing order has leverage and margin mode of its position, whatever it says. Source: documented
        // (endpoint futures_submit_order, its sources contradict each other about open_type)
        let closed = owner.position(&request.symbol, !request.side.buys());
        if let Some(position) = closed.filter(|one| one.is_open() && !request.side.opens()) {
            // What a closing order says of them does not count (endpoint futures/submit-order).
            (request.leverage, request.isolated) = (position.leverage, position.isolated);
        }
        let bound = self.bind(account, &request, request.size)?;
        let (symbol, buys) = (request.symbol.clone(), request.side.buys());
        let order = self.new_order(account, request, Origin::Customer, now_ms);
        let id = self.remember_futures(FuturesOrder {
            one_way,
            closes: bound.closes,
            reserved: bound.reserved,
            ..order
        });
        self.report_futures(id, FuturesAction::Submitted, None);
        if !bound.closes.is_zero() {
            self.report_position(account, &symbol, !buys);
        }
        self.run_futures(id, now_ms);
        Ok(id)
    }

    pub(super) fn new_order(
        &mut self,
        account: AccountId,
        request: NewFuturesOrder,
        origin: Origin,
        now_ms: u64,
    ) -> FuturesOrder {
        FuturesOrder {
            id: OrderId(next(&mut self.counters.futures_order)),
            account,
            request,
            origin,
            one_way: self.account_mut(account).one_way,
            closes: Decimal::ZERO,
            filled: Decimal::ZERO,
            filled_value: Decimal::ZERO,
            reserved: Decimal::ZERO,
            open: true,
            created_ms: now_ms,
            updated_ms: now_ms,
        }
    }

    // Rule: A closing order takes its contracts from what is free of its position (40020). Source: documented (the
    // table of error codes); simplified (no source says that contracts promised to other orders do not count)
    /// Takes what `size` contracts of an order need. A closing order takes them from the position
    /// (40020); in one-way mode every order takes what is free of the opposite position first. The rest
    /// is to open, and takes money.
    pub(super) fn bind(
        &mut self,
        account: AccountId,
        request: &NewFuturesOrder,
        size: Decimal,
    ) -> Result<Bound, Reject> {
        if Self::is_house(account) {
            return Ok(Bound::default());
        }
        let owner = self.account_mut(account);
        let one_way = owner.one_way;
        let opposite = owner.position(&request.symbol, !request.side.buys());
        let free = opposite.map_or(Decimal::ZERO, |position| position.size - position.closing);
        let closes = match (request.side.opens(), one_way) {
            (false, _) if free < size => return Err(Reject::PositionTooSmall),
            (false, _) => size,
            (true, true) => free.min(size),
            (true, false) => Decimal::ZERO,
        };
        let reserved = self.reserve(account, request, size, size - closes)?;
        self.promise(account, request, closes);
        Ok(Bound { closes, reserved })
    }

    /// Promises contracts of the opposite position to an order; below zero they become free.
    pub(super) fn promise(
        &mut self,
        account: AccountId,
        request: &NewFuturesOrder,
        contracts: Decimal,
    ) {
        if !contracts.is_zero() {
            let owner = self.account_mut(account);
            owner.position_mut(&request.symbol, !request.side.buys()).closing += contracts;
        }
    }

    /// Holds margin and fee of the contracts of an order that open, at the worst price it may trade at.
    pub(super) fn reserve(
        &mut self,
        account: AccountId,
        request: &NewFuturesOrder,
        size: Decimal,
        opened: Decimal,
    ) -> Result<Decimal, Reject> {
        let Some(market) = self.futures.get(&request.symbol) else {
            return Err(Reject::UnknownMarket);
        };
        if opened.is_zero() {
            return Ok(Decimal::ZERO);
        }
        let reached =
            market.book.highest_reached(request.side.book(), request.price, size, account);
        let worst = request.price.into_iter().chain(reached).max().unwrap_or_default();
        let coins = opened * market.rules.contract_size;
        let maximum = market.rules.max_volume;
        let out_of_range = Reject::SizeOutOfRange { minimum: Decimal::ONE, maximum };
        let value = coins.checked_mul(worst).ok_or(out_of_range)?;
        let quote = market.rules.quote.clone();
        self.check_leverage(account, request, value)?;
        let amount = to_open(request, value);
        self.hold(account, &quote, amount, request.isolated)?;
        Ok(amount)
    }

    /// Gives back what an order in the book holds beyond what the rest of it can need at its price.
    pub(super) fn release_surplus(&mut self, id: OrderId) {
        let Some(order) = self.futures_orders.get_mut(&id) else { return };
        let Some(market) = self.futures.get(&order.request.symbol) else { return };
        let opened = order.left() - order.closes;
        let value = market.value(opened, order.request.price.unwrap_or_default());
        let needed = if opened.is_zero() { opened } else { to_open(&order.request, value) };
        let surplus = order.reserved - needed;
        if surplus > Decimal::ZERO {
            order.reserved = needed;
            let owner = owner(&mut self.accounts, order.account);
            let wallet = owner.purse(&mut self.ledger, Purse::Futures, &market.rules.quote);
            self.ledger.release(wallet, surplus);
        }
    }

    /// Gives back what an order still holds.
    pub(super) fn unbind(&mut self, id: OrderId) {
        let Some(order) = self.futures_orders.get_mut(&id) else { return };
        let (closes, reserved) =
            (std::mem::take(&mut order.closes), std::mem::take(&mut order.reserved));
        let (account, request) = (order.account, order.request.clone());
        if Self::is_house(account) {
            return;
        }
        let Some(market) = self.futures.get(&request.symbol) else { return };
        let owner = owner(&mut self.accounts, account);
        let wallet = owner.purse(&mut self.ledger, Purse::Futures, &market.rules.quote);
        self.ledger.release(wallet, reserved);
        self.promise(account, &request, -closes);
    }

    pub(super) fn remember_futures(&mut self, order: FuturesOrder) -> OrderId {
        let id = order.id;
        let owner = self.account_mut(order.account);
        if !owner.house {
            owner.futures_orders.add(id, order.request.client_id.as_ref());
        }
        self.futures_orders.insert(id, order);
        id
    }

    /// Notes that an order is done, and forgets the oldest finished one when there are too many.
    pub(super) fn finish_futures(&mut self, account: AccountId, id: OrderId) {
        let remembered = self.remembered;
        let oldest = self.account_mut(account).futures_orders.finish(id, remembered);
        let Some(oldest) = oldest else { return };
        if let Some(gone) = self.futures_orders.remove(oldest) {
            self.account_mut(account)
                .futures_orders
                .forget_client_id(gone.request.client_id.as_ref());
        }
    }

    /// Matches what is left of an order, then rests or ends the remainder.
    pub(super) fn run_futures(&mut self, id: OrderId, now_ms: u64) {
        let Some(order) = self.futures_orders.get(&id) else { return };
        let request = order.request.clone();
        if self.is_turned_away(order) {
            if let Some(own) = self.cancelled_with(order) {
                self.withdraw_futures(own, FuturesAction::Cancelled, now_ms);
            }
            return self.end_futures(id, FuturesAction::Cancelled, now_ms);
        }
        let (stopped, matches) = self.match_futures(id, &request, now_ms);
        let left = self.futures_orders.get(&id).map_or(Decimal::ZERO, FuturesOrder::left);
        if left > Decimal::ZERO {
            let rests = matches!(request.mode, Mode::GoodTilCancelled | Mode::MakerOnly);
            match request.price.filter(|_| rests && !stopped) {
                Some(price) => {
                    self.rest_futures(id, price, left);
                    self.release_surplus(id);
                }
                None => self.end_futures(id, FuturesAction::Cancelled, now_ms),
            }
        }
        self.sweep_futures(id, &matches);
    }

    pub(super) fn rest_futures(&mut self, id: OrderId, price: Decimal, left: Decimal) {
        let Some(order) = self.futures_orders.get(&id) else { return };
        if let Some(market) = self.futures.get_mut(&order.request.symbol) {
            market.book.rest(order.request.side.book(), price, id, order.account, left);
        }
    }

    /// Takes from the book until nothing fits any more. Says whether self-trade prevention stopped it.
    fn match_futures(
        &mut self,
        id: OrderId,
        request: &NewFuturesOrder,
        now_ms: u64,
    ) -> (bool, Vec<Match>) {
        let mut all = Vec::new();
        loop {
            let Some(order) = self.futures_orders.get(&id) else { return (true, all) };
            let (account, want) = (order.account, Want::Size(order.left()));
            let Some(market) = self.futures.get_mut(&request.symbol) else { return (true, all) };
            let side = request.side.book();
            let taken = market.book.take(side, request.price, want, account, request.stp);
            // A maker may lose the position that it was to close to an earlier match of this very order: if
            // it cannot open instead, it is cancelled, and the taker tries again for what it did not get. A
            // market order does not: it holds no money for prices beyond those that it saw.
            let mut again = false;
            for one in &taken.matches {
                again |= !self.settle_futures(id, *one, now_ms);
            }
            for removed in taken.removed {
                self.end_futures(removed, FuturesAction::Cancelled, now_ms);
            }
            all.extend(taken.matches);
            if !again || taken.stopped || request.price.is_none() {
                return (taken.stopped, all);
            }
        }
    }

    /// Forgets finished orders of the house.
    fn sweep_futures(&mut self, taker: OrderId, matches: &[Match]) {
        for id in matches.iter().map(|one| one.maker).chain([taker]) {
            let order = self.futures_orders.get(&id);
            if order.is_some_and(|order| Self::is_house(order.account) && !order.open) {
                self.futures_orders.remove(id);
            }
        }
    }

    /// Ends an order that is not in the book.
    pub(super) fn end_futures(&mut self, id: OrderId, why: FuturesAction, now_ms: u64) {
        let Some(order) = self.futures_orders.get_mut(&id).filter(|order| order.open) else {
            return;
        };
        order.open = false;
        order.updated_ms = now_ms;
        let (account, closes) = (order.account, order.closes);
        let (symbol, buys) = (order.request.symbol.clone(), order.request.side.buys());
        self.unbind(id);
        self.make_good(account, &symbol, now_ms);
        self.report_futures(id, why, None);
        if !closes.is_zero() {
            self.report_position(account, &symbol, !buys);
        }
        self.finish_futures(account, id);
    }

    /// Takes an open order out of the book and ends it.
    pub(super) fn withdraw_futures(&mut self, id: OrderId, why: FuturesAction, now_ms: u64) {
        self.unrest_futures(id);
        self.end_futures(id, why, now_ms);
        self.sweep_futures(id, &[]);
    }

    pub(super) fn unrest_futures(&mut self, id: OrderId) {
        let Some(order) = self.futures_orders.get(&id) else { return };
        if let Some(market) = self.futures.get_mut(&order.request.symbol) {
            market.book.remove(id);
        }
    }

    /// Cancels an open order of `account`.
    pub(crate) fn cancel_futures(
        &mut self,
        account: AccountId,
        id: OrderId,
        now_ms: u64,
    ) -> Result<(), Reject> {
        self.own_open_order(account, id)?;
        self.withdraw_futures(id, FuturesAction::Cancelled, now_ms);
        Ok(())
    }

    pub(super) fn own_open_order(
        &self,
        account: AccountId,
        id: OrderId,
    ) -> Result<&FuturesOrder, Reject> {
        let order = self.futures_orders.get(&id).filter(|order| order.account == account);
        // Rule: An order of another account is as unknown as one that never was. Source: simplified (no source
        // says it)
        let order = order.ok_or(Reject::UnknownOrder)?;
        if order.open { Ok(order) } else { Err(Reject::OrderNotOpen) }
    }

    /// Cancels the open orders of an account, in one contract or in all.
    pub(crate) fn cancel_all_futures(
        &mut self,
        account: AccountId,
        symbol: Option<&str>,
        why: FuturesAction,
        now_ms: u64,
    ) {
        let Some(owner) = self.accounts.get(&account) else { return };
        let open = owner.futures_orders.open.iter().rev();
        let open = open.filter_map(|id| self.futures_orders.get(id));
        let open = open.filter(|order| symbol.is_none_or(|symbol| order.request.symbol == symbol));
        let open: Vec<OrderId> = open.map(|order| order.id).collect();
        for id in open {
            self.withdraw_futures(id, why, now_ms);
        }
    }

    /// The remembered futures orders of an account, newest first.
    pub fn futures_orders_of(&self, account: AccountId) -> impl Iterator<Item = &FuturesOrder> {
        self.accounts
            .get(&account)
            .into_iter()
            .flat_map(|account| account.futures_orders.all().into_iter().rev())
            .filter_map(|id| self.futures_orders.get(&id))
    }

    /// Tells of an order, and of the money that it froze or gave back.
    pub(super) fn report_futures(
        &mut self,
        id: OrderId,
        action: FuturesAction,
        fill: Option<FuturesFill>,
    ) {
        let Some(order) = self.futures_orders.get(&id) else { return };
        let account = order.account;
        let Some(market) = self.futures.get(&order.request.symbol) else { return };
        if !Self::is_house(account) {
            let currency = market.rules.quote.clone();
            let (order, fill) = (Box::new(order.clone()), fill.map(Box::new));
            self.events.push(Event::FuturesOrder { order, action, fill });
            self.events.push(Event::FuturesAsset { account, currency });
        }
    }

    pub(super) fn report_position(&mut self, account: AccountId, symbol: &SmolStr, long: bool) {
        let symbol = symbol.clone();
        self.events.push(Event::FuturesPosition { account, symbol, long });
    }
}
