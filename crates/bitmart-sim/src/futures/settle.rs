//! Settlement of futures trades: positions, profit, margin and fees.

use rust_decimal::Decimal;
use smol_str::SmolStr;

use super::{MAKER_FEE, TAKER_FEE, transactions::TransactionKind};
use crate::{
    AccountId, Event, Exchange, FuturesAction, OrderId,
    account::WalletKind,
    book::{Match, TradeRole},
    exchange::account_entry,
    futures_order::{FuturesFill, FuturesOrder, MarginType, Origin},
    ledger::HouseBook,
    position::{PositionSide, round_share_down},
    round_down,
    tape::PublicTrade,
};

/// One side of a trade, with what its settlement needs.
#[derive(Debug, Clone)]
struct Fill {
    account: AccountId,
    symbol: SmolStr,
    /// The currency of margin, fee and profit.
    quote: SmolStr,
    /// Base units of one contract.
    contract_size: Decimal,
    /// Whether the contracts are bought: they close a short position, or open a long one.
    buys: bool,
    /// Leverage and margin type of a position that is opened.
    leverage: u32,
    margin_type: MarginType,
    price: Decimal,
    /// Fee as a ratio of the value.
    fee_rate: Decimal,
    now_ms: u64,
}

/// The result of closing contracts, in the quote currency.
#[derive(Debug, Clone, Copy, Default)]
struct Closed {
    /// Profit before fees; negative for a loss.
    realized: Decimal,
    /// The part of a loss that insurance has paid.
    insured: Decimal,
    fee: Decimal,
}

impl Fill {
    // Rule: The value of a futures trade has 12 decimals and is rounded down. Source: invented (so that sums stay
    // exact)
    fn value(&self, contracts: Decimal) -> Decimal {
        round_share_down(self.price * contracts * self.contract_size)
    }

    /// Returns the side of the position that it closes.
    fn closed_side(&self) -> PositionSide {
        if self.buys { PositionSide::Short } else { PositionSide::Long }
    }

    /// Returns the side of the position that it opens.
    fn opened_side(&self) -> PositionSide {
        if self.buys { PositionSide::Long } else { PositionSide::Short }
    }
}

impl Exchange {
    /// Settles a trade for both orders. Returns false when the maker order is no longer open.
    pub(super) fn settle_futures(&mut self, taker: OrderId, matched: Match, now_ms: u64) -> bool {
        let Some(order) = self.futures_orders.get(&taker) else { return false };
        if self.futures_orders.get(&matched.maker).is_none_or(|maker| !maker.open) {
            return false;
        }
        let (symbol, side) = (order.request.symbol.clone(), order.request.side.book_side());
        let trade = self.counters.next_futures_trade();
        let public_trade = PublicTrade {
            id: trade,
            price: matched.price,
            size: matched.size,
            side,
            time_ms: now_ms,
        };
        if let Some(market) = self.futures.get_mut(&symbol) {
            market.tape.record(
                public_trade.clone(),
                matched.price * matched.size * market.rules.contract_size,
            );
        }
        self.events.push(Event::FuturesTrade { symbol, trade: public_trade });
        self.fill_futures(matched.maker, matched, trade, TradeRole::Maker, now_ms);
        self.fill_futures(taker, matched, trade, TradeRole::Taker, now_ms);
        true
    }

    /// Fills an order: closes contracts of the opposite position, and opens a position with the rest.
    pub(super) fn fill_futures(
        &mut self,
        id: OrderId,
        matched: Match,
        trade: u64,
        role: TradeRole,
        now_ms: u64,
    ) {
        let Some(order) = self.futures_orders.get_mut(&id) else { return };
        let Some(market) = self.futures.get(&order.request.symbol) else { return };
        order.filled += matched.size;
        order.filled_value += matched.price * matched.size;
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
            price: matched.price,
            fee_rate: match role {
                TradeRole::Maker => MAKER_FEE,
                TradeRole::Taker => TAKER_FEE,
            },
            now_ms,
        };
        if Self::is_house(order.account) {
            return self.fill_house(&fill, matched.size);
        }
        let (origin, side, closes_first) =
            (order.origin, request.side, order.one_way || !request.side.opens());
        let (account, symbol) = (fill.account, fill.symbol.clone());
        let closed_size = if closes_first {
            self.position_size(fill.account, &fill.symbol, fill.closed_side()).min(matched.size)
        } else {
            Decimal::ZERO
        };
        let opened_size = matched.size - closed_size;
        let closed = self.close(id, &fill, closed_size);
        let fee = closed.fee + self.open(id, &fill, opened_size);
        let kind = if origin == Origin::Customer {
            TransactionKind::Realized
        } else {
            TransactionKind::Liquidation
        };
        let symbol_and_currency = || (symbol.clone(), fill.quote.clone());
        let change = closed.realized + closed.insured;
        self.record_transaction(account, kind, symbol_and_currency(), change, now_ms);
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
            price: matched.price,
            size: matched.size,
            fee,
            realized: closed.realized,
            maker: role == TradeRole::Maker,
            time_ms: now_ms,
        };
        self.finish_fill(id, &fill, row);
        for (changed, side) in
            [(closed_size, fill.closed_side()), (opened_size, fill.opened_side())]
        {
            if !changed.is_zero() {
                self.report_position(account, &symbol, side);
            }
        }
        if !closed_size.is_zero() {
            self.cancel_bound_plans(account, &symbol, fill.closed_side(), now_ms);
        }
        if closes_first {
            self.release_excess_closings(account, &symbol, fill.closed_side(), now_ms);
        }
        self.cover_deficit(account, &symbol, now_ms);
    }

    // Rule: An isolated position loses at most its margin; insurance pays the rest. Source: simplified (the
    // meaning of isolated; no source says who pays the rest)
    /// Closes contracts of the opposite position. An isolated position loses at most its margin: insurance pays the
    /// rest.
    ///
    /// A liquidation is settled with the margin as a whole: what its first fills leave pays the losses of the last.
    fn close(&mut self, id: OrderId, fill: &Fill, size: Decimal) -> Closed {
        if size.is_zero() {
            return Closed::default();
        }
        let value = fill.value(size);
        let fee = round_down(value * fill.fee_rate);
        let mut is_liquidation = false;
        let reserved = self.futures_orders.get_mut(&id).map(|order| {
            is_liquidation = order.origin != Origin::Customer;
            let reserved = order.closes.min(size);
            order.closes -= reserved;
            reserved
        });
        let owner = account_entry(&mut self.accounts, fill.account);
        let wallet =
            owner.ensure_wallet(&mut self.ledger, WalletKind::Futures, &fill.quote).available();
        let position = owner.position_mut(&fill.symbol, fill.closed_side());
        position.closing -= reserved.unwrap_or_default();
        let (cost, margin) = position.reduce(size, position.margin(&self.ledger));
        let realized = if fill.buys { cost - value } else { value - cost };
        position.closed_value += value;
        position.realized += realized;
        position.fees += fee;
        position.updated_ms = fill.now_ms;
        let (is_isolated, is_closed) = (position.margin_type.is_isolated(), !position.is_open());
        let margin_balance = position.margin;
        if let Some(margin_balance) = margin_balance.filter(|_| is_isolated && is_liquidation) {
            self.ledger.pay_from_house(HouseBook::Profit, margin_balance, realized);
            self.ledger.pay_house(margin_balance, HouseBook::Fees, fee);
            if !is_closed {
                return Closed { realized, insured: Decimal::ZERO, fee };
            }
            let insured = (-self.ledger.amount(margin_balance)).max(Decimal::ZERO);
            self.ledger.pay_from_house(HouseBook::Insurance, margin_balance, insured);
            self.ledger.post(margin_balance, wallet, self.ledger.amount(margin_balance));
            return Closed { realized, insured, fee };
        }
        let returned = margin + realized - fee;
        let insured = if is_isolated { (-returned).max(Decimal::ZERO) } else { Decimal::ZERO };
        if let Some(margin_balance) = margin_balance {
            self.ledger.post(margin_balance, wallet, margin);
        }
        self.ledger.pay_from_house(HouseBook::Profit, wallet, realized);
        self.ledger.pay_from_house(HouseBook::Insurance, wallet, insured);
        self.ledger.pay_house(wallet, HouseBook::Fees, fee);
        Closed { realized, insured, fee }
    }

    /// Opens contracts, paid from the reservation of the order. Returns the fee.
    fn open(&mut self, id: OrderId, fill: &Fill, size: Decimal) -> Decimal {
        if size.is_zero() {
            return Decimal::ZERO;
        }
        let value = fill.value(size);
        let fee = round_down(value * fill.fee_rate);
        let margin = round_share_down(value / Decimal::from(fill.leverage.max(1)));
        let from_reservation = self.futures_orders.get_mut(&id).map(|order| {
            let from_reservation = order.reserved.min(margin + fee);
            order.reserved -= from_reservation;
            from_reservation
        });
        let from_reservation = from_reservation.unwrap_or_default();
        let owner = account_entry(&mut self.accounts, fill.account);
        let wallet = owner.ensure_wallet(&mut self.ledger, WalletKind::Futures, &fill.quote);
        let position = owner.position_mut(&fill.symbol, fill.opened_side());
        if !position.is_open() {
            position.begin(fill.leverage, fill.margin_type, fill.now_ms);
        }
        position.size += size;
        position.cost += value;
        position.fees += fee;
        position.updated_ms = fill.now_ms;
        let margin_balance =
            *position.margin.get_or_insert_with(|| self.ledger.open_balance(&fill.quote));
        self.ledger.release(wallet, from_reservation);
        self.ledger.post(wallet.available(), margin_balance, margin);
        self.ledger.pay_house(wallet.available(), HouseBook::Fees, fee);
        fee
    }

    /// Releases what a filled order does not need any more, and reports the fill.
    fn finish_fill(&mut self, id: OrderId, fill: &Fill, row: FuturesFill) {
        let Some(order) = self.futures_orders.get_mut(&id) else { return };
        let (is_finished, origin) = (!order.open, order.origin);
        let unused = if is_finished { std::mem::take(&mut order.reserved) } else { Decimal::ZERO };
        let wallet = self.ensure_wallet(fill.account, WalletKind::Futures, &fill.quote);
        self.ledger.release(wallet, unused);
        if row.maker && !is_finished {
            self.release_surplus(id);
        }
        self.futures_fills.add(row.clone(), self.history_limit);
        let action = match origin {
            Origin::Customer => FuturesAction::Filled,
            Origin::Liquidation => FuturesAction::Liquidated,
            Origin::Bankruptcy => FuturesAction::Bankrupt,
        };
        self.report_futures(id, action, Some(row));
        if is_finished {
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
        side: PositionSide,
        now_ms: u64,
    ) {
        loop {
            let owner = self.account_mut(account);
            let position = owner.position_mut(symbol, side);
            let excess = position.closing - position.size;
            if excess <= Decimal::ZERO {
                return;
            }
            let has_reservation = |order: &&FuturesOrder| {
                order.request.symbol == *symbol
                    && order.request.side.closed_side() == side
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
        self.reserve_contracts(account, &request, -converted);
        true
    }

    // Rule: The exchange holds one net position, pays no fee and has no margin. Source: invented (it replaces
    // all other customers)
    /// Fills an order of the exchange, which holds one net position without margin: it closes before it opens.
    fn fill_house(&mut self, fill: &Fill, size: Decimal) {
        let value = fill.value(size);
        let owner = account_entry(&mut self.accounts, fill.account);
        let closed = owner.position_mut(&fill.symbol, fill.closed_side());
        let closed_size = closed.size.min(size);
        let closed_value =
            round_share_down(value.checked_div(size).unwrap_or_default() * closed_size);
        let (cost, _) = closed.reduce(closed_size, Decimal::ZERO);
        let realized = if fill.buys { cost - closed_value } else { closed_value - cost };
        let opened = owner.position_mut(&fill.symbol, fill.opened_side());
        opened.size += size - closed_size;
        opened.cost += value - closed_value;
        let wallet = owner.ensure_wallet(&mut self.ledger, WalletKind::Futures, &fill.quote);
        self.ledger.pay_from_house(HouseBook::Profit, wallet.available(), realized);
    }

    /// Fills an order outside the book, with the market maker as counterparty.
    pub(super) fn take_over(&mut self, id: OrderId, price: Decimal, size: Decimal, now_ms: u64) {
        let Some(order) = self.futures_orders.get(&id) else { return };
        let Some(market) = self.futures.get(&order.request.symbol) else { return };
        let counterparty = Fill {
            account: crate::MAKER,
            symbol: order.request.symbol.clone(),
            quote: market.rules.quote.clone(),
            contract_size: market.rules.contract_size,
            buys: !order.request.side.buys(),
            leverage: 1,
            margin_type: MarginType::Cross,
            price,
            fee_rate: Decimal::ZERO,
            now_ms,
        };
        self.fill_house(&counterparty, size);
        let trade = self.counters.next_futures_trade();
        // There is no maker order.
        let matched = Match { maker: id, price, size };
        self.fill_futures(id, matched, trade, TradeRole::Taker, now_ms);
    }
}
