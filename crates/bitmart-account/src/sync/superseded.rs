//! Rows of a fetch that a stream superseded while the fetch was running.

use std::collections::BTreeSet;

use bitmart_types::Currency;

use super::Change;
use crate::PositionKey;

/// The balances and positions that a stream updated during a fetch.
///
/// They carry no sequence number to compare a stream's message with a row of the fetch. A stream sends
/// every change, so its last message wins and the row is ignored.
#[derive(Debug, Default)]
pub(super) struct Superseded {
    currencies: BTreeSet<Currency>,
    positions: BTreeSet<PositionKey>,
}

impl Superseded {
    pub(super) fn record(&mut self, change: &Change) {
        match change {
            Change::Balance(currency, _) => drop(self.currencies.insert(currency.clone())),
            Change::Position(key, _) => drop(self.positions.insert(key.clone())),
            Change::Order(_) | Change::Fill(_) => {}
        }
    }

    pub(super) fn has_balance(&self, currency: &Currency) -> bool {
        self.currencies.contains(currency)
    }

    /// In one-way mode a message about one direction supersedes the other as well.
    pub(super) fn has_position(&self, key: &PositionKey) -> bool {
        let direction = key.direction.opposite();
        self.positions.contains(key)
            || self.positions.contains(&PositionKey { contract: key.contract.clone(), direction })
    }
}
