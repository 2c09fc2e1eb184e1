//! The futures market: hedge mode, orders in whole contracts, margin taken from the wallet.
//!
//! Simplified: no liquidation, no funding. A loss beyond the money of an account is paid by the house.

mod mark;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use self::mark::Mark;
use super::{
    AccountId, DECIMALS, Event, Exchange, FuturesAction, OrderId,
    book::{Book, Match, Side, Want},
    cut,
    futures_order::{FuturesFill, FuturesOrder, Mode, NewFuturesOrder},
    keep_latest, next,
    position::share,
    refusal::{Refusal, refuse},
    sane,
    tape::{PublicTrade, Tape},
};
use crate::markets::Contract;

/// Fees of the lowest level.
pub(crate) const TAKER_FEE: Decimal = Decimal::from_parts(6, 0, 0, false, 4);
pub(crate) const MAKER_FEE: Decimal = Decimal::from_parts(2, 0, 0, false, 4);

/// The rules of one contract.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FuturesRules {
    pub(crate) symbol: SmolStr,
    pub(crate) base: SmolStr,
    pub(crate) quote: SmolStr,
    pub(crate) contract_size: Decimal,
    pub(crate) price_decimals: u32,
    pub(crate) max_leverage: u32,
    pub(crate) max_volume: Decimal,
    pub(crate) start_price: Decimal,
}

/// One contract: rules, book, tape, index and mark price.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FuturesMarket {
    pub(crate) rules: FuturesRules,
    pub(crate) book: Book,
    pub(crate) tape: Tape,
    pub(crate) mark: Mark,
}

impl FuturesMarket {
    pub(crate) fn new(contract: &Contract) -> Self {
        let price_decimals = contract.price_decimals.min(DECIMALS);
        let rules = FuturesRules {
            symbol: contract.symbol().into(),
            base: contract.base.as_str().into(),
            quote: contract.quote.as_str().into(),
            contract_size: sane(contract.contract_size, DECIMALS),
            price_decimals,
            max_leverage: contract.max_leverage.max(1),
            max_volume: Decimal::from(contract.max_volume.min(1_000_000_000)),
            start_price: sane(contract.start_price, price_decimals),
        };
        let mark = Mark::new(rules.start_price);
        Self { rules, book: Book::default(), tape: Tape::default(), mark }
    }

    pub(crate) fn last_price(&self) -> Decimal {
        self.tape.last_price().unwrap_or(self.rules.start_price)
    }

    pub(crate) fn mark_price(&self) -> Decimal {
        self.mark.price()
    }

    pub(crate) fn index_price(&self) -> Decimal {
        self.mark.index()
    }
}

impl Exchange {
    /// Places an order: takes margin or position, trades, and rests or ends the remainder.
    pub(crate) fn place_futures(
        &mut self,
        account: AccountId,
        request: NewFuturesOrder,
        now_ms: u64,
    ) -> Result<OrderId, Refusal> {
        let market = self.futures.get(&request.symbol).ok_or_else(|| refuse(40034))?;
        let quote = market.rules.quote.clone();
        // The highest price at which it may open: what its margin must be able to pay.
        let reached =
            market.book.highest_reached(request.side.book(), request.price, request.size, account);
        let worst = request.price.into_iter().chain(reached).max().unwrap_or_default();
        let reserve = worst * request.size * market.rules.contract_size;
        let reserved = if request.side.opens() {
            share(reserve / Decimal::from(request.leverage.max(1)))
                + cut(reserve * TAKER_FEE)
                + Decimal::new(1, 8)
        } else {
            Decimal::ZERO
        };
        let reserved = if Self::is_house(account) { Decimal::ZERO } else { reserved };
        let key = (request.symbol.clone(), request.side.long());
        let owner = self.account(account);
        let taken = |id: &SmolStr| owner.futures_orders.by_client_id(id).is_some();
        if request.client_id.as_ref().is_some_and(taken) {
            return Err(refuse(40050));
        }
        if !request.side.opens() && !owner.house {
            let position = owner.positions.entry(key).or_default();
            if position.size - position.closing < request.size {
                return Err(refuse(40020));
            }
            position.closing += request.size;
        }
        if !owner.futures(&quote).freeze(reserved) {
            return Err(refuse(40027));
        }
        let id = OrderId(next(&mut self.counters.futures_order));
        let order = FuturesOrder {
            id,
            account,
            request,
            filled: Decimal::ZERO,
            filled_value: Decimal::ZERO,
            reserved,
            open: true,
            created_ms: now_ms,
            updated_ms: now_ms,
        };
        self.remember_futures(order);
        self.report_futures(id, FuturesAction::Submitted, None);
        self.report_closing(id);
        self.run_futures(id, now_ms);
        Ok(id)
    }

    fn remember_futures(&mut self, order: FuturesOrder) {
        let owner = self.account(order.account);
        if !owner.house {
            owner.futures_orders.add(order.id, order.request.client_id.as_ref());
        }
        self.futures_orders.insert(order.id, order);
    }

    /// Notes that an order is done, and forgets the oldest finished one when there are too many.
    fn finish_futures(&mut self, account: AccountId, id: OrderId) {
        let Some(oldest) = self.account(account).futures_orders.finish(id) else { return };
        if let Some(gone) = self.futures_orders.remove(&oldest) {
            self.account(account).futures_orders.forget_client_id(gone.request.client_id.as_ref());
        }
    }

    fn run_futures(&mut self, id: OrderId, now_ms: u64) {
        let Some(order) = self.futures_orders.get(&id) else { return };
        let (account, request) = (order.account, order.request.clone());
        let Some(market) = self.futures.get_mut(&request.symbol) else { return };
        let side = request.side.book();
        let refused = match request.mode {
            Mode::MakerOnly => {
                request.price.is_some_and(|price| market.book.would_take(side, price))
            }
            Mode::FillOrKill => {
                let open = market.book.fillable(side, request.price, account, request.stp);
                open < request.size
            }
            Mode::GoodTilCancelled | Mode::ImmediateOrCancel => false,
        };
        if refused {
            return self.end_futures(id, now_ms);
        }
        let taken =
            market.book.take(side, request.price, Want::Size(request.size), account, request.stp);
        for one in &taken.matches {
            self.settle_futures(id, *one, now_ms);
        }
        for removed in taken.removed {
            self.end_futures(removed, now_ms);
        }
        if taken.left > Decimal::ZERO {
            let rests = matches!(request.mode, Mode::GoodTilCancelled | Mode::MakerOnly);
            match request.price.filter(|_| rests && !taken.stopped) {
                Some(price) => {
                    if let Some(market) = self.futures.get_mut(&request.symbol) {
                        market.book.rest(side, price, id, account, taken.left);
                    }
                }
                None => self.end_futures(id, now_ms),
            }
        }
        self.sweep_futures(id, &taken.matches);
    }

    fn sweep_futures(&mut self, taker: OrderId, matches: &[Match]) {
        for id in matches.iter().map(|one| one.maker).chain([taker]) {
            if self
                .futures_orders
                .get(&id)
                .is_some_and(|order| Self::is_house(order.account) && !order.open)
            {
                self.futures_orders.remove(&id);
            }
        }
    }

    fn settle_futures(&mut self, taker: OrderId, one: Match, now_ms: u64) {
        let Some(order) = self.futures_orders.get(&taker) else { return };
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
    }

    fn fill_futures(&mut self, id: OrderId, one: Match, trade: u64, maker: bool, now_ms: u64) {
        let Some(order) = self.futures_orders.get_mut(&id) else { return };
        let Some(rules) =
            self.futures.get(&order.request.symbol).map(|market| market.rules.clone())
        else {
            return;
        };
        order.filled += one.size;
        order.filled_value += one.price * one.size;
        order.updated_ms = now_ms;
        order.open = order.filled < order.request.size;
        let (account, request, mut reserved) =
            (order.account, order.request.clone(), order.reserved);
        let value = one.price * one.size * rules.contract_size;
        if Self::is_house(account) {
            return self.fill_house(account, &rules, request.side.book(), one.size, value);
        }
        let fee = cut(value * if maker { MAKER_FEE } else { TAKER_FEE });
        let owner = self.account(account);
        let mut realised = Decimal::ZERO;
        let mut shortfall = Decimal::ZERO;
        let position =
            owner.positions.entry((rules.symbol.clone(), request.side.long())).or_default();
        position.updated_ms = now_ms;
        position.fees += fee;
        if request.side.opens() {
            let margin = share(value / Decimal::from(request.leverage.max(1)));
            if position.size.is_zero() {
                position.opened_ms = now_ms;
            }
            position.leverage = request.leverage;
            position.isolated = request.isolated;
            position.size += one.size;
            position.cost += value;
            position.margin += margin;
            reserved -= margin + fee;
            owner.futures(&rules.quote).frozen -= margin + fee;
        } else {
            position.closing -= one.size;
            let (cost, margin) = position.reduce(one.size);
            realised = if request.side.long() { value - cost } else { cost - value };
            position.realised += realised;
            let wallet = owner.futures(&rules.quote);
            wallet.available += margin + realised - fee;
            shortfall = (-wallet.available).max(Decimal::ZERO);
            wallet.available += shortfall;
        }
        self.collect(&rules.quote, fee);
        if !shortfall.is_zero() {
            *self.insured.entry(rules.quote.clone()).or_default() += shortfall;
        }
        let mut rest = Decimal::ZERO;
        if let Some(order) = self.futures_orders.get_mut(&id) {
            rest = if order.open { Decimal::ZERO } else { std::mem::take(&mut reserved) };
            order.reserved = reserved;
        }
        self.account(account).futures(&rules.quote).release(rest);
        let fill = FuturesFill {
            trade,
            order: id,
            account,
            symbol: rules.symbol.clone(),
            side: request.side,
            price: one.price,
            size: one.size,
            fee,
            realised,
            maker,
            time_ms: now_ms,
        };
        keep_latest(&mut self.futures_fills, fill.clone());
        self.report_futures(id, FuturesAction::Fill, Some(fill));
        let long = request.side.long();
        self.events.push(Event::FuturesPosition { account, symbol: rules.symbol, long });
        if self.futures_orders.get(&id).is_some_and(|order| !order.open) {
            self.finish_futures(account, id);
        }
    }

    /// House accounts hold one net position without margin: they close before they open.
    fn fill_house(
        &mut self,
        account: AccountId,
        rules: &FuturesRules,
        side: Side,
        size: Decimal,
        value: Decimal,
    ) {
        let owner = self.account(account);
        let buys = side == Side::Buy;
        let opposite = owner.positions.entry((rules.symbol.clone(), !buys)).or_default();
        let closed = opposite.size.min(size);
        let closed_value = share(value.checked_div(size).unwrap_or_default() * closed);
        let (cost, _) = opposite.reduce(closed);
        let realised = if buys { cost - closed_value } else { closed_value - cost };
        let same = owner.positions.entry((rules.symbol.clone(), buys)).or_default();
        same.size += size - closed;
        same.cost += value - closed_value;
        owner.futures(&rules.quote).available += realised;
    }

    fn end_futures(&mut self, id: OrderId, now_ms: u64) {
        let Some(order) = self.futures_orders.get_mut(&id).filter(|order| order.open) else {
            return;
        };
        order.open = false;
        order.updated_ms = now_ms;
        let rest = std::mem::take(&mut order.reserved);
        let left = order.request.size - order.filled;
        let (account, symbol, side) =
            (order.account, order.request.symbol.clone(), order.request.side);
        let Some(quote) = self.futures.get(&symbol).map(|market| market.rules.quote.clone()) else {
            return;
        };
        let owner = self.account(account);
        owner.futures(&quote).release(rest);
        if !side.opens() && !owner.house {
            owner.positions.entry((symbol, side.long())).or_default().closing -= left;
        }
        self.report_futures(id, FuturesAction::Cancelled, None);
        self.report_closing(id);
        self.finish_futures(account, id);
    }

    /// Cancels an open order of `account`.
    pub(crate) fn cancel_futures(
        &mut self,
        account: AccountId,
        id: OrderId,
        now_ms: u64,
    ) -> Result<(), Refusal> {
        let order = self
            .futures_orders
            .get(&id)
            .filter(|order| order.account == account)
            .ok_or_else(|| refuse(40037))?;
        if !order.open {
            return Err(refuse(40036));
        }
        if let (Some(price), Some(market)) =
            (order.request.price, self.futures.get_mut(&order.request.symbol))
        {
            market.book.remove(order.request.side.book(), price, id);
        }
        self.end_futures(id, now_ms);
        self.sweep_futures(id, &[]);
        Ok(())
    }

    /// The remembered futures orders of an account, newest first.
    pub(crate) fn futures_orders_of(
        &self,
        account: AccountId,
    ) -> impl Iterator<Item = &FuturesOrder> {
        self.accounts
            .get(&account)
            .into_iter()
            .flat_map(|account| account.futures_orders.all().into_iter().rev())
            .filter_map(|id| self.futures_orders.get(&id))
    }

    /// Tells of an order, and of the money that it froze or gave back.
    fn report_futures(&mut self, id: OrderId, action: FuturesAction, fill: Option<FuturesFill>) {
        let Some(order) = self.futures_orders.get(&id) else { return };
        let account = order.account;
        let Some(market) = self.futures.get(&order.request.symbol) else { return };
        if !Self::is_house(account) {
            let currency = market.rules.quote.clone();
            let order = Box::new(order.clone());
            self.events.push(Event::FuturesOrder { order, action, fill });
            self.events.push(Event::FuturesAsset { account, currency });
        }
    }

    /// Tells of a position whose contracts a closing order bound or gave back.
    fn report_closing(&mut self, id: OrderId) {
        let Some(order) = self.futures_orders.get(&id) else { return };
        let (account, side) = (order.account, order.request.side);
        if !Self::is_house(account) && !side.opens() {
            let symbol = order.request.symbol.clone();
            self.events.push(Event::FuturesPosition { account, symbol, long: side.long() });
        }
    }
}
