//! Isolated margin trading: a wallet per pair and currency, loans, hourly interest.
//!
//! Rates and limits are those of a documented sample. No source states when interest is charged: here at every full
//! hour after the loan.

pub(crate) mod checks;
mod liquidation;
mod terms;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

pub use self::terms::{LoanLimits, MarginTransfer};
use super::{
    AccountId, BalanceReason, Exchange, SpotRules,
    account::WalletKind,
    kept_rows::Row,
    ledger::HouseBook,
    reject::{Reject, Source},
    round_down,
    schedule::Task,
};

// Rule: Loans bear 0.1 % interest a day. Source: documented (one of two samples, endpoint margin_pairs, 0.001; the
// other has 0.05)
/// Daily interest as a ratio of the principal. It is only displayed: [`HOURLY_RATE`] is charged.
pub const DAILY_RATE: Decimal = Decimal::from_parts(1, 0, 0, false, 3);
// Rule: Interest of 0.004167 % is charged at every full hour after the loan, on the principal. Source: documented
// (one of two samples, endpoint margin_pairs, 0.00004167; the other has 0.00208334); simplified (no source says
// when it is charged)
/// Hourly interest as a ratio of the principal.
pub const HOURLY_RATE: Decimal = Decimal::from_parts(4_167, 0, 0, false, 8);
// Rule: Margin has leverage 5: up to four times what an account owns can be borrowed. Source: documented (one of
// two samples, endpoint margin_pairs, the other has 10); simplified (what may be borrowed follows from the
// leverage)
/// Leverage: at 5, debts are at most four fifths of the assets.
pub const LEVERAGE: u32 = 5;
// Rule: Money may leave a margin account as long as assets are 1.25 times the debts. Source: invented (it
// follows from the leverage)
/// Ratio of assets to debts that must remain after a transfer out of the account.
const MIN_RATE_AFTER_TRANSFER: Decimal = Decimal::from_parts(125, 0, 0, false, 2);
// Rule: A margin account is liquidated below assets of 1.1 times the debts. Source: documented (liquidate_rate in
// one of two samples, endpoint margin_accounts, the other has 1.15); simplified (no source states the formula of
// the rate)
/// The ratio of assets to debts below which a margin account is liquidated.
pub const LIQUIDATION_RATE: Decimal = Decimal::from_parts(11, 0, 0, false, 1);
const HOUR_MS: u64 = 3_600_000;

/// Principal and interest that are owed, or were repaid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debt {
    /// Units of the currency, without interest.
    pub principal: Decimal,
    /// Units of the currency.
    pub interest: Decimal,
}

impl Debt {
    /// Returns principal and interest together, in units of the currency.
    pub fn total(self) -> Decimal {
        self.principal + self.interest
    }
}

/// A loan of the margin account of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loan {
    /// Number of the loan.
    pub id: u64,
    /// The borrower.
    pub account: AccountId,
    /// The pair of the margin account.
    pub symbol: SmolStr,
    /// Base or quote currency of the pair.
    pub currency: SmolStr,
    /// The borrowed amount, in units of the currency.
    pub amount: Decimal,
    /// All interest charged so far, in units of the currency.
    pub interest: Decimal,
    /// The unpaid rest; zero once the loan is repaid.
    pub owed: Debt,
    /// When it was borrowed, in milliseconds since 1970.
    pub time_ms: u64,
    /// Until when interest is charged, in milliseconds since 1970.
    charged_to_ms: u64,
}

impl Row for Loan {
    fn account(&self) -> AccountId {
        self.account
    }

    fn is_finished(&self) -> bool {
        self.owed.total().is_zero()
    }
}

/// A repayment of the loans of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repayment {
    /// Number of the repayment. Loans and repayments share one counter.
    pub id: u64,
    /// The borrower.
    pub account: AccountId,
    /// The pair of the loans.
    pub symbol: SmolStr,
    /// Base or quote currency of the pair.
    pub currency: SmolStr,
    /// The repaid principal and interest.
    pub paid: Debt,
    /// Milliseconds since 1970.
    pub time_ms: u64,
}

/// An amount of the base or quote currency of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairAmount {
    /// The pair of the margin account.
    pub symbol: SmolStr,
    /// Base or quote currency of the pair.
    pub currency: SmolStr,
    /// Units of the currency, above zero.
    pub amount: Decimal,
}

/// Assets and debts of the margin account of a pair, in the quote currency at the last price.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MarginRisk {
    pub(crate) assets: Decimal,
    pub(crate) debts: Decimal,
}

impl MarginRisk {
    /// Returns the ratio of assets to debts, or `None` without debts.
    pub fn rate(self) -> Option<Decimal> {
        self.assets.checked_div(self.debts)
    }

    fn allows_withdrawal(self) -> bool {
        self.debts.is_zero() || self.assets >= self.debts.saturating_mul(MIN_RATE_AFTER_TRANSFER)
    }

    /// Whether the account must be liquidated.
    pub(super) fn is_below_liquidation_rate(self) -> bool {
        self.rate().is_some_and(|rate| rate < LIQUIDATION_RATE)
    }

    /// Returns how much may be borrowed, in the quote currency: `x` in `assets + x = 1.25 (debts + x)`.
    fn borrowable(self) -> Decimal {
        // x = 4 assets - 5 debts.
        let most = self.assets.saturating_mul(Decimal::from(LEVERAGE - 1));
        let used = self.debts.saturating_mul(Decimal::from(LEVERAGE));
        most.saturating_sub(used).max(Decimal::ZERO)
    }
}

impl Exchange {
    /// Returns the rules of the pair, and whether the currency is its base (or else its quote).
    fn margin_side(&self, sum: &PairAmount) -> Result<(&SpotRules, bool), Reject> {
        let rules = &self.spot.get(&sum.symbol).ok_or(Reject::UnknownMarket)?.rules;
        if sum.currency != rules.base && sum.currency != rules.quote {
            return Err(Reject::CurrencyNotInPair);
        }
        Ok((rules, sum.currency == rules.base))
    }

    /// Returns the last price of a pair, or its start price before the first trade; zero for an unknown pair.
    pub(super) fn pair_price(&self, symbol: &str) -> Decimal {
        let market = self.spot.get(symbol);
        market.map_or(Decimal::ZERO, |market| {
            market.tape.last_price().unwrap_or(market.rules.start_price)
        })
    }

    /// Returns the debt in one currency of a pair.
    pub fn debt(&self, account: AccountId, symbol: &str, currency: &str) -> Debt {
        let mut debt = Debt::default();
        for loan in self.open_loans(account, symbol, currency) {
            debt.principal += loan.owed.principal;
            debt.interest += loan.owed.interest;
        }
        debt
    }

    /// Returns the open loans in one currency of a pair, oldest first.
    pub fn open_loans<'a>(
        &'a self,
        account: AccountId,
        symbol: &'a str,
        currency: &'a str,
    ) -> impl Iterator<Item = &'a Loan> {
        let owner = self.accounts.get(&account);
        owner
            .into_iter()
            .flat_map(|owner| &owner.open_loans)
            .filter_map(|id| self.loans.get(*id))
            .filter(move |loan| loan.symbol == symbol && loan.currency == currency)
    }

    /// Returns assets and debts of the margin account of a pair; zero without one.
    pub fn risk(&self, account: AccountId, symbol: &str) -> MarginRisk {
        let mut risk = MarginRisk::default();
        let Some(market) = self.spot.get(symbol) else { return risk };
        let rules = &market.rules;
        for (currency, price) in
            [(&rules.base, self.pair_price(symbol)), (&rules.quote, Decimal::ONE)]
        {
            let wallet = self.margin_wallet(account, &rules.symbol, currency);
            let assets = wallet.total().saturating_mul(price);
            let debts = self.debt(account, symbol, currency).total().saturating_mul(price);
            risk.assets = risk.assets.saturating_add(assets);
            risk.debts = risk.debts.saturating_add(debts);
        }
        risk
    }

    /// Returns how much of a currency may be borrowed.
    pub fn borrowable(&self, account: AccountId, symbol: &str, currency: &str) -> Decimal {
        let Some(market) = self.spot.get(symbol) else { return Decimal::ZERO };
        let is_base = currency == market.rules.base;
        let price = if is_base { self.pair_price(symbol) } else { Decimal::ONE };
        let limit = self.risk(account, symbol).borrowable().checked_div(price).unwrap_or_default();
        let unused = LoanLimits::of(&market.rules, currency).largest_principal
            - self.debt(account, symbol, currency).principal;
        round_down(limit.min(unused).max(Decimal::ZERO))
    }

    /// Moves money between the spot wallet and the margin account of a pair. Collateral of a loan cannot be moved out.
    pub(crate) fn transfer_margin(
        &mut self,
        account: AccountId,
        sum: PairAmount,
        direction: MarginTransfer,
    ) -> Result<u64, Reject> {
        let (_, is_base) = self.margin_side(&sum)?;
        let PairAmount { symbol, currency, amount } = sum;
        let (wallet, source) = match direction {
            MarginTransfer::In => (self.wallet(account, WalletKind::Spot, &currency), Source::Spot),
            MarginTransfer::Out => {
                (self.margin_wallet(account, &symbol, &currency), Source::Margin)
            }
        };
        if wallet.available < amount {
            return Err(Reject::insufficient(source, &currency, wallet.available, amount));
        }
        if direction == MarginTransfer::Out {
            let mut risk_after = self.risk(account, &symbol);
            let price = if is_base { self.pair_price(&symbol) } else { Decimal::ONE };
            risk_after.assets -= amount.saturating_mul(price);
            if !risk_after.allows_withdrawal() {
                return Err(Reject::CollateralInUse);
            }
        }
        // A rejected transfer opens no margin account.
        let margin = self.ensure_margin_wallet(account, &symbol, &currency).available();
        let spot = self.ensure_wallet(account, WalletKind::Spot, &currency).available();
        let (from, to) = match direction {
            MarginTransfer::In => (spot, margin),
            MarginTransfer::Out => (margin, spot),
        };
        self.ledger.post(from, to, amount);
        self.report_balance(account, BalanceReason::Transfer, &currency);
        Ok(self.counters.next_transfer())
    }

    /// Lends money to a margin account.
    pub(crate) fn borrow(
        &mut self,
        account: AccountId,
        sum: PairAmount,
        now_ms: u64,
    ) -> Result<u64, Reject> {
        let (_, is_base) = self.margin_side(&sum)?;
        let limits = if is_base { LoanLimits::BASE } else { LoanLimits::QUOTE };
        if sum.amount < limits.smallest_loan {
            return Err(Reject::LoanTooSmall);
        }
        if sum.amount > self.borrowable(account, &sum.symbol, &sum.currency) {
            return Err(Reject::LoanTooLarge);
        }
        let PairAmount { symbol, currency, amount } = sum;
        let id = self.counters.next_loan();
        let wallet = self.ensure_margin_wallet(account, &symbol, &currency);
        self.ledger.pay_from_house(HouseBook::Loans, wallet.available(), amount);
        self.account_mut(account).open_loans.insert(id);
        let owed = Debt { principal: amount, interest: Decimal::ZERO };
        let loan = Loan {
            id,
            account,
            symbol,
            currency,
            amount,
            interest: Decimal::ZERO,
            owed,
            time_ms: now_ms,
            charged_to_ms: now_ms,
        };
        self.loans.insert(id, loan);
        self.schedule.add(now_ms.saturating_add(HOUR_MS), Task::Interest(id));
        Ok(id)
    }

    /// Charges the interest of every full hour that has passed. There is no compound interest, so that several hours
    /// can be charged at once.
    pub(super) fn charge_interest(&mut self, id: u64, now_ms: u64) {
        let Some(loan) = self.loans.get_mut(id) else { return };
        if loan.owed.principal.is_zero() {
            return;
        }
        let hours = now_ms.saturating_sub(loan.charged_to_ms) / HOUR_MS;
        let interest = round_down(loan.owed.principal * HOURLY_RATE) * Decimal::from(hours);
        self.margin_checks.require_comparison(loan.account, &loan.symbol);
        loan.interest += interest;
        loan.owed.interest += interest;
        loan.charged_to_ms += hours * HOUR_MS;
        let next_ms = loan.charged_to_ms.saturating_add(HOUR_MS);
        self.schedule.add(next_ms, Task::Interest(id));
    }

    /// Ends a loan without debt.
    fn close_loan(&mut self, id: u64) {
        let Some(loan) = self.loans.get(id) else { return };
        let (account, due_ms) = (loan.account, loan.charged_to_ms.saturating_add(HOUR_MS));
        self.schedule.remove(due_ms, Task::Interest(id));
        self.account_mut(account).open_loans.remove(&id);
        self.loans.finish(id, self.history_limit);
    }

    // Rule: A repayment goes to the oldest loan, to its interest before its principal. Source: simplified (no
    // source says it)
    /// Repays loans, oldest first; of each loan the interest before the principal.
    pub(crate) fn repay(
        &mut self,
        account: AccountId,
        sum: PairAmount,
        now_ms: u64,
    ) -> Result<u64, Reject> {
        self.margin_side(&sum)?;
        let PairAmount { symbol, currency, amount } = sum;
        let debt = self.debt(account, &symbol, &currency).total();
        // Rule: A repayment is at most what is owed, and needs an open loan. Source: simplified (no source says
        // what happens with more)
        if debt.is_zero() {
            return Err(Reject::NoLoan);
        }
        if amount > debt {
            return Err(Reject::RepaymentTooLarge);
        }
        let wallet = self.ensure_margin_wallet(account, &symbol, &currency).available();
        let available = self.ledger.amount(wallet);
        if available < amount {
            return Err(Reject::insufficient(Source::Margin, &currency, available, amount));
        }
        let (mut unspent, mut paid) = (amount, Debt::default());
        let open: Vec<u64> =
            self.open_loans(account, &symbol, &currency).map(|loan| loan.id).collect();
        for id in open {
            let Some(loan) = self.loans.get_mut(id) else { continue };
            let interest = unspent.min(loan.owed.interest);
            let principal = (unspent - interest).min(loan.owed.principal);
            unspent -= interest + principal;
            loan.owed.interest -= interest;
            loan.owed.principal -= principal;
            paid.interest += interest;
            paid.principal += principal;
            if loan.owed.total().is_zero() {
                self.close_loan(id);
            }
        }
        self.ledger.pay_house(wallet, HouseBook::Loans, paid.principal);
        self.ledger.pay_house(wallet, HouseBook::Interest, paid.interest);
        let id = self.counters.next_loan();
        let row = Repayment { id, account, symbol, currency, paid, time_ms: now_ms };
        self.repayments.add(row, self.history_limit);
        Ok(id)
    }
}
