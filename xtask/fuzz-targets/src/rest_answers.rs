//! Arbitrary bytes as the answer of each endpoint. The first byte chooses the endpoint.

use bitmart_rest::catalog::ENDPOINTS;
use bitmart_rest::drift::Drift;
use bytes::Bytes;
use http::StatusCode;

/// Runs one input. It panics when something does not hold.
pub fn run(input: &[u8]) {
    let Some((&first, body)) = input.split_first() else { return };
    let entry = &ENDPOINTS[usize::from(first) % ENDPOINTS.len()];
    let body = Bytes::copy_from_slice(body);
    let decode = || entry.recode_response(StatusCode::OK, &body);
    let Ok(data) = Drift::new().watch(&entry.metadata, &body, decode) else { return };
    // A row that cannot be read is written as what is wrong with it, which is another fault when it is read.
    if data.contains("$fault") {
        return;
    }
    // What a model writes it can read, and then writes the same.
    let again = match entry.metadata.envelope {
        bitmart_rest::Envelope::None => data.clone(),
        _ => format!(r#"{{"code":1000,"success":true,"data":{data}}}"#),
    };
    if let Ok(written) = entry.recode_response(StatusCode::OK, &again.into()) {
        assert_eq!(written, data, "{}", entry.metadata.id);
    }
}
