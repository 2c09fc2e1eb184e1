//! References to orders.

use bitmart_types::{ClientOrderId, OrderId};

/// The id of an order: the exchange's or yours. Text converts into an id of the exchange.
///
/// ```
/// use bitmart_rest::OrderRef;
/// use bitmart_types::{ClientOrderId, OrderId};
///
/// let by_exchange_id = OrderRef::from(OrderId::from("118100034543076010"));
/// assert_eq!(by_exchange_id, OrderRef::from("118100034543076010"));
/// let by_own_id = OrderRef::from(ClientOrderId::random());
/// assert_ne!(by_exchange_id, by_own_id);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "an order has these two ids")]
pub enum OrderRef {
    /// The exchange's id.
    Id(OrderId),
    /// The id that you gave it.
    ClientId(ClientOrderId),
}

impl OrderRef {
    /// Returns the ids as optional fields, for a body with a field for each.
    pub(crate) fn split(self) -> (Option<OrderId>, Option<ClientOrderId>) {
        match self {
            Self::Id(id) => (Some(id), None),
            Self::ClientId(id) => (None, Some(id)),
        }
    }
}

impl From<OrderId> for OrderRef {
    fn from(id: OrderId) -> Self {
        Self::Id(id)
    }
}
impl From<&OrderId> for OrderRef {
    fn from(id: &OrderId) -> Self {
        Self::Id(id.clone())
    }
}
impl From<ClientOrderId> for OrderRef {
    fn from(id: ClientOrderId) -> Self {
        Self::ClientId(id)
    }
}
impl From<&ClientOrderId> for OrderRef {
    fn from(id: &ClientOrderId) -> Self {
        Self::ClientId(id.clone())
    }
}
impl From<&str> for OrderRef {
    fn from(id: &str) -> Self {
        Self::Id(id.into())
    }
}
impl From<String> for OrderRef {
    fn from(id: String) -> Self {
        Self::Id(id.into())
    }
}
