//! Exports of what the sandbox never returns: rows whose ids are not unique, more rows in one instant than a
//! response holds, values that cannot be read, and lists that are rejected.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bitmart::Timestamp;
use serde_json::{Value, json};

use crate::common::scripted::{Query, Scripted};

const TRANSACTIONS: &str = "/contract/private/transaction-history";
const TRADES: &str = "/spot/v4/query/trades";
const SAVINGS: &str = "/newearn/cloud/v1/saving/record";
const ACCOUNT: &str = "/uapi-key/v1/account/info";

/// A day ago, in a whole second.
fn yesterday() -> i64 {
    (Timestamp::now().as_millis() / 1_000 - 86_400) * 1_000
}

/// The rows of a window, newest first and at most `most`.
fn within(rows: &[Value], time: &str, query: &Query, names: [&str; 2], most: usize) -> Vec<Value> {
    let [from, to] = names.map(|name| query.number(name));
    let of = |row: &Value| match &row[time] {
        Value::String(text) => text.parse().expect("a time"),
        other => other.as_i64().expect("a time"),
    };
    rows.iter().rev().filter(|row| (from..=to).contains(&of(row))).take(most).cloned().collect()
}

fn funding(time: i64, symbol: &str, amount: &str) -> Value {
    let time = time.to_string();
    json!({ "time": time, "tran_id": time, "type": "Funding Fee", "flow_type": "3",
        "symbol": symbol, "asset": "USDT", "amount": amount })
}

fn fill(time: i64, trade: usize, order: usize) -> Value {
    json!({ "tradeId": trade.to_string(), "orderId": order.to_string(), "symbol": "BTC_USDT",
        "side": "buy", "orderMode": "spot", "type": "limit", "price": "10", "size": "1",
        "notional": "10", "fee": "0.1", "feeCoinName": "USDT", "tradeRole": "taker",
        "createTime": time, "updateTime": time })
}

/// The rows of a dataset, as a sorted list of whole rows: a row that is there twice is found twice.
fn rows(folder: &Path, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join(format!("{name}.jsonl"))).expect(name);
    let mut rows: Vec<_> = text.lines().map(str::to_owned).collect();
    rows.sort();
    rows
}

fn members(folder: &Path, name: &str, member: &str) -> Vec<String> {
    let of = |row: &String| {
        let row: Value = serde_json::from_str(row).expect("JSON");
        row[member].as_str().unwrap_or_default().to_owned()
    };
    let mut found: Vec<_> = rows(folder, name).iter().map(of).collect();
    found.sort();
    found
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

fn write(path: &Path, value: &Value) {
    std::fs::write(path, value.to_string()).expect("written");
}

/// Transactions of three contracts in one millisecond, and a fourth from the second export on.
fn contracts(runs: Arc<AtomicUsize>) -> Scripted {
    let at = yesterday();
    let symbols = ["BTCUSDT", "ETHUSDT", "LTCUSDT", "XRPUSDT"];
    let all = symbols.map(|symbol| funding(at, symbol, "-0.5"));
    Scripted::new(move |path, query| match path {
        TRANSACTIONS => {
            let known = 3 + runs.load(Ordering::SeqCst);
            let times = ["start_time", "end_time"];
            Ok(within(&all[..known], "time", query, times, 1_000).into())
        }
        _ => Err(61006),
    })
}

#[test]
fn transactions_of_one_millisecond_are_all_there_although_they_share_an_id() {
    let runs = Arc::new(AtomicUsize::new(0));
    let exchange = contracts(runs.clone());
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let sent = exchange.export(folder, "transactions", &[]);
    assert_eq!(sent.code, 0, "{}", sent.err);
    let symbols = members(folder, "futures-transactions", "symbol");
    assert_eq!(symbols, ["BTCUSDT", "ETHUSDT", "LTCUSDT"]);
    runs.store(1, Ordering::SeqCst);
    let sent = exchange.export(folder, "transactions", &[]);
    assert_eq!(sent.code, 0, "{}", sent.err);
    let symbols = members(folder, "futures-transactions", "symbol");
    assert_eq!(symbols, ["BTCUSDT", "ETHUSDT", "LTCUSDT", "XRPUSDT"]);
    assert!(!folder.join("versions/futures-transactions.jsonl").exists());
    let verified = exchange.verify(folder);
    assert_eq!(verified.code, 0, "{}", verified.err);
}

/// Makes an archive as programs wrote it that told rows apart by the exchange's id: one row of three is left, and the
/// two others are its older versions. `unfinished` stops within the span.
fn as_of_old_program(folder: &Path, unfinished: bool) {
    const NAME: &str = "futures-transactions";
    let text = rows(folder, NAME);
    let (last, lost) = text.split_last().expect("rows");
    std::fs::write(folder.join(format!("{NAME}.jsonl")), format!("{last}\n")).expect("written");
    let lost: String = lost.iter().flat_map(|row| [row.as_str(), "\n"]).collect();
    std::fs::create_dir_all(folder.join("versions")).expect("a folder");
    std::fs::write(folder.join(format!("versions/{NAME}.jsonl")), &lost).expect("written");
    let path = folder.join(format!("state/{NAME}.json"));
    let mut state = read(&path);
    (state["rows"], state["bytes"]) = (1.into(), (last.len() + 1).into());
    (state["versions"], state["version_bytes"]) = (2.into(), lost.len().into());
    state.as_object_mut().expect("an object").remove("identity");
    if unfinished {
        state["done"] = false.into();
        let at = yesterday();
        let (end, next) = (state["to"].clone(), at + 1);
        state["to"] = Value::Null;
        // The millisecond was read, and the next window contains it once more.
        state["cursor"] = json!({ "next": next, "end": end, "span": 604_800_000, "page": 1,
            "seen": [at.to_string()], "current": [] });
        state["todo"] = json!([{ "from": at - 172_800_000, "to": end }]);
        let path = folder.join("export.json");
        let mut info = read(&path);
        info["finished"] = false.into();
        write(&path, &info);
    }
    write(&path, &state);
}

#[test]
fn an_archive_of_an_older_program_gets_its_rows_back_and_none_twice() {
    for unfinished in [false, true] {
        let exchange = contracts(Arc::new(AtomicUsize::new(0)));
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let sent = exchange.export(folder, "transactions", &[]);
        assert_eq!(sent.code, 0, "{}", sent.err);
        let whole = rows(folder, "futures-transactions");
        as_of_old_program(folder, unfinished);
        if !unfinished {
            let reread = exchange.run(&["export", "--reread", folder.to_str().expect("text")]);
            assert_eq!(reread.code, 0, "{}", reread.err);
            assert_eq!(rows(folder, "futures-transactions"), whole, "by reading the responses");
            as_of_old_program(folder, unfinished);
        }
        let sent = exchange.export(folder, "transactions", &[]);
        assert_eq!(sent.code, 0, "{}", sent.err);
        assert_eq!(rows(folder, "futures-transactions"), whole, "unfinished: {unfinished}");
        let verified = exchange.verify(folder);
        assert_eq!(verified.code, 0, "{}", verified.err);
    }
}

#[test]
fn both_fills_of_a_trade_with_oneself_are_there() {
    let at = yesterday();
    let fills = [fill(at, 7, 1), fill(at, 7, 2), fill(at + 1, 8, 3)];
    let exchange = Scripted::new(move |path, query| match path {
        TRADES => Ok(within(&fills, "createTime", query, ["startTime", "endTime"], 200).into()),
        _ => Err(61006),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    for run in 1..=2 {
        let sent = exchange.export(folder, "trades", &[]);
        assert_eq!(sent.code, 0, "{}", sent.err);
        assert_eq!(members(folder, "trades", "orderId"), ["1", "2", "3"], "run {run}");
    }
    let tax = ["tax", folder.to_str().expect("text"), "--format", "generic", "--play-money"];
    let tax = exchange.run(&tax);
    let mut ids: Vec<_> = tax.out.lines().skip(1).filter_map(|row| row.split(',').nth(2)).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3, "each fill has its own id: {}", tax.out);
}

#[test]
fn an_instant_with_more_fills_than_a_response_ends_no_history() {
    let at = yesterday();
    let mut fills: Vec<_> = (0..250).map(|trade| fill(at, trade, 1)).collect();
    fills.extend((250..260).map(|trade| fill(at + 60_000, trade, 2)));
    let exchange = Scripted::new(move |path, query| match path {
        TRADES => Ok(within(&fills, "createTime", query, ["startTime", "endTime"], 200).into()),
        _ => Err(61006),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    for run in 1..=2 {
        let sent = exchange.export(folder, "trades", &[]);
        assert_eq!(sent.code, 10, "run {run}: {}", sent.err);
        let trades = members(folder, "trades", "tradeId");
        assert_eq!(trades.len(), 210, "all that was returned, and what came later");
        assert!(trades.contains(&"259".to_owned()));
    }
    let verified = exchange.verify(folder);
    assert_eq!(verified.code, 10);
    let wanted = "trades: the exchange does not return all rows of 1 times";
    assert!(verified.err.contains(wanted), "{}", verified.err);
    let tax = ["tax", folder.to_str().expect("text"), "--format", "generic", "--play-money"];
    let tax = exchange.run(&tax);
    assert_eq!(tax.code, 10, "{}", tax.err);
    assert!(tax.out.lines().count() > 210 && tax.err.contains("trades is not complete"));
}

/// Interest of savings, without ids: `count` rows of one time, of which only `pages` pages of at most 20 are returned.
fn interest(count: usize, pages: i64) -> Scripted {
    let at = yesterday();
    Scripted::new(move |path, query| match path {
        SAVINGS if query.text("type") == "interest" => {
            let row = |number: usize| {
                json!({ "type": "interest", "coinName": "USDT",
                "amount": format!("0.{}", 1 + number / 2), "time": at })
            };
            let all: Vec<_> = (0..count).map(row).collect();
            let inside = within(&all, "time", query, ["startTime", "endTime"], usize::MAX);
            let page = query.number("currentPage");
            let skipped = usize::try_from(page - 1).expect("a page") * 20;
            let rows: Vec<_> = inside.iter().skip(skipped).take(20).cloned().collect();
            let rows = if page > pages { Vec::new() } else { rows };
            Ok(json!({ "total": inside.len(), "list": rows }))
        }
        _ => Err(61006),
    })
}

#[test]
fn pages_that_are_shorter_than_requested_do_not_end_a_list() {
    let folder = tempfile::tempdir().expect("a folder");
    let exchange = interest(50, 3);
    // Two equal rows are two payments.
    for run in 1..=2 {
        let sent = exchange.export(folder.path(), "earn", &[]);
        assert_eq!(sent.code, 0, "run {run}: {}", sent.err);
        let rows = rows(folder.path(), "earn-flexible-interest");
        assert_eq!(rows.len(), 50, "run {run}");
        assert!(rows.chunks(2).all(|pair| pair[0] == pair[1]));
    }
    let verified = exchange.verify(folder.path());
    assert_eq!(verified.code, 0, "{}", verified.err);

    let folder = tempfile::tempdir().expect("a folder");
    let sent = interest(50, 2).export(folder.path(), "earn", &[]);
    assert_eq!(sent.code, 10, "{}", sent.err);
    assert_eq!(rows(folder.path(), "earn-flexible-interest").len(), 40);
    assert!(sent.err.contains("the exchange states 50 rows"), "{}", sent.err);
}

#[test]
fn only_rejections_that_concern_the_account_count_as_complete() {
    for (code, wanted) in
        [(61006, 0), (30019, 0), (30012, 10), (30010, 10), (60000, 10), (30000, 10)]
    {
        let exchange = Scripted::new(move |_, _| Err(code));
        let folder = tempfile::tempdir().expect("a folder");
        let sent = exchange.export(folder.path(), "earn", &[]);
        // Some codes concern every request, and end the run at once.
        assert!(sent.code == wanted || (wanted == 10 && sent.code != 0), "{code}: {}", sent.err);
        assert!(wanted == 0 || sent.err.contains("earn-flexible-subscriptions"), "{}", sent.err);
    }
}

#[test]
fn a_value_that_cannot_be_read_makes_its_list_incomplete() {
    let mut row = fill(yesterday(), 1, 1);
    row["fee"] = "1,234.5".into();
    let exchange = Scripted::new(move |path, query| match path {
        TRADES => {
            let rows = std::slice::from_ref(&row);
            Ok(within(rows, "createTime", query, ["startTime", "endTime"], 200).into())
        }
        _ => Err(61006),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let sent = exchange.export(folder.path(), "trades", &[]);
    assert_eq!(sent.code, 10, "{}", sent.err);
    let wanted = "values are not understood and missing in the rows";
    assert!(sent.err.contains(wanted), "{}", sent.err);
    let folder = folder.path().to_str().expect("text");
    let reread = exchange.run(&["export", "--reread", folder]);
    assert_eq!(reread.code, 10, "{}", reread.err);
    assert!(reread.err.contains("nothing is gained"), "{}", reread.err);
    let tax = exchange.run(&["tax", folder, "--format", "generic", "--play-money"]);
    assert_eq!(tax.code, 10, "{}", tax.err);
}

#[test]
fn tax_reports_a_file_that_grew_and_ignores_what_was_added() {
    let fills = [fill(yesterday(), 1, 1)];
    let exchange = Scripted::new(move |path, query| match path {
        TRADES => Ok(within(&fills, "createTime", query, ["startTime", "endTime"], 200).into()),
        _ => Err(61006),
    });
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(exchange.export(folder.path(), "trades", &[]).code, 0);
    let words =
        ["tax", folder.path().to_str().expect("text"), "--format", "generic", "--play-money"];
    let before = exchange.run(&words);
    assert_eq!(before.code, 10, "only trades were exported: {}", before.err);
    assert!(before.err.contains("deposits was never exported"), "{}", before.err);
    assert!(!before.err.contains("another length"), "{}", before.err);
    let path = folder.path().join("trades.jsonl");
    let row = std::fs::read_to_string(&path).expect("rows");
    std::fs::write(&path, row.repeat(2)).expect("written");
    let after = exchange.run(&words);
    assert!(after.err.contains("trades.jsonl has another length"), "{}", after.err);
    assert_eq!(after.out, before.out);
}

#[test]
fn a_new_key_of_the_same_account_continues_its_archive() {
    let exchange = Scripted::new(|path, _| match path {
        ACCOUNT => Ok(json!({ "cid": "7", "account_type": "main" })),
        _ => Err(61006),
    });
    let parts = "reference,balances";
    let folder = tempfile::tempdir().expect("a folder");
    exchange.export(folder.path(), parts, &[]);
    let exchange = exchange.with_key("renewed");
    let sent = exchange.export(folder.path(), parts, &[]);
    assert!(sent.err.contains("another API key of the same account"), "{}", sent.err);
    assert_ne!(sent.code, 2, "{}", sent.err);

    // Without the account's id, the user has to say so.
    let folder = tempfile::tempdir().expect("a folder");
    exchange.export(folder.path(), "earn", &[]);
    let exchange = exchange.with_key("newer");
    let sent = exchange.export(folder.path(), "earn", &[]);
    assert_eq!(sent.code, 2, "{}", sent.err);
    let sent = exchange.export(folder.path(), "earn", &["--new-key"]);
    assert_eq!(sent.code, 0, "{}", sent.err);
}

#[test]
fn an_order_that_left_the_open_ones_is_requested_until_the_history_has_it() {
    let at = yesterday();
    let order = move |state: &str| {
        json!({ "orderId": "5", "clientOrderId": "5", "symbol": "BTC_USDT", "side": "buy",
            "orderMode": "spot", "type": "limit", "state": state, "price": "10", "priceAvg": "0",
            "size": "1", "filledSize": "0", "notional": "10", "filledNotional": "0",
            "createTime": at, "updateTime": at })
    };
    let run = Arc::new(AtomicUsize::new(1));
    let now = run.clone();
    let exchange = Scripted::new(move |path, query| {
        let rows = match (path, now.load(Ordering::SeqCst)) {
            ("/spot/v4/query/open-orders", 1) => vec![order("new")],
            // The exchange adds it late.
            ("/spot/v4/query/history-orders", 3..) => vec![order("canceled")],
            ("/spot/v4/query/open-orders" | "/spot/v4/query/history-orders", _) => Vec::new(),
            _ => return Err(61006),
        };
        Ok(within(&rows, "createTime", query, ["startTime", "endTime"], 200).into())
    });
    let folder = tempfile::tempdir().expect("a folder");
    for number in 1..=3 {
        run.store(number, Ordering::SeqCst);
        // Without an overlap, only what is known to be missing is requested once more.
        let sent = exchange.export(folder.path(), "orders", &["--overlap", "0"]);
        assert_eq!(sent.code, 0, "run {number}: {}", sent.err);
    }
    assert_eq!(members(folder.path(), "orders", "orderId"), ["5"]);
}

#[test]
fn a_list_that_rejects_old_times_is_exported_from_the_first_it_accepts() {
    let first = yesterday() - 90 * 86_400_000;
    let fills = [fill(yesterday(), 1, 1)];
    let exchange = Scripted::new(move |path, query| match path {
        TRADES if query.number("startTime") < first => Err(50041),
        TRADES => Ok(within(&fills, "createTime", query, ["startTime", "endTime"], 200).into()),
        _ => Err(61006),
    });
    let folder = tempfile::tempdir().expect("a folder");
    for run in 0..2 {
        let out = folder.path().to_str().expect("text");
        let words = ["export", "--no-pauses", "--unlimited", "--to", "now", "--what", "trades"];
        let more = ["--from", "2024-01-01", "--out", out];
        let sent = exchange.run(&[&words[..], &more].concat());
        assert_eq!(sent.code, 10, "older rows are missing: {}", sent.err);
        assert!(sent.err.contains("the exchange rejects this time"), "run {run}: {}", sent.err);
        assert_eq!(rows(folder.path(), "trades").len(), 1, "run {run}");
    }
    let verified = exchange.run(&["verify", folder.path().to_str().expect("text")]);
    assert_eq!(verified.code, 10, "{}", verified.err);
    assert!(verified.err.contains("2024-01-01"), "the gap is named: {}", verified.err);
}
