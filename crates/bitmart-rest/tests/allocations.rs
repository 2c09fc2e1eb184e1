//! The number of allocations per request.

use bitmart_auth::Credentials;
use bitmart_rest::endpoint::Encoder;
use bitmart_rest::spot;
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

/// Allocations of a call with this limiter.
#[cfg(feature = "client")]
fn allocations_of_a_call(limiter: bitmart_rest::limit::Limiter) -> u64 {
    use bitmart_rest::transport::{Body, from_fn};
    use bitmart_rest::{Client, bytes::Bytes, http};

    const RESPONSE: &[u8] = br#"{"code":1000,"message":"OK","data":{"server_time":1700000000000}}"#;
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().build().expect("a runtime");
    let transport = from_fn(async |_: http::Request<Bytes>| {
        Ok(http::Response::new(Body::from(Bytes::from_static(RESPONSE))))
    });
    let client = Client::builder().transport(transport).limiter(limiter).build().expect("a client");
    let call = || runtime.block_on(client.system().time()).expect("a response");
    // The first calls make what later ones share.
    for _ in 0..3 {
        call();
    }
    let used = allocation_counter::measure(|| {
        call();
    });
    used.count_total
}

#[cfg(feature = "client")]
#[test]
fn a_permit_that_is_counted_in_this_process_needs_no_allocation() {
    use bitmart_rest::limit::{LimitPolicy, Limiter};

    let without = allocations_of_a_call(Limiter::new(LimitPolicy::Off));
    assert!(without > 0);
    assert_eq!(allocations_of_a_call(Limiter::new(LimitPolicy::default())), without);
}
