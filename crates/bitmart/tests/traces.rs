//! The spans and events of the crates contain what is documented, and no secrets.
//!
//! The only test of its binary: `tracing` caches per process which call sites are enabled, so tests
//! with different subscribers would affect each other.

#[path = "common/span_recorder.rs"]
mod span_recorder;

use std::time::Duration;

use bitmart::rest::spot;
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::ws::{Update, topic};
use bitmart::{dec, rest, ws};
use span_recorder::{SpanRecorder, code, documented_fields, rows};

/// Timeout for expected events. Only a failing test reaches it.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Whether the text contains 64 consecutive hexadecimal digits, like a signature.
fn contains_signature(text: &str) -> bool {
    text.split(|letter: char| !letter.is_ascii_hexdigit()).any(|run| run.len() >= 64)
}

#[tokio::test]
async fn traces_contain_no_bodies_frames_or_secrets() -> Result<(), Box<dyn std::error::Error>> {
    let recorder = SpanRecorder::default();
    tracing::subscriber::set_global_default(recorder.clone())?;
    let exchange = Sandbox::start(Config::new().seed(11)).await?;
    let environment = sandbox::environment(&exchange);
    let credentials = sandbox::credentials(&exchange)?;
    let rest = rest::Client::builder()
        .environment(environment.clone())
        .credentials(credentials.clone())
        .build()?;
    let ws = ws::Client::builder().environment(environment).credentials(credentials).build()?;

    let mut orders = ws.subscribe(topic::spot::user_orders("ETH_USDT")).await?;
    let order = spot::NewOrder::limit_buy("ETH_USDT", dec!(0.01), dec!(1234.5));
    let client_order_id = order.client_order_id().clone();
    let placed = rest.spot().submit_order(order).await?;
    tokio::time::timeout(TIMEOUT, async {
        while let Some(update) = orders.next().await {
            match update? {
                Update::Data(_) => exchange.kill_sockets(),
                Update::Reconnecting(_) => return Ok(()),
                _ => {}
            }
        }
        Err(Box::<dyn std::error::Error>::from("the subscription ended"))
    })
    .await??;

    let text = recorder.text();
    for expected in
        ["submit_order", "response received", "connecting", "connected", "subscribed", "lost"]
    {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    let account = exchange.credentials();
    for secret in [account.key.as_str(), account.secret.as_str(), account.memo.as_str()] {
        assert!(!secret.is_empty() && !text.contains(secret), "{text}");
    }
    for content in [placed.order_id.as_str(), client_order_id.as_str(), "1234.5"] {
        assert!(!text.contains(content), "{text} contains {content}");
    }
    let documented = documented_fields();
    for (scope, fields) in recorder.fields() {
        let known = documented.get(&scope).unwrap_or_else(|| panic!("{scope} is not documented"));
        let unknown: Vec<_> = fields.difference(known).collect();
        assert!(unknown.is_empty(), "{scope} has fields that are not documented: {unknown:?}");
    }
    assert!(rows("Metrics").iter().all(|row| code(&row[0]).len() == 1), "one name in each row");
    let debug_fields = recorder.debug_fields();
    let free_text = ["bitmart.detail", "message"].map(str::to_owned).into();
    assert!(debug_fields.is_subset(&free_text), "neither numbers nor words: {debug_fields:?}");
    assert!(!contains_signature(&text), "{text}");
    assert!(contains_signature(&format!("sign={}", "0a".repeat(32))), "the check itself works");
    Ok(())
}
