//! What response headers state: others' requests, and limits besides the published one.

use std::time::Duration;

use bitmart_rest::limit::{Budget, BudgetStore as _, PermitId, RequestEnd, ThrottleReason};

use super::{PATIENCE, UNKNOWN, by_address, now, ready, stated, store, take_all, time};

#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn headers_lower_the_limit_for_all_and_never_raise_it() {
    let server = ready().await;
    let [one, other] = [store(&server), store(&server)];
    let budget = by_address();
    one.settle(&budget, stated(4, 5, 5));
    one.close().await;
    assert_eq!(take_all(&other, &budget).await, 1, "four were counted for others");

    // A limit that no source states.
    let unknown = Budget::new(&UNKNOWN, None, 0);
    for _ in 0..50 {
        now(&other, &unknown).await.expect("not limited");
    }
    one.settle(&unknown, stated(0, 8, 5));
    one.settle(&unknown, stated(0, 100, 1));
    one.close().await;
    let permit = one.acquire(&unknown, PATIENCE).await.expect("in the end");
    one.end(&unknown, permit, RequestEnd::NotSent);
    one.settle(&unknown, stated(1, 8, 5));
    one.close().await;
    assert_eq!(take_all(&other, &unknown).await, 7);
}

/// 40 in 60 s are a lower pace than the published 5 in 5 s. Both limits are kept.
#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn a_lower_limit_of_a_longer_window_is_kept_and_does_not_allow_more_at_once() {
    let server = ready().await;
    let store = store(&server);
    let budget = by_address();
    let take = async || {
        let mut permits = Vec::new();
        while let Ok(permit) = store.acquire(&budget, Duration::ZERO).await {
            permits.push(permit);
        }
        permits
    };
    // Ends requests, whose permits of the published window are free at once here.
    let end = async |permits: Vec<PermitId>| {
        for permit in permits {
            store.end(&budget, permit, RequestEnd::Counted);
        }
        store.close().await;
        server.command(&["DEL", "{bitmart}:ended:by_address:ip:203.0.113.7"]).expect("a reply");
    };
    // Learned with five requests in flight, of 33 that are used: others have sent 28.
    let permits = take().await;
    assert_eq!(permits.len(), 5);
    let before_stated = time(&server);
    store.settle(&budget, stated(33, 40, 60));
    store.close().await;
    let after_stated = time(&server);
    end(permits).await;
    // 40 less 33 are 7: 5 of the published window, and 2 of the next one.
    for expected in [5, 2] {
        let permits = take().await;
        assert_eq!(permits.len(), expected);
        end(permits).await;
    }
    // The first permits that are free are those of others, 60 s after the response.
    let before = time(&server);
    let refusal = store.acquire(&budget, Duration::ZERO).await.expect_err("40 are used");
    let after = time(&server);
    assert_eq!(refusal.reason, ThrottleReason::LimitReached);
    let (wait, minute) = (refusal.wait.as_micros(), 60_000_000);
    assert!(before + wait <= after_stated + minute, "later than a minute: {wait}");
    assert!(after + wait >= before_stated + minute, "sooner than a minute: {wait}");
    // A response that states the published limit ends the other one, with its count.
    store.settle(&budget, stated(0, 5, 5));
    store.close().await;
    assert_eq!(take().await.len(), 5);
}

#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn a_lower_limit_holds_for_a_day_or_until_a_response_states_another() {
    let server = ready().await;
    let store = store(&server);
    let budget = by_address();
    let key = "{bitmart}:stated:by_address:ip:203.0.113.7";
    store.settle(&budget, stated(0, 2, 5));
    store.close().await;
    let until = server.command(&["HGET", key, "until"]).expect("a reply");
    let until: u128 = redis::from_redis_value(until).expect("a time");
    let day = until - time(&server);
    assert!((86_000_000_000..=86_400_000_000).contains(&day), "{day}");
    assert_eq!(take_all(&store, &budget).await, 2);
    // Permits in use count against either limit.
    store.settle(&budget, stated(2, 5, 5));
    store.close().await;
    assert_eq!(server.command(&["HGET", key, "until"]), Ok(redis::Value::Nil));
    assert_eq!(take_all(&store, &budget).await, 3);
    store.settle(&budget, stated(0, 2, 5));
    store.close().await;
    // A day later.
    server.command(&["HSET", key, "until", "1"]).expect("a reply");
    server.command(&["DEL", "{bitmart}:ended:by_address:ip:203.0.113.7"]).expect("a reply");
    server.command(&["DEL", "{bitmart}:flying:by_address:ip:203.0.113.7"]).expect("a reply");
    assert_eq!(take_all(&store, &budget).await, 5);
}
