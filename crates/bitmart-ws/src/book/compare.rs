//! Compares a book with a second source.

use std::collections::BTreeMap;

use bitmart_types::Decimal;

use super::OrderBook;
use super::side::{Direction, Side};
use crate::event::Level;

/// The side of a [`Difference`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a book has two sides")]
pub enum DifferenceSide {
    /// Asks.
    Asks,
    /// Bids.
    Bids,
}

/// A price at which a book and a second source differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// Side of the book.
    pub side: DifferenceSide,
    /// Price.
    pub price: Decimal,
    /// Size in the book. `None` if it has no such level.
    pub book: Option<Decimal>,
    /// Size in the other source. `None` if it has no such level.
    pub other: Option<Decimal>,
}

/// The result of [`OrderBook::differences`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Differences {
    /// Number of compared prices.
    pub compared: usize,
    /// Prices at which they differ, asks first, each side from its best price on.
    pub differences: Vec<Difference>,
}

impl Differences {
    /// Returns whether there are no differences.
    pub fn is_empty(&self) -> bool {
        self.differences.is_empty()
    }

    /// Returns the differences that persist in a `later` comparison: prices at which both comparisons
    /// found a difference and the book has the same size as before.
    ///
    /// A difference that exists only because one source was a moment ahead is not among them, because
    /// a live book catches up and has another size then.
    #[must_use]
    pub fn persisting(&self, later: &Self) -> Self {
        let persists = |now: &&Difference| {
            self.differences.iter().any(|before| {
                (before.side, before.price, before.book) == (now.side, now.price, now.book)
            })
        };
        Self {
            compared: later.compared,
            differences: later.differences.iter().filter(persists).copied().collect(),
        }
    }
}

impl OrderBook {
    /// Compares the book with one from another source, such as a snapshot over REST. BitMart sends no
    /// checksums, so this is the way to verify a book.
    ///
    /// Only prices that both sources cover are compared: up to the last level of the other source, and
    /// up to the price at which the book is complete (see [Depth](Self#depth)). A side without levels
    /// in the other source counts as empty. `None` while the book is resyncing.
    ///
    /// The two sources are never from the same moment, so some differences are normal on a busy book.
    /// To verify a book, compare twice with some seconds in between, each time with a new snapshot, and
    /// check the [persisting](Differences::persisting) differences. A correct book has none.
    ///
    /// ```
    /// # use bitmart_ws::book::OrderBook;
    /// # use bitmart_ws::event::{DepthKind, BookUpdate, Level};
    /// use bitmart_types::dec;
    ///
    /// # let mut book = OrderBook::with_limit(100);
    /// # let bids = [Level { price: dec!(99), size: dec!(5) }];
    /// # let kind = &DepthKind::Snapshot;
    /// # let _ = book.apply(BookUpdate { kind, version: 1, timestamp: None, asks: &[], bids: &bids });
    /// // In your program, the bids of `spot().depth(…)` of the REST client.
    /// let rest_bids = || [(dec!(99.0), dec!(5)), (dec!(98), dec!(2))];
    /// let level = |(price, size)| Level { price, size };
    ///
    /// let first = book.differences([], rest_bids().map(level)).expect("synchronized");
    /// assert_eq!((first.compared, first.differences.len()), (2, 1));
    /// // … some seconds later, with another snapshot …
    /// let second = book.differences([], rest_bids().map(level)).expect("synchronized");
    /// let wrong = first.persisting(&second);
    /// assert_eq!((wrong.differences[0].price, wrong.differences[0].book), (dec!(98), None));
    /// ```
    pub fn differences(
        &self,
        asks: impl IntoIterator<Item = Level>,
        bids: impl IntoIterator<Item = Level>,
    ) -> Option<Differences> {
        if !self.is_synchronized() {
            return None;
        }
        let mut differences = Differences { compared: 0, differences: Vec::new() };
        differences.add(DifferenceSide::Asks, &self.asks, asks);
        differences.add(DifferenceSide::Bids, &self.bids, bids);
        Some(differences)
    }
}

impl Differences {
    fn add<D: Direction>(
        &mut self,
        side: DifferenceSide,
        levels: &Side<D>,
        other: impl IntoIterator<Item = Level>,
    ) {
        // Price to size in the book and size in the other source.
        let mut sizes: BTreeMap<Decimal, (Option<Decimal>, Option<Decimal>)> = BTreeMap::new();
        for level in other.into_iter().filter(|level| !level.size.is_zero()) {
            sizes.entry(level.price).or_default().1 = Some(level.size);
        }
        let worst =
            if D::LOWER_IS_BETTER { sizes.last_key_value() } else { sizes.first_key_value() };
        let worst_of_other = worst.map(|(price, _)| *price);
        for level in levels.iter() {
            sizes.entry(level.price).or_default().0 = Some(level.size);
        }
        let start = self.differences.len();
        for (price, (book, other)) in sizes {
            if !levels.covers(price)
                || worst_of_other.is_some_and(|worst| !Side::<D>::is_within(price, worst))
            {
                continue;
            }
            self.compared += 1;
            if book != other {
                self.differences.push(Difference { side, price, book, other });
            }
        }
        if !D::LOWER_IS_BETTER {
            self.differences[start..].reverse();
        }
    }
}
