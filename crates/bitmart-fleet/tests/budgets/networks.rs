//! A Redis that is slow, cut off from one process or from all, or replaced by its replica, while processes send.

use std::time::{Duration, Instant};

use crate::fleet::{
    Fleet, LIMIT, all_sent, assert_fair, assert_kept, assert_kept_and_resumed, most,
    until_outdated, until_quiet, until_sent,
};
use crate::proxy::{Network, Proxy};
use crate::server::Server;
use crate::worker::{Job, Log, Worker};

const REPLY_TIMEOUT: Duration = Duration::from_millis(400);

/// A fleet whose processes reach Redis through a proxy.
async fn behind_a_proxy(job: Job) -> (Fleet, Proxy) {
    let mut fleet = Fleet::start(job).await;
    let proxy = Proxy::to_unix(&fleet.server.socket());
    fleet.job.redis = url(&proxy);
    fleet.job.reply_timeout = Some(REPLY_TIMEOUT);
    (fleet, proxy)
}

fn url(proxy: &Proxy) -> String {
    format!("redis://127.0.0.1:{}", proxy.port())
}

/// Waits until so many more requests are sent.
async fn until_more(workers: &[Worker], count: usize) {
    let so_far = all_sent(workers);
    until_sent(workers, so_far + count).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn a_slow_redis_keeps_the_limit() {
    let (fleet, proxy) = behind_a_proxy(Job::default()).await;
    let workers = fleet.workers();
    until_sent(&workers, 2 * LIMIT).await;
    // Replies in time.
    proxy.set(Network::Late(REPLY_TIMEOUT / 8));
    until_more(&workers, 2 * LIMIT).await;
    // Permits are granted whose replies come too late.
    proxy.set(Network::Late(REPLY_TIMEOUT));
    tokio::task::block_in_place(|| until_quiet(&workers));
    proxy.set(Network::Passes);
    until_more(&workers, 2 * LIMIT).await;
    let logs = fleet.finish(workers).await;
    assert_kept(&logs);
    assert_fair(&logs);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn calls_that_arrive_after_a_partition_grant_nothing_to_anyone() {
    let (fleet, proxy) = behind_a_proxy(Job { lease: 8, ..Job::default() }).await;
    let workers = fleet.workers();
    until_sent(&workers, 2 * LIMIT).await;
    for _ in 0..2 {
        proxy.set(Network::Partitioned);
        tokio::task::block_in_place(|| until_quiet(&workers));
        proxy.set(Network::Passes);
        until_more(&workers, 2 * LIMIT).await;
    }
    let logs = fleet.finish(workers).await;
    assert_kept(&logs);
    assert_fair(&logs);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn replies_that_end_half_way_keep_the_limit() {
    let (fleet, proxy) = behind_a_proxy(Job::default()).await;
    let workers = fleet.workers();
    until_sent(&workers, LIMIT).await;
    proxy.set(Network::Cuts(5));
    until_more(&workers, LIMIT).await;
    proxy.set(Network::Passes);
    until_more(&workers, 2 * LIMIT).await;
    assert_kept(&fleet.finish(workers).await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn a_process_that_is_cut_off_sends_nothing_and_the_others_have_the_whole_limit() {
    let fleet = Fleet::start(Job::default()).await;
    let proxy = Proxy::to_unix(&fleet.server.socket());
    let job = Job { redis: url(&proxy), reply_timeout: Some(REPLY_TIMEOUT), ..fleet.job.clone() };
    let cut_off = [job.start()];
    let mut others: Vec<_> = (0..3).map(|_| fleet.job.start()).collect();
    until_sent(&cut_off, LIMIT / 2).await;
    until_sent(&others, LIMIT).await;
    proxy.set(Network::Partitioned);
    tokio::task::block_in_place(|| until_quiet(&cut_off));
    let before = all_sent(&cut_off);
    // The permits that it had return when their lifetime ends; then the others have all.
    let (start, first) = (Instant::now(), all_sent(&others));
    until_sent(&others, first + 8 * LIMIT).await;
    println!("the others sent {} in {:?}", 8 * LIMIT, start.elapsed());
    assert_eq!(all_sent(&cut_off), before, "sent without a permit");
    proxy.set(Network::Passes);
    until_sent(&cut_off, before + LIMIT / 2).await;
    others.extend(cut_off);
    let logs = fleet.finish(others).await;
    assert_kept(&logs);
    for log in &logs {
        assert!(log.throttled.is_empty(), "{:?}", log.throttled);
    }
}

/// When a replica becomes the primary.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Promoted {
    /// Before the processes reach it.
    AtOnce,
    /// After they have found it as a replica.
    Later,
}

/// The primary dies, and its replica, which is behind, takes its place.
async fn failed_over(job: Job, promoted: Promoted) -> Vec<Log> {
    let (mut fleet, proxy) = behind_a_proxy(job).await;
    let replica = Server::start();
    let link = Proxy::to_unix(&fleet.server.socket());
    fleet.server.command(&["CONFIG", "SET", "repl-diskless-sync-delay", "0"]).expect("a reply");
    replica.command(&["REPLICAOF", "127.0.0.1", &link.port().to_string()]).expect("a reply");
    let workers = fleet.workers();
    until_sent(&workers, 3 * LIMIT).await;
    tokio::task::block_in_place(|| {
        until_replicated(&replica);
        link.set(Network::Partitioned);
        until_outdated(&replica, &workers);
        fleet.server.kill();
        let promote = || replica.command(&["REPLICAOF", "NO", "ONE"]).expect("a reply");
        if promoted == Promoted::AtOnce {
            promote();
        }
        proxy.move_to_unix(&replica.socket());
        if promoted == Promoted::Later {
            until_quiet(&workers);
            promote();
        }
    });
    until_more(&workers, 3 * LIMIT).await;
    fleet.finish(workers).await
}

/// Waits until the replica has callers that wait, as the primary has.
fn until_replicated(replica: &Server) {
    let end = Instant::now() + Duration::from_secs(60);
    let due = "{bitmart}:due:system_time:ip:127.0.0.1";
    while !matches!(replica.command(&["ZCARD", due]), Ok(redis::Value::Int(1..))) {
        assert!(Instant::now() < end, "the replica does not follow");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn a_replica_that_was_behind_and_is_promoted_keeps_the_limit() {
    assert_kept_and_resumed(&failed_over(Job::default(), Promoted::AtOnce).await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn a_replica_that_is_reached_before_it_is_promoted_keeps_the_limit() {
    assert_kept_and_resumed(&failed_over(Job::default(), Promoted::Later).await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn a_script_that_trusts_a_promoted_replica_exceeds_the_limit() {
    let broken = Some(("if epoch[1] ~= run then", "if not epoch[1] then"));
    let mut found = Vec::new();
    // The clients may be slow to notice the new primary.
    for _ in 0..6 {
        let job = Job { broken, ..Job::default() };
        found.push(most(&failed_over(job, Promoted::AtOnce).await));
        if found.iter().any(|most| *most > LIMIT) {
            return;
        }
    }
    panic!("{found:?} in a window");
}
