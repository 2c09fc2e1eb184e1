//! Manners of BitMart's own SDKs in other languages that no document describes.

mod common;

use bitmart_sandbox::Config;
use common::{Socket, sign, start};
use serde_json::json;

const NOON_MS: u64 = 1_700_000_000_000;

#[tokio::test]
async fn the_go_client_logs_in_to_futures_with_capitals() {
    let sandbox = start(Config::new().stepped_clock(NOON_MS)).await;
    let (key, now) = (sandbox.credentials(), NOON_MS.to_string());
    let args = json!([key.key, now, sign(key, &now, "bitmart.WebSocket"), "web"]);
    let mut socket = Socket::connect(&sandbox.futures().ws_private).await;
    socket.json(json!({ "Action": "access", "Args": args })).await;
    assert_eq!(socket.text().await, json!({ "action": "access", "success": true }));
}
