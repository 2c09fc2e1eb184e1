//! Enumerations that keep unknown values.

use bitmart_types::futures::MarginType;
use bitmart_types::{open_enum, open_int_enum};
use serde_json::json;

open_enum! {
    /// Where margin comes from.
    pub enum Mode {
        /// Shared.
        Cross = "cross" | "Cross" | "1",
        /// Of its own.
        Isolated = "isolated" | "2",
    }
}

open_int_enum! {
    /// The kind of an order.
    pub enum Way {
        /// Opens.
        Open = 1 | "open",
        /// Closes.
        Close = -3,
    }
}

fn read<T: serde::de::DeserializeOwned>(value: &serde_json::Value) -> T {
    serde_json::from_str(&value.to_string()).expect("a word or a number")
}

#[test]
fn all_spellings_of_a_text_are_read() {
    for form in [json!("cross"), json!("Cross"), json!("CROSS"), json!(" cross "), json!(1)] {
        assert_eq!(read::<Mode>(&form), Mode::Cross, "{form}");
    }
    assert_eq!(serde_json::to_value(Mode::Cross).unwrap(), json!("cross"));
}

#[test]
fn all_spellings_of_a_number_are_read() {
    for form in [json!(1), json!("1"), json!("open"), json!("Open"), json!(" 1")] {
        assert_eq!(read::<Way>(&form), Way::Open, "{form}");
    }
    assert_eq!(read::<Way>(&json!(-3)), Way::Close);
    assert_eq!(read::<Way>(&json!("-3")), Way::Close);
    assert_eq!(serde_json::to_value(Way::Close).unwrap(), json!(-3));
}

#[test]
fn unknown_texts_are_preserved() {
    for text in ["portfolio", "", "cros", "Überkreuz"] {
        let mode: Mode = read(&json!(text));
        assert!(!mode.is_known());
        assert_eq!(mode.as_str(), text);
        assert_eq!(serde_json::to_value(&mode).unwrap(), json!(text));
        assert_eq!(format!("{mode}"), text);
        assert_eq!(format!("{mode:?}"), format!("Unknown({text:?})"));
    }
}

#[test]
fn unknown_numbers_and_texts_keep_their_json_form() {
    for form in [json!(17), json!(i64::MIN), json!("paused")] {
        let way: Way = read(&form);
        assert!(!way.is_known());
        assert_eq!(serde_json::to_value(&way).unwrap(), form);
    }
    assert_eq!(read::<Way>(&json!(17)), Way::from(17));
    assert_eq!(read::<Way>(&json!("17")).as_number(), Some(17));
    assert_eq!(read::<Way>(&json!("paused")).as_number(), None);
}

#[test]
fn neither_text_nor_number_is_an_error() {
    for json in ["null", "1.5", "[]", "{}", r#"{"a":1}"#] {
        assert!(serde_json::from_str::<Mode>(json).is_err(), "{json}");
        assert!(serde_json::from_str::<Way>(json).is_err(), "{json}");
    }
}

#[test]
fn a_known_spelling_never_becomes_unknown() {
    for mode in Mode::KNOWN {
        assert_eq!(&Mode::from(mode.as_str()), mode);
        assert_eq!(mode.as_str().parse(), Ok(mode.clone()));
    }
    for way in Way::KNOWN {
        assert_eq!(&Way::from(way.as_str()), way);
        assert_eq!(way.as_number().map(Way::from).as_ref(), Some(way));
    }
}

#[test]
fn display_is_the_wire_form() {
    assert_eq!(Mode::Isolated.to_string(), "isolated");
    assert_eq!(Way::Close.to_string(), "-3");
    assert_eq!(format!("[{:>5}]", Way::Open), "[    1]");
}

#[test]
fn numbered_margin_types_match_the_documentation() {
    assert_eq!(read::<MarginType>(&json!(1)), MarginType::Isolated);
    assert_eq!(read::<MarginType>(&json!(2)), MarginType::Cross);
    assert_eq!(read::<MarginType>(&json!("Cross")), MarginType::Cross);
}
