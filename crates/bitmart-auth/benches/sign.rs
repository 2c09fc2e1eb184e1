//! Signs an order with ring alone, with this crate, and with the naive code of a tutorial.
//!
//! Target: a hexadecimal signature takes at most 1.3 times as long as ring's HMAC over the assembled
//! message.

use bitmart_auth::Credentials;
use bitmart_testkit::{bench::Comparison, canary};
use hmac::{Hmac, KeyInit as _, Mac as _};
use ring::hmac as ring_hmac;
use sha2::Sha256;
use std::{fmt::Write as _, hint::black_box};

const TIMESTAMP: i64 = 1_692_245_338_123;
const BODY: &str =
    r#"{"symbol":"BTC_USDT","side":"buy","type":"limit","size":"0.001","price":"60000"}"#;

fn main() -> Result<(), bitmart_auth::CredentialsError> {
    let credentials = Credentials::new(canary::KEY, canary::SECRET, canary::MEMO)?;
    let key = ring_hmac::Key::new(ring_hmac::HMAC_SHA256, canary::SECRET.as_bytes());
    let message = format!("{TIMESTAMP}#{}#{BODY}", canary::MEMO);

    Comparison::new("sign an order", "ring alone", || {
        ring_hmac::sign(&key, black_box(message.as_bytes()))
    })
    .candidate("bitmart-auth", || {
        credentials.sign_request(black_box(TIMESTAMP), black_box(BODY.as_bytes()))
    })
    .candidate("naive (hmac, sha2, format!)", || {
        naive_signature(black_box(TIMESTAMP), black_box(BODY))
    })
    .run();
    Ok(())
}

fn naive_signature(timestamp: i64, body: &str) -> String {
    let message = format!("{timestamp}#{}#{body}", canary::MEMO);
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(canary::SECRET.as_bytes()) else {
        unreachable!("HMAC takes keys of any length");
    };
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().iter().fold(String::new(), |mut hex, byte| {
        // Writing to memory does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
