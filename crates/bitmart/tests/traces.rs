//! What the crates note with `tracing`, and what they must not.
//!
//! The only test of its binary: `tracing` remembers per process whether a place in the code is
//! listened to, so a listener of one test would depend on what other tests did before.

mod observed;

use std::time::Duration;

use bitmart::rest::spot;
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::ws::{Update, topic};
use bitmart::{dec, rest, ws};
use observed::{Notes, code, documented_fields, rows};

/// How long the test waits for what must happen. Only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether the text holds a run of 64 hexadecimal digits: a signature.
fn shows_signature(text: &str) -> bool {
    text.split(|letter: char| !letter.is_ascii_hexdigit()).any(|run| run.len() >= 64)
}

#[tokio::test]
async fn traces_tell_what_happens_without_bodies_frames_or_secrets()
-> Result<(), Box<dyn std::error::Error>> {
    let notes = Notes::default();
    tracing::subscriber::set_global_default(notes.clone())?;
    let exchange = Sandbox::start(Config::new().seed(11)).await?;
    let environment = sandbox::environment(&exchange)?;
    let credentials = sandbox::credentials(&exchange)?;
    let rest = rest::Client::builder()
        .environment(environment.clone())
        .credentials(credentials.clone())
        .build()?;
    let ws = ws::Client::builder().environment(environment).credentials(credentials).build()?;

    let mut orders = ws.subscribe(topic::spot::user_orders("ETH_USDT")).await?;
    let order = spot::NewOrder::limit_buy("ETH_USDT", dec!(0.01), dec!(1234.5));
    let client_order_id = order.client_order_id.clone();
    let placed = rest.spot().submit_order(order).await?;
    tokio::time::timeout(PATIENCE, async {
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

    let text = notes.text();
    for told in
        ["submit_order", "request answered", "connecting", "connected", "subscribed", "lost"]
    {
        assert!(text.contains(told), "{told} is missing in {text}");
    }
    let account = exchange.credentials();
    for secret in [account.key.as_str(), account.secret.as_str(), account.memo.as_str()] {
        assert!(!secret.is_empty() && !text.contains(secret), "{text}");
    }
    for content in [placed.order_id.as_str(), client_order_id.as_str(), "1234.5"] {
        assert!(!text.contains(content), "{content} stands in {text}");
    }
    let documented = documented_fields();
    for (of, fields) in notes.fields() {
        let known = documented.get(&of).unwrap_or_else(|| panic!("{of} is not documented"));
        let unknown: Vec<_> = fields.difference(known).collect();
        assert!(unknown.is_empty(), "{of} has fields that are not documented: {unknown:?}");
    }
    assert!(rows("Metrics").iter().all(|row| code(&row[0]).len() == 1), "one name in each row");
    let texts = notes.texts();
    let sentences = ["bitmart.detail", "message"].map(str::to_owned).into();
    assert!(texts.is_subset(&sentences), "fields that are neither number nor word: {texts:?}");
    assert!(!shows_signature(&text), "{text}");
    assert!(shows_signature(&format!("sign={}", "0a".repeat(32))), "the check itself works");
    Ok(())
}
