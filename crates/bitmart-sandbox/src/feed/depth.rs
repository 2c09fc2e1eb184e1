//! The published view of a book: its levels, its version, and the changes of the last step.

use bitmart_sim::book::{Book, Side};
use rust_decimal::Decimal;

use crate::wire::Level;

/// The rule by which the version of a published book advances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VersionPolicy {
    /// Spot: only if the book changed. An empty update repeats the version.
    OnChange,
    /// Futures: with every update, even an empty one (observed).
    EveryRefresh,
}

/// The published levels of a book, best first.
#[derive(Debug)]
pub(super) struct DepthView {
    depth: usize,
    version_policy: VersionPolicy,
    pub(super) version: u64,
    asks: Vec<Level>,
    bids: Vec<Level>,
    changed_asks: Vec<Level>,
    changed_bids: Vec<Level>,
}

impl DepthView {
    pub(super) fn new(
        book: &Book,
        depth: usize,
        version_policy: VersionPolicy,
        version: u64,
    ) -> Self {
        Self {
            depth,
            version_policy,
            version,
            asks: book.levels(Side::Sell, depth),
            bids: book.levels(Side::Buy, depth),
            changed_asks: Vec::new(),
            changed_bids: Vec::new(),
        }
    }

    /// Makes the version higher than that of a former view of the same book.
    pub(super) fn exceed(&mut self, former: Option<&Self>) {
        self.version = self.version.max(former.map_or(0, |former| former.version)) + 1;
    }

    /// Publishes the current levels, and keeps the differences in `changed_asks` and `changed_bids`.
    pub(super) fn refresh(&mut self, book: &Book) {
        let (asks, bids) =
            (book.levels(Side::Sell, self.depth), book.levels(Side::Buy, self.depth));
        self.changed_asks = changes(&self.asks, &asks, |a, b| a < b);
        self.changed_bids = changes(&self.bids, &bids, |a, b| a > b);
        (self.asks, self.bids) = (asks, bids);
        if self.version_policy == VersionPolicy::EveryRefresh || self.is_changed() {
            self.version += 1;
        }
    }

    /// Asks and bids: all levels, or those that the last refresh changed.
    pub(super) fn sides(&self, all: bool) -> (&[Level], &[Level]) {
        if all { (&self.asks, &self.bids) } else { (&self.changed_asks, &self.changed_bids) }
    }

    pub(super) fn is_changed(&self) -> bool {
        !self.changed_asks.is_empty() || !self.changed_bids.is_empty()
    }
}

/// The levels of `new` that differ from `old`, with size 0 for removed levels. Both are sorted best first.
fn changes(old: &[Level], new: &[Level], better: impl Fn(Decimal, Decimal) -> bool) -> Vec<Level> {
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    let mut rows = Vec::new();
    loop {
        match (old.peek().copied(), new.peek().copied()) {
            (None, None) => return rows,
            (Some(gone), next) if next.is_none_or(|next| better(gone.0, next.0)) => {
                rows.push((gone.0, Decimal::ZERO));
                old.next();
            }
            (Some(known), Some(next)) if known.0 == next.0 => {
                if known.1 != next.1 {
                    rows.push(*next);
                }
                old.next();
                new.next();
            }
            (_, Some(next)) => {
                rows.push(*next);
                new.next();
            }
            (Some(_), None) => {
                old.next();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn side() -> impl Strategy<Value = Vec<Level>> {
        proptest::collection::btree_map(0_i64..20, 1_i64..4, 0..12).prop_map(|levels| {
            levels
                .into_iter()
                .map(|(price, size)| (Decimal::from(price), Decimal::from(size)))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn applying_the_changes_to_the_old_levels_gives_the_new_levels(old in side(), new in side()) {
            let mut book: BTreeMap<_, _> = old.iter().copied().collect();
            for (price, size) in changes(&old, &new, |a, b| a < b) {
                if size.is_zero() { book.remove(&price); } else { book.insert(price, size); }
            }
            prop_assert_eq!(book.into_iter().collect::<Vec<_>>(), new);
        }
    }
}
