//! The name of a frame, its `"table"` or `"group"`: examples, any text, and agreement with a complete parser.

use proptest::prelude::{any, prop_assert_eq, proptest};

use super::frame_name;

#[test]
fn finds_the_name_at_any_position() {
    let table = [
        (r#"{"table":"spot/ticker","data":[{"x":"1"}]}"#, "spot/ticker"),
        (r#"{"data":[{"x":"1"}],"table":"spot/ticker"}"#, "spot/ticker"),
        (r#"{"data":[{"x":"1"}],"table":"spot/ticker","more":{"a":[1,2]}}"#, "spot/ticker"),
        (r#"{"group":"futures/ticker","data":{}}"#, "futures/ticker"),
        (
            r#"{"data":{},"group":"futures/depthIncrease20:BTCUSDT@200ms"}"#,
            "futures/depthIncrease20:BTCUSDT@200ms",
        ),
        (" { \"data\" : null , \"n\" : -1.5e3 , \"group\" : \"System\" } \n", "System"),
        (" { \"group\" : \"System\" , \"data\" : true } ", "System"),
        (
            r#"{"action":"subscribe","group":"futures/order","success":true,"request":{"args":["a"]}}"#,
            "futures/order",
        ),
    ];
    for (frame, expected) in table {
        assert_eq!(frame_name(frame), Some(expected), "{frame}");
    }
}

#[test]
fn ignores_nested_and_quoted_keys() {
    // A name at the end of the frame is found without a scan. `"n":1` behind it makes a scan necessary.
    let table = [
        (r#"{"data":{"table":"inner"},"table":"outer","n":1}"#, Some("outer")),
        (r#"{"data":{"table":"inner"}}"#, None),
        (r#"{"data":[{"group":"inner"}],"n":1}"#, None),
        (r#"{"a":"\"table\":\"fake\"","table":"real","n":1}"#, Some("real")),
        (r#"{"a":"x,\"table\":\"fake"}"#, None),
        (r#"{"a":"\\","table":"real"}"#, Some("real")),
        (r#"{"a\",\"table":"fake"}"#, None),
        (r#"{"a":["]","}","\\\""],"group":"real","n":1}"#, Some("real")),
        (r#"{"a":"table","table":"real","n":1}"#, Some("real")),
        (r#"{"xtable":"fake"}"#, None),
        (r#"{"a":1}"#, None),
    ];
    for (frame, expected) in table {
        assert_eq!(frame_name(frame), expected, "{frame}");
    }
}

#[test]
fn a_frame_without_a_plain_text_name_has_none() {
    let frames = [
        r#"{"table":{"x":"y"}}"#,
        r#"{"table":null}"#,
        r#"{"table":7,"n":1}"#,
        r#"{"table":"spot\/ticker"}"#,
        r#"["table","x"]"#,
        "pong",
        "",
        "{",
        r#"{"table"#,
        r#"{"table":""#,
        r#"{"a":"\"#,
        r#"{"a":]"#,
    ];
    for frame in frames {
        assert_eq!(frame_name(frame), None, "{frame}");
    }
}

proptest! {
    #[test]
    fn any_text_is_scanned_without_panic(text in any::<String>()) {
        frame_name(&text);
    }

    #[test]
    fn any_json_like_text_is_scanned_without_panic(text in r#"([{}\[\]",:\\a ]|table|group){0,60}"#) {
        frame_name(&text);
    }

    #[test]
    fn agrees_with_a_full_parse(
        keys in proptest::collection::vec(r#"(table|group|data|[a",\\{}]{0,4})"#, 0..4),
        values in proptest::collection::vec(any::<u8>(), 4),
        text in r#"[a-z/",:\\{}]{0,12}"#,
    ) {
        let mut object = serde_json::Map::new();
        for (key, kind) in keys.iter().zip(values) {
            // Which of two names counts is not defined.
            if matches!(key.as_str(), "table" | "group") && object.keys().any(|k| k == "table" || k == "group") {
                continue;
            }
            let value = match kind % 4 {
                0 => serde_json::json!(text),
                1 => serde_json::json!([{"table": text, "x": [text]}]),
                2 => serde_json::json!({"group": text}),
                _ => serde_json::json!(1.5),
            };
            object.insert(key.clone(), value);
        }
        let expected = object
            .iter()
            .find(|(key, _)| matches!(key.as_str(), "table" | "group"))
            .and_then(|(_, value)| value.as_str())
            // A name that is written with escapes is not returned.
            .filter(|value| !value.contains(['\\', '"']));
        let frame = serde_json::to_string(&object).expect("maps encode");
        prop_assert_eq!(frame_name(&frame), expected);
    }
}
