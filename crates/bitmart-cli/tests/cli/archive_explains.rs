//! The documentation of an archive, its CSV files, and `--reread` of responses that an older program could not decode.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use bitmart::sandbox::Fault;
use bitmart::{Decimal, Timestamp};
use serde_json::{Value, json};

use crate::common::export::{export, rows, sandbox, span, trade};
use crate::common::{Outcome, Place, SIGNALLED, bitmart};

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).expect(name)
}

fn json_of(folder: &Path, name: &str) -> Value {
    serde_json::from_str(&read(folder, name)).expect("JSON")
}

fn lines(folder: &Path, name: &str) -> Vec<Value> {
    rows(folder, name).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The rows of a CSV file, by the names of their columns.
fn csv(folder: &Path, name: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(folder.join(name)).expect(name);
    let header = reader.headers().expect("names").clone();
    let row = |record: csv::StringRecord| {
        header.iter().zip(record.iter()).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    };
    reader.records().map(|record| row(record.expect("a row"))).collect()
}

/// A cell without the apostrophe that marks a text.
fn text(cell: &str) -> &str {
    cell.strip_prefix('\'').unwrap_or(cell)
}

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a number")
}

fn reread(place: &Place, folder: &Path, more: &[&str]) -> Outcome {
    let words = ["export", "--reread", folder.to_str().expect("text")];
    bitmart(place, &[&words[..], more].concat())
}

/// Every file below a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            let inner = files(&entry.path());
            found.extend(inner.into_iter().map(|(path, bytes)| (format!("{name}/{path}"), bytes)));
        } else {
            found.insert(name, std::fs::read(entry.path()).expect("a file"));
        }
    }
    found
}

/// Asserts that two folders have equal files.
fn same(wanted: &BTreeMap<String, Vec<u8>>, found: &BTreeMap<String, Vec<u8>>) {
    assert!(wanted.keys().eq(found.keys()), "{:?}", found.keys());
    for (name, bytes) in wanted {
        let [wanted, found] = [bytes, &found[name]].map(|bytes| String::from_utf8_lossy(bytes));
        assert!(wanted == found, "{name} was\n{wanted}\nand is\n{found}");
    }
}

#[test]
fn readme_documents_every_file_and_column() {
    let place = sandbox();
    trade(&place);
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let sent = export(&place, folder, &span(), &["--format", "csv"]);
    assert_eq!(sent.code, 0, "{}", sent.err);
    let readme = read(folder, "README.md");
    let manifest = json_of(folder, "manifest.json");
    let mut names = BTreeSet::new();
    for dataset in manifest["datasets"].as_array().expect("datasets") {
        let name = dataset["name"].as_str().expect("a name");
        names.insert(name);
        let endpoint = dataset["endpoint"].as_str().expect("an endpoint");
        assert!(readme.contains(&format!("| `{name}.jsonl` |")), "{name} is not documented");
        let section =
            readme.split("\n### ").find(|part| part.starts_with(&format!("{endpoint}\n")));
        let section = section.expect(endpoint);
        let mut table = csv::Reader::from_path(folder.join(format!("{name}.csv"))).expect(name);
        for column in table.headers().expect("names") {
            // Names that are values, such as dates, are in braces.
            let braces = format!("| `{}.{{", column.split('.').next().expect("a name"));
            let is_documented =
                section.contains(&format!("| `{column}` |")) || section.contains(&braces);
            assert!(is_documented, "{name}: {column}");
        }
    }
    for wanted in [
        "reference-contracts",
        "reference-leverage-brackets",
        "reference-symbols",
        "reference-currencies",
        "reference-networks",
        "reference-account",
        "reference-fee-rates",
        "reference-position-mode",
        "reference-fee-rates-BTC_USDT",
        "reference-fee-rates-BTCUSDT",
        "reference-funding-rates-BTCUSDT",
        "broker-rebates",
    ] {
        assert!(names.contains(wanted), "{wanted} is missing");
        assert!(
            wanted == "broker-rebates" || !rows(folder, wanted).is_empty(),
            "{wanted} is empty"
        );
    }
    // Every amount has a unit, or a note that no source states one.
    for line in readme.lines().filter(|line| line.contains("| decimal |")) {
        assert!(!line.contains("| decimal |  |"), "without a unit: {line}");
    }
    // What the values of a code mean.
    assert!(readme.contains("- `4` `open_short`: "), "{readme}");
    assert!(readme.contains("`POST /spot/v4/query/trades`"));
    // No Rust in the text.
    for word in ["None", "::", "Option<"] {
        let found = readme.lines().find(|line| line.contains(word) && !line.contains("`csv`"));
        assert_eq!(found, None, "{word}");
    }
    let verified = bitmart(&place, &["verify", folder.to_str().expect("text")]);
    assert_eq!(verified.code, 0, "{}", verified.err);
}

#[test]
fn csv_is_sorted_and_preserves_ids_times_and_codes() {
    let place = sandbox();
    trade(&place);
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let more = ["--what", "trades,orders,futures,transactions", "--format", "csv"];
    let sent = export(&place, folder, &span(), &more);
    assert_eq!(sent.code, 0, "{}", sent.err);
    for (name, id, time, time_of) in [
        ("trades", "tradeId", "createTime", "createTime"),
        ("orders", "orderId", "createTime", "createTime"),
        ("futures-trades", "trade_id", "create_time", "create_time"),
    ] {
        let table = csv(folder, &format!("{name}.csv"));
        let json = lines(folder, name);
        assert!(table.len() == json.len() && !table.is_empty(), "{name}");
        let mut before = None;
        for row in &table {
            // Not read as a number.
            assert!(row[id].starts_with('\''), "{name}: {}", row[id]);
            let of = json.iter().find(|one| one[id] == *text(&row[id])).expect("the row");
            let millis = of[time_of].as_i64().expect("a time");
            let parsed: Timestamp = row[time].parse().expect("a time in UTC");
            assert!(row[time].ends_with('Z') && parsed.as_millis() == millis, "{}", row[time]);
            let key = (millis, text(&row[id]).parse::<u128>().expect("digits"));
            assert!(before < Some(key), "{name}: {key:?} after {before:?}");
            before = Some(key);
        }
    }
    let contracts = lines(folder, "reference-contracts");
    for row in csv(folder, "futures-trades.csv") {
        assert_eq!((&*row["side"], &*row["side_name"]), ("1", "open_long"));
        let contract = contracts.iter().find(|one| one["symbol"] == *row["symbol"]).expect("one");
        let size = decimal(contract["contract_size"].as_str().expect("a size"));
        assert_eq!(decimal(&row["contract_size"]), size);
        let base = size * decimal(&row["vol"]);
        assert_eq!(decimal(&row["base_amount"]), base);
        assert_eq!(decimal(&row["quote_amount"]), base * decimal(&row["price"]));
        assert_eq!((&*row["base"], &*row["quote"]), ("BTC", "USDT"));
    }
}

#[test]
fn archive_without_rebates_is_complete_and_documents_it() {
    let place = sandbox();
    // The key of a sub-account, which is no affiliate.
    let text = std::fs::read_to_string(place.ready_file()).expect("a file");
    let mut ready: Value = serde_json::from_str(&text).expect("JSON");
    let key = place.sandbox.sub_account_credentials().expect("a key");
    for (name, value) in [("key", &key.key), ("secret", &key.secret), ("memo", &key.memo)] {
        ready["credentials"][name] = value.as_str().into();
    }
    std::fs::write(place.ready_file(), ready.to_string()).expect("written");
    let folder = tempfile::tempdir().expect("a folder");
    let sent = export(&place, folder.path(), &span(), &["--what", "rebates,reference"]);
    assert_eq!(sent.code, 0, "{}", sent.err);
    let manifest = json_of(folder.path(), "manifest.json");
    let refused = manifest["datasets"].as_array().expect("datasets").iter();
    let refused: Vec<_> = refused.filter(|dataset| dataset["rejected"].is_string()).collect();
    assert!(!refused.is_empty(), "{manifest}");
    let readme = read(folder.path(), "README.md");
    for dataset in refused {
        let name = dataset["name"].as_str().expect("a name");
        assert!(readme.contains(&format!("- `{name}`: the exchange rejected it: ")), "{name}");
    }
}

/// Converts the archive to that of an older program, which could not decode the trades.
fn make_older(folder: &Path) {
    let mut state = json_of(folder, "state/trades.json");
    let responses = state["responses"].clone();
    for (name, value) in [
        ("rows", json!(0)),
        ("bytes", json!(0)),
        ("span", Value::Null),
        ("unread", responses),
        (
            "lacks",
            json!("some responses are not understood and kept as they came; the last: a test"),
        ),
    ] {
        state[name] = value;
    }
    std::fs::write(folder.join("state/trades.json"), state.to_string()).expect("written");
    std::fs::write(folder.join("trades.jsonl"), "").expect("written");
}

fn archive(place: &Place, folder: &Path, span: &[String; 2]) {
    let more = ["--what", "trades,futures,balances,orders", "--format", "csv"];
    let sent = export(place, folder, span, &more);
    assert_eq!(sent.code, 0, "{}", sent.err);
}

#[test]
fn reread_does_not_change_a_decoded_archive() {
    let place = sandbox();
    trade(&place);
    let folder = tempfile::tempdir().expect("a folder");
    let span = span();
    archive(&place, folder.path(), &span);
    // Two runs, with late and changed rows and two snapshots.
    trade(&place);
    archive(&place, folder.path(), &span);
    let before = files(folder.path());
    let again = reread(&place, folder.path(), &[]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.err.contains("nothing is gained"), "{}", again.err);
    same(&before, &files(folder.path()));
}

#[test]
fn reread_is_atomic_when_interrupted() {
    let place = sandbox();
    trade(&place);
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    archive(&place, folder, &span());
    let whole = files(folder);
    make_older(folder);
    let mut deaths = 0_u64;
    loop {
        make_older(folder);
        let run = reread(&place, folder, &["--stop-after", &(deaths + 1).to_string()]);
        let now = read(folder, "trades.jsonl").into_bytes();
        let is_committed = folder.join("reread/commit").exists();
        if run.code == 0 {
            assert!(run.err.contains("rows are gained"), "{}", run.err);
            break;
        }
        assert_eq!(run.code, SIGNALLED, "{}", run.err);
        deaths += 1;
        assert!(now.is_empty() || now == whole["trades.jsonl"], "half of the rows");
        if is_committed {
            // The next run finishes a committed one.
            let verified = bitmart(&place, &["verify", folder.to_str().expect("text")]);
            assert_eq!(verified.code, 10, "{}", verified.out);
            let next = reread(&place, folder, &[]);
            assert_eq!(next.code, 0, "{}", next.err);
            assert_eq!(read(folder, "trades.jsonl").as_bytes(), whole["trades.jsonl"]);
        }
    }
    assert!(deaths > 3, "it was interrupted {deaths} times only");
    // The archive equals that of a newer program.
    same(&whole, &files(folder));
    let verified = bitmart(&place, &["verify", folder.to_str().expect("text")]);
    assert_eq!(verified.code, 0, "{}", verified.err);
}

#[test]
fn reread_still_reports_rows_that_do_not_decode() {
    let place = sandbox();
    trade(&place);
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    place.sandbox.inject(Fault::NullRows.on("/spot/v4/query/trades").times(u32::MAX));
    let sent = export(&place, folder, &span(), &["--what", "trades,orders"]);
    assert_eq!(sent.code, 10, "{}", sent.err);
    let before = files(folder);
    let again = reread(&place, folder, &[]);
    assert_eq!(again.code, 10, "{}", again.err);
    let after = files(folder);
    let state = "state/trades.json";
    assert_eq!(String::from_utf8_lossy(&before[state]), String::from_utf8_lossy(&after[state]));
    same(&before, &after);
}

#[test]
fn continued_pagination_does_not_repeat_rows_of_a_reread_response() {
    let place = sandbox();
    trade(&place);
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    // The whole span is one window.
    let day = Duration::from_secs(86_400);
    let span = [Timestamp::now() - day, Timestamp::now() + day].map(|time| time.to_string());
    let more = ["--what", "trades"];
    assert_eq!(export(&place, folder, &span, &more).code, 0);
    let whole = read(folder, "trades.jsonl");
    // The pagination stopped at the response with the trades.
    let raw = read(folder, "raw/trades.ndjson");
    let kept = raw.lines().find(|line| line.contains("tradeId")).expect("trades").to_owned() + "\n";
    let mut state = json_of(folder, "state/trades.json");
    for (name, value) in [
        ("rows", json!(0)),
        ("bytes", json!(0)),
        ("span", Value::Null),
        ("responses", json!(1)),
        ("raw_bytes", json!(kept.len())),
        ("unread", json!(1)),
        ("done", json!(false)),
        ("cursor", Value::Null),
        ("refused", json!("the answer does not decode")),
        ("lacks", json!("1 responses are not understood and kept as they came; the last: a test")),
    ] {
        state[name] = value;
    }
    std::fs::write(folder.join("state/trades.json"), state.to_string()).expect("written");
    std::fs::write(folder.join("trades.jsonl"), "").expect("written");
    std::fs::write(folder.join("raw/trades.ndjson"), kept).expect("written");
    let again = reread(&place, folder, &[]);
    assert_eq!(again.code, 10, "the run is not finished: {}", again.err);
    assert_eq!(read(folder, "trades.jsonl"), whole);
    let rest = export(&place, folder, &span, &more);
    assert_eq!(rest.code, 0, "{}", rest.err);
    assert_eq!(read(folder, "trades.jsonl"), whole, "each row is there once");
    let verified = bitmart(&place, &["verify", folder.to_str().expect("text")]);
    assert_eq!(verified.code, 0, "{}", verified.err);
}

#[test]
fn reports_trades_without_a_time() {
    let place = sandbox();
    trade(&place);
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    assert_eq!(export(&place, folder, &span(), &["--what", "trades"]).code, 0);
    // As if the exchange had sent no time for one.
    let raw = read(folder, "raw/trades.ndjson");
    let at = raw.find(r#"\"createTime\":"#).expect("a time");
    let rest = &raw[at..];
    let end = rest.find([',', '}']).expect("its end");
    let less = format!("{}{}{}", &raw[..at], r#"\"createTime\":null"#, &rest[end..]);
    let mut state = json_of(folder, "state/trades.json");
    state["raw_bytes"] = json!(less.len());
    std::fs::write(folder.join("raw/trades.ndjson"), &less).expect("written");
    std::fs::write(folder.join("state/trades.json"), state.to_string()).expect("written");
    let again = reread(&place, folder, &[]);
    assert_eq!(again.code, 0, "{}", again.err);
    let untimed = lines(folder, "trades").iter().filter(|row| row["createTime"] == 0).count();
    assert_eq!(untimed, 1, "one has no time");
    let verified = bitmart(&place, &["verify", folder.to_str().expect("text")]);
    let words = "trades: 1 row not in the ledger: the exchange sent no time: ";
    assert!(verified.out.contains(words), "{}{}", verified.out, verified.err);
}
