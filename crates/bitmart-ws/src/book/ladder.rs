//! One side of a book.

mod chunk;
mod key;
#[cfg(test)]
mod tests;

use std::{cmp::Ordering, fmt, marker::PhantomData};

use bitmart_types::Decimal;

use crate::event::Level;
use chunk::{Chunk, ROOM};
use key::{Place, grown_scale};

/// More levels than this are not kept: the worst go. A hundred times what the deepest topic covers.
pub(super) const MAX_LEVELS: usize = 10_000;

/// Which price is better.
pub(super) trait Direction: Clone + fmt::Debug + Default {
    /// Whether lower prices are better.
    const LOWER_IS_BETTER: bool;

    /// `Greater` when `a` is the better price.
    fn compare(a: Decimal, b: Decimal) -> Ordering {
        if Self::LOWER_IS_BETTER { b.cmp(&a) } else { a.cmp(&b) }
    }
}

/// Buys: high prices are better.
#[derive(Clone, Debug, Default)]
pub(super) struct Bids;

/// Sells: low prices are better.
#[derive(Clone, Debug, Default)]
pub(super) struct Asks;

impl Direction for Bids {
    const LOWER_IS_BETTER: bool = false;
}

impl Direction for Asks {
    const LOWER_IS_BETTER: bool = true;
}

/// Levels sorted from the worst to the best price, since most changes happen near the best and the
/// end of a vector is cheap to change. Each price once, no size of 0.
///
/// Searches compare integer [keys](key), and decimals only where two keys are equal. The books of
/// all topics fit one chunk; more levels are spread over several, so that a change far from the best
/// moves little.
#[derive(Clone, Debug, Default)]
pub(super) struct Ladder<D> {
    /// Worst first. None is empty.
    chunks: Vec<Chunk>,
    len: usize,
    /// Scale of the keys.
    scale: u32,
    horizon: Option<Decimal>,
    /// Prices that the last update pushed out.
    dropped: Vec<Decimal>,
    direction: PhantomData<D>,
}

impl<D: Direction> Ladder<D> {
    pub(super) fn best(&self) -> Option<Level> {
        self.chunks.last().and_then(Chunk::best)
    }

    fn worst(&self) -> Option<Level> {
        self.chunks.first().and_then(Chunk::worst)
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = Level> + DoubleEndedIterator {
        Counted {
            levels: self.chunks.iter().rev().flat_map(|chunk| chunk.levels().iter().rev()),
            left: self.len,
        }
    }

    /// The price down to which nothing can be missing. `None` when nothing can be missing at all.
    pub(super) fn horizon(&self) -> Option<Decimal> {
        self.horizon
    }

    /// Whether no level at this price or better can be missing.
    pub(super) fn covers(&self, price: Decimal) -> bool {
        self.horizon.is_none_or(|horizon| D::compare(price, horizon).is_ge())
    }

    /// Whether `price` is at least as good as `limit`.
    pub(super) fn is_within(price: Decimal, limit: Decimal) -> bool {
        D::compare(price, limit).is_ge()
    }

    /// Prices that the last update pushed out.
    #[cfg(any(feature = "client", test))]
    pub(super) fn dropped(&self) -> &[Decimal] {
        &self.dropped
    }

    pub(super) fn clear(&mut self) {
        // One chunk is kept for its memory.
        self.chunks.truncate(1);
        self.chunks.iter_mut().for_each(Chunk::clear);
        self.len = 0;
        self.scale = 0;
        self.horizon = None;
        self.dropped.clear();
    }

    /// Takes over a snapshot, in whatever order it comes, of a venue that shows `limit` levels.
    pub(super) fn replace(&mut self, levels: &[Level], limit: Option<usize>) {
        self.clear();
        // Snapshots run from the best price; so the reverse is sorted and each level lands at the
        // end.
        levels.iter().rev().for_each(|level| self.set(*level));
        self.trim(limit);
        self.dropped.clear();
        // One that is shorter than it may be shows all there is.
        if limit.is_none_or(|limit| levels.len() >= limit) {
            self.horizon = self.worst().map(|level| level.price);
        }
    }

    /// Takes in the changes of an update.
    pub(super) fn update(&mut self, levels: &[Level], limit: Option<usize>) {
        self.dropped.clear();
        for level in levels {
            self.set(*level);
        }
        // Not before the end: a price that goes may make room for one that has come.
        self.trim(limit);
    }

    /// Sets the size at a price; 0 removes the price.
    fn set(&mut self, level: Level) {
        if level.price.scale() > self.scale {
            self.rescale(level.price);
        }
        let place = Place::<D>::new(level.price, self.scale);
        let present = level.size.is_sign_positive() && !level.size.is_zero();
        if self.chunks.is_empty() {
            self.chunks.push(Chunk::default());
        }
        let others = self.chunks.split_last().map_or(&[][..], |(_, others)| others);
        let index = others.partition_point(|chunk| chunk.is_worse_than(place));
        let chunk = &mut self.chunks[index];
        match chunk.find(place) {
            Ok(at) if present => chunk.overwrite(at, level),
            Ok(at) => {
                chunk.remove(at);
                self.len -= 1;
                if chunk.is_empty() && self.chunks.len() > 1 {
                    self.chunks.remove(index);
                }
            }
            Err(at) if present => {
                chunk.insert(at, place.key(), level);
                self.len += 1;
                if chunk.levels().len() > ROOM {
                    let better = chunk.split();
                    self.chunks.insert(index + 1, better);
                }
            }
            Err(_) => {}
        }
    }

    /// Drops the worst levels above the limit: the venue may not tell of them any more. A side that
    /// is full may hide others, even if it was never above the limit here.
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
            self.horizon = Some(worst.price);
        }
    }

    /// Refines the keys for a price with more decimals, unless the largest would not fit then.
    #[cold]
    fn rescale(&mut self, price: Decimal) {
        let ends = [self.best(), self.worst()].into_iter().flatten().map(|level| level.price);
        let scale = grown_scale(self.scale, price, ends);
        if scale > self.scale {
            self.scale = scale;
            self.chunks.iter_mut().for_each(|chunk| chunk.rekey::<D>(scale));
        }
    }
}

/// An iterator that knows how many there are.
struct Counted<I> {
    levels: I,
    left: usize,
}

impl<'a, I: Iterator<Item = &'a Level>> Iterator for Counted<I> {
    type Item = Level;

    fn next(&mut self) -> Option<Level> {
        let level = self.levels.next()?;
        self.left = self.left.saturating_sub(1);
        Some(*level)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<'a, I: DoubleEndedIterator<Item = &'a Level>> DoubleEndedIterator for Counted<I> {
    fn next_back(&mut self) -> Option<Level> {
        let level = self.levels.next_back()?;
        self.left = self.left.saturating_sub(1);
        Some(*level)
    }
}

impl<'a, I: Iterator<Item = &'a Level>> ExactSizeIterator for Counted<I> {}
