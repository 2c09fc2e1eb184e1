//! Entries of channels without a type.

use serde::Deserialize;
use serde_json::value::RawValue;
use smol_str::SmolStr;

use super::{DecodeError, Event};

/// One entry of any channel, kept as the venue wrote it.
///
/// For channels that this crate has no type for: `Topic::<RawEvent>::public(dialect, name)`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RawEvent {
    /// The pair or contract, when the entry has a `symbol`.
    pub symbol: Option<SmolStr>,
    /// The entry as JSON text.
    pub json: Box<RawValue>,
}

impl Event for RawEvent {
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
        entries(text, out).map_err(|error| DecodeError::new(text, "data".to_owned(), &error))
    }

    fn symbol(&self) -> Option<&str> {
        self.symbol.as_deref()
    }
}

fn entries(text: &str, out: &mut Vec<RawEvent>) -> serde_json::Result<()> {
    #[derive(Deserialize)]
    struct Frame<'a> {
        #[serde(borrow)]
        data: &'a RawValue,
    }
    let frame: Frame<'_> = serde_json::from_str(text)?;
    if frame.data.get().starts_with('[') {
        for entry in serde_json::from_str::<Vec<Box<RawValue>>>(frame.data.get())? {
            out.push(RawEvent { symbol: symbol(&entry), json: entry });
        }
    } else {
        out.push(RawEvent { symbol: symbol(frame.data), json: frame.data.to_owned() });
    }
    Ok(())
}

fn symbol(entry: &RawValue) -> Option<SmolStr> {
    #[derive(Deserialize)]
    struct Named {
        symbol: Option<SmolStr>,
    }
    serde_json::from_str::<Named>(entry.get()).ok()?.symbol
}
