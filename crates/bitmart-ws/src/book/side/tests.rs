//! One side of a book, compared with a sorted map.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};

use super::*;

/// Prices that stress the keys: any scale, size and sign, often close to each other.
fn price() -> impl Strategy<Value = Decimal> {
    let parts = |low, middle, high, negative, scale| {
        Decimal::from_parts(low, middle, high, negative, scale)
    };
    prop_oneof![
        6 => (0..40_u32, 0..3_u32).prop_map(move |(low, scale)| parts(low, 0, 0, false, scale)),
        3 => (0..40_u32, 0..=28_u32).prop_map(move |(low, scale)| parts(low, 0, 0, false, scale)),
        2 => any::<(u32, u32, u32, bool)>()
            .prop_flat_map(move |(low, middle, high, negative)| (0..=28_u32)
                .prop_map(move |scale| parts(low, middle, high, negative, scale))),
        1 => Just(Decimal::MAX),
        1 => Just(Decimal::MIN),
        1 => (0..40_u32).prop_map(move |low| parts(low, 5, 0, false, 9)),
    ]
}

fn levels(count: usize) -> impl Strategy<Value = Vec<Level>> {
    vec((price(), 0..4_u32).prop_map(|(price, size)| Level { price, size: size.into() }), 0..count)
}

fn check<D: Direction>(updates: &[Vec<Level>], limit: Option<usize>) {
    let mut side = Side::<D>::default();
    let mut model: BTreeMap<Decimal, Decimal> = BTreeMap::new();
    for levels in updates {
        side.update(levels, limit);
        for level in levels {
            model.remove(&level.price);
            if !level.size.is_zero() {
                model.insert(level.price, level.size);
            }
        }
        let mut dropped = Vec::new();
        while limit.is_some_and(|limit| model.len() > limit) {
            let worst = if D::LOWER_IS_BETTER { model.pop_last() } else { model.pop_first() };
            dropped.extend(worst.map(|(price, _)| price));
        }
        assert_eq!(side.dropped(), dropped);
        let expected = model.iter().map(|(price, size)| Level { price: *price, size: *size });
        let mut expected: Vec<Level> = expected.collect();
        if !D::LOWER_IS_BETTER {
            expected.reverse();
        }
        assert_eq!(side.iter().len(), expected.len());
        assert_eq!(side.best(), expected.first().copied());
        assert_eq!(side.worst(), expected.last().copied());
        assert_eq!(side.iter().collect::<Vec<_>>(), expected);
        assert!(side.chunks.iter().all(|chunk| chunk.levels().len() <= CHUNK_CAPACITY));
        assert!(side.chunks.iter().all(|chunk| !chunk.is_empty()) || side.chunks.len() == 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn sorts_any_prices_by_value(
        updates in vec(levels(30), 1..12),
        limit in prop::option::of(1..40_usize),
    ) {
        check::<Bids>(&updates, limit);
        check::<Asks>(&updates, limit);
    }

    #[test]
    fn keys_have_the_order_of_prices(a in price(), b in price(), scale in 0..=28_u32) {
        let (better, worse) = (a.max(b), a.min(b));
        let bid = |price| PriceKey::<Bids>::new(price, scale).value();
        let ask = |price| PriceKey::<Asks>::new(price, scale).value();
        prop_assert!(bid(better) >= bid(worse));
        prop_assert!(ask(better) <= ask(worse));
        if a == b {
            prop_assert_eq!(bid(a), bid(b));
        }
    }
}

/// Returns pseudo-random numbers.
fn mix(index: u32) -> u32 {
    index.wrapping_mul(2_654_435_761).rotate_left(13)
}

#[test]
fn spreads_many_levels_over_chunks() {
    let level = |index: u32, size: u32| Level {
        price: Decimal::new(i64::from(mix(index) % 3_000), 2),
        size: size.into(),
    };
    let updates: Vec<Vec<Level>> = (0..40)
        .map(|round| (0..200).map(|index| level(round * 200 + index, mix(index) % 3)).collect())
        .collect();
    check::<Bids>(&updates, None);
    check::<Asks>(&updates, Some(700));
    let mut side = Side::<Asks>::default();
    for levels in &updates {
        side.update(levels, None);
    }
    assert!(side.chunks.len() > 5);
    let removals: Vec<Level> =
        side.iter().map(|level| Level { size: Decimal::ZERO, ..level }).collect();
    side.update(&removals, None);
    assert_eq!((side.iter().len(), side.chunks.len(), side.best()), (0, 1, None));
}

#[test]
fn raises_the_scale_for_finer_prices() {
    let price = |text: &str| text.parse::<Decimal>().expect("a decimal");
    let mut side = Side::<Bids>::default();
    for text in ["100", "100.5", "100.25", "0.000001"] {
        side.update(&[Level { price: price(text), size: Decimal::ONE }], None);
    }
    assert_eq!(side.scale, 6);
    // With 28 places, 100 would not fit a key.
    let finest = price("0.0000000000000000000000000001");
    side.update(&[Level { price: finest, size: Decimal::ONE }], None);
    assert_eq!(side.scale, 16);
    assert_eq!(side.worst().map(|level| level.price), Some(finest));
    side.clear();
    assert_eq!(side.scale, 0);
}
