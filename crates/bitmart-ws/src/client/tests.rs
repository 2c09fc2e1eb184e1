use bitmart_types::{Environment, Service};

use crate::{Client, ErrorKind};

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
