//! Continuing an archive: with the same command, from an older format, and without overwriting foreign files.

use std::path::Path;
use std::time::Duration;

use bitmart::Timestamp;
use bitmart::sandbox::{Config, Fault};
use serde_json::{Value, json};

use crate::common::{Outcome, Place, at_home, bitmart, sandbox_of};

fn sandbox() -> Place {
    sandbox_of(Config::new().rate_limits(false))
}

fn buy(place: &Place) {
    let words = ["spot", "submit-order", "BTC_USDT", "buy", "market", "--notional", "50", "-y"];
    let sent = bitmart(place, &words);
    assert_eq!(sent.code, 0, "{}", sent.err);
}

fn export(place: &Place, folder: &Path, more: &[&str]) -> Outcome {
    let words = ["export", "--no-pauses", "--unlimited", "--days", "3", "--to", "now", "--out"];
    bitmart(place, &[&words[..], &[folder.to_str().expect("text")], more].concat())
}

fn verify(place: &Place, folder: &Path, more: &[&str]) -> Outcome {
    bitmart(place, &[&["verify", folder.to_str().expect("text")], more].concat())
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn lines(folder: &Path, name: &str) -> usize {
    read(folder, name).lines().count()
}

/// All files of a folder with their contents.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).expect("a file")));
        }
    }
    found.sort();
    found
}

#[test]
fn same_command_continues_from_the_last_end() {
    let place = sandbox();
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("archive");
    let more = ["--what", "trades,orders,balances"];
    buy(&place);
    assert_eq!(export(&place, &folder, &more).code, 0);
    let (trades, balances) =
        (lines(&folder, "trades.jsonl"), lines(&folder, "balances-spot.jsonl"));
    let raw = lines(&folder, "raw/trades.ndjson");
    buy(&place);
    let again = export(&place, &folder, &more);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.err.contains("of them new"), "{}", again.err);
    let after = lines(&folder, "trades.jsonl");
    assert!(after > trades, "{after} trades");
    assert_eq!(lines(&folder, "balances-spot.jsonl"), 2 * balances, "two snapshots");
    // Responses of the overlap without new rows are not stored.
    assert!(lines(&folder, "raw/trades.ndjson") <= raw + 2);
    let third = export(&place, &folder, &more);
    assert_eq!(third.code, 0, "{}", third.err);
    assert_eq!(lines(&folder, "trades.jsonl"), after);
    let verified = verify(&place, &folder, &[]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    let late = "2026-12-01T00:00:00Z".parse::<Timestamp>().expect("a time").max(Timestamp::now());
    let late = (late + Duration::from_secs(176_400)).to_string();
    let verified = verify(&place, &folder, &["--now", &late]);
    assert!(
        verified.out.lines().next().is_some_and(|line| line.contains("STALE")),
        "{}",
        verified.out
    );
}

#[test]
fn stores_both_versions_of_a_changed_row() {
    let place = sandbox();
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path();
    buy(&place);
    assert_eq!(export(&place, folder, &["--what", "trades"]).code, 0);
    // As if the exchange had sent another price the first time.
    let rows = read(folder, "trades.jsonl");
    let row: Value = serde_json::from_str(rows.lines().next().expect("a row")).expect("JSON");
    let price = row["price"].as_str().expect("a price");
    let other = "9".repeat(price.len());
    for name in ["trades.jsonl", "raw/trades.ndjson"] {
        let text = read(folder, name);
        std::fs::write(folder.join(name), text.replace(price, &other)).expect("written");
    }
    let again = export(&place, folder, &["--what", "trades"]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.err.contains("changed since"), "{}", again.err);
    let (now, before) = (read(folder, "trades.jsonl"), read(folder, "versions/trades.jsonl"));
    assert!(now.contains(price) && !now.contains(&other), "{now}");
    assert!(before.contains(&other), "{before}");
    assert_eq!(now.lines().count(), rows.lines().count(), "each id occurs once");
    let verified = verify(&place, folder, &[]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    assert!(verified.out.contains("replaced by newer versions"), "{}", verified.out);
    // A missing version is found.
    std::fs::write(folder.join("versions/trades.jsonl"), "").expect("written");
    assert_eq!(verify(&place, folder, &[]).code, 10);
}

#[test]
fn finds_late_rows_in_the_overlap() {
    let place = sandbox();
    let home = tempfile::tempdir().expect("a folder");
    let path = "/spot/v4/query/trades";
    buy(&place);
    place.sandbox.inject(Fault::LateHistory(Duration::from_secs(3600)).on(path).times(u32::MAX));
    assert_eq!(export(&place, home.path(), &["--what", "trades"]).code, 0);
    assert_eq!(lines(home.path(), "trades.jsonl"), 0);
    place.sandbox.clear_faults();
    let again = export(&place, home.path(), &["--what", "trades"]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.err.contains("arrived late"), "{}", again.err);
    assert!(lines(home.path(), "trades.jsonl") > 0);
    assert_eq!(verify(&place, home.path(), &[]).code, 0);
}

/// Thirty days.
const AHEAD_MS: i64 = 2_592_000_000;

/// Converts an archive to version 1, which has no runs, paginations and snapshot times.
fn as_version_1(folder: &Path) {
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
            ];
            remove(state, &newer);
            (state["bytes"], state["raw_bytes"]) = (rows.into(), raw.into());
            // Version 1 accepted an end in the future.
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
fn continues_an_archive_of_version_1() {
    let place = sandbox();
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path();
    let more = ["--what", "trades,orders,balances,futures"];
    buy(&place);
    let rests = [
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
    assert_eq!(bitmart(&place, &rests).code, 0);
    assert_eq!(export(&place, folder, &more).code, 0);
    as_version_1(folder);
    let verified = verify(&place, folder, &[]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    let trades = lines(folder, "trades.jsonl");
    buy(&place);
    let again = export(&place, folder, &more);
    assert_eq!(again.code, 0, "{}", again.err);
    let more_trades = lines(folder, "trades.jsonl");
    assert!(more_trades > trades);
    assert_eq!(lines(folder, "open-orders.jsonl"), 2, "both snapshots");
    buy(&place);
    let again = export(&place, folder, &more);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(lines(folder, "trades.jsonl") > more_trades, "{}", again.err);
    let verified = verify(&place, folder, &[]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    assert!(read(folder, "export.json").contains("\"version\":2"));
}

#[test]
fn rejects_foreign_newer_and_damaged_files_without_changing_them() {
    let place = sandbox();
    buy(&place);
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("archive");
    let more = ["--what", "trades"];
    assert_eq!(export(&place, &folder, &more).code, 0);

    let refused = |place: &Place, folder: &Path, more: &[&str], words: &str| {
        let before = files(folder);
        let run = export(place, folder, more);
        assert!(run.code == 1 || run.code == 2, "{}: {}", run.code, run.err);
        assert!(run.err.contains(words), "{words}: {}", run.err);
        assert!(before == files(folder), "{words}: something was changed");
    };
    refused(
        &sandbox_of(Config::new().seed(7).rate_limits(false)),
        &folder,
        &more,
        "another account",
    );

    let newer = |name: &str, at: &str| {
        let path = folder.join(name);
        let old = std::fs::read_to_string(&path).expect("a file");
        let mut value: Value = serde_json::from_str(&old).expect("JSON");
        *value.pointer_mut(at).expect("a version") = 3.into();
        std::fs::write(&path, value.to_string()).expect("written");
        (path, old)
    };
    let (path, old) = newer("export.json", "/version");
    refused(&place, &folder, &more, "newer version of this program (format 3");
    let verified = verify(&place, &folder, &[]);
    assert!(verified.err.contains("newer version of this program"), "{}", verified.err);
    std::fs::write(path, old).expect("written");
    let (path, old) = newer("manifest.json", "/export/version");
    refused(&place, &folder, &more, "newer version of this program (format 3");
    std::fs::write(path, old).expect("written");

    // A truncated line, at the end and in the middle of the file.
    let path = folder.join("trades.jsonl");
    let old = std::fs::read(&path).expect("rows");
    std::fs::write(&path, &old[..old.len() - 9]).expect("written");
    let run = export(&place, &folder, &more);
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.err.contains("trades: the file is shorter than it was"), "{}", run.err);
    let verified = verify(&place, &folder, &[]);
    assert!(verified.code == 10 && verified.err.contains("shorter"), "{}", verified.err);
    let mut cut = old.clone();
    cut[20..30].fill(b'\n');
    std::fs::write(&path, &cut).expect("written");
    let run = export(&place, &folder, &more);
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.err.contains("is no row of this list"), "{}", run.err);
    assert_eq!(std::fs::read(&path).expect("rows"), cut);
    std::fs::write(&path, &old).expect("written");

    // Foreign files: in the archive, with the name of a dataset or of a derived file, and in a folder that is no
    // archive.
    std::fs::write(folder.join("notes.txt"), "mine").expect("written");
    std::fs::write(folder.join("deposits.jsonl"), "mine").expect("written");
    std::fs::write(folder.join("trades.csv"), "mine").expect("written");
    let run = export(&place, &folder, &["--what", "deposits"]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(
        run.err.contains("deposits.jsonl is there and is no part of this archive"),
        "{}",
        run.err
    );
    assert!(run.err.contains("notes.txt is no part of the archive"), "{}", run.err);
    let run = export(&place, &folder, &["--what", "trades", "--format", "csv"]);
    assert!(run.err.contains("trades.csv is there and is no part"), "{}", run.err);
    for name in ["notes.txt", "deposits.jsonl", "trades.csv"] {
        assert_eq!(read(&folder, name), "mine");
        std::fs::remove_file(folder.join(name)).expect("removed");
    }
    let run = export(&place, &folder, &["--what", "trades", "--format", "csv"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(verify(&place, &folder, &[]).code, 0);
    let other = home.path().join("other");
    std::fs::create_dir(&other).expect("a folder");
    std::fs::write(other.join("holiday.jpg"), "mine").expect("written");
    refused(&place, &other, &more, "holds other files, such as holiday.jpg, and no archive");
}

#[test]
fn labels_play_money_and_requires_an_explicit_sandbox() {
    let place = sandbox();
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("archive");
    let run = export(&place, &folder, &["--what", "trades"]);
    assert_eq!(run.code, 0, "{}", run.err);
    for line in [run.err.lines().next(), run.err.lines().last()] {
        assert!(line.is_some_and(|line| line.starts_with("PLAY MONEY: ")), "{}", run.err);
    }
    let now = ["--now", "2026-12-01"];
    let verified = verify(&place, &folder, &now);
    let first = verified.out.lines().next().expect("a line");
    assert!(first.starts_with("PLAY MONEY: source sandbox (127.0.0.1:"), "{first}");
    assert!(first.contains("61 days left until BitMart ends on 2027-01-31 15:59 UTC"), "{first}");

    // With a live profile, the sandbox must be named.
    let config = home.path().join(".bitmart");
    std::fs::create_dir(&config).expect("a folder");
    let file = config.join("config.toml");
    std::fs::write(&file, "[main]\nkey = \"k\"\nsecret = \"s\"\nmemo = \"m\"\n").expect("written");
    let ready = place.ready_file().display().to_string();
    let named = format!("sandbox:{ready}");
    let out = folder.display().to_string();
    let words = |env| ["export", "--what", "trades", "--unlimited", "--out", &out, "--env", env];
    let run = at_home(home.path(), &words(&ready), "");
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.err.contains("play money") && run.err.contains("the profile main"), "{}", run.err);
    let run = at_home(home.path(), &words(&named), "");
    assert_eq!(run.code, 0, "{}", run.err);

    // Also with a misspelled variable of credentials.
    std::fs::remove_file(&file).expect("removed");
    let near = std::process::Command::new(env!("CARGO_BIN_EXE_bitmart"))
        .args(words(&ready))
        .env_clear()
        .env("HOME", home.path())
        .env("BITMART_KEY", "k")
        .output()
        .expect("it runs");
    let err = String::from_utf8(near.stderr).expect("text");
    assert_eq!(near.status.code(), Some(2), "{err}");
    assert!(err.contains("BITMART_KEY") && err.contains("BITMART_API_KEY"), "{err}");
}

#[test]
fn exports_several_profiles_with_one_summary() {
    let place = sandbox();
    buy(&place);
    let home = tempfile::tempdir().expect("a folder");
    let config = home.path().join(".bitmart");
    std::fs::create_dir(&config).expect("a folder");
    let sub = place.sandbox.sub_account_credentials().expect("a key");
    let profile = |name: &str, key: &str, secret: &str, memo: &str| {
        format!("[{name}]\nkey = \"{key}\"\nsecret = \"{secret}\"\nmemo = \"{memo}\"\n")
    };
    let text = profile("main", &place.key, &place.secret, &place.memo)
        + &profile("sub", &sub.key, &sub.secret, &sub.memo);
    let file = config.join("config.toml");
    std::fs::write(&file, text).expect("written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("set");
    }
    let hosts = format!("{},{}", place.spot, place.sandbox.futures().rest);
    let out = home.path().join("all").display().to_string();
    let words = [
        "export",
        "--no-pauses",
        "--unlimited",
        "--what",
        "trades,balances",
        "--days",
        "2",
        "--to",
        "now",
        "--out",
        &out,
        "--env",
        &hosts,
        "--profiles",
    ];
    let run = at_home(home.path(), &[&words[..], &["main,sub"]].concat(), "");
    assert_eq!(run.code, 0, "{}", run.err);
    let all = home.path().join("all");
    assert!(lines(&all, "main/trades.jsonl") > 0 && lines(&all, "sub/trades.jsonl") == 0);
    for profile in ["main: ", "sub: "] {
        assert!(run.err.lines().any(|line| line.starts_with(profile)), "{}", run.err);
    }
    let verified = at_home(home.path(), &["verify", &out], "");
    assert_eq!(verified.code, 0, "{}", verified.err);
    assert_eq!(verified.out.matches("source custom (").count(), 2, "{}", verified.out);
    // A failure does not stop the next profile.
    let run = at_home(home.path(), &[&words[..], &["gone,sub"]].concat(), "");
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.err.contains("gone: error: ") && run.err.contains("sub: "), "{}", run.err);
}
