//! Withdrawals.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, BalanceReason, Event, Exchange, next,
    refusal::{Refusal, refuse},
};

/// The flat fee of a withdrawal, in its own currency.
pub(crate) const WITHDRAW_FEE: Decimal = Decimal::from_parts(1, 0, 0, false, 4);

/// A checked request to withdraw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NewWithdrawal {
    /// As asked: may carry a network, `USDT-TRC20`.
    pub(crate) currency: SmolStr,
    pub(crate) amount: Decimal,
    pub(crate) address: String,
    pub(crate) address_memo: String,
}

/// A withdrawal on its way. The sandbox finishes it at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Withdrawal {
    pub(crate) id: u64,
    pub(crate) account: AccountId,
    pub(crate) request: NewWithdrawal,
    pub(crate) fee: Decimal,
    pub(crate) time_ms: u64,
}

impl Exchange {
    /// The currency of the wallet behind a network-qualified code: `USDT-TRC20` is `USDT`.
    pub(crate) fn plain_currency(&self, code: &str) -> Option<SmolStr> {
        let plain = code.split('-').next().unwrap_or(code);
        let known = self
            .spot
            .values()
            .any(|market| market.rules.base == plain || market.rules.quote == plain);
        known.then(|| plain.into())
    }

    pub(crate) fn withdraw(
        &mut self,
        account: AccountId,
        request: NewWithdrawal,
        now_ms: u64,
    ) -> Result<u64, Refusal> {
        let currency = self.plain_currency(&request.currency).ok_or_else(|| refuse(60002))?;
        if request.amount <= WITHDRAW_FEE {
            return Err(refuse(60005)
                .saying(format!("Minimum amount is more than the fee of {WITHDRAW_FEE}")));
        }
        let wallet = self.account(account).spot(&currency);
        if wallet.available < request.amount {
            return Err(refuse(60008));
        }
        wallet.available -= request.amount;
        self.collect(&currency, request.amount);
        let id = next(&mut self.counters.funding);
        self.withdrawals.push(Withdrawal {
            id,
            account,
            request,
            fee: WITHDRAW_FEE,
            time_ms: now_ms,
        });
        let currencies = vec![currency];
        self.events.push(Event::SpotBalance {
            account,
            reason: BalanceReason::Withdrawal,
            currencies,
        });
        Ok(id)
    }
}
