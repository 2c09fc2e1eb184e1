//! Helpers of integers, flags, text, times and ids: documented forms, other observed forms and invalid
//! values.

use bitmart_types::{
    ClientOrderId, Note, OrderId, Side, Timestamp, codec, collect_notes, json, open_int_enum,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::fmt::Debug;

macro_rules! field {
    ($name:ident, $type:ty, $helper:literal) => {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        #[serde(transparent)]
        struct $name(#[serde(with = $helper)] $type);
    };
}

field!(Number, u32, "codec::number");
field!(NumberOpt, Option<i64>, "codec::number_opt");
field!(NumberText, u64, "codec::number_text");
field!(NumberTextOpt, Option<u64>, "codec::number_text_opt");
field!(Flag, bool, "codec::flag");
field!(FlagText, bool, "codec::flag_text");
field!(Boolean, bool, "codec::boolean");
field!(BooleanOpt, Option<bool>, "codec::boolean_opt");
field!(IdNumber, OrderId, "codec::id_number");
field!(State, Code, "codec::text");
field!(Text, String, "codec::text");
field!(TextOpt, Option<String>, "codec::text_opt");
field!(IdOpt, Option<ClientOrderId>, "codec::text_opt");
field!(StateOpt, Option<Code>, "codec::text_opt");
field!(Millis, Timestamp, "codec::millis");
field!(MillisOpt, Option<Timestamp>, "codec::millis_opt");
field!(MillisText, Timestamp, "codec::millis_text");
field!(MillisTextOpt, Option<Timestamp>, "codec::millis_text_opt");
field!(Seconds, Timestamp, "codec::seconds");
field!(SecondsOpt, Option<Timestamp>, "codec::seconds_opt");
field!(SecondsText, Timestamp, "codec::seconds_text");
field!(SecondsTextOpt, Option<Timestamp>, "codec::seconds_text_opt");
field!(Date, Timestamp, "codec::rfc3339");
field!(DateOpt, Option<Timestamp>, "codec::rfc3339_opt");
field!(FlagOpt, Option<bool>, "codec::flag_opt");
field!(FlagTextOpt, Option<bool>, "codec::flag_text_opt");
field!(SideOpt, Option<Side>, "codec::opt");
field!(ObjectOpt, Option<Pair>, "codec::object_opt");

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Pair {
    a: u8,
}

open_int_enum! {
    /// A numbered state.
    enum Code {
        /// One.
        One = 1,
        /// Two.
        Two = 2 | "active",
    }
}

const MOMENT: Timestamp = Timestamp::from_millis(1_692_245_338_000);

/// Checks that each form reads as `value`, and that `value` is written in the first form.
#[track_caller]
fn reads<T: DeserializeOwned + Serialize + PartialEq + Debug>(value: &T, forms: &[Value]) {
    for form in forms {
        let read = serde_json::from_str::<T>(&form.to_string());
        assert_eq!(read.as_ref().ok(), Some(value), "{form}: {read:?}");
    }
    assert_eq!(serde_json::to_value(value).ok().as_ref(), forms.first());
}

#[track_caller]
fn rejects<T: DeserializeOwned + Debug>(forms: &[Value]) {
    for form in forms {
        let read = serde_json::from_str::<T>(&form.to_string());
        assert!(read.is_err(), "{form}: {read:?}");
    }
}

/// Checks that each form reads as no value, with a note, and is an error in strict decoding.
#[track_caller]
fn reads_none<T: DeserializeOwned + Serialize + Debug>(forms: &[Value]) {
    for form in forms {
        let text = form.to_string();
        let (read, notes) = collect_notes(|| serde_json::from_str::<T>(&text));
        let written = serde_json::to_value(read.expect("no error")).expect("JSON");
        assert!([json!(null), json!(""), json!(0)].contains(&written), "{form}: {written}");
        assert!(matches!(notes[..], [Note::Unreadable { .. }]), "{form}: {notes:?}");
        assert!(json::from_str_strict::<T>(&text).is_err(), "{form}");
    }
}

#[test]
fn every_form_of_an_integer_is_read() {
    let forms = [json!(42), json!("42"), json!(" 42 "), json!("42.00")];
    reads(&Number(42), &forms);
    reads(&Number(42), &[json!(42), json!(42.0), json!("+42")]);
    reads(&NumberOpt(Some(-1)), &[json!(-1), json!("-1")]);
    reads(&NumberText(7), &[json!("7"), json!(7)]);
    let max = u64::MAX;
    reads(&NumberText(max), &[json!(max.to_string()), json!(max)]);
    let none = [json!(null), json!(""), json!("-"), json!("NA")];
    reads(&NumberOpt(None), &none);
    reads(&NumberTextOpt(None), &[json!(""), json!(null)]);
    reads(&NumberTextOpt(Some(0)), &[json!("0"), json!(0)]);
}

#[test]
fn integers_out_of_range_or_shape_are_errors() {
    let junk = [json!("x"), json!("1.5"), json!(1.5), json!(true), json!([])];
    rejects::<Number>(&junk);
    reads_none::<NumberOpt>(&junk);
    reads_none::<NumberTextOpt>(&[json!(-1)]);
    rejects::<Number>(&[json!(-1), json!(1_u64 << 32), json!(""), json!(null)]);
    let error = serde_json::from_str::<Number>("-1").unwrap_err();
    assert!(error.to_string().contains("out of range for this field"));
    let error = serde_json::from_str::<Number>("1.5").unwrap_err();
    assert!(error.to_string().contains("it has a fraction"));
}

#[test]
fn every_form_of_a_flag_is_read() {
    let yes = [json!(1), json!("1"), json!(true), json!("true"), json!("TRUE")];
    reads(&Flag(true), &yes);
    reads(&Flag(false), &[json!(0), json!("0"), json!(false), json!("False")]);
    reads(&FlagText(true), &[json!("1"), json!(1)]);
    reads(&FlagText(false), &[json!("0"), json!(false)]);
    reads(&Boolean(true), &[json!(true), json!("true"), json!("1")]);
    reads(&BooleanOpt(Some(false)), &[json!(false), json!("false"), json!(0)]);
    reads(&BooleanOpt(None), &[json!(null), json!("")]);
    rejects::<Flag>(&[json!(2), json!("yes"), json!(""), json!(null), json!(0.5)]);
    reads_none::<BooleanOpt>(&[json!(2), json!("yes"), json!({})]);
}

#[test]
fn ids_are_written_as_numbers_if_they_are_numeric() {
    let big = OrderId::from("9223372036854775807");
    reads(&IdNumber(big), &[json!(9_223_372_036_854_775_807_i64), json!("9223372036854775807")]);
    // An id with letters cannot be a number.
    reads(&IdNumber(OrderId::from("abc-1")), &[json!("abc-1")]);
    rejects::<IdNumber>(&[json!(1.5), json!(null), json!(true), json!({})]);
}

#[test]
fn numbered_values_are_written_as_text() {
    reads(&State(Code::Two), &[json!("2"), json!(2), json!("active")]);
    reads(&StateOpt(Some(Code::One)), &[json!("1"), json!(1)]);
    reads(&StateOpt(None), &[json!(""), json!(null), json!("-"), json!("NA")]);
}

#[test]
fn empty_text_is_no_value() {
    reads(&TextOpt(None), &[json!(""), json!(" "), json!(null), json!("N/A")]);
    reads(&TextOpt(Some("market".to_owned())), &[json!("market")]);
    let id = ClientOrderId::new("order1").unwrap();
    reads(&IdOpt(Some(id)), &[json!("order1")]);
    reads(&IdOpt(Some("17".parse().unwrap())), &[json!("17"), json!(17)]);
    reads(&IdOpt(None), &[json!(""), json!(null)]);
    reads_none::<TextOpt>(&[json!(true), json!(1.5), json!([]), json!({"a": 1})]);
}

#[test]
fn every_form_of_a_time_is_read() {
    let (millis, seconds) = (MOMENT.as_millis(), MOMENT.as_secs());
    let both = |number: i64| [json!(number), json!(number.to_string())];
    let flipped = |number: i64| [json!(number.to_string()), json!(number)];
    reads(&Millis(MOMENT), &both(millis));
    reads(&MillisOpt(Some(MOMENT)), &both(millis));
    reads(&MillisText(MOMENT), &flipped(millis));
    reads(&MillisTextOpt(Some(MOMENT)), &flipped(millis));
    reads(&Seconds(MOMENT), &both(seconds));
    reads(&SecondsOpt(Some(MOMENT)), &both(seconds));
    reads(&SecondsText(MOMENT), &flipped(seconds));
    reads(&SecondsTextOpt(Some(MOMENT)), &flipped(seconds));
}

#[test]
fn zero_and_empty_times_are_no_value() {
    let never =
        [json!(0), json!("0"), json!(""), json!(null), json!("-"), json!("0.0"), json!(0.0)];
    reads(&MillisOpt(None), &never);
    reads(&SecondsOpt(None), &never);
    let never = [json!(""), json!("0"), json!(0), json!(null), json!("NA")];
    reads(&MillisTextOpt(None), &never);
    reads(&SecondsTextOpt(None), &never);
    reads(&DateOpt(None), &[json!(""), json!("0001-01-01T00:00:00Z"), json!(0)]);
}

#[test]
fn the_magnitude_determines_the_unit_of_a_time_in_every_form() {
    let noted = |json: &Value, found: &'static str| {
        let (read, notes) = collect_notes(|| serde_json::from_value::<MillisOpt>(json.clone()));
        assert_eq!(read.unwrap(), MillisOpt(Some(MOMENT)), "{json}");
        assert_eq!(notes[..], [Note::OtherUnit { described: "milliseconds", found }], "{json}");
    };
    let seconds = MOMENT.as_secs();
    noted(&json!(seconds), "seconds");
    noted(&json!(seconds.to_string()), "seconds");
    noted(&json!(format!("{seconds}.0")), "seconds");
    noted(&json!(seconds * 1_000_000), "microseconds");
    noted(&json!((seconds * 1_000_000_000).to_string()), "nanoseconds");
    noted(&json!("2023-08-17T04:08:58Z"), "a date");
    let read: Seconds = serde_json::from_value(json!("1717737574.061")).unwrap();
    assert_eq!(read.0.as_millis(), 1_717_737_574_061);
    let read: Millis = serde_json::from_value(json!(1_717_737_574_061.0)).unwrap();
    assert_eq!(read.0.as_millis(), 1_717_737_574_061);
}

#[test]
fn junk_times_are_errors() {
    let junk = [
        json!("soon"),
        json!(1.5),
        json!(true),
        json!([]),
        json!({"a": 1}),
        json!(-1),
        json!(1_420_070_399),
        json!(4_102_444_800_i64),
        json!(4_102_444_800_000_i64),
        json!(u64::MAX),
        json!("2014-12-31T23:59:59Z"),
    ];
    rejects::<Millis>(&junk);
    rejects::<Seconds>(&junk);
    rejects::<Date>(&junk);
    rejects::<Millis>(&[json!(""), json!(null), json!(0), json!("0")]);
    reads_none::<MillisOpt>(&junk);
    reads_none::<SecondsTextOpt>(&junk);
    reads_none::<DateOpt>(&junk);
}

#[test]
fn optional_flags_enumerations_and_objects_are_read() {
    reads(&FlagOpt(Some(true)), &[json!(1), json!("1"), json!(true)]);
    reads(&FlagOpt(None), &[json!(null), json!(""), json!("-")]);
    reads(&FlagTextOpt(Some(false)), &[json!("0"), json!(0)]);
    reads(&FlagTextOpt(None), &[json!(""), json!(null)]);
    reads(&SideOpt(Some(Side::Buy)), &[json!("buy")]);
    reads(&SideOpt(None), &[json!(null), json!(""), json!("-")]);
    reads(&ObjectOpt(Some(Pair { a: 1 })), &[json!({"a": 1})]);
    reads(&ObjectOpt(None), &[json!(null), json!(""), json!("-")]);
    reads_none::<FlagOpt>(&[json!(2), json!([]), json!("yes")]);
    reads_none::<SideOpt>(&[json!({}), json!([1]), json!(1.5)]);
    let junk = [json!({}), json!({"a": []}), json!(7), json!("x"), json!(["x", "y"])];
    reads_none::<ObjectOpt>(&junk);
}

#[test]
fn dates_are_read_and_written() {
    let time = Timestamp::from_millis(1_677_225_251_124);
    let forms = [
        json!("2023-02-24T07:54:11.124Z"),
        json!("2023-02-24T07:54:11.124940968Z"),
        json!(1_677_225_251_124_i64),
        json!("1677225251124"),
    ];
    reads(&Date(time), &forms);
    rejects::<Date>(&[
        json!("2023-02-24"),
        json!("Tuesday"),
        json!(null),
        json!("2023-02-30T00:00:00Z"),
    ]);
}

#[test]
fn absent_fields_are_none_with_a_default() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Order {
        #[serde(with = "codec::text_opt", default)]
        client_id: Option<ClientOrderId>,
        #[serde(with = "codec::millis_opt", default, skip_serializing_if = "Option::is_none")]
        expiry: Option<Timestamp>,
    }
    let order: Order = serde_json::from_str("{}").unwrap();
    assert_eq!(serde_json::to_value(&order).unwrap(), json!({"client_id": ""}));
}

#[test]
fn values_round_trip_through_a_json_value() {
    // Decoding from a `Value` instead of text takes other paths of the format.
    let number: Number = serde_json::from_value(json!("42")).unwrap();
    assert_eq!(number, Number(42));
    let id: IdOpt = serde_json::from_value(json!(null)).unwrap();
    assert_eq!(id, IdOpt(None));
}

#[test]
fn text_is_read_from_numbers_too() {
    for (json, expected) in
        [(json!("BTC"), "BTC"), (json!(""), ""), (json!(7), "7"), (json!(-7), "-7")]
    {
        assert_eq!(serde_json::from_value::<Text>(json.clone()).unwrap().0, expected, "{json}");
    }
    let read = serde_json::from_value::<TextOpt>(json!(7)).unwrap();
    assert_eq!(read.0.as_deref(), Some("7"));
    for json in [json!(null), json!(true), json!([]), json!({})] {
        assert!(serde_json::from_value::<Text>(json.clone()).is_err(), "{json}");
    }
}
