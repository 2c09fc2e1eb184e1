//! One side of a book.

use std::{cmp::Ordering, fmt, marker::PhantomData};

use bitmart_types::Decimal;

use crate::event::Level;

/// More levels than this are not kept: the worst go. Fifty times what the deepest topic covers.
pub(super) const MAX_LEVELS: usize = 5_000;

/// Which price is better.
pub(super) trait Direction: Clone + fmt::Debug + Default {
    /// `Greater` when `a` is the better price.
    fn compare(a: Decimal, b: Decimal) -> Ordering;
}

/// Buys: high prices are better.
#[derive(Clone, Debug, Default)]
pub(super) struct Bids;

/// Sells: low prices are better.
#[derive(Clone, Debug, Default)]
pub(super) struct Asks;

impl Direction for Bids {
    fn compare(a: Decimal, b: Decimal) -> Ordering {
        a.cmp(&b)
    }
}

impl Direction for Asks {
    fn compare(a: Decimal, b: Decimal) -> Ordering {
        b.cmp(&a)
    }
}

/// Levels sorted from the worst to the best price, since most changes happen near the best and the
/// end of a vector is cheap to change. Each price once, no size of 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Ladder<D> {
    levels: Vec<Level>,
    direction: PhantomData<D>,
}

impl<D: Direction> Ladder<D> {
    pub(super) fn best(&self) -> Option<Level> {
        self.levels.last().copied()
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = Level> + DoubleEndedIterator {
        self.levels.iter().rev().copied()
    }

    pub(super) fn clear(&mut self) {
        self.levels.clear();
    }

    /// Takes over a snapshot, in whatever order it comes.
    pub(super) fn replace(&mut self, levels: &[Level]) {
        self.levels.clear();
        // Snapshots run from the best price; so the reverse is sorted and each level lands at the
        // end.
        levels.iter().rev().for_each(|level| self.set(*level));
    }

    /// Sets the size at a price; 0 removes the price.
    pub(super) fn set(&mut self, level: Level) {
        let present = level.size > Decimal::ZERO;
        let place = match self.levels.last() {
            Some(best) if D::compare(level.price, best.price) == Ordering::Greater => {
                Err(self.levels.len())
            }
            _ => self.levels.binary_search_by(|other| D::compare(other.price, level.price)),
        };
        match place {
            Ok(index) if present => self.levels[index] = level,
            Ok(index) => {
                self.levels.remove(index);
            }
            Err(index) if present => {
                self.levels.insert(index, level);
                if self.levels.len() > MAX_LEVELS {
                    self.levels.remove(0);
                }
            }
            Err(_) => {}
        }
    }
}
