//! A `nats-server` with its counters, and processor time.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::runs::Result;

/// Longest wait for the server to start, or for its counters.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
    monitoring: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    /// Starts a server that stores its files in this folder.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let process = Command::new("nats-server")
            .args(["--jetstream", "--addr", "127.0.0.1", "--port", "-1", "--http_port", "-1"])
            .arg("--ports_file_dir")
            .arg(folder)
            .arg("--store_dir")
            .arg(folder.join("store"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let file = folder.join(format!("nats-server_{}.ports", process.id()));
        let mut server = Self { process, url: String::new(), monitoring: String::new() };
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            if let Ok(ports) = serde_json::from_str::<Value>(&text)
                && let Some(url) = ports["nats"][0].as_str()
                && let Some(monitoring) = ports["monitoring"][0].as_str()
            {
                url.clone_into(&mut server.url);
                monitoring.trim_start_matches("http://").clone_into(&mut server.monitoring);
                return Ok(server);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err("nats-server has not written its addresses".into())
    }

    /// Bytes of messages with their headers, received and sent.
    fn bytes(&self) -> Result<(u64, u64)> {
        let mut connection = TcpStream::connect(&self.monitoring)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.write_all(b"GET /varz HTTP/1.0\r\n\r\n")?;
        let mut text = String::new();
        connection.read_to_string(&mut text)?;
        let (_, body) = text.split_once("\r\n\r\n").ok_or("no body")?;
        let counters: Value = serde_json::from_str(body)?;
        let counter = |name: &str| counters[name].as_u64().ok_or("a counter is missing");
        Ok((counter("in_bytes")?, counter("out_bytes")?))
    }
}

/// Measures processor time and traffic since its creation.
pub(crate) struct Usage<'a> {
    server: Option<&'a Server>,
    start: Instant,
    /// Processor time of this process, and of the server, at the start.
    own_ms: u64,
    server_ms: u64,
    /// The counters of the server at the start.
    bytes: (u64, u64),
}

impl<'a> Usage<'a> {
    pub(crate) fn start(server: Option<&'a Server>) -> Result<Self> {
        let server_ms = server.map_or(0, |server| cpu_ms(server.process.id()));
        let bytes = server.map(Server::bytes).transpose()?.unwrap_or_default();
        let own_ms = cpu_ms(std::process::id());
        Ok(Self { server, start: Instant::now(), own_ms, server_ms, bytes })
    }

    /// Cells of a table: frames per second, processor time here and of the server in µs per frame, bytes per frame to
    /// and from the server.
    pub(crate) fn cells(&self, frames: u64) -> Result<String> {
        let elapsed = self.start.elapsed();
        let per_second = u128::from(frames) * 1_000 / elapsed.as_millis().max(1);
        let frames = frames.max(1);
        let own = (cpu_ms(std::process::id()) - self.own_ms) * 1_000 / frames;
        let Some(server) = self.server else {
            return Ok(format!("{per_second} | {own} | – | – | –"));
        };
        let of_server = (cpu_ms(server.process.id()) - self.server_ms) * 1_000 / frames;
        let bytes = server.bytes()?;
        let (to, from) = ((bytes.0 - self.bytes.0) / frames, (bytes.1 - self.bytes.1) / frames);
        Ok(format!("{per_second} | {own} | {of_server} | {to} | {from}"))
    }
}

/// Processor time of a process in milliseconds; 0 where it is not known.
fn cpu_ms(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields: Vec<&str> =
        text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<u64>().ok());
    // Hundredths of a second: USER_HZ is 100.
    (ticks(11).unwrap_or(0) + ticks(12).unwrap_or(0)) * 10
}
