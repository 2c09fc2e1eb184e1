//! When streams last updated each open order, balance and position.

use std::collections::BTreeMap;

use bitmart_types::futures::PositionMode;
use bitmart_types::{Currency, OrderId, Timestamp};

use super::Change;
use crate::{Position, PositionKey};

/// When a message was processed, and from which stream.
#[derive(Clone, Copy, Debug)]
struct StreamUpdate {
    at: Timestamp,
    stream: usize,
}

/// The last update of each open order, balance and position by a stream that has lost nothing since.
///
/// Balances and positions have no sequence number that would tell whether a message or a row of a fetch
/// is newer. Rows lag behind by at most H, so a fetch that began at `begin` contains every message that
/// was processed before `begin − H`. A later message may be newer than the row and wins: as long as its
/// stream loses nothing, the last message is current. After a loss it may be outdated, so the row wins.
///
/// The time of processing is used because it is not before the time of receipt.
#[derive(Debug, Default)]
pub(super) struct LastUpdates {
    orders: BTreeMap<OrderId, StreamUpdate>,
    balances: BTreeMap<Currency, StreamUpdate>,
    positions: BTreeMap<PositionKey, StreamUpdate>,
    /// When a position was last reported open, with [`Position::position_mode`] of the message.
    reported_open: BTreeMap<PositionKey, (StreamUpdate, Option<PositionMode>)>,
}

impl LastUpdates {
    pub(super) fn record(&mut self, at: Timestamp, stream: usize, change: &Change) {
        let update = StreamUpdate { at, stream };
        match change {
            Change::Balance(currency, _) => drop(self.balances.insert(currency.clone(), update)),
            Change::Position(key, position) => {
                self.positions.insert(key.clone(), update);
                if !position.size.is_zero() {
                    self.reported_open
                        .insert(key.clone(), (update, position.position_mode.clone()));
                }
            }
            Change::Order(order) if order.progress.is_final() => self.remove_order(&order.order_id),
            Change::Order(order) => drop(self.orders.insert(order.order_id.clone(), update)),
            Change::Fill(_) => {}
        }
    }

    /// This stream lost a message.
    pub(super) fn stream_lost(&mut self, stream: usize) {
        self.orders.retain(|_, update| update.stream != stream);
        self.balances.retain(|_, update| update.stream != stream);
        self.positions.retain(|_, update| update.stream != stream);
        self.reported_open.retain(|_, (update, _)| update.stream != stream);
    }

    pub(super) fn remove_order(&mut self, id: &OrderId) {
        self.orders.remove(id);
    }

    pub(super) fn has_order(&self, id: &OrderId, since: Timestamp) -> bool {
        self.orders.get(id).is_some_and(|update| update.at >= since)
    }

    pub(super) fn has_balance(&self, currency: &Currency, since: Timestamp) -> bool {
        self.balances.get(currency).is_some_and(|update| update.at >= since)
    }

    pub(super) fn has_position(&self, key: &PositionKey, since: Timestamp) -> bool {
        self.positions.get(key).is_some_and(|update| update.at >= since)
    }

    /// Returns whether a message since this time may be newer than this row of a fetch.
    ///
    /// In one-way mode a contract has one position, so a message about an open position in the opposite
    /// side may be newer as well. In hedge mode, or if neither the message nor the row contains
    /// the mode, the sides are independent.
    pub(super) fn supersedes(&self, key: &PositionKey, row: &Position, since: Timestamp) -> bool {
        let opposite =
            self.reported_open.get(&key.opposite()).filter(|(update, _)| update.at >= since);
        let mode = opposite.and_then(|(_, mode)| mode.as_ref().or(row.position_mode.as_ref()));
        self.has_position(key, since) || mode == Some(&PositionMode::OneWay)
    }
}
