//! Lists with bad rows, and other tolerated input.

use bitmart_types::{
    Decimal, Note, Notes, Rows, codec, collect_notes, json, positional, show_faults,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    #[serde(rename = "avg_price", alias = "price_avg", with = "codec::decimal_opt", default)]
    price: Option<Decimal>,
    #[serde(default)]
    fills: Rows<Level>,
}

positional! {
    /// A level.
    pub struct Level {
        /// Price.
        pub price: Decimal as codec::decimal,
        /// Size.
        pub size: Decimal as codec::decimal,
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Page {
    total: u32,
    orders: Rows<Order>,
    #[serde(with = "codec::object_opt", default)]
    last: Option<Order>,
}

/// Decodes with `json::from_str` and `serde_json`, which must agree.
fn decode<T: DeserializeOwned + PartialEq + std::fmt::Debug>(text: &str) -> (T, Notes) {
    let (fast, notes) = collect_notes(|| json::from_str::<T>(text));
    let (direct, direct_notes) = collect_notes(|| serde_json::from_str::<T>(text));
    let fast = fast.unwrap_or_else(|error| panic!("{text}: {error}"));
    if let Ok(direct) = direct {
        assert_eq!((&fast, &notes), (&direct, &direct_notes), "{text}");
    }
    (fast, notes)
}

fn ids(page: &Page) -> Vec<u64> {
    page.orders.iter().map(|order| order.id).collect()
}

#[test]
fn a_malformed_row_does_not_affect_other_rows() {
    let (page, notes) = decode::<Page>(
        r#"{"total":4,"orders":[{"id":1},{"id":"x","avg_price":"NaN"},null,7,{"id":4,"avg_price":"5"}]}"#,
    );
    assert_eq!(ids(&page), [1, 4]);
    let faults: Vec<_> =
        page.orders.faults().iter().map(|fault| (fault.index, fault.path.as_str())).collect();
    assert_eq!(faults, [(1, "id"), (2, ""), (3, "")]);
    assert_eq!(page.orders.faults()[0].raw, r#"{"id":"x","avg_price":"NaN"}"#);
    assert_eq!(page.orders.faults()[1].to_string(), "row 2: expected a row, got null");
    assert_eq!(notes[..], [1, 2, 3].map(|index| Note::FaultyRow { index }));
}

#[test]
fn a_malformed_nested_row_does_not_affect_its_parent() {
    let (page, _) = decode::<Page>(
        r#"{"total":1,"orders":[{"id":1,"fills":[["1","2"],["x","2"],["3"]]},{"id":2,"fills":{"a":1}}]}"#,
    );
    assert_eq!(ids(&page), [1, 2]);
    assert_eq!(page.orders[0].fills.len(), 1);
    let paths: Vec<_> =
        page.orders[0].fills.faults().iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(paths, ["[0]", ""]);
    assert_eq!(page.orders[1].fills.faults()[0].reason, "expected a list");
    assert!(!page.orders[1].fills.is_complete());
}

#[test]
fn null_is_an_empty_list_and_other_json_a_fault_or_an_error() {
    for nothing in ["null", r#""""#, r#""-""#, "{}", "{ }"] {
        let (page, notes) = decode::<Page>(&format!(r#"{{"total":1,"orders":{nothing}}}"#));
        assert!(page.orders.is_empty() && page.orders.is_complete(), "{nothing}");
        assert_eq!(notes[..], []);
    }
    for other in [r#"{"a":1}"#, "7", r#""x""#, "true"] {
        let (page, _) = decode::<Page>(&format!(r#"{{"total":1,"orders":{other}}}"#));
        assert_eq!(page.orders.faults().len(), 1, "{other}");
        assert_eq!(page.orders.faults()[0].raw, other);
        assert!(json::from_str::<Rows<Order>>(other).is_err(), "the whole text: {other}");
    }
}

#[test]
fn a_list_that_is_the_whole_text_may_be_in_a_member_or_a_single_row() {
    let read = |text: &str| json::from_str::<Rows<Order>>(text);
    let ids =
        |text: &str| -> Vec<u64> { read(text).expect(text).iter().map(|order| order.id).collect() };
    assert_eq!(ids(r#"{"list":[{"id":1},{"id":2}]}"#), [1, 2]);
    assert_eq!(ids(r#"{"total":2,"list":[{"id":1},{"id":2}]}"#), [1, 2]);
    assert_eq!(ids(r#"{"orders":[{"id":1},{"id":2}]}"#), [1, 2]);
    assert_eq!(ids(r#"{"id":1}"#), [1]);
    assert_eq!(ids(r#"{"id":1,"new":[7]}"#), [1]);
    assert_eq!(ids(r#"{"total":0,"list":null}"#), [0_u64; 0]);
    assert_eq!(ids("{}"), [0_u64; 0]);
    let faulty = read(r#"{"list":[{"id":"x"},{"id":2}]}"#).expect("a list");
    assert_eq!((faulty.len(), faulty.faults()[0].index), (1, 0));
    // An empty list beside a count, or of another name, may hide rows.
    for other in [
        r#"{"total":1,"orders":[{"id":1}]}"#,
        r#"{"name":1}"#,
        r#"{"list":"x"}"#,
        r#"{"total":1,"list":[]}"#,
        r#"{"rowCount":"2","list":null}"#,
        r#"{"errors":[]}"#,
    ] {
        assert!(read(other).is_err(), "{other}");
    }
    // Within other data a member is what it is.
    let (page, _) = decode::<Page>(r#"{"total":1,"orders":{"list":[{"id":1}]}}"#);
    assert_eq!(page.orders.faults().len(), 1);
}

#[test]
fn an_error_in_a_row_has_its_path() {
    let text = r#"{"total":"x","orders":[{"name":1}]}"#;
    let error = json::from_str::<Page>(text).unwrap_err();
    assert_eq!(json::path_at("data", text, error.line(), error.column()), "data.total");
}

#[test]
fn an_unreadable_nested_object_is_none() {
    let (page, notes) = decode::<Page>(r#"{"total":1,"orders":[],"last":{"id":{},"fills":[7]}}"#);
    assert_eq!(page.last, None);
    assert_eq!(notes[..], [Note::Unreadable { expected: "an object or a list" }]);
}

#[test]
fn the_last_non_null_value_of_a_repeated_member_counts() {
    let price = |members: &str| {
        let text = format!(r#"{{"total":1,"orders":[{{"id":1,{members}}},{{"id":2}}]}}"#);
        let (page, notes) = decode::<Page>(&text);
        assert_eq!(ids(&page), [1, 2], "{members}");
        assert_eq!(notes[..], [Note::RepeatedMember], "{members}");
        page.orders[0].price.map(|price| price.to_string())
    };
    for members in [
        r#""avg_price":"1","avg_price":"2""#,
        r#""avg_price":"2","avg_price":null"#,
        r#""avg_price":"2","price_avg":"1""#,
        r#""price_avg":"1","avg_price":"2""#,
        r#""price_avg":"2","avg_price":null"#,
        r#""avg_price":null,"price_avg":"2""#,
        r#""price_avg":"1","x":"\"{","price_avg":"2""#,
    ] {
        assert_eq!(price(members).as_deref(), Some("2"), "{members}");
    }
    // Around the rows, and with several at once.
    let text = r#"{"total":1,"total":2,"orders":null,"orders":[{"id":1,"id":3}],"total":4}"#;
    let (page, notes) = collect_notes(|| json::from_str::<Page>(text).unwrap());
    assert_eq!((page.total, ids(&page)), (4, vec![3]));
    assert!(notes.contains(&Note::RepeatedMember));
}

#[test]
fn unreadable_scalars_are_absent_values() {
    for value in ["1e999", "-1E+999", r#""\ud800""#, r#""\ud800\u0041""#] {
        let text =
            format!(r#"{{"total":1,"orders":[{{"id":1,"avg_price":{value}}}],"x":[{value}]}}"#);
        let (page, notes) = decode::<Page>(&text);
        assert_eq!(page.orders[0].price, None, "{value}");
        assert!(matches!(notes[..], [Note::Unreadable { .. }]), "{value}: {notes:?}");
        let (page, _) = decode::<Page>(&format!(r#"{{"total":1,"orders":[{{"id":{value}}}]}}"#));
        assert_eq!(page.orders.faults().len(), 1, "{value}");
    }
}

#[test]
fn faults_show_no_values_and_raw_text_is_bounded() {
    let long = "CANARY".repeat(10_000);
    let (page, _) =
        decode::<Page>(&format!(r#"{{"total":1,"orders":[{{"id":"{long}"}},"CANARY"]}}"#));
    let shown = format!("{page:?} {}", page.orders.faults()[0]);
    assert!(!shown.contains("CANARY"), "{shown}");
    assert_eq!(page.orders.faults()[0].raw.len(), 4096);
}

#[test]
fn a_list_of_another_form_is_an_error_and_not_a_million_faults() {
    let junk = format!(r#"{{"total":1,"orders":[{}1]}}"#, "1,".repeat(10_000));
    assert!(json::from_str::<Page>(&junk).is_err());
}

#[test]
fn strict_decoding_rejects_every_fault() {
    for text in [
        r#"{"total":1,"orders":[{"id":"x"}]}"#,
        r#"{"total":1,"orders":[{"id":1,"avg_price":"NaN"}]}"#,
        r#"{"total":1,"orders":[null]}"#,
        r#"{"total":1,"orders":[],"last":{}}"#,
        r#"{"total":1,"total":1,"orders":[]}"#,
    ] {
        assert!(json::from_str_strict::<Page>(text).is_err(), "{text}");
        // The mode ends with each call.
        assert!(json::from_str_strict::<Page>(r#"{"total":1,"orders":[]}"#).is_ok());
    }
}

#[test]
fn a_panic_resets_the_decoding_mode() {
    struct Panics;
    impl<'de> Deserialize<'de> for Panics {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("as asked")
        }
    }
    let panicked = std::panic::catch_unwind(|| json::from_str_strict::<Panics>("1").is_ok());
    assert!(panicked.is_err());
    assert!(serde_json::from_str::<Page>(r#"{"total":1,"orders":[{"id":"x"}]}"#).is_ok());
}

#[test]
fn faults_are_serialized_only_within_show_faults() {
    let rows: Rows<u8> = json::from_str("[300,1,null,301,2,302]").unwrap();
    assert_eq!(serde_json::to_string(&rows).unwrap(), "[1,2]");
    let shown = show_faults(|| serde_json::to_value(&rows)).unwrap();
    let is_fault: Vec<bool> =
        shown.as_array().unwrap().iter().map(serde_json::Value::is_object).collect();
    assert_eq!(is_fault, [true, false, true, true, false, true]);
}

#[test]
fn rows_work_like_a_list() {
    let rows: Rows<u8> = (1..4).collect();
    assert_eq!(rows, [1, 2, 3]);
    assert_eq!(rows, vec![1, 2, 3]);
    assert_eq!(Rows::from(vec![1, 2, 3]), rows);
    assert_eq!(rows.iter().sum::<u8>() + (&rows).into_iter().sum::<u8>(), 12);
    assert_eq!(format!("{rows:?}"), "[1, 2, 3]");
    assert_eq!(rows.into_vec(), [1, 2, 3]);
    assert!(Rows::<u8>::default().is_complete());
}
