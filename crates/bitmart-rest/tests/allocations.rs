//! How often a request asks the allocator for memory.

use bitmart_auth::Credentials;
use bitmart_rest::{Encoder, spot};
use bitmart_types::{Decimal, Environment, Timestamp};

#[test]
fn an_order_is_encoded_and_signed_in_six_allocations_at_most() {
    let credentials = Credentials::new("key", "secret", "memo").unwrap();
    let encoder =
        Encoder::new(&Environment::live()).unwrap().with_credentials(credentials).unwrap();
    let order = spot::NewOrder::limit_buy("BTC_USDT", Decimal::new(1, 3), Decimal::from(60_000));
    let order = spot::SubmitOrder::from(order);
    let now = Timestamp::from_millis(1_692_245_338_123);
    // Shared values may allocate when they are cloned for the first time.
    encoder.encode(&order, now).unwrap();

    let mut request = None;
    let used = allocation_counter::measure(|| request = encoder.encode(&order, now).ok());
    assert!(request.is_some());
    assert!(used.count_total <= 6, "{used:?}");
}
