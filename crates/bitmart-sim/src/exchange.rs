//! The state of the exchange.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    Event, SpotMarket,
    account::{Account, WalletKind},
    control::MAX_BALANCE,
    futures::{FuturesMarket, transactions::Transaction},
    futures_order::{FuturesFill, FuturesOrder},
    kept_rows::KeptRows,
    ledger::{HouseBook, Ledger},
    margin::{Loan, Repayment, checks::MarginChecks},
    operator::OperatorDecisions,
    order_map::OrderMap,
    payment::{Payment, RecentWithdrawals},
    request_numbers::RequestNumbers,
    savings::Savings,
    schedule::Task,
    setup::{NewAccount, Setup, StartingBalances},
    slab::IdMap,
    spot_order::{SpotFill, SpotOrder},
    transfer::Transfer,
    trigger::Triggers,
};

/// Number of an account. The two accounts of the exchange itself, [`MAKER`] and [`TAKER`], have the highest numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountId(pub u32);

/// The account of the simulated market makers.
pub const MAKER: AccountId = AccountId(u32::MAX);
/// The account of the simulated takers, who send market orders.
pub const TAKER: AccountId = AccountId(u32::MAX - 1);

// Rule: Ids of spot orders have 18 digits, those of futures 15. Source: documented (one sample each, endpoint
// spot_order and endpoint futures_submit_order); simplified (others of futures have 16 and 17 digits)
/// Number of an order. As on BitMart, spot ids have 18 digits. Futures ids have 15, so that they are exact as JSON
/// numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrderId(pub u64);

const FIRST_SPOT_ORDER: u64 = 118_100_034_543_000_000;
const FIRST_FUTURES_ORDER: u64 = 220_609_666_000_000;
const FIRST_SPOT_TRADE: u64 = 125_277_182_593_000_000;
const FIRST_FUTURES_TRADE: u64 = 1_409_000_000;
const FIRST_TRANSACTION: u64 = 9_689_000_000;
const FIRST_PAYMENT: u64 = 1_679_000;
const FIRST_LOAN: u64 = 133_000;
const FIRST_TRANSFER: u64 = 664_651_258_694_000_000;

// Rule: Ten times as many trades, transactions, transfers, repayments and records of savings as orders are kept.
// Source: simplified (memory)
/// How many of these rows are kept, for each order of the history limit.
const ROWS_PER_ORDER: usize = 10;

/// The latest number of each kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Counters {
    pub(crate) spot_order: u64,
    pub(crate) futures_order: u64,
    pub(crate) spot_trade: u64,
    pub(crate) futures_trade: u64,
    pub(crate) flow: u64,
    pub(crate) funding: u64,
    pub(crate) transfer: u64,
    pub(crate) loan: u64,
}

/// The whole state of the exchange.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exchange {
    /// Accounts of customers, and the two of the exchange: [`MAKER`] and [`TAKER`].
    pub accounts: BTreeMap<AccountId, Account>,
    /// Spot markets by pair, such as `BTC_USDT`.
    pub spot: BTreeMap<SmolStr, SpotMarket>,
    /// Futures markets by contract, such as `BTCUSDT`.
    pub futures: BTreeMap<SmolStr, FuturesMarket>,
    /// Open and kept spot orders.
    pub spot_orders: OrderMap<SpotOrder>,
    /// Open and kept futures orders, without trigger orders.
    pub futures_orders: OrderMap<FuturesOrder>,
    /// The latest fills of spot orders, oldest first.
    pub spot_fills: VecDeque<SpotFill>,
    /// The trades of each kept order.
    pub(crate) spot_trades: IdMap<OrderId, VecDeque<u64>>,
    /// The latest fills of futures orders, oldest first.
    pub futures_fills: VecDeque<FuturesFill>,
    /// Deposits and withdrawals by number: those in progress, and the latest finished ones.
    #[serde(rename = "fundings")]
    pub(crate) payments: KeptRows<Payment>,
    /// What counts towards the withdrawal quota.
    #[serde(default)]
    pub(crate) recent_withdrawals: RecentWithdrawals,
    /// Loans of margin accounts by number: the open ones, and the latest repaid ones.
    pub loans: KeptRows<Loan>,
    /// The latest repayments of loans, oldest first.
    pub repayments: VecDeque<Repayment>,
    /// Holdings and movements of savings.
    #[serde(rename = "earn")]
    pub savings: Savings,
    /// Markets that accept no orders.
    pub halted: BTreeSet<SmolStr>,
    /// Settings of the operator: frozen accounts, delisted contracts, closed currencies, addresses, networks.
    #[serde(default)]
    pub decisions: OperatorDecisions,
    /// Tasks by the time at which they are due, in milliseconds since 1970.
    #[serde(rename = "agenda")]
    pub(crate) schedule: BTreeSet<(u64, Task)>,
    /// The second up to which index and mark prices are sampled.
    pub(crate) sampled_s: u64,
    /// The latest transfers, oldest first.
    pub transfers: VecDeque<Transfer>,
    /// The latest `requestNo` values of transfers between accounts, by caller.
    pub(crate) request_numbers: RequestNumbers,
    /// All money of the exchange and its customers.
    pub(crate) ledger: Ledger,
    /// When the countdown that cancels the orders of an account in a contract ends.
    #[serde(with = "crate::rows")]
    pub(crate) countdowns: BTreeMap<(AccountId, SmolStr), u64>,
    /// The latest transactions of futures wallets, oldest first.
    #[serde(rename = "flows")]
    pub transactions: VecDeque<Transaction>,
    /// Open and kept trigger orders.
    pub triggers: Triggers,
    pub(crate) counters: Counters,
    #[serde(skip)]
    pub(crate) events: Vec<Event>,
    /// How many of `events` were checked for trigger orders.
    #[serde(skip)]
    pub(crate) events_seen: usize,
    #[serde(skip)]
    pub(crate) margin_checks: MarginChecks,
    pub(crate) makers: Vec<crate::market_maker::Maker>,
    /// Source of the candles from before the start; `None` without market makers.
    #[serde(default)]
    pub(crate) before: Option<crate::candle_history::HistorySource>,
    /// How many finished orders of an account are kept per market.
    #[serde(rename = "remembered", default = "default_history_limit")]
    pub(crate) history_limit: usize,
}

fn default_history_limit() -> usize {
    crate::account::DEFAULT_HISTORY_LIMIT
}

impl Exchange {
    /// Creates an exchange at a time in milliseconds since 1970. The same setup and time give the same state.
    pub fn new(setup: &Setup, now_ms: u64) -> Self {
        let mut exchange = Self {
            accounts: BTreeMap::new(),
            spot: BTreeMap::new(),
            futures: BTreeMap::new(),
            spot_orders: OrderMap::default(),
            futures_orders: OrderMap::default(),
            spot_fills: VecDeque::new(),
            spot_trades: IdMap::default(),
            futures_fills: VecDeque::new(),
            payments: KeptRows::default(),
            recent_withdrawals: RecentWithdrawals::default(),
            loans: KeptRows::default(),
            repayments: VecDeque::new(),
            savings: Savings::default(),
            halted: BTreeSet::new(),
            decisions: OperatorDecisions::default(),
            schedule: BTreeSet::new(),
            sampled_s: 0,
            transfers: VecDeque::new(),
            request_numbers: RequestNumbers::default(),
            ledger: Ledger::new(),
            countdowns: BTreeMap::new(),
            transactions: VecDeque::new(),
            triggers: Triggers::default(),
            counters: Counters {
                spot_order: FIRST_SPOT_ORDER,
                futures_order: FIRST_FUTURES_ORDER,
                spot_trade: FIRST_SPOT_TRADE,
                futures_trade: FIRST_FUTURES_TRADE,
                flow: FIRST_TRANSACTION,
                funding: FIRST_PAYMENT,
                transfer: FIRST_TRANSFER,
                loan: FIRST_LOAN,
            },
            events: Vec::new(),
            events_seen: 0,
            margin_checks: MarginChecks::default(),
            makers: Vec::new(),
            before: None,
            history_limit: setup.history_limit,
        };
        for pair in &setup.pairs {
            let market = SpotMarket::new(pair);
            exchange.spot.insert(market.rules.symbol.clone(), market);
        }
        for contract in &setup.contracts {
            let market = FuturesMarket::new(contract);
            exchange.futures.insert(market.rules.symbol.clone(), market);
        }
        for account in &setup.accounts.accounts {
            exchange.open_account(*account, &setup.accounts.funds);
        }
        exchange.open_exchange_accounts();
        exchange.start_markets(setup, now_ms);
        exchange.start_mark_prices(now_ms);
        exchange.events.clear();
        exchange
    }

    /// Opens an account. A sub-account starts without money.
    pub(crate) fn open_account(
        &mut self,
        NewAccount { id, main }: NewAccount,
        funds: &StartingBalances,
    ) {
        if self.accounts.contains_key(&id) {
            return;
        }
        self.accounts.insert(id, Account { main, ..Account::new(id, false) });
        if main.is_some() {
            return;
        }
        for (kind, rows) in [(WalletKind::Spot, &funds.spot), (WalletKind::Futures, &funds.futures)]
        {
            for (currency, amount) in rows {
                // Commands are checked before; the balances of a setup are limited here.
                let amount = round_down(*amount).clamp(Decimal::ZERO, MAX_BALANCE);
                self.set_available_balance(id, kind, &currency.into(), amount);
            }
        }
    }

    /// Opens the accounts of the exchange itself, with enough money for any trade.
    pub(crate) fn open_exchange_accounts(&mut self) {
        let balance = Decimal::from(1_000_000_000_000_u64);
        for id in [MAKER, TAKER] {
            self.accounts.insert(id, Account::new(id, true));
            let spot = self.spot.values().map(|market| &market.rules);
            let spot = spot.flat_map(|rules| [&rules.base, &rules.quote]);
            let futures = self.futures.values().map(|market| &market.rules.quote);
            let spot = spot.map(|currency| (WalletKind::Spot, currency.clone()));
            let futures = futures.map(|currency| (WalletKind::Futures, currency.clone()));
            for (kind, currency) in spot.chain(futures).collect::<Vec<_>>() {
                self.set_available_balance(id, kind, &currency, balance);
            }
        }
    }

    /// Sets the available balance of a wallet. The difference is booked to [`HouseBook::Grants`].
    pub(crate) fn set_available_balance(
        &mut self,
        account: AccountId,
        kind: WalletKind,
        currency: &SmolStr,
        amount: Decimal,
    ) {
        let place = self.ensure_wallet(account, kind, currency).available();
        let missing = amount - self.ledger.amount(place);
        self.ledger.pay_from_house(HouseBook::Grants, place, missing);
    }

    /// Returns the ledger: all money of the exchange and its customers.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Returns the events since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        if self.events_seen < self.events.len() {
            self.triggers.require_check();
        }
        self.events_seen = 0;
        // Capacity for the events of most commands, to avoid later allocations.
        let next = Vec::with_capacity(8);
        std::mem::replace(&mut self.events, next)
    }

    pub(crate) fn is_house(id: AccountId) -> bool {
        id == MAKER || id == TAKER
    }

    /// Returns an account, or `None` when it does not exist.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id)
    }

    /// Returns an account, which is created empty when missing. Callers have checked that it exists.
    pub(crate) fn account_mut(&mut self, id: AccountId) -> &mut Account {
        account_entry(&mut self.accounts, id)
    }

    /// Returns whether some pair or contract uses this currency.
    pub fn is_currency(&self, currency: &str) -> bool {
        let mut contracts = self.futures.values();
        self.can_hold(WalletKind::Spot, currency)
            || contracts.any(|market| market.rules.base == currency)
    }

    /// Returns the price of a currency in US dollars: its last price in USDT, which counts as one dollar.
    pub fn usd_price(&self, currency: &str) -> Decimal {
        let market = self.spot.get(format!("{currency}_USDT").as_str());
        let last = market.and_then(|market| market.tape.last_price());
        if currency == "USDT" { Decimal::ONE } else { last.unwrap_or_default() }
    }
}

/// Like [`Exchange::account_mut`], for callers that borrow another field of the exchange at the same time.
pub(crate) fn account_entry(
    accounts: &mut BTreeMap<AccountId, Account>,
    id: AccountId,
) -> &mut Account {
    accounts.entry(id).or_insert_with(|| Account::new(id, Exchange::is_house(id)))
}

/// Largest number of decimals of a price or size.
pub const DECIMALS: u32 = 8;

/// Limits a configured price or contract size to a range in which products cannot overflow.
pub(crate) fn clamp_configured(value: Decimal, decimals: u32) -> Decimal {
    value.round_dp(decimals).clamp(Decimal::new(1, decimals), Decimal::from(1_000_000_000))
}

/// Increments a counter and returns it.
pub(crate) fn next_number(counter: &mut u64) -> u64 {
    *counter += 1;
    *counter
}

// Rule: Money has 8 decimals and is rounded down. Source: simplified (the samples have 8 decimals)
/// Rounds an amount of money towards zero, to 8 decimals.
pub(crate) fn round_down(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(8, RoundingStrategy::ToZero)
}

/// Adds a row. Removes and returns the oldest one when more rows than the history limit allows are kept.
pub(crate) fn keep_latest<T>(rows: &mut VecDeque<T>, row: T, history_limit: usize) -> Option<T> {
    let is_full = rows.len() >= history_limit.saturating_mul(ROWS_PER_ORDER);
    let oldest = if is_full { rows.pop_front() } else { None };
    rows.push_back(row);
    oldest
}
