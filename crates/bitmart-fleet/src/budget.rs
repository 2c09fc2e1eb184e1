//! Rate-limit budgets that processes share through Redis.

mod builder;
mod connection;
mod entry;
mod error;
mod events;
mod holds;
mod outage;
mod pending;
mod random;
mod script;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bitmart_rest::limit::{
    Budget, BudgetFuture, BudgetRefusal, BudgetStore, PermitId, RateLimitState, RequestEnd,
    ThrottleReason,
};

pub use self::builder::RedisBudgetsBuilder;
use self::connection::{Link, Open};
use self::entry::{Entry, window};
pub use self::error::StoreError;
use self::events::{Event, Events};
use self::holds::HoldKind;
pub use self::outage::Outage;
use self::outage::Watch;
use self::pending::Pending;
use self::script::{Acquire, Call, Operation, Reply, Script, Subject};

/// Marks the numbers of permits that this process grants from its own share, without Redis ([`Outage::Share`]).
const OWN_SHARE: u64 = 1 << 63;

/// How long a permit that was taken ahead waits for a request before it is returned.
const LEASE_TIME: Duration = Duration::from_millis(100);

/// Longest time between two attempts of a waiting caller, so that it finds permits that others return.
const POLL: Duration = Duration::from_millis(100);

/// A waiting caller whose next attempt is overdue by this time counts as dead and leaves the queue.
const GRACE: Duration = Duration::from_secs(2);

/// Longest time from a call of Redis to its reply.
const MAX_REPLY_TIME: Duration = Duration::from_secs(2);

/// How much longer than the timeout of its call a permit may be in use: for the reply of Redis, for its wait in a
/// lease, and almost a second for tasks that are scheduled late.
const MARGIN: Duration = Duration::from_secs(3);

/// Rate-limit budgets in Redis: all processes that use the same server and namespace stay below the limits of the
/// exchange together. A [`BudgetStore`] for [`Limiter::with_store`](bitmart_rest::limit::Limiter::with_store).
///
/// Permits are counted by one script, so that each change is atomic, and by the clock of the server alone. A
/// permit costs one round trip before its request; its end and the corrections by response headers are sent
/// later by a task. Clones share everything.
///
/// - A permit is in use until one window after the end of its request, as in a limiter without a store. The
///   permit of a process that died is free after [`call_timeout`](RedisBudgetsBuilder::call_timeout), three
///   seconds and one window. A limit that a response stated has a window and a count of its own.
/// - Callers are served in the order in which they arrived at the server; one that is dead is passed over after
///   two seconds.
/// - A server that is new, was flushed, restarted or replaced does not know what is in use. It grants nothing for
///   as long as a permit can live: `call_timeout`, three seconds and one window.
/// - If Redis cannot be reached, [`Outage`] decides.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use bitmart_fleet::RedisBudgets;
/// use bitmart_rest::Client;
/// use bitmart_rest::limit::{LimitPolicy, Limiter};
///
/// // The address from which the exchange sees this machine.
/// let budgets = RedisBudgets::builder("redis://10.0.0.5:6379", "203.0.113.7").build()?;
/// budgets.check().await?;
/// let limiter = Limiter::new(LimitPolicy::default()).with_store(Arc::new(budgets.clone()));
/// let client = Client::builder().limiter(limiter).build()?;
/// // …
/// budgets.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisBudgets(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    events: Events,
    entries: Mutex<HashMap<Budget, Arc<Entry>>>,
    /// How many permits are taken in one round trip.
    lease: u64,
    outage: Outage,
    /// A random text that identifies this process: the names of its permits begin with it.
    prefix: Arc<str>,
    /// The number of the last permit.
    numbers: AtomicU64,
    watch: Watch,
    settings: Settings,
    /// The subject of bans, which hold for all endpoints.
    bans: Arc<Subject>,
}

/// What callers and the task that sends events have in common.
struct Shared {
    link: Link,
    script: Script,
}

struct Settings {
    namespace: String,
    /// The IP address that the exchange sees.
    address: String,
    call_timeout: Duration,
    /// The settings that must be equal in all processes that share the budgets, as Redis stores them.
    common: String,
}

impl RedisBudgets {
    /// Budgets in the Redis at `url`: `redis://host:port`, `redis://user:password@host:port/database` or
    /// `unix:///path/to/socket`. `address` is the IP address from which the exchange sees the requests of this
    /// process; processes behind one address must give the same.
    pub fn builder(url: impl Into<String>, address: impl Into<String>) -> RedisBudgetsBuilder {
        RedisBudgetsBuilder::new(url.into(), address.into())
    }

    /// Opens the connection, if none is open.
    ///
    /// # Errors
    /// Redis cannot be reached, or is unsuitable: a replica, or a server that evicts keys.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the connection closed.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.0.shared.link.open().await.map(drop)
    }

    /// Returns the unused permits of leases and waits until the ends of all requests so far are recorded, a
    /// second at most. Call it before the process ends: otherwise its permits stay in use until they expire.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn close(&self) {
        let entries: Vec<_> = self.0.lock().values().cloned().collect();
        for entry in entries {
            for number in entry.take_all() {
                self.0.end(&entry, number, 1, RequestEnd::NotSent);
            }
        }
        let _ = tokio::time::timeout(Duration::from_secs(1), self.0.events.flushed()).await;
    }
}

impl Inner {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Budget, Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entry(&self, budget: &Budget) -> Arc<Entry> {
        let mut entries = self.lock();
        if let Some(entry) = entries.get(budget) {
            return Arc::clone(entry);
        }
        let Settings { namespace, address, .. } = &self.settings;
        let own_share = match self.outage {
            Outage::Share(percent) => budget.clone().share(percent),
            Outage::Refuse | Outage::Wait => budget.clone(),
        };
        let entry = Arc::new(Entry::new(Subject::new(namespace, address, budget), own_share));
        entries.insert(budget.clone(), Arc::clone(&entry));
        entry
    }

    fn lifetime(&self) -> Duration {
        self.settings.call_timeout + MARGIN
    }

    /// Ends `count` permits, of which the first has this number.
    fn end(&self, entry: &Arc<Entry>, first: u64, count: u64, end: RequestEnd) {
        let (entry, prefix) = (Arc::clone(entry), Arc::clone(&self.prefix));
        self.events.send(Event::End { entry, prefix, first, count, end });
    }

    async fn acquire(
        &self,
        budget: &Budget,
        max_wait: Duration,
    ) -> Result<PermitId, BudgetRefusal> {
        let entry = self.entry(budget);
        if let Some(number) = entry.take_leased(Instant::now()) {
            return Ok(PermitId(number));
        }
        // One task at a time takes a lease; the others take one permit each.
        let leasing = if self.lease > 1 { entry.start_leasing() } else { None };
        let wanted = if leasing.is_some() { self.lease } else { 1 };
        let start = Instant::now();
        let mut pending = self.pending(&entry, wanted);
        loop {
            let sent_at = Instant::now();
            let first = pending.first;
            let left = max_wait.saturating_sub(start.elapsed());
            if let Some(wait) = entry.own_use_left(sent_at)
                && self.shared.link.open().await.is_ok()
            {
                // Redis is back. It does not know what this process has used meanwhile, and would grant it again.
                if wait > left {
                    return Err(BudgetRefusal::new(ThrottleReason::BudgetUnavailable, wait));
                }
                tokio::time::sleep(wait.min(random::jitter(POLL))).await;
                continue;
            }
            let reply = match self.shared.link.open().await {
                Ok(open) => self.request(&open, &entry.subject, first, wanted, left).await,
                Err(error) => {
                    // Nothing was sent, so there is nothing to return.
                    pending.is_settled = true;
                    Err(error)
                }
            };
            // A reply that is read late is not used, even if Redis was fast: part of the permit's lifetime has passed.
            let is_late = sent_at.elapsed() > MAX_REPLY_TIME;
            match if is_late { Err(StoreError::Timeout) } else { reply } {
                Ok(Reply::Granted(granted)) => {
                    self.watch.replied(None);
                    pending.is_settled = true;
                    if granted > 1 {
                        let until = sent_at + LEASE_TIME;
                        entry
                            .add_leased((first + 1..first + granted).map(|number| (number, until)));
                        let prefix = Arc::clone(&self.prefix);
                        self.events.send(Event::Leased {
                            entry: Arc::clone(&entry),
                            prefix,
                            until,
                        });
                    }
                    return Ok(PermitId(first));
                }
                Ok(Reply::Wait { wait, reason, queued }) => {
                    let is_new = reason == ThrottleReason::BudgetUnavailable;
                    self.watch.replied(is_new.then_some(wait));
                    if !queued {
                        pending.is_settled = true;
                        return Err(BudgetRefusal::new(reason, wait));
                    }
                    tokio::time::sleep(wait.min(random::jitter(POLL))).await;
                }
                Ok(Reply::SettingsDiffer(text)) => {
                    pending.is_settled = true;
                    let text = format!("theirs: {text}, here: {}", self.settings.common);
                    self.watch.failed(&StoreError::SettingsDiffer(text), self.outage);
                    return Err(BudgetRefusal::new(ThrottleReason::BudgetUnavailable, POLL));
                }
                Err(error) => {
                    let since = self.watch.failed(&error, self.outage);
                    let retry = self.shared.link.retry_in().max(Duration::from_millis(1));
                    match self.outage {
                        Outage::Wait if left > retry => {
                            tokio::time::sleep(retry).await;
                            // The lost reply may have granted permits, whose lifetime has begun. They are returned, and
                            // the caller is the last in the queue again.
                            pending = self.pending(&entry, wanted);
                        }
                        Outage::Share(_) => {
                            return self.acquire_from_own_share(&entry, since, left).await;
                        }
                        Outage::Wait | Outage::Refuse => {
                            return Err(BudgetRefusal::new(
                                ThrottleReason::BudgetUnavailable,
                                retry,
                            ));
                        }
                    }
                }
            }
        }
    }

    fn pending<'a>(&'a self, entry: &'a Arc<Entry>, wanted: u64) -> Pending<'a> {
        let first = self.numbers.fetch_add(wanted, Ordering::Relaxed) + 1;
        Pending { inner: self, entry, first, wanted, is_settled: false }
    }

    async fn request(
        &self,
        open: &Open,
        subject: &Subject,
        first: u64,
        wanted: u64,
        max_wait: Duration,
    ) -> Result<Reply, StoreError> {
        let Shared { link, script } = &*self.shared;
        let acquire = Acquire {
            run_id: &open.run_id,
            settings: &self.settings.common,
            lifetime: self.lifetime(),
            prefix: &self.prefix,
            first,
            wanted,
            max_wait,
            poll: POLL,
            grace: GRACE,
        };
        script.call(link, open, &Call { subject, operation: Operation::Acquire(acquire) }).await
    }

    /// Grants a permit of this process's own share, once no permit that Redis has granted can be in use.
    async fn acquire_from_own_share(
        &self,
        entry: &Entry,
        since: Instant,
        max_wait: Duration,
    ) -> Result<PermitId, BudgetRefusal> {
        let window = window(&entry.own_share);
        let wait = (since + self.lifetime() + window).saturating_duration_since(Instant::now());
        if wait > max_wait {
            return Err(BudgetRefusal::new(ThrottleReason::BudgetUnavailable, wait));
        }
        tokio::time::sleep(wait).await;
        let permit =
            self.watch.own_share.acquire(&entry.own_share, max_wait.saturating_sub(wait)).await?;
        entry.own_permit_granted(Instant::now() + self.lifetime() + window);
        Ok(PermitId(permit.0 | OWN_SHARE))
    }
}

impl BudgetStore for RedisBudgets {
    fn acquire<'a>(&'a self, budget: &'a Budget, max_wait: Duration) -> BudgetFuture<'a> {
        Box::pin(self.0.acquire(budget, max_wait))
    }

    fn end(&self, budget: &Budget, permit: PermitId, end: RequestEnd) {
        let entry = self.0.entry(budget);
        if permit.0 & OWN_SHARE == 0 {
            self.0.end(&entry, permit.0, 1, end);
        } else {
            let is_counted = end == RequestEnd::Counted;
            let free_at = is_counted.then(|| Instant::now() + window(&entry.own_share));
            entry.own_permit_ended(free_at);
            self.0.watch.own_share.end(&entry.own_share, PermitId(permit.0 & !OWN_SHARE), end);
        }
    }

    fn settle(&self, budget: &Budget, state: RateLimitState) {
        if state.limit == 0 || state.window.is_zero() {
            return;
        }
        let entry = self.0.entry(budget);
        if self.0.watch.is_down() {
            self.0.watch.own_share.settle(&entry.own_share, state);
        }
        self.0.events.send(Event::Settle { entry, state });
    }

    fn pause(&self, budget: &Budget, duration: Duration) {
        let entry = self.0.entry(budget);
        self.0.events.hold(HoldKind::Pause(entry), Instant::now() + duration);
    }

    fn ban(&self, duration: Duration) {
        let subject = Arc::clone(&self.0.bans);
        self.0.events.hold(HoldKind::Ban(subject), Instant::now() + duration);
    }

    fn call_timeout(&self) -> Duration {
        self.0.settings.call_timeout
    }
}

/// Shows neither the address of the server, which may contain a password, nor what is counted.
impl fmt::Debug for RedisBudgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBudgets")
            .field("namespace", &self.0.settings.namespace)
            .field("call_timeout", &self.0.settings.call_timeout)
            .field("lease", &self.0.lease)
            .field("outage", &self.0.outage)
            .finish_non_exhaustive()
    }
}
