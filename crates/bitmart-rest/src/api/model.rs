//! Models that several groups share.

use bitmart_types::codec;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// The data of a response that only confirms that the request was accepted: `null`, an empty text, `true`, or an
/// object, which may get members later. `false` and 0 do not decode: they deny it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Empty {}

impl<'de> Deserialize<'de> for Empty {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let data = Box::<RawValue>::deserialize(deserializer)?;
        match data.get() {
            "false" | "\"false\"" | "0" | "\"0\"" => {
                Err(D::Error::custom("expected a confirmation, got a denial"))
            }
            _ => Ok(Self {}),
        }
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
    if is_id(id.as_ref()) {
        Ok(id)
    } else {
        Err(D::Error::custom("expected the id of what was placed"))
    }
}

/// Whether a text is an id: servers write an empty one or 0 for none.
pub(crate) fn is_id(text: &str) -> bool {
    !codec::is_blank(text) && text.bytes().any(|byte| byte != b'0')
}

/// A [`placed_id`] that is written as a number.
pub(crate) mod placed_number {
    pub(crate) use super::placed_id as deserialize;
    pub(crate) use bitmart_types::codec::id_number::serialize;
}

/// A list that is required even where the data is empty: a book without a side is not an empty side. With a function
/// of its own, serde does not ask the type for a default where the member is missing, and `Rows` has one.
pub(crate) fn required_rows<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer)
}
