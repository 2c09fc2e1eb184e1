//! The program with a data folder, killed in the middle of its work and stopped by a full disk.
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

/// How often the program is killed; more with this variable.
const ROUNDS: u64 = 10;
const ROUNDS_VARIABLE: &str = "BITMART_SANDBOX_KILLS";

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kill").join(name);
    let _ = fs::remove_dir_all(&path);
    path
}

/// A running program and what it said.
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
        let answer = common::ask_admin(&self.ready, "GET", "/ledger", "").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }
}

fn plain() -> Command {
    Command::new(env!("CARGO_BIN_EXE_bitmart-sandbox"))
}

/// One connection that is kept alive.
struct Line {
    sender: SendRequest<Full<Bytes>>,
    key: ApiKey,
}

impl Line {
    async fn open(program: &Program, host: &str) -> Self {
        let url = program.ready[host]["rest"].as_str().expect("an address");
        let stream = TcpStream::connect(authority(url)).await.expect("connects");
        stream.set_nodelay(true).expect("no delay");
        let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("shakes hands");
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

    async fn ask(&mut self, path: &str, body: String) -> (u16, Value) {
        let request = self.signed(path, body);
        let sent = timeout(DEADLINE, self.sender.send_request(request)).await.expect("in time");
        let (head, body) = sent.expect("an answer").into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        (head.status.as_u16(), serde_json::from_slice(&body).expect("JSON"))
    }

    async fn data(&mut self, path: &str, body: &Value) -> Value {
        let (status, mut answer) = self.ask(path, body.to_string()).await;
        assert_eq!((status, &answer["code"]), (200, &json!(1000)), "{path}: {answer}");
        answer["data"].take()
    }

    /// Sends a request that nobody waits for the answer of.
    async fn throw(&mut self, path: &str, body: &Value) {
        let request = self.signed(path, body.to_string());
        let sent = tokio::spawn(self.sender.send_request(request));
        // It is on its way, or not: both happen.
        tokio::task::yield_now().await;
        drop(sent);
    }
}

/// What the client was told.
#[derive(Debug, Default)]
struct Acknowledged {
    /// Client order ids and cancellation by order.
    orders: BTreeMap<String, (String, bool)>,
    transfers: u32,
}

fn resting(name: &str) -> Value {
    // Far from the market.
    json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "1000", "size": "0.01", "client_order_id": name })
}

const TRANSFER: &str = "/account/v1/transfer";
const ORDER: &str = "/spot/v2/submit_order";

/// Works until so many answers are there, and sends one request more.
async fn work(spot: &mut Line, told: &mut Acknowledged, round: u64, answers: u64) {
    let transfer = json!({ "currency": "USDT", "amount": "1", "type": "spot_to_fund" });
    for step in 0..answers {
        let name = format!("r{round}s{step}");
        match step % 4 {
            0 | 1 => {
                let data = spot.data(ORDER, &resting(&name)).await;
                let id = data["order_id"].as_str().expect("an id").to_owned();
                let before = told.orders.insert(id.clone(), (name, false));
                assert_eq!(before, None, "{id} was given out twice");
                if step % 4 == 1 {
                    let cancel = json!({ "symbol": "BTC_USDT", "order_id": id });
                    let data = spot.data("/spot/v3/cancel_order", &cancel).await;
                    assert_eq!(data["result"], true);
                    told.orders.get_mut(&id).expect("placed").1 = true;
                }
            }
            2 => {
                spot.data(TRANSFER, &transfer).await;
                told.transfers += 1;
            }
            _ => {
                let buy = json!({ "symbol": "ETH_USDT", "side": "buy", "type": "market", "notional": "20" });
                let data = spot.data(ORDER, &buy).await;
                let id = data["order_id"].as_str().expect("an id").to_owned();
                assert_eq!(told.orders.insert(id, (String::new(), false)), None);
            }
        }
    }
    if round.is_multiple_of(2) {
        spot.throw(ORDER, &resting(&format!("r{round}last"))).await;
    } else {
        spot.throw(TRANSFER, &transfer).await;
    }
}

fn decimal(value: &Value) -> Decimal {
    value.as_str().expect("text").parse().expect("a number")
}

/// The ledger holds all that was acknowledged, nothing twice, and no money came or went. Says how many
/// transfers there were, which may be one more than were acknowledged.
async fn check(program: &Program, told: &Acknowledged) -> u32 {
    let ledger = program.ledger().await;
    let rows = |name: &str| ledger[name].as_array().expect("rows").clone();
    let mut ids = BTreeSet::new();
    let mut orders = BTreeMap::new();
    for order in rows("orders") {
        let id = order["order_id"].to_string().trim_matches('"').to_owned();
        assert!(ids.insert(id.clone()), "{id} is there twice");
        orders.insert(id, order);
    }
    for (id, (name, cancelled)) in &told.orders {
        let order = orders.get(id).unwrap_or_else(|| panic!("{id} is lost"));
        if !name.is_empty() {
            let state = if *cancelled { "canceled" } else { "new" };
            assert_eq!(
                (order["client_order_id"].as_str(), order["state"].as_str()),
                (Some(name.as_str()), Some(state))
            );
        }
    }
    // What all wallets hold in dollars is what they held, less what was paid for ether.
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
    let known = Decimal::from(told.transfers);
    assert!(transfers == known || transfers == known + Decimal::ONE, "{transfers} of {known}");
    told.transfers + u32::from(transfers > known)
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_by_kills() {
    let rounds = std::env::var(ROUNDS_VARIABLE).ok().and_then(|text| text.parse().ok());
    let data = folder("loop");
    let mut told = Acknowledged::default();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for round in 0..rounds.unwrap_or(ROUNDS) {
        let mut program = Program::start(plain(), &data).await;
        told.transfers = check(&program, &told).await;
        let mut spot = Line::open(&program, "spot").await;
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        work(&mut spot, &mut told, round, 1 + random % 40).await;
        program.child.start_kill().expect("runs");
        program.child.wait().await.expect("ends");
    }
    check(&Program::start(plain(), &data).await, &told).await;
}

#[tokio::test]
async fn a_file_that_cannot_grow_acknowledges_no_more_writes_and_loses_nothing() {
    let data = folder("full");
    // The second start makes room for one more checkpoint. From then on the file may not grow: writing
    // beyond its size fails, as on a disk that is full.
    for _ in 0..2 {
        drop(Program::start(plain(), &data).await.child.kill().await);
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
    let mut spot = Line::open(&program, "spot").await;
    let mut told = Acknowledged::default();
    // Ten orders at a time: commands are short.
    let mut batch = 0;
    let (status, answer) = loop {
        let names: Vec<_> = (0..10).map(|place| format!("s{batch}x{place}")).collect();
        let row = |name: &String| json!({ "side": "buy", "type": "limit", "price": "1000", "size": "0.005", "clientOrderId": name });
        let rows: Vec<_> = names.iter().map(row).collect();
        let body = json!({ "symbol": "BTC_USDT", "orderParams": rows });
        let (status, answer) = spot.ask("/spot/v4/batch_orders", body.to_string()).await;
        if status != 200 {
            break (status, answer);
        }
        let ids = answer["data"]["data"]["orderIds"].as_array().expect("ids");
        for (id, name) in ids.iter().zip(names) {
            let id = id.as_str().expect("an id").to_owned();
            told.orders.insert(id, (name, false));
            let push = socket.text().await;
            assert_eq!(push["data"][0]["order_state"], "new", "{push}");
        }
        batch += 1;
        assert!(batch < 2_000, "the disk does not get full");
    };
    assert_eq!((status, &answer["code"]), (503, &json!(50000)), "{answer}");
    // What was answered can be read meanwhile, the one on its way at that moment included.
    for _ in 0..3 {
        let (status, answer) = spot.ask("/spot/v4/query/open-orders", "{}".to_owned()).await;
        assert_eq!(status, 200, "{answer}");
    }
    program.child.start_kill().expect("runs");
    let mut complaint = String::new();
    let mut stderr = program.child.stderr.take().expect("piped");
    stderr.read_to_string(&mut complaint).await.expect("reads");
    assert_eq!(complaint.matches("cannot store").count(), 1, "{complaint}");
    drop(program);
    check(&Program::start(plain(), &data).await, &told).await;
}

async fn log_in(socket: &mut Socket, key: &ApiKey) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let now = since.as_millis().to_string();
    let sign = sign(key, &now, "bitmart.WebSocket");
    socket.json(json!({ "op": "login", "args": [key.key, now, sign] })).await;
    assert_eq!(socket.text().await, json!({ "event": "login" }));
}
