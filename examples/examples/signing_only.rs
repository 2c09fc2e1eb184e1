//! `bitmart-auth` alone: sign a request for any HTTP client, here ureq, which blocks and needs no
//! runtime. The crate brings no HTTP, no TLS and no runtime of its own.
//!
//! ```toml
//! [dependencies]
//! bitmart-auth = "0.1"
//! ureq = { version = "3", default-features = false, features = ["rustls"] }
//! ```
//!
//! ```sh
//! cargo run --example signing_only
//! ```

use std::time::{SystemTime, UNIX_EPOCH};

use bitmart_auth::Credentials;

fn open_orders(base: &str, credentials: &Credentials) -> examples::Result<String> {
    // The very bytes that are signed are sent: never serialize twice.
    let body = r#"{"symbol":"BTC_USDT","limit":10}"#;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let signature = credentials.sign_request(i64::try_from(now.as_millis())?, body.as_bytes());

    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false) // The exchange's refusals are in the body.
        .max_redirects(0) // A signed request is for the exchange alone.
        .build()
        .new_agent();
    let mut response = agent
        .post(format!("{base}/spot/v4/query/open-orders"))
        .header("Content-Type", "application/json")
        .header("X-BM-KEY", credentials.key())
        .header("X-BM-TIMESTAMP", signature.timestamp())
        .header("X-BM-SIGN", signature.as_str())
        .send(body)?;
    Ok(response.body_mut().read_to_string()?)
}

#[tokio::main] // For the sandbox inside this program only.
async fn main() -> examples::Result {
    let venue = examples::venue().await?;
    let (base, credentials) = (venue.environment.spot_rest.clone(), venue.credentials.clone());
    let call = move || open_orders(&base, &credentials).map_err(|error| error.to_string());
    let answer = tokio::task::spawn_blocking(call).await??;
    println!("{answer}");
    assert!(answer.contains(r#""code":1000"#), "the exchange took the signature");
    Ok(())
}
