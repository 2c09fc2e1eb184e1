//! Book frames of spot in exactly the form that the venue writes, read in one pass.
//!
//! These frames are most of the traffic of a connection. This reader knows the usual form only:
//! no blanks, no escapes, decimals as text of at most 18 digits, no unknown fields. It gives `None`
//! for anything else, and the general decoder reads or refuses the frame. What it does read, the
//! general decoder reads alike (property test).

use bitmart_types::{Decimal, Timestamp, wire};

use super::{DepthKind, Level};

/// Bytes of a short row, such as `["67000.01","0.5"],`.
const SHORT_ROW: usize = 20;

/// Most levels that room is made for at once: what the deepest topic has.
const MOST_LEVELS: usize = 100;

/// What a book entry of spot may hold.
#[derive(Debug, Default)]
pub(in super::super) struct SpotParts<'a> {
    pub(in super::super) symbol: Option<&'a str>,
    pub(in super::super) kind: Option<DepthKind>,
    pub(in super::super) version: Option<u64>,
    pub(in super::super) timestamp: Option<Timestamp>,
    pub(in super::super) asks: Option<Vec<Level>>,
    pub(in super::super) bids: Option<Vec<Level>>,
}

/// The only entry of a frame of the usual form: its table stands behind the data, or before it.
pub(super) fn usual_frame(text: &str) -> Option<SpotParts<'_>> {
    let mut cursor = Cursor { rest: text.as_bytes() };
    if cursor.accept(r#"{"data":["#) {
        let entry = cursor.entry()?;
        cursor.expect(r#"],"table":""#)?;
        cursor.text()?;
        (cursor.rest == b"}").then_some(entry)
    } else {
        cursor.expect(r#"{"table":""#)?;
        cursor.text()?;
        cursor.expect(r#","data":["#)?;
        let entry = cursor.entry()?;
        (cursor.rest == b"]}").then_some(entry)
    }
}

/// What is still to be read.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn entry(&mut self) -> Option<SpotParts<'a>> {
        let mut parts = SpotParts::default();
        self.expect("{")?;
        loop {
            self.expect("\"")?;
            let key = self.text()?;
            self.expect(":")?;
            let first = match key {
                "asks" => parts.asks.replace(self.levels()?).is_none(),
                "bids" => parts.bids.replace(self.levels()?).is_none(),
                "ms_t" => parts.timestamp.replace(self.timestamp()?).is_none(),
                "symbol" => parts.symbol.replace(self.name()?).is_none(),
                "type" => parts.kind.replace(self.kind()?).is_none(),
                "version" => parts.version.replace(self.integer()?).is_none(),
                _ => false,
            };
            if !first {
                return None;
            }
            if !self.accept(",") {
                break;
            }
        }
        self.expect("}")?;
        Some(parts)
    }

    fn levels(&mut self) -> Option<Vec<Level>> {
        self.expect("[")?;
        if self.accept("]") {
            return Some(Vec::new());
        }
        // Made at once: growing from nothing would move them several times.
        let likely = self.rest.len() / SHORT_ROW + 1;
        let mut levels = Vec::with_capacity(likely.min(MOST_LEVELS));
        // The place in the text stays in a register here.
        let mut rest = self.rest.strip_prefix(b"[\"")?;
        loop {
            let (price, after) = number(rest)?;
            let (size, after) = number(after.strip_prefix(b",\"")?)?;
            levels.push(Level { price: price.into(), size: size.into() });
            let Some(next) = after.strip_prefix(b"],[\"") else {
                self.rest = after.strip_prefix(b"]]")?;
                return Some(levels);
            };
            rest = next;
        }
    }

    /// A time in milliseconds between 2015 and 2100. Others are in another unit or none at all, which
    /// is not known here.
    fn timestamp(&mut self) -> Option<Timestamp> {
        let millis = i64::try_from(self.integer()?).ok();
        let millis =
            millis.filter(|millis| (1_420_070_400_000..4_102_444_800_000).contains(millis))?;
        Some(Timestamp::from_millis(millis))
    }

    fn integer(&mut self) -> Option<u64> {
        let end = self.rest.iter().position(|byte| !byte.is_ascii_digit())?;
        let (digits, rest) = self.rest.split_at(end);
        let digits = str::from_utf8(digits).ok()?;
        self.rest = rest;
        // JSON has no leading zeros.
        digits.parse().ok().filter(|_| digits == "0" || !digits.starts_with('0'))
    }

    fn kind(&mut self) -> Option<DepthKind> {
        match self.word()? {
            "snapshot" => Some(DepthKind::Snapshot),
            "update" => Some(DepthKind::Update),
            _ => None,
        }
    }

    /// A word that is not one of those for no value.
    fn name(&mut self) -> Option<&'a str> {
        self.word().filter(|name| !wire::is_blank(name))
    }

    fn word(&mut self) -> Option<&'a str> {
        self.expect("\"")?;
        self.text()
    }

    /// Text without escapes, from behind its opening quote to behind its closing one.
    fn text(&mut self) -> Option<&'a str> {
        let end = self.rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest.strip_prefix(b"\"")?;
        str::from_utf8(text).ok()
    }

    #[inline]
    fn expect(&mut self, literal: &str) -> Option<()> {
        self.accept(literal).then_some(())
    }

    #[inline]
    fn accept(&mut self, literal: &str) -> bool {
        let rest = self.rest.strip_prefix(literal.as_bytes());
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

/// A decimal that is still in registers. It is put together where it is to stay, since moving one that
/// was just written costs more than reading it.
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

/// A number of at most 18 digits, from behind its opening quote, and what follows its closing one.
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

/// Reads digits on into `value`, and gives what follows them. More than 18 make the value wrong.
///
/// Byte by byte: eight at a time was measured to be slower, because the place of the next number is
/// then known later.
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
