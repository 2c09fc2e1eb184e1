//! Models that several groups share.

use bitmart_types::{OrderId, wire};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// The data of a response that only confirms that the request was accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Option<Members>")]
#[non_exhaustive]
pub struct Empty {}

/// An object with any members: an empty response may get members later.
#[derive(Deserialize)]
struct Members {}

impl From<Option<Members>> for Empty {
    fn from(_: Option<Members>) -> Self {
        Self {}
    }
}

/// Reads the id of a placed order. A response without one does not confirm the order, so it is an
/// error.
pub(crate) fn placed_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OrderId, D::Error> {
    let id = OrderId::deserialize(deserializer)?;
    if wire::is_blank(id.as_str()) || id == "0" {
        return Err(D::Error::custom("expected the id of an order"));
    }
    Ok(id)
}
