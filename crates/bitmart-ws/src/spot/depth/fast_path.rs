//! Decodes book frames in the form that the exchange sends, in one pass.
//!
//! Such frames are most of the traffic of a connection. The fast path accepts blanks between tokens, and
//! unknown members, which it skips. It accepts no escapes in what it reads, and decimals only as text of at
//! most 18 digits. Any other frame goes to the general decoder. If the fast path accepts a frame, both
//! decoders give the same event (property test).

use bitmart_types::{Decimal, Timestamp, codec};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::event::{DecodeError, DepthKind, Level, decode_entries};

/// Bytes of a short row, such as `["67000.01","0.5"],`.
const SHORT_ROW: usize = 20;

/// Largest initial capacity: the levels of the deepest topic.
const MAX_CAPACITY: usize = 100;

/// A book event that can be built from the [`Parts`] of an entry.
pub(super) trait FromParts: DeserializeOwned {
    /// Builds the event. `None` if a part is missing.
    fn from_parts(parts: Parts<'_>) -> Option<Self>;
}

/// Appends the entries of a book frame to `out`.
pub(super) fn decode<T: FromParts>(text: &str, out: &mut Vec<T>) -> Result<(), DecodeError> {
    match usual_frame(text).and_then(T::from_parts) {
        Some(entry) => {
            out.push(entry);
            Ok(())
        }
        None => decode_entries(text, out),
    }
}

/// The members that a book entry may have.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    pub(super) symbol: Option<&'a str>,
    pub(super) kind: Option<DepthKind>,
    pub(super) version: Option<u64>,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) asks: Option<Vec<Level>>,
    pub(super) bids: Option<Vec<Level>>,
}

/// Returns the only entry of a frame in the usual form.
fn usual_frame(text: &str) -> Option<Parts<'_>> {
    let mut cursor = Cursor { rest: text.as_bytes() };
    let mut entry = None;
    cursor.members(|cursor, key| match key {
        "data" => {
            cursor.expect("[")?;
            let first = entry.replace(cursor.entry()?).is_none();
            cursor.expect("]")?;
            first.then_some(())
        }
        _ => cursor.skip_value(),
    })?;
    skip_blanks(cursor.rest).is_empty().then_some(entry)?
}

/// The unread rest of a frame.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn entry(&mut self) -> Option<Parts<'a>> {
        let mut parts = Parts::default();
        self.members(|cursor, key| {
            let first = match key {
                "asks" => parts.asks.replace(cursor.levels()?).is_none(),
                "bids" => parts.bids.replace(cursor.levels()?).is_none(),
                "ms_t" => parts.timestamp.replace(cursor.timestamp()?).is_none(),
                "symbol" => parts.symbol.replace(cursor.name()?).is_none(),
                "type" => parts.kind.replace(cursor.kind()?).is_none(),
                "version" => parts.version.replace(cursor.integer()?).is_none(),
                _ => return cursor.skip_value(),
            };
            first.then_some(())
        })?;
        Some(parts)
    }

    /// Reads an object with at least one member. `read` reads the value of a member.
    fn members(&mut self, mut read: impl FnMut(&mut Self, &str) -> Option<()>) -> Option<()> {
        self.expect("{")?;
        loop {
            let key = self.quoted()?;
            self.expect(":")?;
            read(self, key)?;
            if !self.accept(",") {
                return self.expect("}");
            }
        }
    }

    /// Skips the value of a member that is ignored, as the general decoder does.
    fn skip_value(&mut self) -> Option<()> {
        let mut values = serde_json::Deserializer::from_slice(self.rest).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        self.rest = self.rest.get(values.byte_offset()..)?;
        Some(())
    }

    fn levels(&mut self) -> Option<Vec<Level>> {
        self.expect("[")?;
        if self.accept("]") {
            return Some(Vec::new());
        }
        // Allocated once: growing from empty would move the levels several times.
        let likely = self.rest.len() / SHORT_ROW + 1;
        let mut levels = Vec::with_capacity(likely.min(MAX_CAPACITY));
        // A local keeps the position in a register.
        let mut rest = after(self.rest, "[\"")?;
        loop {
            let (price, behind) = number(rest)?;
            let (size, behind) = number(after(behind, ",\"")?)?;
            levels.push(Level { price: price.into(), size: size.into() });
            let Some(next) = after(behind, "],[\"") else {
                self.rest = after(behind, "]]")?;
                return Some(levels);
            };
            rest = next;
        }
    }

    /// A time in milliseconds between 2015 and 2100. Other values may be in another unit, which the
    /// general decoder handles.
    fn timestamp(&mut self) -> Option<Timestamp> {
        let millis = i64::try_from(self.integer()?).ok();
        let millis =
            millis.filter(|millis| (1_420_070_400_000..4_102_444_800_000).contains(millis))?;
        Some(Timestamp::from_millis(millis))
    }

    fn integer(&mut self) -> Option<u64> {
        self.rest = skip_blanks(self.rest);
        let end = self.rest.iter().position(|byte| !byte.is_ascii_digit())?;
        let (digits, rest) = self.rest.split_at(end);
        let digits = str::from_utf8(digits).ok()?;
        self.rest = rest;
        // JSON has no leading zeros.
        digits.parse().ok().filter(|_| digits == "0" || !digits.starts_with('0'))
    }

    fn kind(&mut self) -> Option<DepthKind> {
        match self.quoted()? {
            "snapshot" => Some(DepthKind::Snapshot),
            "update" => Some(DepthKind::Update),
            _ => None,
        }
    }

    /// A text that is not one of the spellings of "no value".
    fn name(&mut self) -> Option<&'a str> {
        self.quoted().filter(|name| !codec::is_blank(name))
    }

    /// Text without escapes.
    fn quoted(&mut self) -> Option<&'a str> {
        self.expect("\"")?;
        let end = self.rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest.strip_prefix(b"\"")?;
        str::from_utf8(text).ok()
    }

    #[inline]
    fn expect(&mut self, tokens: &str) -> Option<()> {
        self.rest = after(self.rest, tokens)?;
        Some(())
    }

    #[inline]
    fn accept(&mut self, tokens: &str) -> bool {
        self.expect(tokens).is_some()
    }
}

/// Returns the text after `tokens`, each of which is one character. There may be blanks before each.
#[inline]
fn after<'a>(text: &'a [u8], tokens: &str) -> Option<&'a [u8]> {
    text.strip_prefix(tokens.as_bytes()).or_else(|| after_blanks(text, tokens))
}

/// Not inlined into the loop over the levels, where blanks are rare: it would need more instructions for each level.
#[cold]
#[inline(never)]
fn after_blanks<'a>(mut text: &'a [u8], tokens: &str) -> Option<&'a [u8]> {
    for token in tokens.bytes() {
        loop {
            let (first, rest) = text.split_first()?;
            text = rest;
            if *first == token {
                break;
            }
            if !is_blank(*first) {
                return None;
            }
        }
    }
    Some(text)
}

/// What JSON counts as a blank.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    let length = text.iter().take_while(|byte| is_blank(**byte)).count();
    text.get(length..).unwrap_or_default()
}

/// A decimal in registers. It becomes a [`Decimal`] only at its final place in memory: moving one
/// that was just written costs more than parsing it.
struct Number {
    digits: u64,
    places: u32,
}

impl From<Number> for Decimal {
    #[inline]
    fn from(Number { digits, places }: Number) -> Self {
        Self::from_parts((digits & 0xffff_ffff) as u32, (digits >> 32) as u32, 0, false, places)
    }
}

/// Parses a number of at most 18 digits that follows an opening quote. Returns the text after the
/// closing quote as well.
#[inline]
fn number(text: &[u8]) -> Option<(Number, &[u8])> {
    let mut value = 0;
    let mut rest = digits(text, &mut value);
    let whole = text.len() - rest.len();
    let mut places = 0;
    if let Some(fraction) = rest.strip_prefix(b".") {
        rest = digits(fraction, &mut value);
        places = fraction.len() - rest.len();
        if places == 0 {
            return None;
        }
    }
    let rest = rest.strip_prefix(b"\"")?;
    if whole == 0 || whole + places > 18 {
        return None;
    }
    Some((Number { digits: value, places: u32::try_from(places).ok()? }, rest))
}

/// Appends digits to `value` and returns the text after them. `value` wraps after 18 digits.
///
/// Byte by byte: eight at a time measured slower, because the position of the next number is known
/// later.
#[inline]
fn digits<'a>(text: &'a [u8], value: &mut u64) -> &'a [u8] {
    let mut bytes = text.iter();
    loop {
        let rest = bytes.as_slice();
        match bytes.next().map(|byte| byte.wrapping_sub(b'0')) {
            Some(digit @ 0..=9) => {
                *value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            }
            _ => return rest,
        }
    }
}

#[cfg(test)]
mod tests;
