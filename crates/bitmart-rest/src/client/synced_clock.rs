//! The exchange's clock, as far as it is known here.

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

/// Questions per synchronisation. The one with the shortest way back and forth counts; the first
/// often has to open a connection.
const QUESTIONS: usize = 3;

/// How far the exchange's clock is from the client's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockEstimate {
    /// Milliseconds by which the exchange is ahead; negative when it is behind.
    pub offset_millis: i64,
    /// Time that the question took. The offset is wrong by half of it at most.
    pub round_trip: Duration,
}

/// A client's clock with the offset that [`Client::sync_clock`] measured, 0 before.
///
/// Clones share the offset, also later ones: give a clone to whatever else signs with the same
/// credentials, such as a WebSocket client. When a login there is refused for its time, the clock
/// asks the exchange anew, if the client [synchronises by itself](super::ClientBuilder::sync_clock)
/// and still exists.
#[derive(Clone)]
pub struct SyncedClock(Arc<Shared>);

struct Shared {
    own: Arc<dyn Clock>,
    offset_millis: AtomicI64,
    /// Whether signed requests have to synchronise first.
    stale: AtomicBool,
    automatic: bool,
    /// Held while synchronising.
    turn: Mutex<()>,
    /// Who asks the exchange for its time.
    client: OnceLock<Weak<Inner>>,
}

impl SyncedClock {
    pub(super) fn new(own: Arc<dyn Clock>, automatic: bool) -> Self {
        Self(Arc::new(Shared {
            own,
            offset_millis: AtomicI64::new(0),
            stale: AtomicBool::new(automatic),
            automatic,
            turn: Mutex::new(()),
            client: OnceLock::new(),
        }))
    }

    /// Has `client` ask for the time when the clock is to correct itself.
    pub(super) fn serve(&self, client: &Arc<Inner>) {
        // A clock belongs to the one client that made it.
        let _ = self.0.client.set(Arc::downgrade(client));
    }

    /// Milliseconds that are added to the client's own clock.
    pub fn offset_millis(&self) -> i64 {
        self.0.offset_millis.load(Ordering::Relaxed)
    }

    pub(super) fn is_stale(&self) -> bool {
        self.0.stale.load(Ordering::Relaxed)
    }

    /// Whether synchronising by itself is on and helps against `fault`.
    pub(super) fn mends(&self, fault: Option<ClockFault>) -> bool {
        self.0.automatic && fault.is_some_and(ClockFault::is_clock_off)
    }

    /// Has the next signed request synchronise first, if that helps against `fault`.
    pub(super) fn distrust(&self, fault: Option<ClockFault>) {
        if self.mends(fault) {
            self.0.stale.store(true, Ordering::Relaxed);
        }
    }

    /// Asks the exchange for its time and takes over the difference.
    pub(super) async fn sync(&self, client: &Client) -> Result<ClockEstimate, Error> {
        let _turn = self.0.turn.lock().await;
        self.measure(client).await
    }

    /// Synchronises if that is due; a failure leaves the clock as it is.
    pub(super) async fn refresh(&self, client: &Client) {
        if !self.is_stale() {
            return;
        }
        let _turn = self.0.turn.lock().await;
        if !self.is_stale() {
            return; // Another request has done it.
        }
        if let Err(error) = self.measure(client).await {
            observe::clock_kept(&error);
            // Not again, so that a silent time service does not delay every order.
            self.0.stale.store(false, Ordering::Relaxed);
        }
    }

    async fn measure(&self, client: &Client) -> Result<ClockEstimate, Error> {
        let mut best: Option<ClockEstimate> = None;
        for _ in 0..QUESTIONS {
            let answer = match client.send_detailed(system::QueryTime::new()).await {
                Ok(answer) => answer,
                Err(error) if best.is_none() => return Err(error),
                Err(_) => break,
            };
            let half = i64::try_from(answer.latency.as_millis() / 2).unwrap_or(i64::MAX);
            let asked = self.0.own.now().as_millis().saturating_sub(half);
            let estimate = ClockEstimate {
                offset_millis: answer.data.server_time.as_millis().saturating_sub(asked),
                round_trip: answer.latency,
            };
            if best.is_none_or(|best| estimate.round_trip < best.round_trip) {
                best = Some(estimate);
            }
        }
        let best = best.unwrap_or(ClockEstimate { offset_millis: 0, round_trip: Duration::MAX });
        self.0.offset_millis.store(best.offset_millis, Ordering::Relaxed);
        self.0.stale.store(false, Ordering::Relaxed);
        client.0.meters.clock(best.offset_millis);
        observe::clock_synchronised(best);
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
                self.refresh(&Client(client)).await;
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
