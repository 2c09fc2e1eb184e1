//! The program with a data folder: kills during requests, and a file that cannot grow.
#![cfg(unix)]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{SystemTime, UNIX_EPOCH},
};

use bitmart_sandbox::{ApiKey, Decimal};
use bytes::Bytes;
use common::{DEADLINE, Socket, authority, sign};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    time::timeout,
};

/// Default number of kills, and the environment variable that overrides it.
const ROUNDS: u64 = 10;
const ROUNDS_VARIABLE: &str = "BITMART_SANDBOX_KILLS";

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kill").join(name);
    let _ = fs::remove_dir_all(&path);
    path
}

/// A running program with its ready line and key.
struct Program {
    child: Child,
    ready: Value,
    key: ApiKey,
}

impl Program {
    async fn start(mut command: Command, data: &Path) -> Self {
        // Few markets, so that it starts quickly.
        command.args(["--pairs", "BTC_USDT,ETH_USDT", "--contracts", "BTCUSDT"]);
        command.args(["--admin", "127.0.0.1:0", "--no-limits", "--data"]).arg(data);
        command.stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("runs");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let line = timeout(DEADLINE, lines.next_line()).await.expect("in time").expect("reads");
        let ready: Value = serde_json::from_str(&line.expect("a ready line")).expect("JSON");
        let word = |name: &str| ready["credentials"][name].as_str().expect("text").to_owned();
        let key = ApiKey::new(word("key"), word("secret"), word("memo"));
        Self { child, ready, key }
    }

    async fn ledger(&self) -> Value {
        let response = common::call_admin(&self.ready, "GET", "/ledger", "").await;
        assert_eq!(response.status, 200, "{}", response.text);
        response.json()
    }
}

fn sandbox_program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_bitmart-sandbox"))
}

/// A persistent HTTP connection.
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    key: ApiKey,
}

impl Connection {
    async fn open(program: &Program, host: &str) -> Self {
        let url = program.ready[host]["rest"].as_str().expect("an address");
        let stream = TcpStream::connect(authority(url)).await.expect("connects");
        stream.set_nodelay(true).expect("no delay");
        let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("a handshake");
        tokio::spawn(connection);
        Self { sender, key: program.key.clone() }
    }

    fn signed(&self, path: &str, body: String) -> Request<Full<Bytes>> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let timestamp = since.as_millis().to_string();
        let request = Request::post(path).header("host", "sandbox");
        request
            .header("content-type", "application/json")
            .header("x-bm-key", &self.key.key)
            .header("x-bm-timestamp", &timestamp)
            .header("x-bm-sign", sign(&self.key, &timestamp, &body))
            .body(Full::from(body))
            .expect("a request")
    }

    async fn request(&mut self, path: &str, body: String) -> (u16, Value) {
        let request = self.signed(path, body);
        let sent = timeout(DEADLINE, self.sender.send_request(request)).await.expect("in time");
        let (head, body) = sent.expect("a response").into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        (head.status.as_u16(), serde_json::from_slice(&body).expect("JSON"))
    }

    async fn data(&mut self, path: &str, body: &Value) -> Value {
        let (status, mut response) = self.request(path, body.to_string()).await;
        assert_eq!((status, &response["code"]), (200, &json!(1000)), "{path}: {response}");
        response["data"].take()
    }

    /// Sends a request without waiting for its response.
    async fn send_only(&mut self, path: &str, body: &Value) {
        let request = self.signed(path, body.to_string());
        let sent = tokio::spawn(self.sender.send_request(request));
        // The request may or may not be sent before the kill.
        tokio::task::yield_now().await;
        drop(sent);
    }
}

/// The acknowledged changes.
#[derive(Debug, Default)]
struct Acknowledged {
    /// Client order ids and cancellation by order.
    orders: BTreeMap<String, (String, bool)>,
    transfers: u32,
}

fn resting_order(name: &str) -> Value {
    // Far from the market.
    json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "1000", "size": "0.01", "client_order_id": name })
}

const TRANSFER: &str = "/account/v1/transfer";
const ORDER: &str = "/spot/v2/submit_order";

/// Sends requests until `responses` are acknowledged, and then one more without waiting.
async fn work(spot: &mut Connection, acknowledged: &mut Acknowledged, round: u64, responses: u64) {
    let transfer = json!({ "currency": "USDT", "amount": "1", "type": "spot_to_fund" });
    for step in 0..responses {
        let name = format!("r{round}s{step}");
        match step % 4 {
            0 | 1 => {
                let data = spot.data(ORDER, &resting_order(&name)).await;
                let id = data["order_id"].as_str().expect("an id").to_owned();
                let before = acknowledged.orders.insert(id.clone(), (name, false));
                assert_eq!(before, None, "{id} was assigned twice");
                if step % 4 == 1 {
                    let cancel = json!({ "symbol": "BTC_USDT", "order_id": id });
                    let data = spot.data("/spot/v3/cancel_order", &cancel).await;
                    assert_eq!(data["result"], true);
                    acknowledged.orders.get_mut(&id).expect("placed").1 = true;
                }
            }
            2 => {
                spot.data(TRANSFER, &transfer).await;
                acknowledged.transfers += 1;
            }
            _ => {
                let buy = json!({ "symbol": "ETH_USDT", "side": "buy", "type": "market", "notional": "20" });
                let data = spot.data(ORDER, &buy).await;
                let id = data["order_id"].as_str().expect("an id").to_owned();
                assert_eq!(acknowledged.orders.insert(id, (String::new(), false)), None);
            }
        }
    }
    if round.is_multiple_of(2) {
        spot.send_only(ORDER, &resting_order(&format!("r{round}last"))).await;
    } else {
        spot.send_only(TRANSFER, &transfer).await;
    }
}

fn decimal(value: &Value) -> Decimal {
    value.as_str().expect("text").parse().expect("a number")
}

/// Checks that the ledger contains everything that was acknowledged exactly once, and that the sum of money is correct.
/// Returns the number of transfers, which may be one more than were acknowledged.
async fn check(program: &Program, acknowledged: &Acknowledged) -> u32 {
    let ledger = program.ledger().await;
    let rows = |name: &str| ledger[name].as_array().expect("rows").clone();
    let mut ids = BTreeSet::new();
    let mut orders = BTreeMap::new();
    for order in rows("orders") {
        let id = order["order_id"].to_string().trim_matches('"').to_owned();
        assert!(ids.insert(id.clone()), "{id} is listed twice");
        orders.insert(id, order);
    }
    for (id, (name, canceled)) in &acknowledged.orders {
        let order = orders.get(id).unwrap_or_else(|| panic!("{id} is lost"));
        if !name.is_empty() {
            let state = if *canceled { "canceled" } else { "new" };
            assert_eq!(
                (order["client_order_id"].as_str(), order["state"].as_str()),
                (Some(name.as_str()), Some(state))
            );
        }
    }
    // The balance in USDT is the initial one minus the cost of the bought ETH.
    let fills = rows("fills");
    let sum = |value: &dyn Fn(&Value) -> Decimal| fills.iter().map(value).sum::<Decimal>();
    let paid =
        sum(&|fill| decimal(&fill["price"]) * decimal(&fill["size"]) + decimal(&fill["fee"]));
    let bought = sum(&|fill| decimal(&fill["size"]));
    let held = |wallets: &[&str], currency: &str| {
        let rows = rows("balances").into_iter().filter(|row| row["account"] == 1);
        let rows = rows.filter(|row| row["currency"] == currency);
        rows.filter(|row| wallets.contains(&row["wallet"].as_str().expect("text")))
            .map(|row| decimal(&row["available"]) + decimal(&row["frozen"]))
            .sum::<Decimal>()
    };
    assert_eq!(held(&["spot", "funding"], "USDT"), Decimal::from(100_000) - paid);
    assert_eq!(held(&["spot"], "ETH"), Decimal::from(50) + bought);
    let transfers = held(&["funding"], "USDT");
    let known = Decimal::from(acknowledged.transfers);
    assert!(transfers == known || transfers == known + Decimal::ONE, "{transfers} of {known}");
    acknowledged.transfers + u32::from(transfers > known)
}

#[tokio::test]
async fn acknowledged_changes_survive_kills() {
    let rounds = std::env::var(ROUNDS_VARIABLE).ok().and_then(|text| text.parse().ok());
    let data = folder("loop");
    let mut acknowledged = Acknowledged::default();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for round in 0..rounds.unwrap_or(ROUNDS) {
        let mut program = Program::start(sandbox_program(), &data).await;
        acknowledged.transfers = check(&program, &acknowledged).await;
        let mut spot = Connection::open(&program, "spot").await;
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        work(&mut spot, &mut acknowledged, round, 1 + random % 40).await;
        program.child.start_kill().expect("runs");
        program.child.wait().await.expect("ends");
    }
    check(&Program::start(sandbox_program(), &data).await, &acknowledged).await;
}

#[tokio::test]
async fn a_file_that_cannot_grow_rejects_writes_and_loses_no_acknowledged_change() {
    let data = folder("full");
    // The second start allocates space for another checkpoint. From then on the file cannot grow: writes beyond its
    // size fail, as on a full disk.
    for _ in 0..2 {
        drop(Program::start(sandbox_program(), &data).await.child.kill().await);
    }
    let size = fs::metadata(data.join("exchange.redb")).expect("a store").len();
    let mut limited = Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", size / 512 + 1);
    limited.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_bitmart-sandbox")]);
    limited.stderr(Stdio::piped());
    let mut program = Program::start(limited, &data).await;
    let mut socket =
        Socket::connect(program.ready["spot"]["ws_private"].as_str().expect("text")).await;
    log_in(&mut socket, &program.key).await;
    socket.subscribe_spot("spot/user/orders:ALL_SYMBOLS").await;
    let mut spot = Connection::open(&program, "spot").await;
    let mut acknowledged = Acknowledged::default();
    // Ten orders per request, because commands are small.
    let mut batch = 0;
    let (status, response) = loop {
        // A connection that sends nothing is closed after a while, and a slow disk takes longer.
        if batch % 50 == 0 {
            socket.send("ping").await;
            assert_eq!(socket.text().await, "pong");
        }
        let names: Vec<_> = (0..10).map(|place| format!("s{batch}x{place}")).collect();
        let row = |name: &String| json!({ "side": "buy", "type": "limit", "price": "1000", "size": "0.005", "clientOrderId": name });
        let rows: Vec<_> = names.iter().map(row).collect();
        let body = json!({ "symbol": "BTC_USDT", "orderParams": rows });
        let (status, response) = spot.request("/spot/v4/batch_orders", body.to_string()).await;
        if status != 200 {
            break (status, response);
        }
        let ids = response["data"]["data"]["orderIds"].as_array().expect("ids");
        for (id, name) in ids.iter().zip(names) {
            let id = id.as_str().expect("an id").to_owned();
            acknowledged.orders.insert(id, (name, false));
            let push = socket.text().await;
            assert_eq!(push["data"][0]["order_state"], "new", "{push}");
        }
        // The number of open orders of an account is limited.
        if batch >= 400 {
            let body = json!({ "symbol": "BTC_USDT", "orderIds": ids });
            let (status, response) = spot.request("/spot/v4/cancel_orders", body.to_string()).await;
            if status != 200 {
                break (status, response);
            }
            for id in ids {
                let id = id.as_str().expect("an id");
                acknowledged.orders.get_mut(id).expect("placed").1 = true;
                let push = socket.text().await;
                assert_eq!(push["data"][0]["order_state"], "canceled", "{push}");
            }
        }
        batch += 1;
        assert!(batch < 2_000, "the disk does not become full");
    };
    assert_eq!((status, &response["code"]), (503, &json!(50000)), "{response}");
    // Reads continue, including that of the input that waited when the disk became full.
    for _ in 0..3 {
        let (status, response) = spot.request("/spot/v4/query/open-orders", "{}".to_owned()).await;
        assert_eq!(status, 200, "{response}");
    }
    program.child.start_kill().expect("runs");
    let mut stderr_text = String::new();
    let mut stderr = program.child.stderr.take().expect("piped");
    stderr.read_to_string(&mut stderr_text).await.expect("reads");
    assert_eq!(stderr_text.matches("cannot write to").count(), 1, "{stderr_text}");
    drop(program);
    check(&Program::start(sandbox_program(), &data).await, &acknowledged).await;
}

async fn log_in(socket: &mut Socket, key: &ApiKey) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let now = since.as_millis().to_string();
    let sign = sign(key, &now, "bitmart.WebSocket");
    socket.json(json!({ "op": "login", "args": [key.key, now, sign] })).await;
    assert_eq!(socket.text().await, json!({ "event": "login" }));
}
