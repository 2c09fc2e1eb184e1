//! `report`: the page equals the ledger of the exchange to the last digit, and states gaps of the archive.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use bitmart::sandbox::{Balance, Fill};
use bitmart::{Decimal, dec};
use serde_json::{Value, json};

use crate::common::month::Month;
use crate::common::page::{number, sum, table};
use crate::common::{Outcome, SIGNALLED, at_home};

/// Hostile text.
const HOSTILE: &str = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&";
const DAYS: u64 = 9;

/// An archive, and the final data of the exchange.
struct Archived {
    home: tempfile::TempDir,
    now: String,
    balances: Vec<Balance>,
    fills: Vec<Fill>,
    /// Done deposits and withdrawals, by kind.
    funds: BTreeMap<&'static str, Vec<Value>>,
}

/// An archive of an account with trades, futures, savings, deposits and withdrawals.
fn archived() -> &'static Archived {
    static ARCHIVED: OnceLock<Archived> = OnceLock::new();
    ARCHIVED.get_or_init(|| {
        let mut month = Month::begin();
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("archive");
        month.runtime.block_on(async {
            let parameters = json!({ "currentPage": 1, "sizePage": 100, "coinName": "USDT" });
            let products = month.owner.send("earn_flexible_products", parameters).await;
            let id = products["data"]["list"][0]["productId"].clone();
            let parameters =
                json!({ "productId": id, "amount": "36500", "requestNo": "00000000000000000001" });
            month.owner.send("earn_subscribe_flexible", parameters).await;
        });
        for day in 0..DAYS {
            month.day(day);
            if day % 4 == 2 {
                let run = month.export(&folder, &[]);
                assert_eq!(run.code, 0, "{}", run.err);
            }
            month.advance(Duration::from_secs(3600));
        }
        month.advance(Duration::from_secs(108_000));
        let run = month.export(&folder, &[]);
        assert_eq!(run.code, 0, "{}", run.err);
        let funds = ["deposit", "withdraw"].map(|kind| {
            let parameters = json!({ "operation_type": kind, "N": 1000 });
            let reported =
                month.runtime.block_on(month.owner.send("account_funding_history", parameters));
            (kind, reported["data"]["records"].as_array().expect("rows").clone())
        });
        let of_owner = |fill: &Fill| fill.account == 1;
        Archived {
            now: month.now(),
            balances: month.place.sandbox.balances(),
            fills: month.place.sandbox.fills().into_iter().filter(of_owner).collect(),
            funds: funds.into_iter().collect(),
            home,
        }
    })
}

impl Archived {
    /// Copies the archive, for tests that change it.
    fn copy(&self, to: &Path) -> PathBuf {
        copy(&self.home.path().join("archive"), &to.join("archive"));
        to.join("archive")
    }

    fn report(&self, folder: &Path, out: &Path, more: &[&str]) -> Outcome {
        let text = |path: &Path| path.to_str().expect("text").to_owned();
        let (folder, out) = (text(folder), text(out));
        let words = ["report", &folder, "--out", &out];
        let now = ["--now", &self.now];
        let now = if more.contains(&"--now") { &[][..] } else { &now[..] };
        at_home(self.home.path(), &[&words[..], now, more].concat(), "")
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(from, to).expect("copied");
        }
    }
}

/// Folder of the pages, which `cargo xtask test report` opens.
fn pages(home: &Path) -> PathBuf {
    std::env::var_os("BITMART_REPORT_PAGES").map_or_else(|| home.to_owned(), PathBuf::from)
}

#[test]
fn totals_equal_those_of_the_exchange() {
    let archived = archived();
    let home = tempfile::tempdir().expect("a folder");
    let folder = archived.home.path().join("archive");
    let out = pages(home.path()).join("month.html");
    let run = archived.report(&folder, &out, &["--timezone", "Europe/Vienna"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.err.starts_with("PLAY MONEY: "), "{}", run.err);
    let html = std::fs::read_to_string(&out).expect("a page");
    assert!(html.contains("Complete and verified: all"), "{}", run.err);
    assert!(html.len() < 400_000, "{} bytes", html.len());

    // Balances, now and at the end of their timeline.
    let reported = table(&html, "balances-now");
    for balance in archived.balances.iter().filter(|one| one.account == 1) {
        let held = balance.available + balance.frozen;
        if matches!(balance.wallet, "spot" | "earn") && !held.is_zero() {
            assert_eq!(
                sum(&reported, &[balance.wallet, &balance.currency], 2),
                held,
                "{balance:?}"
            );
        }
    }
    let mut levels = 0;
    for number_of in 0..3 {
        let id = format!("levels-{number_of}");
        let caption = html.split_once(&format!("id=\"{id}-caption\">")).expect(&id).1;
        let wallet = caption.split(" at the end").next().expect("words");
        let wallet = wallet.strip_prefix("Balances of ").expect("a wallet");
        let head = html.split_once(&format!("<table id=\"{id}\">")).expect("a table").1;
        let head = head.split("</thead>").next().expect("a head");
        let coins: Vec<&str> =
            head.split("</th>").filter_map(|cell| cell.rsplit('>').next()).collect();
        let rows = table(&html, &id);
        assert!(rows.len() >= 9, "{id}: {rows:?}");
        let last = rows.last().expect("a row");
        for (coin, level) in coins.iter().zip(last).skip(1) {
            assert_eq!(number(level), sum(&reported, &[wallet, coin], 2), "{wallet} {coin}");
            levels += 1;
        }
    }
    assert!(levels >= 4, "{levels}");

    // Deposits and withdrawals.
    let funds = table(&html, "funds-by-coin");
    for (kind, amount) in [("deposit", 2), ("withdraw", 4)] {
        let rows = &archived.funds[kind];
        assert_eq!(rows.len(), usize::try_from(DAYS).expect("few"), "{kind}");
        let of = |name: &str| -> Decimal {
            rows.iter().map(|row| number(row[name].as_str().expect("an amount"))).sum()
        };
        assert_eq!(sum(&funds, &["USDT"], amount), of("arrival_amount"), "{kind}");
        assert_eq!(sum(&funds, &["USDT"], amount - 1), Decimal::from(DAYS), "{kind}");
        if kind == "withdraw" {
            assert_eq!(sum(&funds, &["USDT"], 5), of("fee"));
        }
    }
    let by_month = table(&html, "funds-by-month");
    assert_eq!(sum(&by_month, &["2026-06"], 3), sum(&funds, &[], 2));
    assert_eq!(table(&html, "last-deposits").len(), usize::try_from(DAYS).expect("few"));

    // Trades.
    let contracts =
        std::fs::read_to_string(folder.join("reference-contracts.jsonl")).expect("rows");
    let contracts =
        contracts.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let mut contracts = contracts.filter(|row| row["symbol"] == "BTCUSDT");
    let size = contracts.next().expect("a contract")["contract_size"].clone();
    let size = number(size.as_str().expect("a size"));
    let (volume, fees) = (table(&html, "volume-by-month"), table(&html, "fees-by-month"));
    let pairs = table(&html, "pairs");
    for (symbol, market, size) in [("BTC_USDT", "spot", Decimal::ONE), ("BTCUSDT", "futures", size)]
    {
        let fills = || archived.fills.iter().filter(|fill| fill.symbol == symbol);
        let total: Decimal = fills().map(|fill| fill.price * fill.size * size).sum();
        let base: Decimal = fills().map(|fill| fill.size * size).sum();
        let fee: Decimal = fills().map(|fill| fill.fee).sum();
        let first = ["2026-06", market, "USDT"];
        assert_eq!(sum(&volume, &first, 4) + sum(&volume, &first, 5), total, "{market}");
        assert_eq!(sum(&volume, &first, 3), Decimal::from(fills().count()), "{market}");
        let pair = [symbol, market];
        assert_eq!(sum(&pairs, &pair, 2), Decimal::from(fills().count()), "{market}");
        assert_eq!(sum(&pairs, &pair, 3) + sum(&pairs, &pair, 4), base, "{market}");
        assert_eq!(sum(&pairs, &pair, 6) + sum(&pairs, &pair, 7), total, "{market}");
        assert_eq!(sum(&fees, &first, 3), fee, "{market}");
    }

    // The result of futures is the balance of the wallet without transfers and the initial balance.
    let results = table(&html, "results");
    let futures = sum(&reported, &["futures", "USDT"], 2);
    let moved = Decimal::from(50 * DAYS);
    assert_eq!(sum(&results, &[], 8), futures - dec!(100_000) - moved);
    assert_eq!(sum(&table(&html, "results-by-month"), &["2026-06"], 9), sum(&results, &[], 8));

    // Savings pay 2 % a year: on 36,500 it is 2 a day.
    let income = table(&html, "income-by-kind");
    let interest = sum(&income, &["interest of savings", "USDT"], 2);
    assert!(interest >= dec!(18) && (interest % Decimal::TWO).is_zero(), "{interest}");

    // Differences are the initial balances of the sandbox.
    let differences = table(&html, "differences");
    for (wallet, coin, given) in
        [("spot", "USDT", 100_000), ("spot", "BTC", 50), ("futures", "USDT", 100_000)]
    {
        assert_eq!(sum(&differences, &[wallet, coin], 4), Decimal::from(given), "{wallet} {coin}");
    }
    for row in &differences {
        assert_eq!(number(&row[2]) - number(&row[3]), number(&row[4]), "{row:?}");
        assert_eq!(
            number(&row[4]).is_zero(),
            row[5].is_empty(),
            "every difference has a reason: {row:?}"
        );
    }
}

#[test]
fn escapes_text_of_the_exchange_and_reports_changed_files() {
    let archived = archived();
    let home = tempfile::tempdir().expect("a folder");
    let folder = archived.copy(home.path());
    // As names of coins, pairs, transactions and networks.
    for (name, fields) in [
        ("trades", &["symbol", "feeCoinName", "orderId", "tradeId", "clientOrderId"][..]),
        ("deposits", &["currency", "tx_id", "memo", "address"]),
        ("futures-transactions", &["asset", "symbol"]),
    ] {
        let path = folder.join(format!("{name}.jsonl"));
        let text = std::fs::read_to_string(&path).expect("rows");
        let hostile = |line: &str| {
            let mut row: Value = serde_json::from_str(line).expect("JSON");
            for field in fields {
                row[*field] = format!("{HOSTILE}_{HOSTILE}").into();
            }
            row.to_string() + "\n"
        };
        std::fs::write(&path, text.lines().map(hostile).collect::<String>()).expect("written");
    }
    let out = pages(home.path()).join("hostile.html");
    let run = archived.report(&folder, &out, &[]);
    assert_eq!(run.code, 10, "{}", run.err);
    assert!(run.err.contains("trades.jsonl was changed: its hash is another"), "{}", run.err);
    let html = std::fs::read_to_string(&out).expect("a page all the same");
    assert!(html.contains("Not verified: files of the archive are not as they were written"));
    assert!(!html.contains("Complete and verified"));
    for element in ["<script", "<img", "onerror=alert(2)>\""] {
        assert!(!html.contains(element), "{element}");
    }
    assert!(html.matches("alert(1)").count() > 20, "they are there as texts");
}

#[test]
fn rejects_unfinished_archives_and_writes_nothing() {
    let archived = archived();
    let home = tempfile::tempdir().expect("a folder");
    let out = home.path().join("page.html");
    let refused = |folder: &Path, more: &[&str], code: i32, words: &str| {
        let run = archived.report(folder, &out, more);
        assert_eq!(run.code, code, "{words}: {}", run.err);
        assert!(run.err.contains(words), "{words}: {}", run.err);
        assert!(!out.exists(), "{words}");
    };
    let whole = archived.home.path().join("archive");
    refused(&whole, &["--timezone", "Europe/Wien"], 2, "no time zone is called \"Europe/Wien\"");
    refused(home.path(), &[], 2, "holds no archive");
    refused(&home.path().join("nowhere"), &[], 2, "holds no archive");
    refused(archived.home.path(), &[], 2, "name one of its folders");

    let folder = archived.copy(home.path());
    let terms = folder.join("export.json");
    let old = std::fs::read_to_string(&terms).expect("a file");
    let changed = |name: &str, value: Value| {
        let mut terms_now: Value = serde_json::from_str(&old).expect("JSON");
        terms_now[name] = value;
        std::fs::write(&terms, terms_now.to_string()).expect("written");
    };
    changed("version", 3.into());
    refused(&folder, &[], 2, "newer version of this program (format 3");
    changed("finished", false.into());
    refused(&folder, &[], 10, "is not finished");
    std::fs::write(&terms, old).expect("written");

    // An existing file is not overwritten.
    std::fs::write(&out, "mine").expect("written");
    let run = archived.report(&folder, &out, &[]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.err.contains("page.html is there; it was not overwritten"), "{}", run.err);
    assert_eq!(std::fs::read_to_string(&out).expect("text"), "mine");
}

#[test]
fn labels_play_money_and_stale_archives() {
    let archived = archived();
    let home = tempfile::tempdir().expect("a folder");
    let folder = archived.home.path().join("archive");
    let out = home.path().join("page.html");
    let run = archived.report(&folder, &out, &["--now", "2026-12-24"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.err.contains("Stale: the archive ends at 2026-06-"), "{}", run.err);
    let html = std::fs::read_to_string(&out).expect("a page");
    let body = html.split_once("<body>").expect("a body").1;
    let words = body.split_once('>').expect("the header").1.split_once('>').expect("a line").1;
    assert!(words.starts_with("PLAY MONEY: this archive is of a sandbox"), "{words:.80}");
    assert!(html.contains("<title>PLAY MONEY: BitMart account"));
    assert!(
        html.contains("Stale: the archive ends at") && html.contains("STALE: run the export again")
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&out).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "the user's alone");
    }
}

#[test]
fn names_incomplete_lists() {
    let mut month = Month::begin();
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("archive");
    month.day(0);
    let killed = month.export(&folder, &["--stop-after", "5"]);
    assert_eq!(killed.code, SIGNALLED, "{}", killed.err);
    let out = home.path().join("page.html");
    let text = |path: &Path| path.to_str().expect("text").to_owned();
    let words = ["report", &text(&folder), "--out", &text(&out), "--now", &month.now()];
    let run = at_home(home.path(), &words, "");
    assert_eq!(run.code, 10, "{}", run.err);
    assert!(run.err.contains("is not finished") && !out.exists(), "{}", run.err);
    let refused = bitmart::sandbox::Fault::Html(404).on("/spot/v4/query/trades").times(u32::MAX);
    month.place.sandbox.inject(refused);
    let run = month.export(&folder, &["--patience", "0"]);
    assert_eq!(run.code, 10, "{}", run.err);
    let run = at_home(home.path(), &words, "");
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.err.contains("Not complete: "), "{}", run.err);
    let html = std::fs::read_to_string(&out).expect("a page");
    assert!(!html.contains("Complete and verified"));
    let lacking = table(&html, "lacking");
    assert!(lacking.iter().any(|row| row[0] == "trades.jsonl"), "{lacking:?}");
    let files = table(&html, "lists");
    let trades = files.iter().find(|row| row[0] == "trades.jsonl").expect("a row");
    assert_eq!(trades[5], "no");
}

/// `REPORT_TEST_TRADES` trades of five hundred pairs in eight years.
#[test]
fn page_of_many_trades_is_small() {
    let archived = archived();
    let home = tempfile::tempdir().expect("a folder");
    let folder = archived.copy(home.path());
    let path = folder.join("trades.jsonl");
    let rows = std::fs::read_to_string(&path).expect("rows");
    let row: Value = serde_json::from_str(rows.lines().next().expect("a row")).expect("JSON");
    let count = std::env::var("REPORT_TEST_TRADES").ok().and_then(|count| count.parse().ok());
    let count: u64 = count.unwrap_or(3_000);
    let (begin, end) = (1_514_764_800_000, 1_767_225_600_000);
    let mut text = String::new();
    for number in 0..count {
        let mut row = row.clone();
        row["symbol"] = format!("COIN{}_USDT", number % 500).into();
        row["tradeId"] = format!("9{number}").into();
        row["createTime"] = (begin + (end - begin) / count * number).into();
        text += &(row.to_string() + "\n");
    }
    std::fs::write(&path, &text).expect("written");
    // What follows the bytes of the state is no part of the archive.
    let path = folder.join("state/trades.json");
    let state = std::fs::read(&path).expect("a state");
    let mut state: Value = serde_json::from_slice(&state).expect("JSON");
    (state["bytes"], state["rows"]) = (text.len().into(), count.into());
    std::fs::write(&path, state.to_string()).expect("written");
    let out = home.path().join("page.html");
    let run = archived.report(&folder, &out, &[]);
    assert_eq!(run.code, 10, "the rows are no longer those of the manifest: {}", run.err);
    let html = std::fs::read_to_string(&out).expect("a page");
    let volume = table(&html, "volume-by-month");
    assert_eq!(volume.iter().filter(|row| row[1] == "spot").count(), 96, "every month");
    let trades: Decimal =
        volume.iter().filter(|row| row[1] == "spot").map(|row| number(&row[3])).sum();
    assert_eq!(trades, Decimal::from(count));
    assert!(html.contains("By pair or contract: the 100 with most trades, of 501"));
    assert!(html.contains("The last trades of spot and margin, 20 at most"));
    println!("{count} trades make a page of {} bytes", html.len());
    assert!(html.len() < 2_000_000, "{} bytes", html.len());
}
