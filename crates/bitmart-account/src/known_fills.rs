//! Deduplication of fills, by the ids of those that are known.

use std::collections::{HashSet, VecDeque};

use bitmart_types::{OrderId, Timestamp, TradeId};

use crate::Market;

/// The newest ids of each market that are never evicted.
const MIN_KEPT: usize = 50_000;

/// The trade id alone is ambiguous: in a trade between two own orders both have a fill.
type FillId = (OrderId, TradeId);

/// The ids of known fills: the newest of each market, and those that may still be repeated.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownFills {
    spot: MarketFills,
    futures: MarketFills,
}

#[derive(Clone, Debug, Default)]
struct MarketFills {
    known: HashSet<FillId>,
    /// Oldest first, by when they were added, with the time of the fill.
    by_age: VecDeque<(Timestamp, FillId)>,
    /// Ids of fills since this time are not evicted.
    retained_since: Option<Timestamp>,
}

impl KnownFills {
    fn market(&mut self, market: Market) -> &mut MarketFills {
        match market {
            Market::Spot => &mut self.spot,
            Market::Futures => &mut self.futures,
        }
    }

    /// Adds a fill. Returns `false` if it is known already.
    pub(crate) fn insert(&mut self, market: Market, id: FillId, time: Timestamp) -> bool {
        let ids = self.market(market);
        if !ids.known.insert(id.clone()) {
            return false;
        }
        ids.by_age.push_back((time, id));
        ids.evict_oldest();
        true
    }

    /// Retains the ids of fills since this time.
    pub(crate) fn retain_since(&mut self, market: Market, since: Timestamp) {
        self.market(market).retained_since = Some(since);
    }

    pub(crate) fn iter(
        &self,
        market: Market,
    ) -> impl Iterator<Item = (&OrderId, &TradeId, Timestamp)> {
        let ids = match market {
            Market::Spot => &self.spot,
            Market::Futures => &self.futures,
        };
        ids.by_age.iter().map(|(time, (order, trade))| (order, trade, *time))
    }
}

impl MarketFills {
    fn evict_oldest(&mut self) {
        while self.by_age.len() > MIN_KEPT {
            let is_old = |(time, _): &(Timestamp, FillId)| {
                self.retained_since.is_none_or(|since| *time < since)
            };
            if !self.by_age.front().is_some_and(is_old) {
                return;
            }
            if let Some((_, id)) = self.by_age.pop_front() {
                self.known.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(fills: &mut KnownFills, numbers: std::ops::Range<usize>) {
        for number in numbers {
            let id = ("1".into(), number.to_string().as_str().into());
            let time = Timestamp::from_millis(i64::try_from(number).expect("small"));
            assert!(fills.insert(Market::Spot, id, time));
        }
    }

    #[test]
    fn evicts_the_oldest_ids_beyond_the_minimum_unless_retained() {
        let mut fills = KnownFills::default();
        let id = ("1".into(), "0".into());
        fills.insert(Market::Futures, id, Timestamp::from_millis(0));
        insert(&mut fills, 0..MIN_KEPT);
        fills.retain_since(Market::Spot, Timestamp::from_millis(100));
        insert(&mut fills, MIN_KEPT..2 * MIN_KEPT);
        let kept = |fills: &KnownFills| (fills.spot.known.len(), fills.spot.by_age.len());
        assert_eq!(
            kept(&fills),
            (2 * MIN_KEPT - 100, 2 * MIN_KEPT - 100),
            "retained ids are not evicted"
        );
        fills.retain_since(Market::Spot, Timestamp::from_millis(i64::MAX));
        insert(&mut fills, 2 * MIN_KEPT..2 * MIN_KEPT + 1);
        assert_eq!(kept(&fills), (MIN_KEPT, MIN_KEPT));
        assert_eq!(fills.futures.known.len(), 1, "each market has its own minimum");
    }
}
