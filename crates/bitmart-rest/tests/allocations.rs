//! The number of allocations per request.

use bitmart_auth::Credentials;
use bitmart_rest::{Encoder, spot};
use bitmart_types::{Decimal, Environment, Timestamp};

#[test]
fn encodes_and_signs_an_order_in_at_most_five_allocations() {
    let credentials = Credentials::new("key", "secret", "memo").unwrap();
    let encoder =
        Encoder::new(&Environment::live()).unwrap().with_credentials(credentials).unwrap();
    let order = spot::NewOrder::limit_buy("BTC_USDT", Decimal::new(1, 3), Decimal::from(60_000));
    let order = spot::SubmitOrder::from(order);
    let now = Timestamp::from_millis(1_692_245_338_123);
    // The first clone of shared values may allocate.
    encoder.encode(&order, now).unwrap();

    let mut request = None;
    let used = allocation_counter::measure(|| request = encoder.encode(&order, now).ok());
    assert!(request.is_some());
    assert!(used.count_total <= 5, "{used:?}");
}
