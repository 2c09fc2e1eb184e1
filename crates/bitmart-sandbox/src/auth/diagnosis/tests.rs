use super::{
    super::signature::{hex, mac_of},
    *,
};

const TIME: &str = "1700000000000";
const SENT: &str = r#"{"symbol":"BTC_USDT","size":100}"#;

fn key() -> ApiKey {
    ApiKey::new("4b1d", "0a5ec7e7", "my memo")
}

fn signed(secret: &str, message: &str) -> String {
    hex(&mac_of(secret.as_bytes(), &[message.as_bytes()]).expect("any secret signs"))
}

fn reason(sign: &str, location: Location) -> String {
    let key = key();
    let others = [Arc::new(key.clone()), Arc::new(ApiKey::new("other", "theirs", "their memo"))];
    let body = if location == Location::Login { LOGIN_BODY } else { SENT.as_bytes() };
    let reason = wrong_signature(&Attempt {
        key: &key,
        others: &others,
        timestamp: TIME,
        body,
        sign,
        location,
    });
    for hidden in [&*key.secret, &*key.memo, "theirs", "their memo", sign] {
        assert!(!reason.contains(hidden), "{reason}");
    }
    reason
}

#[test]
fn the_reason_of_a_wrong_signature_names_the_mistake() {
    for (secret, message, expected) in [
        ("0a5ec7e7", format!("{TIME}##{SENT}"), "an empty memo"),
        ("0a5ec7e7", format!("{TIME}#{SENT}"), "without the memo"),
        ("0a5ec7e7", format!("{TIME}{SENT}"), "without memo and #"),
        ("0a5ec7e7", format!("{TIME}#my memo #{SENT}"), "a memo with a blank"),
        ("0a5ec7e7", format!("{TIME}#\"my memo\"#{SENT}"), "a memo in quotes"),
        ("0a5ec7e7", format!("{TIME}#\u{feff}my memo#{SENT}"), "a memo with a blank"),
        ("0a5ec7e7", format!("{TIME}#MY MEMO#{SENT}"), "a memo in the wrong case"),
        (
            "0a5ec7e7",
            format!("{TIME}#your_api_memo#{SENT}"),
            "placeholder of a sample in place of the memo",
        ),
        ("0a5ec7e7", format!("{TIME}#their memo#{SENT}"), "the memo of another key"),
        ("theirs", format!("{TIME}#my memo#{SENT}"), "the secret of another key"),
        ("4b1d", format!("{TIME}#my memo#{SENT}"), "the key in place of the secret"),
        ("0a5ec7e7\n", format!("{TIME}#my memo#{SENT}"), "a secret with a blank, line break"),
        ("'0a5ec7e7'", format!("{TIME}#my memo#{SENT}"), "a secret in quotes"),
        (
            "your_api_secret",
            format!("{TIME}#my memo#{SENT}"),
            "placeholder of a sample in place of the secret",
        ),
        ("0a5ec7e7", format!("{TIME}#my memo#"), "an empty body"),
        (
            "0a5ec7e7",
            format!("{TIME}#my memo#{{'symbol': 'BTC_USDT', 'size': 100}}"),
            "a Python dict",
        ),
        (
            "0a5ec7e7",
            format!("{TIME}#my memo#{{\"symbol\": \"BTC_USDT\", \"size\": 100}}"),
            "with spaces",
        ),
        (
            "0a5ec7e7",
            format!("{TIME}#my memo#{{\"size\":100,\"symbol\":\"BTC_USDT\"}}"),
            "sorted by name",
        ),
        ("0a5ec7e7", format!("{TIME}#my memo#symbol=BTC_USDT&size=100"), "a query string"),
        ("0a5ec7e7", format!("{TIME}#my memo#size=100&symbol=BTC_USDT"), "a query string"),
        ("0a5ec7e7", format!("1700000000004#my memo#{SENT}"), "another timestamp"),
        ("0a5ec7e7", format!("1700000000#my memo#{SENT}"), "another timestamp"),
        ("0a5ec7e7", format!("{TIME}##"), "an empty memo and an empty body"),
        ("wrong", format!("{TIME}#my memo#{SENT}"), "none of the common mistakes"),
    ] {
        let reason = reason(&signed(secret, &message), Location::Headers);
        assert!(reason.contains(expected), "{message}: {reason}");
        assert!(reason.starts_with("X-BM-SIGN "), "{reason}");
    }
}

#[test]
fn the_reason_of_a_failed_login_names_the_mistake() {
    for (message, expected) in [
        (format!("{TIME}##bitmart.WebSocket"), "an empty memo"),
        (format!("{TIME}#my memo#"), "another text than bitmart.WebSocket"),
        (format!("{TIME}#nobody's#bitmart.WebSocket"), "timestamp#memo#bitmart.WebSocket"),
    ] {
        let reason = reason(&signed("0a5ec7e7", &message), Location::Login);
        assert!(reason.contains(expected) && reason.starts_with("the signature "), "{reason}");
    }
}

#[test]
fn the_reason_of_a_malformed_signature_names_its_form() {
    let right = signed("0a5ec7e7", &format!("{TIME}#my memo#{SENT}"));
    let reason = |sign: &str| reason(sign, Location::Headers);
    assert!(reason(&right.to_uppercase()).contains("in capitals: it must be lower-case hex"));
    assert!(reason(&format!("\"{right}\"")).contains("in quotes"));
    assert!(reason(&format!("{right}{right}")).contains("SHA-512"));
    assert!(reason(&format!("{}=", "a".repeat(43))).contains("base64"));
    assert!(reason("zz").contains("has 2 characters"));
}

/// Trying all variants of a large body would take seconds.
#[test]
fn variants_of_a_long_body_are_not_tried() {
    let (key, body) = (key(), vec![b' '; MAX_BODY + 1]);
    let sign = signed("0a5ec7e7", "x");
    let location = Location::Headers;
    let attempt =
        Attempt { key: &key, others: &[], timestamp: TIME, body: &body, sign: &sign, location };
    assert!(wrong_signature(&attempt).contains("4097 bytes is too long"));
}

#[test]
fn the_reason_of_a_wrong_timestamp_has_its_unit_or_distance() {
    let now_ms = 1_700_000_000_000;
    let reason = |sent| stale(sent, Clock::Stepped { now_ms }, Location::Headers);
    assert!(reason(now_ms / 1_000).contains("in seconds"));
    assert!(reason(now_ms * 1_000).contains("in microseconds"));
    assert!(reason(now_ms * 1_000_000).contains("in nanoseconds"));
    assert!(reason(now_ms - 60_001).starts_with("X-BM-TIMESTAMP is 60.001 s behind the clock"));
    assert!(reason(now_ms + 86_400_000 * 3).contains("3 days ahead of the clock"));
    assert!(reason(now_ms - 60_001).contains("clock is stopped"));
    assert!(no_timestamp("1700000000.123", Location::Login).contains("whole milliseconds"));
    assert!(no_timestamp("noon", Location::Headers).contains("not a number"));
}

#[test]
fn the_reason_of_an_unknown_key_names_the_mistake() {
    let keys = [Arc::new(key())];
    for (given, expected) in [
        ("\"4b1d\"", "a quote"),
        ("4B1D", "the wrong case"),
        ("0a5ec7e7", "the secret of a key"),
        ("my memo", "the memo of a key"),
        ("your_api_key", "placeholder"),
        ("Your API KEY", "placeholder"),
        ("<your_api_key>", "placeholder"),
        ("0123", "of which there are 1"),
    ] {
        let reason = unknown_key(given, &keys);
        assert!(reason.contains(expected), "{given}: {reason}");
        assert!(!reason.contains("0a5ec7e7") && !reason.contains("0123"), "{reason}");
    }
}
