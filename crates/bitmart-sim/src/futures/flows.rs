//! The transaction history of futures wallets.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{AccountId, Exchange, keep_latest, next};

// Rule: Flows of futures wallets have the kinds of the transaction history. Source: documented (endpoint
// futures_transactions)
/// Why money came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FlowKind {
    /// Moved from or to another wallet, deposited, claimed, or set by the operator.
    Transfer,
    /// Profit or loss of contracts closed by the customer's own orders.
    Realised,
    /// Paid between long and short positions at a funding time.
    Funding,
    /// Fee of a trade.
    Commission,
    /// Profit or loss of contracts closed by force, and what insurance paid.
    Liquidation,
}

/// Money that came into (above zero) or left a futures wallet or position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Number of the flow, rising with time.
    pub id: u64,
    /// Whose money it is.
    pub account: AccountId,
    /// Why it came or went.
    pub kind: FlowKind,
    /// Empty for transfers.
    pub symbol: SmolStr,
    /// The currency of the wallet.
    pub currency: SmolStr,
    /// Units of the currency; below zero when money left.
    pub amount: Decimal,
    /// Milliseconds since 1970.
    pub time_ms: u64,
}

impl Exchange {
    /// Remembers a flow of a customer, unless it is of nothing.
    pub(crate) fn record_flow(
        &mut self,
        account: AccountId,
        kind: FlowKind,
        (symbol, currency): (SmolStr, SmolStr),
        amount: Decimal,
        time_ms: u64,
    ) {
        if !amount.is_zero() && !Self::is_house(account) {
            let id = next(&mut self.counters.flow);
            let row = Flow { id, account, kind, symbol, currency, amount, time_ms };
            keep_latest(&mut self.flows, row, self.remembered);
        }
    }
}
