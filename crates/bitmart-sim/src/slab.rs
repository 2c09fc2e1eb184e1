//! Storage for things that come and go all the time: places that are used again, and maps by number.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    num::NonZeroU32,
    ops::{Index, IndexMut},
};

/// Where something lies in a slab, counted from one, so that no place takes no more room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place(NonZeroU32);

impl Place {
    fn at(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// Values at places that stay where they are. A free place is used again before a new one is made, the
/// last one that became free first, because it is likely to be in the cache.
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

    /// Frees a place that is in use. Its value stays until the place is used again.
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

/// A map by a number that the exchange gave out itself: nobody can choose keys that collide, so the hash
/// need not be a strong one, and the same inputs give the same order of rows.
pub(crate) type IdMap<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;

/// Multiplies by 2^64 divided by the golden ratio, and swaps the halves: numbers that follow each other
/// lie far from each other, in the high bits as well as in the low ones.
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
