//! The frame around the entries: `{"table" or "group": channel, "data": [entry, …] or entry}`.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{
        self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor,
        value::MapAccessDeserializer,
    },
};

use serde_json::value::RawValue;

use super::DecodeError;
use crate::dialect::Dialect;

/// Appends the entries of a data frame to `out`: each element of `data` if it is an array, `data`
/// itself if it is an object. All other members of the frame are ignored.
///
/// # Errors
///
/// The frame is not JSON, has no `data` or an entry does not fit `T`. The entries before the fault
/// stay in `out`.
pub fn decode_entries<T>(text: &str, out: &mut Vec<T>) -> Result<(), DecodeError>
where
    T: for<'de> Deserialize<'de>,
{
    let mut json = serde_json::Deserializer::from_str(text);
    let Err(error) = Frame(out).deserialize(&mut json).and_then(|()| json.end()) else {
        return Ok(());
    };
    Err(DecodeError::new(text, path::<T>(text), &error))
}

/// Where decoding fails. A second run, because failures are rare and keeping track costs time.
fn path<T>(text: &str) -> String
where
    T: for<'de> Deserialize<'de>,
{
    let mut entries: Vec<T> = Vec::new();
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    match Frame(&mut entries)
        .deserialize(serde_path_to_error::Deserializer::new(&mut json, &mut track))
    {
        Err(_) => track.path().to_string(),
        Ok(()) => "the end".to_owned(),
    }
}

/// Decodes a frame and writes it again as the venue writes it: one entry or an array of entries, as
/// it came.
pub(crate) fn recode<T>(dialect: Dialect, text: &str) -> Result<String, DecodeError>
where
    T: for<'de> Deserialize<'de> + Serialize,
{
    #[derive(Deserialize)]
    struct Raw<'a> {
        #[serde(borrow)]
        data: &'a RawValue,
    }
    let mut entries: Vec<T> = Vec::new();
    decode_entries(text, &mut entries)?;
    let channel_key = match dialect {
        Dialect::Spot => "table",
        Dialect::Futures => "group",
    };
    let is_list = serde_json::from_str::<Raw<'_>>(text).map(|raw| raw.data.get().starts_with('['));
    let data = is_list.and_then(|is_list| match entries.as_slice() {
        [entry] if !is_list => serde_json::to_value(entry),
        entries => serde_json::to_value(entries),
    });
    let data = data.map_err(|error| DecodeError::new(text, "data".to_owned(), &error))?;
    Ok(serde_json::json!({ channel_key: crate::peek::channel(text), "data": data }).to_string())
}

/// Reads a whole frame into the vector.
struct Frame<'a, T>(&'a mut Vec<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Frame<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Frame<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a frame with data")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Data if found => return Err(de::Error::duplicate_field("data")),
                Key::Data => {
                    map.next_value_seed(Entries(self.0))?;
                    found = true;
                }
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if found { Ok(()) } else { Err(de::Error::missing_field("data")) }
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Data,
    #[serde(other)]
    Other,
}

/// Reads the value of `data`.
struct Entries<'a, T>(&'a mut Vec<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Entries<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry or an array of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(entry) = seq.next_element()? {
            self.0.push(entry);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.0.push(T::deserialize(MapAccessDeserializer::new(map))?);
        Ok(())
    }
}
