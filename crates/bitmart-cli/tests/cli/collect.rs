//! `collect`, with a NATS server. Ignored unless requested, because it needs `nats-server`: `cargo xtask test fleet`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::common::process::send_signal;
use crate::common::{Place, at_sandbox, bitmart, sandbox};

const LIMIT: Duration = Duration::from_secs(30);

/// Ends when dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server that requires a token. Returns its address.
fn nats(folder: &std::path::Path, token: &str) -> (Server, String) {
    let config = folder.join("nats.conf");
    let store = folder.join("store");
    let text = format!(
        "listen: '127.0.0.1:-1'\nauthorization {{ token: '{token}' }}\njetstream {{ store_dir: '{}' }}\n",
        store.display()
    );
    std::fs::write(&config, text).expect("written");
    let process = Command::new("nats-server")
        .arg("--config")
        .arg(&config)
        .arg("--ports_file_dir")
        .arg(folder)
        .stderr(Stdio::null())
        .spawn()
        .expect("nats-server is installed");
    let server = Server(process);
    let file = folder.join(format!("nats-server_{}.ports", server.0.id()));
    let url = wait_for(|| {
        let text = std::fs::read_to_string(&file).ok()?;
        let ports: Value = serde_json::from_str(&text).ok()?;
        ports["nats"][0].as_str().map(str::to_owned)
    });
    (server, url)
}

fn wait_for<T>(mut find: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(start.elapsed() < LIMIT, "not in time");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn fetch(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("connected");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("a response");
    text
}

/// A span of the history is a recording that `replay` prints, and what it lacks is said.
fn write_history(place: &Place, config: &str, folder: &std::path::Path) {
    let out = folder.join("span.gz");
    let file = out.to_str().expect("text");
    let span = ["collect", "history", "--config", config, "--out", file, "--from"];
    let of = |topic, from| bitmart(place, &[&span[..], &[from, "--topics", topic]].concat());
    let written = of("spot/ticker:BTC_USDT", "2020-01-01T00:00:00Z");
    assert_eq!(written.code, 10, "{}", written.err);
    assert!(written.err.contains("the history begins at"), "{}", written.err);
    let printed = bitmart(place, &["replay", file]);
    assert_eq!(printed.code, 0, "{}", printed.err);
    let lines: Vec<Value> =
        printed.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(lines.iter().all(|line| line["topic"] == "spot/ticker:BTC_USDT"));
    assert!(lines.iter().any(|line| line["event"] == "lagged"), "{}", printed.out);
    let frames = lines.iter().filter(|line| line["frame"]["table"] == "spot/ticker");
    assert!(frames.count() > 1, "{}", printed.out);
    assert_eq!(of("spot/ticker:X", "2020-01-01T00:00:00Z").code, 2, "not collected");
}

#[test]
#[ignore = "needs nats-server"]
fn collect_publishes_reports_its_health_and_stops_on_a_signal() {
    let place = sandbox();
    let folder = tempfile::tempdir().expect("a folder");
    let (_nats, url) = nats(folder.path(), "canary-token");
    let token = folder.path().join("token");
    std::fs::write(&token, "canary-token\n").expect("written");
    let config = folder.path().join("collect.toml");
    let text = format!(
        "[nats]\nservers = '{url}'\ntoken_file = '{}'\n[collector]\nid = 'a'\nshards = 2\n[topics]\n\
         spot = ['spot/ticker:BTC_USDT', 'spot/depth/increase100:BTC_USDT']\n[http]\naddress = '127.0.0.1:0'\n",
        token.display()
    );
    std::fs::write(&config, &text).expect("written");
    let name = config.to_str().expect("text");
    let mut collect = at_sandbox(&place, &["collect", "--config", name])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut line = String::new();
    let output = collect.stdout.as_mut().expect("a pipe");
    BufReader::new(output).read_line(&mut line).expect("a line");
    let ready: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(ready["id"], "a");
    let address = ready["http"].as_str().expect("an address").trim_start_matches("http://");
    let metrics = wait_for(|| {
        let text = fetch(address, "/metrics");
        let frames =
            text.lines().find_map(|line| line.strip_prefix("bitmart_collector_frames_total "));
        (frames?.parse::<u64>().ok()? > 5).then_some(text)
    });
    assert!(metrics.contains("bitmart_collector_topics 2"), "{metrics}");
    assert!(fetch(address, "/healthz").starts_with("HTTP/1.1 200 OK"));
    assert!(fetch(address, "/").starts_with("HTTP/1.1 404"));
    write_history(&place, name, folder.path());
    send_signal(&collect, Signal::TERM);
    let done = collect.wait_with_output().expect("ended");
    assert!(done.status.success());
    assert!(!String::from_utf8_lossy(&done.stderr).contains("canary"));

    std::fs::write(&token, "wrong-canary\n").expect("written");
    let refused = bitmart(&place, &["collect", "--config", name]);
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(!refused.err.contains("canary"), "{}", refused.err);
    std::fs::write(&config, text.replace("shards", "shard")).expect("written");
    assert_eq!(bitmart(&place, &["collect", "--config", name]).code, 2);
}
