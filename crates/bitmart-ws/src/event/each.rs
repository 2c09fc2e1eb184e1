//! The entries of a frame, each by itself: the way for frames that do not decode in one go.

use std::fmt;

use bitmart_types::show_faults;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use smol_str::SmolStr;

use super::{DecodeError, decode_entries};
use crate::dialect::Dialect;
use crate::peek;

/// Most faults that one frame gives. What is beyond is counted in a last one.
const FAULTS_MOST: usize = 64;

/// Appends every entry of a frame to `out`, or why it could not be read. `decode` reads a frame
/// strictly, as [`Event::decode`](super::Event::decode) does.
pub(super) fn each<T>(
    text: &str,
    decode: impl Fn(&str, &mut Vec<T>) -> Result<(), DecodeError>,
    out: &mut Vec<Result<T, DecodeError>>,
) {
    let mut entries = Vec::new();
    let Err(error) = decode(text, &mut entries) else {
        return out.extend(entries.into_iter().map(Ok));
    };
    let Ok(parts) = split(text) else {
        // What stands before the place where the JSON breaks is as good as ever.
        out.extend(entries.into_iter().map(Ok));
        return out.push(Err(error));
    };
    if parts.is_empty() {
        return out.push(Err(error));
    }
    let channel = peek::channel(text).unwrap_or_default();
    let (mut faults, mut more) = (0, false);
    for (index, Part { path, raw }) in parts.into_iter().enumerate() {
        entries.clear();
        // As if it stood alone in its frame.
        match decode(&format!(r#"{{"data":{raw},"table":"{channel}"}}"#), &mut entries) {
            Ok(()) => out.extend(entries.drain(..).map(Ok)),
            Err(_) if faults == FAULTS_MOST => more = true,
            Err(error) => {
                faults += 1;
                let path = error.path().strip_prefix("data").map(|inner| format!("{path}{inner}"));
                let path = path.unwrap_or_default();
                out.push(Err(error.in_entry(index, path, raw.get(), symbol(raw))));
            }
        }
    }
    if more {
        out.push(Err(error.and_more()));
    }
}

/// An entry and where it stands.
pub(super) struct Part<'a> {
    pub(super) path: String,
    pub(super) raw: &'a RawValue,
}

/// The entries of a frame, undecoded. `null` is none.
pub(super) fn split(text: &str) -> serde_json::Result<Vec<Part<'_>>> {
    let Data(data) = serde_json::from_str(text)?;
    let mut parts = Vec::new();
    for data in data {
        if data.get().starts_with('[') {
            let entries: Vec<&RawValue> = serde_json::from_str(data.get())?;
            let path = |index| format!("data[{index}]");
            let entries = entries.into_iter().enumerate();
            parts.extend(entries.map(|(index, raw)| Part { path: path(index), raw }));
        } else {
            parts.push(Part { path: "data".to_owned(), raw: data });
        }
    }
    parts.retain(|part| part.raw.get() != "null");
    Ok(parts)
}

/// The values of `data`, usually one.
struct Data<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Data<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
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

        deserializer.deserialize_map(Members).map(Data)
    }
}

/// The `symbol` of an entry, when it has one that is text.
pub(super) fn symbol(entry: &RawValue) -> Option<SmolStr> {
    #[derive(Deserialize)]
    struct Named {
        symbol: Option<SmolStr>,
    }
    serde_json::from_str::<Named>(entry.get()).ok()?.symbol
}

/// A frame as its typed events write it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recoded {
    /// The frame: one entry or an array of entries, as it came. In the place of what could not be
    /// read stands an object with the one member `$fault`.
    pub text: String,
    /// The entries that could not be read.
    pub faults: Vec<DecodeError>,
}

/// Decodes a frame and writes it again as the venue writes it.
///
/// # Errors
///
/// The frame as a whole cannot be read.
pub(crate) fn recode<T>(dialect: Dialect, text: &str) -> Result<Recoded, DecodeError>
where
    T: for<'de> Deserialize<'de> + Serialize,
{
    let mut entries: Vec<Result<T, DecodeError>> = Vec::new();
    each(text, decode_entries, &mut entries);
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
    let channel_key = match dialect {
        Dialect::Spot => "table",
        Dialect::Futures => "group",
    };
    let text = serde_json::json!({ channel_key: peek::channel(text), "data": data }).to_string();
    Ok(Recoded { text, faults })
}
