//! The values of an order that are checked against the rules of a contract.

use bitmart_types::{ContractSymbol, Decimal};

/// The values of an order that are validated against the contract's [`OrderRules`](super::OrderRules).
pub(super) struct OrderToCheck<'a> {
    pub(super) symbol: &'a ContractSymbol,
    /// Number of contracts; `None` for a take-profit or stop-loss order of the whole position.
    pub(super) size: Option<u64>,
    pub(super) is_market: bool,
    pub(super) leverage: Option<Decimal>,
    /// Wire names and prices; `None` if the order has no such price.
    pub(super) prices: [(&'static str, Option<Decimal>); 4],
}
