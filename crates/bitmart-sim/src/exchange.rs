//! The state of the exchange and its events.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    SpotMarket,
    account::{Account, Purse},
    agenda::Due,
    earn::Earn,
    funding::Funding,
    futures::{FuturesMarket, flows::Flow},
    futures_order::{FuturesFill, FuturesOrder},
    ledger::{House, Ledger},
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

// Rule: Ids of spot orders have 18 digits, those of futures 15. Source: documented (one sample each, endpoint
// spot_order and endpoint futures_submit_order); simplified (others of futures have 16 and 17 digits)
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

// Rule: Ten times as many trades and flows as orders are kept. Source: simplified (memory)
/// Trades and flows kept for queries for each finished order that an account remembers; older ones are
/// forgotten.
const FILLS: usize = 10;

/// Something the outside may want to hear of, in the order in which it happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Two orders of a pair traded.
    SpotTrade {
        /// The pair, such as `BTC_USDT`.
        symbol: SmolStr,
        /// The trade as all customers see it.
        trade: PublicTrade,
    },
    /// A spot order of a customer was placed, filled, or ended.
    SpotOrder {
        /// The order after the change.
        order: Box<SpotOrder>,
        /// The trade that changed it, if one did.
        fill: Option<Box<SpotFill>>,
    },
    /// Balances of a spot wallet changed.
    SpotBalance {
        /// The owner of the wallet.
        account: AccountId,
        /// What changed them.
        reason: BalanceReason,
        /// The currencies whose balances changed.
        currencies: Vec<SmolStr>,
    },
    /// Two orders of a contract traded.
    FuturesTrade {
        /// The contract, such as `BTCUSDT`.
        symbol: SmolStr,
        /// The trade as all customers see it.
        trade: PublicTrade,
    },
    /// A futures order of a customer was placed, changed, filled, or ended.
    FuturesOrder {
        /// The order after the change.
        order: Box<FuturesOrder>,
        /// What changed it.
        action: FuturesAction,
        /// The trade that changed it, if one did.
        fill: Option<Box<FuturesFill>>,
    },
    /// A futures order that waits for a price was submitted, changed, or ended.
    FuturesPlan {
        /// The waiting order after the change.
        plan: Box<Trigger<Plan>>,
        /// [`FuturesAction::Submitted`] also when it changed or became an order.
        action: FuturesAction,
    },
    /// The balance of a futures wallet may have changed.
    FuturesAsset {
        /// The owner of the wallet.
        account: AccountId,
        /// The currency whose balance changed.
        currency: SmolStr,
    },
    /// A position changed, or the contracts of it that closing orders bind.
    FuturesPosition {
        /// The owner of the position.
        account: AccountId,
        /// The contract, such as `BTCUSDT`.
        symbol: SmolStr,
        /// The direction: long, or else short.
        long: bool,
    },
}

/// Why a spot balance changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BalanceReason {
    /// An order that the spot wallet pays was filled.
    Trade,
    /// Money came from outside, from another account's withdrawal, or from the operator.
    Deposit,
    /// Money was bound for a withdrawal, left, or came back because the withdrawal failed.
    Withdrawal,
    /// Money moved from or to another wallet, or savings.
    Transfer,
}

/// What happened to a futures order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FuturesAction {
    /// A customer's order was filled, in part or completely.
    Fill,
    /// It was placed, or its terms were changed.
    Submitted,
    /// Its owner or a rule of the exchange cancelled what was left.
    Cancelled,
    /// It was cancelled because the margin of its account was used up.
    CancelledByLiquidation,
    /// An order that closes a position by force was filled at the market.
    Liquidated,
    /// The house took over what the market did not take of a position closed by force.
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
    /// Customers, and the two house accounts [`MAKER`] and [`FLOW`].
    pub accounts: BTreeMap<AccountId, Account>,
    /// By pair, such as `BTC_USDT`.
    pub spot: BTreeMap<SmolStr, SpotMarket>,
    /// By contract, such as `BTCUSDT`.
    pub futures: BTreeMap<SmolStr, FuturesMarket>,
    /// Open ones, and those that an account remembers.
    pub spot_orders: OrderMap<SpotOrder>,
    /// Open ones, and those that an account remembers, without those that wait for a price.
    pub futures_orders: OrderMap<FuturesOrder>,
    /// By trade, oldest first.
    pub spot_fills: VecDeque<SpotFill>,
    /// The trades of each remembered order.
    pub(crate) spot_trades: IdMap<OrderId, Vec<u64>>,
    /// By trade, oldest first.
    pub futures_fills: VecDeque<FuturesFill>,
    pub(crate) fundings: BTreeMap<u64, Funding>,
    /// Loans of margin accounts by number, also those that are paid back.
    pub loans: BTreeMap<u64, Loan>,
    /// Oldest first.
    pub repayments: Vec<Repayment>,
    /// Holdings and movements of savings.
    pub earn: Earn,
    /// Markets that take no orders.
    pub halted: BTreeSet<SmolStr>,
    /// What the operator has decided about accounts, contracts, currencies, addresses and networks.
    #[serde(default)]
    pub decisions: Decisions,
    pub(crate) agenda: BTreeSet<(u64, Due)>,
    /// The second up to which index and mark prices are sampled.
    pub(crate) sampled_s: u64,
    /// By time, oldest first.
    pub transfers: VecDeque<Transfer>,
    /// The `requestNo`s of transfers between accounts, by who used them.
    pub(crate) request_numbers: BTreeSet<(AccountId, SmolStr)>,
    /// All money.
    pub(crate) ledger: Ledger,
    /// When the open orders of an account in a contract are cancelled.
    #[serde(with = "crate::rows")]
    pub(crate) countdowns: BTreeMap<(AccountId, SmolStr), u64>,
    /// The latest flows of futures wallets, oldest first.
    pub flows: VecDeque<Flow>,
    /// Orders that wait for a price, and the remembered ones that did.
    pub triggers: Triggers,
    pub(crate) counters: Counters,
    #[serde(skip)]
    pub(crate) events: Vec<Event>,
    /// How many of the events the triggers have seen.
    #[serde(skip)]
    pub(crate) noticed: usize,
    pub(crate) makers: Vec<crate::maker::Maker>,
    /// Where the candles from before the exchange come from; none without a market maker.
    #[serde(default)]
    pub(crate) before: Option<crate::history::Before>,
    /// Finished orders that an account remembers in one market.
    #[serde(default = "remembered_by_default")]
    pub(crate) remembered: usize,
}

fn remembered_by_default() -> usize {
    crate::account::HISTORY
}

impl Exchange {
    /// Creates an exchange as it is at `now_ms`, in milliseconds since 1970. The same setup and time give the same
    /// state.
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
            ledger: Ledger::new(),
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
            before: None,
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
        if self.accounts.contains_key(&id) {
            return;
        }
        self.accounts.insert(id, Account { main, ..Account::new(id, false) });
        if main.is_some() {
            return;
        }
        for (purse, rows) in [(Purse::Spot, &funds.spot), (Purse::Futures, &funds.futures)] {
            for (currency, amount) in rows {
                self.grant(id, purse, &currency.into(), *amount);
            }
        }
    }

    pub(crate) fn open_house(&mut self) {
        let plenty = Decimal::from(1_000_000_000_000_u64);
        for id in [MAKER, FLOW] {
            self.accounts.insert(id, Account::new(id, true));
            let spot = self.spot.values().map(|market| &market.rules);
            let spot = spot.flat_map(|rules| [&rules.base, &rules.quote]);
            let futures = self.futures.values().map(|market| &market.rules.quote);
            let spot = spot.map(|currency| (Purse::Spot, currency.clone()));
            let futures = futures.map(|currency| (Purse::Futures, currency.clone()));
            for (purse, currency) in spot.chain(futures).collect::<Vec<_>>() {
                self.grant(id, purse, &currency, plenty);
            }
        }
    }

    /// Sets what is free in a wallet with money from outside, or takes what is too much.
    pub(crate) fn grant(
        &mut self,
        account: AccountId,
        purse: Purse,
        currency: &SmolStr,
        amount: Decimal,
    ) {
        let place = self.open_wallet(account, purse, currency).available();
        let missing = amount - self.ledger.amount(place);
        self.ledger.draw(House::Grants, place, missing);
    }

    /// All money.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
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

// Rule: Money has 8 decimals and is cut in favour of the payer. Source: simplified (the samples have 8
// decimals)
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
