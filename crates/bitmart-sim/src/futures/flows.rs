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
    Transfer,
    Realised,
    Funding,
    Commission,
    Liquidation,
}

/// Money that came into (above zero) or left a futures wallet or position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    pub id: u64,
    pub account: AccountId,
    pub kind: FlowKind,
    /// Empty for transfers.
    pub symbol: SmolStr,
    pub currency: SmolStr,
    pub amount: Decimal,
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
