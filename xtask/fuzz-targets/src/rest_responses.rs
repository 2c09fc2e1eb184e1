//! Arbitrary bytes as the response of an endpoint, which the first byte selects.

use bitmart_rest::catalog::ENDPOINTS;
use bitmart_rest::drift::Drift;
use bytes::Bytes;
use http::StatusCode;

/// Runs one input. Panics if a property does not hold.
pub fn run(input: &[u8]) {
    let Some((&first, body)) = input.split_first() else { return };
    let entry = &ENDPOINTS[usize::from(first) % ENDPOINTS.len()];
    let body = Bytes::copy_from_slice(body);
    let decode = || entry.recode_response(StatusCode::OK, &body);
    let Ok(data) = Drift::new().watch(&entry.metadata, &body, decode) else { return };
    // An invalid row is written as a fault, which reads as another fault.
    if data.contains("$fault") {
        return;
    }
    // A model reads what it has written, and writes it again unchanged.
    let response = match entry.metadata.envelope {
        bitmart_rest::endpoint::Envelope::None => data.clone(),
        _ => format!(r#"{{"code":1000,"success":true,"data":{data}}}"#),
    };
    if let Ok(written) = entry.recode_response(StatusCode::OK, &response.into()) {
        assert_eq!(written, data, "{}", entry.metadata.id);
    }
}
