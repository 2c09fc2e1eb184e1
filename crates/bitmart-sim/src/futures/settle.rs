//! Trades: who gets and pays what.

use rust_decimal::Decimal;
use smol_str::SmolStr;

use super::{MAKER_FEE, TAKER_FEE, flows::FlowKind};
use crate::{
    AccountId, Event, Exchange, FuturesAction, OrderId,
    account::Purse,
    book::{Match, Side},
    cut,
    exchange::owner,
    futures_order::{FuturesFill, FuturesOrder, Origin},
    keep_latest,
    ledger::House,
    next,
    position::share,
    tape::PublicTrade,
};

/// One side of a trade, on its way through the positions and the wallet of its owner.
#[derive(Debug, Clone)]
struct Fill {
    account: AccountId,
    symbol: SmolStr,
    quote: SmolStr,
    contract_size: Decimal,
    buys: bool,
    leverage: u32,
    isolated: bool,
    price: Decimal,
    fee_rate: Decimal,
    now_ms: u64,
}

impl Fill {
    fn value(&self, contracts: Decimal) -> Decimal {
        self.price * contracts * self.contract_size
    }
}

impl Exchange {
    /// Settles a trade of both its orders. False when the maker is gone.
    pub(super) fn settle_futures(&mut self, taker: OrderId, one: Match, now_ms: u64) -> bool {
        let Some(order) = self.futures_orders.get(&taker) else { return false };
        if self.futures_orders.get(&one.maker).is_none_or(|maker| !maker.open) {
            return false;
        }
        let (symbol, side) = (order.request.symbol.clone(), order.request.side.book());
        let trade = next(&mut self.counters.futures_trade);
        let public =
            PublicTrade { id: trade, price: one.price, size: one.size, side, time_ms: now_ms };
        if let Some(market) = self.futures.get_mut(&symbol) {
            market.tape.record(public.clone(), one.price * one.size * market.rules.contract_size);
        }
        self.events.push(Event::FuturesTrade { symbol, trade: public });
        self.fill_futures(one.maker, one, trade, true, now_ms);
        self.fill_futures(taker, one, trade, false, now_ms);
        true
    }

    /// Fills an order: it closes what it is to close, and opens with the rest.
    pub(super) fn fill_futures(
        &mut self,
        id: OrderId,
        one: Match,
        trade: u64,
        maker: bool,
        now_ms: u64,
    ) {
        let Some(order) = self.futures_orders.get_mut(&id) else { return };
        let Some(market) = self.futures.get(&order.request.symbol) else { return };
        order.filled += one.size;
        order.filled_value += one.price * one.size;
        order.updated_ms = now_ms;
        order.open = order.filled < order.request.size;
        let request = &order.request;
        let fill = Fill {
            account: order.account,
            symbol: request.symbol.clone(),
            quote: market.rules.quote.clone(),
            contract_size: market.rules.contract_size,
            buys: request.side.buys(),
            leverage: request.leverage,
            isolated: request.isolated,
            price: one.price,
            fee_rate: if maker { MAKER_FEE } else { TAKER_FEE },
            now_ms,
        };
        if Self::is_house(order.account) {
            return self.fill_house(&fill, one.size);
        }
        let (origin, side, nets) =
            (order.origin, request.side, order.one_way || !request.side.opens());
        let (account, symbol) = (fill.account, fill.symbol.clone());
        let closed = if nets { self.held(&fill, !fill.buys).min(one.size) } else { Decimal::ZERO };
        let opened = one.size - closed;
        let (realised, insured, fee_closed) = self.close(id, &fill, closed);
        let fee = fee_closed + self.open(id, &fill, opened);
        let kind =
            if origin == Origin::Customer { FlowKind::Realised } else { FlowKind::Liquidation };
        let about = || (symbol.clone(), fill.quote.clone());
        self.record_flow(account, kind, about(), realised + insured, now_ms);
        self.record_flow(account, FlowKind::Commission, about(), -fee, now_ms);
        let row = FuturesFill {
            trade,
            order: id,
            account,
            symbol: symbol.clone(),
            side,
            price: one.price,
            size: one.size,
            fee,
            realised,
            maker,
            time_ms: now_ms,
        };
        self.conclude(id, &fill, row);
        for (changed, long) in [(closed, !fill.buys), (opened, fill.buys)] {
            if !changed.is_zero() {
                self.report_position(account, &symbol, long);
            }
        }
        if nets {
            self.trim_promises(account, &symbol, !fill.buys, now_ms);
        }
        self.make_good(account, &symbol, now_ms);
    }

    fn held(&self, fill: &Fill, long: bool) -> Decimal {
        let owner = self.accounts.get(&fill.account);
        let position = owner.and_then(|owner| owner.position(&fill.symbol, long));
        position.map_or(Decimal::ZERO, |position| position.size)
    }

    // Rule: An isolated position loses its margin at most; insurance bears the rest. Source: simplified (the
    // meaning of isolated; no source says who bears the rest)
    /// Closes contracts of the opposite position. Gives the profit, what insurance paid of a loss, and the
    /// fee: an isolated position can lose its margin and no more.
    fn close(&mut self, id: OrderId, fill: &Fill, size: Decimal) -> (Decimal, Decimal, Decimal) {
        if size.is_zero() {
            return Default::default();
        }
        let value = fill.value(size);
        let fee = cut(value * fill.fee_rate);
        let kept = self.futures_orders.get_mut(&id).map(|order| {
            let kept = order.closes.min(size);
            order.closes -= kept;
            kept
        });
        let owner = owner(&mut self.accounts, fill.account);
        let wallet = owner.purse(&mut self.ledger, Purse::Futures, &fill.quote).available();
        let position = owner.position_mut(&fill.symbol, !fill.buys);
        position.closing -= kept.unwrap_or_default();
        let (cost, margin) = position.reduce(size, position.margin(&self.ledger));
        let realised = if fill.buys { cost - value } else { value - cost };
        position.closed_value += value;
        position.realised += realised;
        position.fees += fee;
        position.updated_ms = fill.now_ms;
        let isolated = position.isolated;
        let back = margin + realised - fee;
        let lost = if isolated { (-back).max(Decimal::ZERO) } else { Decimal::ZERO };
        if let Some(place) = position.margin {
            self.ledger.post(place, wallet, margin);
        }
        self.ledger.draw(House::Profit, wallet, realised);
        self.ledger.draw(House::Insurance, wallet, lost);
        self.ledger.pay(wallet, House::Fees, fee);
        (realised, lost, fee)
    }

    /// Opens contracts with what the order holds. Gives the fee.
    fn open(&mut self, id: OrderId, fill: &Fill, size: Decimal) -> Decimal {
        if size.is_zero() {
            return Decimal::ZERO;
        }
        let value = fill.value(size);
        let fee = cut(value * fill.fee_rate);
        let margin = share(value / Decimal::from(fill.leverage.max(1)));
        let held = self.futures_orders.get_mut(&id).map(|order| {
            let held = order.reserved.min(margin + fee);
            order.reserved -= held;
            held
        });
        let held = held.unwrap_or_default();
        let owner = owner(&mut self.accounts, fill.account);
        let wallet = owner.purse(&mut self.ledger, Purse::Futures, &fill.quote);
        let position = owner.position_mut(&fill.symbol, fill.buys);
        if !position.is_open() {
            position.begin(fill.leverage, fill.isolated, fill.now_ms);
        }
        position.size += size;
        position.cost += value;
        position.fees += fee;
        position.updated_ms = fill.now_ms;
        let place = *position.margin.get_or_insert_with(|| self.ledger.open_place(&fill.quote));
        self.ledger.release(wallet, held);
        self.ledger.post(wallet.available(), place, margin);
        self.ledger.pay(wallet.available(), House::Fees, fee);
        fee
    }

    /// Gives back what a filled order did not need, and tells of the fill.
    fn conclude(&mut self, id: OrderId, fill: &Fill, row: FuturesFill) {
        let Some(order) = self.futures_orders.get_mut(&id) else { return };
        let (done, origin) = (!order.open, order.origin);
        let rest = if done { std::mem::take(&mut order.reserved) } else { Decimal::ZERO };
        let wallet = self.open_wallet(fill.account, Purse::Futures, &fill.quote);
        self.ledger.release(wallet, rest);
        if row.maker && !done {
            self.release_surplus(id);
        }
        keep_latest(&mut self.futures_fills, row.clone(), self.remembered);
        let action = match origin {
            Origin::Customer => FuturesAction::Fill,
            Origin::Liquidation => FuturesAction::Liquidated,
            Origin::Bankruptcy => FuturesAction::Bankrupt,
        };
        self.report_futures(id, action, Some(row));
        if done {
            self.finish_futures(fill.account, id);
        }
    }

    // Rule: In one-way mode an order whose contracts another one has closed opens instead, the newest first; it
    // is cancelled when it only reduces or the margin is missing. Source: invented (no source says it)
    /// An order may close contracts that are promised to others, in one-way mode. Those are to open then,
    /// the newest first, until all promises can be kept; orders that only reduce, and those whose owner
    /// cannot pay for that, are cancelled.
    fn trim_promises(&mut self, account: AccountId, symbol: &SmolStr, long: bool, now_ms: u64) {
        loop {
            let owner = self.account_mut(account);
            let position = owner.position_mut(symbol, long);
            let excess = position.closing - position.size;
            if excess <= Decimal::ZERO {
                return;
            }
            let promised = |order: &&FuturesOrder| {
                order.request.symbol == *symbol
                    && order.request.side.buys() != long
                    && !order.closes.is_zero()
            };
            let open = self.accounts.get(&account).map(|owner| &owner.futures_orders.open);
            let open =
                open.into_iter().flatten().rev().filter_map(|id| self.futures_orders.get(id));
            let Some(id) = open.filter(|order| order.open).find(promised).map(|order| order.id)
            else {
                return;
            };
            if !self.turn_to_open(id, excess) {
                self.withdraw_futures(id, FuturesAction::Cancelled, now_ms);
            }
        }
    }

    /// Lets an order open up to so many of the contracts that it was to close. `false` when it may not, or
    /// there is no money for it.
    fn turn_to_open(&mut self, id: OrderId, contracts: Decimal) -> bool {
        let Some(order) = self.futures_orders.get(&id) else { return false };
        let (account, request) = (order.account, order.request.clone());
        let (left, turned) = (order.left(), order.closes.min(contracts));
        if !request.side.opens() {
            return false;
        }
        let Ok(reserved) = self.reserve(account, &request, left, turned) else { return false };
        if let Some(order) = self.futures_orders.get_mut(&id) {
            order.closes -= turned;
            order.reserved += reserved;
        }
        let position =
            self.account_mut(account).position_mut(&request.symbol, !request.side.buys());
        position.closing -= turned;
        true
    }

    // Rule: The house holds one net position, pays no fee and has no margin. Source: invented (it replaces
    // all other customers)
    /// House accounts hold one net position without margin: they close before they open.
    fn fill_house(&mut self, fill: &Fill, size: Decimal) {
        let (buys, value) = (fill.buys, fill.value(size));
        let owner = owner(&mut self.accounts, fill.account);
        let opposite = owner.position_mut(&fill.symbol, !buys);
        let closed = opposite.size.min(size);
        let closed_value = share(value.checked_div(size).unwrap_or_default() * closed);
        let (cost, _) = opposite.reduce(closed, Decimal::ZERO);
        let realised = if buys { cost - closed_value } else { closed_value - cost };
        let same = owner.position_mut(&fill.symbol, buys);
        same.size += size - closed;
        same.cost += value - closed_value;
        let wallet = owner.purse(&mut self.ledger, Purse::Futures, &fill.quote);
        self.ledger.draw(House::Profit, wallet.available(), realised);
    }

    /// The house trades with an order outside the book.
    pub(super) fn take_over(&mut self, id: OrderId, price: Decimal, size: Decimal, now_ms: u64) {
        let Some(order) = self.futures_orders.get(&id) else { return };
        let Some(market) = self.futures.get(&order.request.symbol) else { return };
        let side = order.request.side.book().opposite();
        let house = Fill {
            account: crate::MAKER,
            symbol: order.request.symbol.clone(),
            quote: market.rules.quote.clone(),
            contract_size: market.rules.contract_size,
            buys: side == Side::Buy,
            leverage: 1,
            isolated: false,
            price,
            fee_rate: Decimal::ZERO,
            now_ms,
        };
        self.fill_house(&house, size);
        let trade = next(&mut self.counters.futures_trade);
        self.fill_futures(id, Match { maker: id, price, size }, trade, false, now_ms);
    }
}
