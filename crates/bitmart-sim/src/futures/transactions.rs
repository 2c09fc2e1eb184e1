//! The transaction history of futures wallets.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{AccountId, Exchange};

// Rule: Transactions of futures wallets have the kinds of the transaction history. Source: documented (endpoint
// futures_transactions)
/// The kind of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransactionKind {
    /// A transfer, a deposit, a claim of play money, or a balance set by the operator.
    Transfer,
    /// Realized profit or loss of a position that the customer closed.
    #[serde(alias = "Realised")]
    Realized,
    /// A funding payment between long and short positions.
    Funding,
    /// The fee of a trade.
    Commission,
    /// Realized profit or loss of a liquidated position, and payments of insurance.
    Liquidation,
}

/// A change of the money in a futures wallet and its positions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// Number of the transaction, rising with time.
    pub id: u64,
    /// The owner of the wallet.
    pub account: AccountId,
    /// The kind.
    pub kind: TransactionKind,
    /// The contract; empty for transfers.
    pub symbol: SmolStr,
    /// The currency of the wallet.
    pub currency: SmolStr,
    /// Units of the currency, negative when money left.
    pub amount: Decimal,
    /// Milliseconds since 1970.
    pub time_ms: u64,
}

impl Exchange {
    /// Records a transaction of a customer, unless the amount is zero.
    pub(crate) fn record_transaction(
        &mut self,
        account: AccountId,
        kind: TransactionKind,
        (symbol, currency): (SmolStr, SmolStr),
        amount: Decimal,
        time_ms: u64,
    ) {
        if !amount.is_zero() && !Self::is_house(account) {
            let id = self.counters.next_transaction();
            let row = Transaction { id, account, kind, symbol, currency, amount, time_ms };
            self.transactions.add(row, self.history_limit);
        }
    }
}
