//! Which balances and positions a stream updated while a fetch was running.

use std::collections::{BTreeMap, BTreeSet};

use bitmart_types::Currency;

use super::Change;
use crate::{Position, PositionKey};

/// The balances and positions that a stream updated while a fetch was running.
///
/// They have no sequence number that would tell whether a message or a row of the fetch is newer. A
/// stream sends every change, so its last message wins and the row is ignored.
#[derive(Debug, Default)]
pub(super) struct UpdatedDuringFetch {
    currencies: BTreeSet<Currency>,
    positions: BTreeSet<PositionKey>,
    /// Positions whose opposite direction was reported open, with [`Position::one_way`] of the message.
    opposite_opened: BTreeMap<PositionKey, Option<bool>>,
}

impl UpdatedDuringFetch {
    pub(super) fn record(&mut self, change: &Change) {
        match change {
            Change::Balance(currency, _) => drop(self.currencies.insert(currency.clone())),
            Change::Position(key, position) => {
                self.positions.insert(key.clone());
                if !position.size.is_zero() {
                    let direction = key.direction.opposite();
                    let opposite = PositionKey { contract: key.contract.clone(), direction };
                    let one_way = self.opposite_opened.entry(opposite).or_default();
                    *one_way = position.one_way.or(*one_way);
                }
            }
            Change::Order(_) | Change::Fill(_) => {}
        }
    }

    pub(super) fn has_balance(&self, currency: &Currency) -> bool {
        self.currencies.contains(currency)
    }

    pub(super) fn has_position(&self, key: &PositionKey) -> bool {
        self.positions.contains(key)
    }

    /// Returns whether a message is newer than this row of the fetch.
    ///
    /// In one-way mode a contract has one position, so a message about an open position in the opposite
    /// direction is newer as well. In hedge mode, or if neither the message nor the row contains the
    /// mode, the directions are independent.
    pub(super) fn supersedes(&self, key: &PositionKey, row: &Position) -> bool {
        let one_way = self.opposite_opened.get(key).and_then(|one_way| one_way.or(row.one_way));
        self.has_position(key) || one_way == Some(true)
    }
}
