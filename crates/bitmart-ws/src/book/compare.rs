//! A book against a second source.

use std::collections::BTreeMap;

use bitmart_types::Decimal;

use super::OrderBook;
use super::ladder::{Direction, Ladder};
use crate::event::Level;

/// Where a [`Difference`] lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a book has two sides")]
pub enum DifferenceSide {
    /// Among the sells.
    Asks,
    /// Among the buys.
    Bids,
}

/// A price at which a book and a second source do not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The side.
    pub side: DifferenceSide,
    /// The price.
    pub price: Decimal,
    /// Size in the book; `None` when it has no such level.
    pub book: Option<Decimal>,
    /// Size in the other source; `None` when it has no such level.
    pub other: Option<Decimal>,
}

/// What [`OrderBook::differences`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Differences {
    /// How many prices both sources could tell about.
    pub compared: usize,
    /// Those at which they do not agree, asks first, each side from its best price on.
    pub found: Vec<Difference>,
}

impl Differences {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// What is still wrong after a `later` comparison: prices at which the book says the same as
    /// before and the other source, in both, something else.
    ///
    /// What differs only because one source was a moment ahead is not among them, since a book that
    /// lives catches up and then says something else.
    #[must_use]
    pub fn persisting(&self, later: &Self) -> Self {
        let stays = |now: &&Difference| {
            self.found.iter().any(|before| {
                (before.side, before.price, before.book) == (now.side, now.price, now.book)
            })
        };
        Self {
            compared: later.compared,
            found: later.found.iter().filter(stays).copied().collect(),
        }
    }
}

impl OrderBook {
    /// Compares the book with one from another source, such as a snapshot over REST. BitMart sends no
    /// checksums, so this is the way to verify a book.
    ///
    /// Only prices that both can tell about are compared: up to the last level of the other source,
    /// which cuts its list somewhere, and within the [horizon](Self#depth) of the book. A side
    /// without any level in the other source counts as empty. `None` while the book is resyncing.
    ///
    /// The two are never of the same moment, so some differences are normal on a busy book. To
    /// verify a book, compare twice with some seconds in between, each time with a new snapshot, and
    /// look at what is [persisting](Differences::persisting). A book that is right has nothing there.
    ///
    /// ```
    /// # use bitmart_ws::book::OrderBook;
    /// # use bitmart_ws::event::{DepthKind, DepthUpdate, Level};
    /// use bitmart_types::dec;
    ///
    /// # let mut book = OrderBook::with_limit(100);
    /// # let bids = [Level { price: dec!(99), size: dec!(5) }];
    /// # let kind = &DepthKind::Snapshot;
    /// # let _ = book.apply(DepthUpdate { kind, version: 1, timestamp: None, asks: &[], bids: &bids });
    /// // In your program these come from `spot().depth(…)` of the REST client.
    /// let rest = || [(dec!(99.0), dec!(5)), (dec!(98), dec!(2))];
    /// let level = |(price, size)| Level { price, size };
    ///
    /// let first = book.differences([], rest().map(level)).expect("a whole book");
    /// assert_eq!((first.compared, first.found.len()), (2, 1));
    /// // … some seconds later, with another snapshot …
    /// let second = book.differences([], rest().map(level)).expect("a whole book");
    /// let wrong = first.persisting(&second);
    /// assert_eq!((wrong.found[0].price, wrong.found[0].book), (dec!(98), None));
    /// ```
    pub fn differences(
        &self,
        asks: impl IntoIterator<Item = Level>,
        bids: impl IntoIterator<Item = Level>,
    ) -> Option<Differences> {
        if !self.is_whole() {
            return None;
        }
        let mut differences = Differences { compared: 0, found: Vec::new() };
        differences.add(DifferenceSide::Asks, &self.asks, asks);
        differences.add(DifferenceSide::Bids, &self.bids, bids);
        Some(differences)
    }
}

impl Differences {
    fn add<D: Direction>(
        &mut self,
        side: DifferenceSide,
        ladder: &Ladder<D>,
        other: impl IntoIterator<Item = Level>,
    ) {
        // By price: size in the book, size in the other source.
        let mut sizes: BTreeMap<Decimal, (Option<Decimal>, Option<Decimal>)> = BTreeMap::new();
        for level in other.into_iter().filter(|level| !level.size.is_zero()) {
            sizes.entry(level.price).or_default().1 = Some(level.size);
        }
        let last =
            if D::LOWER_IS_BETTER { sizes.last_key_value() } else { sizes.first_key_value() };
        let last = last.map(|(price, _)| *price);
        for level in ladder.iter() {
            sizes.entry(level.price).or_default().0 = Some(level.size);
        }
        let start = self.found.len();
        for (price, (book, other)) in sizes {
            if !ladder.covers(price)
                || last.is_some_and(|last| !Ladder::<D>::is_within(price, last))
            {
                continue;
            }
            self.compared += 1;
            if book != other {
                self.found.push(Difference { side, price, book, other });
            }
        }
        if !D::LOWER_IS_BETTER {
            self.found[start..].reverse();
        }
    }
}
