//! Orders by number. The serialized form is a map in the order of the numbers.

use std::{collections::BTreeMap, ops::Index};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    OrderId,
    pages::Pages,
    slab::{Place, Slab},
};

/// Orders by number. They are stored in a slab (storage with reusable places), so that orders do not move when the
/// index grows.
#[derive(Debug, Clone)]
pub struct OrderMap<T> {
    places: Pages<Place>,
    orders: Slab<Option<T>>,
}

impl<T> Default for OrderMap<T> {
    fn default() -> Self {
        Self { places: Pages::default(), orders: Slab::default() }
    }
}

impl<T> OrderMap<T> {
    /// Returns the order with this number, or `None` when it is unknown or no longer kept.
    pub fn get(&self, id: &OrderId) -> Option<&T> {
        self.places.get(id.0).and_then(|place| self.orders[*place].as_ref())
    }

    #[allow(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature of maps of the standard library"
    )]
    pub(crate) fn get_mut(&mut self, id: &OrderId) -> Option<&mut T> {
        self.places.get(id.0).and_then(|place| self.orders[*place].as_mut())
    }

    #[allow(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature of maps of the standard library"
    )]
    pub(crate) fn contains_key(&self, id: &OrderId) -> bool {
        self.places.get(id.0).is_some()
    }

    /// Returns all orders, in no particular order.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.places.values().filter_map(|place| self.orders[*place].as_ref())
    }

    /// Adds an order with a new number.
    pub(crate) fn insert(&mut self, id: OrderId, order: T) {
        let place = self.orders.insert(Some(order));
        let before = self.places.insert(id.0, place);
        debug_assert!(before.is_none(), "{id:?} exists");
    }

    pub(crate) fn remove(&mut self, id: OrderId) -> Option<T> {
        let place = self.places.remove(id.0)?;
        self.orders.remove(place);
        self.orders[place].take()
    }
}

impl<T> Index<&OrderId> for OrderMap<T> {
    type Output = T;

    fn index(&self, id: &OrderId) -> &T {
        self.get(id).expect("an order of this number")
    }
}

impl<T: Serialize> Serialize for OrderMap<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = self.places.rows();
        serializer.collect_map(rows.map(|(id, place)| (OrderId(id), &self.orders[*place])))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OrderMap<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut map = Self::default();
        for (id, order) in BTreeMap::deserialize(deserializer)? {
            map.insert(id, order);
        }
        Ok(map)
    }
}
