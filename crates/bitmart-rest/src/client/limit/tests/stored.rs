//! The limiter with a store, under paused time.

use super::*;
use crate::Client;
use crate::limit::RateLimitState;

/// Grants what the local limiter would, and records its calls.
#[derive(Default)]
struct Recorder {
    inner: LocalBudgets,
    calls: Mutex<Vec<String>>,
    /// Whether it refuses every permit, for this time.
    refuses_for: Option<Duration>,
}

impl Recorder {
    fn record(&self, call: impl Into<String>) {
        self.calls.lock().unwrap().push(call.into());
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }
}

impl BudgetStore for Recorder {
    fn acquire<'a>(&'a self, budget: &'a Budget, max_wait: Duration) -> BudgetFuture<'a> {
        self.record(format!("acquire {:?}", budget.key_id()));
        if let Some(wait) = self.refuses_for {
            let refusal = BudgetRefusal::new(ThrottleReason::BudgetUnavailable, wait);
            return Box::pin(std::future::ready(Err(refusal)));
        }
        self.inner.acquire(budget, max_wait)
    }

    fn end(&self, budget: &Budget, permit: PermitId, end: RequestEnd) {
        self.record(format!("{end:?}"));
        self.inner.end(budget, permit, end);
    }

    fn settle(&self, budget: &Budget, state: RateLimitState) {
        self.record("settle");
        self.inner.settle(budget, state);
    }

    fn pause(&self, budget: &Budget, duration: Duration) {
        self.record(format!("pause {} {duration:?}", budget.endpoint()));
        self.inner.pause(budget, duration);
    }

    fn ban(&self, duration: Duration) {
        self.record(format!("ban {duration:?}"));
        self.inner.ban(duration);
    }

    fn call_timeout(&self) -> Duration {
        Duration::from_secs(20)
    }
}

fn stored(policy: LimitPolicy) -> (Limiter, Arc<Recorder>) {
    let store = Arc::new(Recorder::default());
    (Limiter::new(policy).headroom(0).with_store(store.clone()), store)
}

#[tokio::test(start_paused = true)]
async fn processes_with_one_store_share_their_limits() {
    let store = Arc::new(LocalBudgets::new());
    let [one, other] =
        [failing_limiter(), failing_limiter()].map(|limiter| limiter.with_store(store.clone()));
    assert_eq!(acquire_all(&one, &BY_ADDRESS, None).await, 5);
    assert_eq!(acquire_all(&other, &BY_ADDRESS, None).await, 0);
    let [mine, same, theirs] = [one.user("mine"), other.user("mine"), other.user("theirs")];
    assert_eq!(acquire_all(&one, &BY_KEY, Some(mine)).await, 5);
    assert_eq!(acquire_all(&other, &BY_KEY, Some(same)).await, 0);
    assert_eq!(acquire_all(&other, &BY_KEY, Some(theirs)).await, 5);
    advance(Duration::from_secs(1)).await;
    assert_eq!(acquire_all(&other, &BY_ADDRESS, None).await, 5);
}

#[tokio::test(start_paused = true)]
async fn waiting_tasks_are_served_in_order_by_a_store_too() {
    let limiter = waiting_limiter().with_store(Arc::new(LocalBudgets::new()));
    let order = Arc::new(Mutex::new(Vec::new()));
    let tasks: Vec<_> = (0..17)
        .map(|number| {
            let (limiter, order) = (limiter.clone(), Arc::clone(&order));
            tokio::spawn(async move {
                limiter.acquire(&BY_KEY, None).await.unwrap().unwrap().count();
                order.lock().unwrap().push((number, Instant::now()));
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let order = order.lock().unwrap();
    assert!(order.iter().map(|(number, _)| *number).eq(0..17));
    // At most 5 a second: each sixth one is sent a second after the first of them.
    assert!(order.windows(6).all(|run| run[5].1 - run[0].1 >= Duration::from_secs(1)));
}

#[tokio::test(start_paused = true)]
async fn each_permit_ends_once_and_only_a_sent_request_counts() {
    let (limiter, store) = stored(LimitPolicy::FailFast);
    drop(limiter.acquire(&BY_ADDRESS, None).await.unwrap());
    assert_eq!(store.calls(), ["acquire None", "NotSent"]);
    let mut permit = limiter.acquire(&BY_ADDRESS, None).await.unwrap().unwrap();
    permit.count();
    drop(permit);
    assert_eq!(store.calls(), ["acquire None", "Counted"]);
    let user = limiter.user("abc");
    let mut permit = limiter.acquire(&BY_KEY, Some(user)).await.unwrap().unwrap();
    permit.count();
    permit.uncount();
    drop(permit);
    assert_eq!(store.calls(), ["acquire Some(\"ba7816bf8f01cfea\")", "NotSent"]);
    assert!(Limiter::new(LimitPolicy::Off).with_store(store.clone()).user("abc") == 0);
    assert!(store.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn pauses_and_bans_reach_the_store_and_hold_here_without_it() {
    let (limiter, store) = stored(LimitPolicy::FailFast);
    let permit = limiter.acquire(&BY_ADDRESS, None).await.unwrap().unwrap();
    let delay = limiter.rejected(Some(&permit), Some(Duration::from_secs(7)), false).unwrap();
    assert_eq!(delay.at - shared_bucket::now(), Duration::from_secs(7));
    let delay = limiter.rejected(Some(&permit), None, true).unwrap();
    assert_eq!(delay.reason, ThrottleReason::Banned);
    drop(permit);
    assert_eq!(store.calls(), ["acquire None", "pause by_address 7s", "ban 60s", "NotSent"]);
    for metadata in [&BY_ADDRESS, &UNKNOWN] {
        let delay = limiter.acquire(metadata, None).await.unwrap_err();
        assert_eq!(delay.reason, ThrottleReason::Banned);
    }
    assert!(store.calls().is_empty(), "no round trip for what is known here");
    advance(MIN_BAN_PAUSE).await;
    assert!(limiter.acquire(&BY_ADDRESS, None).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_gone_fails_the_request_as_not_sent() {
    let wait = Duration::from_secs(3);
    let store = Arc::new(Recorder { refuses_for: Some(wait), ..Recorder::default() });
    let limiter = Limiter::new(LimitPolicy::FailFast).with_store(store);
    let delay = limiter.acquire(&BY_ADDRESS, None).await.unwrap_err();
    assert_eq!(delay.reason, ThrottleReason::BudgetUnavailable);

    let client = Client::builder().limiter(limiter).build().unwrap();
    let error = client.system().time().await.unwrap_err();
    assert_eq!(error.outcome(), crate::Outcome::NotSent);
    assert_eq!(error.retry_after(), Some(wait));
    assert_eq!(error.retry_class(), crate::RetryClass::AfterTime { wait });
    assert_eq!(
        error.to_string(),
        "system_time: held back because the shared budget is not known, retry in 3000 ms. Check the \
         store of the shared budgets; the log says what failed."
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_that_refuses_for_ever_does_not_overflow_the_clock() {
    for policy in [LimitPolicy::FailFast, LimitPolicy::WaitUpTo(Duration::from_secs(1))] {
        let store = Arc::new(Recorder { refuses_for: Some(Duration::MAX), ..Recorder::default() });
        let limiter = Limiter::new(policy).with_store(store);
        let delay = limiter.acquire(&BY_ADDRESS, None).await.unwrap_err();
        assert_eq!(delay.at - shared_bucket::now(), MAX_BAN);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_requests_outlive_their_permits_is_not_built() {
    let (limiter, _) = stored(LimitPolicy::FailFast);
    let build = |seconds| {
        let timeout = Duration::from_secs(seconds);
        Client::builder().limiter(limiter.clone()).timeout(timeout).build().map(drop)
    };
    assert!(build(20).is_ok());
    assert!(build(21).is_err());
}
