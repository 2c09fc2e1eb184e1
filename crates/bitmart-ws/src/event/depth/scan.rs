//! Book frames of spot in exactly the form that the venue writes, read in one pass.
//!
//! These frames are most of the traffic of a connection. This reader knows the usual form only:
//! no blanks, no escapes, decimals as text of at most 18 digits, no unknown fields. It gives `None`
//! for anything else, and the general decoder reads or refuses the frame. What it does read, the
//! general decoder reads alike (property test).

use bitmart_types::{Decimal, Timestamp};

use super::{DepthKind, Level, USUAL_LEVELS};

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
    let mut cursor = Cursor { rest: text };
    if cursor.accept(r#"{"data":["#) {
        let entry = cursor.entry()?;
        cursor.expect(r#"],"table":""#)?;
        cursor.text()?;
        (cursor.rest == "}").then_some(entry)
    } else {
        cursor.expect(r#"{"table":""#)?;
        cursor.text()?;
        cursor.expect(r#","data":["#)?;
        let entry = cursor.entry()?;
        (cursor.rest == "]}").then_some(entry)
    }
}

/// What is still to be read.
struct Cursor<'a> {
    rest: &'a str,
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
                "symbol" => parts.symbol.replace(self.word()?).is_none(),
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
        let mut levels = Vec::with_capacity(USUAL_LEVELS);
        loop {
            self.expect("[\"")?;
            let price = self.decimal()?;
            self.expect(",\"")?;
            let size = self.decimal()?;
            levels.push(Level { price, size });
            self.expect("]")?;
            if !self.accept(",") {
                break;
            }
        }
        self.expect("]")?;
        Some(levels)
    }

    /// A decimal of at most 18 characters, from behind its opening quote to behind its closing one.
    fn decimal(&mut self) -> Option<Decimal> {
        let (mut value, mut scale, mut point) = (0_u64, 0, false);
        for (index, byte) in self.rest.bytes().enumerate().take(19) {
            match byte {
                b'0'..=b'9' => {
                    value = value * 10 + u64::from(byte - b'0');
                    scale += u32::from(point);
                }
                b'.' if index > 0 && !point => point = true,
                b'"' if index > 0 && point == (scale > 0) => {
                    self.rest = self.rest.get(index + 1..)?;
                    let (low, middle) = ((value & 0xffff_ffff) as u32, (value >> 32) as u32);
                    return Some(Decimal::from_parts(low, middle, 0, false, scale));
                }
                _ => return None,
            }
        }
        None
    }

    /// A time in milliseconds. 0 has a meaning of its own, which is not known here.
    fn timestamp(&mut self) -> Option<Timestamp> {
        let millis = i64::try_from(self.integer()?).ok().filter(|&millis| millis > 0)?;
        Some(Timestamp::from_millis(millis))
    }

    fn integer(&mut self) -> Option<u64> {
        let end = self.rest.bytes().position(|byte| !byte.is_ascii_digit())?;
        let (digits, rest) = self.rest.split_at(end);
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

    fn word(&mut self) -> Option<&'a str> {
        self.expect("\"")?;
        self.text()
    }

    /// Text without escapes, from behind its opening quote to behind its closing one.
    fn text(&mut self) -> Option<&'a str> {
        let end = self.rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest.strip_prefix('"')?;
        Some(text)
    }

    fn expect(&mut self, literal: &str) -> Option<()> {
        self.accept(literal).then_some(())
    }

    fn accept(&mut self, literal: &str) -> bool {
        let rest = self.rest.strip_prefix(literal);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

#[cfg(test)]
mod tests;
