//! No command prints a key, a secret or a memo, whether it succeeds, is rejected or has invalid arguments.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use bitmart::rest::catalog::ENDPOINTS;
use bitmart::sandbox::{ApiKey, Config};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::common::{Outcome, Place, at_home, bitmart, sandbox_of};

const KEY: &str = "CANARYkey0123456789abcdef";
const SECRET: &str = "CANARYsecret0123456789abcdef";
const MEMO: &str = "CANARYmemo";

fn place() -> Place {
    sandbox_of(Config::new().api_key(ApiKey::new(KEY, SECRET, MEMO)))
}

#[track_caller]
fn check(words: &[&str], outcome: &Outcome) {
    // The first four characters of a key are printed to identify it.
    for secret in [&KEY[..8], &SECRET[..8], MEMO] {
        assert!(!outcome.out.contains(secret), "{words:?}: {}", outcome.out);
        assert!(!outcome.err.contains(secret), "{words:?}: {}", outcome.err);
    }
}

fn kebab(name: &str) -> String {
    name.replace('_', "-")
}

#[test]
fn no_endpoint_command_prints_a_secret() {
    let place = place();
    let (mut groups, mut succeeded) = (BTreeSet::new(), 0);
    for entry in ENDPOINTS {
        let name = entry.metadata.id.strip_prefix(entry.group).unwrap_or(entry.metadata.id);
        let (group, name) = (kebab(entry.group), kebab(name.trim_start_matches('_')));
        for more in [&[][..], &["--dry-run"]] {
            let words = [&[&*group, &*name], more].concat();
            let outcome = bitmart(&place, &words);
            check(&words, &outcome);
            succeeded += u32::from(outcome.code == 0);
        }
        groups.insert(group);
    }
    assert!(groups.len() > 5 && succeeded > 30, "{groups:?}, {succeeded} succeeded");
}

#[test]
fn no_other_command_prints_a_secret_or_writes_it_to_a_file() {
    let place = place();
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    let (export, probe) = (path("export"), path("probe"));
    let (recording, private) = (path("recording.gz"), path("private.gz"));
    let (journal, page) = (path("journal.jsonl"), path("page.html"));
    let order = ["BTC_USDT", "buy", "limit", "--size", "0.01", "--price", "50000"];
    let submit = |more: &'static str| [&["spot", "submit-order"], &order[..], &[more]].concat();
    for words in [
        submit("--yes"),
        submit("--dry-run"),
        vec!["doctor"],
        vec![
            "export",
            "--unlimited",
            "--out",
            &export,
            "--from",
            "2026-08-01",
            "--to",
            "2026-08-02",
        ],
        vec!["verify", &export],
        vec!["probe", "--out", &probe],
        vec!["record", "--topics", "orders", "--seconds", "1", "--out", &private],
        vec!["record", "--topics", "spot/ticker:BTC_USDT", "--frames", "2", "--out", &recording],
        vec!["replay", &recording],
        vec!["watch", "ticker", "BTC_USDT", "--count", "1"],
        vec!["watch", "nothing"],
        vec!["chart", "BTC_USDT"],
        vec!["explain-error", "30005"],
        vec!["auth", "list"],
        vec!["auth", "check"],
        vec!["wind-down", "--unlimited"],
        vec!["wind-down", "--run", "--yes", "--unlimited", "--journal", &journal],
        vec!["guard", "BTC_USDT"],
        vec!["report", &export, "--out", &page],
        vec!["tax", &export, "--format", "generic", "--play-money"],
    ] {
        check(&words, &bitmart(&place, &words));
    }
    for name in [&export, &journal, &page] {
        assert!(Path::new(name).exists(), "{name} was not written");
    }
    for name in [&recording, &private] {
        let text = content(Path::new(name));
        assert!(text.contains("bitmart-recording"), "{name} is read as text: {text}");
    }
    assert_eq!(file_with_a_secret(folder.path()), None);
}

/// What a file contains, decompressed if its name ends with `gz`.
fn content(path: &Path) -> String {
    let bytes = std::fs::read(path).expect("a file");
    if path.extension().is_none_or(|extension| extension != "gz") {
        return String::from_utf8_lossy(&bytes).into_owned();
    }
    let mut text = String::new();
    let read = MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text);
    read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text
}

/// A file below a folder in which a secret is.
fn file_with_a_secret(folder: &Path) -> Option<PathBuf> {
    std::fs::read_dir(folder).expect("a folder").find_map(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            return file_with_a_secret(&path);
        }
        let text = content(&path);
        [&KEY[..8], &SECRET[..8], MEMO].iter().any(|secret| text.contains(secret)).then_some(path)
    })
}

#[test]
fn a_secret_in_a_compressed_file_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("recording.gz");
    // A recording has a member for each time at which it was flushed.
    let member = |text: String| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).expect("in memory");
        encoder.finish().expect("in memory")
    };
    let members = [member("nothing".to_owned()), member(format!("key={KEY}"))];
    std::fs::write(&path, members.concat()).expect("written");
    assert_eq!(file_with_a_secret(folder.path()), Some(path));
}

#[test]
fn a_rejected_key_is_not_printed() {
    let place = place();
    let home = tempfile::tempdir().expect("a folder");
    for (number, (key, secret, memo)) in
        [(KEY, SECRET, "CANARYother"), (KEY, "CANARYother", MEMO), ("CANARYother", SECRET, MEMO)]
            .into_iter()
            .enumerate()
    {
        let name = format!("wrong{number}");
        let add = ["auth", "add", &name, "--stdin"];
        check(&add, &at_home(home.path(), &add, &format!("{key}\n{secret}\n{memo}\n")));
        for words in [
            &["auth", "check"][..],
            &["doctor", "--timeout", "2"],
            &["account", "spot-wallet"],
            &["spot", "open-orders", "-o", "table"],
        ] {
            let words = [words, &["--profile", &name, "--env", &place.spot]].concat();
            let outcome = at_home(home.path(), &words, "");
            check(&words, &outcome);
            assert!(!(outcome.out + &outcome.err).contains("CANARYother"), "{words:?}");
        }
    }
}
