//! Settlement of futures trades: positions, profit, margin and fees.

use rust_decimal::Decimal;
use smol_str::SmolStr;

use super::{MAKER_FEE, TAKER_FEE, transactions::TransactionKind};
use crate::{
    AccountId, Event, Exchange, FuturesAction, OrderId,
    account::WalletKind,
    book::{Match, Side},
    exchange::account_entry,
    futures_order::{FuturesFill, FuturesOrder, MarginType, Origin},
    ledger::HouseBook,
    position::round_share_down,
    round_down,
    tape::PublicTrade,
};

/// One side of a trade, with what its settlement needs.
#[derive(Debug, Clone)]
struct Fill {
    account: AccountId,
    symbol: SmolStr,
    quote: SmolStr,
    contract_size: Decimal,
    buys: bool,
    leverage: u32,
    margin_type: MarginType,
    price: Decimal,
    fee_rate: Decimal,
    now_ms: u64,
}

impl Fill {
    // Rule: The value of a futures trade has 12 decimals and is rounded down. Source: invented (so that sums stay
    // exact)
    fn value(&self, contracts: Decimal) -> Decimal {
        round_share_down(self.price * contracts * self.contract_size)
    }
}

impl Exchange {
    /// Settles a trade for both orders. Returns false when the maker order is no longer open.
    pub(super) fn settle_futures(&mut self, taker: OrderId, one: Match, now_ms: u64) -> bool {
        let Some(order) = self.futures_orders.get(&taker) else { return false };
        if self.futures_orders.get(&one.maker).is_none_or(|maker| !maker.open) {
            return false;
        }
        let (symbol, side) = (order.request.symbol.clone(), order.request.side.book_side());
        let trade = self.counters.next_futures_trade();
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

    /// Fills an order: closes contracts of the opposite position, and opens a position with the rest.
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
            margin_type: request.margin_type,
            price: one.price,
            fee_rate: if maker { MAKER_FEE } else { TAKER_FEE },
            now_ms,
        };
        if Self::is_house(order.account) {
            return self.fill_exchange(&fill, one.size);
        }
        let (origin, side, closes_first) =
            (order.origin, request.side, order.one_way || !request.side.opens());
        let (account, symbol) = (fill.account, fill.symbol.clone());
        let closed = if closes_first {
            self.position_size(fill.account, &fill.symbol, !fill.buys).min(one.size)
        } else {
            Decimal::ZERO
        };
        let opened = one.size - closed;
        let (realized, insured, fee_closed) = self.close(id, &fill, closed);
        let fee = fee_closed + self.open(id, &fill, opened);
        let kind = if origin == Origin::Customer {
            TransactionKind::Realized
        } else {
            TransactionKind::Liquidation
        };
        let symbol_and_currency = || (symbol.clone(), fill.quote.clone());
        self.record_transaction(account, kind, symbol_and_currency(), realized + insured, now_ms);
        self.record_transaction(
            account,
            TransactionKind::Commission,
            symbol_and_currency(),
            -fee,
            now_ms,
        );
        let row = FuturesFill {
            trade,
            order: id,
            account,
            symbol: symbol.clone(),
            side,
            price: one.price,
            size: one.size,
            fee,
            realized,
            maker,
            time_ms: now_ms,
        };
        self.finish_fill(id, &fill, row);
        for (changed, long) in [(closed, !fill.buys), (opened, fill.buys)] {
            if !changed.is_zero() {
                self.report_position(account, &symbol, long);
            }
        }
        if !closed.is_zero() {
            self.cancel_bound_plans(account, &symbol, !fill.buys, now_ms);
        }
        if closes_first {
            self.release_excess_closings(account, &symbol, !fill.buys, now_ms);
        }
        self.cover_deficit(account, &symbol, now_ms);
    }

    // Rule: An isolated position loses at most its margin; insurance pays the rest. Source: simplified (the
    // meaning of isolated; no source says who pays the rest)
    /// Closes contracts of the opposite position. Returns the realized profit, the payment of insurance (an isolated
    /// position loses at most its margin), and the fee.
    ///
    /// A liquidation is settled with the margin as a whole: what its first fills leave pays the losses of the last.
    fn close(&mut self, id: OrderId, fill: &Fill, size: Decimal) -> (Decimal, Decimal, Decimal) {
        if size.is_zero() {
            return Default::default();
        }
        let value = fill.value(size);
        let fee = round_down(value * fill.fee_rate);
        let mut is_liquidation = false;
        let kept = self.futures_orders.get_mut(&id).map(|order| {
            is_liquidation = order.origin != Origin::Customer;
            let kept = order.closes.min(size);
            order.closes -= kept;
            kept
        });
        let owner = account_entry(&mut self.accounts, fill.account);
        let wallet =
            owner.ensure_wallet(&mut self.ledger, WalletKind::Futures, &fill.quote).available();
        let position = owner.position_mut(&fill.symbol, !fill.buys);
        position.closing -= kept.unwrap_or_default();
        let (cost, margin) = position.reduce(size, position.margin(&self.ledger));
        let realized = if fill.buys { cost - value } else { value - cost };
        position.closed_value += value;
        position.realized += realized;
        position.fees += fee;
        position.updated_ms = fill.now_ms;
        let (isolated, is_closed) = (position.margin_type.is_isolated(), !position.is_open());
        let place = position.margin;
        if let Some(place) = place.filter(|_| isolated && is_liquidation) {
            self.ledger.pay_from_house(HouseBook::Profit, place, realized);
            self.ledger.pay_house(place, HouseBook::Fees, fee);
            if !is_closed {
                return (realized, Decimal::ZERO, fee);
            }
            let lost = (-self.ledger.amount(place)).max(Decimal::ZERO);
            self.ledger.pay_from_house(HouseBook::Insurance, place, lost);
            self.ledger.post(place, wallet, self.ledger.amount(place));
            return (realized, lost, fee);
        }
        let back = margin + realized - fee;
        let lost = if isolated { (-back).max(Decimal::ZERO) } else { Decimal::ZERO };
        if let Some(place) = place {
            self.ledger.post(place, wallet, margin);
        }
        self.ledger.pay_from_house(HouseBook::Profit, wallet, realized);
        self.ledger.pay_from_house(HouseBook::Insurance, wallet, lost);
        self.ledger.pay_house(wallet, HouseBook::Fees, fee);
        (realized, lost, fee)
    }

    /// Opens contracts, paid from the reservation of the order. Returns the fee.
    fn open(&mut self, id: OrderId, fill: &Fill, size: Decimal) -> Decimal {
        if size.is_zero() {
            return Decimal::ZERO;
        }
        let value = fill.value(size);
        let fee = round_down(value * fill.fee_rate);
        let margin = round_share_down(value / Decimal::from(fill.leverage.max(1)));
        let held = self.futures_orders.get_mut(&id).map(|order| {
            let held = order.reserved.min(margin + fee);
            order.reserved -= held;
            held
        });
        let held = held.unwrap_or_default();
        let owner = account_entry(&mut self.accounts, fill.account);
        let wallet = owner.ensure_wallet(&mut self.ledger, WalletKind::Futures, &fill.quote);
        let position = owner.position_mut(&fill.symbol, fill.buys);
        if !position.is_open() {
            position.begin(fill.leverage, fill.margin_type, fill.now_ms);
        }
        position.size += size;
        position.cost += value;
        position.fees += fee;
        position.updated_ms = fill.now_ms;
        let place = *position.margin.get_or_insert_with(|| self.ledger.open_balance(&fill.quote));
        self.ledger.release(wallet, held);
        self.ledger.post(wallet.available(), place, margin);
        self.ledger.pay_house(wallet.available(), HouseBook::Fees, fee);
        fee
    }

    /// Releases what a filled order does not need any more, and reports the fill.
    fn finish_fill(&mut self, id: OrderId, fill: &Fill, row: FuturesFill) {
        let Some(order) = self.futures_orders.get_mut(&id) else { return };
        let (done, origin) = (!order.open, order.origin);
        let rest = if done { std::mem::take(&mut order.reserved) } else { Decimal::ZERO };
        let wallet = self.ensure_wallet(fill.account, WalletKind::Futures, &fill.quote);
        self.ledger.release(wallet, rest);
        if row.maker && !done {
            self.release_surplus(id);
        }
        self.futures_fills.add(row.clone(), self.history_limit);
        let action = match origin {
            Origin::Customer => FuturesAction::Filled,
            Origin::Liquidation => FuturesAction::Liquidated,
            Origin::Bankruptcy => FuturesAction::Bankrupt,
        };
        self.report_futures(id, action, Some(row));
        if done {
            self.finish_futures(fill.account, id);
        }
    }

    // Rule: In one-way mode an order opens a position when another order has closed the contracts reserved for it, the
    // newest first; it is canceled when it is reduce-only or the margin is insufficient. Source: invented (no source
    // says it)
    /// In one-way mode an order may close contracts that are reserved for other orders. Those then open a position
    /// instead, the newest first, until the reservations fit the position. An order that is reduce-only, or whose
    /// account lacks the margin, is canceled.
    fn release_excess_closings(
        &mut self,
        account: AccountId,
        symbol: &SmolStr,
        long: bool,
        now_ms: u64,
    ) {
        loop {
            let owner = self.account_mut(account);
            let position = owner.position_mut(symbol, long);
            let excess = position.closing - position.size;
            if excess <= Decimal::ZERO {
                return;
            }
            let has_reservation = |order: &&FuturesOrder| {
                order.request.symbol == *symbol
                    && order.request.side.buys() != long
                    && !order.closes.is_zero()
            };
            let open = self.accounts.get(&account).map(|owner| owner.futures_orders.open());
            let open =
                open.into_iter().flatten().rev().filter_map(|id| self.futures_orders.get(id));
            let Some(id) =
                open.filter(|order| order.open).find(has_reservation).map(|order| order.id)
            else {
                return;
            };
            if !self.convert_to_opening(id, excess) {
                self.remove_futures(id, FuturesAction::Canceled, now_ms);
            }
        }
    }

    /// Lets an order open contracts that it was to close, up to a number. Returns false when the order is reduce-only
    /// or the margin is insufficient.
    fn convert_to_opening(&mut self, id: OrderId, contracts: Decimal) -> bool {
        let Some(order) = self.futures_orders.get(&id) else { return false };
        let (account, request) = (order.account, order.request.clone());
        let (left, converted) = (order.left(), order.closes.min(contracts));
        if !request.side.opens() {
            return false;
        }
        let Ok(reserved) = self.reserve_margin(account, &request, left, converted) else {
            return false;
        };
        if let Some(order) = self.futures_orders.get_mut(&id) {
            order.closes -= converted;
            order.reserved += reserved;
        }
        let position =
            self.account_mut(account).position_mut(&request.symbol, !request.side.buys());
        position.closing -= converted;
        true
    }

    // Rule: The exchange holds one net position, pays no fee and has no margin. Source: invented (it replaces
    // all other customers)
    /// Fills an order of the exchange, which holds one net position without margin: it closes before it opens.
    fn fill_exchange(&mut self, fill: &Fill, size: Decimal) {
        let (buys, value) = (fill.buys, fill.value(size));
        let owner = account_entry(&mut self.accounts, fill.account);
        let opposite = owner.position_mut(&fill.symbol, !buys);
        let closed = opposite.size.min(size);
        let closed_value = round_share_down(value.checked_div(size).unwrap_or_default() * closed);
        let (cost, _) = opposite.reduce(closed, Decimal::ZERO);
        let realized = if buys { cost - closed_value } else { closed_value - cost };
        let same = owner.position_mut(&fill.symbol, buys);
        same.size += size - closed;
        same.cost += value - closed_value;
        let wallet = owner.ensure_wallet(&mut self.ledger, WalletKind::Futures, &fill.quote);
        self.ledger.pay_from_house(HouseBook::Profit, wallet.available(), realized);
    }

    /// Fills an order outside the book, with the market maker as counterparty.
    pub(super) fn take_over(&mut self, id: OrderId, price: Decimal, size: Decimal, now_ms: u64) {
        let Some(order) = self.futures_orders.get(&id) else { return };
        let Some(market) = self.futures.get(&order.request.symbol) else { return };
        let side = order.request.side.book_side().opposite();
        let counterparty = Fill {
            account: crate::MAKER,
            symbol: order.request.symbol.clone(),
            quote: market.rules.quote.clone(),
            contract_size: market.rules.contract_size,
            buys: side == Side::Buy,
            leverage: 1,
            margin_type: MarginType::Cross,
            price,
            fee_rate: Decimal::ZERO,
            now_ms,
        };
        self.fill_exchange(&counterparty, size);
        let trade = self.counters.next_futures_trade();
        self.fill_futures(id, Match { maker: id, price, size }, trade, false, now_ms);
    }
}
