//! A sorted run of adjacent levels.

use bitmart_types::Decimal;

use super::{Direction, key::PriceKey};
use crate::event::Level;

/// Largest number of levels per chunk: those of the deepest topic and the additions of an update.
pub(super) const CHUNK_CAPACITY: usize = 128;

/// Levels from worst to best. Their keys are in a separate list, so that a search reads little memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunk {
    keys: Vec<i64>,
    levels: Vec<Level>,
}

impl Chunk {
    pub(super) fn levels(&self) -> &[Level] {
        &self.levels
    }

    pub(super) fn best(&self) -> Option<Level> {
        self.levels.last().copied()
    }

    pub(super) fn worst(&self) -> Option<Level> {
        self.levels.first().copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// Returns whether all its levels are worse than `price`.
    pub(super) fn is_worse_than<D: Direction>(&self, price: PriceKey<D>) -> bool {
        let best = self.keys.last().zip(self.levels.last());
        best.is_none_or(|(key, level)| price.compare_to(*key, level.price).is_lt())
    }

    /// Returns the index of the price, or the index at which to insert it.
    pub(super) fn find<D: Direction>(&self, price: PriceKey<D>) -> Result<usize, usize> {
        let key = price.value();
        if self.keys.last().is_none_or(|best| *best < key) {
            return Err(self.keys.len());
        }
        let start = self.keys.partition_point(|other| *other < key);
        if self.keys[start] != key {
            return Err(start);
        }
        let ties = match self.keys.get(start + 1) {
            Some(next) if *next == key => self.keys[start..].partition_point(|other| *other == key),
            _ => 1,
        };
        self.levels[start..start + ties]
            .binary_search_by(|level| price.compare_tie(level.price))
            .map(|offset| start + offset)
            .map_err(|offset| start + offset)
    }

    pub(super) fn overwrite(&mut self, index: usize, level: Level) {
        self.levels[index] = level;
    }

    pub(super) fn insert(&mut self, index: usize, key: i64, level: Level) {
        self.keys.insert(index, key);
        self.levels.insert(index, level);
    }

    pub(super) fn remove(&mut self, index: usize) {
        self.keys.remove(index);
        self.levels.remove(index);
    }

    /// Removes the `count` worst levels and returns their prices.
    pub(super) fn remove_worst(&mut self, count: usize) -> impl Iterator<Item = Decimal> {
        self.keys.drain(..count);
        self.levels.drain(..count).map(|level| level.price)
    }

    /// Splits off the better half.
    pub(super) fn split(&mut self) -> Self {
        let middle = self.levels.len() / 2;
        Self { keys: self.keys.split_off(middle), levels: self.levels.split_off(middle) }
    }

    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.levels.clear();
    }

    /// Recomputes the keys. Their order does not change.
    pub(super) fn rekey<D: Direction>(&mut self, scale: u32) {
        for (key, level) in self.keys.iter_mut().zip(&self.levels) {
            *key = PriceKey::<D>::new(level.price, scale).value();
        }
    }
}
