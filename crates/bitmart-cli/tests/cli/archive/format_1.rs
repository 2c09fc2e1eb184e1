//! Archives of format 1 are continued.

use std::path::Path;

use serde_json::{Value, json};

use super::{export, lines, market_buy, read, sandbox, verify};
use crate::common::bitmart;

/// Thirty days.
const AHEAD_MS: i64 = 2_592_000_000;

/// Converts an archive to format 1, which has no runs, paginations and snapshot times.
fn as_format_1(folder: &Path) {
    let edit = |path: &Path, each: &dyn Fn(&mut Value)| {
        let text = std::fs::read_to_string(path).expect("text");
        let edited = |line: &str| {
            let mut value: Value = serde_json::from_str(line).expect("JSON");
            each(&mut value);
            value.to_string() + "\n"
        };
        std::fs::write(path, text.lines().map(edited).collect::<String>()).expect("written");
    };
    let remove = |value: &mut Value, names: &[&str]| {
        for name in names {
            value.as_object_mut().expect("an object").remove(*name);
        }
    };
    let in_folder = |name: &str| {
        let entries = std::fs::read_dir(folder.join(name)).expect("a folder");
        entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_file())
            .collect::<Vec<_>>()
    };
    for path in in_folder("raw") {
        edit(&path, &|response| remove(response, &["walk", "taken"]));
    }
    for path in
        in_folder("").iter().filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
    {
        let text = std::fs::read_to_string(path).expect("rows");
        let plain = |line: &str| match line.strip_prefix("{\"taken\":\"") {
            None => line.to_owned() + "\n",
            Some(rest) => format!("{{{}\n", rest.split_once("\",").expect("a date").1),
        };
        std::fs::write(path, text.lines().map(plain).collect::<String>()).expect("written");
    }
    for path in in_folder("state") {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let size = |name: String| std::fs::metadata(folder.join(name)).expect("a file").len();
        let (rows, raw) = (size(format!("{name}.jsonl")), size(format!("raw/{name}.ndjson")));
        edit(&path, &|state| {
            let newer = [
                "faults",
                "run",
                "walk",
                "todo",
                "to",
                "pending",
                "replaced",
                "rewrite",
                "version_bytes",
                "versions",
                "late",
                "snapshot",
                "snapshots",
                "identity",
                "gaps",
                "unreadable",
                "code",
            ];
            remove(state, &newer);
            (state["bytes"], state["raw_bytes"]) = (rows.into(), raw.into());
            // Format 1 accepted an end in the future.
            for time in ["next", "end"] {
                if let Some(Value::Number(millis)) = state["cursor"].get(time) {
                    let later = millis.as_i64().expect("a time") + AHEAD_MS;
                    state["cursor"][time] = later.into();
                }
            }
        });
    }
    edit(&folder.join("export.json"), &|info| {
        remove(info, &["host", "account", "run", "finished"]);
        info["version"] = 1.into();
        info["to_ms"] = (info["to_ms"].as_i64().expect("a time") + AHEAD_MS).into();
    });
    let manifest = read(folder, "manifest.json");
    let mut manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    remove(&mut manifest["export"], &["host", "account", "run", "finished"]);
    manifest["export"]["version"] = 1.into();
    for dataset in manifest["datasets"].as_array_mut().expect("datasets") {
        remove(dataset, &["to", "snapshots", "taken", "late", "replaced", "versions"]);
        for file in ["file", "raw"] {
            let path = dataset[file]["path"].as_str().expect("a path").to_owned();
            let bytes = std::fs::read(folder.join(&path)).expect("a file");
            let sha256 = hex::encode(ring::digest::digest(&ring::digest::SHA256, &bytes));
            dataset[file] = json!({ "path": path, "bytes": bytes.len(), "sha256": sha256 });
        }
    }
    std::fs::write(folder.join("manifest.json"), manifest.to_string()).expect("written");
    let _ = std::fs::remove_file(folder.join("derived.json"));
}

#[test]
fn continues_an_archive_of_format_1() {
    let place = sandbox();
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path();
    let more = ["--what", "trades,orders,balances,futures"];
    market_buy(&place);
    let resting_order = [
        "spot",
        "submit-order",
        "BTC_USDT",
        "buy",
        "limit",
        "--size",
        "0.01",
        "--price",
        "40000",
        "-y",
    ];
    assert_eq!(bitmart(&place, &resting_order).code, 0);
    assert_eq!(export(&place, folder, &more).code, 0);
    as_format_1(folder);
    let verified = verify(&place, folder, &[]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    let trades = lines(folder, "trades.jsonl");
    market_buy(&place);
    let again = export(&place, folder, &more);
    assert_eq!(again.code, 0, "{}", again.err);
    let more_trades = lines(folder, "trades.jsonl");
    assert!(more_trades > trades);
    assert_eq!(lines(folder, "open-orders.jsonl"), 2, "both snapshots");
    market_buy(&place);
    let again = export(&place, folder, &more);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(lines(folder, "trades.jsonl") > more_trades, "{}", again.err);
    let verified = verify(&place, folder, &[]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    assert!(read(folder, "export.json").contains("\"version\":2"));
}
