use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};

use super::*;

/// Prices that are hard on the keys: any scale, any size, either sign, often close to each other.
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
    let mut ladder = Ladder::<D>::default();
    let mut model: BTreeMap<Decimal, Decimal> = BTreeMap::new();
    for levels in updates {
        ladder.update(levels, limit);
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
        assert_eq!(ladder.dropped(), dropped);
        let expected = model.iter().map(|(price, size)| Level { price: *price, size: *size });
        let mut expected: Vec<Level> = expected.collect();
        if !D::LOWER_IS_BETTER {
            expected.reverse();
        }
        assert_eq!(ladder.iter().len(), expected.len());
        assert_eq!(ladder.best(), expected.first().copied());
        assert_eq!(ladder.worst(), expected.last().copied());
        assert_eq!(ladder.iter().collect::<Vec<_>>(), expected);
        assert!(ladder.chunks.iter().all(|chunk| chunk.levels().len() <= ROOM));
        assert!(ladder.chunks.iter().all(|chunk| !chunk.is_empty()) || ladder.chunks.len() == 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn hostile_prices_are_sorted_by_value(
        updates in vec(levels(30), 1..12),
        limit in prop::option::of(1..40_usize),
    ) {
        check::<Bids>(&updates, limit);
        check::<Asks>(&updates, limit);
    }

    #[test]
    fn keys_never_contradict_prices(a in price(), b in price(), scale in 0..=28_u32) {
        let (better, worse) = (a.max(b), a.min(b));
        let bid = |price| Place::<Bids>::new(price, scale).key();
        let ask = |price| Place::<Asks>::new(price, scale).key();
        prop_assert!(bid(better) >= bid(worse));
        prop_assert!(ask(better) <= ask(worse));
        if a == b {
            prop_assert_eq!(bid(a), bid(b));
        }
    }
}

/// A sequence that looks random.
fn mix(index: u32) -> u32 {
    index.wrapping_mul(2_654_435_761).rotate_left(13)
}

#[test]
fn many_levels_are_spread_over_chunks() {
    let level = |index: u32, size: u32| Level {
        price: Decimal::new(i64::from(mix(index) % 3_000), 2),
        size: size.into(),
    };
    let updates: Vec<Vec<Level>> = (0..40)
        .map(|round| (0..200).map(|index| level(round * 200 + index, mix(index) % 3)).collect())
        .collect();
    check::<Bids>(&updates, None);
    check::<Asks>(&updates, Some(700));
    let mut ladder = Ladder::<Asks>::default();
    for levels in &updates {
        ladder.update(levels, None);
    }
    assert!(ladder.chunks.len() > 5);
    let gone: Vec<Level> =
        ladder.iter().map(|level| Level { size: Decimal::ZERO, ..level }).collect();
    ladder.update(&gone, None);
    assert_eq!((ladder.iter().len(), ladder.chunks.len(), ladder.best()), (0, 1, None));
}

#[test]
fn finer_prices_get_keys_of_their_own() {
    let price = |text: &str| text.parse::<Decimal>().expect("a decimal");
    let mut ladder = Ladder::<Bids>::default();
    for text in ["100", "100.5", "100.25", "0.000001"] {
        ladder.update(&[Level { price: price(text), size: Decimal::ONE }], None);
    }
    assert_eq!(ladder.scale, 6);
    // With 28 places, 100 would not fit a key.
    let finest = price("0.0000000000000000000000000001");
    ladder.update(&[Level { price: finest, size: Decimal::ONE }], None);
    assert_eq!(ladder.scale, 16);
    assert_eq!(ladder.worst().map(|level| level.price), Some(finest));
    ladder.clear();
    assert_eq!(ladder.scale, 0);
}
