//! One side of an order book.

mod chunk;
mod key;
#[cfg(test)]
mod tests;

use std::{cmp::Ordering, fmt, marker::PhantomData};

use bitmart_types::Decimal;

use crate::event::Level;
use chunk::{CHUNK_CAPACITY, Chunk};
use key::{PriceKey, finer_scale};

/// Largest number of levels per side; the worst ones are dropped. A hundred times the deepest topic.
pub(super) const MAX_LEVELS: usize = 10_000;

/// The order of prices on a side.
pub(super) trait Direction: Clone + fmt::Debug + Default {
    /// Whether lower prices are better.
    const LOWER_IS_BETTER: bool;

    /// Returns `Greater` if `a` is the better price.
    fn compare(a: Decimal, b: Decimal) -> Ordering {
        if Self::LOWER_IS_BETTER { b.cmp(&a) } else { a.cmp(&b) }
    }
}

/// Bids: higher prices are better.
#[derive(Clone, Debug, Default)]
pub(super) struct Bids;

/// Asks: lower prices are better.
#[derive(Clone, Debug, Default)]
pub(super) struct Asks;

impl Direction for Bids {
    const LOWER_IS_BETTER: bool = false;
}

impl Direction for Asks {
    const LOWER_IS_BETTER: bool = true;
}

/// Price levels from worst to best, because most changes are near the best price and the end of a
/// vector is cheap to change. Prices are unique and sizes are not 0.
///
/// A search compares integer [keys](key), and decimals only if two keys are equal. The book of any
/// topic fits into one chunk; more levels are spread over several, so that a change far from the best
/// price moves few levels.
#[derive(Clone, Debug, Default)]
pub(super) struct Side<D> {
    /// Worst first, none empty, except that a single chunk may be.
    chunks: Vec<Chunk>,
    len: usize,
    /// Scale of the keys.
    scale: u32,
    /// The price up to which no level can be missing; `None` if none can be missing at any price.
    complete_to: Option<Decimal>,
    /// Prices that the last update pushed beyond the limit.
    dropped: Vec<Decimal>,
    direction: PhantomData<D>,
}

impl<D: Direction> Side<D> {
    pub(super) fn best(&self) -> Option<Level> {
        self.chunks.last().and_then(Chunk::best)
    }

    fn worst(&self) -> Option<Level> {
        self.chunks.first().and_then(Chunk::worst)
    }

    /// Iterates from the best price on.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = Level> + DoubleEndedIterator {
        Levels {
            levels: self.chunks.iter().rev().flat_map(|chunk| chunk.levels().iter().rev()),
            remaining: self.len,
        }
    }

    /// Returns the price up to which no level can be missing. `None` if none can be missing at any
    /// price.
    pub(super) fn complete_to(&self) -> Option<Decimal> {
        self.complete_to
    }

    /// Returns whether no level at this price or better can be missing.
    pub(super) fn covers(&self, price: Decimal) -> bool {
        self.complete_to.is_none_or(|last| D::compare(price, last).is_ge())
    }

    /// Returns whether `price` is at least as good as `limit`.
    pub(super) fn is_within(price: Decimal, limit: Decimal) -> bool {
        D::compare(price, limit).is_ge()
    }

    /// Returns the prices that the last update pushed beyond the limit.
    #[cfg(any(feature = "client", test))]
    pub(super) fn dropped(&self) -> &[Decimal] {
        &self.dropped
    }

    pub(super) fn clear(&mut self) {
        // One chunk stays for its memory.
        self.chunks.truncate(1);
        self.chunks.iter_mut().for_each(Chunk::clear);
        self.len = 0;
        self.scale = 0;
        self.complete_to = None;
        self.dropped.clear();
    }

    /// Replaces all levels by a snapshot, in any order, of a topic with `limit` levels.
    pub(super) fn replace(&mut self, levels: &[Level], limit: Option<usize>) {
        self.clear();
        // Snapshots start with the best price. Reversed, each level is appended.
        levels.iter().rev().for_each(|level| self.set(*level));
        self.trim(limit);
        self.dropped.clear();
        // A snapshot with fewer levels than the topic has contains the whole side.
        if limit.is_none_or(|limit| levels.len() >= limit) {
            self.complete_to = self.worst().map(|level| level.price);
        }
    }

    /// Applies the changes of an update.
    pub(super) fn update(&mut self, levels: &[Level], limit: Option<usize>) {
        self.dropped.clear();
        for level in levels {
            self.set(*level);
        }
        // Only at the end: a removed level may make room for an added one.
        self.trim(limit);
    }

    /// Sets the size at a price; 0 or a negative size removes the price.
    fn set(&mut self, level: Level) {
        if level.price.scale() > self.scale {
            self.rescale(level.price);
        }
        let key = PriceKey::<D>::new(level.price, self.scale);
        let has_size = level.size.is_sign_positive() && !level.size.is_zero();
        if self.chunks.is_empty() {
            self.chunks.push(Chunk::default());
        }
        let others = self.chunks.split_last().map_or(&[][..], |(_, others)| others);
        let chunk_index = others.partition_point(|chunk| chunk.is_worse_than(key));
        let chunk = &mut self.chunks[chunk_index];
        match chunk.find(key) {
            Ok(index) if has_size => chunk.overwrite(index, level),
            Ok(index) => {
                chunk.remove(index);
                self.len -= 1;
                if chunk.is_empty() && self.chunks.len() > 1 {
                    self.chunks.remove(chunk_index);
                }
            }
            Err(index) if has_size => {
                chunk.insert(index, key.value(), level);
                self.len += 1;
                if chunk.levels().len() > CHUNK_CAPACITY {
                    let better = chunk.split();
                    self.chunks.insert(chunk_index + 1, better);
                }
            }
            Err(_) => {}
        }
    }

    /// Drops the worst levels beyond the limit, because the exchange may not update them any more. A
    /// full side may hide further levels, even if it never exceeded the limit here.
    fn trim(&mut self, limit: Option<usize>) {
        let limit = limit.unwrap_or(MAX_LEVELS).min(MAX_LEVELS);
        if self.len < limit {
            return;
        }
        while self.len > limit {
            let Some(chunk) = self.chunks.first_mut() else { break };
            let count = chunk.levels().len().min(self.len - limit);
            self.dropped.extend(chunk.remove_worst(count));
            self.len -= count;
            if chunk.is_empty() && self.chunks.len() > 1 {
                self.chunks.remove(0);
            }
        }
        if let Some(worst) = self.worst().filter(|worst| self.covers(worst.price)) {
            self.complete_to = Some(worst.price);
        }
    }

    /// Raises the scale of the keys for a price with more decimals, as far as the largest price fits.
    #[cold]
    fn rescale(&mut self, price: Decimal) {
        let ends = [self.best(), self.worst()].into_iter().flatten().map(|level| level.price);
        let scale = finer_scale(self.scale, price, ends);
        if scale > self.scale {
            self.scale = scale;
            self.chunks.iter_mut().for_each(|chunk| chunk.rekey::<D>(scale));
        }
    }
}

/// An iterator over levels with a known length.
struct Levels<I> {
    levels: I,
    remaining: usize,
}

impl<'a, I: Iterator<Item = &'a Level>> Iterator for Levels<I> {
    type Item = Level;

    fn next(&mut self) -> Option<Level> {
        let level = self.levels.next()?;
        self.remaining = self.remaining.saturating_sub(1);
        Some(*level)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }

    /// Reads the chunks in plain loops, without asking before each level which chunk is next.
    fn fold<B, F: FnMut(B, Level) -> B>(self, init: B, fold: F) -> B {
        self.levels.copied().fold(init, fold)
    }
}

impl<'a, I: DoubleEndedIterator<Item = &'a Level>> DoubleEndedIterator for Levels<I> {
    fn next_back(&mut self) -> Option<Level> {
        let level = self.levels.next_back()?;
        self.remaining = self.remaining.saturating_sub(1);
        Some(*level)
    }

    fn rfold<B, F: FnMut(B, Level) -> B>(self, init: B, fold: F) -> B {
        self.levels.copied().rfold(init, fold)
    }
}

impl<'a, I: Iterator<Item = &'a Level>> ExactSizeIterator for Levels<I> {}
