//! Isolated margin: one wallet per pair and currency, loans, hourly interest.
//!
//! Rates and bounds are those of a published sample. Simplified: interest is charged at every full hour
//! after the loan, since no source says when the venue does it.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, BalanceReason, Exchange, SpotRules,
    account::Purse,
    agenda::Due,
    cut,
    ledger::House,
    next,
    reject::{Reject, Source},
};

// Rule: Loans bear 0.1 % interest a day. Source: documented (one of two samples, endpoint margin_pairs, 0.001; the
// other has 0.05)
/// Interest of a day, as a ratio of the principal. It is published only; [`HOURLY_RATE`] is charged.
pub const DAILY_RATE: Decimal = Decimal::from_parts(1, 0, 0, false, 3);
// Rule: Interest of 0.004167 % is charged at every full hour after the loan, on the principal. Source: documented
// (one of two samples, endpoint margin_pairs, 0.00004167; the other has 0.00208334); simplified (no source says
// when it is charged)
/// Interest of an hour, as a ratio of the principal.
pub const HOURLY_RATE: Decimal = Decimal::from_parts(4_167, 0, 0, false, 8);
// Rule: Margin has leverage 5: up to four times what an account owns can be borrowed. Source: documented (one of
// two samples, endpoint margin_pairs, the other has 10); simplified (what may be borrowed follows from the
// leverage)
/// At leverage 5 an account owns a fifth of its assets: assets are 1.25 times its debts.
pub const LEVERAGE: u32 = 5;
// Rule: Money may leave a margin account as long as assets are 1.25 times the debts. Source: invented (it
// follows from the leverage)
const RISK_FLOOR: Decimal = Decimal::from_parts(125, 0, 0, false, 2);
// Rule: A margin account is liquidated below assets of 1.1 times the debts. Source: documented (liquidate_rate in
// one of two samples, endpoint margin_accounts, the other has 1.15); simplified (no source states the formula of
// the rate)
/// The ratio of assets to debts below which a margin account is liquidated.
pub const LIQUIDATION_RATE: Decimal = Decimal::from_parts(11, 0, 0, false, 1);
const HOUR_MS: u64 = 3_600_000;

// Rule: A loan is at least 0.001 of the base or 10 of the quote; at most 100 of the base or 1,000,000 of the quote
// are owed. Source: documented (one of two samples, endpoint margin_pairs, the other has a minimum of 1 and of
// 0.01, a maximum of 1,000 and of 12,000); simplified (the same for every pair)
/// What a loan in base or quote must be at least, and what may be owed at most.
pub fn bounds(base: bool) -> (Decimal, Decimal) {
    if base {
        (Decimal::new(1, 3), Decimal::ONE_HUNDRED)
    } else {
        (Decimal::TEN, Decimal::from(1_000_000))
    }
}

/// What is owed or was paid back: the loan itself, and interest on it.
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

/// Money that an account has borrowed in the margin account of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loan {
    /// Number of the loan.
    pub id: u64,
    /// Who borrowed.
    pub account: AccountId,
    /// The pair whose margin account received it.
    pub symbol: SmolStr,
    /// Base or quote currency of the pair.
    pub currency: SmolStr,
    /// What was borrowed, in units of the currency.
    pub amount: Decimal,
    /// All interest so far, paid or not.
    pub interest: Decimal,
    /// What is left to pay; zero once it is paid back.
    pub owed: Debt,
    /// When it was borrowed, in milliseconds since 1970.
    pub time_ms: u64,
    charged_to_ms: u64,
}

/// Money that an account has paid back to the loans of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repayment {
    /// Number of the repayment, from the same count as that of loans.
    pub id: u64,
    /// Who paid.
    pub account: AccountId,
    /// The pair of the loans.
    pub symbol: SmolStr,
    /// Base or quote currency of the pair.
    pub currency: SmolStr,
    /// What it paid off, interest and principal.
    pub paid: Debt,
    /// Milliseconds since 1970.
    pub time_ms: u64,
}

/// A checked amount of one currency of one pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// The pair of the margin account.
    pub symbol: SmolStr,
    /// Base or quote currency of the pair.
    pub currency: SmolStr,
    /// Units of the currency, above zero.
    pub amount: Decimal,
}

/// What the margin account of a pair holds and owes, in its quote currency at the last price.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Risk {
    pub(crate) assets: Decimal,
    pub(crate) debts: Decimal,
}

impl Risk {
    /// Assets by debts; none without debts.
    pub fn rate(self) -> Option<Decimal> {
        self.assets.checked_div(self.debts)
    }

    fn is_fine(self) -> bool {
        self.debts.is_zero() || self.assets >= self.debts * RISK_FLOOR
    }

    /// Whether the account is to be liquidated.
    pub(super) fn is_lost(self) -> bool {
        self.rate().is_some_and(|rate| rate < LIQUIDATION_RATE)
    }

    /// What may still be borrowed: `(assets + x) = 1.25 (debts + x)`.
    fn room(self) -> Decimal {
        let four = Decimal::from(LEVERAGE - 1);
        (self.assets * four - self.debts * Decimal::from(LEVERAGE)).max(Decimal::ZERO)
    }
}

impl Exchange {
    /// The rules of a pair, and whether the currency is its base. 51000 when it is neither.
    fn margin_side(&self, sum: &Sum) -> Result<(&SpotRules, bool), Reject> {
        let rules = &self.spot.get(&sum.symbol).ok_or(Reject::UnknownMarket)?.rules;
        if sum.currency != rules.base && sum.currency != rules.quote {
            return Err(Reject::CurrencyNotInPair);
        }
        Ok((rules, sum.currency == rules.base))
    }

    pub(super) fn pair_price(&self, symbol: &str) -> Decimal {
        let market = self.spot.get(symbol);
        market.map_or(Decimal::ZERO, |market| {
            market.tape.last_price().unwrap_or(market.rules.start_price)
        })
    }

    /// What is owed in one currency of one pair.
    pub fn debt(&self, account: AccountId, symbol: &str, currency: &str) -> Debt {
        let mut debt = Debt::default();
        for loan in self.open_loans(account, symbol, currency) {
            debt.principal += loan.owed.principal;
            debt.interest += loan.owed.interest;
        }
        debt
    }

    /// The loans that are not paid back, oldest first.
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
            .filter_map(|id| self.loans.get(id))
            .filter(move |loan| loan.symbol == symbol && loan.currency == currency)
    }

    /// Returns what the margin account of a pair holds and owes; nothing without one.
    pub fn risk(&self, account: AccountId, symbol: &str) -> Risk {
        let mut risk = Risk::default();
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

    /// What may still be borrowed of a currency.
    pub fn borrowable(&self, account: AccountId, symbol: &str, currency: &str) -> Decimal {
        let Some(market) = self.spot.get(symbol) else { return Decimal::ZERO };
        let base = currency == market.rules.base;
        let price = if base { self.pair_price(symbol) } else { Decimal::ONE };
        let room = self.risk(account, symbol).room().checked_div(price).unwrap_or_default();
        let most = bounds(base).1 - self.debt(account, symbol, currency).principal;
        cut(room.min(most).max(Decimal::ZERO))
    }

    /// Moves money between spot and margin. What secures a loan stays in.
    pub(crate) fn transfer_margin(
        &mut self,
        account: AccountId,
        sum: Sum,
        into: bool,
    ) -> Result<u64, Reject> {
        let (_, base) = self.margin_side(&sum)?;
        let Sum { symbol, currency, amount } = sum;
        let (wallet, source) = if into {
            (self.wallet(account, Purse::Spot, &currency), Source::Spot)
        } else {
            (self.margin_wallet(account, &symbol, &currency), Source::Margin)
        };
        if wallet.available < amount {
            return Err(Reject::insufficient(source, &currency, wallet.available, amount));
        }
        if !into {
            let mut left = self.risk(account, &symbol);
            let price = if base { self.pair_price(&symbol) } else { Decimal::ONE };
            left.assets -= amount.saturating_mul(price);
            if !left.is_fine() {
                return Err(Reject::SecuresLoan);
            }
        }
        // A rejected transfer opens no margin account.
        let margin = self.open_margin(account, &symbol, &currency).available();
        let spot = self.open_wallet(account, Purse::Spot, &currency).available();
        let (from, to) = if into { (spot, margin) } else { (margin, spot) };
        self.ledger.post(from, to, amount);
        self.tell_balance(account, BalanceReason::Transfer, &currency);
        Ok(next(&mut self.counters.transfer))
    }

    pub(crate) fn borrow(
        &mut self,
        account: AccountId,
        sum: Sum,
        now_ms: u64,
    ) -> Result<u64, Reject> {
        let (_, base) = self.margin_side(&sum)?;
        if sum.amount < bounds(base).0 {
            return Err(Reject::LoanTooSmall);
        }
        if sum.amount > self.borrowable(account, &sum.symbol, &sum.currency) {
            return Err(Reject::LoanTooLarge);
        }
        let Sum { symbol, currency, amount } = sum;
        let id = next(&mut self.counters.loan);
        let wallet = self.open_margin(account, &symbol, &currency);
        self.ledger.draw(House::Loans, wallet.available(), amount);
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
        self.schedule(now_ms.saturating_add(HOUR_MS), Due::Interest(id));
        Ok(id)
    }

    /// Charges the interest of every full hour up to now. Interest bears none, so that many hours are
    /// charged as well at once.
    pub(super) fn charge_interest(&mut self, id: u64, now_ms: u64) {
        let Some(loan) = self.loans.get_mut(&id) else { return };
        if loan.owed.principal.is_zero() {
            return;
        }
        let hours = now_ms.saturating_sub(loan.charged_to_ms) / HOUR_MS;
        let interest = cut(loan.owed.principal * HOURLY_RATE) * Decimal::from(hours);
        loan.interest += interest;
        loan.owed.interest += interest;
        loan.charged_to_ms += hours * HOUR_MS;
        let next_ms = loan.charged_to_ms.saturating_add(HOUR_MS);
        self.schedule(next_ms, Due::Interest(id));
    }

    // Rule: A repayment goes to the oldest loan, to its interest before its principal. Source: simplified (no
    // source says it)
    /// Pays loans back, oldest first, each one's interest before its principal.
    pub(crate) fn repay(
        &mut self,
        account: AccountId,
        sum: Sum,
        now_ms: u64,
    ) -> Result<u64, Reject> {
        self.margin_side(&sum)?;
        let Sum { symbol, currency, amount } = sum;
        let debt = self.debt(account, &symbol, &currency).total();
        // Rule: A repayment is at most what is owed, and needs an open loan. Source: simplified (no source says
        // what happens with more)
        if debt.is_zero() {
            return Err(Reject::NoLoan);
        }
        if amount > debt {
            return Err(Reject::RepaymentTooLarge);
        }
        let wallet = self.open_margin(account, &symbol, &currency).available();
        let free = self.ledger.amount(wallet);
        if free < amount {
            return Err(Reject::insufficient(Source::Margin, &currency, free, amount));
        }
        let (mut left, mut paid) = (amount, Debt::default());
        let open: Vec<u64> =
            self.open_loans(account, &symbol, &currency).map(|loan| loan.id).collect();
        for id in open {
            let Some(loan) = self.loans.get_mut(&id) else { continue };
            let interest = left.min(loan.owed.interest);
            let principal = (left - interest).min(loan.owed.principal);
            left -= interest + principal;
            loan.owed.interest -= interest;
            loan.owed.principal -= principal;
            paid.interest += interest;
            paid.principal += principal;
            if loan.owed.total().is_zero() {
                self.account_mut(account).open_loans.remove(&id);
            }
        }
        self.ledger.pay(wallet, House::Loans, paid.principal);
        self.ledger.pay(wallet, House::Interest, paid.interest);
        let id = next(&mut self.counters.loan);
        let row = Repayment { id, account, symbol, currency, paid, time_ms: now_ms };
        self.repayments.push(row);
        Ok(id)
    }
}
