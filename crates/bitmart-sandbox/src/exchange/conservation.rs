//! What must hold whatever happens: no money appears or vanishes, balances stay positive, books stay
//! uncrossed, states move forward, and the same seed and inputs give the same ledger, byte by byte.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use rust_decimal::Decimal;
use smol_str::SmolStr;

use super::{
    AccountId, Event, Exchange, OrderId,
    account::{Account, Purse, Wallet},
    book::{SelfTrade, Side},
    funding::{FundingState, NewWithdrawal},
    futures_order::{FuturesSide, Mode, NewFuturesOrder},
    margin::Sum,
    order::State,
    tests::spot_order,
    transfer::{End, NewTransfer},
};
use crate::{config::Config, keys::ApiKey};

const START_MS: u64 = 1_700_000_000_000;
const CURRENCIES: [&str; 3] = ["USDT", "BTC", "ETH"];
const PAIRS: [&str; 2] = ["BTC_USDT", "ETH_USDT"];

/// A limit order on spot or margin, a market order, or one of the other kinds.
#[derive(Debug, Clone)]
struct Spot {
    margin: bool,
    buy: bool,
    kind: usize,
    stp: usize,
    price: i64,
    lots: i64,
}

#[derive(Debug, Clone)]
struct Futures {
    side: usize,
    mode: usize,
    stp: usize,
    price: Option<i64>,
    size: i64,
    leverage: u32,
}

/// One thing that an account or the market does.
#[derive(Debug, Clone)]
enum Step {
    Spot(Spot),
    CancelSpot(usize),
    Futures(Futures),
    CancelFutures(usize),
    Deposit { currency: usize, cents: i64 },
    Withdraw { currency: usize, cents: i64, source: usize, fails: bool },
    Transfer { to: u32, purses: (usize, usize), currency: usize, cents: i64, number: u8 },
    Margin { pair: usize, base: bool, cents: i64, into: bool },
    Borrow { pair: usize, base: bool, cents: i64 },
    Repay { pair: usize, base: bool, cents: i64 },
    Wait { seconds: u64 },
    Market,
}

fn spot() -> impl Strategy<Value = Step> {
    (any::<bool>(), any::<bool>(), 0..4_usize, 0..4_usize, -40..40_i64, 1..200_i64).prop_map(
        |(margin, buy, kind, stp, price, lots)| {
            Step::Spot(Spot { margin, buy, kind, stp, price, lots })
        },
    )
}

fn futures() -> impl Strategy<Value = Step> {
    let price = proptest::option::of(-40..40_i64);
    (0..4_usize, 0..4_usize, 0..3_usize, price, 1..300_i64, 1..50_u32).prop_map(
        |(side, mode, stp, price, size, leverage)| {
            Step::Futures(Futures { side, mode, stp, price, size, leverage })
        },
    )
}

/// The account that acts, and what it does.
fn step() -> impl Strategy<Value = (u32, Step)> {
    let cents = || 1..200_000_i64;
    let side = || (0..PAIRS.len(), any::<bool>(), cents());
    let step = prop_oneof![
        8 => spot(),
        3 => any::<usize>().prop_map(Step::CancelSpot),
        6 => futures(),
        2 => any::<usize>().prop_map(Step::CancelFutures),
        1 => (0..3_usize, cents()).prop_map(|(currency, cents)| Step::Deposit { currency, cents }),
        2 => (0..3_usize, cents(), 0..3_usize, any::<bool>()).prop_map(
            |(currency, cents, source, fails)| Step::Withdraw { currency, cents, source, fails }
        ),
        6 => (1..5_u32, (0..3_usize, 0..3_usize), 0..3_usize, cents(), any::<u8>()).prop_map(
            |(to, purses, currency, cents, number)| Step::Transfer {
                to, purses, currency, cents, number,
            }
        ),
        4 => (side(), any::<bool>()).prop_map(
            |((pair, base, cents), into)| Step::Margin { pair, base, cents, into }
        ),
        3 => side().prop_map(|(pair, base, cents)| Step::Borrow { pair, base, cents }),
        3 => side().prop_map(|(pair, base, cents)| Step::Repay { pair, base, cents }),
        3 => (1..10_000_u64).prop_map(|seconds| Step::Wait { seconds }),
        2 => Just(Step::Market),
    ];
    (1..5_u32, step)
}

/// Accounts 1 and 2, and the sub-accounts 3 and 4 of the first.
fn config(seed: u64) -> Config {
    let mut config = Config::new().seed(seed).stepped_clock(START_MS);
    config.pairs.truncate(PAIRS.len());
    config.contracts.truncate(1);
    config
        .api_key(ApiKey::new("a", "a", "a"))
        .api_key(ApiKey::new("b", "b", "b").account(2))
        .api_key(ApiKey::new("c", "c", "c").sub_account(3, 1))
        .api_key(ApiKey::new("d", "d", "d").sub_account(4, 1))
        .spot_balance("USDT", Decimal::from(30_000))
        .futures_balance("USDT", Decimal::from(3_000))
}

/// Coins are dear: a cent of them is a hundred-thousandth.
fn money(currency: &str, cents: i64) -> Decimal {
    Decimal::new(cents, if currency == "USDT" { 2 } else { 5 })
}

fn sum(pair: usize, base: bool, cents: i64) -> Sum {
    let symbol = PAIRS[pair];
    let currency = symbol.split('_').nth(usize::from(!base)).expect("two halves");
    Sum { symbol: symbol.into(), currency: currency.into(), amount: money(currency, cents) }
}

/// Runs a step. A refusal is fine: what must hold is checked after it.
fn run(exchange: &mut Exchange, account: u32, step: &Step, now_ms: &mut u64) {
    let account = AccountId(account);
    *now_ms += if let Step::Wait { seconds } = step { seconds * 1_000 } else { 50 };
    let now_ms = *now_ms;
    exchange.settle_due(now_ms);
    match step.clone() {
        Step::Spot(Spot { margin, buy, kind, stp, price, lots }) => {
            let mut request = spot_order(buy, kind, stp, price, lots);
            request.margin = margin;
            let _ = exchange.place_spot(account, request, now_ms);
        }
        Step::CancelSpot(pick) => {
            let own = exchange.account(account).spot_orders.all();
            if let Some(id) = own.get(pick % own.len().max(1)) {
                let _ = exchange.cancel_spot(account, *id, now_ms);
            }
        }
        Step::Futures(order) => {
            let _ = exchange.place_futures(account, futures_order(&order), now_ms);
        }
        Step::CancelFutures(pick) => {
            let own = exchange.account(account).futures_orders.all();
            if let Some(id) = own.get(pick % own.len().max(1)) {
                let _ = exchange.cancel_futures(account, *id, now_ms);
            }
        }
        Step::Deposit { currency, cents } => {
            let currency = CURRENCIES[currency];
            let _ = exchange.deposit(account, currency, money(currency, cents), now_ms);
        }
        Step::Withdraw { currency, cents, source, fails } => {
            let currency = CURRENCIES[currency];
            let request = NewWithdrawal {
                currency: format!("{currency}-TRC20").into(),
                amount: money(currency, cents),
                address: if fails { "fail" } else { "T1" }.to_owned(),
                address_memo: String::new(),
                source: [None, Some(Purse::Spot), Some(Purse::Fund)][source],
            };
            let _ = exchange.withdraw(account, request, now_ms);
        }
        Step::Transfer { to, purses, currency, cents, number } => {
            let purse = |at: usize| [Purse::Spot, Purse::Fund, Purse::Futures][at];
            let request = NewTransfer {
                from: End { account, purse: purse(purses.0) },
                to: End { account: AccountId(to), purse: purse(purses.1) },
                currency: CURRENCIES[currency].into(),
                amount: money(CURRENCIES[currency], cents),
                short: 61001,
            };
            let number = number.to_string().into();
            let _ = exchange.transfer_between(account, number, request, now_ms);
        }
        Step::Margin { pair, base, cents, into } => {
            let _ = exchange.transfer_margin(account, sum(pair, base, cents), into);
        }
        Step::Borrow { pair, base, cents } => {
            let _ = exchange.borrow(account, sum(pair, base, cents), now_ms);
        }
        Step::Repay { pair, base, cents } => {
            let mut sum = sum(pair, base, cents);
            let debt = exchange.debt(account, &sum.symbol, &sum.currency).total();
            sum.amount = sum.amount.min(debt);
            let _ = exchange.repay(account, sum, now_ms);
        }
        Step::Wait { .. } => {}
        Step::Market => exchange.step_market(now_ms),
    }
}

fn futures_order(order: &Futures) -> NewFuturesOrder {
    use FuturesSide::{CloseLong, CloseShort, OpenLong, OpenShort};
    use Mode::{FillOrKill, GoodTilCancelled, ImmediateOrCancel, MakerOnly};
    use SelfTrade::{CancelBoth, CancelMaker, CancelTaker};
    NewFuturesOrder {
        symbol: "BTCUSDT".into(),
        side: [OpenLong, CloseShort, CloseLong, OpenShort][order.side],
        price: order.price.map(|price| Decimal::from(60_000 + price)),
        size: Decimal::from(order.size),
        mode: [GoodTilCancelled, FillOrKill, ImmediateOrCancel, MakerOnly][order.mode],
        leverage: order.leverage,
        isolated: false,
        client_id: None,
        stp: [CancelMaker, CancelTaker, CancelBoth][order.stp],
    }
}

/// Every wallet of an account with its name and currency.
fn wallets(account: &Account) -> impl Iterator<Item = (String, &SmolStr, &Wallet)> {
    let plain = [("spot", &account.spot), ("fund", &account.fund), ("futures", &account.futures)];
    let plain = plain.into_iter().flat_map(|(name, wallets)| {
        wallets.iter().map(move |(currency, wallet)| (name.to_owned(), currency, wallet))
    });
    let margin = account.margin.iter();
    plain.chain(margin.map(|((symbol, currency), wallet)| (symbol.to_string(), currency, wallet)))
}

/// All money that was put in, as it is found now: wallets, margin of positions, and what they won or
/// lost at any one price, fees and withdrawals; less what the house lent, paid for losses, and what was
/// deposited since.
fn put_in(exchange: &Exchange) -> BTreeMap<SmolStr, Decimal> {
    let mut all: BTreeMap<SmolStr, Decimal> = BTreeMap::new();
    for account in exchange.accounts.values() {
        for (_, currency, wallet) in wallets(account) {
            *all.entry(currency.clone()).or_default() += wallet.available + wallet.frozen;
        }
        for ((symbol, long), position) in &account.positions {
            let quote = exchange.futures[symbol].rules.quote.clone();
            let cost = if *long { -position.cost } else { position.cost };
            *all.entry(quote).or_default() += position.margin + cost;
        }
    }
    for (currency, amount) in &exchange.collected {
        *all.entry(currency.clone()).or_default() += amount;
    }
    for gone in [&exchange.insured, &exchange.lent, &exchange.deposited] {
        for (currency, amount) in gone {
            *all.entry(currency.clone()).or_default() -= amount;
        }
    }
    all.retain(|_, amount| !amount.is_zero());
    all
}

fn check(exchange: &Exchange) -> Result<(), TestCaseError> {
    for account in exchange.accounts.values().filter(|account| !account.house) {
        for (name, currency, wallet) in wallets(account) {
            prop_assert!(wallet.available >= Decimal::ZERO, "{name} {currency} {wallet:?}");
            prop_assert!(wallet.frozen >= Decimal::ZERO, "{name} {currency} {wallet:?}");
        }
        for position in account.positions.values() {
            prop_assert!(position.size >= Decimal::ZERO && position.margin >= Decimal::ZERO);
            prop_assert!(position.closing >= Decimal::ZERO && position.closing <= position.size);
        }
    }
    let spot = exchange.spot.values().map(|market| &market.book);
    for book in spot.chain(exchange.futures.values().map(|market| &market.book)) {
        if let (Some(bid), Some(ask)) = (book.best_bid(), book.best_ask()) {
            prop_assert!(bid.0 < ask.0, "crossed: {} {}", bid.0, ask.0);
        }
    }
    let mut lent: BTreeMap<SmolStr, Decimal> = BTreeMap::new();
    for loan in exchange.loans.values() {
        prop_assert!(loan.owed.interest >= Decimal::ZERO && loan.owed.principal <= loan.amount);
        *lent.entry(loan.currency.clone()).or_default() += loan.owed.principal;
    }
    for (currency, amount) in &exchange.lent {
        prop_assert_eq!(lent.get(currency), Some(amount));
    }
    Ok(())
}

/// What open orders and withdrawals hold is what the wallets have frozen, wallet by wallet.
fn check_frozen(exchange: &Exchange) -> Result<(), TestCaseError> {
    let mut held: BTreeMap<(AccountId, String, SmolStr), Decimal> = BTreeMap::new();
    let mut hold = |account, wallet: &str, currency: &SmolStr, amount| {
        *held.entry((account, wallet.to_owned(), currency.clone())).or_default() += amount;
    };
    for order in exchange.spot_orders.values() {
        let (request, rules) = (&order.request, &exchange.spot[&order.request.symbol].rules);
        let currency = if request.side == Side::Buy { &rules.quote } else { &rules.base };
        let wallet = if request.margin { request.symbol.as_str() } else { "spot" };
        prop_assert!(order.state.is_open() || order.reserved.is_zero());
        hold(order.account, wallet, currency, order.reserved);
    }
    for order in exchange.futures_orders.values() {
        prop_assert!(order.open || order.reserved.is_zero());
        let quote = &exchange.futures[&order.request.symbol].rules.quote;
        hold(order.account, "futures", quote, order.reserved);
    }
    for row in exchange.fundings.values().filter(|row| !row.deposit) {
        if ![FundingState::Done, FundingState::Failed].contains(&row.state) {
            hold(row.account, "spot", &row.plain, row.from_spot);
            hold(row.account, "fund", &row.plain, row.amount - row.from_spot);
        }
    }
    for account in exchange.accounts.values() {
        for (name, currency, wallet) in wallets(account) {
            let held = held.remove(&(account.id, name.clone(), currency.clone()));
            prop_assert_eq!(held.unwrap_or_default(), wallet.frozen, "{} {}", name, currency);
        }
    }
    prop_assert!(held.values().all(Decimal::is_zero), "held by no wallet: {held:?}");
    Ok(())
}

/// What was last heard of each order.
#[derive(Debug, Default)]
struct Heard {
    spot: HashMap<OrderId, State>,
    futures: HashMap<OrderId, bool>,
}

impl Heard {
    /// States move forward, and nothing is heard of a finished order.
    fn hear(&mut self, events: Vec<Event>) -> Result<(), TestCaseError> {
        for event in events {
            match event {
                Event::SpotOrder { order, .. } => {
                    let before = self.spot.insert(order.id, order.state).unwrap_or(State::New);
                    let forward = before <= order.state && before.is_open();
                    prop_assert!(forward, "{before:?} became {:?}", order.state);
                }
                Event::FuturesOrder { order, .. } => {
                    let was_open = self.futures.insert(order.id, order.open).unwrap_or(true);
                    prop_assert!(was_open, "a finished futures order moved");
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Everything that happened, as text.
fn ledger(seed: u64, steps: &[(u32, Step)]) -> String {
    let (mut exchange, mut now_ms) = (Exchange::new(&config(seed), START_MS), START_MS);
    for (account, step) in steps {
        run(&mut exchange, *account, step, &mut now_ms);
    }
    let events = exchange.take_events();
    let orders = (exchange.ledger_fills(), exchange.ledger_orders(), exchange.ledger_balances());
    let money = (&exchange.fundings, &exchange.transfers, &exchange.loans, &exchange.repayments);
    let totals = (&exchange.collected, &exchange.deposited, &exchange.lent, &exchange.insured);
    format!("{events:?}\n{orders:?}\n{money:?}\n{totals:?}")
}

proptest! {
    // About 50,000 operations.
    #![proptest_config(ProptestConfig { cases: 100, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn money_is_conserved_over_random_operations(
        seed in any::<u64>(),
        steps in proptest::collection::vec(step(), 1..1_000),
    ) {
        let (mut exchange, mut now_ms) = (Exchange::new(&config(seed), START_MS), START_MS);
        let (before, mut heard) = (put_in(&exchange), Heard::default());
        for (account, step) in &steps {
            run(&mut exchange, *account, step, &mut now_ms);
            check(&exchange)?;
            prop_assert_eq!(&put_in(&exchange), &before);
            heard.hear(exchange.take_events())?;
        }
        check_frozen(&exchange)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn same_seed_and_steps_give_the_same_ledger(
        seed in any::<u64>(),
        steps in proptest::collection::vec(step(), 1..200),
    ) {
        prop_assert_eq!(ledger(seed, &steps), ledger(seed, &steps));
    }
}

/// The generator must reach what it is to test: a run whose steps are all refused proves nothing.
#[test]
fn random_operations_do_something() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let steps = proptest::collection::vec(step(), 3_000).new_tree(&mut runner).expect("steps");
    let (mut exchange, mut now_ms) = (Exchange::new(&config(1), START_MS), START_MS);
    for (account, step) in steps.current() {
        run(&mut exchange, account, &step, &mut now_ms);
    }
    let paid_interest = exchange.repayments.iter().any(|row| !row.paid.interest.is_zero());
    let states: Vec<_> = exchange.fundings.values().map(|row| (row.deposit, row.state)).collect();
    let margin_fill = exchange.spot_fills.iter().any(|fill| fill.request.margin);
    assert!(paid_interest && margin_fill && exchange.loans.len() > 10, "{states:?}");
    for state in
        [(true, FundingState::Done), (false, FundingState::Done), (false, FundingState::Failed)]
    {
        assert!(states.contains(&state), "{state:?}");
    }
    let between = exchange.transfers.iter().filter(|row| row.is_between_accounts()).count();
    assert!(between > 50 && exchange.spot_fills.len() > 300 && exchange.futures_fills.len() > 300);
}
