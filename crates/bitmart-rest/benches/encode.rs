//! From a typed order to a signed request, compared with writing the same bytes by hand.
//!
//! The goal: at most 1.7 times the time of the hand-written bytes, signature included.

use std::hint::black_box;
use std::io::Write as _;

use bitmart_auth::Credentials;
use bitmart_rest::endpoint::{Encoder, Endpoint, Payload};
use bitmart_rest::spot;
use bitmart_testkit::{bench::Comparison, canary};
use bitmart_types::{Decimal, Environment, Timestamp};

const NOW: Timestamp = Timestamp::from_millis(1_692_245_338_123);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let credentials = Credentials::new(canary::KEY, canary::SECRET, canary::MEMO)?;
    let encoder = Encoder::new(&Environment::live())?.with_credentials(credentials.clone())?;
    let (size, price) = (Decimal::new(1, 3), Decimal::from(60_000));
    let order = spot::NewOrder::limit_buy("BTC_USDT", size, price);
    let id = order.client_order_id().to_string();
    let order = spot::SubmitOrder::from(order);
    let fields = Fields { symbol: "BTC_USDT", size, price, id: &id };

    let request = encoder.encode(&order, NOW)?;
    assert!(
        by_hand(&credentials, &fields).ends_with(request.body()),
        "both variants must write the same body"
    );

    Comparison::new("order to signed request", "bytes by hand", || {
        by_hand(&credentials, black_box(&fields))
    })
    .candidate("Encoder::encode", || encoder.encode(black_box(&order), NOW))
    .candidate("  its signature", || {
        credentials.sign_request(NOW.as_millis(), black_box(request.body()))
    })
    .candidate("  its body", || {
        let mut payload = Payload::new();
        let _ = order.encode(&mut payload);
        payload
    })
    .run();
    Ok(())
}

struct Fields<'a> {
    symbol: &'a str,
    size: Decimal,
    price: Decimal,
    id: &'a str,
}

/// The bytes of the request in one buffer.
fn by_hand(credentials: &Credentials, order: &Fields<'_>) -> Vec<u8> {
    let Fields { symbol, size, price, id } = order;
    let mut body = Vec::with_capacity(256);
    // Writing to memory does not fail.
    let _ = write!(
        body,
        r#"{{"symbol":"{symbol}","side":"buy","type":"limit","size":"{size}","price":"{price}","client_order_id":"{id}"}}"#
    );
    let signature = credentials.sign_request(NOW.as_millis(), &body);
    let mut bytes = Vec::with_capacity(640);
    let _ = write!(
        bytes,
        "POST /spot/v2/submit_order HTTP/1.1\r\n\
         host: api-cloud.bitmart.com\r\n\
         user-agent: bitmart-rust/0.1.0\r\n\
         content-type: application/json\r\n\
         x-bm-key: {}\r\n\
         x-bm-timestamp: {}\r\n\
         x-bm-sign: {}\r\n\
         content-length: {}\r\n\r\n",
        credentials.key(),
        signature.timestamp(),
        signature.as_str(),
        body.len()
    );
    bytes.extend_from_slice(&body);
    bytes
}
