//! Cells of a CSV file, written so that spreadsheets and data frames do not misread them.
//!
//! Such programs guess types: digits become a number with fifteen places, or a float if the column has a blank
//! cell; `=` begins a formula; `NA` is a missing value. A text that would be misread gets a leading apostrophe, and
//! so does a text that begins with one: removing one apostrophe restores the text.

use bitmart::Timestamp;
use bitmart::rest::catalog::TimeUnit;

use super::columns::Kind;
use crate::output::json::Json;

/// Texts that data frames read as a missing value.
const NULL_TEXTS: [&str; 18] = [
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
    "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
];
/// Texts that are read as numbers or booleans, in any case.
const VALUE_TEXTS: [&str; 4] = ["inf", "infinity", "true", "false"];

/// A time that the exchange did not send, as the models write it.
pub(super) const NO_TIME: &str = "0";

/// Formats a value of a documented column. Codes of optional columns are text: a column of numbers with blanks
/// would be read as floats.
pub(super) fn csv_cell(value: &Json, kind: Kind, is_required: bool) -> String {
    let text = value.cell();
    let is_plain = match kind {
        _ if text.is_empty() => true,
        Kind::Time(_) if text == NO_TIME => return String::new(),
        Kind::Time(unit) => {
            return time(&text, unit).map_or_else(|| escaped(text), |time| time.to_string());
        }
        Kind::Decimal | Kind::Integer => is_number(&text),
        Kind::Code => is_required && is_number(&text),
        Kind::Flag => matches!(value, Json::Bool(_)),
        Kind::Id | Kind::Text | Kind::List => false,
    };
    if is_plain { text } else { escaped(text) }
}

/// Formats a value of an undocumented column. A number stays a number if no digit is lost.
pub(super) fn undocumented_csv_cell(value: &Json) -> String {
    let text = value.cell();
    match value {
        Json::Number(digits) if digits.len() <= 15 && is_number(digits) => text,
        Json::Bool(_) => text,
        _ => escaped(text),
    }
}

/// Reads a time from a whole number.
pub(super) fn time(text: &str, unit: TimeUnit) -> Option<Timestamp> {
    let number: i64 = text.parse().ok()?;
    Some(Timestamp::from_millis(match unit {
        TimeUnit::Seconds => number.checked_mul(1_000)?,
        TimeUnit::Millis => number,
    }))
}

/// Whether a text is digits, with an optional minus sign and decimal point.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    all(whole) && all(rest) && (whole.len() == 1 || !whole.starts_with('0'))
}

/// Prefixes an apostrophe where a spreadsheet would run a text as a formula. Numbers stay numbers.
pub(crate) fn without_formula(text: String) -> String {
    if begins_formula(&text) && !is_number(&text) { format!("'{text}") } else { text }
}

fn begins_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

/// Prefixes an apostrophe where programs would not read a text as text.
pub(super) fn escaped(text: String) -> String {
    let is_formula = begins_formula(&text) || text.starts_with('\'');
    let trimmed = text.trim();
    // Numbers in any notation, dates and times of day.
    let is_number_like = trimmed.contains(|c: char| c.is_ascii_digit())
        && !trimmed.starts_with(['e', 'E'])
        && trimmed.chars().all(|c| c.is_ascii_digit() || " -/.:,eE+_%$()".contains(c));
    let is_reserved = NULL_TEXTS.contains(&trimmed)
        || VALUE_TEXTS.iter().any(|value| value.eq_ignore_ascii_case(trimmed));
    if is_formula || is_number_like || is_reserved { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use bitmart::rest::catalog::TimeUnit;

    use super::{Json, Kind, csv_cell, escaped, undocumented_csv_cell, without_formula};

    #[test]
    fn a_text_of_the_exchange_becomes_no_formula_and_an_amount_stays_one() {
        for (text, wanted) in [
            ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"),
            ("@SUM(1)", "'@SUM(1)"),
            ("+1", "'+1"),
            ("-1+2", "'-1+2"),
            ("\t=1", "'\t=1"),
            ("-0.50", "-0.50"),
            ("118100034543076010", "118100034543076010"),
            ("BTC_USDT", "BTC_USDT"),
        ] {
            assert_eq!(without_formula(text.to_owned()), wanted);
        }
    }

    #[test]
    fn numbers_stay_numbers_and_texts_stay_texts() {
        let number = |digits: &str| Json::Number(digits.to_owned());
        let text = |text: &str| Json::Text(text.to_owned());
        for (value, kind, wanted) in [
            (number("118100034543076010"), Kind::Id, "'118100034543076010"),
            (text("118100034543076010"), Kind::Id, "'118100034543076010"),
            (text("a1"), Kind::Id, "a1"),
            (text("-0.50"), Kind::Decimal, "-0.50"),
            (number("27000.50"), Kind::Decimal, "27000.50"),
            (text("Market"), Kind::Decimal, "Market"),
            (text("-Market"), Kind::Decimal, "'-Market"),
            (text("007"), Kind::Decimal, "'007"),
            (Json::Null, Kind::Decimal, ""),
            (Json::Null, Kind::Id, ""),
            (number("1700000000123"), Kind::Time(TimeUnit::Millis), "2023-11-14T22:13:20.123Z"),
            (text("1700000000"), Kind::Time(TimeUnit::Seconds), "2023-11-14T22:13:20.000Z"),
            (number("0"), Kind::Time(TimeUnit::Millis), ""),
            (text("soon"), Kind::Time(TimeUnit::Seconds), "soon"),
            (Json::Bool(true), Kind::Flag, "true"),
            (text("0012"), Kind::Text, "'0012"),
            (text("1e5"), Kind::Text, "'1e5"),
            (text("3-4"), Kind::Text, "'3-4"),
            (text("NA"), Kind::Text, "'NA"),
            (text("TRUE"), Kind::Text, "'TRUE"),
            (text("none"), Kind::Text, "none"),
            (text("=1+2"), Kind::Text, "'=1+2"),
            (text("@me"), Kind::Text, "'@me"),
            (text("'tis"), Kind::Text, "''tis"),
            (text("BTC_USDT"), Kind::Text, "BTC_USDT"),
            (text("1INCH"), Kind::Text, "1INCH"),
            (text("a,\"b\"\nc"), Kind::Text, "a,\"b\"\nc"),
        ] {
            assert_eq!(csv_cell(&value, kind, true), wanted, "{value} as {kind:?}");
        }
        assert_eq!(csv_cell(&number("4"), Kind::Code, true), "4");
        assert_eq!(csv_cell(&number("4"), Kind::Code, false), "'4");
        assert_eq!(undocumented_csv_cell(&number("4.5")), "4.5");
        let id = "118100034543076010";
        assert_eq!(undocumented_csv_cell(&number(id)), format!("'{id}"));
    }

    #[test]
    fn removing_one_apostrophe_restores_the_text() {
        for text in ["", "x", "'", "''", "=1", "\t7", "-1", "NA", " 12 ", "12:30", "\u{5e01}"] {
            let escaped = escaped(text.to_owned());
            assert_eq!(escaped.strip_prefix('\'').unwrap_or(&escaped), text);
        }
    }
}
