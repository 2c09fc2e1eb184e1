//! Invariants after every command, and at the end of a run.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::prelude::*;
use rust_decimal::Decimal;
use smol_str::SmolStr;

use super::{margins, triggers};
use crate::{
    AccountId, Exchange, OrderId,
    account::Account,
    book::Side,
    ledger::{HouseBook, Wallet},
    payment::PaymentState,
    position::PositionSide,
    value_of,
};

/// Returns all wallets of an account with name and currency.
pub(super) fn wallets<'a>(
    exchange: &'a Exchange,
    account: &'a Account,
) -> impl Iterator<Item = (String, &'a SmolStr, Wallet)> {
    let plain =
        [("spot", &account.spot), ("fund", &account.funding), ("futures", &account.futures)];
    let plain = plain.into_iter().flat_map(|(name, wallets)| {
        wallets.iter().map(move |(currency, wallet)| (name.to_owned(), currency, *wallet))
    });
    let margin = account.margin.iter();
    let margin = margin.map(|((symbol, currency), wallet)| (symbol.to_string(), currency, *wallet));
    plain.chain(margin).map(|(name, currency, id)| (name, currency, exchange.ledger.wallet(id)))
}

/// Returns the sums by currency that are not zero.
pub(super) fn sums<'a>(
    rows: impl IntoIterator<Item = (&'a SmolStr, Decimal)>,
) -> BTreeMap<&'a SmolStr, Decimal> {
    let mut sums = BTreeMap::new();
    for (currency, amount) in rows {
        *sums.entry(currency).or_insert(Decimal::ZERO) += amount;
    }
    sums.retain(|_, sum: &mut Decimal| !sum.is_zero());
    sums
}

pub(super) fn book(exchange: &Exchange, wanted: HouseBook) -> BTreeMap<&SmolStr, Decimal> {
    let books = exchange.ledger.books().filter(|row| row.1 == wanted);
    sums(books.map(|(currency, _, amount)| (currency, amount)))
}

/// The balances of every currency add up to zero, and the books agree with the records of loans, savings and
/// positions. No money is in transit.
pub(super) fn check_ledger(exchange: &Exchange) -> Result<(), TestCaseError> {
    for (currency, sum) in exchange.ledger.sums() {
        prop_assert_eq!(sum, Decimal::ZERO, "{}", currency);
    }
    prop_assert_eq!(book(exchange, HouseBook::Clearing), BTreeMap::new());
    prop_assert_eq!(exchange.check_consistency(), Ok(()));
    let loans = exchange.loans.values();
    let owed = sums(loans.map(|loan| (&loan.currency, -loan.owed.principal)));
    prop_assert_eq!(book(exchange, HouseBook::Loans), owed);
    let savings = exchange.accounts.values().flat_map(|account| &account.savings);
    let saved = sums(savings.map(|(currency, place)| (currency, exchange.ledger.amount(*place))));
    let holdings = exchange.savings.holdings();
    let held = sums(holdings.map(|one| (&one.product.currency, one.amount)));
    prop_assert_eq!(saved, held);
    // Every contract was bought by one account and sold by another at the same price.
    let positions = exchange.accounts.values().flat_map(|account| &account.positions);
    let costs = positions.map(|((symbol, side), position)| {
        let quote = &exchange.futures[symbol].rules.quote;
        (quote, if side.is_long() { -position.cost } else { position.cost })
    });
    prop_assert_eq!(book(exchange, HouseBook::Profit), sums(costs));
    Ok(())
}

/// The transactions of a customer explain all changes of its futures wallet and the margin of its positions.
pub(super) fn check_transactions(
    exchange: &Exchange,
    before: &Exchange,
) -> Result<(), TestCaseError> {
    let held = |exchange: &Exchange, account: &AccountId| -> Decimal {
        let money = exchange.collateral(*account, &"USDT".into());
        money.cash + money.frozen + money.margin()
    };
    let mut sums: BTreeMap<AccountId, Decimal> = BTreeMap::new();
    for row in exchange.transactions() {
        *sums.entry(row.account).or_default() += row.amount;
    }
    for account in before.accounts.values().filter(|account| !account.house) {
        let sum = sums.get(&account.id).copied().unwrap_or_default();
        prop_assert_eq!(held(exchange, &account.id), held(before, &account.id) + sum);
    }
    Ok(())
}

pub(super) fn is_backed(exchange: &Exchange, account: &Account, wallet: &Wallet) -> bool {
    let money = exchange.collateral(account.id, &"USDT".into());
    let cross = account.open_positions().any(|row| !row.2.margin_type.is_isolated());
    money.withdrawable().is_zero() && (cross || !wallet.frozen.is_zero())
}

pub(super) fn check(exchange: &Exchange) -> Result<(), TestCaseError> {
    for account in exchange.accounts.values().filter(|account| !account.house) {
        for (name, currency, wallet) in wallets(exchange, account) {
            // A futures wallet may be negative when cross positions or orders back it.
            let backed = name == "futures" && is_backed(exchange, account, &wallet);
            prop_assert!(
                wallet.available >= Decimal::ZERO || backed,
                "{name} {currency} {wallet:?}"
            );
            prop_assert!(wallet.frozen >= Decimal::ZERO, "{name} {currency} {wallet:?}");
        }
        for position in account.positions.values() {
            let margin = position.margin(&exchange.ledger);
            prop_assert!(position.size >= Decimal::ZERO && margin >= Decimal::ZERO);
            prop_assert!(position.closing >= Decimal::ZERO && position.closing <= position.size);
        }
        let contracts: BTreeSet<_> = account.open_positions().map(|row| row.0).collect();
        let nets = !account.one_way || contracts.len() == account.open_positions().count();
        prop_assert!(nets, "long and short in one-way mode");
    }
    let spot = exchange.spot.values().map(|market| &market.book);
    for book in spot.chain(exchange.futures.values().map(|market| &market.book)) {
        if let (Some(bid), Some(ask)) = (book.best_bid(), book.best_ask()) {
            prop_assert!(bid.0 < ask.0, "crossed: {} {}", bid.0, ask.0);
        }
    }
    for holding in exchange.savings.holdings() {
        prop_assert!(holding.amount > Decimal::ZERO && holding.profit >= Decimal::ZERO);
    }
    for account in exchange.accounts.keys() {
        let own = exchange.savings.holdings().filter(|holding| holding.account == *account);
        prop_assert!(exchange.savings.holdings_of(*account).eq(own), "the index by account");
        let rows = exchange.payments.values().filter(|row| row.account == *account);
        prop_assert!(exchange.payments.ids_of(*account).eq(rows.map(|row| row.id)), "payments");
        let rows = exchange.loans.values().filter(|row| row.account == *account);
        prop_assert!(exchange.loans.ids_of(*account).eq(rows.map(|row| row.id)), "loans");
    }
    for loan in exchange.loans.values() {
        prop_assert!(loan.owed.interest >= Decimal::ZERO && loan.owed.principal <= loan.amount);
    }
    triggers::check(exchange)?;
    margins::check(exchange)?;
    check_ledger(exchange)
}

/// The frozen balance of each wallet is the sum of the reservations of orders and withdrawals.
pub(super) fn check_frozen(exchange: &Exchange) -> Result<(), TestCaseError> {
    let mut held: BTreeMap<(AccountId, String, SmolStr), Decimal> = BTreeMap::new();
    let mut hold = |account, wallet: &str, currency: &SmolStr, amount| {
        *held.entry((account, wallet.to_owned(), currency.clone())).or_default() += amount;
    };
    for order in exchange.spot_orders.values() {
        let (request, rules) = (&order.request, &exchange.spot[&order.request.symbol].rules);
        let currency = if request.side == Side::Buy { &rules.quote } else { &rules.base };
        let wallet = if request.margin { request.symbol.as_str() } else { "spot" };
        let left = match request.side {
            Side::Buy => {
                Exchange::with_fee(order.account, value_of(request.price, order.open_size()))
            }
            Side::Sell => order.open_size(),
        };
        let needed = if order.state.is_open() { left } else { Decimal::ZERO };
        prop_assert_eq!(order.reserved, needed, "{:?}", order);
        hold(order.account, wallet, currency, order.reserved);
    }
    let mut reserved: BTreeMap<(AccountId, &SmolStr, PositionSide), Decimal> = BTreeMap::new();
    for order in exchange.futures_orders.values() {
        prop_assert!(order.open || (order.reserved.is_zero() && order.closes.is_zero()));
        let key = (order.account, &order.request.symbol, order.request.side.closed_side());
        *reserved.entry(key).or_default() += order.closes;
        let quote = &exchange.futures[&order.request.symbol].rules.quote;
        hold(order.account, "futures", quote, order.reserved);
    }
    for account in exchange.accounts.values().filter(|account| !account.house) {
        for ((symbol, side), position) in &account.positions {
            let closes = reserved.get(&(account.id, symbol, *side)).copied().unwrap_or_default();
            prop_assert_eq!(position.closing, closes, "contracts reserved for orders");
        }
    }
    for row in exchange.payments.values().filter(|row| !row.deposit) {
        if ![PaymentState::Done, PaymentState::Failed].contains(&row.state) {
            hold(row.account, "spot", &row.plain, row.from_spot);
            hold(row.account, "fund", &row.plain, row.amount - row.from_spot);
        }
    }
    for account in exchange.accounts.values() {
        for (name, currency, wallet) in wallets(exchange, account) {
            let held = held.remove(&(account.id, name.clone(), currency.clone()));
            prop_assert_eq!(held.unwrap_or_default(), wallet.frozen, "{} {}", name, currency);
        }
    }
    prop_assert!(held.values().all(Decimal::is_zero), "reservations without a wallet: {held:?}");
    Ok(())
}

/// The fills of an order explain its filled size and value.
pub(super) fn check_fills(exchange: &Exchange) -> Result<(), TestCaseError> {
    let mut filled: HashMap<OrderId, (Decimal, Decimal)> = HashMap::new();
    let spot = exchange.spot_fills.iter().map(|fill| (fill.order, fill.size, fill.price));
    let futures = exchange.futures_fills.iter().map(|fill| (fill.order, fill.size, fill.price));
    for (order, size, price) in spot.chain(futures) {
        let sum = filled.entry(order).or_default();
        *sum = (sum.0 + size, sum.1 + size * price);
    }
    let orders = exchange.spot_orders.values();
    let spot =
        orders.map(|order| (order.id, order.account, order.filled_size, order.filled_notional));
    let orders = exchange.futures_orders.values();
    let futures = orders.map(|order| (order.id, order.account, order.filled, order.filled_value));
    for (id, account, size, value) in spot.chain(futures) {
        if !Exchange::is_house(account) {
            prop_assert_eq!(filled.get(&id).copied().unwrap_or_default(), (size, value));
        }
    }
    Ok(())
}
