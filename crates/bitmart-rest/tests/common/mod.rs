//! The encoded forms of a request.

use bitmart_rest::{Endpoint, Payload};

fn encoded(request: &impl Endpoint) -> Payload {
    request.validate().expect("it is valid");
    let mut payload = Payload::new();
    request.encode(&mut payload).expect("it encodes");
    payload
}

pub(crate) fn body(request: &impl Endpoint) -> String {
    String::from_utf8(encoded(request).body().to_vec()).expect("UTF-8")
}

pub(crate) fn query(request: &impl Endpoint) -> String {
    encoded(request).query_text().to_owned()
}

pub(crate) fn validation_error(request: &impl Endpoint) -> String {
    request.validate().expect_err("it is invalid").to_string()
}
