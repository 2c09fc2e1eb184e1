//! Storage with reusable places, and maps by number.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    num::NonZeroU32,
    ops::{Index, IndexMut},
};

/// A place of a slab, counted from one, so that `Option<Place>` is not larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place(NonZeroU32);

impl Place {
    fn at(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// Values at fixed places. Free places are used again first, the latest one before others, because it is probably
/// still in the cache.
#[derive(Debug, Clone)]
pub(crate) struct Slab<T> {
    values: Vec<T>,
    free: Vec<Place>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { values: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub(crate) fn insert(&mut self, value: T) -> Place {
        if let Some(place) = self.free.pop() {
            self[place] = value;
            return place;
        }
        self.values.push(value);
        let count = u32::try_from(self.values.len()).ok().and_then(NonZeroU32::new);
        Place(count.expect("fewer than 4 billion values"))
    }

    /// Frees a place. Its value stays until the place is used again.
    pub(crate) fn remove(&mut self, place: Place) {
        self.free.push(place);
    }
}

impl<T> Index<Place> for Slab<T> {
    type Output = T;

    fn index(&self, place: Place) -> &T {
        &self.values[place.at()]
    }
}

impl<T> IndexMut<Place> for Slab<T> {
    fn index_mut(&mut self, place: Place) -> &mut T {
        &mut self.values[place.at()]
    }
}

/// A map by numbers of the exchange. Clients cannot choose colliding keys, so that a weak hash is sufficient. It has
/// no random seed, so that the same commands give the same order of rows.
pub(crate) type IdMap<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;

/// Multiplies by 2^64 divided by the golden ratio, and swaps the halves, so that consecutive numbers differ in high
/// and low bits.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32);
    }
}
