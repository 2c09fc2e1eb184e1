//! What streams told of while a fetch was on its way.

use std::collections::BTreeSet;

use bitmart_types::Currency;

use crate::PositionKey;

/// Balances and positions carry no number that says which of two reports is newer. A stream tells
/// every change, so its last word stands and the same row of the fetch is left out.
#[derive(Debug, Default)]
pub(super) struct Touched {
    currencies: BTreeSet<Currency>,
    positions: BTreeSet<PositionKey>,
}

impl Touched {
    pub(super) fn clear(&mut self) {
        self.currencies.clear();
        self.positions.clear();
    }

    pub(super) fn balance(&mut self, currency: &Currency) {
        self.currencies.insert(currency.clone());
    }

    pub(super) fn position(&mut self, key: &PositionKey) {
        self.positions.insert(key.clone());
    }

    pub(super) fn has_balance(&self, currency: &Currency) -> bool {
        self.currencies.contains(currency)
    }

    /// In one-way mode news of one direction is news of the other.
    pub(super) fn has_position(&self, key: &PositionKey) -> bool {
        let direction = key.direction.opposite();
        self.positions.contains(key)
            || self.positions.contains(&PositionKey { contract: key.contract.clone(), direction })
    }
}
