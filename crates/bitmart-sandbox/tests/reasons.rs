//! Reasons for rejections: a response header contains them, and the body is the documented one.

mod common;

use bitmart_sandbox::{ApiKey, Config, Sandbox};
use bytes::Bytes;
use common::{ApiResponse, Client, Received, Socket, send, sign, start};
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};

const NOON_MS: u64 = 1_700_000_000_000;
const SUBMIT: &str = "/spot/v2/submit_order";
const FUTURES: &str = "/contract/private/submit-order";

async fn sandbox() -> Sandbox {
    let config = Config::new().stepped_clock(NOON_MS).rate_limits(false);
    let key = ApiKey::new("4b1d4b1d", "5ec7e75ec7e7", "my own memo");
    let other = ApiKey::new("0ff0ff", "07he75ec7e7", "another memo").sub_account(2, 1);
    start(config.api_key(key).api_key(other)).await
}

fn reason(response: &ApiResponse) -> &str {
    let value = response.headers.get("x-sandbox-reason");
    value.unwrap_or_else(|| panic!("no reason for {response:?}")).to_str().expect("ASCII")
}

/// Checks that a response has the code with its documented text, and a short reason that contains `expected` and no
/// secret.
#[track_caller]
fn assert_reason(
    response: &ApiResponse,
    (code, message): (u64, &str),
    expected: &str,
    key: &ApiKey,
) {
    assert_eq!((response.code(), response.message().as_str()), (code, message), "{expected}");
    let text = reason(response);
    assert!(text.contains(expected), "{expected:?} is not in {text:?}");
    assert!(text.len() <= 512);
    assert!(!text.contains(&key.secret) && !text.contains(&key.memo), "{text}");
}

fn order() -> Value {
    json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "50000", "size": "0.001" })
}

/// An order request, of which a test makes one part wrong.
struct Attempt<'a> {
    /// The header with the key.
    key: &'a str,
    timestamp: String,
    /// The body that is sent, and the one that is signed.
    sent: String,
    signed: String,
    /// The key whose secret and memo sign.
    signer: ApiKey,
}

impl<'a> Attempt<'a> {
    fn new(key: &'a ApiKey) -> Self {
        let body = order().to_string();
        let signer = ApiKey::new(&key.key, &key.secret, &key.memo);
        Self {
            key: &key.key,
            timestamp: NOON_MS.to_string(),
            sent: body.clone(),
            signed: body,
            signer,
        }
    }

    async fn send(self, sandbox: &Sandbox) -> ApiResponse {
        let request = Request::post(SUBMIT)
            .header("host", "sandbox")
            .header("content-type", "application/json")
            .header("x-bm-key", self.key)
            .header("x-bm-sign", sign(&self.signer, &self.timestamp, &self.signed))
            .header("x-bm-timestamp", self.timestamp)
            .body(Full::<Bytes>::from(self.sent));
        send(sandbox.spot(), request.expect("a request")).await.expect("a response")
    }
}

const SIGN: (u64, &str) = (30005, "Header X-BM-SIGN is wrong");

#[tokio::test]
async fn the_reason_of_a_wrong_signature_names_the_mistake() {
    let sandbox = sandbox().await;
    let key = sandbox.credentials();
    let good = Attempt::new(key).send(&sandbox).await;
    assert_eq!((good.status, good.headers.get("x-sandbox-reason")), (200, None));
    for (signer, expected) in [
        (ApiKey::new("", &key.secret, ""), "an empty memo"),
        (ApiKey::new("", &key.secret, format!("{} ", key.memo)), "a memo with a blank"),
        (ApiKey::new("", format!("'{}'", key.secret), &key.memo), "a secret in quotes"),
        (ApiKey::new("", "0123456789", &key.memo), "the secret or the memo is a different one"),
        (sandbox.sub_account_credentials().expect("one"), "the secret of another key"),
    ] {
        let response = Attempt { signer, ..Attempt::new(key) }.send(&sandbox).await;
        assert_reason(&response, SIGN, expected, key);
    }
    let wide = r#"{"symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "50000", "size": "0.001"}"#;
    let compact = wide.replace(", ", ",").replace(": ", ":");
    for (signed, expected) in [
        (wide.to_owned(), "with spaces after"),
        (wide.replace('"', "'"), "a Python dict"),
        ("symbol=BTC_USDT&side=buy".to_owned(), "none of the common mistakes"),
        (String::new(), "an empty body"),
    ] {
        let sent = compact.clone();
        let response = Attempt { sent, signed, ..Attempt::new(key) }.send(&sandbox).await;
        assert_reason(&response, SIGN, expected, key);
    }
    let sent = r#"{"b":"1","a":"2"}"#.to_owned();
    for signed in ["b=1&a=2", "a=2&b=1"] {
        let attempt =
            Attempt { sent: sent.clone(), signed: signed.to_owned(), ..Attempt::new(key) };
        assert_reason(&attempt.send(&sandbox).await, SIGN, "a query string", key);
    }
    let sorted = Attempt { sent, signed: r#"{"a":"2","b":"1"}"#.to_owned(), ..Attempt::new(key) };
    assert_reason(&sorted.send(&sandbox).await, SIGN, "sorted by name", key);
}

#[tokio::test]
async fn the_reason_of_a_wrong_key_or_timestamp_names_the_mistake() {
    let sandbox = sandbox().await;
    let key = sandbox.credentials();
    let unknown = (30002, "Header X-BM-KEY not found");
    for (sent, expected) in [
        ("your_api_key", "placeholder of a sample"),
        (&*key.secret, "the secret of a key"),
        ("0000", "take the key of its ready line"),
    ] {
        let response = Attempt { key: sent, ..Attempt::new(key) }.send(&sandbox).await;
        assert_reason(&response, unknown, expected, key);
    }
    let range = (30007, "Header X-BM-TIMESTAMP range. Within a minute");
    for (timestamp, expected) in [
        (NOON_MS / 1_000, "is in seconds"),
        (NOON_MS - 61_000, "61.000 s behind"),
        (NOON_MS + 3_600_000 * 5, "5 hours ahead"),
    ] {
        let attempt = Attempt { timestamp: timestamp.to_string(), ..Attempt::new(key) };
        assert_reason(&attempt.send(&sandbox).await, range, expected, key);
    }
    let now_ms = NOON_MS - 30_000;
    let late = Client { now_ms, ..Client::spot(&sandbox) };
    let query = json!({ "clientOrderId": "x", "recvWindow": 5000 });
    let response = late.post("/spot/v4/query/client-order", query).await;
    assert_eq!(response.code(), 30007);
    assert!(reason(&response).contains("30.000 s old, and its recvWindow is 5000 ms"));
    for (now_ms, code, expected) in
        [(NOON_MS - 90_000, 40039, "90.000 s behind"), (NOON_MS + 90_000, 40013, "90.000 s ahead")]
    {
        let client = Client { now_ms, ..Client::futures(&sandbox) };
        let response = client.post(FUTURES, json!({})).await;
        assert_eq!(response.code(), code);
        assert!(reason(&response).contains(expected), "{}", reason(&response));
    }
}

#[tokio::test]
async fn the_reason_of_an_insufficient_balance_has_the_missing_amount() {
    let config = Config::new().stepped_clock(NOON_MS).rate_limits(false);
    let sandbox = start(config.starting_balances("BTC=0.5,USDT=100").expect("a list")).await;
    let (spot, futures) = (Client::spot(&sandbox), Client::futures(&sandbox));
    let sell = json!({ "symbol": "BTC_USDT", "side": "sell", "type": "limit", "price": "70000", "size": "2" });
    let open = json!({
        "symbol": "BTCUSDT", "side": 1, "type": "limit", "price": "50000", "size": 1000,
        "leverage": "10", "open_type": "cross",
    });
    let secure = json!({ "symbol": "BTC_USDT", "currency": "USDT", "amount": "101", "side": "in" });
    let move_usdt = json!({ "currency": "USDT", "amount": "250.50", "type": "spot_to_contract" });
    for (client, path, body, code, expected) in [
        (
            &spot,
            SUBMIT,
            &sell,
            50020,
            "the spot wallet has 0.5 BTC free, and this takes 2: 1.5 BTC are missing",
        ),
        (&futures, FUTURES, &open, 40027, "the futures wallet has 100 USDT free"),
        (
            &spot,
            "/spot/v1/margin/isolated/transfer",
            &secure,
            50020,
            "the spot wallet has 100 USDT free",
        ),
        (&spot, "/account/v1/transfer-contract", &move_usdt, 42000, "150.5 USDT are missing"),
    ] {
        let response = client.post(path, body.clone()).await;
        assert_eq!(response.code(), code, "{path}: {}", response.text);
        assert!(reason(&response).contains(expected), "{path}: {}", reason(&response));
    }
}

#[tokio::test]
async fn the_reason_of_a_wrong_path_or_symbol_has_the_correct_one() {
    let sandbox = sandbox().await;
    let (spot, futures) = (Client::spot(&sandbox), Client::futures(&sandbox));
    let with = |symbol: &str| json!({ "symbol": symbol, "side": "buy", "type": "limit", "price": "1", "size": "1" });
    let contract = json!({
        "symbol": "BTC_USDT", "side": 1, "type": "limit", "price": "50000", "size": 1,
        "leverage": "10", "open_type": "cross",
    });
    for (response, code, expected) in [
        (spot.post(SUBMIT, with("BTCUSDT")).await, 50001, "did you mean BTC_USDT?"),
        (spot.post(SUBMIT, with("NOPEUSDT")).await, 50001, "did you mean NOPE_USDT?"),
        (spot.get("/spot/quotation/v3/ticker?symbol=BTCUSDT").await, 70002, "BTC_USDT?"),
        (futures.post(FUTURES, contract).await, 40034, "did you mean BTCUSDT?"),
        (futures.post(SUBMIT, with("BTC_USDT")).await, 30000, "a path of the spot host"),
        (spot.post(FUTURES, json!({})).await, 30030, "a path of the futures host"),
        (spot.get(SUBMIT).await, 57001, "this path takes POST"),
    ] {
        assert_eq!(response.code(), code, "{}", response.text);
        assert!(reason(&response).contains(expected), "{}", reason(&response));
    }
    assert_eq!(spot.get("/nowhere").await.headers.get("x-sandbox-reason"), None);
}

#[tokio::test]
async fn the_close_frame_of_a_failed_login_has_the_reason() {
    let sandbox = sandbox().await;
    let key = sandbox.credentials();
    let bare = ApiKey::new(&key.key, &key.secret, "");
    let now = NOON_MS.to_string();
    let body = "bitmart.WebSocket";
    for (args, expected) in [
        (json!([key.key, now, sign(&bare, &now, body)]), "an empty memo"),
        (json!([key.key, "1700000000", sign(key, "1700000000", body)]), "in seconds"),
        (json!(["your_api_key", now, sign(key, &now, body)]), "placeholder of a sample"),
        (json!([key.key, now, sign(key, &now, "")]), "another text than bitmart.WebSocket"),
    ] {
        for (url, login) in [
            (&sandbox.spot().ws_private, json!({ "op": "login", "args": args })),
            (&sandbox.futures().ws_private, json!({ "action": "access", "args": args })),
        ] {
            let mut socket = Socket::connect(url).await;
            socket.json(login).await;
            socket.text().await;
            let (code, reason) = socket.close().await;
            assert_eq!(code, 1000);
            assert!(reason.contains(expected) && reason.len() <= 123, "{expected}: {reason}");
            assert!(!reason.contains(&key.secret), "{reason}");
        }
    }
}

#[tokio::test]
async fn the_error_of_a_topic_at_the_wrong_address_is_the_documented_text() {
    let sandbox = sandbox().await;
    let (spot, futures) = (sandbox.spot(), sandbox.futures());
    for (url, subscribe, field, expected) in [
        (
            &spot.ws_public,
            json!({ "op": "subscribe", "args": ["spot/user/order:BTC_USDT"] }),
            "errorMessage",
            "User not logged in / User must be logged in",
        ),
        (
            &spot.ws_private,
            json!({ "op": "subscribe", "args": ["spot/trade:BTC_USDT"] }),
            "errorMessage",
            "Invalid channel param",
        ),
        (
            &futures.ws_public,
            json!({ "action": "subscribe", "args": ["futures/order"] }),
            "error",
            "futures/order need authenication",
        ),
        (
            &futures.ws_private,
            json!({ "action": "subscribe", "args": ["futures/trade:BTCUSDT"] }),
            "error",
            "group [futures/trade:BTCUSDT] not exist",
        ),
    ] {
        let mut socket = Socket::connect(url).await;
        socket.json(subscribe).await;
        let response = socket.text().await;
        assert_eq!(response[field], expected);
    }
    // A connection to the right address that is not logged in gets the documented message only.
    let mut socket = Socket::connect(&spot.ws_private).await;
    socket.json(json!({ "op": "subscribe", "args": ["spot/user/order:BTC_USDT"] })).await;
    let response = socket.text().await;
    assert_eq!(response["errorMessage"], "User not logged in / User must be logged in");
    socket.send("ping").await;
    assert_eq!(socket.receive().await, Received::Text("pong".to_owned()));
}
