//! Savings (BitMart Earn): flexible ones can be redeemed at any time, fixed ones are locked for some days.
//!
//! BitMart documents only the names of the fields (endpoints newearn/…). Products, times of interest and the cost of
//! an early redemption are invented.

mod holding;
mod product;

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use self::holding::Holdings;
pub use self::{holding::Holding, product::SavingProduct};
use super::{
    AccountId, BalanceReason, Exchange,
    account::WalletKind,
    ledger::HouseBook,
    reject::{Reject, Source},
    request_numbers::RequestNumbers,
    row_log::RowLog,
    schedule::Task,
};

const DAY_MS: u64 = 86_400_000;
// Rule: One subscription is from 0.001 to 1,000,000 units. Source: invented (the samples have no figures)
/// Smallest subscription, in units of its currency.
pub const MIN_SUBSCRIPTION: Decimal = Decimal::from_parts(1, 0, 0, false, 3);
/// Largest subscription, in units of its currency.
pub const MAX_SUBSCRIPTION: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);

/// What happens at the end of fixed savings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Renewal {
    /// The money is paid to the spot wallet.
    Off,
    /// The money is saved in the flexible product of the same currency.
    Flexible,
    /// The money is locked again in the same product.
    Fixed,
}

/// The kind of a savings record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SavingAction {
    /// Money moved from the spot wallet into a product.
    Subscribe,
    /// Money moved from a product to the spot wallet, by request or at the end of fixed savings.
    Redeem,
    /// Interest was paid to the spot wallet.
    Interest,
}

/// A movement of savings or interest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavingRecord {
    /// Number of the record. Holdings and records share one counter.
    pub id: u64,
    /// The owner.
    pub account: AccountId,
    /// What happened.
    #[serde(rename = "act")]
    pub action: SavingAction,
    /// The product.
    pub product: SavingProduct,
    /// Units of the currency, always above zero.
    pub amount: Decimal,
    /// The `requestNo` of the request; `None` for interest and for the end of fixed savings.
    pub number: Option<SmolStr>,
    /// Milliseconds since 1970.
    pub time_ms: u64,
}

/// All savings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Savings {
    holdings: Holdings,
    /// The latest records, oldest first.
    records: RowLog<SavingRecord>,
    /// The latest request numbers of each account.
    numbers: RequestNumbers,
    /// Accounts with automatic saving switched on.
    automatic: BTreeSet<AccountId>,
    /// Accounts and products with automatic saving switched on.
    automatic_products: BTreeSet<(AccountId, u32)>,
    /// The latest number of a holding or record.
    last_id: u64,
}

impl Savings {
    pub(crate) fn set_automatic(&mut self, account: AccountId, product: Option<u32>, on: bool) {
        match (product, on) {
            (None, true) => drop(self.automatic.insert(account)),
            (None, false) => drop(self.automatic.remove(&account)),
            (Some(product), true) => drop(self.automatic_products.insert((account, product))),
            (Some(product), false) => drop(self.automatic_products.remove(&(account, product))),
        }
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Returns the holdings of all accounts, oldest first.
    pub fn holdings(&self) -> impl DoubleEndedIterator<Item = &Holding> + ExactSizeIterator {
        self.holdings.values()
    }

    /// Returns the kept movements and payments of interest of all accounts, oldest first.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = &SavingRecord> + ExactSizeIterator {
        self.records.iter()
    }

    /// Whether an account has switched automatic saving on.
    pub fn is_automatic(&self, account: AccountId) -> bool {
        self.automatic.contains(&account)
    }

    /// Whether an account has switched automatic saving on for a product.
    pub fn is_automatic_for(&self, account: AccountId, product: u32) -> bool {
        self.automatic_products.contains(&(account, product))
    }

    /// Returns the holdings of an account, oldest first.
    pub fn holdings_of(&self, account: AccountId) -> impl Iterator<Item = &Holding> {
        self.holdings.of(account)
    }
}

/// Account and number of a request. A number has an effect only once per account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavingRequest {
    /// The account.
    pub account: AccountId,
    /// The `requestNo`.
    pub number: SmolStr,
}

impl Exchange {
    // Rule: A request number works once; a repeated request succeeds without effect. Source: simplified
    // (endpoint earn_subscribe_flexible names the field only)
    /// Moves money from the spot wallet into a product. `renewal` applies to fixed products.
    pub(crate) fn subscribe_saving(
        &mut self,
        request: SavingRequest,
        product: u32,
        amount: Decimal,
        renewal: Renewal,
        now_ms: u64,
    ) -> Result<(), Reject> {
        let products = self.products();
        let product = products.into_iter().find(|one| one.id == product);
        let product = product.ok_or(Reject::UnknownProduct)?;
        let SavingRequest { account, number } = request;
        if self.savings.numbers.contains(account, &number) {
            return Ok(());
        }
        if !(MIN_SUBSCRIPTION..=MAX_SUBSCRIPTION).contains(&amount) {
            return Err(Reject::SavingAmountOutOfRange);
        }
        let free = self.wallet(account, WalletKind::Spot, &product.currency).available;
        if free < amount {
            return Err(Reject::insufficient(Source::Spot, &product.currency, free, amount));
        }
        let wallet = self.ensure_wallet(account, WalletKind::Spot, &product.currency).available();
        let savings = self.ensure_savings(account, &product.currency);
        self.ledger.post(wallet, savings, amount);
        self.report_balance(account, BalanceReason::Transfer, &product.currency);
        self.open_saving(account, product, amount, renewal, Some(number.clone()), now_ms);
        self.savings.numbers.insert(account, number, self.history_limit);
        Ok(())
    }

    // Rule: An early redemption of fixed savings costs their interest. Source: invented (no source says it)
    /// Redeems a part of flexible savings, or all of fixed savings before their end, without interest.
    pub(crate) fn redeem_saving(
        &mut self,
        request: SavingRequest,
        id: u64,
        part: Option<Decimal>,
        now_ms: u64,
    ) -> Result<(), Reject> {
        let SavingRequest { account, number } = request;
        if self.savings.numbers.contains(account, &number) {
            return Ok(());
        }
        let is_own = |holding: &&mut Holding| {
            holding.account == account && holding.product.lock_days.is_none() == part.is_some()
        };
        let holding = self.savings.holdings.get_mut(id).filter(is_own);
        let holding = holding.ok_or(Reject::UnknownSaving)?;
        let amount = part.unwrap_or(holding.amount);
        if amount > holding.amount {
            let (currency, saved) = (&holding.product.currency, holding.amount);
            return Err(Reject::insufficient(Source::Saving, currency, saved, amount));
        }
        holding.amount -= amount;
        let (product, is_over) = (holding.product.clone(), holding.amount.is_zero());
        if is_over && let Some(ended) = self.savings.holdings.remove(id) {
            self.schedule.remove(ended.due_ms(now_ms), Task::Saving(id));
        }
        self.savings.numbers.insert(account, number.clone(), self.history_limit);
        self.pay_saving(account, product, SavingAction::Redeem, amount, Some(number), now_ms);
        Ok(())
    }

    /// Chooses what happens at the end of fixed savings.
    pub(crate) fn set_renewal(
        &mut self,
        account: AccountId,
        id: u64,
        renewal: Renewal,
    ) -> Result<(), Reject> {
        let is_own = |one: &&mut Holding| one.account == account && one.product.lock_days.is_some();
        let holding = self.savings.holdings.get_mut(id).filter(is_own);
        holding.ok_or(Reject::UnknownSaving)?.renewal = renewal;
        Ok(())
    }

    /// Adds to the holding of a flexible product, or opens a holding. The caller has moved the money.
    fn open_saving(
        &mut self,
        account: AccountId,
        product: SavingProduct,
        amount: Decimal,
        renewal: Renewal,
        number: Option<SmolStr>,
        now_ms: u64,
    ) {
        self.record_saving(
            account,
            product.clone(),
            SavingAction::Subscribe,
            amount,
            number,
            now_ms,
        );
        if product.lock_days.is_none() {
            let same = self.savings.holdings.of(account).find(|one| one.product == product);
            let same = same.map(|holding| holding.id);
            if let Some(holding) = same.and_then(|id| self.savings.holdings.get_mut(id)) {
                holding.amount += amount;
                return;
            }
        }
        let id = self.savings.next_id();
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
        let due_ms = holding.due_ms(now_ms);
        self.savings.holdings.insert(holding);
        self.schedule.add(due_ms, Task::Saving(id));
    }

    // Rule: Flexible savings pay interest every 24 hours, fixed ones at their end. Source: invented (no source
    // says it)
    /// Pays the daily interest of flexible savings, or ends fixed savings.
    pub(super) fn settle_saving(&mut self, id: u64, at_ms: u64) {
        let Some(holding) = self.savings.holdings.get_mut(id) else { return };
        let (account, product) = (holding.account, holding.product.clone());
        let interest = match product.lock_days {
            None => product.interest(holding.amount, 1),
            Some(_) => holding.whole_interest(),
        };
        holding.profit += interest;
        holding.latest_profit = interest;
        if product.lock_days.is_none() {
            self.schedule.add(at_ms.saturating_add(DAY_MS), Task::Saving(id));
        } else {
            self.end_saving(id, at_ms);
        }
        if interest > Decimal::ZERO {
            self.pay_saving(account, product, SavingAction::Interest, interest, None, at_ms);
        }
    }

    /// Ends fixed savings: pays the money out or saves it again.
    fn end_saving(&mut self, id: u64, at_ms: u64) {
        let Some(Holding { account, product, amount, renewal, .. }) =
            self.savings.holdings.remove(id)
        else {
            return;
        };
        let flexible = || {
            let is_same_currency =
                |one: &SavingProduct| one.currency == product.currency && one.lock_days.is_none();
            self.products().into_iter().find(is_same_currency)
        };
        let renewed = match renewal {
            Renewal::Off => None,
            Renewal::Flexible => flexible(),
            Renewal::Fixed => Some(product.clone()),
        };
        match renewed {
            Some(renewed) => {
                // Rule: A saving that is renewed is redeemed and subscribed again. Source: invented (no source says it)
                self.record_saving(account, product, SavingAction::Redeem, amount, None, at_ms);
                self.open_saving(account, renewed, amount, renewal, None, at_ms);
            }
            None => self.pay_saving(account, product, SavingAction::Redeem, amount, None, at_ms),
        }
    }

    /// Pays interest or savings to the spot wallet.
    fn pay_saving(
        &mut self,
        account: AccountId,
        product: SavingProduct,
        action: SavingAction,
        amount: Decimal,
        number: Option<SmolStr>,
        now_ms: u64,
    ) {
        let wallet = self.ensure_wallet(account, WalletKind::Spot, &product.currency).available();
        if action == SavingAction::Interest {
            self.ledger.pay_from_house(HouseBook::Interest, wallet, amount);
        } else {
            let savings = self.ensure_savings(account, &product.currency);
            self.ledger.post(savings, wallet, amount);
        }
        self.report_balance(account, BalanceReason::Transfer, &product.currency);
        self.record_saving(account, product, action, amount, number, now_ms);
    }

    fn record_saving(
        &mut self,
        account: AccountId,
        product: SavingProduct,
        action: SavingAction,
        amount: Decimal,
        number: Option<SmolStr>,
        time_ms: u64,
    ) {
        let id = self.savings.next_id();
        let row = SavingRecord { id, account, action, product, amount, number, time_ms };
        self.savings.records.add(row, self.history_limit);
    }
}
