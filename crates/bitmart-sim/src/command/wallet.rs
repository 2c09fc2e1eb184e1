//! What a customer can do with money other than trade.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::Outcome;
use crate::{
    AccountId, Exchange, Reject,
    account::Purse,
    earn::{Renewal, Saver},
    funding::NewWithdrawal,
    margin::Sum,
    rules::{check_amount, check_own_transfer},
    transfer::NewTransfer,
};

/// Something about transfers, withdrawals, margin loans and savings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WalletRequest {
    /// Move money between the wallets of the account, or between accounts of one customer.
    Transfer {
        /// What to move.
        transfer: NewTransfer,
        /// Makes it happen once only.
        number: Option<SmolStr>,
    },
    /// Withdraw money.
    Withdraw(NewWithdrawal),
    /// Choose the wallet that deposits are credited to.
    SetDepositWallet(Purse),
    /// Take play money for futures.
    ClaimPlayMoney,
    /// Move money into the margin account of a pair, or out of it.
    TransferMargin {
        /// The pair, currency and amount.
        sum: Sum,
        /// Into it.
        into: bool,
    },
    /// Take a margin loan.
    Borrow(Sum),
    /// Pay margin loans back.
    Repay(Sum),
    /// Put money into a saving.
    SubscribeSaving {
        /// Number of the call.
        number: SmolStr,
        /// Number of the product.
        product: u32,
        /// How much.
        amount: Decimal,
        /// What happens at its end, for a fixed one.
        renewal: Renewal,
    },
    /// Take money out of a saving.
    RedeemSaving {
        /// Number of the call.
        number: SmolStr,
        /// The saving.
        id: u64,
        /// A part of a flexible one; nothing for a fixed one.
        part: Option<Decimal>,
    },
    /// Say what happens at the end of a fixed saving.
    SetRenewal {
        /// The saving.
        id: u64,
        /// What happens.
        renewal: Renewal,
    },
    /// Switch automatic saving on or off.
    SetAutomaticSaving {
        /// Of this product only, else of the account.
        product: Option<u32>,
        /// On.
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
                self.check_family_transfer(account, &transfer)?;
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
            WalletRequest::ClaimPlayMoney => self.claim(account, now_ms).map(Outcome::from),
            WalletRequest::TransferMargin { sum, into } => {
                check_amount(sum.amount)?;
                self.transfer_margin(account, sum, into).map(Outcome::from)
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
                let saver = Saver { account, number };
                self.subscribe_saving(saver, product, amount, renewal, now_ms).map(Outcome::from)
            }
            WalletRequest::RedeemSaving { number, id, part } => {
                part.map_or(Ok(()), check_amount)?;
                let saver = Saver { account, number };
                self.redeem_saving(saver, id, part, now_ms).map(Outcome::from)
            }
            WalletRequest::SetRenewal { id, renewal } => {
                self.set_renewal(account, id, renewal).map(Outcome::from)
            }
            WalletRequest::SetAutomaticSaving { product, on } => {
                let known = |id| self.products().iter().any(|one| one.id == id);
                if !product.is_none_or(known) {
                    return Err(Reject::UnknownProduct);
                }
                self.earn.set_automatic(account, product, on);
                Ok(Outcome::Done)
            }
        }
    }
}
