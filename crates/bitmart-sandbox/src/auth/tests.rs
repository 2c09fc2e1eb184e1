use serde_json::json;

use super::*;

const KEY: &str = "80618e45710812162b04892c7ee5ead4a3cc3e56";
const SECRET: &str = "6c6c98544461bbe71db2bca4c6d7fd0021e0ba9efc215f9c6ad41852df9d9df9";

fn at(now_ms: u64) -> Clock {
    Clock::Stepped { now_ms }
}

fn ring() -> KeyRing {
    let keys = [ApiKey::new(KEY, SECRET, "test001"), ApiKey::new("ice", "s", "m").frozen()];
    KeyRing::new(1, &keys, Vec::new())
}

/// The examples of BitMart's documentation.
#[test]
fn documented_signatures_are_accepted() {
    let auth_headers = AuthHeaders {
        key: Some(KEY),
        sign: Some("c31dc326bf87f38bfb49a3f8494961abfa291bd549d0d98d9578e87516cee46d"),
        timestamp: Some("1589793796145"),
        peer: None,
    };
    let body = br#"{"symbol":"BTC_USDT","price":"8600","count":"100"}"#;
    assert!(ring().check_signature(auth_headers, body, at(1_589_793_796_145)).is_ok());
    let rejection = |body: &[u8], now_ms| {
        let error = ring().check_signature(auth_headers, body, at(now_ms)).expect_err("rejected");
        (error.code, error.reason.expect("a reason"))
    };
    let (code, reason) = rejection(b"{}", 1_589_793_796_145);
    assert!(code == 30005 && reason.contains("none of the common mistakes"), "{reason}");
    let spaced = br#"{"symbol": "BTC_USDT", "price": "8600", "count": "100"}"#;
    let (code, reason) = rejection(spaced, 1_589_793_796_145);
    assert!(code == 30005 && reason.contains("the JSON without spaces"), "{reason}");
    let (code, reason) = rejection(body, 1_589_793_796_145 + 60_001);
    assert!(code == 30007 && reason.contains("60.001 s behind"), "{reason}");
    let sign = "3ceeb7e1b8cb165a975e28a2e2dfaca4d30b358873c0351c1a071d8c83314556";
    assert!(ring().login(KEY, "1589267764859", sign, at(1_589_267_764_859)).is_ok());
}

#[test]
fn derived_keys_are_the_same_after_a_restore() {
    let ring = KeyRing::new(7, &[ApiKey::from_seed(7)], Vec::new());
    let (first, second) =
        (ring.derive(1, None, vec![Permission::ReadOnly]), ring.derive(2, Some(1), Vec::new()));
    assert!(first.key != second.key && first.key != ApiKey::from_seed(7).key);
    let restored = KeyRing::new(7, &[ApiKey::from_seed(7)], ring.derived());
    for key in [&first, &second] {
        assert_eq!(restored.get(&key.key).expect("a key").key.as_ref(), key);
    }
    assert_eq!(restored.derive(1, None, Vec::new()), ring.derive(1, None, Vec::new()));
    assert!(!ring.add(first));
}

#[test]
fn going_back_and_forth_restores_the_derived_keys_of_each_state() {
    let exchange = Exchange::new(&crate::Config::new().market_maker(false).setup(), 0);
    let ring = KeyRing::new(7, &[ApiKey::from_seed(7)], Vec::new());
    let empty = ring.derived();
    let first = ring.derive(1, None, vec![Permission::ReadOnly]);
    let with_first = ring.derived();
    ring.go_back(empty, &exchange);
    assert!(ring.get(&first.key).is_none());
    // The same name, for another account.
    let other = ring.derive(2, Some(1), Vec::new());
    assert_eq!(other.key, first.key);
    let former = ring.go_back(with_first, &exchange);
    assert_eq!(*ring.get(&first.key).expect("a key").key, first);
    ring.undo_go_back(former);
    assert_eq!(*ring.get(&first.key).expect("a key").key, other);
    assert!(ring.get(&ApiKey::from_seed(7).key).is_some(), "the configured key stays");
}

#[test]
fn a_key_ring_shows_no_key_and_no_secret() {
    let shown = format!("{:?}", ring());
    assert!(!shown.contains(KEY) && !shown.contains(SECRET), "{shown}");
}

#[test]
fn missing_and_invalid_headers_have_separate_codes() {
    let code = |key, sign, timestamp| {
        let auth_headers = AuthHeaders { key, sign, timestamp, peer: None };
        ring().check_signature(auth_headers, b"{}", at(0)).map_err(|error| error.code)
    };
    assert_eq!(code(None, None, None), Err(30001));
    assert_eq!(code(Some("nobody"), None, None), Err(30002));
    assert_eq!(code(Some("ice"), None, None), Err(30003));
    assert_eq!(code(Some(KEY), Some(""), None), Err(30004));
    assert_eq!(code(Some(KEY), Some("x"), None), Err(30006));
    assert_eq!(code(Some(KEY), Some("x"), Some("noon")), Err(30006));
    assert_eq!(code(Some(KEY), Some("x"), Some("0")), Err(30005));
}

#[test]
fn recv_window_rejections_have_the_documented_texts() {
    let text = |requested: serde_json::Value, sent: &str| {
        check_recv_window(Some(&requested), Some(sent), at(100_000))
            .map_err(|error| error.message.into_owned())
    };
    assert_eq!(text(json!(5000), "95000"), Ok(()));
    assert!(
        text(json!(5000), "94999").is_err_and(|text| text.contains("outside of the recvWindow"))
    );
    assert!(
        text(json!(5000), "101000").is_err_and(|text| text.contains("outside of the recvWindow"))
    );
    assert!(text(json!("5000"), "100000").is_err_and(|text| text.contains("long type")));
    assert!(text(json!(0), "100000").is_err_and(|text| text.contains("greater than 0")));
    assert!(text(json!(60001), "100000").is_err_and(|text| text.contains("less than 60000")));
}
