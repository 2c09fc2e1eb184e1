//! The values of an order that are checked against the rules of a contract.

use bitmart_types::{ContractSymbol, Decimal};

/// The values of an order that the rules of a contract check.
pub(super) struct CheckedValues<'a> {
    pub(super) symbol: &'a ContractSymbol,
    /// In contracts; `None` for the whole position.
    pub(super) size: Option<u64>,
    pub(super) is_market: bool,
    pub(super) leverage: Option<Decimal>,
    /// Prices with their names on the wire.
    pub(super) prices: [(&'static str, Option<Decimal>); 4],
}
