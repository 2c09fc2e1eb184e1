//! The admin API over real sockets.

#[path = "admin/access.rs"]
mod access;
mod common;
#[path = "admin/help.rs"]
mod help;

use std::net::{Ipv4Addr, SocketAddr};

use bitmart_sandbox::{ApiKey, Config, Contract, Permission, Sandbox, Snapshot, SpotPair};
use common::{
    ApiResponse, Client, DEADLINE, Received, Socket, admin_call, call_admin, send, send_to, start,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

const SUBMIT: &str = "/spot/v2/submit_order";

async fn stepped_sandbox() -> Sandbox {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    start(Config::new().stepped_clock(1_700_000_000_000).rate_limits(false).admin(free)).await
}

fn ready(sandbox: &Sandbox) -> Value {
    serde_json::from_str(&sandbox.ready_line()).expect("JSON")
}

async fn raw(sandbox: &Sandbox, method: &str, path: &str, body: String) -> ApiResponse {
    call_admin(&ready(sandbox), method, path, &body).await
}

async fn get(sandbox: &Sandbox, path: &str) -> Value {
    let response = raw(sandbox, "GET", path, String::new()).await;
    assert_eq!(response.status, 200, "{path}: {}", response.text);
    response.json()
}

async fn post(sandbox: &Sandbox, path: &str, body: Value) -> Value {
    let response = raw(sandbox, "POST", path, body.to_string()).await;
    assert_eq!(response.status, 200, "{path}: {}", response.text);
    response.json()
}

fn order(client_order_id: &str) -> Value {
    json!({
        "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "50000", "size": "0.001",
        "client_order_id": client_order_id,
    })
}

#[tokio::test]
async fn the_admin_api_is_off_by_default() {
    let sandbox = start(Config::new()).await;
    assert_eq!(sandbox.admin(), None);
    assert_eq!(sandbox.admin_token(), None);
    assert_eq!((ready(&sandbox).get("admin"), ready(&sandbox).get("admin_token")), (None, None));
    let sandbox = stepped_sandbox().await;
    assert_eq!(ready(&sandbox)["admin"].as_str(), sandbox.admin());
    assert_eq!(ready(&sandbox)["admin_token"].as_str(), sandbox.admin_token());
    let calls = get(&sandbox, "/").await;
    assert!(calls["calls"].as_array().expect("a list").contains(&json!("GET /ledger")));
}

#[tokio::test]
async fn an_account_created_at_run_time_trades_with_its_balance_and_permissions() {
    let sandbox = stepped_sandbox().await;
    let account = post(&sandbox, "/accounts", json!({})).await["account"].clone();
    assert!(sandbox.balances().iter().any(|row| account == row.account && row.frozen.is_zero()));
    let requested = json!({ "account": account, "permissions": ["Read-only", "Spot-Trade"] });
    let made = post(&sandbox, "/keys", requested).await;
    let text = |name: &str| made[name].as_str().expect("text").to_owned();
    let key = ApiKey::new(text("key"), text("secret"), text("memo"));
    let row = json!({ "account": account, "wallet": "spot", "currency": "USDT", "amount": "60.5" });
    let row = post(&sandbox, "/balances", row).await;
    assert_eq!((&row["available"], &row["frozen"]), (&json!("60.5"), &json!("0")));
    post(
        &sandbox,
        "/balances",
        json!({ "account": account, "wallet": "futures", "currency": "USDT", "amount": 7 }),
    )
    .await;

    let client = Client { key: &key, ..Client::spot(&sandbox) };
    client.order(order("mine1")).await;
    assert_eq!(client.post(SUBMIT, order("mine2")).await.code(), 50020);
    let futures = Client { host: sandbox.futures(), ..client };
    let body = json!({ "symbol": "BTCUSDT", "side": 1, "size": 1 });
    assert_eq!(futures.post("/contract/private/submit-order", body).await.code(), 30012);

    let ledger = raw(&sandbox, "GET", "/ledger", String::new()).await;
    assert!(!ledger.text.contains(&key.secret) && !ledger.text.contains(&key.key));
    let ledger = ledger.json();
    assert_eq!(ledger["orders"][0]["account"], account);
    assert_eq!(ledger["orders"][0]["client_order_id"], "mine1");
    let balances = ledger["balances"].as_array().expect("a list");
    let of = |wallet: &str| {
        let mine = |row: &&Value| {
            row["account"] == account && row["wallet"] == wallet && row["currency"] == "USDT"
        };
        balances.iter().find(mine).cloned().expect("a row")
    };
    assert_eq!(of("spot")["frozen"], "50.050000");
    assert_eq!(of("futures")["available"], "7");
}

#[tokio::test]
async fn an_added_key_is_accepted_at_once() {
    let sandbox = stepped_sandbox().await;
    let key = ApiKey::new("given", "in secret", "memo").permissions([Permission::ReadOnly]);
    let body = json!({ "account": 1, "permissions": ["Read-only"], "key": "given", "secret": "in secret", "memo": "memo" });
    post(&sandbox, "/keys", body.clone()).await;
    let client = Client { key: &key, ..Client::spot(&sandbox) };
    client.get("/spot/v1/wallet").await.data();
    assert_eq!(client.post(SUBMIT, order("no")).await.code(), 30012);
    assert_eq!(raw(&sandbox, "POST", "/keys", body.to_string()).await.status, 409);
}

#[tokio::test]
async fn a_set_balance_is_pushed() {
    let sandbox = stepped_sandbox().await;
    let mut socket = Socket::connect(&sandbox.spot().ws_private).await;
    socket.log_in_spot(&sandbox).await;
    socket.subscribe_spot("spot/user/balance:BALANCE_UPDATE").await;
    let row = json!({ "account": 1, "wallet": "spot", "currency": "BTC", "amount": "0.25" });
    post(&sandbox, "/balances", row).await;
    let pushed = socket.text().await["data"][0].clone();
    assert_eq!(pushed["event_type"], "ACCOUNT_RECHARGE");
    assert_eq!(
        pushed["balance_details"],
        json!([{ "ccy": "BTC", "av_bal": "0.25", "fz_bal": "0" }])
    );
}

#[tokio::test]
async fn clock_and_market_advance_by_calls() {
    let sandbox = stepped_sandbox().await;
    let later = post(&sandbox, "/clock/advance", json!({ "ms": 2_500 })).await;
    assert_eq!(later["now_ms"], 1_700_000_002_500_u64);
    let before = get(&sandbox, "/book/BTC_USDT").await;
    assert_eq!(before["asks"].as_array().map(Vec::len), Some(60));
    assert_eq!(
        post(&sandbox, "/market/pause_makers", json!({ "paused": true })).await["paused"],
        true
    );
    let stepped = post(&sandbox, "/market/step", json!({ "steps": 5 })).await;
    assert_eq!(stepped["now_ms"], 1_700_000_003_000_u64);
    assert_eq!(get(&sandbox, "/book/BTC_USDT").await, before);
    post(&sandbox, "/market/pause_makers", json!({ "paused": false })).await;
    post(&sandbox, "/market/step", json!({ "steps": 5 })).await;
    assert_ne!(get(&sandbox, "/book/BTC_USDT").await, before);
    assert_eq!(sandbox.now_ms(), 1_700_000_003_500);

    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let real = start(Config::new().admin(free)).await;
    let rejected = raw(&real, "POST", "/clock/advance", json!({ "ms": 1 }).to_string()).await;
    assert_eq!(rejected.status, 409, "{}", rejected.text);
}

#[tokio::test]
async fn injected_faults_occur_until_they_are_cleared() {
    let sandbox = stepped_sandbox().await;
    let client = Client::spot(&sandbox);
    let fault = json!({ "fault": "html", "status": 502, "on": SUBMIT, "times": 3 });
    assert_eq!(post(&sandbox, "/faults", fault).await["times"], 3);
    assert_eq!(client.post(SUBMIT, order("a1")).await.status, 502);
    assert_eq!(raw(&sandbox, "DELETE", "/faults", String::new()).await.status, 200);
    client.order(order("a2")).await;
    post(&sandbox, "/faults", json!({ "fault": "drop-after", "on": SUBMIT })).await;
    assert!(send(client.host, client.signed(SUBMIT, &order("a3"))).await.is_none());
    assert_eq!(get(&sandbox, "/ledger").await["orders"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn faults_and_snapshots_are_read_below_their_collections_and_at_former_paths() {
    let sandbox = stepped_sandbox().await;
    let fault = json!({ "fault": "html", "status": 502, "on": SUBMIT, "times": 3 });
    post(&sandbox, "/faults", fault).await;
    let faults = get(&sandbox, "/faults").await;
    assert_eq!((&faults["faults"][0]["times"], &faults["held"]), (&json!(3), &json!([])));
    assert_eq!(get(&sandbox, "/faults/held").await, json!({ "held": [] }));
    assert_eq!(get(&sandbox, "/faults/active").await, faults);
    let snapshot = get(&sandbox, "/snapshots/current").await;
    assert_eq!(get(&sandbox, "/snapshot").await, snapshot);
    // Only calls that read have former paths.
    assert_eq!(raw(&sandbox, "DELETE", "/faults/active", String::new()).await.status, 404);
}

#[tokio::test]
async fn all_sockets_are_closed_by_a_call() {
    let sandbox = stepped_sandbox().await;
    let mut socket = Socket::connect(&sandbox.spot().ws_public).await;
    socket.subscribe_spot("spot/trade:BTC_USDT").await;
    assert_eq!(post(&sandbox, "/sockets/kill", json!({})).await["killed"], 1);
    assert_eq!(socket.receive().await, Received::Gone);
    let gone = async {
        while sandbox.sockets() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, gone).await.expect("the socket is gone");
}

#[tokio::test]
async fn a_snapshot_contains_no_secret_and_can_be_restored() {
    let sandbox = stepped_sandbox().await;
    let client = Client::spot(&sandbox);
    client.order(order("kept1")).await;
    let snapshot = raw(&sandbox, "GET", "/snapshots/current", String::new()).await;
    assert_eq!(snapshot.status, 200);
    assert!(!snapshot.text.contains(&sandbox.credentials().secret));
    let restored = Snapshot::from_json(snapshot.text.as_bytes()).expect("a snapshot");
    let second = start(Config::new().restore(restored)).await;
    assert_eq!(second.orders(), sandbox.orders());
}

#[tokio::test]
async fn a_saved_state_is_found_by_the_name_with_which_it_was_saved() {
    let sandbox = stepped_sandbox().await;
    let name = json!({ "name": " before " });
    assert_eq!(post(&sandbox, "/snapshots", name.clone()).await["name"], "before");
    assert_eq!(post(&sandbox, "/snapshots/restore", name.clone()).await["name"], "before");
    assert_eq!(post(&sandbox, "/snapshots/discard", name).await, json!({ "snapshots": [] }));
}

#[tokio::test]
async fn invalid_calls_are_rejected_with_the_cause() {
    let sandbox = stepped_sandbox().await;
    for (method, path, body, status, message) in [
        ("GET", "/leger", "", 404, "there is no /leger; there is GET /ledger, "),
        ("PUT", "/faults", "", 405, "/faults takes GET and POST and DELETE, not PUT"),
        ("GET", "/market/step", "", 405, "takes POST, not GET"),
        ("POST", "/book/BTC_USDT", "", 405, "takes GET, not POST"),
        ("GET", "/book/BTC-USDT", "", 404, "there is no market"),
        ("GET", "/ledger?account=1", "", 400, "no call takes a query"),
        ("GET", "/ledger", "{\"account\":1}", 400, "unknown field `account`"),
        ("POST", "/accounts", "{\"name\":\"x\"}", 400, "unknown field `name`"),
        ("POST", "/market/step", "{\"step\":1}", 400, "unknown field `step`, expected `steps`"),
        ("POST", "/market/step", "{\"steps\":1000000}", 400, "at most 10000 steps"),
        ("POST", "/market/pause_makers", "", 400, "missing field `paused`"),
        ("POST", "/market/pause_makers", "{paused:true}", 400, "key must be a string"),
        ("POST", "/clock/advance", "{\"ms\":31622400001}", 400, "at most 366 days"),
        ("POST", "/clock/advance", "{\"ms\":-1}", 400, "invalid value: integer `-1`"),
        ("POST", "/keys", "{\"account\":99}", 404, "there is no account 99"),
        ("POST", "/keys", "{\"account\":1,\"key\":\"k\"}", 400, "give all of key, secret and memo"),
        ("POST", "/keys", "{\"account\":4294967295}", 404, "there is no account"),
        ("POST", "/keys", "{\"account\":1,\"permissions\":[\"Trade\"]}", 400, "`Spot-Trade`"),
        (
            "POST",
            "/balances",
            "{\"account\":1,\"wallet\":\"spot\",\"currency\":\"GOLD\",\"amount\":\"1\"}",
            400,
            "uses the currency \"GOLD\"",
        ),
        (
            "POST",
            "/balances",
            "{\"account\":1,\"wallet\":\"spot\",\"currency\":\"BTC\",\"amount\":\"-1\"}",
            400,
            "-1 is not a balance",
        ),
        ("POST", "/faults", "{\"fault\":\"rain\",\"on\":\"/x\"}", 400, "there is no fault"),
        ("POST", "/snapshots", "{\"name\":\" \"}", 400, "1 to 40 characters"),
        ("POST", "/snapshots/restore", "{\"name\":\"a\"}", 404, "no state \"a\" is saved"),
        ("POST", "/snapshots/discard", "{\"name\":\"a\"}", 404, "no state \"a\" is saved"),
    ] {
        let rejected = raw(&sandbox, method, path, body.to_owned()).await;
        assert_eq!(rejected.status, status, "{method} {path} {body}: {}", rejected.text);
        let said = rejected.json()["error"].as_str().expect("a message").to_owned();
        assert!(said.contains(message), "{method} {path} {body}: {said}");
    }
    let big = format!("{{\"steps\":{}1}}", " ".repeat(170_000));
    assert_eq!(raw(&sandbox, "POST", "/market/step", big).await.status, 413);
    assert_eq!(sandbox.orders().len(), 0);
}

#[tokio::test]
async fn a_requested_stop_is_left_to_the_owner_of_the_sandbox() {
    let sandbox = stepped_sandbox().await;
    let early = timeout(std::time::Duration::ZERO, sandbox.stop_requested()).await;
    assert!(early.is_err(), "no stop was requested yet");
    assert_eq!(post(&sandbox, "/stop", json!({})).await["stopping"], true);
    timeout(DEADLINE, sandbox.stop_requested()).await.expect("in time");
    get(&sandbox, "/ledger").await;
}

#[tokio::test]
async fn a_stop_request_gets_its_response() {
    let sandbox = stepped_sandbox().await;
    let address = sandbox.admin().expect("an address").trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "POST /stop HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-length: 2\r\n\
         expect: 100-continue\r\n\r\n",
        sandbox.admin_token().expect("a token")
    );
    stream.write_all(head.as_bytes()).await.expect("written");
    // The call is in progress once the server requests the body.
    let mut wanted = [0; 25];
    stream.read_exact(&mut wanted).await.expect("an interim response");
    assert_eq!(&wanted, b"HTTP/1.1 100 Continue\r\n\r\n");
    let responded = async {
        stream.write_all(b"{}").await.expect("written");
        let mut response = String::new();
        stream.read_to_string(&mut response).await.expect("a response and the end");
        response
    };
    // The stop is requested first.
    let ((), response) =
        timeout(DEADLINE, async { tokio::join!(biased; sandbox.shutdown(), responded) })
            .await
            .expect("in time");
    assert!(response.starts_with("HTTP/1.1 200"), "{response:?}");
}

#[tokio::test]
async fn brackets_that_are_set_bound_the_orders_of_a_contract() {
    let sandbox = stepped_sandbox().await;
    let brackets = json!([
        { "leverage": 20, "cap": "10000", "ratio": "0.01" },
        { "leverage": 5, "cap": "60000", "ratio": "0.1" },
    ]);
    let set = json!({ "symbol": "BTCUSDT", "brackets": brackets });
    assert_eq!(post(&sandbox, "/market/brackets", set.clone()).await, set);
    let client = Client::futures(&sandbox);
    let rows = client.get("/contract/public/leverage-bracket?symbol=BTCUSDT").await.data();
    let row = &rows["rules"][0]["brackets"][1];
    assert_eq!(
        (&row["initial_leverage"], &row["notional_floor"], &row["notional_cap"]),
        (&json!(5), &json!("10000"), &json!("60000")),
        "{rows}"
    );
    let order = |leverage: &str| {
        json!({
            "symbol": "BTCUSDT", "side": 1, "type": "limit", "leverage": leverage, "open_type": "isolated",
            "price": "50000", "size": 1,
        })
    };
    let submit = "/contract/private/submit-order";
    assert_eq!(client.post(submit, order("21")).await.code(), 40029);
    client.post(submit, order("20")).await.data();
    for (symbol, ratio, status) in [("NOPE", "0.01", 404), ("BTCUSDT", "0.05", 400)] {
        let body = json!({
            "symbol": symbol, "brackets": [{ "leverage": 20, "cap": "10000", "ratio": ratio }],
        });
        let response = raw(&sandbox, "POST", "/market/brackets", body.to_string()).await;
        assert_eq!(response.status, status, "{}", response.text);
    }
}
