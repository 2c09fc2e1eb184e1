//! Structs that are arrays on the wire.

use bitmart_types::{Decimal, OrderId, Timestamp, codec, json, positional};

positional! {
    /// A candle.
    pub struct Kline {
        /// When it begins.
        pub open_time: Timestamp as codec::seconds_text,
        /// First price.
        pub open: Decimal as codec::decimal,
        /// Last price, absent while nothing was traded.
        pub close: Option<Decimal> as codec::decimal_opt,
        /// An id, read by its own type.
        pub id: OrderId,
    }
}

positional! {
    /// One level of a book; its name is that of a helper inside of the macro.
    #[derive(Eq)]
    pub struct Row {
        pub(crate) price: Decimal as codec::decimal,
        pub(crate) size: Decimal as codec::decimal,
    }
}

#[derive(Debug, serde::Deserialize)]
struct Book {
    bids: Vec<Row>,
}

#[test]
fn a_row_becomes_a_struct_and_a_row_again() {
    let json = r#"["1692245338","26995.13","",17]"#;
    let kline: Kline = serde_json::from_str(json).unwrap();
    assert_eq!(kline.open_time, Timestamp::from_secs(1_692_245_338));
    assert_eq!(kline.open, "26995.13".parse().unwrap());
    assert_eq!(kline.close, None);
    assert_eq!(kline.id.as_str(), "17");
    assert_eq!(serde_json::to_string(&kline).unwrap(), r#"["1692245338","26995.13","","17"]"#);
}

#[test]
fn columns_that_were_added_later_are_ignored() {
    let json = r#"["1700000000","2","3","4","5",{"six":[7]},null]"#;
    let kline: Kline = serde_json::from_str(json).unwrap();
    assert_eq!(kline.close, Some(Decimal::from(3)));
}

#[test]
fn a_missing_column_is_none_beside_a_number_with_many_digits() {
    positional! {
        /// A level.
        struct Level {
            price: Decimal as codec::decimal,
            size: Decimal as codec::decimal,
            total: Option<Decimal> as codec::decimal_opt,
        }
    }

    let level: Level = json::from_str("[88000.12345678912,5]").unwrap();
    assert_eq!(level.price, "88000.12345678912".parse().unwrap());
    assert_eq!((level.size, level.total), (Decimal::from(5), None));
    assert!(json::from_str::<Level>("[88000.12345678912]").is_err());
}

#[test]
fn a_short_row_is_an_error_that_names_the_missing_column() {
    for (json, message) in [
        ("[]", "row has 0 of 4 columns, missing `open_time`"),
        (r#"["1700000000"]"#, "row has 1 of 4 columns, missing `open`"),
        (r#"["1700000000","2"]"#, "row has 2 of 4 columns, missing `close`"),
        (r#"["1700000000","2","3"]"#, "row has 3 of 4 columns, missing `id`"),
    ] {
        let error = serde_json::from_str::<Kline>(json).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn optional_columns_at_the_end_may_be_absent() {
    positional! {
        /// A row that has grown.
        pub struct Grown {
            /// Always present.
            pub price: Decimal as codec::decimal,
            /// Added later.
            pub size: Option<Decimal> as codec::decimal_opt,
            /// Added after that.
            pub name: Option<String>,
        }
    }
    for json in [r#"["1"]"#, r#"["1",""]"#, r#"["1","",null]"#] {
        let row: Grown = serde_json::from_str(json).unwrap();
        assert_eq!((row.price, row.size, row.name), (Decimal::ONE, None, None), "{json}");
    }
    let error = serde_json::from_str::<Grown>("[]").unwrap_err();
    assert!(error.to_string().contains("missing `price`"), "{error}");
}

#[test]
fn a_bad_column_is_an_error_of_its_helper() {
    let error = serde_json::from_str::<Kline>(r#"["1700000000","x","3","4"]"#).unwrap_err();
    assert!(error.to_string().contains(r#"expected a decimal, got "x""#));
}

#[test]
fn an_object_is_not_a_row() {
    let error = serde_json::from_str::<Kline>("{}").unwrap_err();
    assert!(error.to_string().contains("a row of 4 columns"), "{error}");
}

#[test]
fn rows_can_be_nested() {
    let book: Book = serde_json::from_str(r#"{"bids":[["1","2"],["3","4","extra"]]}"#).unwrap();
    assert_eq!(book.bids.len(), 2);
    assert_eq!(book.bids[1].size, Decimal::from(4));
    assert_eq!(book.bids[0].price, Decimal::ONE);
}
