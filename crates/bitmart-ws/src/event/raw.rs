//! Undecoded entries.

use serde_json::value::RawValue;
use smol_str::SmolStr;

use super::each::{split, symbol};
use super::{DecodeError, Event};

/// One entry of any channel as JSON text.
///
/// For channels without a type in this crate: `Topic::<RawEvent>::public(market, name)`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RawEvent {
    /// Pair or contract, if the entry has a `symbol`.
    pub symbol: Option<SmolStr>,
    /// The entry as JSON text.
    pub json: Box<RawValue>,
}

impl Event for RawEvent {
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
        let parts =
            split(text).map_err(|error| DecodeError::new(text, "data".to_owned(), error))?;
        let event = |raw: &RawValue| Self { symbol: symbol(raw), json: raw.to_owned() };
        out.extend(parts.into_iter().map(|part| event(part.raw)));
        Ok(())
    }

    fn symbol(&self) -> Option<&str> {
        self.symbol.as_deref()
    }
}
