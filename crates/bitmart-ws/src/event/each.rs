//! Decodes the entries of a frame one by one, for frames that do not decode as a whole.

use std::fmt;

use bitmart_types::show_faults;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use smol_str::SmolStr;

use super::{DecodeError, decode_entries};
use crate::dialect::Market;
use crate::peek;

/// Largest number of faults that are reported per frame. One more fault stands for all further ones.
const MAX_FAULTS: usize = 64;

/// Appends every entry of a frame to `out`, decoded or as a fault. `decode` decodes a frame strictly,
/// like [`Event::decode`](super::Event::decode).
pub(crate) fn decode_each<T>(
    text: &str,
    decode: impl Fn(&str, &mut Vec<T>) -> Result<(), DecodeError>,
    out: &mut Vec<Result<T, DecodeError>>,
) {
    let mut entries = Vec::new();
    let Err(error) = decode(text, &mut entries) else {
        return out.extend(entries.into_iter().map(Ok));
    };
    let Ok(parts) = split(text) else {
        // The entries before the syntax error are valid.
        out.extend(entries.into_iter().map(Ok));
        return out.push(Err(error));
    };
    let frame_name = peek::frame_name(text).unwrap_or_default();
    let (mut faults, mut is_cut) = (0, false);
    for Part { index, raw, path } in parts {
        entries.clear();
        // As the only entry of a frame.
        match decode(&format!(r#"{{"data":{raw},"table":"{frame_name}"}}"#), &mut entries) {
            Ok(()) => out.extend(entries.drain(..).map(Ok)),
            Err(_) if faults == MAX_FAULTS => is_cut = true,
            Err(error) => {
                faults += 1;
                let path = error.path().strip_prefix("data").map(|inner| format!("{path}{inner}"));
                let path = path.unwrap_or_default();
                out.push(Err(error.into_entry(index, path, raw.get(), symbol(raw))));
            }
        }
    }
    if is_cut {
        out.push(Err(error.into_last_fault()));
    }
}

/// An undecoded entry and its position.
pub(super) struct Part<'a> {
    /// Index in `data`.
    index: usize,
    path: String,
    pub(super) raw: &'a RawValue,
}

/// Splits a frame into its entries. `null` is not an entry.
pub(super) fn split(text: &str) -> serde_json::Result<Vec<Part<'_>>> {
    let Data(data) = serde_json::from_str(text)?;
    let mut parts = Vec::new();
    for data in data {
        if data.get().starts_with('[') {
            let entries: Vec<&RawValue> = serde_json::from_str(data.get())?;
            let path = |index| format!("data[{index}]");
            let entries = entries.into_iter().enumerate();
            parts.extend(entries.map(|(index, raw)| Part { index, path: path(index), raw }));
        } else {
            parts.push(Part { index: 0, path: "data".to_owned(), raw: data });
        }
    }
    parts.retain(|part| part.raw.get() != "null");
    Ok(parts)
}

/// The values of `data`: one, unless the frame contains the member several times.
struct Data<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Data<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FrameVisitor;

        impl<'de> Visitor<'de> for FrameVisitor {
            type Value = Vec<&'de RawValue>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a frame with data")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut data = Vec::new();
                while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
                    if key == "data" {
                        data.push(map.next_value()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                if data.is_empty() {
                    return Err(A::Error::missing_field("data"));
                }
                Ok(data)
            }
        }

        deserializer.deserialize_map(FrameVisitor).map(Data)
    }
}

/// Returns the `symbol` of an entry, if it has one that is text.
pub(super) fn symbol(entry: &RawValue) -> Option<SmolStr> {
    #[derive(Deserialize)]
    struct Named {
        symbol: Option<SmolStr>,
    }
    serde_json::from_str::<Named>(entry.get()).ok()?.symbol
}

/// A frame that was decoded and encoded again: see [`catalog::recode`](crate::catalog::recode).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recoded {
    /// The frame, with one entry or an array of entries as received. An entry that could not be decoded
    /// is replaced by an object with the only member `$fault`.
    pub text: String,
    /// The entries that could not be decoded.
    pub faults: Vec<DecodeError>,
}

/// Decodes a frame and encodes it again in the wire form.
///
/// # Errors
///
/// The frame as a whole cannot be decoded.
pub(crate) fn recode<T>(market: Market, text: &str) -> Result<Recoded, DecodeError>
where
    T: for<'de> Deserialize<'de> + Serialize,
{
    let mut entries: Vec<Result<T, DecodeError>> = Vec::new();
    decode_each(text, decode_entries, &mut entries);
    let (mut values, mut faults) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            Ok(entry) => {
                let value = show_faults(|| serde_json::to_value(entry));
                values.push(value.map_err(|e| DecodeError::new(text, "data".to_owned(), e))?);
            }
            Err(fault) if fault.entry().is_none() => return Err(fault),
            Err(fault) => {
                values.push(serde_json::json!({ "$fault": fault.reason() }));
                faults.push(fault);
            }
        }
    }
    let is_list = serde_json::from_str::<Data<'_>>(text)
        .is_ok_and(|Data(data)| data.first().is_some_and(|data| data.get().starts_with('[')));
    let data = match values.len() {
        0 | 1 if !is_list => values.pop().unwrap_or_default(),
        _ => values.into(),
    };
    let frame_name_key = match market {
        Market::Spot => "table",
        Market::Futures => "group",
    };
    let text =
        serde_json::json!({ frame_name_key: peek::frame_name(text), "data": data }).to_string();
    Ok(Recoded { text, faults })
}
