//! Placeholders of the same form for values that may be account data.
//!
//! What survives:
//!
//! - `true`, `false` and `null`, and [texts](names) that mean *no value*;
//! - below the names of states, sides, types, modes and wallets: a listed word of the exchange, or a
//!   number of up to three digits;
//! - below the names of symbols, currencies, networks, channels and codes: a value of their form;
//! - in messages: every word of letters;
//! - names of members that do not look like values.
//!
//! Times move by a secret span. Numbers, also in strings, keep sign, decimal point, exponent, leading
//! and trailing zeros and the count of digits; zero stays zero. In every other text each letter and
//! digit becomes another one of its kind.
//!
//! Equal texts and long integers get equal placeholders, so that an order can be followed through all
//! files. Other numbers get equal placeholders only below the same name, so that well-known limits do
//! not reveal amounts. Public data has placeholders and a time span of its own: its prices and the
//! time of the run are known, and would reveal the rest. Another run uses other placeholders.

mod names;
#[cfg(test)]
mod tests;

use bitmart_types::Timestamp;
use bitmart_types::codec::is_no_value;
use ring::hmac;

use self::names::Class;
use super::Json;

/// 2015 to 2100 in milliseconds; a value outside is not a time.
const TIMES: std::ops::Range<i64> = 1_420_070_400_000..4_102_444_800_000;
const HOUR_MS: i64 = 3_600_000;
/// Largest shift of times, about ten months.
const MAX_HOURS: u64 = 7_000;
/// Numbers with this many digits may be near the limit of their type: their placeholders are smaller.
const LONG: usize = 18;

/// Names the column at a path such as `data[][3]` after the API description.
pub(super) type Columns<'a> = &'a dyn Fn(&str) -> Option<&'static str>;

/// Replaces values that may be account data.
pub(super) struct Redactor {
    key: hmac::Key,
    /// Shift of times in milliseconds: whole hours, so that candles stay on the hour.
    shift: i64,
}

/// The position of a value in the tree.
#[derive(Clone, Copy)]
struct Place<'a> {
    name: &'a str,
    path: &'a str,
    /// Whether it is a column without a name.
    is_column: bool,
}

impl Redactor {
    /// Creates a redactor from the secret of this run. Within one `realm` equal values get equal
    /// placeholders.
    pub(super) fn new(secret: &[u8], realm: &str) -> Self {
        let run = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let key = hmac::sign(&run, realm.as_bytes());
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_ref());
        // The two labels only make the two spans differ.
        Self { shift: span(&key, "answers"), key }
    }

    /// The redactor for requests: their times are near now, so they move by a span of their own.
    #[must_use]
    pub(super) fn for_requests(&self) -> Self {
        Self { shift: span(&self.key, "questions"), key: self.key.clone() }
    }

    /// Redacts a tree and keeps its shape.
    pub(super) fn tree(&self, value: &Json, columns: Columns<'_>) -> Json {
        let place = Place { name: "", path: "", is_column: false };
        self.walk(place, value, columns)
    }

    fn walk(&self, at: Place<'_>, value: &Json, columns: Columns<'_>) -> Json {
        match value {
            Json::Null | Json::Bool(_) => value.clone(),
            Json::Number(digits) => Json::Number(self.number(at, digits)),
            Json::Text(text) => Json::Text(self.text(at, text)),
            Json::Object(members) => {
                let member = |(name, value): &(String, Json)| {
                    let dot = if at.path.is_empty() { "" } else { "." };
                    let path = format!("{}{dot}{name}", at.path);
                    let place = Place { name, path: &path, is_column: false };
                    (self.member_name(name), self.walk(place, value, columns))
                };
                Json::Object(members.iter().map(member).collect())
            }
            Json::List(items) => {
                let item = |(index, value): (usize, &Json)| {
                    let column = format!("{}[{index}]", at.path);
                    if let Some(name) = columns(&column) {
                        return self.walk(
                            Place { name, path: &column, is_column: false },
                            value,
                            columns,
                        );
                    }
                    let path = format!("{}[]", at.path);
                    // A list within a list is a row, and so is a candle. Items of other lists keep
                    // the member's name.
                    let is_column = at.path.ends_with(']') || at.name == "candle";
                    let name = if is_column { "" } else { at.name };
                    self.walk(Place { name, path: &path, is_column }, value, columns)
                };
                Json::List(items.iter().enumerate().map(item).collect())
            }
        }
    }

    /// Member names are kept unless they look like values.
    fn member_name(&self, name: &str) -> String {
        let is_name = name.len() <= 40
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && name.bytes().filter(u8::is_ascii_digit).count() < 4;
        if is_name || names::is_symbol(name) { name.to_owned() } else { self.placeholder(name) }
    }

    fn number(&self, at: Place<'_>, digits: &str) -> String {
        if names::keeps(at.name, digits) {
            return digits.to_owned();
        }
        if (names::is_time(at.name) || at.is_column)
            && let Some(moved) = self.moved(digits)
        {
            return moved;
        }
        // Long enough for an id, which may occur below other names.
        let is_id = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
        self.amount(if is_id { "" } else { at.name }, digits)
    }

    fn text(&self, at: Place<'_>, text: &str) -> String {
        if is_no_value(text) || names::is_known_word(text) || names::keeps(at.name, text) {
            return text.to_owned();
        }
        if is_number(text) {
            return self.number(at, text);
        }
        if let Some(moved) = self.moved_date(text) {
            return moved;
        }
        if names::class(at.name) == Class::Message {
            let words = text.split(' ').map(|word| {
                if names::is_plain_word(word) { word.to_owned() } else { self.placeholder(word) }
            });
            return words.collect::<Vec<_>>().join(" ");
        }
        self.placeholder(text)
    }

    /// A shifted time in its own unit; `None` if the number is not a time.
    fn moved(&self, digits: &str) -> Option<String> {
        let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
        let value: i64 = whole.parse().ok()?;
        // Units per millisecond, and milliseconds per unit: one of them is 1.
        let (units_per_milli, millis_per_unit) = match whole.len() {
            10 => (1, 1000),
            13 => (1, 1),
            16 => (1000, 1),
            19 => (1_000_000, 1),
            _ => return None,
        };
        let millis = value.checked_mul(millis_per_unit)? / units_per_milli;
        let shift = self.shift_of(millis)?.checked_mul(units_per_milli)? / millis_per_unit;
        Some(format!("{}{rest}", value.checked_add(shift)?))
    }

    /// A shifted date and time such as `2024-01-31T12:00:00.123Z` or `2024-01-31 12:00:00`.
    fn moved_date(&self, text: &str) -> Option<String> {
        let (moment, rest) = text.split_at_checked(19)?;
        let separator = *moment.as_bytes().get(10)?;
        let millis = format!("{moment}Z").parse::<Timestamp>().ok()?.as_millis();
        let shift = self.shift_of(millis)?;
        let moved = Timestamp::from_millis(millis.checked_add(shift)?).to_string();
        let moved = moved.get(..19)?.replace('T', std::str::from_utf8(&[separator]).ok()?);
        Some(moved + rest)
    }

    /// Times move back, or forward if the result would be before 2015.
    fn shift_of(&self, millis: i64) -> Option<i64> {
        if !TIMES.contains(&millis) {
            return None;
        }
        let is_early = millis - self.shift < TIMES.start;
        Some(if is_early { self.shift } else { -self.shift })
    }

    /// A number of the same form with other digits.
    fn amount(&self, name: &str, text: &str) -> String {
        let end = text.find(['e', 'E']).unwrap_or(text.len());
        let (mantissa, exponent) = text.split_at(end);
        let is_digit = |(at, byte): (usize, u8)| byte.is_ascii_digit().then_some((at, byte));
        let digits: Vec<_> = mantissa.bytes().enumerate().filter_map(is_digit).collect();
        let is_set = |(_, digit): &(usize, u8)| *digit != b'0';
        let (Some(first), Some(last)) =
            (digits.iter().position(is_set), digits.iter().rposition(is_set))
        else {
            return text.to_owned();
        };
        let is_long = digits.len() - first >= LONG;
        let mut stream = Stream::new(&self.key, name, text);
        let mut out = mantissa.as_bytes().to_vec();
        for (index, (at, digit)) in digits.iter().enumerate().take(last + 1).skip(first) {
            let value = digit - b'0';
            out[*at] = b'0'
                + match index - first {
                    0 if is_long => value.saturating_sub(1).max(1),
                    // Stays within the type if the first digit could not become smaller.
                    1 if is_long => value.saturating_sub(1),
                    0 => stream.other(value - 1, 9) + 1,
                    _ if index == last => stream.other(value - 1, 9) + 1,
                    _ => stream.other(value, 10),
                };
        }
        String::from_utf8(out).unwrap_or_default() + exponent
    }

    /// A text of the same form: digits, lower-case and upper-case letters stay of their kind.
    fn placeholder(&self, text: &str) -> String {
        let mut stream = Stream::new(&self.key, "", text);
        let body = text.strip_prefix("0x").unwrap_or(text);
        let is_hex = body.len() >= 8 && body.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        let letters = if is_hex { 6 } else { 26 };
        let prefix = text.len() - body.len();
        let mut change = |first: u8, letter: char, count: u8| {
            let value = u8::try_from(letter).unwrap_or(first) - first;
            char::from(first + stream.other(value, count))
        };
        let other = |(at, letter): (usize, char)| match letter {
            _ if at < prefix => letter,
            '0'..='9' => change(b'0', letter, 10),
            'a'..='z' => change(b'a', letter, letters),
            'A'..='Z' => change(b'A', letter, letters),
            _ if letter.is_ascii() => letter,
            _ => 'x',
        };
        text.char_indices().map(other).collect()
    }
}

/// A whole number of hours in milliseconds.
fn span(key: &hmac::Key, label: &str) -> i64 {
    let hours = Stream::new(key, "span", label).next() % MAX_HOURS + 100;
    HOUR_MS.saturating_mul(i64::try_from(hours).unwrap_or(100))
}

/// Accepts a sign, thousands separators, a decimal point, an exponent and a percent sign.
fn is_number(text: &str) -> bool {
    let text = text.trim().trim_start_matches(['+', '-']).trim_end_matches('%');
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent = exponent.trim_start_matches(['+', '-']);
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    // Two points make a date, an IP address or a version, which are texts.
    let (whole, places) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    mantissa.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.')
        && are_digits(&whole.replace(',', ""))
        && are_digits(places)
        && (1..=2).contains(&exponent.len())
        && are_digits(exponent)
}

/// Pseudo-random numbers derived from a text.
struct Stream<'a> {
    key: &'a hmac::Key,
    name: &'a str,
    text: &'a str,
    block: u64,
    bytes: Vec<u8>,
}

impl<'a> Stream<'a> {
    fn new(key: &'a hmac::Key, name: &'a str, text: &'a str) -> Self {
        Self { key, name, text, block: 0, bytes: Vec::new() }
    }

    fn next(&mut self) -> u64 {
        if self.bytes.len() < 8 {
            let mut context = hmac::Context::with_key(self.key);
            context.update(&self.block.to_be_bytes());
            context.update(self.name.as_bytes());
            context.update(&[0]);
            context.update(self.text.as_bytes());
            self.block += 1;
            self.bytes.extend_from_slice(context.sign().as_ref());
        }
        let rest = self.bytes.split_off(8);
        let eight = std::mem::replace(&mut self.bytes, rest);
        eight.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// A number below `count` other than `value`.
    fn other(&mut self, value: u8, count: u8) -> u8 {
        let step = self.next() % u64::from(count - 1) + 1;
        u8::try_from((u64::from(value) + step) % u64::from(count)).unwrap_or_default()
    }
}
