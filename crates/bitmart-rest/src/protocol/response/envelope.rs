//! The members of an envelope.

use std::fmt;

use bitmart_types::Decimal;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::is_success;

/// Maximum length of message and trace, in characters.
const TEXT_KEPT: usize = 256;

/// The members of all envelopes. Their types vary between responses, so each is kept as raw JSON.
///
/// A member may be repeated. `null` and repetitions of the same value change nothing. Other values are never
/// chosen from where a choice could make a failure look like a success or the result of another request like
/// this one's: see the last three fields. Of message and trace the last value is shown.
#[derive(Default)]
pub(super) struct Members<'a> {
    pub(super) code: Option<&'a RawValue>,
    pub(super) errno: Option<&'a RawValue>,
    pub(super) success: Option<&'a RawValue>,
    pub(super) message: Option<&'a RawValue>,
    pub(super) msg: Option<&'a RawValue>,
    pub(super) trace: Option<&'a RawValue>,
    pub(super) data: Option<&'a RawValue>,
    /// A member that decides between success and failure is repeated with another value.
    pub(super) is_contradictory: bool,
    /// The data is repeated with another value, and neither value is empty.
    pub(super) has_two_data: bool,
    /// A message that was repeated with another text does not report success.
    pub(super) replaced_message_denies: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Name {
    Code,
    Errno,
    Success,
    Message,
    Msg,
    Trace,
    Data,
    #[serde(other)]
    Other,
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an envelope")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key()? {
            let place = match name {
                Name::Code => &mut members.code,
                Name::Errno => &mut members.errno,
                Name::Success => &mut members.success,
                Name::Message => &mut members.message,
                Name::Msg => &mut members.msg,
                Name::Trace => &mut members.trace,
                Name::Data => &mut members.data,
                Name::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let Some(value) = map.next_value::<Option<&'de RawValue>>()? else { continue };
            let Some(before) = place.replace(value).filter(|before| !is_same(before, value)) else {
                continue;
            };
            match name {
                Name::Code | Name::Errno | Name::Success => members.is_contradictory = true,
                Name::Data if is_hollow(value) => *place = Some(before),
                Name::Data => members.has_two_data |= !is_hollow(before),
                Name::Message | Name::Msg => {
                    let denies = text(before).is_some_and(|text| !is_success(&text));
                    members.replaced_message_denies |= denies;
                }
                Name::Trace | Name::Other => {}
            }
        }
        Ok(members)
    }
}

fn is_same(one: &RawValue, other: &RawValue) -> bool {
    one.get() == other.get() || integer(one).is_some_and(|code| integer(other) == Some(code))
}

/// Whether data is an object, a list or a text without content.
fn is_hollow(data: &RawValue) -> bool {
    let text = data.get();
    text.get(1..text.len().saturating_sub(1)).is_some_and(|content| content.trim().is_empty())
        && text.starts_with(['{', '[', '"'])
}

/// A code, which is a number or, in some responses, text.
pub(super) fn integer(value: &RawValue) -> Option<i64> {
    whole(value.get().trim_matches('"'))
}

/// A whole number, with or without an empty fraction: `1000`, `1000.0`, `1e3`.
pub(crate) fn whole(text: &str) -> Option<i64> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let value = Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text));
        value.ok().filter(|value| value.fract().is_zero())?.trunc().try_into().ok()
    })
}

/// `true` or `false`, as text in some responses.
pub(super) fn flag(value: &RawValue) -> Option<bool> {
    value.get().trim_matches('"').parse().ok()
}

/// Text of bounded length; anything but a JSON string counts as absent.
pub(super) fn text(value: &RawValue) -> Option<String> {
    let mut text: String = serde_json::from_str(value.get()).ok()?;
    if text.len() > TEXT_KEPT
        && let Some((end, _)) = text.char_indices().nth(TEXT_KEPT)
    {
        text.truncate(end);
    }
    Some(text)
}

/// Strips the padding that some servers add: a leading byte-order mark, whitespace and NULs.
pub(crate) fn without_padding(body: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
    let mut text = body;
    loop {
        text = match text {
            [0xef, 0xbb, 0xbf, rest @ ..] => rest,
            [first, rest @ ..] if is_blank(first) => rest,
            _ => break,
        };
    }
    while let [rest @ .., last] = text
        && is_blank(last)
    {
        text = rest;
    }
    text
}
