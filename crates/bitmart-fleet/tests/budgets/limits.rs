//! Several processes never exceed a limit together, whatever happens to them or to Redis.
//!
//! Each test of a property has a counterpart with a script that is broken in one place, and there it must fail.

use crate::fleet::{
    Fleet, LIMIT, NEW, PROCESSES, all_sent, assert_fair, assert_kept, assert_kept_and_resumed,
    most, sent, until_outdated, until_quiet, until_sent,
};
use crate::server::Server;
use crate::worker::{Job, Log, Worker};

async fn steady(job: Job) -> Vec<Log> {
    let fleet = Fleet::start(job).await;
    let workers = fleet.workers();
    until_sent(&workers, 8 * LIMIT).await;
    fleet.finish(workers).await
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
        "redis.call('ZADD', limit.ended, text(now + limit.span), member)",
        "redis.call('ZADD', limit.ended, text(now), member)",
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
        "local dead_at = text(now + lifetime)",
        "local dead_at = text(now - longest * 9 / 10)",
    ));
    let (logs, _) = killed(Job { broken, ..Job::default() }).await;
    assert!(most(&logs) > LIMIT, "{} in a window", most(&logs));
}

/// Something happens to Redis while all processes send.
async fn disturbed(job: Job, disturb: impl FnOnce(&mut Server, &[Worker])) -> Vec<Log> {
    let mut fleet = Fleet::start(job).await;
    let workers = fleet.workers();
    until_sent(&workers, 3 * LIMIT).await;
    tokio::task::block_in_place(|| disturb(&mut fleet.server, &workers));
    let so_far = all_sent(&workers);
    until_sent(&workers, so_far + 3 * LIMIT).await;
    fleet.finish(workers).await
}

fn flush(server: &mut Server, _: &[Worker]) {
    server.command(&["FLUSHALL"]).expect("a reply");
}

/// What was saved is older than what is in use when the server dies.
fn crash_with_an_old_file(server: &mut Server, workers: &[Worker]) {
    server.command(&["SAVE"]).expect("a reply");
    until_outdated(server, workers);
    server.kill();
    server.restart();
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
    let logs = disturbed(Job::default(), |server, workers| {
        server.shut_down();
        until_quiet(workers);
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
    for _ in 0..6 {
        let job = Job { broken, ..Job::default() };
        let logs = disturbed(job, crash_with_an_old_file).await;
        found.push(most(&logs));
        if found.iter().any(|most| *most > LIMIT) {
            return;
        }
    }
    panic!("{found:?} in a window");
}
