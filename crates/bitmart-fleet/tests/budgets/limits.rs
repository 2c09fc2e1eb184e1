//! Several processes never exceed a limit together, whatever happens to them or to Redis.
//!
//! Each test of a property has a counterpart with a script that is broken in one place, and there it must fail.

use std::time::{Duration, Instant};

use bitmart_sandbox::{Config, Sandbox};

use crate::judge::{Sent, most_in_a_window};
use crate::server::Server;
use crate::worker::{Job, Log, TIMEOUT, Worker};

/// `system_time`: 10 requests per second and IP address.
const LIMIT: usize = 10;
const WINDOW: u64 = 1_000_000;

/// How long a new server grants nothing: the timeout of a call, three seconds and one window.
const NEW: Duration = Duration::from_secs(5);

const PROCESSES: usize = 4;

struct Fleet {
    server: Server,
    sandbox: Sandbox,
    job: Job,
}

impl Fleet {
    /// A sandbox that enforces its limits if the fleet is expected to keep them.
    async fn start(job: Job) -> Self {
        let config = Config::new().rate_limits(job.broken.is_none()).market_maker(false);
        let sandbox = Sandbox::start(config).await.expect("starts");
        let server = Server::start();
        let job = Job { redis: server.url(), sandbox: sandbox.spot().rest.clone(), ..job };
        Self { server, sandbox, job }
    }

    fn workers(&self) -> Vec<Worker> {
        (0..PROCESSES).map(|_| self.job.start()).collect()
    }

    async fn finish(self, workers: Vec<Worker>) -> Vec<Log> {
        let finish = |worker: Worker| tokio::task::spawn_blocking(|| worker.finish());
        let mut logs = Vec::new();
        for worker in workers.into_iter().map(finish).collect::<Vec<_>>() {
            logs.push(worker.await.expect("no panic"));
        }
        self.sandbox.shutdown().await;
        logs
    }
}

/// Waits until the workers have sent so many requests.
async fn until_sent(workers: &[Worker], count: usize) {
    let end = Instant::now() + Duration::from_secs(60);
    while workers.iter().map(Worker::sent).sum::<usize>() < count {
        assert!(Instant::now() < end, "{:?}", workers.iter().map(Worker::sent).collect::<Vec<_>>());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn sent(logs: &[Log]) -> Vec<Sent> {
    logs.iter().flat_map(|log| log.sent.iter().copied()).collect()
}

fn most(logs: &[Log]) -> usize {
    most_in_a_window(&sent(logs), WINDOW, u64::try_from(TIMEOUT.as_micros()).expect("short"))
}

/// No window has more than the limit, and the sandbox agrees.
fn assert_kept(logs: &[Log]) {
    assert!(most(logs) <= LIMIT, "{} in a window", most(logs));
    for log in logs {
        assert_eq!(log.rejected, 0, "rejected by the sandbox");
    }
}

async fn steady(job: Job) -> Vec<Log> {
    let fleet = Fleet::start(job).await;
    let workers = fleet.workers();
    until_sent(&workers, 8 * LIMIT).await;
    fleet.finish(workers).await
}

fn assert_fair(logs: &[Log]) {
    let total = sent(logs).len();
    for log in logs {
        assert!(log.throttled.is_empty(), "{:?}", log.throttled);
        let own = log.sent.len();
        assert!(own * PROCESSES * 2 >= total, "{own} of {total} requests");
    }
}

#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn processes_keep_a_limit_together_and_none_starves() {
    let logs = steady(Job::default()).await;
    assert_kept(&logs);
    assert_fair(&logs);
}

#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn processes_with_leases_keep_a_limit_together_and_none_starves() {
    let logs = steady(Job { lease: 8, ..Job::default() }).await;
    assert_kept(&logs);
    assert_fair(&logs);
}

#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn a_script_that_frees_permits_with_the_response_exceeds_the_limit() {
    let broken = Some((
        "redis.call('ZADD', ENDED, text(now + span), member)",
        "redis.call('ZADD', ENDED, text(now), member)",
    ));
    let logs = steady(Job { broken, ..Job::default() }).await;
    assert!(most(&logs) > LIMIT, "{} in a window", most(&logs));
}

/// A process is killed with all permits in flight; others want them.
async fn killed(job: Job) -> (Vec<Log>, u64) {
    let fleet = Fleet::start(job).await;
    let mut victim = [Job { hang: true, ..fleet.job.clone() }.start()];
    until_sent(&victim, LIMIT).await;
    victim[0].kill();
    let workers = fleet.workers();
    let [victim] = victim.map(Worker::finish);
    let last = victim.sent.iter().map(|sent| sent.at).max().expect("it was granted some");
    until_sent(&workers, 4 * LIMIT).await;
    let mut logs = fleet.finish(workers).await;
    logs.push(victim);
    (logs, last)
}

#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn permits_of_a_killed_process_return_but_not_too_early() {
    let (logs, last) = killed(Job::default()).await;
    assert_eq!(logs[PROCESSES].sent.len(), LIMIT, "the victim had all permits");
    assert_kept(&logs);
    let first = sent(&logs[..PROCESSES]).iter().map(|sent| sent.at).min();
    let first = first.expect("the permits came back");
    let longest = u64::try_from(NEW.as_micros()).expect("short") + 1_000_000;
    assert!(first - last <= longest, "after {} us", first - last);
    assert_fair(&logs[..PROCESSES]);
}

#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn a_script_that_forgets_requests_in_flight_exceeds_the_limit_after_a_kill() {
    let broken = Some((
        "local expiry = text(now + lifetime + span)",
        "local expiry = text(now + span / 10)",
    ));
    let (logs, _) = killed(Job { broken, ..Job::default() }).await;
    assert!(most(&logs) > LIMIT, "{} in a window", most(&logs));
}

/// Something happens to Redis while all processes send.
async fn disturbed(job: Job, disturb: impl FnOnce(&mut Server)) -> Vec<Log> {
    let mut fleet = Fleet::start(job).await;
    let workers = fleet.workers();
    until_sent(&workers, 3 * LIMIT).await;
    tokio::task::block_in_place(|| disturb(&mut fleet.server));
    let so_far = workers.iter().map(Worker::sent).sum::<usize>();
    until_sent(&workers, so_far + 3 * LIMIT).await;
    fleet.finish(workers).await
}

fn flush(server: &mut Server) {
    server.command(&["FLUSHALL"]).expect("a reply");
}

/// What was saved is older than what is in use when the server dies.
fn crash_with_an_old_file(server: &mut Server) {
    server.command(&["SAVE"]).expect("a reply");
    // The callers in the file count as dead by now. All permits are granted at once in every window, and the ends of
    // the last ones are recorded as well, and lost.
    std::thread::sleep(Duration::from_millis(2400));
    server.kill();
    server.restart();
}

fn assert_kept_and_resumed(logs: &[Log]) {
    assert_kept(logs);
    let mut times: Vec<_> = sent(logs).iter().map(|sent| sent.at).collect();
    times.sort_unstable();
    let gap = times.windows(2).max_by_key(|pair| pair[1] - pair[0]).expect("requests");
    assert!(gap[1] - gap[0] >= 3 * WINDOW, "only {} us without a request", gap[1] - gap[0]);
    assert!(times.iter().filter(|time| **time < gap[1]).count() > LIMIT);
    assert!(times.iter().filter(|time| **time >= gap[1]).count() > LIMIT);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn a_flushed_server_grants_nothing_until_all_permits_are_free() {
    assert_kept_and_resumed(&disturbed(Job::default(), flush).await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn a_script_without_the_pause_of_a_new_epoch_exceeds_the_limit_after_a_flush() {
    let broken = Some(("hold_until(tonumber(epoch[2]) + lifetime + span, 4)", ""));
    let logs = disturbed(Job { broken, ..Job::default() }, flush).await;
    assert!(most(&logs) > LIMIT, "{} in a window", most(&logs));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn a_server_that_is_shut_down_and_started_keeps_the_limit() {
    let logs = disturbed(Job::default(), |server| {
        server.shut_down();
        std::thread::sleep(Duration::from_millis(300));
        server.restart();
    });
    assert_kept_and_resumed(&logs.await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn a_server_that_crashes_and_reads_an_old_file_keeps_the_limit() {
    assert_kept_and_resumed(&disturbed(Job::default(), crash_with_an_old_file).await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn a_script_that_trusts_an_old_file_exceeds_the_limit_after_a_crash() {
    let broken = Some(("if epoch[1] ~= run then", "if not epoch[1] then"));
    let mut found = Vec::new();
    // The clients may be slow to notice that the server is back.
    for _ in 0..3 {
        let job = Job { broken, ..Job::default() };
        let logs = disturbed(job, crash_with_an_old_file).await;
        found.push(most(&logs));
        if found.iter().any(|most| *most > LIMIT) {
            return;
        }
    }
    panic!("{found:?} in a window");
}
