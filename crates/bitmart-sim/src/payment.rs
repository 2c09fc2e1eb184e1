//! Deposits and withdrawals, which pass through the documented states as time passes.
//!
//! No source states how long a state lasts: the times are invented.

mod deposit;
mod quota;
mod withdrawal;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

pub(crate) use self::quota::RecentWithdrawals;
pub use self::{
    deposit::{PLAY_MONEY_CLAIM, deposit_address},
    withdrawal::{NewWithdrawal, WITHDRAW_FEE},
};
use super::{
    AccountId, BalanceReason, Event, Exchange, account::WalletKind, kept_rows::Row,
    ledger::HouseBook, schedule::Task,
};

// Rule: A withdrawal to an address that begins with fail fails. Source: invented (so that a client can see one)
/// Withdrawals to addresses that begin with this fail, so that clients can test failures.
const FAILING_ADDRESS: &str = "fail";

/// State of a deposit or withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PaymentState {
    /// Accepted; lasts one second.
    Created,
    /// A withdrawal waits to be sent, for 9 seconds.
    Submitted,
    /// On its way: 50 seconds for a withdrawal, 29 for a deposit.
    Processing,
    /// The money has arrived.
    Done,
    /// A withdrawal failed, and the money was returned; or a deposit failed, and nothing was credited.
    Failed,
}

impl PaymentState {
    // Rule: A withdrawal reaches its next states after 1, 10 and 60 seconds, a deposit after 1 and 30. Source:
    // documented (endpoint account_funding_history); invented (the times)
    /// Returns the next state, and the milliseconds until it is reached.
    fn next(self, deposit: bool) -> Option<(Self, u64)> {
        Some(match (self, deposit) {
            (Self::Created, false) => (Self::Submitted, 1_000),
            (Self::Submitted, _) => (Self::Processing, 9_000),
            (Self::Created, true) => (Self::Processing, 1_000),
            (Self::Processing, false) => (Self::Done, 50_000),
            (Self::Processing, true) => (Self::Done, 29_000),
            (Self::Done | Self::Failed, _) => return None,
        })
    }
}

/// A deposit or withdrawal, in progress or finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Number of the deposit or withdrawal.
    pub id: u64,
    /// The owner of the wallet.
    pub account: AccountId,
    /// A deposit (true) or a withdrawal (false).
    pub deposit: bool,
    /// The requested currency, with or without a network.
    pub currency: SmolStr,
    /// Units of the currency, including the fee of a withdrawal.
    pub amount: Decimal,
    /// Units of the currency; zero for deposits.
    pub fee: Decimal,
    /// The target of a withdrawal, or the deposit address of the account.
    pub address: String,
    /// Tag, payment id or memo; empty without one.
    pub address_memo: String,
    /// Its state.
    pub state: PaymentState,
    /// When it was requested, in milliseconds since 1970.
    pub time_ms: u64,
    /// When the state was reached, in milliseconds since 1970.
    since_ms: u64,
    /// The currency of the wallet, without a network.
    pub(super) plain: SmolStr,
    /// The part paid from the spot wallet; the rest is paid from the funding wallet.
    pub(super) from_spot: Decimal,
    /// The receiving account of a withdrawal to another account of this exchange.
    payee: Option<AccountId>,
    /// The row only records a balance that the operator set, or the money of a withdrawal of another account. It does
    /// not count towards the withdrawal quota.
    #[serde(default)]
    by_operator: bool,
}

impl Row for Payment {
    fn account(&self) -> AccountId {
        self.account
    }

    fn is_finished(&self) -> bool {
        self.state.next(self.deposit).is_none()
    }
}

impl Exchange {
    /// Returns the currency of a code with a network: `USDT` for `USDT-TRC20`. `None` when no pair uses it.
    pub fn plain_currency(&self, code: &str) -> Option<SmolStr> {
        let plain = code.split('-').next().unwrap_or(code);
        let known = self
            .spot
            .values()
            .any(|market| market.rules.base == plain || market.rules.quote == plain);
        known.then(|| plain.into())
    }

    /// Records a new deposit or withdrawal, and schedules its next state.
    fn start_payment(&mut self, row: Payment) -> u64 {
        let id = row.id;
        if let Some((_, wait_ms)) = row.state.next(row.deposit) {
            self.schedule.add(row.since_ms.saturating_add(wait_ms), Task::Payment(id));
        }
        if !row.deposit {
            self.report_balance(row.account, BalanceReason::Withdrawal, &row.plain);
        }
        self.payments.insert(id, row);
        id
    }

    /// Moves a deposit or withdrawal to its next state. The last state moves the money.
    pub(super) fn advance_payment(&mut self, id: u64) {
        let Some(row) = self.payments.get_mut(id) else { return };
        let Some((state, wait_ms)) = row.state.next(row.deposit) else { return };
        row.state = state;
        row.since_ms = row.since_ms.saturating_add(wait_ms);
        if let Some((_, wait_ms)) = state.next(row.deposit) {
            let at_ms = row.since_ms.saturating_add(wait_ms);
            return self.schedule.add(at_ms, Task::Payment(id));
        }
        // Rule: A deposit that the books have no room for fails. Source: invented (no sum can overflow)
        let fails = if row.deposit {
            !self.ledger.can_issue(&row.plain, HouseBook::Deposits, row.amount)
        } else {
            row.address.starts_with(FAILING_ADDRESS)
        };
        if fails {
            row.state = PaymentState::Failed;
        }
        let row = row.clone();
        self.payments.finish(id, self.history_limit);
        if row.deposit {
            if !fails {
                self.credit_deposit(&row);
            }
            return;
        }
        if fails {
            self.recent_withdrawals.remove(&row);
        }
        let held =
            [(WalletKind::Spot, row.from_spot), (WalletKind::Funding, row.amount - row.from_spot)];
        for (kind, amount) in held {
            let wallet = self.ensure_wallet(row.account, kind, &row.plain);
            if fails {
                self.ledger.release(wallet, amount);
            } else {
                self.ledger.pay_house(wallet.frozen(), HouseBook::Clearing, amount);
            }
        }
        if !fails {
            self.pay_out(&row);
        }
        self.report_balance(row.account, BalanceReason::Withdrawal, &row.plain);
    }

    /// Reports a change of a spot balance.
    pub(super) fn report_balance(
        &mut self,
        account: AccountId,
        reason: BalanceReason,
        currency: &SmolStr,
    ) {
        let currencies = vec![currency.clone()];
        self.events.push(Event::SpotBalance { account, reason, currencies });
    }

    // Rule: Deposits of a sub-account are in the history of its main account, and a transfer from there follows.
    // Source: invented (sub-accounts cannot ask for deposits, and no source says that they have any)
    /// Returns the deposits and withdrawals of an account, newest first. Those of its sub-accounts are among them,
    /// because these have no such list.
    pub fn payments_of(&self, account: AccountId) -> impl Iterator<Item = &Payment> {
        let sub_accounts = self.accounts.values().filter(|owner| owner.main == Some(account));
        let owners = sub_accounts.map(|owner| owner.id).chain([account]);
        let mut ids: Vec<_> = owners.flat_map(|owner| self.payments.ids_of(owner)).collect();
        ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
        ids.into_iter().filter_map(|id| self.payments.get(id))
    }
}
