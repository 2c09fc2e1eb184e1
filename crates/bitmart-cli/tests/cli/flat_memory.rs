//! Memory of `export` and `verify` does not depend on the number of rows.
//!
//! 2,000 and 20,000 rows in an ordinary run; `EXPORT_TEST_ROWS=10000,100000,1000000` sets other numbers and prints the
//! results. The peak is read from `/proc`: elsewhere nothing is measured, and the test says so.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The exchange's time: 2026-09-01.
const NOW: i64 = 1_788_220_800_000;
/// Time of the first row: 2018-01-01.
const BEGIN: i64 = 1_514_764_800_000;
/// Tolerance, since the size of the heap varies.
const SLACK_KB: u64 = 12_000;

/// Serves an exchange with so many deposits at equal distances, and nothing else.
fn exchange(rows: i64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream, rows));
        }
    });
    address
}

fn serve(stream: TcpStream, rows: i64) {
    let mut responses = stream.try_clone().expect("a stream");
    let mut requests = BufReader::new(stream);
    let mut line = String::new();
    while requests.read_line(&mut line).is_ok_and(|read| read > 0) {
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut length = 0;
        loop {
            line.clear();
            if requests.read_line(&mut line).is_err() || line.trim().is_empty() {
                break;
            }
            if let Some(bytes) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = bytes.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        if requests.read_exact(&mut body).is_err() {
            return;
        }
        let data = if path.starts_with("/system/time") {
            format!("{{\"server_time\":{NOW}}}")
        } else {
            deposits(&path, rows)
        };
        let body = format!("{{\"code\":1000,\"message\":\"OK\",\"trace\":\"t\",\"data\":{data}}}");
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length";
        if write!(responses, "{head}: {}\r\n\r\n{body}", body.len()).is_err() {
            return;
        }
        line.clear();
    }
}

/// Deposits of a window, at most 1,000.
fn deposits(path: &str, rows: i64) -> String {
    let query = |name: &str| -> i64 {
        let value =
            path.split(['?', '&']).find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        value.and_then(|value| value.parse().ok()).unwrap_or_default()
    };
    let (from, to) = (query("startTime"), query("endTime"));
    let step = (NOW - BEGIN) / rows;
    let first = ((from - BEGIN).max(0) + step - 1) / step;
    let times =
        (first..rows).map(|row| (row, BEGIN + row * step)).take_while(|(_, time)| *time <= to);
    let row = |(row, time): (i64, i64)| {
        format!(
            "{{\"withdraw_id\":\"\",\"deposit_id\":\"{row}\",\"operation_type\":\"deposit\",\
             \"currency\":\"USDT-TRC20\",\"apply_time\":{time},\"arrival_amount\":\"1.50\",\"fee\":\"0\",\
             \"status\":3,\"address\":\"TXk1gKyAHMExample{row}\",\"address_memo\":\"\",\"tx_id\":\"0x{row:064x}\"}}"
        )
    };
    let rows: Vec<_> = times.take(1_000).map(row).collect();
    format!("{{\"records\":[{}]}}", rows.join(","))
}

fn start(home: &Path, words: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_bitmart"))
        .args(words)
        .env_clear()
        .env("HOME", home)
        .env("BITMART_API_KEY", "0123456789abcdef0123456789abcdef01234567")
        .env("BITMART_API_SECRET", "secret")
        .env("BITMART_API_MEMO", "memo")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs")
}

/// Waits for the end, and returns the peak memory in kB; `None` if it cannot be measured.
fn peak(mut child: Child) -> Option<u64> {
    let status = format!("/proc/{}/status", child.id());
    let mut err = child.stderr.take().expect("a pipe");
    let said = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = err.read_to_string(&mut text);
        text
    });
    let mut peak = None;
    let ended = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).or(peak);
        if let Some(ended) = child.try_wait().expect("a status") {
            break ended;
        }
        std::thread::yield_now();
    };
    assert!(ended.success(), "{}", said.join().expect("text"));
    peak
}

#[test]
fn memory_does_not_grow_with_rows() {
    let sizes = std::env::var("EXPORT_TEST_ROWS").unwrap_or_else(|_| "2000,20000".to_owned());
    let mut peaks: Vec<[u64; 3]> = Vec::new();
    for rows in sizes.split(',') {
        let rows: i64 = rows.parse().expect("a number");
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("archive").display().to_string();
        let address = exchange(rows);
        let words = [
            "export",
            "--unlimited",
            "--no-pauses",
            "--what",
            "deposits",
            "--from",
            "2018-01-01",
            "--out",
            &folder,
            "--env",
            &address,
        ];
        let started = std::time::Instant::now();
        // The first run, another one, and their verification.
        let all = [
            peak(start(home.path(), &words)),
            peak(start(home.path(), &words)),
            peak(start(home.path(), &["verify", &folder, "--now", "2026-09-02"])),
        ];
        let kept =
            std::fs::read_to_string(home.path().join("archive/deposits.jsonl")).expect("rows");
        assert_eq!(kept.lines().count(), usize::try_from(rows).expect("a number"));
        let [Some(first), Some(second), Some(verify)] = all else {
            eprintln!("skipped: nothing tells the memory of a process here");
            return;
        };
        eprintln!(
            "{rows} rows: export {first} kB, again {second} kB, verify {verify} kB, {:?}",
            started.elapsed()
        );
        peaks.push([first, second, verify]);
    }
    for pair in peaks.windows(2) {
        for (less, more) in pair[0].iter().zip(&pair[1]) {
            assert!(*more < less + SLACK_KB, "{less} kB became {more} kB");
        }
    }
}
