//! Compares the book with a naive model.

use std::collections::BTreeMap;

use bitmart_types::Decimal;
use proptest::{collection::vec, prelude::*};

use super::{level, sides, snapshot, update};
use crate::{
    book::{Applied, OrderBook},
    event::Level,
};

#[derive(Clone, Debug)]
enum Step {
    Snapshot {
        levels: Vec<(i64, i64)>,
    },
    /// An update with this offset to the next version: below 0 a duplicate, above a sequence gap.
    Update {
        offset: i64,
        levels: Vec<(i64, i64)>,
    },
}

fn step() -> impl Strategy<Value = Step> {
    // Prices around 100, bids mostly below and asks mostly above, so that some books cross.
    let levels = || vec((80_i64..120, 0_i64..4), 0..8);
    prop_oneof![
        1 => levels().prop_map(|levels| Step::Snapshot { levels }),
        12 => levels().prop_map(|levels| Step::Update { offset: 0, levels }),
        2 => (-5_i64..0, levels()).prop_map(|(offset, levels)| Step::Update { offset, levels }),
        1 => (1_i64..4, levels()).prop_map(|(offset, levels)| Step::Update { offset, levels }),
    ]
}

/// Splits levels into bids below 100 and asks from 100 on, with a few on the wrong side.
fn split(levels: &[(i64, i64)]) -> (Vec<Level>, Vec<Level>) {
    let is_bid = |(price, size): (i64, i64)| (price < 100) != (price % 19 == 0 && size == 3);
    let (bids, asks): (Vec<_>, Vec<_>) = levels.iter().copied().partition(|pair| is_bid(*pair));
    let make = |pairs: Vec<(i64, i64)>| {
        pairs.into_iter().map(|(price, size)| level(price, size)).collect()
    };
    (make(bids), make(asks))
}

#[derive(Default)]
struct Model {
    version: Option<u64>,
    bids: BTreeMap<Decimal, Decimal>,
    asks: BTreeMap<Decimal, Decimal>,
}

impl Model {
    fn set(side: &mut BTreeMap<Decimal, Decimal>, levels: &[Level]) {
        for level in levels {
            side.insert(level.price, level.size);
            side.retain(|_, size| !size.is_zero());
        }
    }

    fn apply(&mut self, version: u64, bids: &[Level], asks: &[Level]) {
        Self::set(&mut self.bids, bids);
        Self::set(&mut self.asks, asks);
        self.version = Some(version);
        let best = self.bids.keys().next_back().zip(self.asks.keys().next());
        if best.is_some_and(|(bid, ask)| bid >= ask) {
            *self = Self::default();
        }
    }

    fn update(&mut self, version: u64, bids: &[Level], asks: &[Level]) {
        match self.version {
            Some(local) if version == local + 1 => self.apply(version, bids, asks),
            Some(local) if version > local => *self = Self::default(),
            _ => {}
        }
    }

    fn sides(&self) -> (Vec<Level>, Vec<Level>) {
        let level = |(price, size): (&Decimal, &Decimal)| Level { price: *price, size: *size };
        (self.bids.iter().rev().map(level).collect(), self.asks.iter().map(level).collect())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn equals_the_model_or_is_resyncing(steps in vec(step(), 1..120)) {
        let mut book = OrderBook::new();
        let mut model = Model::default();
        let mut version = 1_000_u64;
        for step in steps {
            let applied = match step {
                Step::Snapshot { levels } => {
                    // The exchange sends no duplicate prices in snapshots.
                    let unique: BTreeMap<i64, i64> = levels.into_iter().collect();
                    let (bids, asks) = split(&unique.into_iter().collect::<Vec<_>>());
                    model = Model::default();
                    model.apply(version, &bids, &asks);
                    book.apply(snapshot(version, &bids, &asks))
                }
                Step::Update { offset, levels } => {
                    let next = version.checked_add_signed(1 + offset).expect("far from the ends");
                    let (bids, asks) = split(&levels);
                    model.update(next, &bids, &asks);
                    version = version.max(next);
                    book.apply(update(next, &bids, &asks))
                }
            };
            prop_assert_eq!(book.version(), model.version, "{:?}", applied);
            prop_assert_eq!(sides(&book), model.sides(), "{:?}", applied);
            prop_assert_eq!(matches!(applied, Applied::OutOfSync(_) | Applied::Ignored), !book.is_synchronized());
        }
    }
}
