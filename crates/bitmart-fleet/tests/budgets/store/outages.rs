//! A Redis that is gone, slow or unsuitable.

use super::*;

#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn without_redis_requests_are_refused_or_wait_as_the_policy_says() {
    let mut server = ready().await;
    let refusing = store(&server);
    let waiting = builder(&server).outage(Outage::Wait).build().expect("valid");
    refusing.check().await.expect("reachable");
    server.kill();
    assert_eq!(now(&refusing, &by_address()).await, Err(ThrottleReason::BudgetUnavailable));
    assert!(refusing.check().await.is_err());
    let start = Instant::now();
    let refusal = waiting.acquire(&by_address(), Duration::from_millis(300)).await;
    assert_eq!(refusal.expect_err("gone").reason, ThrottleReason::BudgetUnavailable);
    assert!(start.elapsed() < Duration::from_secs(10));

    let task = tokio::spawn(async move { waiting.acquire(&by_address(), PATIENCE).await });
    server.restart();
    task.await.expect("no panic").expect("granted by the new server, after its pause");
    assert!(start.elapsed() >= Duration::from_secs(4), "the pause of a new server");
}

#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn a_slow_redis_is_as_good_as_gone() {
    let server = ready().await;
    let store = builder(&server).reply_timeout(Duration::from_millis(100)).build().expect("valid");
    store.check().await.expect("reachable");
    server.command(&["CLIENT", "PAUSE", "3000"]).expect("a reply");
    let start = Instant::now();
    assert_eq!(now(&store, &by_address()).await, Err(ThrottleReason::BudgetUnavailable));
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    // What was granted after all is returned, and nobody else removes what has expired.
    let flying = "{bitmart}:flying:by_address:ip:203.0.113.7";
    while server.command(&["ZCARD", flying]) != Ok(redis::Value::Int(0)) {
        assert!(start.elapsed() < PATIENCE, "not returned");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn a_share_is_used_alone_after_the_pause_and_only_then() {
    let mut server = ready().await;
    let share = builder(&server).outage(Outage::Share(40)).build().expect("valid");
    let budget = by_address();
    share.check().await.expect("reachable");
    server.kill();
    let start = Instant::now();
    assert_eq!(now(&share, &budget).await, Err(ThrottleReason::BudgetUnavailable));
    let first = share.acquire(&budget, PATIENCE).await.expect("alone");
    assert!(start.elapsed() >= Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!(1 + take_all(&share, &budget).await, 2, "two of five");
    share.end(&budget, first, RequestEnd::NotSent);
    assert!(now(&share, &budget).await.is_ok());
}

#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn other_settings_and_unsuitable_servers_are_refused() {
    let server = ready().await;
    let other = RedisBudgets::builder(server.url(), "203.0.113.7")
        .call_timeout(Duration::from_secs(20))
        .build()
        .expect("valid");
    assert_eq!(now(&other, &by_address()).await, Err(ThrottleReason::BudgetUnavailable));

    server.command(&["CONFIG", "SET", "maxmemory", "100mb"]).expect("a reply");
    server.command(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]).expect("a reply");
    assert!(matches!(store(&server).check().await, Err(StoreError::Unsuitable(_))));
}

/// Waits until a caller is refused for this reason.
async fn until_refused(store: &RedisBudgets, budget: &Budget, reason: ThrottleReason) -> Duration {
    let start = Instant::now();
    loop {
        match store.acquire(budget, Duration::ZERO).await {
            Err(refusal) if refusal.reason == reason => return refusal.wait,
            other => assert!(start.elapsed() < PATIENCE, "not {reason:?}: {other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn bans_and_pauses_outlive_a_flush() {
    let server = ready().await;
    let [warned, other] = [store(&server), store(&server)];
    warned.ban(Duration::from_secs(120));
    warned.pause(&by_address(), Duration::from_secs(600));
    warned.close().await;
    server.command(&["FLUSHALL"]).expect("a reply");
    // The process that received them requests nothing itself.
    let key = Budget::new(&BY_KEY, Some("mine"), 0);
    let wait = until_refused(&other, &key, ThrottleReason::Banned).await;
    assert!(wait > Duration::from_secs(90) && wait <= Duration::from_secs(120), "{wait:?}");
    let ban = "{bitmart}:ban:ip:203.0.113.7";
    server.command(&["DEL", ban]).expect("a reply");
    let paused = server.command(&["HGET", "{bitmart}:stated:by_address:ip:203.0.113.7", "paused"]);
    assert!(matches!(paused, Ok(redis::Value::BulkString(_))), "{paused:?}");
}

/// Redis is unreachable for a while, and knows as much as before when it is back.
#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn permits_that_were_used_alone_are_free_before_redis_grants_again() {
    let server = ready().await;
    let reply_timeout = Duration::from_millis(100);
    let share = builder(&server).reply_timeout(reply_timeout).outage(Outage::Share(100));
    let share = share.build().expect("valid");
    let budget = by_address();
    share.check().await.expect("reachable");
    server.command(&["CLIENT", "PAUSE", "12000"]).expect("a reply");
    let first = share.acquire(&budget, PATIENCE).await.expect("alone");
    let mut used = vec![first];
    while let Ok(permit) = share.acquire(&budget, Duration::ZERO).await {
        used.push(permit);
    }
    assert_eq!(used.len(), 5, "all of its share");
    // A reply means that the pause is over.
    time(&server);
    let ended = Instant::now();
    for permit in used {
        share.end(&budget, permit, RequestEnd::Counted);
    }
    share.acquire(&budget, PATIENCE).await.expect("in the end");
    assert!(ended.elapsed() >= Duration::from_secs(5), "within the window: {:?}", ended.elapsed());
}
