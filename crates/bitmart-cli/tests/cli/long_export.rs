//! An export of three years by a program that is killed twenty times.
//!
//! 2,000 orders in an ordinary run; `cargo xtask export-test` makes it 100,000.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bitmart::Timestamp;
use bitmart::sandbox::{Config, Sandbox};
use serde_json::{Value, json};

use crate::common::traders::{Stepped, merged, traders};
use crate::common::{Place, bitmart, sandbox_of};

const KILLS: usize = 20;
const YEARS: Duration = Duration::from_secs(94_608_000);
/// The seeded history ends this long before now: an export leaves out the last minute.
const GAP: Duration = Duration::from_secs(3600);

fn orders() -> u32 {
    std::env::var("EXPORT_TEST_ORDERS").map_or(2_000, |text| text.parse().expect("a number"))
}

/// A deterministic random number generator.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Creates three years of account 1: orders of every state, positions with funding, deposits, transfers and
/// withdrawals.
async fn seed(sandbox: &Sandbox, begin: Timestamp, end: Timestamp) {
    let clock = Stepped::at(begin);
    let [owner, other] = traders(sandbox, &clock);
    let orders = orders();
    let step = (end.as_millis() - begin.as_millis()) / i64::from(orders);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut long = false;
    // Rests all the time.
    owner.spot("buy", "limit", 40_000, "0.01").await;
    for order in 0..orders {
        // Some orders share a millisecond, before a long pause.
        if order % 40 == 0 {
            let by = u64::try_from(step * 40).expect("a span");
            sandbox.advance(Duration::from_millis(by));
            clock.set(sandbox);
        }
        let price = 60_000 + random.below(1_000);
        let (side, against) = if order % 2 == 0 { ("buy", "sell") } else { ("sell", "buy") };
        match random.below(10) {
            // Rests and is filled.
            0..4 => {
                owner.spot(side, "limit", price, "0.001").await;
                other.spot(against, "limit", price, "0.001").await;
            }
            // Is partially filled and canceled.
            4..6 => {
                other.spot(against, "limit", price, "0.001").await;
                owner.spot(side, "ioc", price, "0.002").await;
            }
            // Rests and is canceled.
            6..8 => {
                let id = owner.spot(side, "limit_maker", price, "0.001").await;
                let parameters = json!({ "symbol": "BTC_USDT", "order_id": id });
                owner.send("spot_cancel_order", parameters).await;
            }
            // Opens or closes a position, which pays funding meanwhile.
            _ => {
                let (rests, takes) = if long { (3, 2) } else { (1, 4) };
                owner.futures(rests, 1, price).await;
                other.futures(takes, 1, price).await;
                long = !long;
            }
        }
        let money = json!({ "currency": "USDT", "amount": "50" });
        match order % 400 {
            100 => drop(sandbox.deposit(1, "USDT", "75.5".parse().expect("an amount"))),
            200 | 300 => {
                let way = if order % 400 == 200 { "spot_to_contract" } else { "contract_to_spot" };
                let parameters = merged(&money, &json!({ "type": way }));
                owner.send("futures_transfer", parameters).await;
            }
            399 => {
                let to = json!({ "currency": "USDT-TRC20", "destination": "To Digital Address",
                    "address": "TXk1gKyAHMExampleAddressOfTests123" });
                owner.send("account_withdraw", merged(&money, &to)).await;
            }
            _ => {}
        }
    }
    // One stays open: its margin still belongs to the account.
    owner.spot("buy", "limit", 50_000, "0.01").await;
    sandbox.advance(Duration::from_millis(
        u64::try_from(Timestamp::now().as_millis()).expect("a time") - sandbox.now_ms(),
    ));
}

fn words<'a>(folder: &'a Path, from: &'a str) -> [&'a str; 6] {
    ["export", "--unlimited", "--out", folder.to_str().expect("text"), "--from", from]
}

/// Size of a folder in bytes.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(data) if data.is_dir() => size(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

/// Runs an export and kills it once its folder has `bytes`. Returns whether it was killed.
fn killed_at(place: &Place, folder: &Path, from: &str, bytes: u64) -> bool {
    let ready = place.ready_file();
    let mut child = Command::new(env!("CARGO_BIN_EXE_bitmart"))
        .args(words(folder, from))
        .args(["--env", ready.to_str().expect("text")])
        .env_clear()
        .env("HOME", folder.parent().expect("a folder"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    loop {
        if let Some(status) = child.try_wait().expect("a status") {
            assert!(status.success(), "the export failed: {status}");
            return false;
        }
        if size(folder) >= bytes {
            // SIGKILL
            child.kill().expect("killed");
            return child.wait().expect("a status").code().is_none();
        }
        std::thread::yield_now();
    }
}

fn rows(folder: &Path, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join(format!("{name}.jsonl"))).expect(name);
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Members of rows, by an id that must be unique.
fn by_id<const N: usize>(
    rows: &[Value],
    id: &str,
    names: [&str; N],
) -> BTreeMap<String, [String; N]> {
    let text = |row: &Value, name: &str| match &row[name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut found = BTreeMap::new();
    for row in rows {
        let reported = names.map(|name| text(row, name));
        assert!(found.insert(text(row, id), reported).is_none(), "{id} twice: {row}");
    }
    found
}

/// Asserts that the rows equal those of the ledger.
fn compare(sandbox: &Sandbox, folder: &Path) {
    let own = |account: u32, symbol: &str, other: &str| account == 1 && symbol == other;
    let orders = sandbox.orders();
    let fills = sandbox.fills();
    for (symbol, name, id, names) in [
        ("BTC_USDT", "orders", "orderId", ["state", "filledSize"]),
        ("BTCUSDT", "futures-orders-BTCUSDT", "order_id", ["state", "deal_size"]),
    ] {
        let exported = by_id(&rows(folder, name), id, names);
        let ledger = orders.iter().filter(|order| own(order.account, &order.symbol, symbol));
        let ledger: BTreeMap<_, _> = ledger
            .filter(|order| order.state != "new" && order.state != "open")
            .map(|order| {
                let state = if symbol == "BTCUSDT" { "4".to_owned() } else { order.state.clone() };
                (order.order_id.clone(), [state, order.filled.normalize().to_string()])
            })
            .collect();
        let exported: BTreeMap<_, _> = exported
            .into_iter()
            .map(|(id, [state, filled])| (id, [state, plain(&filled)]))
            .collect();
        assert_eq!(exported.len(), ledger.len(), "{name}");
        assert!(exported == ledger, "{name}: a row differs from the ledger");
    }
    for (symbol, name, id, names) in [
        ("BTC_USDT", "trades", "tradeId", ["price", "size", "fee", "createTime"]),
        ("BTCUSDT", "futures-trades", "trade_id", ["price", "vol", "paid_fees", "create_time"]),
    ] {
        let exported = by_id(&rows(folder, name), id, names);
        let exported: BTreeMap<_, _> =
            exported.into_iter().map(|(id, row)| (id, row.map(|text| plain(&text)))).collect();
        let ledger = fills.iter().filter(|fill| own(fill.account, &fill.symbol, symbol));
        let ledger: BTreeMap<_, _> = ledger
            .map(|fill| {
                let amounts =
                    [fill.price, fill.size, fill.fee].map(|one| one.normalize().to_string());
                let [price, size, fee] = amounts;
                (fill.trade_id.clone(), [price, size, fee, fill.time_ms.to_string()])
            })
            .collect();
        assert_eq!(exported.len(), ledger.len(), "{name}");
        assert!(exported == ledger, "{name}: a row differs from the ledger");
    }
}

/// A number without trailing zeros.
fn plain(text: &str) -> String {
    let number: bitmart::Decimal = text.parse().expect("a number");
    number.normalize().to_string()
}

/// The datasets of an export, with their rows.
fn datasets(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let files = entries.map(|entry| entry.expect("an entry").path());
    let rows = files.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    rows.map(|path| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let bytes = std::fs::read(path).expect("rows");
        (name, bytes)
    })
    .collect()
}

#[test]
fn export_killed_twenty_times_equals_the_ledger() {
    let now = Timestamp::now();
    let (begin, end) = (now - YEARS, now - GAP);
    let start_ms = u64::try_from(begin.as_millis()).expect("a time");
    let config = Config::new().stepped_clock(start_ms).market_maker(false).rate_limits(false);
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let started = Instant::now();
    let snapshot = runtime.block_on(async {
        let sandbox = Sandbox::start(config.history_limit(1_000_000)).await.expect("it starts");
        seed(&sandbox, begin, end).await;
        sandbox.snapshot()
    });
    eprintln!("{} orders in {:?}", orders(), started.elapsed());
    // The program uses the machine's clock.
    let config = Config::new().market_maker(false).rate_limits(false);
    let place = sandbox_of(config.restore(snapshot).machine_clock());

    let folder = tempfile::tempdir().expect("a folder");
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    let from = begin.to_string();
    let started = Instant::now();
    let once = bitmart(&place, &words(&whole, &from));
    assert_eq!(once.code, 0, "{}", once.err);
    println!("exported {} orders in {:?}", orders(), started.elapsed());
    compare(&place.sandbox, &whole);
    let open = by_id(&rows(&whole, "open-orders"), "orderId", ["price"]);
    let prices: Vec<_> = open.values().map(|[price]| plain(price)).collect();
    assert_eq!(prices, ["40000", "50000"], "orders that rest are listed however old they are");

    let all = size(&whole);
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut kills = 0;
    let started = Instant::now();
    while kills < KILLS {
        let here = size(&killed);
        if killed_at(&place, &killed, &from, here + random.below(all / 10)) {
            kills += 1;
        } else {
            // It finished before it was killed often enough: begin again.
            std::fs::remove_dir_all(&killed).expect("removed");
        }
    }
    let rest = bitmart(&place, &words(&killed, &from));
    assert_eq!(rest.code, 0, "{}", rest.err);
    println!("exported with {kills} kills in {:?}", started.elapsed());
    let (whole, again) = (datasets(&whole), datasets(&killed));
    assert!(whole.keys().eq(again.keys()));
    for (name, rows) in &whole {
        // Snapshots were taken at another time.
        let is_snapshot = String::from_utf8_lossy(rows).contains("\"taken\":");
        assert!(is_snapshot || again[name] == *rows, "{name} differs");
    }
    let verified = bitmart(&place, &["verify", killed.to_str().expect("text")]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    // The initial balance of the account is in no list.
    for (place, given) in [("spot USDT", 100_000), ("spot BTC", 100_000), ("futures USDT", 100_000)]
    {
        let line = verified.out.lines().find(|line| line.starts_with(&format!("{place}: ")));
        let line = line.expect(place);
        assert!(line.ends_with(&format!(" difference {given}")), "{line}");
    }
}
