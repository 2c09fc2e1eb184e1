//! Which fills were counted.

use std::collections::{HashSet, VecDeque};

use bitmart_types::{OrderId, Timestamp, TradeId};

use crate::Market;

/// Fills of each market that are remembered in any case.
const MOST: usize = 50_000;

/// The two orders of a trade with oneself have a fill each.
type Id = (OrderId, TradeId);

/// The ids of counted fills, the newest of each market and those that may still be told of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    spot: Ids,
    futures: Ids,
}

#[derive(Clone, Debug, Default)]
struct Ids {
    known: HashSet<Id>,
    /// In the order in which they were counted.
    order: VecDeque<(Timestamp, Id)>,
    /// Fills since then are not forgotten; `None` for no such promise.
    protected: Option<Timestamp>,
}

impl Counted {
    fn market(&mut self, market: Market) -> &mut Ids {
        match market {
            Market::Spot => &mut self.spot,
            Market::Futures => &mut self.futures,
        }
    }

    /// `false` if it was counted before.
    pub(crate) fn insert(&mut self, market: Market, id: Id, time: Timestamp) -> bool {
        let ids = self.market(market);
        if !ids.known.insert(id.clone()) {
            return false;
        }
        ids.order.push_back((time, id));
        ids.forget();
        true
    }

    /// Fills since then are not forgotten.
    pub(crate) fn protect(&mut self, market: Market, since: Timestamp) {
        self.market(market).protected = Some(since);
    }

    pub(crate) fn of(
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

impl Ids {
    fn forget(&mut self) {
        while self.order.len() > MOST {
            let is_old = |(time, _): &(Timestamp, Id)| {
                self.protected.is_none_or(|protected| *time < protected)
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

    fn count(counted: &mut Counted, numbers: std::ops::Range<usize>) {
        for number in numbers {
            let id = ("1".into(), number.to_string().as_str().into());
            let time = Timestamp::from_millis(i64::try_from(number).expect("small"));
            assert!(counted.insert(Market::Spot, id, time));
        }
    }

    #[test]
    fn what_may_be_told_again_is_remembered_and_beyond_that_the_newest_of_a_market() {
        let mut counted = Counted::default();
        count(&mut counted, 0..MOST);
        counted.protect(Market::Spot, Timestamp::from_millis(100));
        count(&mut counted, MOST..2 * MOST);
        let kept = |counted: &Counted| (counted.spot.known.len(), counted.spot.order.len());
        assert_eq!(kept(&counted), (2 * MOST - 100, 2 * MOST - 100), "none that is protected goes");
        counted.protect(Market::Spot, Timestamp::from_millis(i64::MAX));
        count(&mut counted, 2 * MOST..2 * MOST + 1);
        assert_eq!(kept(&counted), (MOST, MOST));
        assert_eq!(counted.futures.known.len(), 0);
    }
}
