//! What is done to accounts from outside the market.

use rust_decimal::Decimal;
use smol_str::SmolStr;

use super::{
    AccountId, BalanceReason, DECIMALS, Event, Exchange,
    refusal::{Refusal, refuse},
};
use crate::{
    Balance,
    config::Config,
    control::{ControlError, WalletKind},
    input::Funds,
    keys::ApiKey,
};

/// Most that a balance can be set to.
pub(crate) const MOST: Decimal = Decimal::from_parts(0xA4C6_8000, 0x0003_8D7E, 0, false, 0);

impl Exchange {
    /// Opens the accounts that configured keys name and that are not there.
    pub(crate) fn admit(&mut self, config: &Config) {
        let funds = config.funds();
        for key in config.keys_or_default() {
            self.open_account(&key, &funds);
        }
    }

    /// Opens the account with the lowest free number, with these starting balances.
    pub(crate) fn open_next_account(&mut self, funds: &Funds) -> AccountId {
        let free = (1..=u32::MAX).map(AccountId).find(|id| !self.accounts.contains_key(id));
        let id = free.unwrap_or(AccountId(0));
        self.open_account(&ApiKey::from_seed(0).account(id.0), funds);
        id
    }

    /// The main account of a customer, when it is a sub-account.
    pub(crate) fn customer(&self, id: AccountId) -> Result<Option<AccountId>, ControlError> {
        let known = self.accounts.get(&id).filter(|account| !account.house);
        known.map(|account| account.main).ok_or(ControlError::UnknownAccount(id.0))
    }

    /// Halts a market for customers, or lets it go on.
    pub(crate) fn halt(&mut self, symbol: &str, halted: bool) -> Result<(), ControlError> {
        if !self.spot.contains_key(symbol) && !self.futures.contains_key(symbol) {
            return Err(ControlError::UnknownMarket(symbol.to_owned()));
        }
        let _ = if halted { self.halted.insert(symbol.into()) } else { self.halted.remove(symbol) };
        Ok(())
    }

    /// Refuses an order for a market that is halted.
    pub(crate) fn check_trading(&self, symbol: &str, code: u32) -> Result<(), Refusal> {
        if self.halted.contains(symbol) { Err(refuse(code)) } else { Ok(()) }
    }

    /// Sets what is free in a wallet; what open orders hold stays as it is.
    pub(crate) fn set_available(
        &mut self,
        id: AccountId,
        kind: WalletKind,
        currency: &SmolStr,
        amount: Decimal,
    ) -> Result<Balance, ControlError> {
        self.customer(id)?;
        let traded = match kind {
            WalletKind::Spot | WalletKind::Funding => self
                .spot
                .values()
                .any(|market| market.rules.base == *currency || market.rules.quote == *currency),
            WalletKind::Futures => {
                self.futures.values().any(|market| market.rules.quote == *currency)
            }
        };
        if !traded {
            return Err(ControlError::UnknownCurrency(currency.to_string()));
        }
        let amount = amount.normalize();
        if amount < Decimal::ZERO || amount > MOST || amount.scale() > DECIMALS {
            return Err(ControlError::InvalidAmount(amount));
        }
        let account = self.account(id);
        let (wallet, name, event) = match kind {
            WalletKind::Spot => {
                let currencies = vec![currency.clone()];
                let reason = BalanceReason::Deposit;
                let event = Event::SpotBalance { account: id, reason, currencies };
                (account.spot(currency), "spot", Some(event))
            }
            WalletKind::Funding => {
                let event = None;
                (account.fund(currency), "funding", event)
            }
            WalletKind::Futures => {
                let event = Event::FuturesAsset { account: id, currency: currency.clone() };
                (account.futures(currency), "futures", Some(event))
            }
        };
        let taken = wallet.available - amount;
        wallet.available = amount;
        let row = Balance {
            account: id.0,
            wallet: name,
            currency: currency.to_string(),
            available: amount,
            frozen: wallet.frozen,
        };
        self.collect(currency, taken);
        self.events.extend(event);
        Ok(row)
    }
}
