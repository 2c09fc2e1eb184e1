//! Which values a recording keeps and which it replaces.

use super::*;

fn redactor() -> Redactor {
    Redactor::new(b"a secret of the test", "account")
}

fn redacted(text: &str) -> String {
    redactor().tree(&Json::parse(text).expect("JSON"), &|_| None).to_string()
}

/// The form of a value: each digit 9, each letter a or A.
fn form(text: &str) -> String {
    let one = |letter: char| match letter {
        '0'..='9' => '9',
        'a'..='z' => 'a',
        'A'..='Z' => 'A',
        other => other,
    };
    text.chars().map(one).collect()
}

#[test]
fn keeps_vocabulary_symbols_and_flags() {
    for text in [
        r#"{"code":1000,"message":"OK","data":{"symbol":"BTC_USDT","side":"buy","state":4}}"#,
        r#"{"errno":"OK","success":true,"data":null}"#,
        r#"{"type":"limit","order_type":"LIMIT_MAKER","openType":"cross","way":"1","status":0}"#,
        r#"{"currency":"1000SHIB","coinName":"USDT-ERC20","network":"TRC20","chain":"BSC_BNB"}"#,
        r#"{"table":"spot/ticker:BTC_USDT","group":"futures/depth5:BTCUSDT@100ms"}"#,
        r#"{"permissions":["Read-only","Spot-Trade"],"moveType":"spot to spot"}"#,
        r#"{"price":"market price","fee":"","last":"-","x":"NaN","note":null,"flag":false}"#,
        r#"{"symbols":["BTC_USDT","ETH_USDT"]}"#,
        r#"{"account":"futures","fromAccount":"main","toWalletType":"future","step":"60","state":"FINISHED"}"#,
        r#"{"type":"Realized PNL","trade_status":"pre-trade","event":"login","method":"POST","page":12}"#,
    ] {
        assert_eq!(redacted(text), text);
    }
}

#[test]
fn replaces_every_other_value_and_keeps_its_form() {
    for (name, value) in [
        ("orderId", r#""1223181""#),
        ("order_id", "220609666322019123"),
        ("clientOrderId", r#""mine-Abc01""#),
        ("trace", r#""886fb6ae-456b-4654-b4e0-d681ac05cea1.76.1692""#),
        ("address", r#""0x52908400098527886E0F7030069857D2E4169EE7""#),
        ("address", r#""bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq""#),
        ("tx_id", r#""9b8f5e4a3c2d1f0e9b8f5e4a3c2d1f0e""#),
        ("accountName", r#""peter@example.com""#),
        ("name", r#""Peter Example""#),
        ("memo", r#""100200300""#),
        ("access_key_masked", r#""8061****3e56""#),
        ("ip_whitelist", r#""192.168.1.17""#),
        ("cid", "12345"),
        ("price", r#""67123.45""#),
        ("amount", "-12.5"),
        ("never_seen", r#""Some Thing 7""#),
        // Known names with values that do not look like theirs.
        ("side", r#""peter@example.com""#),
        ("type", r#""12345678""#),
        ("symbol", r#""peter""#),
        ("network", r#""0x52908400098527886E0F7030069857D2E4169EE7""#),
        ("code", r#""peter@example.com""#),
        // Names that people chose for their accounts.
        ("account", r#""JohnSmith""#),
        ("toAccount", r#""mysubuser""#),
        ("fromAccount", r#""Smith John""#),
        ("type", r#""John Smith""#),
        ("state", r#""johnsmith1""#),
        ("page", "1234567"),
    ] {
        let text = format!(r#"{{"{name}":{value}}}"#);
        let got = redacted(&text);
        assert_eq!(form(&got).len(), form(&text).len(), "{got}");
        let (before, after) = (&text[name.len() + 4..], &got[name.len() + 4..]);
        assert_eq!(form(before), form(after), "{name}");
        for (old, new) in before.chars().zip(after.chars()) {
            let is_kept = !old.is_ascii_alphanumeric() || old == '0' || old == 'x';
            assert!(is_kept || old != new, "{name}: {before} became {after}");
        }
    }
}

#[test]
fn amounts_keep_sign_point_zeros_and_the_count_of_digits() {
    for (text, form) in [
        ("0", "0"),
        ("0.00000000", "0.00000000"),
        ("-0.0", "-0.0"),
        ("0.00012300", "0.000###00"),
        ("1200", "##00"),
        ("100.00", "#00.00"),
        ("-12.50", "-##.#0"),
        ("+1.2%", "+#.#%"),
        ("1,234.5", "#,###.#"),
        ("1.5e-7", "#.#e-7"),
        ("1E5", "#E5"),
    ] {
        let got = redactor().amount("size", text);
        assert_eq!(got.len(), form.len(), "{text}: {got}");
        for ((old, new), wanted) in text.chars().zip(got.chars()).zip(form.chars()) {
            match wanted {
                '#' => assert!(new.is_ascii_digit() && new != old, "{text}: {got}"),
                _ => assert_eq!(new, wanted, "{text}: {got}"),
            }
        }
    }
}

#[test]
fn long_numbers_stay_within_their_type() {
    for text in ["18446744073709551615", "9223372036854775807", "1000000000000000001"] {
        let got = redactor().amount("size", text);
        assert!(got.parse::<u64>().is_ok() && got != text, "{got}");
        assert_eq!(got.len(), text.len());
    }
    assert!(redactor().amount("", "9223372036854775807").parse::<i64>().is_ok());
    let most = "79228162514264337593543950335";
    assert!(redactor().amount("", most).parse::<bitmart_types::Decimal>().is_ok());
}

#[test]
fn times_move_by_one_span_in_their_unit() {
    let shift = redactor().shift;
    let ms = 1_690_000_000_123_i64;
    for (text, moved) in [
        (ms.to_string(), (ms - shift).to_string()),
        ("1690000000".to_owned(), (1_690_000_000 - shift / 1000).to_string()),
        ("1690000000.0".to_owned(), format!("{}.0", 1_690_000_000 - shift / 1000)),
        ("1690000000123456".to_owned(), (1_690_000_000_123_456 - shift * 1000).to_string()),
    ] {
        for name in ["createTime", "ts", "ms_t", "created_at", "expire_timestamp", "expiredDate"] {
            let got = redacted(&format!(r#"{{"{name}":{text}}}"#));
            assert_eq!(got, format!(r#"{{"{name}":{moved}}}"#));
            let got = redacted(&format!(r#"{{"{name}":"{text}"}}"#));
            assert_eq!(got, format!(r#"{{"{name}":"{moved}"}}"#));
        }
    }
    assert_eq!(redacted(r#"{"time":0,"ts":"0"}"#), r#"{"time":0,"ts":"0"}"#);
    // What is no time under the name of one is a number like others.
    assert_ne!(redacted(r#"{"time":5}"#), r#"{"time":5}"#);
    // An id of as many digits does not become a time.
    let id = redacted(r#"{"order_id":1690000000123}"#);
    assert_ne!(id, format!(r#"{{"order_id":{}}}"#, ms - shift));
}

#[test]
fn formatted_dates_move_and_keep_their_form() {
    let shift = redactor().shift;
    let moved =
        |at: &str| Timestamp::from_millis(at.parse::<Timestamp>().unwrap().as_millis() - shift);
    let wanted = moved("2024-03-01T12:00:00Z").to_string();
    for (text, separator, rest) in [
        ("2024-03-01T12:00:00Z", "T", "Z"),
        ("2024-03-01 12:00:00", " ", ""),
        ("2024-03-01T12:00:00.123456789Z", "T", ".123456789Z"),
    ] {
        let wanted = wanted[..19].replace('T', separator) + rest;
        assert_eq!(redacted(&format!(r#"{{"x":"{text}"}}"#)), format!(r#"{{"x":"{wanted}"}}"#));
    }
}

#[test]
fn columns_are_named_after_the_api_description() {
    let columns = |path: &str| match path {
        "data[][0]" => Some("symbol"),
        "data[][2]" => Some("side"),
        _ => None,
    };
    let text = r#"{"data":[["BTC_USDT","1690000000123","buy","12.5",7,"buy"]]}"#;
    let got = redactor().tree(&Json::parse(text).unwrap(), &columns).to_string();
    let time = 1_690_000_000_123 - redactor().shift;
    assert!(got.starts_with(&format!(r#"{{"data":[["BTC_USDT","{time}","buy","#)), "{got}");
    assert!(!got.contains("12.5") && !got.ends_with(r#""buy"]]}"#), "{got}");
}

#[test]
fn placeholders_are_equal_within_a_run_and_differ_between_runs() {
    let text = r#"[{"orderId":"1223181"},{"order_id":"1223181"}]"#;
    let tree = Json::parse(text).unwrap();
    let Json::List(rows) = redactor().tree(&tree, &|_| None) else { panic!() };
    let ids: Vec<_> = rows
        .iter()
        .map(|row| match row {
            Json::Object(members) => members[0].1.clone(),
            other => other.clone(),
        })
        .collect();
    assert_eq!(ids[0], ids[1]);
    for other in [
        Redactor::new(b"another secret", "account"),
        Redactor::new(b"a secret of the test", "public"),
    ] {
        assert_ne!(other.tree(&tree, &|_| None), Json::List(rows.clone()));
        assert_ne!(other.shift, redactor().shift);
    }
    assert_ne!(redactor().for_requests().shift, redactor().shift);
    assert_eq!(redactor().for_requests().placeholder("1223181"), redactor().placeholder("1223181"));
}

#[test]
fn placeholders_of_amounts_depend_on_the_member_name() {
    let sizes = ["100.50", "0.0025", "123.4567", "98765.4321"];
    assert!(sizes.iter().any(|size| {
        redactor().amount("min_withdraw", size) != redactor().amount("available", size)
    }));
    let same = redacted(r#"[{"size":"123.4567"},{"size":"123.4567"}]"#);
    let (one, other) = same.split_once("},{").expect("two rows");
    assert_eq!(one.trim_start_matches("[{"), other.trim_end_matches("}]"));
}

#[test]
fn replaces_values_used_as_member_names() {
    let got = redacted(r#"{"peter@example.com":1,"1223181":{"BTC_USDT":{"a_b":true}}}"#);
    assert!(!got.contains("peter") && !got.contains("1223181"), "{got}");
    assert!(got.contains("BTC_USDT") && got.contains("a_b"), "{got}");
}

#[test]
fn messages_keep_words_and_lose_values() {
    let got = redacted(r#"{"message":"Order 1223181 of peter@example.com not found."}"#);
    assert!(got.starts_with(r#"{"message":"Order "#) && got.ends_with(r#" not found."}"#), "{got}");
    assert!(!got.contains("1223181") && !got.contains("peter"), "{got}");
    let got = redacted(r#"{"msg":"see (peter.example) or host:name, please."}"#);
    assert!(got.starts_with(r#"{"msg":"see ("#) && got.ends_with(r#", please."}"#), "{got}");
    assert!(!got.contains("peter") && !got.contains("host"), "{got}");
}
