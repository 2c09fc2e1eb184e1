//! The ids of counted fills.

use std::collections::{HashSet, VecDeque};

use bitmart_types::{OrderId, Timestamp, TradeId};

use crate::Market;

/// Fills of each market that are always remembered.
const CAPACITY: usize = 50_000;

/// The trade id alone is ambiguous: in a trade between two own orders both have a fill.
type FillId = (OrderId, TradeId);

/// The ids of counted fills: the newest of each market, and those that may still be repeated.
#[derive(Clone, Debug, Default)]
pub(crate) struct CountedFills {
    spot: MarketFills,
    futures: MarketFills,
}

#[derive(Clone, Debug, Default)]
struct MarketFills {
    known: HashSet<FillId>,
    /// Oldest first, by when they were counted.
    order: VecDeque<(Timestamp, FillId)>,
    /// Fills since this time are not forgotten.
    protected_since: Option<Timestamp>,
}

impl CountedFills {
    fn market(&mut self, market: Market) -> &mut MarketFills {
        match market {
            Market::Spot => &mut self.spot,
            Market::Futures => &mut self.futures,
        }
    }

    /// Adds a fill. Returns `false` if it was counted before.
    pub(crate) fn insert(&mut self, market: Market, id: FillId, time: Timestamp) -> bool {
        let ids = self.market(market);
        if !ids.known.insert(id.clone()) {
            return false;
        }
        ids.order.push_back((time, id));
        ids.forget_oldest();
        true
    }

    /// Protects fills since this time from being forgotten.
    pub(crate) fn protect(&mut self, market: Market, since: Timestamp) {
        self.market(market).protected_since = Some(since);
    }

    pub(crate) fn iter(
        &self,
        market: Market,
    ) -> impl Iterator<Item = (&OrderId, &TradeId, Timestamp)> {
        let ids = match market {
            Market::Spot => &self.spot,
            Market::Futures => &self.futures,
        };
        ids.order.iter().map(|(time, (order, trade))| (order, trade, *time))
    }
}

impl MarketFills {
    fn forget_oldest(&mut self) {
        while self.order.len() > CAPACITY {
            let is_old = |(time, _): &(Timestamp, FillId)| {
                self.protected_since.is_none_or(|since| *time < since)
            };
            if !self.order.front().is_some_and(is_old) {
                return;
            }
            if let Some((_, id)) = self.order.pop_front() {
                self.known.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(counted: &mut CountedFills, numbers: std::ops::Range<usize>) {
        for number in numbers {
            let id = ("1".into(), number.to_string().as_str().into());
            let time = Timestamp::from_millis(i64::try_from(number).expect("small"));
            assert!(counted.insert(Market::Spot, id, time));
        }
    }

    #[test]
    fn forgets_the_oldest_fills_beyond_the_capacity_unless_protected() {
        let mut counted = CountedFills::default();
        count(&mut counted, 0..CAPACITY);
        counted.protect(Market::Spot, Timestamp::from_millis(100));
        count(&mut counted, CAPACITY..2 * CAPACITY);
        let kept = |counted: &CountedFills| (counted.spot.known.len(), counted.spot.order.len());
        assert_eq!(
            kept(&counted),
            (2 * CAPACITY - 100, 2 * CAPACITY - 100),
            "protected fills are not forgotten"
        );
        counted.protect(Market::Spot, Timestamp::from_millis(i64::MAX));
        count(&mut counted, 2 * CAPACITY..2 * CAPACITY + 1);
        assert_eq!(kept(&counted), (CAPACITY, CAPACITY));
        assert_eq!(counted.futures.known.len(), 0);
    }
}
