//! The processes of the example: servers in a temporary folder, and this program in other roles, which report what
//! they do as lines of JSON.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

/// Longest wait for anything. Only a failure takes as long.
const PATIENCE: Duration = Duration::from_secs(90);

/// What a process reports.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Event {
    /// A collector holds this many leases now.
    Leases(u64),
    /// An order was accepted, at this time in milliseconds since 1970.
    Accepted(i64),
    /// The exchange refused an order because of its limit.
    Refused,
    /// Market data has stopped, for this reason.
    Gap(String),
    /// Market data is back, at this time in milliseconds since 1970.
    Resumed(i64),
    /// Trades that were seen, at the end.
    Frames(u64),
}

/// Reports an event to the process that started this one.
pub(crate) fn report(event: &Event) {
    println!("{}", serde_json::to_string(event).unwrap_or_default());
}

/// Whether the process that started this one still wants it: it closes the standard input to end it.
pub(crate) fn is_wanted() -> bool {
    static END: OnceLock<&'static AtomicBool> = OnceLock::new();
    let end = END.get_or_init(|| {
        let end: &'static AtomicBool = Box::leak(Box::default());
        std::thread::spawn(|| {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            end.store(true, Ordering::Relaxed);
        });
        end
    });
    !end.load(Ordering::Relaxed)
}

/// An event with the name of its process.
type Named = (String, Event);

/// The servers and all processes. They end when this is dropped.
pub(crate) struct Fleet {
    processes: BTreeMap<String, Running>,
    events: (Sender<Named>, Receiver<Named>),
    seen: BTreeMap<String, Vec<Event>>,
    exchange: String,
    nats: String,
    redis: String,
    // After the processes that use it.
    _folder: TempDir,
}

impl Fleet {
    /// Starts Redis and NATS.
    pub(crate) fn start(exchange: &str) -> examples::Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path();
        let mut processes = BTreeMap::new();
        let mut redis = Command::new("redis-server");
        redis.args(["--port", "0", "--unixsocket", "redis.sock", "--save", ""]).current_dir(path);
        processes.insert("redis".to_owned(), server(&mut redis)?);
        let mut nats = Command::new("nats-server");
        nats.args(["--jetstream", "--addr", "127.0.0.1", "--port", "-1", "--store_dir"]).arg(path);
        let nats = server(nats.arg("--ports_file_dir").arg(path))?;
        let url = nats_url(path, nats.0.id())?;
        processes.insert("nats".to_owned(), nats);
        let socket = path.join("redis.sock");
        wait_for("redis-server", || UnixStream::connect(&socket).ok().map(drop))?;
        Ok(Self {
            processes,
            events: mpsc::channel(),
            seen: BTreeMap::new(),
            exchange: exchange.to_owned(),
            nats: url,
            redis: format!("unix://{}", socket.display()),
            _folder: folder,
        })
    }

    /// Starts this program in another role.
    pub(crate) fn start_process(&mut self, role: &str, name: &str) -> examples::Result {
        let mut process = Command::new(std::env::current_exe()?)
            .args([role, name, &self.nats, &self.redis])
            // The ready line of a sandbox: its addresses, and the key of its only account.
            .env("BITMART_ENVIRONMENT", &self.exchange)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = process.stdout.take().map(BufReader::new).ok_or("no output")?.lines();
        let (sender, owned) = (self.events.0.clone(), name.to_owned());
        std::thread::spawn(move || {
            let lines = lines.map_while(Result::ok);
            for event in lines.filter_map(|line| serde_json::from_str(&line).ok()) {
                let _ = sender.send((owned.clone(), event));
            }
        });
        self.processes.insert(name.to_owned(), Running(process));
        Ok(())
    }

    /// What was reported so far.
    pub(crate) fn seen(&self) -> &BTreeMap<String, Vec<Event>> {
        &self.seen
    }

    /// Waits until the reports fulfil a condition.
    pub(crate) fn until(
        &mut self,
        done: impl Fn(&BTreeMap<String, Vec<Event>>) -> bool,
    ) -> examples::Result {
        let start = Instant::now();
        while !done(&self.seen) {
            if let Ok((name, event)) = self.events.1.recv_timeout(Duration::from_secs(1)) {
                self.seen.entry(name).or_default().push(event);
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("not within {PATIENCE:?}").into());
            }
        }
        Ok(())
    }

    /// Ends a process as `kill -9` does.
    pub(crate) fn kill(&mut self, name: &str) -> examples::Result {
        // Ended by its destructor.
        drop(self.processes.remove(name).ok_or("no such process")?);
        self.seen.remove(name);
        Ok(())
    }

    /// Lets these processes end, and returns what was reported. The others end with this.
    pub(crate) fn stop<const N: usize>(
        mut self,
        names: [&str; N],
    ) -> examples::Result<BTreeMap<String, Vec<Event>>> {
        for name in names {
            let process = self.processes.get_mut(name).ok_or("no such process")?;
            drop(process.0.stdin.take());
            process.0.wait()?;
        }
        let last = |events: Option<&Vec<Event>>| {
            matches!(events?.last(), Some(Event::Frames(_))).then_some(())
        };
        self.until(|seen| names.iter().all(|name| last(seen.get(*name)).is_some()))?;
        Ok(std::mem::take(&mut self.seen))
    }
}

/// A process that is killed when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn server(command: &mut Command) -> examples::Result<Running> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let name = command.get_program().to_string_lossy().into_owned();
    let started = command.spawn().map(Running);
    started.map_err(|error| format!("{name} cannot be started: {error}. Is it installed?").into())
}

/// The server writes its address into a file, because it chooses a free port.
fn nats_url(folder: &Path, process: u32) -> examples::Result<String> {
    let file = folder.join(format!("nats-server_{process}.ports"));
    wait_for("nats-server", || {
        let ports: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&file).ok()?).ok()?;
        Some(ports["nats"][0].as_str()?.to_owned())
    })
}

fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> examples::Result<T> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(value) = ready() {
            return Ok(value);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Err(format!("{what} does not start").into())
}
