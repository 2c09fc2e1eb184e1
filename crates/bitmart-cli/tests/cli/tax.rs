//! Files for tax tools from the archive of a month: the sums of every format equal the sandbox's ledger to the last
//! digit, apart from what is reported as unsupported.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bitmart::{Decimal, dec};

use crate::common::everything::ARCHIVE;
use crate::common::{Outcome, at_home};

/// Sums by coin.
type Sums = BTreeMap<String, Decimal>;

const FORMATS: [&str; 7] =
    ["rp2", "bittytax", "koinly", "cointracking", "rotki", "coinledger", "generic"];

fn tax(words: &[&str]) -> Outcome {
    let archive = &*ARCHIVE;
    let folder = archive.folder();
    let words = [&["tax", folder.to_str().expect("text")], words].concat();
    at_home(archive.home.path(), &words, "")
}

/// Writes the files of a format to a folder.
fn files(format: &str, more: &[&str]) -> (tempfile::TempDir, Outcome) {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("taxes.csv");
    let words = ["--play-money", "--format", format, "--out", out.to_str().expect("text")];
    let run = tax(&[&words[..], more].concat());
    (folder, run)
}

type Row = BTreeMap<String, String>;

fn read(path: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path).expect("a file");
    let header = reader.headers().expect("names").clone();
    let row = |record: csv::StringRecord| {
        header.iter().zip(record.iter()).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    };
    reader.records().map(|record| row(record.expect("a row"))).collect()
}

/// Sums pairs of amount and coin columns, each with a sign.
fn sum(rows: &[Row], columns: &[(&str, &str, i64)]) -> Sums {
    let mut sums = Sums::new();
    for row in rows {
        for (amount, coin, sign) in columns {
            if row[*amount].is_empty() {
                continue;
            }
            let amount: Decimal = row[*amount].parse().expect("a number");
            let sum: &mut Decimal = sums.entry(row[*coin].clone()).or_default();
            *sum += amount * Decimal::from(*sign);
        }
    }
    sums
}

fn plus(sums: &mut Sums, more: Sums) {
    for (coin, amount) in more {
        *sums.entry(coin).or_default() += amount;
    }
}

/// Sums the files of a format as its tool does.
fn sums(format: &str, folder: &Path) -> Sums {
    let file = |name: &str| read(&folder.join(name));
    let taxes = || file("taxes.csv");
    let mut sums = match format {
        "rp2" => {
            let mut sums = sum(&file("taxes-in.csv"), &[("crypto_in", "asset", 1)]);
            let out = [("crypto_out_no_fee", "asset", -1), ("crypto_fee", "asset", -1)];
            plus(&mut sums, sum(&file("taxes-out.csv"), &out));
            let moved = [("crypto_sent", "asset", -1), ("crypto_received", "asset", 1)];
            plus(&mut sums, sum(&file("taxes-intra.csv"), &moved));
            sums
        }
        "bittytax" => sum(
            &taxes(),
            &[
                ("Buy Quantity", "Buy Asset", 1),
                ("Sell Quantity", "Sell Asset", -1),
                ("Fee Quantity", "Fee Asset", -1),
            ],
        ),
        "koinly" => sum(
            &taxes(),
            &[
                ("Received Amount", "Received Currency", 1),
                ("Sent Amount", "Sent Currency", -1),
                ("Fee Amount", "Fee Currency", -1),
            ],
        ),
        "cointracking" => sum(
            &taxes(),
            &[("Buy Amount", "Buy Currency", 1), ("Sell Amount", "Sell Currency", -1)],
        ),
        "coinledger" => sum(
            &taxes(),
            &[
                ("Amount Received", "Asset Received", 1),
                ("Amount Sent", "Asset Sent", -1),
                ("Fee Amount (Optional)", "Fee Currency (Optional)", -1),
            ],
        ),
        "rotki" => {
            let trades = [
                ("Receive Amount", "Receive Currency", 1),
                ("Spend Amount", "Spend Currency", -1),
                ("Fee", "Fee Currency", -1),
            ];
            let mut sums = sum(&file("taxes-trades.csv"), &trades);
            for row in file("taxes-events.csv") {
                let comes = matches!(row["Type"].as_str(), "Deposit" | "Income" | "Staking");
                let sign = if comes { 1 } else { -1 };
                let sides = [("Amount", "Currency", sign), ("Fee", "Fee Currency", -1)];
                plus(&mut sums, sum(&[row], &sides));
            }
            sums
        }
        _ => {
            let mut rows = taxes();
            rows.retain(|row| !row["wallet"].starts_with("sub-account"));
            sum(&rows, &[("amount", "coin", 1)])
        }
    };
    sums.retain(|_, amount| !amount.is_zero());
    sums
}

#[test]
fn sums_of_every_format_equal_those_of_the_sandbox() {
    let archive = &*ARCHIVE;
    for format in FORMATS {
        let (folder, run) = files(format, &[]);
        assert_eq!(run.code, 0, "{format}: {}", run.err);
        let mut wanted = archive.holdings.clone();
        if format == "rp2" {
            // The tool has no loans, so the rest of this one is reported separately.
            assert!(run.err.contains("rp2 cannot carry"), "{}", run.err);
            *wanted.entry("USDT".to_owned()).or_default() -= lacking(&run.err);
        }
        let found = sums(format, folder.path());
        assert_eq!(found, wanted, "{format}: {}", run.err);
    }
}

/// The sum that the program reports as unsupported.
fn lacking(text: &str) -> Decimal {
    let lines = text.lines().filter(|line| line.contains("cannot carry"));
    let amount = |line: &str| {
        let (_, sums) = line.rsplit_once(", ").expect("sums");
        let (amount, coin) = sums.split_once(' ').expect("an amount");
        assert_eq!(coin, "USDT");
        amount.parse::<Decimal>().expect("a number")
    };
    lines.map(amount).sum()
}

#[test]
fn archive_has_every_kind_of_movement() {
    let (folder, run) = files("generic", &["--timezone", "Europe/Vienna"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let rows = read(&folder.path().join("taxes.csv"));
    let kinds: BTreeSet<&str> = rows.iter().map(|row| row["kind"].as_str()).collect();
    for wanted in [
        "trade",
        "fee",
        "deposit",
        "withdrawal",
        "transfer",
        "loan",
        "loan_repayment",
        "margin_interest",
        "earn_interest",
        "funding",
        "realised_profit",
    ] {
        assert!(kinds.contains(wanted), "{wanted} is not among {kinds:?}");
    }
    for row in &rows {
        let is_own = ["deposit", "withdrawal", "transfer", "loan", "loan_repayment"]
            .contains(&row["kind"].as_str());
        assert_eq!(row["taxable"] == "no", is_own, "{row:?}");
        assert!(row["time_local"].ends_with("+02:00"), "summer: {row:?}");
    }
    let times: Vec<_> = rows.iter().map(|row| row["time_utc"].clone()).collect();
    assert!(times.is_sorted());
}

/// A sale follows its purchase, also at equal times.
#[test]
fn no_wallet_is_ever_overdrawn() {
    let (folder, _) = files("generic", &[]);
    let mut held: BTreeMap<(String, String), Decimal> = BTreeMap::new();
    for row in read(&folder.path().join("taxes.csv")) {
        // Transfers to margin are in no list.
        if row["wallet"].starts_with("margin") {
            continue;
        }
        let amount: Decimal = row["amount"].parse().expect("a number");
        let sum = held.entry((row["wallet"].clone(), row["coin"].clone())).or_default();
        *sum += amount;
        assert!(*sum >= Decimal::ZERO, "{row:?}: {sum}");
    }
}

#[test]
fn year_begins_in_the_time_zone() {
    let (folder, run) = files("generic", &["--year", "2026", "--timezone", "Europe/Vienna"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.err.contains("the archive begins after 2026 (Europe/Vienna) does"), "{}", run.err);
    assert!(run.err.contains("the archive ends before 2026 (Europe/Vienna) does"), "{}", run.err);
    let (all, _) = files("generic", &["--timezone", "Europe/Vienna"]);
    let [some, all] = [folder, all]
        .map(|folder| std::fs::read_to_string(folder.path().join("taxes.csv")).expect("a file"));
    assert_eq!(some, all, "all of it is of that year");
    let (folder, run) = files("generic", &["--year", "2025"]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(
        run.err.contains("no movements of 2025 (UTC); its first is of 2026-06-"),
        "{}",
        run.err
    );
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "nothing is left");
}

#[test]
fn rejects_invalid_options_and_overwrites_nothing() {
    for (words, wanted) in [
        (&["--format", "elster"][..], "\"elster\" is no format; there are rp2, bittytax, koinly"),
        (&["--format", "koinly", "--timezone", "Europe/Wien"], "no time zone is called"),
        (&["--format", "koinly", "--year", "25x"], "\"25x\" is no year, such as 2025"),
        (&["--format", "koinly", "--year", "-1"], "\"-1\" is no year, such as 2025"),
        (&["--format", "rp2", "--usdt-price", "cheap"], "\"cheap\" is no price of a USDT"),
        (&["--format", "rp2", "--play-money"], "rp2 takes 3 files"),
        (&["--format", "koinly"], "is an archive of play money"),
    ] {
        let run = tax(words);
        assert_eq!(run.code, 2, "{words:?}: {}", run.err);
        assert!(run.err.contains(wanted), "{words:?}: {}", run.err);
        assert!(run.out.is_empty(), "{words:?}");
    }
    // The second of three files exists.
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("taxes-out.csv");
    std::fs::write(&kept, "mine").expect("written");
    let out = folder.path().join("taxes.csv");
    let run = tax(&["--play-money", "--format", "rp2", "--out", out.to_str().expect("text")]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.err.contains("taxes-out.csv is there; it was not overwritten"), "{}", run.err);
    assert_eq!(std::fs::read_to_string(&kept).expect("a file"), "mine");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

#[test]
fn rejects_unfinished_archives_and_warns_about_stale_ones() {
    let copy = tempfile::tempdir().expect("a folder");
    let change = |name: &str, from: &str, to: &str| {
        let text = std::fs::read_to_string(ARCHIVE.folder().join(name)).expect(name);
        assert!(text.contains(from), "{text}");
        std::fs::write(copy.path().join(name), text.replace(from, to)).expect("written");
    };
    let run = |more: &[&str]| {
        let folder = copy.path().to_str().expect("text");
        let words = ["tax", folder, "--format", "koinly", "--play-money"];
        at_home(copy.path(), &[&words[..], more].concat(), "")
    };
    let empty = run(&[]);
    assert_eq!(empty.code, 2, "{}", empty.err);
    assert!(empty.err.contains("holds no archive"), "{}", empty.err);
    copy_all(&ARCHIVE.folder(), copy.path());
    let old = run(&["--now", "2027-01-01"]);
    assert_eq!(old.code, 0, "{}", old.err);
    assert!(old.err.contains("STALE"), "{}", old.err);
    assert!(old.err.contains("UNVERIFIED"), "{}", old.err);
    change("export.json", "\"finished\":true", "\"finished\":false");
    let unfinished = run(&[]);
    assert_eq!(unfinished.code, 10, "{}", unfinished.err);
    assert!(unfinished.err.contains("is not finished"), "{}", unfinished.err);
    change("export.json", "\"version\":2", "\"version\":99");
    let newer = run(&[]);
    assert_eq!(newer.code, 2, "{}", newer.err);
    assert!(newer.err.contains("newer version of this program"), "{}", newer.err);
    assert!(newer.out.is_empty() && unfinished.out.is_empty());
}

fn copy_all(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&to).expect("a folder");
            copy_all(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("copied");
        }
    }
}

#[test]
fn derives_prices_from_the_option_and_the_trades() {
    let (folder, run) = files("rp2", &["--usdt-price", "0.9"]);
    assert_eq!(run.code, 0, "{}", run.err);
    for row in read(&folder.path().join("taxes-in.csv")) {
        let price = &row["spot_price"];
        match (row["asset"].as_str(), row["transaction_type"].as_str()) {
            ("USDT", _) => assert_eq!(price, "0.9"),
            ("BTC", "Buy") => {
                let price: Decimal = price.parse().expect("a price");
                assert!(price >= dec!(54_000) && price <= dec!(54_300), "{row:?}");
            }
            _ => panic!("{row:?}"),
        }
    }
    // A deposit of a coin without trades against USDT.
    assert!(
        run.err.contains("without a price, which dali has to look up: BTC (1 rows)"),
        "{}",
        run.err
    );
    let (folder, run) = files("rp2", &[]);
    assert!(run.err.contains("without a price"), "{}", run.err);
    for name in ["in", "out", "intra"] {
        for row in read(&folder.path().join(format!("taxes-{name}.csv"))) {
            assert_eq!(row["spot_price"], "__unknown", "{row:?}");
        }
    }
}

/// `cargo xtask foreign` installs the tools and names their Python in this variable.
#[test]
#[ignore = "needs rp2, dali-rp2 and BittyTax: `cargo xtask foreign` installs them and runs it"]
fn tax_tools_compute_the_balances_of_the_sandbox() {
    let python = std::env::var_os("BITMART_TAX_PYTHON").expect("BITMART_TAX_PYTHON");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tax_tools/holdings.py");
    for format in ["bittytax", "rp2"] {
        let (folder, run) = files(format, &["--usdt-price", "1"]);
        assert_eq!(run.code, 0, "{}", run.err);
        let mut wanted = ARCHIVE.holdings.clone();
        if format == "rp2" {
            *wanted.entry("USDT".to_owned()).or_default() -= lacking(&run.err);
        }
        let tool = std::process::Command::new(&python)
            .arg(&script)
            .arg(format)
            .arg(folder.path())
            .env("HOME", folder.path())
            // The tools write logs to their current folder.
            .current_dir(folder.path())
            .output()
            .expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(tool.status.success(), "{format}: {}", text(&tool.stderr));
        let held: BTreeMap<String, String> = serde_json::from_slice(&tool.stdout)
            .unwrap_or_else(|_| panic!("{}", text(&tool.stdout)));
        let held: Sums = held
            .into_iter()
            .map(|(coin, amount)| (coin, amount.parse().expect("a number")))
            .collect();
        assert_eq!(held, wanted, "{format}");
    }
}
