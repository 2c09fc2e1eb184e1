//! A clock synchronized with the exchange.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use bitmart_types::{Clock, Correction, Timestamp};
use tokio::sync::Mutex;

use super::{Client, Inner};
use crate::client::observe;
use crate::code::ClockFault;
use crate::error::Error;
use crate::system;

/// Requests per synchronization. The one with the shortest round trip counts; the first often has to
/// open a connection.
const REQUESTS: usize = 3;

/// After a response that took this long there is no further request: a request with an effect may be waiting.
const SLOW: Duration = Duration::from_secs(1);

/// The measured offset of the exchange's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockEstimate {
    /// Milliseconds by which the exchange is ahead; negative when it is behind.
    pub offset_millis: i64,
    /// Round-trip time of the measurement. The error of the offset is at most half of it.
    pub round_trip: Duration,
}

/// A client's clock plus the offset that [`Client::sync_clock`] measured, initially 0.
///
/// Clones share the offset: pass a clone to other clients that sign with the same credentials, such as
/// a WebSocket client. When a login there is rejected for its timestamp, the clock synchronizes again,
/// provided that the REST client still exists and has
/// [`auto_sync_clock`](super::ClientBuilder::auto_sync_clock) on.
#[derive(Clone)]
pub struct SyncedClock(Arc<Shared>);

struct Shared {
    own: Arc<dyn Clock>,
    offset_millis: AtomicI64,
    /// The latest time of all signatures so far, in milliseconds.
    last_signature_time: AtomicI64,
    /// Whether the next signed request synchronizes first.
    stale: AtomicBool,
    automatic: bool,
    /// Held while synchronizing.
    turn: Mutex<()>,
    /// The client that requests the exchange's time.
    client: OnceLock<Weak<Inner>>,
}

impl SyncedClock {
    pub(super) fn new(own: Arc<dyn Clock>, automatic: bool) -> Self {
        Self(Arc::new(Shared {
            own,
            offset_millis: AtomicI64::new(0),
            last_signature_time: AtomicI64::new(i64::MIN),
            stale: AtomicBool::new(automatic),
            automatic,
            turn: Mutex::new(()),
            client: OnceLock::new(),
        }))
    }

    /// Sets the client that synchronizes this clock.
    pub(super) fn set_client(&self, client: &Arc<Inner>) {
        // A clock belongs to the client that created it.
        let _ = self.0.client.set(Arc::downgrade(client));
    }

    /// Milliseconds added to the client's own clock.
    pub fn offset_millis(&self) -> i64 {
        self.0.offset_millis.load(Ordering::Relaxed)
    }

    /// The current time, for a signature.
    pub(super) fn time_to_sign(&self) -> Timestamp {
        let now = self.now();
        self.0.last_signature_time.fetch_max(now.as_millis(), Ordering::Relaxed);
        now
    }

    /// See [`Client::last_signature_time`].
    pub(super) fn last_signature_time(&self) -> Timestamp {
        let latest = self.0.last_signature_time.load(Ordering::Relaxed);
        self.now().max(Timestamp::from_millis(latest))
    }

    pub(super) fn is_stale(&self) -> bool {
        self.0.stale.load(Ordering::Relaxed)
    }

    /// Whether automatic synchronization is on and can fix `fault`.
    pub(super) fn can_fix(&self, fault: Option<ClockFault>) -> bool {
        self.0.automatic && fault.is_some_and(ClockFault::is_clock_off)
    }

    /// Makes the next signed request synchronize first, if that can fix `fault`.
    pub(super) fn mark_stale(&self, fault: Option<ClockFault>) {
        if self.can_fix(fault) {
            self.0.stale.store(true, Ordering::Relaxed);
        }
    }

    /// Measures the offset and applies it.
    pub(super) async fn sync(&self, client: &Client) -> Result<ClockEstimate, Error> {
        let _turn = self.0.turn.lock().await;
        self.measure(client).await
    }

    /// Synchronizes if the clock is stale, for at most `limit`: a request waits for it. Without any response the
    /// clock stays as it is.
    pub(super) async fn refresh(&self, client: &Client, limit: Duration) {
        let refreshed = tokio::time::timeout(limit, self.refresh_if_stale(client)).await;
        if refreshed.is_err() {
            observe::clock_sync_timed_out(limit);
            // Not retried, so that a slow time service does not delay every request.
            self.0.stale.store(false, Ordering::Relaxed);
        }
    }

    async fn refresh_if_stale(&self, client: &Client) {
        if !self.is_stale() {
            return;
        }
        let _turn = self.0.turn.lock().await;
        if !self.is_stale() {
            return; // Another request has just synchronized.
        }
        if let Err(error) = self.measure(client).await {
            observe::clock_sync_failed(&error);
            // Not retried, so that an unavailable time service does not delay every order.
            self.0.stale.store(false, Ordering::Relaxed);
        }
    }

    async fn measure(&self, client: &Client) -> Result<ClockEstimate, Error> {
        let mut best: Option<ClockEstimate> = None;
        for _ in 0..REQUESTS {
            let response = match client.send_detailed(system::QueryTime::new()).await {
                Ok(response) => response,
                Err(error) if best.is_none() => return Err(error),
                Err(_) => break,
            };
            let half = i64::try_from(response.latency.as_millis() / 2).unwrap_or(i64::MAX);
            let midpoint = self.0.own.now().as_millis().saturating_sub(half);
            let estimate = ClockEstimate {
                offset_millis: response.data.server_time.as_millis().saturating_sub(midpoint),
                round_trip: response.latency,
            };
            if best.is_none_or(|best| estimate.round_trip < best.round_trip) {
                best = Some(estimate);
                // At once: the caller may give up before the last response.
                self.0.offset_millis.store(estimate.offset_millis, Ordering::Relaxed);
                self.0.stale.store(false, Ordering::Relaxed);
                client.0.metrics.clock(estimate.offset_millis);
            }
            if response.latency > SLOW {
                break;
            }
        }
        let best = best.unwrap_or(ClockEstimate { offset_millis: 0, round_trip: Duration::MAX });
        observe::clock_synchronized(best);
        Ok(best)
    }
}

impl Clock for SyncedClock {
    fn now(&self) -> Timestamp {
        let own = self.0.own.now().as_millis();
        Timestamp::from_millis(own.saturating_add(self.offset_millis()))
    }

    fn correct(&self) -> Correction<'_> {
        Box::pin(async {
            self.0.own.correct().await;
            let client = self.0.client.get().and_then(Weak::upgrade);
            if let Some(client) = client.filter(|_| self.0.automatic) {
                self.0.stale.store(true, Ordering::Relaxed);
                let limit = client.timeout;
                self.refresh(&Client(client), limit).await;
            }
        })
    }
}

impl fmt::Debug for SyncedClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncedClock")
            .field("own", &self.0.own)
            .field("offset_millis", &self.offset_millis())
            .field("automatic", &self.0.automatic)
            .finish_non_exhaustive()
    }
}
