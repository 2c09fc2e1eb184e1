//! Models that several groups share.

use bitmart_types::wire;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};

/// The data of a response that only confirms that the request was accepted. Any JSON decodes: `null`, an
/// empty text, `true`, or an object, which may get members later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "IgnoredAny")]
#[non_exhaustive]
pub struct Empty {}

impl From<IgnoredAny> for Empty {
    fn from(_: IgnoredAny) -> Self {
        Self {}
    }
}

/// Reads the id of what was placed, borrowed or transferred. A response without one does not confirm it,
/// so that is an error.
pub(crate) fn placed_id<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + AsRef<str>,
{
    let id = T::deserialize(deserializer)?;
    let text: &str = id.as_ref();
    if wire::is_blank(text) || text.bytes().all(|digit| digit == b'0') {
        return Err(D::Error::custom("expected the id of what was placed"));
    }
    Ok(id)
}

/// A [`placed_id`] that is written as a number.
pub(crate) mod placed_number {
    pub(crate) use super::placed_id as deserialize;
    pub(crate) use bitmart_types::wire::id_number::serialize;
}

/// A list that is required even where the data is empty: a book without a side is not an empty side.
pub(crate) fn required_rows<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer)
}
