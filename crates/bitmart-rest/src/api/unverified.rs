//! Responses that the exchange does not document.

use bitmart_types::json;
use std::fmt;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// Data in a form that the exchange does not document and nobody has confirmed.
///
/// `T` is the form that other sources report, with every field optional; it is
/// [`Empty`](crate::Empty) where no source reports any. Any JSON decodes: [`value`](Self::value) is
/// `None` when it is not a `T`, and [`raw`](Self::raw) returns the text in either case. It encodes as
/// that text. Decode it from JSON text only.
///
/// ```
/// use bitmart_rest::Unverified;
///
/// let response: Unverified<bool> = serde_json::from_str("true")?;
/// assert_eq!(response.value(), Some(&true));
///
/// let other: Unverified<bool> = serde_json::from_str(r#"{"done": true}"#)?;
/// assert_eq!(other.value(), None);
/// assert_eq!(other.raw(), r#"{"done": true}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct Unverified<T> {
    value: Option<T>,
    raw: Box<RawValue>,
}

impl<T> Unverified<T> {
    /// The data, if it has the expected form.
    pub fn value(&self) -> Option<&T> {
        self.value.as_ref()
    }
    /// Returns the data, if it has the expected form.
    pub fn into_value(self) -> Option<T> {
        self.value
    }
    /// The JSON text of the response.
    pub fn raw(&self) -> &str {
        self.raw.get()
    }
    /// Decodes the JSON text as a type of your own.
    ///
    /// # Errors
    /// When it has another form.
    pub fn decode<'a, U: Deserialize<'a>>(&'a self) -> Result<U, serde_json::Error> {
        serde_json::from_str(self.raw())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Unverified<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer).map_err(D::Error::custom)?;
        Ok(Self { value: json::from_str(raw.get()).ok(), raw })
    }
}

impl<T> Serialize for Unverified<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.raw.serialize(serializer)
    }
}

impl<T> PartialEq for Unverified<T> {
    fn eq(&self, other: &Self) -> bool {
        self.raw() == other.raw()
    }
}

/// Shows the value and the size of the text: the text may contain secrets that the `Debug` of `T` hides.
impl<T: fmt::Debug> fmt::Debug for Unverified<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified")
            .field("value", &self.value)
            .field("raw_bytes", &self.raw().len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
