//! A process of a fleet: a client that sends to a sandbox as fast as the shared budget allows, and prints when.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bitmart_fleet::{Outage, RedisBudgets};
use bitmart_rest::limit::{LimitPolicy, Limiter};
use bitmart_rest::transport::{self, HyperTransport, Transport as _};
use bitmart_rest::types::{Environment, Service};
use bitmart_rest::{Client, ErrorKind};

use crate::judge::Sent;

/// Timeout of the clients, and so the longest time that a request may be in flight.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(1);

const TASKS: usize = 4;

/// The settings that the workers of a test share.
#[derive(Clone, Default)]
pub(crate) struct Job {
    pub(crate) redis: String,
    pub(crate) sandbox: String,
    pub(crate) lease: u32,
    /// How long Redis may take for a reply. Default: 2 s.
    pub(crate) reply_timeout: Option<Duration>,
    /// Replaced text of the script.
    pub(crate) broken: Option<(&'static str, &'static str)>,
    /// Requests stay in flight until they time out.
    pub(crate) hang: bool,
}

/// A running worker. It ends when it is [finished](Self::finish), killed, or when this process ends.
pub(crate) struct Worker {
    process: Child,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

/// The requests of a worker, by their outcome.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) sent: Vec<Sent>,
    /// Requests that the exchange rejected for their rate.
    pub(crate) rejected: usize,
    /// Requests that the limiter held back, by the reason.
    pub(crate) throttled: Vec<String>,
}

impl Job {
    pub(crate) fn start(&self) -> Worker {
        let mut command = Command::new(env::current_exe().expect("this program"));
        command.args(["--exact", "worker::run", "--ignored", "--nocapture", "--quiet"]);
        command.env("WORKER_REDIS", &self.redis).env("WORKER_SANDBOX", &self.sandbox);
        command.env("WORKER_LEASE", self.lease.max(1).to_string());
        let reply_timeout = self.reply_timeout.unwrap_or(Duration::from_secs(2));
        command.env("WORKER_REPLY_MS", reply_timeout.as_millis().to_string());
        command.env("WORKER_HANG", u8::from(self.hang).to_string());
        if let Some((from, to)) = self.broken {
            command.env("WORKER_FROM", from).env("WORKER_TO", to);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("starts");
        let out = BufReader::new(process.stdout.take().expect("piped"));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let read = Arc::clone(&lines);
        let reader = std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                read.lock().expect("no panic").push(line);
            }
        });
        Worker { process, lines, reader: Some(reader) }
    }
}

impl Worker {
    /// Ends it as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("it runs");
    }

    /// How many requests it has sent so far.
    pub(crate) fn sent(&self) -> usize {
        let lines = self.lines.lock().expect("no panic");
        lines.iter().filter(|line| line.starts_with("sent ")).count()
    }

    /// Lets it end. Requests without an end were in flight when it was killed or timed out.
    pub(crate) fn finish(mut self) -> Log {
        drop(self.process.stdin.take());
        self.process.wait().expect("it ends");
        self.reader.take().expect("once").join().expect("no panic");
        let mut log = Log::default();
        let mut open = BTreeMap::new();
        for line in self.lines.lock().expect("no panic").iter() {
            let mut words = line.split(' ');
            let first = words.next();
            let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
            match first {
                Some("sent") => {
                    if let (Some(id), Some(at)) = (number(), number()) {
                        open.insert(id, at);
                    }
                }
                Some("ended") => {
                    let (id, end) = (number().expect("an id"), number());
                    log.sent.push(Sent { at: open.remove(&id).expect("sent before"), end });
                }
                Some("rejected") => log.rejected += 1,
                Some("throttled") => log.throttled.push(line.clone()),
                _ => {}
            }
        }
        log.sent.extend(open.into_values().map(|at| Sent { at, end: None }));
        log
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn micros() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(now.as_micros()).expect("before the year 586912")
}

#[tokio::test]
#[ignore = "the tests of this folder run it as a process of its own"]
async fn run() {
    let Ok(redis) = env::var("WORKER_REDIS") else { return };
    let text = |name: &str| env::var(name).unwrap_or_default();
    let end = Arc::new(AtomicBool::new(false));
    std::thread::spawn({
        let end = Arc::clone(&end);
        move || {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            end.store(true, Ordering::Relaxed);
        }
    });
    let hang = text("WORKER_HANG") == "1";
    let builder = RedisBudgets::builder(redis, "127.0.0.1")
        .call_timeout(TIMEOUT)
        .reply_timeout(Duration::from_millis(text("WORKER_REPLY_MS").parse().expect("a number")))
        .lease(text("WORKER_LEASE").parse().expect("a number"))
        .outage(Outage::Wait);
    let budgets = match env::var("WORKER_FROM") {
        Ok(from) => builder.break_script(&from, &text("WORKER_TO")),
        Err(_) => builder,
    };
    let budgets = budgets.build().expect("valid");
    let limiter = Limiter::new(LimitPolicy::WaitUpTo(Duration::from_secs(30)))
        .headroom(0)
        .with_store(Arc::new(budgets.clone()));
    let environment =
        Environment::custom("sandbox").with(Service::SpotRest, text("WORKER_SANDBOX"));
    let http = Arc::new(HyperTransport::builder().build().expect("a transport"));
    let ids = Arc::new(AtomicU64::new(0));
    let transport = transport::from_fn(move |request| {
        let (http, id) = (Arc::clone(&http), ids.fetch_add(1, Ordering::Relaxed));
        async move {
            println!("sent {id} {}", micros());
            if hang {
                std::future::pending::<()>().await;
            }
            // In flight for a while, before and after the exchange counts it.
            tokio::time::sleep(Duration::from_millis(id * 37 % 50)).await;
            let mut response = http.send(request).await;
            if let Ok(response) = &mut response {
                // Corrections by headers would hide that the count is wrong.
                response.headers_mut().remove("x-bm-ratelimit-remaining");
            }
            tokio::time::sleep(Duration::from_millis(id * 53 % 90)).await;
            println!("ended {id} {}", micros());
            response
        }
    });
    let client = Client::builder()
        .environment(environment)
        .transport(transport)
        .timeout(TIMEOUT)
        .limiter(limiter)
        .build()
        .expect("valid");
    let tasks: Vec<_> = (0..if hang { 10 } else { TASKS })
        .map(|_| {
            let (client, end) = (client.clone(), Arc::clone(&end));
            tokio::spawn(async move {
                while !end.load(Ordering::Relaxed) {
                    let Err(error) = client.system().time().await else { continue };
                    match error.kind() {
                        ErrorKind::Throttled(throttled) => {
                            println!("throttled {:?}", throttled.reason);
                            tokio::time::sleep(Duration::from_millis(20)).await;
                        }
                        _ if error.is_rate_limited() => {
                            println!("rejected {error}");
                            return;
                        }
                        _ => println!("error {error}"),
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    budgets.close().await;
}
