//! `bitmart export` of deposits from a small server on this machine: the time from the start of the program to its end,
//! divided by the rows, and the largest memory of the whole program, which must not grow with the rows.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Cost;
use crate::Failure;

/// The exchange's time: 2026-09-01.
const NOW: i64 = 1_788_220_800_000;
/// Time of the first row: 2018-01-01.
const BEGIN: i64 = 1_514_764_800_000;

pub(super) fn measure(rows: usize, program: &str) -> Result<Cost, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}", listener.local_addr()?);
    let count = i64::try_from(rows)?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(&stream, count));
        }
    });
    let home = tempfile::tempdir()?;
    let folder = home.path().join("archive");
    let begin = Instant::now();
    let child = Command::new(program)
        .args([
            "export",
            "--unlimited",
            "--no-pauses",
            "--what",
            "deposits",
            "--from",
            "2018-01-01",
        ])
        .arg("--out")
        .arg(&folder)
        .args(["--env", &address])
        .env_clear()
        .env("HOME", home.path())
        .env("BITMART_API_KEY", "0123456789abcdef0123456789abcdef01234567")
        .env("BITMART_API_SECRET", "secret")
        .env("BITMART_API_MEMO", "memo")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let memory = wait_and_measure(child)?;
    let time = begin.elapsed().as_nanos() / u128::try_from(rows.max(1))?;
    let exported = BufReader::new(fs::File::open(folder.join("deposits.jsonl"))?).lines().count();
    if exported == rows {
        Ok(Cost { time, memory })
    } else {
        Err(format!("{exported} of {rows} rows were exported").into())
    }
}

/// Waits until the program ends, and returns its largest resident memory in bytes; 0 where the system does not tell.
fn wait_and_measure(mut child: Child) -> Result<u128, Failure> {
    let status = format!("/proc/{}/status", child.id());
    let mut max_bytes = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u128>().ok());
        max_bytes = max_bytes.max(kib.unwrap_or_default() * 1_024);
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(max_bytes),
            Some(status) => return Err(format!("the export ended with {status}").into()),
            None => thread::sleep(Duration::from_millis(2)),
        }
    }
}

fn serve(stream: &TcpStream, rows: i64) {
    let Ok(mut responses) = stream.try_clone() else { return };
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

/// The deposits within the times of a request, at most the first 1,000. All deposits are at equal distances in time.
fn deposits(path: &str, rows: i64) -> String {
    let query = |name: &str| -> i64 {
        let value =
            path.split(['?', '&']).find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        value.and_then(|value| value.parse().ok()).unwrap_or_default()
    };
    let (from, to) = (query("startTime"), query("endTime"));
    let step = (NOW - BEGIN) / rows;
    let first = ((from - BEGIN).max(0) + step - 1) / step;
    let times = (first..rows).map(|row| (row, BEGIN + row * step)).take_while(|(_, at)| *at <= to);
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
