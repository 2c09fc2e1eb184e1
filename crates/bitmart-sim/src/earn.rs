//! Savings: flexible ones, which can be redeemed at any time, and fixed ones, which are locked for some
//! days.
//!
//! Only the names of the fields are known (endpoints newearn/…). What is offered, when interest is paid
//! and what an early redemption costs is made up: see "What is simplified" in the README.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, BalanceReason, Exchange,
    account::Purse,
    agenda::Due,
    cut, keep_latest,
    ledger::House,
    next,
    reject::{Reject, Source},
};

const DAY_MS: u64 = 86_400_000;
// Rule: Interest of a day is a 365th of that of a year. Source: invented (no source says it)
/// Days that the rate of a year is divided by.
const YEAR: Decimal = Decimal::from_parts(365, 0, 0, false, 0);
// Rule: One subscription is from 0.001 to 1,000,000 units. Source: invented (the samples have no figures)
/// Smallest subscription, in units of its currency.
pub const LEAST: Decimal = Decimal::from_parts(1, 0, 0, false, 3);
/// Largest subscription, in units of its currency.
pub const MOST: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);
// Rule: Every currency has a flexible saving at 2 %, and fixed ones of 7 days at 4 % and 30 days at 6 %.
// Source: invented (the samples have no figures)
/// What every currency is offered for: days it is locked, and hundredths of a year's interest.
const OFFERS: [(Option<u32>, i64); 3] = [(None, 2), (Some(7), 4), (Some(30), 6)];
const FIRST_PRODUCT: u32 = 1_001;

/// Something to put money into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// From 1001, counted over all products of the exchange.
    pub id: u32,
    /// What is paid in, and what interest is paid in.
    pub currency: SmolStr,
    /// None for flexible savings.
    pub lock_days: Option<u32>,
    /// Interest of a year, as a ratio.
    pub apy: Decimal,
}

impl Product {
    fn interest(&self, amount: Decimal, days: u32) -> Decimal {
        cut(amount * self.apy * Decimal::from(days) / YEAR)
    }
}

/// What happens to a fixed saving at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Renewal {
    /// The money goes back to the spot wallet.
    Off,
    /// The money goes into the flexible product of the same currency.
    Flexible,
    /// The money is locked again in the same product.
    Fixed,
}

/// Money that is saved. An account has at most one flexible holding of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Number of the holding, from the same count as that of records.
    pub id: u64,
    /// Who saves.
    pub account: AccountId,
    /// The terms, as they were when the money was paid in.
    pub product: Product,
    /// Money saved, without interest, in units of the currency.
    pub amount: Decimal,
    /// All interest so far, in units of the currency.
    pub profit: Decimal,
    /// The last interest paid, in units of the currency.
    pub latest_profit: Decimal,
    /// What happens at the end; without effect on flexible savings.
    pub renewal: Renewal,
    /// When it began, in milliseconds since 1970. Later payments into a flexible holding do not change it.
    pub time_ms: u64,
}

impl Holding {
    /// When a fixed saving ends.
    pub fn ends_ms(&self) -> u64 {
        let days = self.product.lock_days.unwrap_or_default();
        self.time_ms.saturating_add(u64::from(days) * DAY_MS)
    }

    /// What a fixed saving pays at its end.
    pub fn whole_interest(&self) -> Decimal {
        self.product.interest(self.amount, self.product.lock_days.unwrap_or_default())
    }
}

/// What a movement of saved money was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SavingAct {
    /// From the spot wallet into a product.
    Subscribe,
    /// From a product back to the spot wallet, by request or at the end of a fixed saving.
    Redeem,
    /// Interest, from the exchange to the spot wallet.
    Interest,
}

/// One movement of saved money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavingRecord {
    /// Number of the record, from the same count as that of holdings.
    pub id: u64,
    /// Whose money moved.
    pub account: AccountId,
    /// Why it moved.
    pub act: SavingAct,
    /// Where it was saved.
    pub product: Product,
    /// Units of the currency, always above zero.
    pub amount: Decimal,
    /// The `requestNo` of the call; none for what happened by itself.
    pub number: Option<SmolStr>,
    /// Milliseconds since 1970.
    pub time_ms: u64,
}

/// All savings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earn {
    /// By number. A holding without money is removed.
    pub holdings: BTreeMap<u64, Holding>,
    /// By time, oldest first.
    pub records: VecDeque<SavingRecord>,
    numbers: BTreeSet<(AccountId, SmolStr)>,
    /// Accounts with the global switch for automatic saving on.
    pub automatic: BTreeSet<AccountId>,
    /// Accounts with the number of a product for which automatic saving is on.
    pub automatic_products: BTreeSet<(AccountId, u32)>,
    last_id: u64,
}

impl Earn {
    pub(crate) fn set_automatic(&mut self, account: AccountId, product: Option<u32>, on: bool) {
        match (product, on) {
            (None, true) => drop(self.automatic.insert(account)),
            (None, false) => drop(self.automatic.remove(&account)),
            (Some(product), true) => drop(self.automatic_products.insert((account, product))),
            (Some(product), false) => drop(self.automatic_products.remove(&(account, product))),
        }
    }

    /// The holdings of an account: the flexible or the fixed ones.
    pub fn of(&self, account: AccountId, fixed: bool) -> impl Iterator<Item = &Holding> {
        let own = self.holdings.values().filter(move |holding| holding.account == account);
        own.filter(move |holding| holding.product.lock_days.is_some() == fixed)
    }
}

/// A call that moves money. Its number makes it idempotent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saver {
    /// Who saves or redeems.
    pub account: AccountId,
    /// The `requestNo`; a request with one that the account has used before has no effect.
    pub number: SmolStr,
}

impl Exchange {
    /// What is offered: the same for every currency of the spot market.
    pub fn products(&self) -> Vec<Product> {
        let markets = self.spot.values().map(|market| &market.rules);
        let currencies: BTreeSet<_> =
            markets.flat_map(|rules| [&rules.base, &rules.quote]).collect();
        let offers =
            currencies.into_iter().flat_map(|currency| OFFERS.map(|offer| (currency, offer)));
        let product =
            |(id, (currency, (lock_days, rate))): (u32, (&SmolStr, (Option<u32>, i64)))| Product {
                id,
                currency: currency.clone(),
                lock_days,
                apy: Decimal::new(rate, 2),
            };
        (FIRST_PRODUCT..).zip(offers).map(product).collect()
    }

    // Rule: A number of a request works once; sent again it succeeds without effect. Source: simplified
    // (endpoint earn_subscribe_flexible names the field only)
    /// Puts money from the spot wallet into a product. `renewal` is that of a fixed one.
    pub(crate) fn subscribe_saving(
        &mut self,
        saver: Saver,
        product: u32,
        amount: Decimal,
        renewal: Renewal,
        now_ms: u64,
    ) -> Result<(), Reject> {
        let products = self.products();
        let product = products.into_iter().find(|one| one.id == product);
        let product = product.ok_or(Reject::UnknownProduct)?;
        let Saver { account, number } = saver;
        if self.earn.numbers.contains(&(account, number.clone())) {
            return Ok(());
        }
        if !(LEAST..=MOST).contains(&amount) {
            return Err(Reject::SavingAmount);
        }
        let free = self.wallet(account, Purse::Spot, &product.currency).available;
        if free < amount {
            return Err(Reject::insufficient(Source::Spot, &product.currency, free, amount));
        }
        let wallet = self.open_wallet(account, Purse::Spot, &product.currency).available();
        let savings = self.open_savings(account, &product.currency);
        self.ledger.post(wallet, savings, amount);
        self.tell_balance(account, BalanceReason::Transfer, &product.currency);
        self.open_saving(account, product, amount, renewal, Some(number.clone()), now_ms);
        self.earn.numbers.insert((account, number));
        Ok(())
    }

    // Rule: An early redemption of a fixed saving costs its interest. Source: invented (no source says it)
    /// Takes money out: a part of a flexible saving, or all of a fixed one before its end, which costs
    /// its interest.
    pub(crate) fn redeem_saving(
        &mut self,
        saver: Saver,
        id: u64,
        part: Option<Decimal>,
        now_ms: u64,
    ) -> Result<(), Reject> {
        let Saver { account, number } = saver;
        if self.earn.numbers.contains(&(account, number.clone())) {
            return Ok(());
        }
        let own = |holding: &&mut Holding| {
            holding.account == account && holding.product.lock_days.is_none() == part.is_some()
        };
        let holding = self.earn.holdings.get_mut(&id).filter(own);
        let holding = holding.ok_or(Reject::UnknownSaving)?;
        let amount = part.unwrap_or(holding.amount);
        if amount > holding.amount {
            let (currency, free) = (&holding.product.currency, holding.amount);
            return Err(Reject::insufficient(Source::Saving, currency, free, amount));
        }
        holding.amount -= amount;
        let (product, is_over) = (holding.product.clone(), holding.amount.is_zero());
        if is_over {
            self.earn.holdings.remove(&id);
        }
        self.earn.numbers.insert((account, number.clone()));
        self.pay_saving(account, product, SavingAct::Redeem, amount, Some(number), now_ms);
        Ok(())
    }

    /// Says what is to happen at the end of a fixed saving.
    pub(crate) fn set_renewal(
        &mut self,
        account: AccountId,
        id: u64,
        renewal: Renewal,
    ) -> Result<(), Reject> {
        let own = |one: &&mut Holding| one.account == account && one.product.lock_days.is_some();
        let holding = self.earn.holdings.get_mut(&id).filter(own);
        holding.ok_or(Reject::UnknownSaving)?.renewal = renewal;
        Ok(())
    }

    /// Adds to a holding, or opens one. The money is with the savings of the account already.
    fn open_saving(
        &mut self,
        account: AccountId,
        product: Product,
        amount: Decimal,
        renewal: Renewal,
        number: Option<SmolStr>,
        now_ms: u64,
    ) {
        self.note_saving(account, product.clone(), SavingAct::Subscribe, amount, number, now_ms);
        let same = |one: &&mut Holding| one.account == account && one.product == product;
        let flexible = product.lock_days.is_none();
        if let Some(holding) = self.earn.holdings.values_mut().find(same).filter(|_| flexible) {
            holding.amount += amount;
            return;
        }
        let id = next(&mut self.earn.last_id);
        let (profit, latest_profit) = (Decimal::ZERO, Decimal::ZERO);
        let holding = Holding {
            id,
            account,
            product,
            amount,
            profit,
            latest_profit,
            renewal,
            time_ms: now_ms,
        };
        let due_ms = if flexible { now_ms.saturating_add(DAY_MS) } else { holding.ends_ms() };
        self.earn.holdings.insert(id, holding);
        self.schedule(due_ms, Due::Saving(id));
    }

    // Rule: Flexible savings pay interest every 24 hours, fixed ones at their end. Source: invented (no source
    // says it)
    /// Pays a day's interest of a flexible saving, or ends a fixed one.
    pub(super) fn settle_saving(&mut self, id: u64, at_ms: u64) {
        let Some(holding) = self.earn.holdings.get_mut(&id) else { return };
        let (account, product) = (holding.account, holding.product.clone());
        let interest = match product.lock_days {
            None => product.interest(holding.amount, 1),
            Some(_) => holding.whole_interest(),
        };
        holding.profit += interest;
        holding.latest_profit = interest;
        if product.lock_days.is_none() {
            self.schedule(at_ms.saturating_add(DAY_MS), Due::Saving(id));
        } else {
            self.end_saving(id, at_ms);
        }
        if interest > Decimal::ZERO {
            self.pay_saving(account, product, SavingAct::Interest, interest, None, at_ms);
        }
    }

    /// Gives the money of a fixed saving back, or saves it again.
    fn end_saving(&mut self, id: u64, at_ms: u64) {
        let Some(Holding { account, product, amount, renewal, .. }) =
            self.earn.holdings.remove(&id)
        else {
            return;
        };
        let flexible = || {
            let same = |one: &Product| one.currency == product.currency && one.lock_days.is_none();
            self.products().into_iter().find(same)
        };
        let again = match renewal {
            Renewal::Off => None,
            Renewal::Flexible => flexible(),
            Renewal::Fixed => Some(product.clone()),
        };
        match again {
            Some(again) => {
                // Rule: A saving that is renewed is redeemed and subscribed anew. Source: invented (no source says it)
                self.note_saving(account, product, SavingAct::Redeem, amount, None, at_ms);
                self.open_saving(account, again, amount, renewal, None, at_ms);
            }
            None => self.pay_saving(account, product, SavingAct::Redeem, amount, None, at_ms),
        }
    }

    /// Pays into the spot wallet: interest from the house, the rest from what was saved.
    fn pay_saving(
        &mut self,
        account: AccountId,
        product: Product,
        act: SavingAct,
        amount: Decimal,
        number: Option<SmolStr>,
        now_ms: u64,
    ) {
        let wallet = self.open_wallet(account, Purse::Spot, &product.currency).available();
        if act == SavingAct::Interest {
            self.ledger.draw(House::Interest, wallet, amount);
        } else {
            let savings = self.open_savings(account, &product.currency);
            self.ledger.post(savings, wallet, amount);
        }
        self.tell_balance(account, BalanceReason::Transfer, &product.currency);
        self.note_saving(account, product, act, amount, number, now_ms);
    }

    fn note_saving(
        &mut self,
        account: AccountId,
        product: Product,
        act: SavingAct,
        amount: Decimal,
        number: Option<SmolStr>,
        time_ms: u64,
    ) {
        let id = next(&mut self.earn.last_id);
        let row = SavingRecord { id, account, act, product, amount, number, time_ms };
        keep_latest(&mut self.earn.records, row, self.remembered);
    }
}
