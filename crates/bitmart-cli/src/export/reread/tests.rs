//! Archives of older programs.

use std::path::Path;

use serde_json::{Value, json};

use super::super::history_rows;
use super::super::snapshot::{entry, snapshot_lines};
use super::*;
use crate::export::Archive;

const TAKEN: i64 = 1_780_315_200_000;

/// Creates an archive of a snapshot of futures balances, as an older program wrote it.
fn old_archive(folder: &Path, endpoint: &str, equity: &str) -> ArchiveInfo {
    let name = "balances-futures";
    let row = json!({ "currency": "USDT", "equity": equity, "unrealized": "0" });
    let body = json!({ "code": 1000, "message": "Ok", "trace": "1", "data": [row] });
    let response =
        json!({ "at": TAKEN, "asked": {}, "body": body.to_string(), "taken": TAKEN }).to_string();
    let mut row = row;
    row["taken"] = json!(Timestamp::from_millis(TAKEN).to_string());
    drop(Archive::with_rows(folder, &[(name, endpoint, vec![row])]));
    let raw = raw_path(folder, name);
    fs::create_dir_all(raw.parent().expect("a folder")).expect("a folder");
    fs::write(&raw, format!("{response}\n")).expect("responses");
    let path = state_folder(folder).join(format!("{name}.json"));
    let mut state: Value =
        serde_json::from_slice(&fs::read(&path).expect("a state")).expect("JSON");
    assert_eq!(state["endpoint"], endpoint);
    state["raw_bytes"] = json!(response.len() + 1);
    state["responses"] = json!(1);
    state["snapshots"] = json!(1);
    state["snapshot"] =
        json!({ "taken": TAKEN, "bytes": 0, "rows": 0, "raw_bytes": 0, "responses": 0 });
    fs::write(&path, state.to_string()).expect("a state");
    let info = json!({
        "version": 2, "source": "live", "key": "", "from_ms": 0, "to_ms": TAKEN, "finished": true,
    });
    serde_json::from_value(info).expect("info")
}

#[test]
fn an_archive_with_the_former_id_of_an_endpoint_is_continued() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let info = old_archive(folder, "futures_assets", "5");
    upgrade(folder, &info).expect("read again");
    let state = read_state(folder, "balances-futures").expect("a state");
    assert_eq!((state.rows, state.unread, state.lacking()), (1, 0, None));
    assert!(!state.is_of_older_program());
    let manifest = write_results(folder, &info, &["csv".to_owned()].into()).expect("written");
    assert!(manifest.is_complete(), "{manifest:?}");
    let readme = fs::read_to_string(folder.join("README.md")).expect("text");
    assert!(readme.contains("(#futures_balances)"), "{readme}");

    // Verifying reads the manifest of the older program.
    let path = folder.join("manifest.json");
    let text = fs::read_to_string(&path).expect("a manifest");
    fs::write(&path, text.replace("futures_balances", "futures_assets")).expect("written");
    let manifest = Manifest::read(folder).expect("a manifest");
    assert_eq!(manifest.datasets[0].endpoint, "futures_balances");
}

/// With more places than a decimal has.
const LONG: &str = "0.123456789012345678901234567891";

#[test]
fn cut_decimals_of_an_older_archive_are_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let info = old_archive(folder, "futures_balances", LONG);
    upgrade(folder, &info).expect("read again");
    let manifest = write_results(folder, &info, &BTreeSet::new()).expect("written");
    let lacks = manifest.datasets[0].lacks.clone().unwrap_or_default();
    assert!(lacks.starts_with("1 amounts have more decimal places than are kept"), "{lacks}");
    assert!(!manifest.is_complete());
}

#[test]
fn cut_decimals_are_counted_in_histories_and_snapshots() {
    let trade = json!({
        "tradeId": "1", "orderId": "1", "clientOrderId": "", "symbol": "BTC_USDT", "side": "buy",
        "type": "limit", "stpMode": "none", "orderMode": "spot", "price": "1", "size": "1",
        "notional": "1", "fee": LONG, "feeCoinName": "BMX", "tradeRole": "maker",
        "createTime": TAKEN, "updateTime": TAKEN,
    });
    let body = |data: Value| {
        json!({ "code": 1000, "message": "OK", "trace": "1", "data": data }).to_string().into()
    };
    let read = history_rows::read("spot_fills", &body(json!([trade])));
    let read = read.expect("a history").expect("rows");
    assert_eq!((read.rows.len(), read.truncated_decimals, read.unreadable), (1, 1, 0));
    let row = json!({ "currency": "USDT", "equity": LONG, "unrealized": "0" });
    let entry = entry("futures_balances").expect("known");
    let read = snapshot_lines(entry, &body(json!([row]))).expect("rows");
    assert_eq!(
        (read.lines.len(), read.losses.truncated_decimals, read.losses.unreadable),
        (1, 1, 0)
    );
}
