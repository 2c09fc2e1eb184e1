//! Signatures: the documented examples, and a comparison with an independent implementation.

use hmac::{Hmac, KeyInit as _, Mac as _};
use proptest::prelude::*;
use sha2::Sha256;

use super::{MAX_DECIMAL, write_decimal};
use crate::Credentials;

/// The key pair of the examples in BitMart's documentation.
const KEY: &str = "80618e45710812162b04892c7ee5ead4a3cc3e56";
const SECRET: &str = "6c6c98544461bbe71db2bca4c6d7fd0021e0ba9efc215f9c6ad41852df9d9df9";
const MEMO: &str = "test001";

fn documented_credentials() -> Credentials {
    Credentials::new(KEY, SECRET, MEMO).unwrap()
}

#[test]
fn a_request_has_the_documented_signature() {
    let body = br#"{"symbol":"BTC_USDT","price":"8600","count":"100"}"#;
    let signature = documented_credentials().sign_request(1_589_793_796_145, body);
    assert_eq!(
        signature.as_str(),
        "c31dc326bf87f38bfb49a3f8494961abfa291bd549d0d98d9578e87516cee46d"
    );
    assert_eq!(signature.timestamp(), "1589793796145");
}

#[test]
fn a_websocket_login_has_the_documented_signature() {
    let signature = documented_credentials().sign_websocket_login(1_589_267_764_859);
    assert_eq!(
        signature.as_str(),
        "3ceeb7e1b8cb165a975e28a2e2dfaca4d30b358873c0351c1a071d8c83314556"
    );
    assert_eq!(signature.timestamp(), "1589267764859");
}

#[test]
fn timestamp_body_and_memo_change_the_signature() {
    let base = documented_credentials().sign_request(1, b"{}");
    // Differs from the memo only in the case of a letter.
    let other_memo = Credentials::new(KEY, SECRET, "Test001").unwrap();
    for other in [
        documented_credentials().sign_request(2, b"{}"),
        documented_credentials().sign_request(1, b"{ }"),
        documented_credentials().sign_request(1, b""),
        other_memo.sign_request(1, b"{}"),
    ] {
        assert_ne!(base.as_str(), other.as_str());
    }
}

#[test]
fn timestamps_are_decimal() {
    for number in [0, 7, 10, 1_692_245_338_123, i64::MAX, -1, i64::MIN] {
        let mut buffer = [0; MAX_DECIMAL];
        let start = write_decimal(&mut buffer, number);
        assert_eq!(&buffer[start..], number.to_string().as_bytes());
    }
}

#[test]
fn signing_does_not_allocate() {
    let credentials = documented_credentials();
    let body = vec![b'x'; 10_000];
    let count = allocation_counter::measure(|| {
        let signature = credentials.sign_request(1_692_245_338_123, &body);
        std::hint::black_box((signature.as_str(), signature.timestamp()));
        std::hint::black_box(credentials.sign_websocket_login(1_692_245_338_123));
    });
    assert_eq!(count.count_total, 0);
}

/// Computes the signature with the crates `hmac` and `sha2`; the crate itself uses `ring`. The documentation has few
/// examples, so a second implementation checks the format of the message and the hexadecimal output for any input.
fn reference_signature(secret: &str, timestamp: i64, memo: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{timestamp}#{memo}#").as_bytes());
    mac.update(body);
    let halves: [u128; 2] = [0, 16].map(|start| {
        let half = &mac.clone().finalize().into_bytes()[start..start + 16];
        u128::from_be_bytes(half.try_into().unwrap())
    });
    format!("{:032x}{:032x}", halves[0], halves[1])
}

proptest! {
    #[test]
    fn signatures_equal_those_of_an_independent_implementation(
        // They begin with a letter: a value within quotes is rejected. A memo may contain spaces, except at its ends.
        secret in "s[!-~]{0,199}",
        memo in "m([^\\p{C}]{0,298}m)?",
        timestamp in any::<i64>(),
        body in proptest::collection::vec(any::<u8>(), 0..1200),
    ) {
        let credentials = Credentials::new("key", secret.as_str(), memo.as_str()).unwrap();
        let signature = credentials.sign_request(timestamp, &body);
        prop_assert_eq!(signature.as_str(), reference_signature(&secret, timestamp, &memo, &body));
        prop_assert_eq!(signature.timestamp(), timestamp.to_string());
    }
}
