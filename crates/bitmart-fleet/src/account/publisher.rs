//! Tracks an account and publishes it while the lease is held.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use async_nats::Subscriber;
use bitmart_account::{AccountEvent, AccountTracker, Health, Market};
use bitmart_types::Timestamp;
use futures_util::StreamExt as _;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::check_name;
use super::log::Log;
use super::message::{Body, Completeness, Markets, Message, Snapshot, Update, json};
use crate::collector::leases::{HeldLeases, Leases};
use crate::collector::setup::{self, Setup};
use crate::collector::status::Counters;
use crate::nats::view::heartbeat_interval;
use crate::nats::{Connection, Error, Options};

/// Pause before an account is tracked again after its tracker has ended.
const RESTART_DELAY: Duration = Duration::from_secs(5);

/// A tracker that is not live for this long has failed. It takes about half of this to start.
const FAILING_AFTER: Duration = Duration::from_secs(30);

pub(super) fn update_subject(connection: &Connection) -> String {
    format!("{}.updates", connection.prefix)
}

pub(super) fn snapshot_subject(connection: &Connection) -> String {
    format!("{}.snapshot", connection.prefix)
}

#[derive(Debug, Default, PartialEq)]
struct Status {
    is_leader: bool,
    since: BTreeMap<Market, Timestamp>,
}

/// A running publisher. Dropping it ends it without handing over.
#[derive(Debug)]
pub struct Publisher {
    stop: watch::Sender<bool>,
    status: watch::Receiver<Status>,
    task: JoinHandle<()>,
    leases: JoinHandle<()>,
}

impl Publisher {
    /// Returns a builder for a publisher of the account of this tracker. `account` is a name of your choice: lower-case
    /// letters and digits, up to 32, the same for all publishers and readers of the account. The tracker is created
    /// at the start, and again 5 s after it has ended with an error.
    pub fn builder(
        nats: Options,
        account: impl Into<String>,
        tracker: impl FnMut() -> AccountTracker + Send + 'static,
    ) -> PublisherBuilder {
        PublisherBuilder {
            nats,
            account: account.into(),
            id: String::new(),
            lease_timeout: Duration::from_millis(1_500),
            tracker: Box::new(tracker),
        }
    }

    /// Returns whether it holds the lease, so that readers follow it.
    pub fn is_leader(&self) -> bool {
        self.status.borrow().is_leader
    }

    /// Returns since when it knows every fill of this market, and can pass on what readers have missed; `None` before
    /// it has subscribed. One that takes over without a loss was started 30 s before, by its
    /// [assumptions](bitmart_account::Assumptions).
    pub fn complete_since(&self, market: Market) -> Option<Timestamp> {
        self.status.borrow().since.get(&market).copied()
    }

    /// Stops, and hands over to another publisher.
    ///
    /// # Cancel safety
    /// If the future is dropped early, the publisher stops without handing over.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let _ = (&mut self.task).await;
        let _ = (&mut self.leases).await;
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.task.abort();
        self.leases.abort();
    }
}

/// Configures a [`Publisher`].
#[must_use = "a builder does nothing until `start`"]
pub struct PublisherBuilder {
    nats: Options,
    account: String,
    id: String,
    lease_timeout: Duration,
    tracker: Box<dyn FnMut() -> AccountTracker + Send>,
}

impl fmt::Debug for PublisherBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublisherBuilder")
            .field("account", &self.account)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl PublisherBuilder {
    /// Sets the id, different from those of the other publishers of the account: letters, digits, `-` and `_`, up to
    /// 64. Required.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Sets after what silence a publisher counts as dead, 100 ms to 60 s. The same for all publishers of the account.
    /// Default: 1.5 s.
    pub fn lease_timeout(mut self, timeout: Duration) -> Self {
        self.lease_timeout = timeout;
        self
    }

    /// Connects to NATS and starts to track. Before that it listens whether another publisher of the account has its
    /// id: for half a lease timeout, or for a whole one if its id had leases, as after a crash.
    ///
    /// # Errors
    /// An option is out of its range or contradicts that of a publisher that ran before, another publisher of the
    /// account with the same id is alive ([`ErrorKind::IdInUse`](crate::nats::ErrorKind::IdInUse)), NATS cannot be
    /// reached, or `JetStream` is not enabled there or does not answer.
    ///
    /// # Cancel safety
    /// Cancel-safe: if the future is dropped early, the connection is closed.
    ///
    /// # Panics
    /// Outside of a tokio runtime with I/O and time enabled.
    pub async fn start(mut self) -> Result<Publisher, Error> {
        check_name(&self.account)?;
        setup::check_id(&self.id)?;
        setup::check_lease_timeout(self.lease_timeout)?;
        let connection = Connection::open(&self.nats, &self.id).await?.for_account(&self.account);
        let setup = Setup {
            shards: 1,
            replicas: 1,
            lease_timeout: self.lease_timeout,
            // A publisher that has just started knows less than the one before.
            rebalances: false,
            copies: 1,
            history: None,
        };
        let bucket = setup::run(&connection, &setup).await?;
        let requests = connection.client.subscribe(snapshot_subject(&connection)).await;
        let requests = requests.map_err(|error| Error::jetstream("requests", error))?;
        let (refused, refusals) = watch::channel(BTreeSet::new());
        let counters = Counters::default();
        let (leases, held) =
            Leases::start(&self.id, &setup, 0, connection.clone(), bucket, refusals, &counters)
                .await?;
        let (sender, status) = watch::channel(Status::default());
        let (stop, stopped) = watch::channel(false);
        let task = Task {
            tracked: Tracked::new((self.tracker)()),
            make: self.tracker,
            connection,
            held,
            status: sender,
            requests,
            refused,
            failing_since: None,
            has_ended: false,
            term: None,
            number: 0,
        };
        let task = tokio::spawn(task.run(stopped, heartbeat_interval(self.lease_timeout)));
        Ok(Publisher { stop, status, task, leases: tokio::spawn(leases.run()) })
    }
}

/// A tracker and what readers need beyond its state.
struct Tracked {
    tracker: AccountTracker,
    log: Log,
    markets: Markets,
}

impl Tracked {
    fn new(tracker: AccountTracker) -> Self {
        let markets = [Market::Spot, Market::Futures];
        let followed = markets.into_iter().filter(|market| tracker.health(*market).is_some());
        let markets = followed.map(|market| (market, Completeness::default())).collect();
        Self { tracker, log: Log::default(), markets }
    }

    /// Copies how complete each market is from the tracker. Only while it has no event that was not published yet: it
    /// is ahead of those.
    fn refresh(&mut self) {
        for (market, completeness) in &mut self.markets {
            completeness.live = self.tracker.is_live(*market);
            completeness.complete_until = self.tracker.complete_until(*market);
            if let Some(from) = completeness.complete_until {
                self.log.known_until(*market, from);
            }
            completeness.since = self.log.since().get(market).copied();
        }
    }

    fn snapshot(&self, term: u64, next: u64) -> Snapshot {
        let state = self.tracker.state();
        let markets = self.markets.iter().map(|(market, _)| *market);
        let open: Vec<_> = markets.flat_map(|m| state.open_orders(m)).cloned().collect();
        let fills = open.iter().flat_map(|order| {
            state.fills(order.instrument.market(), &order.order_id).iter().cloned()
        });
        let recent: Vec<_> = fills.map(Update::Fill).chain(self.log.updates().cloned()).collect();
        let balances = state.balances();
        Snapshot {
            term,
            next,
            recent,
            balances: balances.map(|(m, c, b)| (m, c.clone(), b.clone())).collect(),
            positions: state.all_positions().map(|(k, p)| (k.clone(), p.clone())).collect(),
            markets: self.markets.clone(),
            open,
        }
    }
}

struct Task {
    make: Box<dyn FnMut() -> AccountTracker + Send>,
    tracked: Tracked,
    connection: Connection,
    held: watch::Receiver<HeldLeases>,
    status: watch::Sender<Status>,
    requests: Subscriber,
    /// Has the only shard while the tracker fails, so that another publisher takes over if there is one.
    refused: watch::Sender<BTreeSet<usize>>,
    /// Since when a market is not live.
    failing_since: Option<Instant>,
    /// The tracker has ended with an error, and no later one was live.
    has_ended: bool,
    /// While the lease is held.
    term: Option<u64>,
    /// The number of the next message of the term.
    number: u64,
}

impl Task {
    async fn run(mut self, mut stopped: watch::Receiver<bool>, interval: Duration) {
        let mut tick = tokio::time::interval(interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // In this order, so that the last branches find all events of the tracker published.
            tokio::select! {
                biased;
                _ = stopped.changed() => break,
                changed = self.held.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    let term = self.held.borrow_and_update().values().next().copied();
                    if term != self.term {
                        (self.term, self.number) = (term, 0);
                        self.refresh_status();
                        self.publish_completeness().await;
                    }
                }
                event = self.tracked.tracker.next() => match event {
                    Some(Ok(event)) => self.publish_event(event).await,
                    ended => {
                        let error = ended.and_then(Result::err);
                        let why = error.map_or("it follows no market".to_owned(), |e| e.to_string());
                        tracing::error!(target: "bitmart_fleet", "the account is not tracked: {why}");
                        self.restart(&mut stopped).await;
                    }
                },
                Some(request) = self.requests.next() => {
                    if let (Some(term), Some(reply)) = (self.term, request.reply) {
                        self.tracked.refresh();
                        let snapshot = json(&self.tracked.snapshot(term, self.number));
                        if let Err(error) = self.connection.client.publish(reply, snapshot).await {
                            tracing::error!(target: "bitmart_fleet", "no snapshot sent: {error}");
                        }
                    }
                }
                _ = tick.tick() => {
                    self.tracked.refresh();
                    self.offer_lease(Instant::now());
                    self.refresh_status();
                    self.publish_completeness().await;
                }
            }
        }
        let flushed = self.connection.client.flush();
        let _ = tokio::time::timeout(Duration::from_secs(1), flushed).await;
    }

    /// Leaves the lease to another publisher while the tracker has failed for a while.
    fn offer_lease(&mut self, now: Instant) {
        let is_live = self.tracked.markets.iter().all(|(_, completeness)| completeness.live);
        self.failing_since = if is_live { None } else { self.failing_since.or(Some(now)) };
        self.has_ended &= !is_live;
        let is_long = |since| now.saturating_duration_since(since) >= FAILING_AFTER;
        let fails = self.has_ended || self.failing_since.is_some_and(is_long);
        self.refused.send_if_modified(
            |refused| {
                if fails { refused.insert(0) } else { refused.remove(&0) }
            },
        );
    }

    /// Starts a new tracker. Readers get a new snapshot, because a number is missing.
    async fn restart(&mut self, stopped: &mut watch::Receiver<bool>) {
        for (_, completeness) in &mut self.tracked.markets {
            completeness.live = false;
        }
        self.publish_completeness().await;
        self.has_ended = true;
        self.offer_lease(Instant::now());
        tokio::select! {
            () = tokio::time::sleep(RESTART_DELAY) => {}
            _ = stopped.changed() => stopped.mark_changed(),
        }
        self.tracked = Tracked::new((self.make)());
        self.number += 1;
    }

    async fn publish_event(&mut self, event: AccountEvent) {
        let update = match event {
            AccountEvent::Order(order) => Update::Order(order),
            AccountEvent::Fill(fill) => Update::Fill(fill),
            AccountEvent::Balance { market, currency, balance } => {
                Update::Balance { market, currency, balance }
            }
            AccountEvent::Position { key, position } => Update::Position { key, position },
            AccountEvent::PositionClosed { key } => {
                Update::Position { key, position: bitmart_account::Position::new(0.into()) }
            }
            AccountEvent::OrderNotFound { market, order_id } => {
                Update::OrderNotFound { market, order_id }
            }
            AccountEvent::Health { market, health } => {
                let completeness =
                    self.tracked.markets.iter_mut().find(|(known, _)| *known == market);
                if let Some((_, completeness)) = completeness {
                    completeness.live = health == Health::Live;
                }
                return self.publish_completeness().await;
            }
            // What they mean for readers is in the health.
            other => {
                tracing::debug!(target: "bitmart_fleet", "account: {other:?}");
                return;
            }
        };
        self.tracked.log.add(Timestamp::now(), &update);
        self.publish(Body::Update(Box::new(update))).await;
    }

    fn refresh_status(&self) {
        let status =
            Status { is_leader: self.term.is_some(), since: self.tracked.log.since().clone() };
        self.status.send_if_modified(|known| std::mem::replace(known, status) != *known);
    }

    async fn publish_completeness(&mut self) {
        self.publish(Body::Completeness(self.tracked.markets.clone())).await;
    }

    /// Publishes if the lease is held.
    async fn publish(&mut self, body: Body) {
        let Some(term) = self.term else { return };
        let message = Message { term, number: self.number, body };
        self.number += 1;
        let subject = update_subject(&self.connection);
        if let Err(error) = self.connection.client.publish(subject, json(&message)).await {
            // Its number is missing, which readers see.
            tracing::warn!(target: "bitmart_fleet", "not published: {error}");
        }
    }
}
