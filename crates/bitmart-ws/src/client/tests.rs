//! Building a client.

use bitmart_types::{Environment, Service};

use super::pool::Pool;
use crate::error::Error;
use crate::{Access, Client, ErrorKind, Limits, Market};

#[test]
fn a_topic_is_assigned_before_its_connection_starts() {
    let mut pool = Pool::new(&Limits::for_endpoint(Market::Spot, Access::Public));
    let mut ended_at_once = true;
    let result = pool.lease(&"spot/ticker:X".into(), |_, _, assignments| {
        ended_at_once = assignments.close_if_empty();
        Err(Error::new(ErrorKind::Config, "no connection here"))
    });
    assert_eq!(result.err().map(|error| error.kind()), Some(ErrorKind::Config));
    assert!(!ended_at_once);
}

#[test]
fn rejects_plain_text_addresses_of_other_machines() {
    let environment = |address| Environment::custom("test").with(Service::SpotWsPrivate, address);
    let builder = || Client::builder().environment(environment("ws://10.0.0.7/user"));
    let error = builder().build().expect_err("plain text");
    assert_eq!(error.setting(), "spot_ws_private");
    assert!(error.to_string().contains("unencrypted"), "{error}");
    assert!(builder().allow_plain_text(true).build().is_ok());
    assert!(Client::builder().environment(environment("ws://[::1]:9/user")).build().is_ok());
}

#[test]
fn the_connect_timeout_of_the_builder_yields_to_that_of_a_policy() {
    let seconds = std::time::Duration::from_secs;
    let policy = crate::ConnectionPolicy::new().connect_timeout(seconds(7));
    let client = Client::builder()
        .endpoint_policy(Market::Spot, Access::Public, policy)
        .connect_timeout(seconds(3))
        .build()
        .expect("a client");
    assert_eq!(client.limits(Market::Spot, Access::Public).connect_timeout, seconds(7));
    assert_eq!(client.limits(Market::Futures, Access::Public).connect_timeout, seconds(3));
}
