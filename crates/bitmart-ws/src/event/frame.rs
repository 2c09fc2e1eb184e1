//! Decodes data frames: `{"table" or "group": name, "data": [entry, …] or entry}`.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor,
        value::MapAccessDeserializer,
    },
};

use bitmart_types::json;

use super::DecodeError;

/// Appends the entries of a data frame to `out`: each element of `data` if it is an array, `data`
/// itself if it is an object, nothing if it is `null`. All other members of the frame are ignored. A
/// member that occurs twice, or under both its earlier and its present name, is accepted, but decoded by
/// a slower way.
///
/// # Errors
///
/// The frame is not JSON, has no `data` or an entry does not fit `T`. The entries before the fault
/// stay in `out`. [`Event::decode_each`](super::Event::decode_each) decodes the others as well.
pub fn decode_entries<T>(text: &str, out: &mut Vec<T>) -> Result<(), DecodeError>
where
    T: for<'de> Deserialize<'de>,
{
    let before = out.len();
    let mut json = serde_json::Deserializer::from_str(text);
    let read = json::first_pass(|| Frame(out).deserialize(&mut json).and_then(|()| json.end()));
    let Err(error) = read else {
        return Ok(());
    };
    // A slower decoder accepts members that occur twice or by two names, and numbers with more digits than a
    // double represents.
    if let Ok(AllEntries(entries)) = json::from_str(text) {
        out.truncate(before);
        out.extend(entries);
        return Ok(());
    }
    Err(DecodeError::new(text, path::<T>(text), error))
}

/// All entries of a frame.
struct AllEntries<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for AllEntries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut entries = Vec::new();
        Frame(&mut entries).deserialize(deserializer)?;
        Ok(Self(entries))
    }
}

/// Returns the path at which decoding fails. A second run, because tracking the path costs time.
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

/// Deserializes a frame into the vector.
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
        let mut has_data = false;
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Data => {
                    map.next_value_seed(Entries(self.0))?;
                    has_data = true;
                }
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if has_data { Ok(()) } else { Err(de::Error::missing_field("data")) }
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Data,
    #[serde(other)]
    Other,
}

/// Deserializes the value of `data` into the vector.
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

    /// `null` is not an entry.
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
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
