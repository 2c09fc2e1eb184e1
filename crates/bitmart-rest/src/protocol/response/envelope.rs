//! The members of an envelope.

use std::fmt;

use bitmart_types::Decimal;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Maximum length of message and trace, in characters.
const TEXT_KEPT: usize = 256;

/// The members of all envelopes. Their types vary between responses, so each is kept as raw JSON.
/// Of a repeated member the last value counts, unless it is `null`.
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
}

#[derive(Deserialize)]
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
            let decides = matches!(name, Name::Code | Name::Errno | Name::Success);
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
            let is_other = place.replace(value).is_some_and(|before| !is_same(before, value));
            members.is_contradictory |= decides && is_other;
        }
        Ok(members)
    }
}

fn is_same(one: &RawValue, other: &RawValue) -> bool {
    one.get() == other.get() || integer(one).is_some_and(|code| integer(other) == Some(code))
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
