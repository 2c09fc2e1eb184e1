//! What the rules of a contract look at in an order.

use bitmart_types::{ContractSymbol, Decimal};

/// An order as the rules of a contract see it.
pub(super) struct Shape<'a> {
    pub(super) symbol: &'a ContractSymbol,
    /// In contracts; `None` for all of a position.
    pub(super) size: Option<u64>,
    pub(super) is_market: bool,
    pub(super) leverage: Option<Decimal>,
    /// Prices with their names on the wire.
    pub(super) prices: [(&'static str, Option<Decimal>); 4],
}
