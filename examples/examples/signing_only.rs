//! `bitmart-auth` alone: signs a request for any HTTP client, here ureq, which is blocking. The crate
//! contains no HTTP, no TLS and no runtime.
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
    // Send exactly the bytes that are signed: never serialize twice.
    let body = r#"{"symbol":"BTC_USDT","limit":10}"#;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let signature = credentials.sign_request(i64::try_from(now.as_millis())?, body.as_bytes());

    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false) // Errors of the exchange are in the body.
        .max_redirects(0) // Do not send a signed request to another host.
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

#[tokio::main] // For the embedded sandbox only.
async fn main() -> examples::Result {
    let exchange = examples::exchange().await?;
    let (base, credentials) =
        (exchange.environment.spot_rest.clone(), exchange.credentials.clone());
    let call = move || open_orders(&base, &credentials).map_err(|error| error.to_string());
    let response = tokio::task::spawn_blocking(call).await??;
    println!("{response}");
    assert!(response.contains(r#""code":1000"#), "the exchange accepted the signature");
    Ok(())
}
