//! Requests of customers about transfers, withdrawals, margin loans and savings.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::Outcome;
use crate::{
    AccountId, Exchange, Reject,
    account::{WalletKind, wallet_kind},
    margin::{MarginTransfer, PairAmount},
    payment::NewWithdrawal,
    rules::{check_amount, check_own_transfer},
    savings::{Renewal, SavingRequest},
    transfer::NewTransfer,
};

/// A request about transfers, withdrawals, margin loans and savings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WalletRequest {
    /// Move money between the wallets of the account, or between accounts of one customer.
    Transfer {
        /// Wallets, currency and amount.
        transfer: NewTransfer,
        /// The request number of a transfer between accounts; a number can be used only once.
        number: Option<SmolStr>,
    },
    /// Withdraw money.
    Withdraw(NewWithdrawal),
    /// Choose the wallet that deposits are credited to.
    SetDepositWallet(#[serde(with = "wallet_kind::stored")] WalletKind),
    /// Claim play money for the futures wallet.
    ClaimPlayMoney,
    /// Move money into the margin account of a pair, or out of it.
    TransferMargin {
        /// Pair, currency and amount.
        sum: PairAmount,
        /// Into the margin account or out of it.
        #[serde(rename = "into")]
        direction: MarginTransfer,
    },
    /// Take a margin loan.
    Borrow(PairAmount),
    /// Repay margin loans.
    Repay(PairAmount),
    /// Put money into savings.
    SubscribeSaving {
        /// The request number; a request with a number that was used before has no effect.
        number: SmolStr,
        /// Number of the product.
        product: u32,
        /// Units of the currency of the product.
        amount: Decimal,
        /// What happens at the end of fixed savings.
        renewal: Renewal,
    },
    /// Take money out of savings.
    RedeemSaving {
        /// The request number; a request with a number that was used before has no effect.
        number: SmolStr,
        /// Number of the holding.
        id: u64,
        /// The amount to take out of flexible savings; `None` for fixed savings, which are redeemed whole.
        part: Option<Decimal>,
    },
    /// Choose what happens at the end of fixed savings.
    SetRenewal {
        /// Number of the holding.
        id: u64,
        /// What happens at the end.
        renewal: Renewal,
    },
    /// Switch automatic saving on or off.
    SetAutomaticSaving {
        /// The product; the whole account when `None`.
        product: Option<u32>,
        /// Whether it is on from now on.
        on: bool,
    },
}

impl Exchange {
    pub(super) fn execute_wallet(
        &mut self,
        account: AccountId,
        request: WalletRequest,
        now_ms: u64,
    ) -> Result<Outcome, Reject> {
        match request {
            WalletRequest::Transfer { transfer, number: None } => {
                check_own_transfer(account, &transfer)?;
                self.transfer(transfer, now_ms).map(Outcome::from)
            }
            WalletRequest::Transfer { transfer, number: Some(number) } => {
                self.check_transfer_between_accounts(account, &transfer)?;
                self.transfer_between(account, number, transfer, now_ms).map(Outcome::from)
            }
            WalletRequest::Withdraw(withdrawal) => {
                self.check_withdrawal(&withdrawal)?;
                self.withdraw(account, withdrawal, now_ms).map(Outcome::from)
            }
            WalletRequest::SetDepositWallet(wallet) => {
                self.account_mut(account).deposit_to = wallet;
                Ok(Outcome::Done)
            }
            WalletRequest::ClaimPlayMoney => {
                self.claim_play_money(account, now_ms).map(Outcome::from)
            }
            WalletRequest::TransferMargin { sum, direction } => {
                check_amount(sum.amount)?;
                self.transfer_margin(account, sum, direction).map(Outcome::from)
            }
            WalletRequest::Borrow(sum) => {
                check_amount(sum.amount)?;
                self.borrow(account, sum, now_ms).map(Outcome::from)
            }
            WalletRequest::Repay(sum) => {
                check_amount(sum.amount)?;
                self.repay(account, sum, now_ms).map(Outcome::from)
            }
            WalletRequest::SubscribeSaving { number, product, amount, renewal } => {
                check_amount(amount)?;
                let request = SavingRequest { account, number };
                self.subscribe_saving(request, product, amount, renewal, now_ms).map(Outcome::from)
            }
            WalletRequest::RedeemSaving { number, id, part } => {
                part.map_or(Ok(()), check_amount)?;
                let request = SavingRequest { account, number };
                self.redeem_saving(request, id, part, now_ms).map(Outcome::from)
            }
            WalletRequest::SetRenewal { id, renewal } => {
                self.set_renewal(account, id, renewal).map(Outcome::from)
            }
            WalletRequest::SetAutomaticSaving { product, on } => {
                let exists = |id| self.products().iter().any(|product| product.id == id);
                if !product.is_none_or(exists) {
                    return Err(Reject::UnknownProduct);
                }
                self.savings.set_automatic(account, product, on);
                Ok(Outcome::Done)
            }
        }
    }
}
