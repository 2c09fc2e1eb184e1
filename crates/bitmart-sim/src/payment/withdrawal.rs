//! Withdrawals, their fee and their daily quota.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{Payment, PaymentState};
use crate::{
    AccountId, BalanceReason, Exchange,
    account::{WalletKind, wallet_kind},
    ledger::HouseBook,
    reject::{Reject, Source},
    transfer::AccountWallet,
};

// Rule: A withdrawal costs 0.0001 of its currency unless the operator sets another fee. Source: invented
// (samples have several fees)
/// The flat fee of a withdrawal, in its own currency, unless the operator has set another one.
pub const WITHDRAW_FEE: Decimal = Decimal::from_parts(1, 0, 0, false, 4);

/// A new withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewWithdrawal {
    /// The requested currency, with or without a network: `USDT` or `USDT-TRC20`.
    pub currency: SmolStr,
    /// Units of the currency that leave the wallet, including the fee.
    pub amount: Decimal,
    /// The target. A withdrawal to an address that begins with `fail` fails.
    pub address: String,
    /// Tag, payment id or memo; empty without one.
    pub address_memo: String,
    /// The wallet that pays. When `None`, the spot wallet pays first and the funding wallet the rest, as documented.
    #[serde(default, with = "wallet_kind::stored_option")]
    pub source: Option<WalletKind>,
    /// The receiving account, for a withdrawal to another account of this exchange.
    pub payee: Option<AccountId>,
}

impl Exchange {
    // Rule: A withdrawal without a source is paid from spot first, then from funding. Source: documented (endpoint
    // account_withdraw); simplified (the order of the two)
    /// Accepts a withdrawal and freezes its money.
    pub(crate) fn withdraw(
        &mut self,
        account: AccountId,
        request: NewWithdrawal,
        now_ms: u64,
    ) -> Result<u64, Reject> {
        let plain = self.plain_currency(&request.currency).ok_or(Reject::UnknownCurrency)?;
        // Rule: Sub-accounts cannot withdraw (60054), and no account to itself (60065). Source: documented
        // (endpoint account_withdraw, the table of error codes)
        if self.account_mut(account).main.is_some() {
            return Err(Reject::SubAccountCannotWithdraw);
        }
        let terms = self.operator_settings.terms(&request.currency);
        terms.check(request.amount, &request.address_memo)?;
        if request.payee == Some(account) {
            return Err(Reject::WithdrawalToSelf);
        }
        self.operator_settings.check_withdrawal(&request.currency)?;
        if request.payee.is_none() {
            self.operator_settings.check_address(account, &request.currency, &request.address)?;
        }
        let [spot, funding] = [WalletKind::Spot, WalletKind::Funding]
            .map(|kind| self.wallet(account, kind, &plain).available);
        let from_spot = match request.source {
            Some(WalletKind::Funding) => Decimal::ZERO,
            Some(_) => request.amount,
            None => request.amount.min(spot),
        };
        if from_spot > spot || request.amount - from_spot > funding {
            let (source, free) = match request.source {
                Some(WalletKind::Funding) => (Source::Funding, funding),
                Some(_) => (Source::Spot, spot),
                None => (Source::SpotAndFunding, spot + funding),
            };
            return Err(Reject::insufficient(source, &plain, free, request.amount));
        }
        if self.in_btc(&plain, request.amount) > self.withdraw_quota_btc(account, now_ms) {
            return Err(Reject::DailyQuotaExceeded);
        }
        let from_funding = request.amount - from_spot;
        for (kind, held) in [(WalletKind::Spot, from_spot), (WalletKind::Funding, from_funding)] {
            let wallet = self.ensure_wallet(account, kind, &plain);
            self.ledger.post(wallet.available(), wallet.frozen(), held);
        }
        let NewWithdrawal { currency, amount, address, address_memo, source: _, payee } = request;
        let id = self.counters.next_payment();
        let row = Payment {
            id,
            account,
            deposit: false,
            currency,
            amount,
            fee: terms.fee,
            address,
            address_memo,
            state: PaymentState::Created,
            time_ms: now_ms,
            since_ms: now_ms,
            plain,
            from_spot,
            payee,
            by_operator: false,
        };
        self.recent_withdrawals.add(&row);
        Ok(self.start_payment(row))
    }

    /// Pays a withdrawal to its receiver and charges the fee.
    pub(super) fn pay_out(&mut self, row: &Payment) {
        let (currency, left) = (&row.plain, row.amount - row.fee);
        self.ledger.post_between_books(currency, HouseBook::Clearing, HouseBook::Fees, row.fee);
        let Some(payee) = row.payee else {
            return self.ledger.post_between_books(
                currency,
                HouseBook::Clearing,
                HouseBook::Withdrawals,
                left,
            );
        };
        let wallet = self.ensure_wallet(payee, WalletKind::Spot, currency);
        self.ledger.pay_from_house(HouseBook::Clearing, wallet.available(), left);
        // Rule: A withdrawal to another account is a deposit in the history of that account. Source: simplified (no
        // source says how it is listed)
        let receiver = AccountWallet { account: payee, kind: WalletKind::Spot };
        self.record_finished(receiver, currency, left, row.account.0.to_string(), row.since_ms);
        self.report_balance(payee, BalanceReason::Deposit, currency);
    }
}
