//! An export equals the exchange's ledger, however often it was interrupted.

use bitmart::sandbox::Fault;

use crate::common::export::{export, rows, sandbox, span, trade};
use crate::common::{SIGNALLED, bitmart};

/// The ids of all rows, sorted: one that is there twice is found twice.
fn ids(text: &str, field: &str) -> Vec<String> {
    let id = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
        row[field].as_str().expect("a text").to_owned()
    };
    sorted(text.lines().map(id))
}

fn sorted(ids: impl Iterator<Item = String>) -> Vec<String> {
    let mut ids: Vec<_> = ids.collect();
    ids.sort();
    ids
}

#[test]
fn export_equals_the_ledger_after_any_interruption() {
    let place = sandbox();
    trade(&place);
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));

    let span = span();
    let once = export(&place, &whole, &span, &[]);
    assert_eq!(once.code, 0, "{}", once.err);
    let is_spot = |symbol: &str| symbol.contains('_');
    let orders = place.sandbox.orders().into_iter().filter(|order| is_spot(&order.symbol));
    let orders = sorted(orders.map(|order| order.order_id));
    let fills = place.sandbox.fills().into_iter().filter(|fill| is_spot(&fill.symbol));
    let fills = sorted(fills.map(|fill| fill.trade_id));
    assert!(orders.len() == 6 && fills.len() >= 6);
    assert_eq!(ids(&rows(&whole, "orders"), "orderId"), orders);
    assert_eq!(ids(&rows(&whole, "trades"), "tradeId"), fills);
    assert_eq!(rows(&whole, "futures-orders-BTCUSDT").lines().count(), 1);

    // The process aborts after one to three pages, again and again.
    let mut deaths = 0_u64;
    loop {
        let pages = (1 + deaths % 3).to_string();
        let run = export(&place, &killed, &span, &["--stop-after", &pages]);
        match run.code {
            0 => break,
            SIGNALLED => deaths += 1,
            _ => panic!("{}", run.err),
        }
    }
    assert!(deaths > 10, "it was interrupted {deaths} times only");
    for name in ["orders", "trades", "futures-trades", "futures-orders-BTCUSDT"] {
        assert_eq!(rows(&killed, name), rows(&whole, name), "{name}");
    }
    let verified = bitmart(&place, &["verify", killed.to_str().expect("text")]);
    assert_eq!(verified.code, 0, "{}", verified.err);
}

#[test]
fn stores_rows_that_do_not_decode_and_continues() {
    let place = sandbox();
    trade(&place);
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    place.sandbox.inject(Fault::NullRows.on("/spot/v4/query/trades").times(u32::MAX));
    let sent = export(&place, folder, &span(), &["--what", "trades,orders,deposits"]);
    assert_eq!(sent.code, 10, "{}", sent.err);
    assert_eq!(rows(folder, "trades"), "");
    assert_eq!(ids(&rows(folder, "orders"), "orderId").len(), 6, "the next list is there");
    let raw = std::fs::read_to_string(folder.join("raw/trades.ndjson")).expect("responses");
    let nulls = raw.matches(r#"\"tradeId\":null"#).count();
    assert!(nulls >= 6, "{nulls} trades were kept");
    let verified = bitmart(&place, &["verify", folder.to_str().expect("text")]);
    assert_eq!(verified.code, 10);
    let wanted = "trades: 6 rows are not understood and kept as they came";
    assert!(verified.err.contains(wanted), "{}", verified.err);
    assert_eq!(verified.err.matches("not understood").count(), 1, "{}", verified.err);
}

#[test]
fn continues_when_a_list_is_missing() {
    let place = sandbox();
    trade(&place);
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    place.sandbox.inject(Fault::Html(404).on("/spot/v4/query/trades").times(u32::MAX));
    let (span, more) = (span(), ["--what", "trades,orders"]);
    let sent = export(&place, folder, &span, &more);
    assert_eq!(sent.code, 10, "{}", sent.err);
    assert_eq!(ids(&rows(folder, "orders"), "orderId").len(), 6);
    // It is back, and requested again.
    place.sandbox.clear_faults();
    let sent = export(&place, folder, &span, &more);
    assert_eq!(sent.code, 0, "{}", sent.err);
    assert!(ids(&rows(folder, "trades"), "tradeId").len() >= 6);
}

#[test]
fn counts_rejected_optional_lists_as_complete_but_not_failed_ones() {
    let place = sandbox();
    // The key of a sub-account, which cannot list sub-accounts.
    let text = std::fs::read_to_string(place.ready_file()).expect("a file");
    let mut ready: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let key = place.sandbox.sub_account_credentials().expect("a key");
    for (name, value) in [("key", &key.key), ("secret", &key.secret), ("memo", &key.memo)] {
        ready["credentials"][name] = value.as_str().into();
    }
    std::fs::write(place.ready_file(), ready.to_string()).expect("written");
    let folder = tempfile::tempdir().expect("a folder");
    let (span, more) = (span(), ["--what", "earn,sub-accounts"]);
    let denied = export(&place, folder.path(), &span, &more);
    assert_eq!(denied.code, 0, "{}", denied.err);
    assert!(denied.err.contains("are not for this account"), "{}", denied.err);

    let folder = tempfile::tempdir().expect("a folder");
    let path = "/newearn/cloud/v1/saving/record";
    place.sandbox.inject(Fault::Html(502).on(path).times(u32::MAX));
    let lost = export(&place, folder.path(), &span, &more);
    assert_eq!(lost.code, 10, "{}", lost.err);
    place.sandbox.clear_faults();
    let again = export(&place, folder.path(), &span, &more);
    assert_eq!(again.code, 0, "{}", again.err);
}

#[test]
fn verify_finds_a_changed_file() {
    let place = sandbox();
    trade(&place);
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(export(&place, folder.path(), &span(), &["--what", "trades"]).code, 0);
    let path = folder.path().join("trades.jsonl");
    let text = rows(folder.path(), "trades");
    std::fs::write(&path, text.replacen("0.001", "0.002", 1)).expect("written");
    let verified = bitmart(&place, &["verify", folder.path().to_str().expect("text")]);
    assert_eq!(verified.code, 10);
    assert!(verified.err.contains("trades.jsonl was changed"), "{}", verified.err);
}

#[test]
fn other_formats_contain_the_same_rows() {
    let place = sandbox();
    trade(&place);
    let folder = tempfile::tempdir().expect("a folder");
    let formats = if cfg!(feature = "parquet") { "csv,parquet" } else { "csv" };
    let more = ["--what", "trades,futures,klines:BTC_USDT,BTCUSDT", "--step", "60", "--format"];
    let sent = export(&place, folder.path(), &span(), &[&more[..], &[formats]].concat());
    assert_eq!(sent.code, 0, "{}", sent.err);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect(name);
    let table = read("trades.csv");
    let lines: Vec<_> = table.lines().collect();
    let trades = rows(folder.path(), "trades").lines().count();
    assert!(lines[0].starts_with("tradeId,orderId,"), "{}", lines[0]);
    assert_eq!(lines.len(), 1 + trades);
    for name in ["klines-BTC_USDT-60m.csv", "klines-BTCUSDT-60m.csv"] {
        assert!(read(name).lines().count() > 20, "{name} has a day of hours");
    }
    if cfg!(feature = "parquet") {
        let file = std::fs::read(folder.path().join("trades.parquet")).expect("a file");
        assert!(file.starts_with(b"PAR1") && file.ends_with(b"PAR1"));
    }
    let verified = bitmart(&place, &["verify", folder.path().to_str().expect("text")]);
    assert_eq!(verified.code, 0, "{}", verified.err);
}

#[test]
fn verify_finds_missing_rows_of_a_response() {
    let place = sandbox();
    trade(&place);
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(export(&place, folder.path(), &span(), &["--what", "trades"]).code, 0);
    // Rows and manifest agree, but differ from the responses.
    let path = folder.path().join("trades.jsonl");
    let (old, text) = (std::fs::read(&path).expect("rows"), rows(folder.path(), "trades"));
    let less: String = text.lines().skip(1).flat_map(|line| [line, "\n"]).collect();
    std::fs::write(&path, &less).expect("written");
    let path = folder.path().join("manifest.json");
    let manifest = std::fs::read_to_string(&path).expect("a manifest");
    let mut manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    let dataset = &mut manifest["datasets"][0];
    assert_eq!(dataset["file"]["bytes"], old.len());
    dataset["file"] = serde_json::json!({ "path": "trades.jsonl", "bytes": less.len(),
        "sha256": sha256(less.as_bytes()) });
    dataset["rows"] = less.lines().count().into();
    std::fs::write(&path, manifest.to_string()).expect("written");
    let verified = bitmart(&place, &["verify", folder.path().to_str().expect("text")]);
    assert_eq!(verified.code, 10);
    let fault = "trades: 1 of 6 rows of the responses are missing";
    assert!(verified.err.contains(fault), "{}", verified.err);
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(ring::digest::digest(&ring::digest::SHA256, bytes))
}

#[test]
fn rejects_another_account_or_span_in_a_folder() {
    let place = sandbox();
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(export(&place, folder.path(), &span(), &["--what", "trades"]).code, 0);
    let words = ["export", "--out", folder.path().to_str().expect("text"), "--from", "2020-01-01"];
    let wrong = bitmart(&place, &words);
    assert_eq!(wrong.code, 2, "{}", wrong.err);
    let other = export(&sandbox(), folder.path(), &span(), &[]);
    assert_eq!(other.code, 2, "{}", other.err);
}
