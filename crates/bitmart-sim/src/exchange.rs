//! The state of the exchange and its events.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    SpotMarket,
    account::Account,
    agenda::Due,
    earn::Earn,
    funding::Funding,
    futures::{FuturesMarket, flows::Flow},
    futures_order::{FuturesFill, FuturesOrder},
    margin::{Loan, Repayment},
    operator::Decisions,
    order::{SpotFill, SpotOrder},
    order_map::OrderMap,
    setup::{Funds, NewAccount, Setup},
    slab::IdMap,
    tape::PublicTrade,
    transfer::Transfer,
    trigger::{Plan, Trigger, Triggers},
};

/// Number of an account. House accounts have the two highest numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountId(pub u32);

impl AccountId {
    /// The user name, which sub-account endpoints go by.
    pub fn name(self) -> String {
        format!("account{}@sandbox.test", self.0)
    }
}

/// The account whose quotes make the market.
pub const MAKER: AccountId = AccountId(u32::MAX);
/// The account whose market orders make the tape move.
pub const FLOW: AccountId = AccountId(u32::MAX - 1);

/// Number of an order. Spot ids have 18 digits as on the venue, futures ids 15, so that they fit
/// into a JSON number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrderId(pub u64);

const FIRST_SPOT_ORDER: u64 = 118_100_034_543_000_000;
const FIRST_FUTURES_ORDER: u64 = 220_609_666_000_000;
const FIRST_SPOT_TRADE: u64 = 125_277_182_593_000_000;
const FIRST_FUTURES_TRADE: u64 = 1_409_000_000;
const FIRST_FLOW: u64 = 9_689_000_000;
const FIRST_FUNDING_RECORD: u64 = 1_679_000;
const FIRST_LOAN: u64 = 133_000;
const FIRST_TRANSFER: u64 = 664_651_258_694_000_000;

/// Trades and flows kept for queries for each finished order that an account remembers; older ones are
/// forgotten.
const FILLS: usize = 10;

/// Something the outside may want to hear of, in the order in which it happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    SpotTrade { symbol: SmolStr, trade: PublicTrade },
    SpotOrder { order: Box<SpotOrder>, fill: Option<Box<SpotFill>> },
    SpotBalance { account: AccountId, reason: BalanceReason, currencies: Vec<SmolStr> },
    FuturesTrade { symbol: SmolStr, trade: PublicTrade },
    FuturesOrder { order: Box<FuturesOrder>, action: FuturesAction, fill: Option<Box<FuturesFill>> },
    FuturesPlan { plan: Box<Trigger<Plan>>, action: FuturesAction },
    FuturesAsset { account: AccountId, currency: SmolStr },
    FuturesPosition { account: AccountId, symbol: SmolStr, long: bool },
}

/// Why a spot balance changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BalanceReason {
    Trade,
    Deposit,
    Withdrawal,
    Transfer,
}

/// What happened to a futures order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FuturesAction {
    Fill,
    Submitted,
    Cancelled,
    CancelledByLiquidation,
    Liquidated,
    Bankrupt,
}

/// Next numbers to give out.
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
    pub accounts: BTreeMap<AccountId, Account>,
    pub spot: BTreeMap<SmolStr, SpotMarket>,
    pub futures: BTreeMap<SmolStr, FuturesMarket>,
    pub spot_orders: OrderMap<SpotOrder>,
    pub futures_orders: OrderMap<FuturesOrder>,
    /// By trade, oldest first.
    pub spot_fills: VecDeque<SpotFill>,
    /// The trades of each remembered order.
    pub(crate) spot_trades: IdMap<OrderId, Vec<u64>>,
    pub futures_fills: VecDeque<FuturesFill>,
    pub fundings: BTreeMap<u64, Funding>,
    pub loans: BTreeMap<u64, Loan>,
    pub repayments: Vec<Repayment>,
    pub earn: Earn,
    /// Markets that take no orders.
    pub halted: BTreeSet<SmolStr>,
    #[serde(default)]
    pub decisions: Decisions,
    pub(crate) agenda: BTreeSet<(u64, Due)>,
    /// The second up to which index and mark prices are sampled.
    pub(crate) sampled_s: u64,
    /// By time, oldest first.
    pub transfers: VecDeque<Transfer>,
    /// The `requestNo`s of transfers between accounts, by who used them.
    pub(crate) request_numbers: BTreeSet<(AccountId, SmolStr)>,
    /// Deposits that arrived, by currency.
    pub deposited: BTreeMap<SmolStr, Decimal>,
    /// Principal of loans that is not paid back, by currency.
    pub lent: BTreeMap<SmolStr, Decimal>,
    /// Fees, interest taken and money withdrawn, by currency: what left the wallets for good. What
    /// control put into wallets counts against it.
    pub collected: BTreeMap<SmolStr, Decimal>,
    /// When the open orders of an account in a contract are cancelled.
    #[serde(with = "crate::rows")]
    pub(crate) countdowns: BTreeMap<(AccountId, SmolStr), u64>,
    /// The latest flows of futures wallets, oldest first.
    pub flows: VecDeque<Flow>,
    /// Losses beyond an account's money, of futures and of loans, paid by the house.
    pub insured: BTreeMap<SmolStr, Decimal>,
    pub triggers: Triggers,
    pub(crate) counters: Counters,
    #[serde(skip)]
    pub(crate) events: Vec<Event>,
    /// How many of the events the triggers have seen.
    #[serde(skip)]
    pub(crate) noticed: usize,
    pub(crate) makers: Vec<crate::maker::Maker>,
    /// Finished orders that an account remembers in one market.
    #[serde(default = "remembered_by_default")]
    pub(crate) remembered: usize,
}

fn remembered_by_default() -> usize {
    crate::account::HISTORY
}

impl Exchange {
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
            fundings: BTreeMap::new(),
            loans: BTreeMap::new(),
            repayments: Vec::new(),
            earn: Earn::default(),
            halted: BTreeSet::new(),
            decisions: Decisions::default(),
            agenda: BTreeSet::new(),
            sampled_s: 0,
            transfers: VecDeque::new(),
            request_numbers: BTreeSet::new(),
            deposited: BTreeMap::new(),
            lent: BTreeMap::new(),
            collected: BTreeMap::new(),
            insured: BTreeMap::new(),
            countdowns: BTreeMap::new(),
            flows: VecDeque::new(),
            triggers: Triggers::default(),
            counters: Counters {
                spot_order: FIRST_SPOT_ORDER,
                futures_order: FIRST_FUTURES_ORDER,
                spot_trade: FIRST_SPOT_TRADE,
                futures_trade: FIRST_FUTURES_TRADE,
                flow: FIRST_FLOW,
                funding: FIRST_FUNDING_RECORD,
                transfer: FIRST_TRANSFER,
                loan: FIRST_LOAN,
            },
            events: Vec::new(),
            noticed: 0,
            makers: Vec::new(),
            remembered: setup.remembered,
        };
        for pair in &setup.pairs {
            let market = SpotMarket::new(pair);
            exchange.spot.insert(market.rules.symbol.clone(), market);
        }
        for contract in &setup.contracts {
            let market = FuturesMarket::new(contract);
            exchange.futures.insert(market.rules.symbol.clone(), market);
        }
        exchange.admit(&setup.customers);
        exchange.open_house();
        exchange.start_markets(setup, now_ms);
        exchange.open_marks(now_ms);
        exchange.events.clear();
        exchange
    }

    /// A sub-account starts empty: its money comes from the main account.
    pub(crate) fn open_account(&mut self, NewAccount { id, main }: NewAccount, funds: &Funds) {
        self.accounts.entry(id).or_insert_with(|| {
            let mut account = Account::new(id, false);
            account.main = main;
            if account.main.is_some() {
                return account;
            }
            for (currency, amount) in &funds.spot {
                account.spot(&currency.into()).available = *amount;
            }
            for (currency, amount) in &funds.futures {
                account.futures(&currency.into()).available = *amount;
            }
            account
        });
    }

    pub(crate) fn open_house(&mut self) {
        let plenty = Decimal::from(1_000_000_000_000_u64);
        for id in [MAKER, FLOW] {
            let mut account = Account::new(id, true);
            for market in self.spot.values() {
                account.spot(&market.rules.base).available = plenty;
                account.spot(&market.rules.quote).available = plenty;
            }
            for market in self.futures.values() {
                account.futures(&market.rules.quote).available = plenty;
            }
            self.accounts.insert(id, account);
        }
    }

    /// The events since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.noticed = 0;
        // Room for those of most commands, so that it need not grow.
        let next = Vec::with_capacity(8);
        std::mem::replace(&mut self.events, next)
    }

    pub(crate) fn is_house(id: AccountId) -> bool {
        id == MAKER || id == FLOW
    }

    /// An account; none when nobody opened it.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id)
    }

    /// The account; created empty when it is not there, which key checks rule out.
    pub(crate) fn account_mut(&mut self, id: AccountId) -> &mut Account {
        owner(&mut self.accounts, id)
    }

    /// What one unit is worth: the last price in USDT, as if that were the dollar.
    pub fn usd(&self, currency: &str) -> Decimal {
        let market = self.spot.get(format!("{currency}_USDT").as_str());
        let last = market.and_then(|market| market.tape.last_price());
        if currency == "USDT" { Decimal::ONE } else { last.unwrap_or_default() }
    }

    pub(crate) fn collect(&mut self, currency: &SmolStr, amount: Decimal) {
        *self.collected.entry(currency.clone()).or_default() += amount;
    }
}

/// As [`Exchange::account_mut`], for callers that have borrowed another part of the exchange.
pub(crate) fn owner(accounts: &mut BTreeMap<AccountId, Account>, id: AccountId) -> &mut Account {
    accounts.entry(id).or_insert_with(|| Account::new(id, Exchange::is_house(id)))
}

/// Most decimals of a price or size.
pub const DECIMALS: u32 = 8;

/// A configured price or contract size in a range where no product can overflow.
pub(crate) fn sane(value: Decimal, decimals: u32) -> Decimal {
    value.round_dp(decimals).clamp(Decimal::new(1, decimals), Decimal::from(1_000_000_000))
}

/// Next number of a counter.
pub(crate) fn next(counter: &mut u64) -> u64 {
    *counter += 1;
    *counter
}

/// Cuts an amount of money to 8 decimals, in favour of the payer.
pub(crate) fn cut(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(8, RoundingStrategy::ToZero)
}

pub(crate) fn keep_latest<T>(rows: &mut VecDeque<T>, row: T, remembered: usize) {
    if rows.len() >= remembered.saturating_mul(FILLS) {
        rows.pop_front();
    }
    rows.push_back(row);
}
