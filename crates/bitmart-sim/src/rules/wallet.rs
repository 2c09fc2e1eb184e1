//! Rules of transfers and withdrawals.

use rust_decimal::Decimal;

use super::{MAX_AMOUNT, check_amount};
use crate::{
    AccountId, Exchange, Reject,
    account::WalletKind,
    payment::NewWithdrawal,
    transfer::{AccountWallet, NewTransfer},
};

// Rule: A transfer between spot and futures is from 0.01 to 10,000,000,000. Source: documented (endpoint
// futures_transfer)
/// Smallest transfer between spot and futures: 0.01.
const MIN_TRANSFER: Decimal = Decimal::from_parts(1, 0, 0, false, 2);
/// Largest transfer between spot and futures: 10,000,000,000.
const MAX_TRANSFER: Decimal = Decimal::from_parts(1_410_065_408, 2, 0, false, 0);

/// Checks the amount of a transfer between the spot and the futures wallet.
///
/// # Errors
/// It is out of range.
pub fn check_futures_transfer(amount: Decimal) -> Result<(), Reject> {
    let (minimum, maximum) = (MIN_TRANSFER, MAX_TRANSFER);
    let fits = (minimum..=maximum).contains(&amount);
    if fits { Ok(()) } else { Err(Reject::AmountOutOfRange { minimum, maximum }) }
}

/// Checks a transfer between the wallets of the caller.
pub(crate) fn check_own_transfer(caller: AccountId, transfer: &NewTransfer) -> Result<(), Reject> {
    let NewTransfer { from, to, amount, .. } = transfer;
    if from.account != caller || to.account != caller {
        return Err(Reject::NotOwnAccount);
    }
    if from == to {
        return Err(Reject::SameWallet);
    }
    if let (WalletKind::Spot, WalletKind::Futures) | (WalletKind::Futures, WalletKind::Spot) =
        (from.kind, to.kind)
    {
        check_futures_transfer(*amount)?;
    }
    check_amount(*amount)
}

impl Exchange {
    /// Checks a transfer between a main account and its sub-accounts.
    pub(crate) fn check_transfer_between_accounts(
        &self,
        caller: AccountId,
        transfer: &NewTransfer,
    ) -> Result<(), Reject> {
        let NewTransfer { from, to, amount, .. } = transfer;
        let main_of = |id: AccountId| {
            let owner = self.accounts.get(&id).filter(|owner| !owner.house);
            owner.map(|owner| owner.main).ok_or(Reject::UnknownAccount)
        };
        let caller_is_main = main_of(caller)?.is_none();
        let main_or_self =
            |end: &AccountWallet| main_of(end.account).map(|main| main.unwrap_or(end.account));
        let main = main_of(caller)?.unwrap_or(caller);
        // Rule: A main account moves money among itself and its sub-accounts, a sub-account its own money to its
        // main account. Source: documented (endpoint sub_accounts_transfer_main_to_sub, endpoint
        // sub_accounts_transfer_sub_to_main, endpoint sub_accounts_transfer_own_to_main, endpoint
        // sub_accounts_transfer_sub_to_sub)
        let is_same_customer = main_or_self(from)? == main && main_or_self(to)? == main;
        if !is_same_customer || !(caller_is_main || (from.account == caller && to.account == main))
        {
            return Err(Reject::NotOwnAccount);
        }
        if from == to {
            return Err(Reject::SameWallet);
        }
        // Rule: A transfer neither leaves nor reaches a frozen account. Source: simplified (the table of error codes
        // has the codes of the caller only)
        self.check_frozen(from.account)?;
        self.check_frozen(to.account)?;
        check_amount(*amount)
    }

    /// Checks address, receiver and amount of a withdrawal.
    pub(crate) fn check_withdrawal(&self, request: &NewWithdrawal) -> Result<(), Reject> {
        // Rule: A withdrawal names an address, or an account that there is. Source: documented (endpoint
        // account_withdraw)
        if request.address.is_empty() {
            return Err(Reject::AddressMissing);
        }
        let exists = |id: &AccountId| self.accounts.get(id).is_some_and(|owner| !owner.house);
        if !request.payee.as_ref().is_none_or(exists) {
            return Err(Reject::UnknownAccount);
        }
        // Rule: A frozen account receives no withdrawal of another account. Source: invented (as for transfers)
        request.payee.map_or(Ok(()), |payee| self.check_frozen(payee))?;
        if request.amount > MAX_AMOUNT {
            return Err(Reject::AmountTooLarge { maximum: MAX_AMOUNT });
        }
        Ok(())
    }
}
