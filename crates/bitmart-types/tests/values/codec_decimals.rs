//! Decimal helpers: documented forms, other observed forms and invalid values.

use bitmart_types::{Decimal, Note, OrderId, codec, collect_notes, find_unreadable, json};
use proptest::prelude::*;
use serde::{Deserialize, Serialize, de::value::MapDeserializer};
use serde_json::json;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Plain(#[serde(with = "codec::decimal")] Decimal);

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Optional(#[serde(with = "codec::decimal_opt")] Option<Decimal>);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Exact(#[serde(with = "codec::decimal_exact")] Decimal);

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct ExactOptional(#[serde(with = "codec::decimal_exact_opt")] Option<Decimal>);

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

fn error<T: for<'de> Deserialize<'de> + std::fmt::Debug>(json: &str) -> String {
    serde_json::from_str::<T>(json).expect_err("the value is junk").to_string()
}

/// Whether the value reads as `None`, with a note.
fn reads_as_none<T: for<'de> Deserialize<'de> + Default + PartialEq>(json: &str) -> bool {
    let (read, notes) = collect_notes(|| serde_json::from_str::<T>(json));
    read.ok() == Some(T::default()) && matches!(notes[..], [Note::Unreadable { .. }])
}

#[test]
fn an_optional_decimal_that_cannot_be_read_is_none_and_noted() {
    for json in [
        r#""NaN""#,
        r#""Infinity""#,
        r#""--""#,
        r#""1,234.5""#,
        r#""+1.2%""#,
        r#""1234567890123456789012345678901""#,
        r#""1e-38""#,
        "true",
        "[]",
        "[1,[2],{}]",
        "{}",
        r#"{"a":{"b":1},"c":2}"#,
        r#"{"$serde_json::private::Number":"x"}"#,
    ] {
        assert!(reads_as_none::<Optional>(json), "{json}");
        if !json.contains("Number") {
            assert!(reads_as_none::<ExactOptional>(json), "{json}");
        }
    }
    let error = json::from_str_strict::<Optional>(r#""NaN""#).unwrap_err();
    assert!(error.to_string().contains("expected a decimal"), "not of one's own: {error}");
}

#[test]
fn json_from_str_reads_every_digit_of_a_number() {
    let digits = "60000.123456789012345678";
    let read: Plain = json::from_str(digits).unwrap();
    assert_eq!(read.0, decimal(digits));
    let read: Vec<Optional> = json::from_str(&format!("[{digits},\"NaN\",1e999]")).unwrap();
    assert_eq!(read, [Optional(Some(decimal(digits))), Optional(None), Optional(None)]);
}

#[test]
fn every_form_of_a_decimal_is_read() {
    for (json, expected) in [
        (r#""0.10""#, "0.10"),
        (r#""-1.5""#, "-1.5"),
        (r#""+1.5""#, "1.5"),
        (r#"" 26995.13 ""#, "26995.13"),
        (r#""1E-8""#, "0.00000001"),
        (r#""1.5e3""#, "1500"),
        (r#"".5""#, "0.5"),
        ("7", "7"),
        ("-7", "-7"),
        ("18446744073709551615", "18446744073709551615"),
        ("0.1", "0.1"),
        ("1e-7", "0.0000001"),
        ("26995.13", "26995.13"),
        ("0.123456789012345", "0.123456789012345"),
        ("123456789012.345", "123456789012.345"),
    ] {
        assert_eq!(
            serde_json::from_str::<Plain>(json).unwrap(),
            Plain(decimal(expected)),
            "{json}"
        );
    }
}

#[test]
fn text_keeps_its_scale() {
    let price: Plain = serde_json::from_str(r#""0.10""#).unwrap();
    assert_eq!(serde_json::to_string(&price).unwrap(), r#""0.10""#);
}

#[test]
fn decimal_places_that_do_not_fit_are_cut_off_with_a_note() {
    for (text, expected) in [
        ("0.333333333333333333333333333333", "0.3333333333333333333333333333"),
        ("-0.99999999999999999999999999999", "-0.9999999999999999999999999999"),
        ("0.12345678901234567890123456789", "0.1234567890123456789012345678"),
        ("9234567890.1234567890123456789", "9234567890.123456789012345678"),
        ("79228162514264337593543950335.9", "79228162514264337593543950335"),
        ("7922816251426433759354395033.61", "7922816251426433759354395033"),
        ("33333333333333333333333333333e-30", "0.0333333333333333333333333333"),
        ("1.5000000000000000000000000000001", "1.5000000000000000000000000000"),
    ] {
        let (read, notes) = collect_notes(|| json::from_str::<Plain>(&format!("\"{text}\"")));
        assert_eq!(read.unwrap(), Plain(decimal(expected)), "{text}");
        assert_eq!(notes[..], [Note::TruncatedDecimal], "{text}");
        let exact: Exact = json::from_str(text).unwrap();
        assert_eq!(exact.0, decimal(expected));
        let error = json::from_str_strict::<Plain>(&format!("\"{text}\"")).unwrap_err();
        assert!(error.to_string().contains("more digits"), "not of one's own: {error}");
    }
}

#[test]
fn an_integer_part_is_never_cut_and_no_value_becomes_zero() {
    for json in [
        r#""1e-38""#,
        r#""0.00000000000000000000000000000000000001""#,
        r#""1234567890123456789012345678901""#,
        r#""79228162514264337593543950336.5""#,
        // One more than fits 128 bits: the last digit overflows, not the shift before it.
        r#""170141183460469231731687303715884105728""#,
        "1e-38",
    ] {
        let error = error::<Plain>(json);
        assert!(error.contains("more digits") || error.contains("out of the range"), "{error}");
    }
}

#[test]
fn zeros_at_the_end_may_be_any_number() {
    for (text, expected) in [
        ("1.000000000000000000000000000000", "1"),
        ("5.000000000000000000000000000000", "5"),
        ("123456789.100000000000000000000000000000", "123456789.1"),
        ("0.000000000000000000000000000000", "0"),
        ("0.0000000000000000000000000001000000", "0.0000000000000000000000000001"),
        ("100000000000000000000e-20", "1"),
        ("0e99", "0"),
        ("5.", "5"),
        ("+.5", "0.5"),
        ("1.7E-5", "0.000017"),
        ("1.5e-14", "0.000000000000015"),
    ] {
        let read: Plain = serde_json::from_str(&format!("\"{text}\"")).expect(text);
        assert_eq!(read.0, decimal(expected), "{text}");
    }
}

#[test]
fn junk_is_not_a_decimal() {
    for json in [
        r#""""#,
        r#""-""#,
        r#""abc""#,
        r#""1_000""#,
        r#""1,5""#,
        r#""1.2.3""#,
        r#""0x10""#,
        r#""NaN""#,
        r#""inf""#,
        r#""1e""#,
        r#""e5""#,
        r#""٣""#,
        "null",
        "true",
        "[]",
        "{}",
        r#"{"a":1}"#,
    ] {
        let error = error::<Plain>(json);
        assert!(error.contains("a decimal"), "{json}: {error}");
    }
}

#[test]
fn values_out_of_range_are_errors() {
    for json in
        [r#""99999999999999999999999999999999""#, r#""1e400""#, r#""1e99999999999""#, "1e300"]
    {
        assert!(serde_json::from_str::<Plain>(json).is_err(), "{json}");
    }
}

#[test]
fn a_long_fraction_is_rejected_rather_than_rounded() {
    let error = error::<Plain>("0.12345678901234567");
    assert!(error.contains("more than 15 significant digits"), "{error}");
    assert!(error.contains("decimal_exact"), "{error}");
}

#[test]
fn digits_too_small_for_a_double_are_lost_to_plain_fields_only() {
    let json = "60000.00000000000001";
    let plain: Plain = serde_json::from_str(json).unwrap();
    assert_eq!(plain, Plain(Decimal::from(60_000)));
    let exact: Exact = serde_json::from_str(json).unwrap();
    assert_eq!(exact.0.to_string(), json);
}

#[test]
fn long_input_is_cut_in_errors() {
    let error = error::<Plain>(&format!("\"{}\"", "x".repeat(10_000)));
    assert!(error.len() < 200, "{error}");
}

#[test]
fn every_spelling_of_no_value_is_none() {
    for json in [
        "null",
        r#""""#,
        r#"" ""#,
        r#""-""#,
        r#""NA""#,
        r#""N/A""#,
        r#""market price""#,
        r#""Market""#,
        r#""market""#,
        r#""MARKET PRICE""#,
    ] {
        assert_eq!(serde_json::from_str::<Optional>(json).unwrap(), Optional(None), "{json}");
        assert_eq!(
            serde_json::from_str::<ExactOptional>(json).unwrap(),
            ExactOptional(None),
            "{json}"
        );
    }
}

#[test]
fn zero_is_a_value() {
    for json in [r#""0""#, "0", r#""0.00""#] {
        let zero: Optional = serde_json::from_str(json).unwrap();
        assert_eq!(zero, Optional(Some(Decimal::ZERO)), "{json}");
    }
}

#[test]
fn other_texts_are_not_absent_values() {
    for json in [r#""none""#, r#""market order""#, "false"] {
        assert!(reads_as_none::<Optional>(json), "{json}");
    }
}

#[test]
fn none_is_written_in_the_form_of_the_field() {
    assert_eq!(serde_json::to_value(Optional(None)).unwrap(), json!(""));
    assert_eq!(serde_json::to_value(ExactOptional(None)).unwrap(), json!(null));
    let some = Optional(Some(decimal("1.50")));
    assert_eq!(serde_json::to_value(some).unwrap(), json!("1.50"));
}

#[test]
fn exact_numbers_keep_every_digit() {
    for json in ["0.12345678901234567", "12345678901234567890.12345678", "-0.10", "7"] {
        let exact: Exact = serde_json::from_str(json).unwrap();
        assert_eq!(exact.0, decimal(json));
        assert_eq!(serde_json::to_string(&exact).unwrap(), json);
    }
    let text: Exact = serde_json::from_str(r#""0.5""#).unwrap();
    assert_eq!(text.0, decimal("0.5"));
    let exponent: Exact = serde_json::from_str("1.5e-3").unwrap();
    assert_eq!(exponent.0, decimal("0.0015"));
}

#[test]
fn exact_numbers_reject_junk() {
    for json in ["null", "true", "[1]", "{}", r#""x""#, r#""""#] {
        let error = error::<Exact>(json);
        assert!(error.contains("expected a decimal"), "{json}: {error}");
    }
}

#[test]
fn numbers_with_arbitrary_precision_are_exact() {
    // How `serde_json` hands over numbers when a crate of the build asks it for every digit.
    let number = |digits: &'static str| {
        let entry = ("$serde_json::private::Number", digits);
        MapDeserializer::<_, serde_json::Error>::new(std::iter::once(entry))
    };
    let exact = codec::decimal::deserialize(number("0.12345678901234567")).unwrap();
    assert_eq!(exact, decimal("0.12345678901234567"));
    let id = OrderId::deserialize(number("123456789012345678901234")).unwrap();
    assert_eq!(id, "123456789012345678901234");
    let whole: u32 = codec::number::deserialize(number("42")).unwrap();
    assert_eq!(whole, 42);
    assert!(OrderId::deserialize(number("1.5")).is_err());
}

proptest! {
    #[test]
    fn text_of_28_digits_is_exact(mantissa in -(10_i128.pow(28) - 1)..10_i128.pow(28), scale in 0..=28_u32) {
        let value = Decimal::from_i128_with_scale(mantissa, scale);
        let read: Plain = serde_json::from_value(json!(value.to_string())).unwrap();
        prop_assert_eq!(read.0, value);
        prop_assert_eq!(serde_json::to_value(read).unwrap(), json!(value.to_string()));
    }

    #[test]
    fn numbers_of_15_digits_are_exact(mantissa in -(10_i64.pow(15) - 1)..10_i64.pow(15), scale in 0..=12_u32) {
        let value = Decimal::new(mantissa, scale);
        let read: Plain = serde_json::from_str(&value.to_string()).unwrap();
        prop_assert_eq!(read.0, value);
    }

    #[test]
    fn no_text_makes_a_helper_panic(text in "[0-9eE+._ -]{0,60}|.{0,60}") {
        let json = json!(text);
        let _ = serde_json::from_value::<Plain>(json.clone());
        let _ = serde_json::from_value::<Optional>(json.clone());
        let _ = serde_json::from_value::<Exact>(json);
        let _ = serde_json::from_str::<Plain>(&text);
    }
}

proptest! {
    /// Short texts have a parser of their own.
    #[test]
    fn short_texts_are_read_like_long_texts(text in "-?[0-9]{1,18}(\\.[0-9]{0,18})?|-?[0-9.]{1,6}") {
        let read = json::from_str::<Plain>(&format!("\"{text}\"")).ok().map(|plain| plain.0);
        if let Ok(expected) = Decimal::from_str_exact(&text) {
            prop_assert_eq!(read.map(|decimal| decimal.serialize()), Some(expected.serialize()));
        } else {
            // With places that a decimal has no room for.
            let is_number = text.bytes().any(|byte| byte.is_ascii_digit())
                && text.matches('.').count() == 1;
            let point = text.find('.').unwrap_or(text.len());
            let mut shorter = (point..=text.len()).rev().map(|end| &text[..end]);
            let longest = shorter.find_map(|text| Decimal::from_str_exact(text).ok());
            let is_cut_to_zero = text.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
                && longest.is_some_and(|value| value.is_zero());
            prop_assert_eq!(read, longest.filter(|_| is_number && !is_cut_to_zero));
        }
    }

    /// Digits that fit 64 bits have a formatter of their own.
    #[test]
    fn short_decimals_are_written_like_display(
        mantissa in prop_oneof![Just(0_i128), -1000..1000_i128, (-1_i128 << 65)..1 << 65],
        scale in 0..=28_u32,
        negative: bool,
    ) {
        let mut value = Decimal::from_i128_with_scale(mantissa, scale);
        // Zero has a sign too.
        value.set_sign_negative(negative);
        prop_assert_eq!(serde_json::to_value(Plain(value)).unwrap(), json!(value.to_string()));
        prop_assert_eq!(serde_json::to_value(Optional(Some(value))).unwrap(), json!(value.to_string()));
    }
}

#[test]
fn notes_beyond_the_listed_ones_are_counted() {
    #[derive(serde::Deserialize)]
    struct Row {
        #[serde(default, with = "codec::decimal_opt")]
        value: Option<Decimal>,
    }

    let long = format!("0.{}", "1".repeat(40));
    let rows: Vec<_> = (0..100)
        .map(|at| format!(r#"{{"value":"{}"}}"#, if at % 2 == 0 { "?" } else { &long }))
        .collect();
    let text = format!("[{}]", rows.join(","));
    let decode = || json::from_str::<Vec<Row>>(&text).expect("rows");
    let (rows, notes) = collect_notes(decode);
    assert_eq!(rows.iter().filter(|row| row.value.is_none()).count(), 50);
    assert_eq!((notes.len(), notes.left_out(), notes.total()), (64, 36, 100));
    assert_eq!((notes.unreadable(), notes.truncated_decimals()), (50, 50));
    assert_eq!(notes.iter().filter(|note| **note == Note::TruncatedDecimal).count(), 32);
    let (_, is_found) = find_unreadable(decode);
    let (_, is_found_here) =
        find_unreadable(|| json::from_str::<Row>(r#"{"value":"-"}"#).map(drop));
    assert!(is_found && !is_found_here);
}
