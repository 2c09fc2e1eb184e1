//! Processes that share a budget and send to a sandbox, and what must hold for all of their requests.

use std::time::{Duration, Instant};

use bitmart_sandbox::{Config, Sandbox};

use crate::judge::{Sent, most_in_a_window};
use crate::server::Server;
use crate::worker::{Job, Log, TIMEOUT, Worker};

/// `system_time`: 10 requests per second and IP address.
pub(crate) const LIMIT: usize = 10;
pub(crate) const WINDOW: u64 = 1_000_000;

/// How long a new server grants nothing: the timeout of a call, three seconds and one window.
pub(crate) const NEW: Duration = Duration::from_secs(5);

pub(crate) const PROCESSES: usize = 4;

pub(crate) struct Fleet {
    pub(crate) server: Server,
    pub(crate) sandbox: Sandbox,
    pub(crate) job: Job,
}

impl Fleet {
    /// A sandbox that enforces its limits if the fleet is expected to keep them.
    pub(crate) async fn start(job: Job) -> Self {
        let config = Config::new().rate_limits(job.broken.is_none()).market_maker(false);
        let sandbox = Sandbox::start(config).await.expect("starts");
        let server = Server::start();
        let job = Job { redis: server.url(), sandbox: sandbox.spot().rest.clone(), ..job };
        Self { server, sandbox, job }
    }

    pub(crate) fn workers(&self) -> Vec<Worker> {
        (0..PROCESSES).map(|_| self.job.start()).collect()
    }

    pub(crate) async fn finish(self, workers: Vec<Worker>) -> Vec<Log> {
        let finish = |worker: Worker| tokio::task::spawn_blocking(|| worker.finish());
        let mut logs = Vec::new();
        for worker in workers.into_iter().map(finish).collect::<Vec<_>>() {
            logs.push(worker.await.expect("no panic"));
        }
        self.sandbox.shutdown().await;
        logs
    }
}

/// Longest wait. Only a failure takes as long.
const PATIENCE: Duration = Duration::from_secs(180);

pub(crate) fn all_sent(workers: &[Worker]) -> usize {
    workers.iter().map(Worker::sent).sum()
}

/// Waits until the workers have sent so many requests.
pub(crate) async fn until_sent(workers: &[Worker], count: usize) {
    let end = Instant::now() + PATIENCE;
    while all_sent(workers) < count {
        assert!(Instant::now() < end, "{:?}", workers.iter().map(Worker::sent).collect::<Vec<_>>());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until the workers send nothing for a window, since they get no permits.
pub(crate) fn until_quiet(workers: &[Worker]) {
    let end = Instant::now() + PATIENCE;
    let (mut sent, mut since) = (all_sent(workers), Instant::now());
    while since.elapsed() < Duration::from_micros(WINDOW) {
        assert!(Instant::now() < end, "they go on");
        std::thread::sleep(Duration::from_millis(5));
        if all_sent(workers) != sent {
            (sent, since) = (all_sent(workers), Instant::now());
        }
    }
}

/// Waits until what a server knows now is too old: all callers that wait count as dead, and all permits have been
/// granted anew by the server that goes on. The ends of the last ones are recorded there, and lost here.
pub(crate) fn until_outdated(server: &Server, workers: &[Worker]) {
    let due = "{bitmart}:due:system_time:ip:127.0.0.1";
    let due = server.command(&["ZRANGE", due, "-1", "-1", "WITHSCORES"]).expect("a reply");
    let due: Vec<(String, u64)> = redis::from_redis_value(due).expect("a time");
    let due = due.first().expect("callers wait").1;
    let now = || {
        let time = server.command(&["TIME"]).expect("a reply");
        let (seconds, micros): (u64, u64) = redis::from_redis_value(time).expect("numbers");
        seconds * 1_000_000 + micros
    };
    let (end, before) = (Instant::now() + PATIENCE, all_sent(workers));
    while now() <= due || all_sent(workers) < before + 2 * LIMIT {
        assert!(Instant::now() < end, "{} sent", all_sent(workers) - before);
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn sent(logs: &[Log]) -> Vec<Sent> {
    logs.iter().flat_map(|log| log.sent.iter().copied()).collect()
}

pub(crate) fn most(logs: &[Log]) -> usize {
    most_in_a_window(&sent(logs), WINDOW, u64::try_from(TIMEOUT.as_micros()).expect("short"))
}

/// No window has more than the limit, and the sandbox agrees.
pub(crate) fn assert_kept(logs: &[Log]) {
    assert!(most(logs) <= LIMIT, "{} in a window", most(logs));
    for log in logs {
        assert_eq!(log.rejected, 0, "rejected by the sandbox");
    }
}

pub(crate) fn assert_fair(logs: &[Log]) {
    let total = sent(logs).len();
    for log in logs {
        assert!(log.throttled.is_empty(), "{:?}", log.throttled);
        let own = log.sent.len();
        assert!(own * PROCESSES * 2 >= total, "{own} of {total} requests");
    }
}

pub(crate) fn assert_kept_and_resumed(logs: &[Log]) {
    assert_kept(logs);
    let mut times: Vec<_> = sent(logs).iter().map(|sent| sent.at).collect();
    times.sort_unstable();
    let gap = times.windows(2).max_by_key(|pair| pair[1] - pair[0]).expect("requests");
    assert!(gap[1] - gap[0] >= 3 * WINDOW, "only {} us without a request", gap[1] - gap[0]);
    assert!(times.iter().filter(|time| **time < gap[1]).count() > LIMIT);
    assert!(times.iter().filter(|time| **time >= gap[1]).count() > LIMIT);
}
