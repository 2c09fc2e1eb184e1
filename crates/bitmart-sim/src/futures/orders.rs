//! Futures orders: placing and canceling.

use rust_decimal::Decimal;
use smol_str::SmolStr;

use super::TAKER_FEE;
use crate::{
    AccountId, Event, Exchange, FuturesAction, OrderId,
    account::WalletKind,
    exchange::account_entry,
    futures_order::{FuturesFill, FuturesOrder, NewFuturesOrder, OrderMode, Origin},
    position::{PositionSide, round_share_down},
    reject::Reject,
    round_down,
};

/// The reservation for an order before it may trade: contracts of a position to close, and money to open.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reservation {
    /// Contracts of the opposite position.
    pub(super) closes: Decimal,
    /// Margin and fee of the other contracts, in the quote currency.
    pub(super) reserved: Decimal,
}

// Rule: An opening order freezes its value divided by its leverage, and the taker fee, at the worst price that it
// may trade at. Source: simplified (no formula is published)
/// Returns margin and fee of contracts of a value. Both are rounded down, so that the sums of the parts are not
/// larger.
fn opening_cost(request: &NewFuturesOrder, value: Decimal) -> Decimal {
    let margin = round_share_down(value / Decimal::from(request.leverage.max(1)));
    margin + round_down(value * TAKER_FEE)
}

impl Exchange {
    /// Places an order: reserves margin or contracts, matches, and rests or cancels the remainder.
    pub(crate) fn place_futures(
        &mut self,
        account: AccountId,
        mut request: NewFuturesOrder,
        now_ms: u64,
    ) -> Result<OrderId, Reject> {
        if !self.futures.contains_key(&request.symbol) {
            return Err(Reject::UnknownMarket);
        }
        let is_reserved =
            |id: &SmolStr| self.triggers.futures.is_client_order_id_reserved(account, id);
        let is_reserved = request.client_order_id.as_ref().is_some_and(is_reserved);
        let owner = self.account_mut(account);
        let one_way = owner.one_way;
        let is_used = |id: &SmolStr| owner.futures_orders.by_client_order_id(id).is_some();
        if is_reserved || request.client_order_id.as_ref().is_some_and(is_used) {
            return Err(Reject::DuplicateClientOrderId);
        }
        let rests = matches!(request.mode, OrderMode::GoodTillCanceled | OrderMode::PostOnly);
        owner.futures_orders.check_open(rests && request.price.is_some())?;
        // Rule: A closing order has the leverage and margin type of its position, whatever the request says. Source:
        // documented (endpoint futures_submit_order, its sources contradict each other about open_type)
        let closed = owner.position(&request.symbol, request.side.closed_side());
        if let Some(position) = closed.filter(|one| one.is_open() && !request.side.opens()) {
            (request.leverage, request.margin_type) = (position.leverage, position.margin_type);
        }
        let reservation = self.reserve(account, &request, request.size)?;
        let (symbol, closed_side) = (request.symbol.clone(), request.side.closed_side());
        let order = self.new_order(account, request, Origin::Customer, now_ms);
        let id = self.insert_futures_order(FuturesOrder {
            one_way,
            closes: reservation.closes,
            reserved: reservation.reserved,
            ..order
        });
        self.report_futures(id, FuturesAction::Submitted, None);
        if !reservation.closes.is_zero() {
            self.report_position(account, &symbol, closed_side);
        }
        self.match_and_rest(id, now_ms);
        Ok(id)
    }

    /// Creates an order with a new number, without a reservation.
    pub(super) fn new_order(
        &mut self,
        account: AccountId,
        request: NewFuturesOrder,
        origin: Origin,
        now_ms: u64,
    ) -> FuturesOrder {
        FuturesOrder {
            id: self.counters.next_futures_order(),
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

    // Rule: A closing order needs that many unreserved contracts of its position (40020). Source: documented (the
    // table of error codes); simplified (no source says that contracts reserved for other orders do not count)
    /// Makes the reservation for `size` contracts of an order. A closing order reserves contracts of its position
    /// (40020). In one-way mode every order first reserves what is free of the opposite position. Contracts that open
    /// a position need margin.
    pub(super) fn reserve(
        &mut self,
        account: AccountId,
        request: &NewFuturesOrder,
        size: Decimal,
    ) -> Result<Reservation, Reject> {
        if Self::is_house(account) {
            return Ok(Reservation::default());
        }
        if size <= Decimal::ZERO {
            return Err(Reject::SizeTooSmall { minimum: Decimal::ONE });
        }
        let owner = self.account_mut(account);
        let one_way = owner.one_way;
        let opposite = owner.position(&request.symbol, request.side.closed_side());
        let free = opposite.map_or(Decimal::ZERO, |position| position.size - position.closing);
        let closes = match (request.side.opens(), one_way) {
            (false, _) if free < size => return Err(Reject::PositionTooSmall),
            (false, _) => size,
            (true, true) => free.min(size),
            (true, false) => Decimal::ZERO,
        };
        let reserved = self.reserve_margin(account, request, size, size - closes)?;
        self.reserve_contracts(account, request, closes);
        Ok(Reservation { closes, reserved })
    }

    /// Reserves contracts of the opposite position for an order; a negative number frees them again.
    pub(super) fn reserve_contracts(
        &mut self,
        account: AccountId,
        request: &NewFuturesOrder,
        contracts: Decimal,
    ) {
        if !contracts.is_zero() {
            let owner = self.account_mut(account);
            owner.position_mut(&request.symbol, request.side.closed_side()).closing += contracts;
        }
    }

    /// Freezes margin and fee of those contracts of an order that open, at the worst price at which it may trade.
    /// `size` is the unfilled size, which decides how far it may walk the book.
    pub(super) fn reserve_margin(
        &mut self,
        account: AccountId,
        request: &NewFuturesOrder,
        size: Decimal,
        opening: Decimal,
    ) -> Result<Decimal, Reject> {
        let Some(market) = self.futures.get(&request.symbol) else {
            return Err(Reject::UnknownMarket);
        };
        let highest_match =
            market.book.highest_match_price(request.side.book_side(), request.price, size, account);
        let worst = request.price.into_iter().chain(highest_match).max().unwrap_or_default();
        // Checked for orders that close as well: their trades must have a value.
        let coins = size * market.rules.contract_size;
        let maximum = market.rules.max_volume;
        let out_of_range = Reject::SizeOutOfRange { minimum: Decimal::ONE, maximum };
        coins.checked_mul(worst).ok_or(out_of_range)?;
        if opening.is_zero() {
            return Ok(Decimal::ZERO);
        }
        let value = market.value(opening, worst);
        let quote = market.rules.quote.clone();
        self.check_leverage(account, request, value)?;
        let amount = opening_cost(request, value);
        self.freeze_margin(account, &quote, amount, request.margin_type)?;
        Ok(amount)
    }

    /// Releases the margin of a resting order that its unfilled part does not need at its price.
    pub(super) fn release_surplus(&mut self, id: OrderId) {
        let Some(order) = self.futures_orders.get_mut(&id) else { return };
        let Some(market) = self.futures.get(&order.request.symbol) else { return };
        let opening = order.left() - order.closes;
        let value = market.value(opening, order.request.price.unwrap_or_default());
        let needed = if opening.is_zero() { opening } else { opening_cost(&order.request, value) };
        let surplus = order.reserved - needed;
        if surplus > Decimal::ZERO {
            order.reserved = needed;
            let owner = account_entry(&mut self.accounts, order.account);
            let wallet =
                owner.ensure_wallet(&mut self.ledger, WalletKind::Futures, &market.rules.quote);
            self.ledger.release(wallet, surplus);
        }
    }

    /// Releases the reservation of an order.
    pub(super) fn release_reservation(&mut self, id: OrderId) {
        let Some(order) = self.futures_orders.get_mut(&id) else { return };
        let (closes, reserved) =
            (std::mem::take(&mut order.closes), std::mem::take(&mut order.reserved));
        let (account, request) = (order.account, order.request.clone());
        if Self::is_house(account) {
            return;
        }
        let Some(market) = self.futures.get(&request.symbol) else { return };
        let owner = account_entry(&mut self.accounts, account);
        let wallet =
            owner.ensure_wallet(&mut self.ledger, WalletKind::Futures, &market.rules.quote);
        self.ledger.release(wallet, reserved);
        self.reserve_contracts(account, &request, -closes);
    }

    /// Stores a new order and adds it to those of its account.
    pub(super) fn insert_futures_order(&mut self, order: FuturesOrder) -> OrderId {
        let id = order.id;
        let owner = self.account_mut(order.account);
        if !owner.house {
            owner.futures_orders.add(id, order.request.client_order_id.as_ref());
        }
        self.futures_orders.insert(id, order);
        id
    }

    /// Marks an order as finished, and removes the oldest finished one beyond the history limit.
    pub(super) fn finish_futures(&mut self, account: AccountId, id: OrderId) {
        let history_limit = self.history_limit;
        let oldest = self.account_mut(account).futures_orders.finish(id, history_limit);
        let Some(oldest) = oldest else { return };
        if let Some(removed) = self.futures_orders.remove(oldest) {
            self.account_mut(account)
                .futures_orders
                .forget_client_order_id(removed.request.client_order_id.as_ref());
        }
    }

    /// Ends an order that is not (or no longer) in the book.
    pub(super) fn end_futures(&mut self, id: OrderId, reason: FuturesAction, now_ms: u64) {
        let Some(order) = self.futures_orders.get_mut(&id).filter(|order| order.open) else {
            return;
        };
        order.open = false;
        order.updated_ms = now_ms;
        let (account, closes) = (order.account, order.closes);
        let (symbol, closed_side) =
            (order.request.symbol.clone(), order.request.side.closed_side());
        self.release_reservation(id);
        self.cover_deficit(account, &symbol, now_ms);
        self.report_futures(id, reason, None);
        if !closes.is_zero() {
            self.report_position(account, &symbol, closed_side);
        }
        self.finish_futures(account, id);
    }

    /// Removes an open order from the book and ends it.
    pub(super) fn remove_futures(&mut self, id: OrderId, reason: FuturesAction, now_ms: u64) {
        self.remove_from_book(id);
        self.end_futures(id, reason, now_ms);
        self.forget_house_orders(id, &[]);
    }

    pub(super) fn remove_from_book(&mut self, id: OrderId) {
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
        self.remove_futures(id, FuturesAction::Canceled, now_ms);
        Ok(())
    }

    /// Returns an open order of an account.
    pub(crate) fn own_open_order(
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
        reason: FuturesAction,
        now_ms: u64,
    ) {
        let Some(owner) = self.accounts.get(&account) else { return };
        let open = owner.futures_orders.open().iter().rev();
        let open = open.filter_map(|id| self.futures_orders.get(id));
        let open = open.filter(|order| symbol.is_none_or(|symbol| order.request.symbol == symbol));
        let open: Vec<OrderId> = open.map(|order| order.id).collect();
        for id in open {
            self.remove_futures(id, reason, now_ms);
        }
    }

    /// Returns the open and kept futures orders of an account, newest first.
    pub fn futures_orders_of(&self, account: AccountId) -> impl Iterator<Item = &FuturesOrder> {
        self.accounts
            .get(&account)
            .into_iter()
            .flat_map(|account| account.futures_orders.all().into_iter().rev())
            .filter_map(|id| self.futures_orders.get(&id))
    }

    /// Reports a change of an order, and of the wallet that pays it.
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

    /// Reports a change of the long or the short position of an account in a contract.
    pub(super) fn report_position(
        &mut self,
        account: AccountId,
        symbol: &SmolStr,
        side: PositionSide,
    ) {
        let symbol = symbol.clone();
        self.events.push(Event::FuturesPosition { account, symbol, side });
    }
}
