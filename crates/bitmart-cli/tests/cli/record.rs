//! `record` and `replay`.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Stdio};

use bitmart::rest::recording::frames::{Entry, Reader};
use rustix::process::Signal;
use serde_json::Value;

use crate::common::process::send_signal;
use crate::common::{Place, at_home, bitmart, program, sandbox};

const TOPICS: &str = "ticker:BTC_USDT,book:BTC_USDT,trades:BTCUSDT,orders,balances";

fn read(path: &Path) -> (Vec<Entry>, bool) {
    let file = File::open(path).expect("a file");
    let mut reader = Reader::new(BufReader::new(file)).expect("a recording");
    let entries = reader.by_ref().map(|entry| entry.expect("an entry")).collect();
    (entries, reader.is_truncated())
}

fn frames(entries: &[Entry]) -> usize {
    entries.iter().filter(|entry| entry.frame.is_some()).count()
}

fn start(place: &Place, words: &[&str]) -> Child {
    program(place.home())
        .args(words)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs")
}

#[test]
fn recorded_frames_are_replayed_and_contain_no_secret() {
    let place = sandbox();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("frames.gz");
    let name = path.to_str().expect("text");
    let recorded =
        bitmart(&place, &["record", "--topics", TOPICS, "--frames", "30", "--out", name]);
    assert_eq!(recorded.code, 0, "{}", recorded.err);
    let (entries, truncated) = read(&path);
    assert_eq!((frames(&entries), truncated), (30, false));
    let times: Vec<_> = entries
        .iter()
        .filter(|entry| entry.topic == "spot/ticker:BTC_USDT" && entry.frame.is_some())
        .map(|entry| entry.at)
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    let text = serde_json::to_string(&entries).expect("JSON");
    for secret in [&place.key, &place.secret, &place.memo] {
        assert!(!text.contains(secret.as_str()));
    }
    let other = folder.path().join("other.gz");
    let words =
        ["record", "--topics", "spot/ticker:NO_SUCH", "--out", other.to_str().expect("text")];
    assert_eq!(bitmart(&place, &words).code, 4);
    assert!(!other.exists(), "a rejected topic leaves a file behind");
    let again = bitmart(&place, &["record", "--topics", TOPICS, "--out", name]);
    assert_eq!(again.code, 1, "recordings are not overwritten: {}", again.err);

    let shown = at_home(folder.path(), &["replay", name], "");
    assert_eq!(shown.code, 0, "{}", shown.err);
    let shown: Vec<Value> =
        shown.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(shown.len(), entries.len());
    for (line, entry) in shown.iter().zip(&entries) {
        let frame = entry.frame.as_deref().map(|text| serde_json::from_str(text).expect("JSON"));
        assert_eq!(line["frame"], frame.unwrap_or(Value::Null));
    }

    // A client of the served recording receives the same rows in the same order.
    let mut served = start(&place, &["replay", name, "--serve", "--speed", "100"]);
    let mut ready = String::new();
    let mut out = BufReader::new(served.stdout.take().expect("a pipe"));
    out.read_line(&mut ready).expect("a line");
    let file = folder.path().join("ready.json");
    std::fs::write(&file, ready).expect("written");
    let of_ticker = entries.iter().filter(|entry| entry.topic == "spot/ticker:BTC_USDT");
    let wanted: Vec<Value> = of_ticker
        .filter_map(|entry| {
            let frame: Value = serde_json::from_str(entry.frame.as_ref()?).expect("JSON");
            Some(frame["data"][0].clone())
        })
        .collect();
    let count = wanted.len().to_string();
    let env = file.to_str().expect("text");
    let words = ["watch", "ticker", "BTC_USDT", "--count", &count, "--env", env];
    let seen = at_home(folder.path(), &words, "");
    assert_eq!(seen.code, 0, "{}", seen.err);
    let seen = seen.out.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let seen: Vec<Value> = seen.filter(|line: &Value| line.get("symbol").is_some()).collect();
    assert_eq!(seen, wanted);
    send_signal(&served, Signal::INT);
    assert_eq!(served.wait().expect("it ends").code(), Some(0));
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("text");
}

#[test]
fn a_killed_recorder_leaves_a_readable_file() {
    let place = sandbox();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("frames.gz");
    let ready = place.ready_file();
    let (name, env) = (path.to_str().expect("text"), ready.to_str().expect("text"));
    let mut child = start(&place, &["record", "--topics", TOPICS, "--out", name, "--env", env]);
    // After the file has grown twice, it contains frames.
    let mut sizes = std::collections::BTreeSet::new();
    while sizes.len() < 3 {
        sizes.extend(std::fs::metadata(&path).map(|data| data.len()).ok().filter(|len| *len > 0));
        assert!(child.try_wait().expect("a status").is_none(), "it ended");
        std::thread::yield_now();
    }
    child.kill().expect("killed");
    child.wait().expect("a status");
    let (entries, _) = read(&path);
    assert!(frames(&entries) > 0, "{} entries", entries.len());
    // Simulates a disk that stored only a part of the last member.
    let bytes = std::fs::read(&path).expect("a file");
    std::fs::write(&path, &bytes[..bytes.len() - 3]).expect("written");
    let shown = at_home(folder.path(), &["replay", name], "");
    assert_eq!(shown.code, 10, "{}", shown.err);
    assert!(shown.err.contains("the end of the recording is missing"), "{}", shown.err);
}
