//! A map by numbers that the exchange gives out one after another.

use crate::slab::IdMap;

/// Numbers of a page. With more of them the table of pages is smaller, and a single old number needs more memory.
const PAGE: usize = 32;

/// Values in pages by number: those of consecutive numbers are neighbours in memory, and the table of pages stays
/// small. A page is freed with its last value.
#[derive(Debug, Clone)]
pub(crate) struct Pages<V> {
    pages: IdMap<u64, Page<V>>,
    count: usize,
}

#[derive(Debug, Clone)]
struct Page<V> {
    count: usize,
    values: Box<[Option<V>; PAGE]>,
}

impl<V> Default for Page<V> {
    fn default() -> Self {
        Self { count: 0, values: Box::new([const { None }; PAGE]) }
    }
}

impl<V> Default for Pages<V> {
    fn default() -> Self {
        Self { pages: IdMap::default(), count: 0 }
    }
}

/// Returns the page of a number, and its place in the page.
#[allow(clippy::cast_possible_truncation, reason = "a remainder is less than the size of a page")]
fn split(number: u64) -> (u64, usize) {
    (number / PAGE as u64, (number % PAGE as u64) as usize)
}

impl<V> Pages<V> {
    /// Returns the number of values.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn get(&self, number: u64) -> Option<&V> {
        let (page, at) = split(number);
        self.pages.get(&page)?.values[at].as_ref()
    }

    /// Returns the value that was there before.
    pub(crate) fn insert(&mut self, number: u64, value: V) -> Option<V> {
        let (page, at) = split(number);
        let page = self.pages.entry(page).or_default();
        let before = page.values[at].replace(value);
        let added = usize::from(before.is_none());
        page.count += added;
        self.count += added;
        before
    }

    pub(crate) fn remove(&mut self, number: u64) -> Option<V> {
        let (key, at) = split(number);
        let page = self.pages.get_mut(&key)?;
        let value = page.values[at].take()?;
        page.count -= 1;
        self.count -= 1;
        if page.count == 0 {
            self.pages.remove(&key);
        }
        Some(value)
    }

    /// Returns all values, in no particular order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.pages.values().flat_map(|page| page.values.iter().flatten())
    }

    /// Returns numbers and values, in the order of the numbers.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (u64, &V)> {
        let mut pages: Vec<_> = self.pages.iter().collect();
        pages.sort_unstable_by_key(|page| page.0);
        pages.into_iter().flat_map(|(key, page)| {
            let rows = (key * PAGE as u64..).zip(page.values.iter());
            rows.filter_map(|(number, value)| Some((number, value.as_ref()?)))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn pages_hold_what_a_map_holds(
            steps in proptest::collection::vec((0..200_u64, proptest::option::of(0..9_u8)), 0..400),
        ) {
            let (mut pages, mut map) = (Pages::default(), BTreeMap::new());
            for (number, value) in steps {
                let (before, expected) = match value {
                    Some(value) => (pages.insert(number, value), map.insert(number, value)),
                    None => (pages.remove(number), map.remove(&number)),
                };
                prop_assert_eq!(before, expected);
                prop_assert_eq!(pages.get(number), map.get(&number));
                prop_assert_eq!(pages.len(), map.len());
                let rows = map.iter().map(|(number, value)| (*number, value));
                prop_assert!(pages.rows().eq(rows));
                prop_assert_eq!(pages.values().count(), map.len());
                let used: BTreeSet<_> = map.keys().map(|number| split(*number).0).collect();
                prop_assert_eq!(pages.pages.len(), used.len(), "empty pages are freed");
            }
        }
    }
}
