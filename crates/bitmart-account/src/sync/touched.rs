//! What streams told of while a fetch was on its way.

use std::collections::BTreeSet;

use bitmart_types::Currency;

use super::Report;
use crate::PositionKey;

/// Balances and positions carry no number that says which of two reports is newer. A stream tells
/// every change, so its last word stands and the same row of the fetch is left out.
#[derive(Debug, Default)]
pub(super) struct Touched {
    currencies: BTreeSet<Currency>,
    positions: BTreeSet<PositionKey>,
}

impl Touched {
    pub(super) fn note(&mut self, report: &Report) {
        match report {
            Report::Balance(currency, _) => drop(self.currencies.insert(currency.clone())),
            Report::Position(key, _) => drop(self.positions.insert(key.clone())),
            Report::Order(_) | Report::Fill(_) => {}
        }
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
