//! Terms of withdrawals by a network.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{DECIMALS, control::check_operator_amount, payment::WITHDRAW_FEE, reject::Reject};

/// Fee, limits and memo of withdrawals by a network.
///
/// ```
/// use bitmart_sim::{Decimal, operator::NetworkTerms};
///
/// let terms = NetworkTerms::new().fee(Decimal::ONE).minimum(Decimal::TEN).needs_memo();
/// assert_ne!(terms, NetworkTerms::new());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct NetworkTerms {
    /// Flat fee, in the currency.
    pub fee: Decimal,
    /// Smallest withdrawal, in the currency. When `None`, it is just more than the fee.
    pub minimum: Option<Decimal>,
    /// Largest number of decimals of an amount (code 60006), at most 8.
    pub decimals: u32,
    /// An amount must be a multiple of this (code 60013).
    pub multiple_of: Option<u32>,
    /// Whether addresses have a memo (also called tag or payment id). Withdrawals without one are then rejected (code
    /// 60014).
    pub memo: bool,
}

impl Default for NetworkTerms {
    fn default() -> Self {
        Self {
            fee: WITHDRAW_FEE,
            minimum: None,
            decimals: DECIMALS,
            multiple_of: None,
            memo: false,
        }
    }
}

impl NetworkTerms {
    /// Creates terms with a fee of 0.0001, 8 decimals and no memo.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the fee, in the currency.
    #[must_use]
    pub fn fee(mut self, fee: Decimal) -> Self {
        self.fee = fee;
        self
    }

    /// Sets the smallest withdrawal, in the currency.
    #[must_use]
    pub fn minimum(mut self, minimum: Decimal) -> Self {
        self.minimum = Some(minimum);
        self
    }

    /// Sets the largest number of decimals of an amount, up to 8.
    #[must_use]
    pub fn decimals(mut self, decimals: u32) -> Self {
        self.decimals = decimals;
        self
    }

    /// Requires amounts to be multiples of a number.
    #[must_use]
    pub fn multiple_of(mut self, step: u32) -> Self {
        self.multiple_of = Some(step);
        self
    }

    /// Requires a memo for addresses.
    #[must_use]
    pub fn needs_memo(mut self) -> Self {
        self.memo = true;
        self
    }

    // Rule: A withdrawal is more than its fee. Source: simplified (the documents state one minimum for each
    // currency)
    /// Returns the smallest withdrawal, which is always more than the fee.
    pub fn min_withdrawal(&self) -> Decimal {
        let above_fee = self.fee + Decimal::new(1, DECIMALS);
        self.minimum.map_or(above_fee, |minimum| minimum.max(above_fee))
    }

    pub(super) fn is_valid(&self) -> bool {
        let is_valid = |amount: Decimal| check_operator_amount(amount).is_ok();
        is_valid(self.fee)
            && self.minimum.is_none_or(is_valid)
            && self.decimals <= DECIMALS
            && self.multiple_of != Some(0)
    }

    /// Checks precision, step, smallest amount and memo of a withdrawal, in this order.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self, amount: Decimal, memo: &str) -> Result<(), Reject> {
        // Rule: A withdrawal fits the precision, the step, the smallest amount and the memo of its network,
        // checked in this order (60006, 60013, 60005, 60014). Source: documented (endpoint account_withdraw_quota,
        // the table of error codes); simplified (the order)
        if amount.normalize().scale() > self.decimals {
            return Err(Reject::WithdrawalTooPrecise { decimals: self.decimals });
        }
        let fits = |step: &u32| (amount % Decimal::from(*step)).is_zero();
        if let Some(multiple_of) = self.multiple_of.filter(|step| !fits(step)) {
            return Err(Reject::WithdrawalOffStep { multiple_of });
        }
        if amount < self.min_withdrawal() {
            return Err(Reject::WithdrawalTooSmall { minimum: self.min_withdrawal() });
        }
        if self.memo && memo.is_empty() { Err(Reject::MemoMissing) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_at_the_end_of_an_amount_are_no_decimals() {
        let terms = NetworkTerms::new().decimals(1);
        // 10.00 and 10.01.
        assert_eq!(terms.check(Decimal::new(1_000, 2), ""), Ok(()));
        let too_precise = Err(Reject::WithdrawalTooPrecise { decimals: 1 });
        assert_eq!(terms.check(Decimal::new(1_001, 2), ""), too_precise);
    }
}
