//! Checks of a state that comes from outside, such as a snapshot that somebody has edited.

use std::fmt;

use rust_decimal::Decimal;

use super::{
    DECIMALS, Exchange,
    account::Account,
    book::{Book, BookOrder},
    spot_order::SpotOrder,
};

/// Largest counter of a stored state, so that numbers cannot overflow.
const MAX_COUNTER: u64 = u64::MAX / 2;

/// A fault of a stored state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inconsistent(&'static str);

impl fmt::Display for Inconsistent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Inconsistent {}

fn check(holds: bool, reason: &'static str) -> Result<(), Inconsistent> {
    if holds { Ok(()) } else { Err(Inconsistent(reason)) }
}

impl Exchange {
    /// Checks that the parts of a state fit together: whatever one part refers to exists in another one. A state that
    /// commands have led to is always consistent; one that was edited may not be, and commands to it may panic.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check_consistency(&self) -> Result<(), Inconsistent> {
        let mut counters = self.counters.all().into_iter();
        check(counters.all(|counter| counter <= MAX_COUNTER), "a counter is out of range")?;
        check(self.ledger.is_consistent(), "a balance has no currency, or a currency no books")?;
        let mut accounts = self.accounts.iter();
        check(accounts.all(|(id, account)| *id == account.id), "an account has two numbers")?;
        let mut accounts = self.accounts.values();
        check(accounts.all(|account| self.has_wallets(account)), "an account lacks a wallet")?;
        let mut accounts = self.accounts.values();
        check(accounts.all(|account| self.has_rows(account)), "an account lacks an order or loan")?;
        let mut makers = self.makers.iter().enumerate();
        check(makers.all(|(at, maker)| maker.is_consistent(at)), "a market maker lacks quotes")?;
        self.check_orders()?;
        self.check_books()
    }

    fn has_wallets(&self, account: &Account) -> bool {
        let wallets = account.spot.iter().chain(&account.funding).chain(&account.futures);
        let margin = account.margin.iter().map(|((_, currency), wallet)| (currency, wallet));
        let mut wallets = wallets.chain(margin);
        let mut savings = account.savings.iter();
        wallets.all(|(currency, wallet)| self.ledger.is_wallet(*wallet, currency))
            && savings.all(|(currency, balance)| self.ledger.is_balance(*balance, currency))
    }

    /// Whether what an account lists exists.
    fn has_rows(&self, account: &Account) -> bool {
        let id = account.id;
        let mut spot = account.spot_orders.all().into_iter().map(|id| self.spot_orders.get(&id));
        let mut futures = account.futures_orders.all().into_iter();
        let mut loans = account.open_loans.iter().map(|id| self.loans.get(*id));
        let mut positions = account.positions.iter();
        spot.all(|order| order.is_some_and(|order| order.account == id))
            && futures.all(|order| {
                self.futures_orders.get(&order).is_some_and(|order| order.account == id)
            })
            && loans.all(|loan| loan.is_some_and(|loan| loan.account == id))
            && positions.all(|((symbol, _), position)| {
                self.futures.get(symbol).is_some_and(|market| {
                    let quote = &market.rules.quote;
                    position.margin.is_none_or(|margin| self.ledger.is_balance(margin, quote))
                })
            })
    }

    /// The orders have accounts, markets and wallets, and numbers that are not given again.
    fn check_orders(&self) -> Result<(), Inconsistent> {
        let spot = self.spot_orders.values().all(|order| {
            self.accounts.contains_key(&order.account)
                && order.id.0 <= self.counters.last_spot_order()
                && self.has_order_wallets(order)
        });
        check(spot, "a spot order lacks its account, market or wallet")?;
        let futures = self.futures_orders.values().all(|order| {
            self.accounts.contains_key(&order.account)
                && order.id.0 <= self.counters.last_futures_order()
                && self.futures.contains_key(&order.request.symbol)
        });
        check(futures, "a futures order lacks its account or contract")
    }

    fn has_order_wallets(&self, order: &SpotOrder) -> bool {
        let Some(market) = self.spot.get(&order.request.symbol) else { return false };
        let (base, quote) = (&market.rules.base, &market.rules.quote);
        let buys = order.request.side == crate::book::Side::Buy;
        let (from, into) = if buys { (quote, base) } else { (base, quote) };
        self.ledger.is_wallet(order.paid_from, from)
            && order.paid_into.is_none_or(|wallet| self.ledger.is_wallet(wallet, into))
    }

    /// The books contain exactly the open orders.
    fn check_books(&self) -> Result<(), Inconsistent> {
        let reason = "a book and the open orders of its market differ";
        let mut orders = 0;
        for (symbol, market) in &self.spot {
            let rules = &market.rules;
            check(rules.symbol == *symbol, "a pair has two symbols")?;
            let decimals = rules.price_decimals.max(rules.size_decimals);
            check(decimals <= DECIMALS, "a pair has too many decimals")?;
            let agrees = |one: BookOrder| {
                self.spot_orders.get(&one.id).is_some_and(|order| {
                    order.state.is_open()
                        && order.request.symbol == *symbol
                        && (order.account, order.request.side) == (one.account, one.side)
                        && (order.request.price, order.open_size()) == (one.price, one.open_size)
                })
            };
            orders += count(&market.book, agrees).ok_or(Inconsistent(reason))?;
        }
        let open = self.spot_orders.values().filter(|order| order.state.is_open()).count();
        check(orders == open, reason)?;
        let mut orders = 0;
        for (symbol, market) in &self.futures {
            let rules = &market.rules;
            check(rules.symbol == *symbol, "a contract has two symbols")?;
            check(rules.price_decimals <= DECIMALS, "a contract has too many decimals")?;
            check(!rules.brackets.is_empty(), "a contract has no leverage brackets")?;
            let agrees = |one: BookOrder| {
                self.futures_orders.get(&one.id).is_some_and(|order| {
                    order.open
                        && order.request.symbol == *symbol
                        && order.account == one.account
                        && order.request.side.book_side() == one.side
                        && (order.request.price, order.left()) == (Some(one.price), one.open_size)
                })
            };
            orders += count(&market.book, agrees).ok_or(Inconsistent(reason))?;
        }
        let open = self.futures_orders.values().filter(|order| order.open).count();
        check(orders == open, reason)
    }
}

/// The number of orders in a book, or `None` if one of them does not agree.
fn count(book: &Book, agrees: impl Fn(BookOrder) -> bool) -> Option<usize> {
    let fits = |one: BookOrder| one.open_size > Decimal::ZERO && agrees(one);
    (book.is_consistent() && book.orders().all(fits)).then(|| book.orders().count())
}
