use bitmart_types::{Environment, Service};

use super::pool::Pool;
use crate::error::Error;
use crate::{Access, Client, Dialect, ErrorKind, Limits};

#[test]
fn somebody_is_seated_before_a_connection_starts() {
    let mut pool = Pool::new(&Limits::of(Dialect::Spot, Access::Public));
    let mut ended_at_once = true;
    let result = pool.seat(&"spot/ticker:X".into(), |_, _, roster| {
        ended_at_once = roster.retire();
        Err(Error::new(ErrorKind::Config, "no connection here"))
    });
    assert_eq!(result.err().map(|error| error.kind()), Some(ErrorKind::Config));
    assert!(!ended_at_once);
}

#[test]
fn keys_do_not_go_to_other_machines_in_plain_text() {
    let environment = |address| Environment::custom("test").with(Service::SpotWsPrivate, address);
    let builder = || Client::builder().environment(environment("ws://10.0.0.7/user"));
    let error = builder().build().expect_err("plain text");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("unencrypted"), "{error}");
    assert!(builder().allow_plain_text().build().is_ok());
    assert!(Client::builder().environment(environment("ws://[::1]:9/user")).build().is_ok());
}
