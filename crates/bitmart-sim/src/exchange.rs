//! The state of the exchange. Each part is changed by its own module; `views` is how others read it.

mod counters;
mod views;

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

pub(crate) use self::counters::Counters;
use crate::{
    Event, SpotMarket,
    account::{Account, WalletKind},
    control::{HaltedMarkets, MAX_BALANCE},
    event::EventQueue,
    futures::{FuturesMarket, settings::Countdowns, transactions::Transaction},
    futures_order::{FuturesFill, FuturesOrder},
    kept_rows::KeptRows,
    ledger::{HouseBook, Ledger},
    margin::{Loan, Repayment, checks::MarginChecks},
    operator::OperatorSettings,
    order_map::OrderMap,
    payment::{Payment, RecentWithdrawals},
    request_numbers::RequestNumbers,
    row_log::RowLog,
    savings::Savings,
    schedule::Schedule,
    setup::{NewAccount, Setup, StartingBalances},
    spot_order::{SpotFill, SpotOrder, TradesOfOrders},
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

/// The whole state of the exchange.
///
/// Commands change it ([`Exchange::apply`](Self::apply)); everything else reads it:
///
/// - accounts and wallets: [`accounts`](Self::accounts), [`account`](Self::account), [`wallet`](Self::wallet),
///   [`collateral`](Self::collateral);
/// - markets with their books, trades and candles: [`spot_markets`](Self::spot_markets),
///   [`spot_market`](Self::spot_market), [`futures_markets`](Self::futures_markets),
///   [`futures_market`](Self::futures_market);
/// - orders and fills: [`spot_order`](Self::spot_order), [`futures_order`](Self::futures_order),
///   [`spot_fills`](Self::spot_fills), [`futures_fills`](Self::futures_fills);
/// - the other parts: [`triggers`](Self::triggers), [`savings`](Self::savings), [`loans`](Self::loans),
///   [`transfers`](Self::transfers), [`transactions`](Self::transactions),
///   [`operator_settings`](Self::operator_settings);
/// - all money in double entry: [`ledger`](Self::ledger).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exchange {
    /// Accounts of customers, and the two of the exchange: [`MAKER`] and [`TAKER`].
    pub(crate) accounts: BTreeMap<AccountId, Account>,
    /// Spot markets by pair, such as `BTC_USDT`.
    pub(crate) spot: BTreeMap<SmolStr, SpotMarket>,
    /// Futures markets by contract, such as `BTCUSDT`.
    pub(crate) futures: BTreeMap<SmolStr, FuturesMarket>,
    /// Open and kept spot orders.
    pub(crate) spot_orders: OrderMap<SpotOrder>,
    /// Open and kept futures orders, without trigger orders.
    pub(crate) futures_orders: OrderMap<FuturesOrder>,
    /// The latest fills of spot orders, oldest first.
    pub(crate) spot_fills: RowLog<SpotFill>,
    /// The trades of each kept order.
    pub(crate) spot_trades: TradesOfOrders,
    /// The latest fills of futures orders, oldest first.
    pub(crate) futures_fills: RowLog<FuturesFill>,
    /// Deposits and withdrawals by number: those in progress, and the latest finished ones.
    #[serde(rename = "fundings")]
    pub(crate) payments: KeptRows<Payment>,
    /// Withdrawals that count towards the withdrawal quota.
    #[serde(default)]
    pub(crate) recent_withdrawals: RecentWithdrawals,
    /// Loans of margin accounts by number: the open ones, and the latest repaid ones.
    pub(crate) loans: KeptRows<Loan>,
    /// The latest repayments of loans, oldest first.
    pub(crate) repayments: RowLog<Repayment>,
    /// Holdings and movements of savings.
    #[serde(rename = "earn")]
    pub(crate) savings: Savings,
    /// Markets that accept no orders.
    pub(crate) halted: HaltedMarkets,
    /// Settings of the operator: frozen accounts, delisted contracts, closed currencies, addresses, networks.
    #[serde(default)]
    #[serde(rename = "decisions")]
    pub(crate) operator_settings: OperatorSettings,
    /// Tasks by the time at which they are due.
    #[serde(rename = "agenda")]
    pub(crate) schedule: Schedule,
    /// The second up to which index and mark prices are sampled.
    pub(crate) sampled_s: u64,
    /// The latest transfers, oldest first.
    pub(crate) transfers: RowLog<Transfer>,
    /// The latest `requestNo` values of transfers between accounts, by caller.
    pub(crate) request_numbers: RequestNumbers,
    /// All money of the exchange and its customers.
    pub(crate) ledger: Ledger,
    /// When the countdown that cancels the orders of an account in a contract ends.
    pub(crate) countdowns: Countdowns,
    /// The latest transactions of futures wallets, oldest first.
    #[serde(rename = "flows")]
    pub(crate) transactions: RowLog<Transaction>,
    /// Open and kept trigger orders.
    pub(crate) triggers: Triggers,
    /// The latest numbers of orders, trades and rows.
    pub(crate) counters: Counters,
    /// What happened since the caller last took the events.
    #[serde(skip)]
    pub(crate) events: EventQueue,
    /// Which margin accounts must be compared with the liquidation rate.
    #[serde(skip)]
    pub(crate) margin_checks: MarginChecks,
    /// No lower number from 1 on is unused: accounts are never removed. The search for the next number begins here.
    #[serde(skip, default = "first_account")]
    pub(crate) lowest_unused_account: u32,
    /// The simulated market makers, those of spot pairs first.
    pub(crate) makers: Vec<crate::market_maker::Maker>,
    /// Source of the candles from before the start; `None` without market makers.
    #[serde(rename = "before", default)]
    pub(crate) history_source: Option<crate::candle_history::HistorySource>,
    /// How many finished orders of an account are kept per market.
    #[serde(rename = "remembered", default = "default_history_limit")]
    pub(crate) history_limit: usize,
}

fn default_history_limit() -> usize {
    crate::account::DEFAULT_HISTORY_LIMIT
}

/// The lowest number of an account that is opened without one.
fn first_account() -> u32 {
    1
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
            spot_fills: RowLog::default(),
            spot_trades: TradesOfOrders::default(),
            futures_fills: RowLog::default(),
            payments: KeptRows::default(),
            recent_withdrawals: RecentWithdrawals::default(),
            loans: KeptRows::default(),
            repayments: RowLog::default(),
            savings: Savings::default(),
            halted: HaltedMarkets::default(),
            operator_settings: OperatorSettings::default(),
            schedule: Schedule::default(),
            sampled_s: 0,
            transfers: RowLog::default(),
            request_numbers: RequestNumbers::default(),
            ledger: Ledger::new(),
            countdowns: Countdowns::default(),
            transactions: RowLog::default(),
            triggers: Triggers::default(),
            counters: Counters::new(),
            events: EventQueue::default(),
            margin_checks: MarginChecks::default(),
            lowest_unused_account: first_account(),
            makers: Vec::new(),
            history_source: None,
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
        let available = self.ensure_wallet(account, kind, currency).available();
        let change = amount - self.ledger.amount(available);
        self.ledger.pay_from_house(HouseBook::Grants, available, change);
    }

    /// Returns the events since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        if self.events.has_unchecked() {
            self.triggers.require_check();
        }
        self.events.take()
    }

    /// Whether an account is one of the two of the exchange.
    pub(crate) fn is_house(id: AccountId) -> bool {
        id == MAKER || id == TAKER
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

// Rule: Money has 8 decimals and is rounded down. Source: simplified (the samples have 8 decimals)
/// Rounds an amount of money towards zero, to 8 decimals.
pub(crate) fn round_down(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(8, RoundingStrategy::ToZero)
}

/// Returns the value of a size at a price, both with at most 8 decimals. A value above 7e12 may have more digits than a
/// number holds: it is rounded towards zero, where a product of numbers is rounded to the nearest one. The fills of an
/// order could otherwise cost more than it has frozen.
pub(crate) fn value_of(price: Decimal, size: Decimal) -> Decimal {
    let product = price * size;
    if product.scale() == price.scale() + size.scale() {
        return product;
    }
    value_in_units(price, size).unwrap_or(product)
}

/// Returns a value rounded to 8 decimals, or `None` when even that has too many digits.
#[cold]
fn value_in_units(mut price: Decimal, mut size: Decimal) -> Option<Decimal> {
    const UNITS: i128 = 100_000_000;
    price.rescale(DECIMALS);
    size.rescale(DECIMALS);
    let (price, size) = (price.mantissa(), size.mantissa());
    let (whole, fraction) = (size / UNITS, size % UNITS);
    let value = price.checked_mul(whole)?.checked_add(price.checked_mul(fraction)? / UNITS)?;
    Decimal::try_from_i128_with_scale(value, DECIMALS).ok()
}
