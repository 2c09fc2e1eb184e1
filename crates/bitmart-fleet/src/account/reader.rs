//! Reads an account.

use std::pin::Pin;
use std::time::{Duration, Instant};

use async_nats::jetstream::kv;
use async_nats::{Request, Subscriber};
use bitmart_account::{AccountState, Market};
use bitmart_types::Timestamp;
use futures_util::StreamExt as _;
use tokio::sync::watch;

use super::check_name;
use super::message::{Message, Snapshot, Update};
use super::publisher::{snapshot_subject, update_subject};
use super::reader_state::ReaderState;
use crate::nats::{Connection, Error, ErrorKind, Options};

/// Pause before a snapshot is requested again.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// Longest wait for a snapshot. Without a holder of the lease nobody replies.
const REPLY_TIMEOUT: Duration = Duration::from_millis(500);

/// A snapshot, the term of the lease, and when the snapshot was requested.
type Fetched = Option<(Snapshot, u64, Instant)>;

/// The view of an account that a [`Publisher`](super::Publisher) has. Poll it continuously: a reader that is not polled
/// is not live.
pub struct Reader {
    connection: Connection,
    bucket: kv::Store,
    messages: Subscriber,
    open: watch::Receiver<u64>,
    state: ReaderState,
    fetch: Option<Pin<Box<dyn Future<Output = Fetched> + Send + Sync>>>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl Reader {
    /// Connects to NATS. The state is empty until the first [`Update::Live`].
    ///
    /// # Errors
    /// NATS cannot be reached, or no publisher has ever run for this account.
    ///
    /// # Cancel safety
    /// Cancel-safe: if the future is dropped early, the connection is closed.
    ///
    /// # Panics
    /// Outside of a tokio runtime with I/O and time enabled.
    pub async fn connect(nats: Options, account: &str) -> Result<Self, Error> {
        check_name(account)?;
        let connection = Connection::open(&nats, "bitmart-fleet account reader").await?;
        let connection = connection.for_account(account);
        let missing = || Error::new(ErrorKind::NotSetUp, "no publisher has run for this account");
        let bucket = connection.jetstream.get_key_value(connection.store_name()).await;
        let bucket = bucket.map_err(|_| missing())?;
        let Some((table, _)) = connection.read_table(&bucket).await? else {
            return Err(missing());
        };
        let messages = connection.client.subscribe(update_subject(&connection)).await;
        let messages = messages.map_err(|error| Error::jetstream("updates", error))?;
        let flushed = connection.client.flush().await;
        flushed.map_err(|error| Error::jetstream("updates", error))?;
        let open = connection.open.clone();
        let state = ReaderState::new(table.ttl(), Instant::now());
        Ok(Self { connection, bucket, messages, open, state, fetch: None })
    }

    /// Returns the state: open orders, recent finished orders and fills, balances and positions.
    pub fn state(&self) -> &AccountState {
        self.state.state()
    }

    /// Returns whether the state of this market is complete and current, now. As with
    /// [`Health::Live`](bitmart_account::Health::Live), orders of instruments that the exchange does not know are
    /// excepted; only the publisher's tracker names these instruments.
    pub fn is_live(&self, market: Market) -> bool {
        *self.open.borrow() > 0 && self.state.is_live(market, Instant::now())
    }

    /// Returns the time of the publisher's clock until which every fill is known, since the reader was connected.
    /// `None` before the first snapshot.
    pub fn complete_until(&self, market: Market) -> Option<Timestamp> {
        self.state.complete_until(market)
    }

    /// Returns the next update. Waits for a publisher if there is none. `None` if the connection is closed for good.
    ///
    /// # Cancel safety
    /// Cancel-safe: no update is lost.
    pub async fn next(&mut self) -> Option<Update> {
        loop {
            self.state.check(Instant::now());
            if let Some(update) = self.state.poll_update() {
                return Some(update);
            }
            if !self.state.is_synced() && self.fetch.is_none() {
                self.fetch = Some(Box::pin(fetch(self.connection.clone(), self.bucket.clone())));
            }
            let fetching = self.fetch.is_some();
            tokio::select! {
                fetched = async {
                    match &mut self.fetch {
                        Some(fetch) => fetch.await,
                        None => None,
                    }
                }, if fetching => {
                    self.fetch = None;
                    if let Some((snapshot, lease, requested)) = fetched {
                        self.state.snapshot(snapshot, lease, requested, Instant::now());
                    }
                }
                // Messages from before the snapshot wait in the queue of the subscription. One that overflows is
                // noticed by the numbers.
                message = self.messages.next(), if !fetching => {
                    if let Ok(message) = serde_json::from_slice::<Message>(&message?.payload) {
                        self.state.message(message, Instant::now());
                    } else {
                        tracing::warn!(target: "bitmart_fleet", "an unreadable message of the account");
                        self.state.lost(Instant::now());
                    }
                }
                changed = self.open.changed() => {
                    changed.ok()?;
                    self.fetch = None;
                    self.state.lost(Instant::now());
                }
                () = tokio::time::sleep_until(self.state.deadline().into()), if !fetching => {}
            }
        }
    }
}

/// Requests a snapshot of the holder of the lease. Waits a little if there is none.
async fn fetch(connection: Connection, bucket: kv::Store) -> Fetched {
    let requested = Instant::now();
    let fetched = async {
        let subject = snapshot_subject(&connection);
        let request = Request::new().payload(bytes::Bytes::new()).timeout(Some(REPLY_TIMEOUT));
        let reply = connection.client.send_request(subject, request).await.ok()?;
        let snapshot: Snapshot = serde_json::from_slice(&reply.payload).ok()?;
        let (table, _) = connection.read_table(&bucket).await.ok()??;
        // Only the holder of the lease counts.
        let lease = table.lease(0, 0).filter(|lease| !lease.released)?.term;
        (lease == snapshot.term).then_some((snapshot, lease, requested))
    };
    let fetched = fetched.await;
    if fetched.is_none() {
        tokio::time::sleep(RETRY_DELAY).await;
    }
    fetched
}
