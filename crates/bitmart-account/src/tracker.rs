//! Account tracking over live connections.

use std::pin::Pin;
use std::task::{Context, Poll};

use bitmart_types::Timestamp;
use futures_util::stream::{FusedStream, Stream};
use tokio::time::Sleep;

use crate::feed::Feed;
use crate::observe::AccountMetrics;
use crate::sync::AccountSync;
use crate::sync::Request;
use crate::time_scale::TimeScale;
use crate::{
    AccountEvent, AccountState, AccountTrackerBuilder, AuditStats, Error, Health, Instrument,
    Market,
};

/// Tracks an account: a [`Stream`] of [`AccountEvent`]s that maintains an [`AccountState`].
///
/// It subscribes to the private streams and fetches what they miss over REST: after every loss, the
/// open orders, orders and fills since the loss, balances and positions. See the
/// [crate](crate#completeness) for its guarantees.
///
/// Timeouts, rate limits and retries are those of its clients. Pass a REST client that
/// [retries reads](bitmart_rest::ClientBuilder::retry_reads).
///
/// The stream ends with at most one error, as its last item: the exchange rejected the login or a
/// topic, or the client was shut down. Nothing happens between calls of [`next`](Self::next), so poll
/// it continuously.
///
/// ```no_run
/// use bitmart_account::{AccountEvent, AccountTracker, Error, Health};
/// use {bitmart_rest as rest, bitmart_ws as ws};
///
/// # async fn run(rest: rest::Client, ws: ws::Client) -> Result<(), Error> {
/// let mut account = AccountTracker::builder(rest, ws).spot().futures(["USDT"]).build();
/// while let Some(event) = account.next().await {
///     match event? {
///         AccountEvent::Fill(fill) => println!("{} at {}", fill.size, fill.price),
///         AccountEvent::Health { health: Health::Live, .. } => println!("place quotes"),
///         AccountEvent::Health { health, .. } => println!("cancel quotes: {health:?}"),
///         other => println!("{other:?}"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct AccountTracker {
    rest: bitmart_rest::Client,
    ws: bitmart_ws::Client,
    /// The steady clock, by which `sync` counts.
    scale: TimeScale,
    sync: AccountSync,
    /// One for each followed market.
    feeds: Vec<Feed>,
    /// Wakes the task at the deadline of `sync`.
    timer: Option<Pin<Box<Sleep>>>,
    /// The last item, which follows the events that became known before it.
    error: Option<Error>,
    ended: bool,
    metrics: AccountMetrics,
}

impl std::fmt::Debug for AccountTracker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountTracker").field("sync", &self.sync).finish_non_exhaustive()
    }
}

impl AccountTracker {
    /// Configures a tracker for the account of both clients' credentials.
    pub fn builder(rest: bitmart_rest::Client, ws: bitmart_ws::Client) -> AccountTrackerBuilder {
        AccountTrackerBuilder::new(rest, ws)
    }

    pub(crate) fn from_parts(
        rest: bitmart_rest::Client,
        ws: bitmart_ws::Client,
        scale: TimeScale,
        sync: AccountSync,
        feeds: Vec<Feed>,
    ) -> Self {
        let mut metrics = AccountMetrics::new();
        for feed in &feeds {
            metrics.set_health(feed.market, sync.health(feed.market));
        }
        Self { rest, ws, scale, sync, feeds, timer: None, error: None, ended: false, metrics }
    }

    /// Returns the current state.
    pub fn state(&self) -> &AccountState {
        self.sync.state()
    }

    /// Returns the health of a market as of the last call of [`next`](Self::next), including events that
    /// it has not returned yet. `None` if the market is not followed.
    ///
    /// Messages that are still queued while this is live are newer than
    /// [`complete_until`](Self::complete_until), or are reported as a loss when they are read.
    pub fn health(&self, market: Market) -> Option<Health> {
        self.sync.health(market)
    }

    /// Returns the time of the REST client's clock until which every fill of the market since its
    /// streams were first subscribed is known, regardless of the health. `None` before. It does not hold for
    /// instruments that were delisted: see [`unknown_instruments`](Self::unknown_instruments).
    pub fn complete_until(&self, market: Market) -> Option<Timestamp> {
        self.sync.complete_until(market)
    }

    /// Returns the pairs or contracts of a market that queries of the last fetch named, and that the exchange does not
    /// know, as after a delisting. The state of their open orders is not known. Each order
    /// is reported as [`MalformedItem::UnknownInstrument`](crate::MalformedItem::UnknownInstrument). Fills of
    /// them may be missing, also while the market is live.
    ///
    /// A fetch names the instruments of tracked open orders and of listed fills. It does not notice the delisting of
    /// an instrument without them: fills of it that no stream delivered may be missing as well.
    pub fn unknown_instruments(&self, market: Market) -> impl Iterator<Item = &Instrument> {
        self.sync.unknown_instruments(market)
    }

    /// Returns whether the health of this market is [`Live`](Health::Live).
    pub fn is_live(&self, market: Market) -> bool {
        self.health(market) == Some(Health::Live)
    }

    /// Requests an audit: as soon as the market is live and has been followed for a little longer than the
    /// [`Assumptions`](crate::Assumptions) allow fills to be late, the exchange's fills of the last 10
    /// minutes are compared by id with the known ones. A difference is reported as
    /// [`AccountEvent::AuditMismatch`], and what was missing is fetched. See also [`audit_stats`](Self::audit_stats).
    pub fn request_audit(&mut self, market: Market) {
        let now = self.now();
        self.sync.request_audit(now, market);
    }

    /// Returns the totals of the audits of this market; `None` if it is not followed.
    pub fn audit_stats(&self, market: Market) -> Option<AuditStats> {
        self.sync.audit_stats(market)
    }

    /// Returns the next event; `None` after an error, or if no market is followed.
    ///
    /// # Errors
    /// The exchange rejected the login or a topic, or the client was shut down. It is the last item.
    ///
    /// # Cancel safety
    /// Safe: no event and no running query is lost.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time enabled. Connections require I/O as well.
    pub async fn next(&mut self) -> Option<Result<AccountEvent, Error>> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn now(&mut self) -> Timestamp {
        let reading = self.rest.now();
        let now = self.scale.now();
        self.sync.clock_read(now, reading);
        now
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<AccountEvent, Error>>> {
        loop {
            if let Some(event) = self.sync.poll_event() {
                self.observe(&event);
                return Poll::Ready(Some(Ok(event)));
            }
            if self.ended || self.feeds.is_empty() {
                return Poll::Ready(self.error.take().map(Err));
            }
            let now = self.now();
            let mut busy = false;
            for feed in &mut self.feeds {
                match feed.poll(context, now, &self.scale, &mut self.sync) {
                    Ok(progressed) => busy |= progressed,
                    Err(error) => {
                        self.error = Some(error);
                        break;
                    }
                }
            }
            if self.error.is_some() {
                self.end(context, now);
                continue;
            }
            // Process all queued messages first: they may make a request unnecessary.
            if !busy && !self.start_requests(now) && !self.is_due(context, now) {
                return Poll::Pending;
            }
        }
    }

    /// Ends tracking after an error. What the streams have queued counts: it is not returned by another
    /// tracker that is started afterwards.
    fn end(&mut self, context: &mut Context<'_>, now: Timestamp) {
        for feed in &mut self.feeds {
            feed.drain(context, now, &self.scale, &mut self.sync);
        }
        self.sync.close();
        self.ended = true;
    }

    fn observe(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::Health { market, health } => {
                self.metrics.set_health(*market, Some(*health));
            }
            AccountEvent::CaughtUp(report) => self.metrics.record_catch_up(report.market),
            _ => {}
        }
    }

    /// Starts all pending requests. Returns whether there was any.
    fn start_requests(&mut self, now: Timestamp) -> bool {
        let mut any = false;
        while let Some(request) = self.sync.poll_request(now) {
            any = true;
            let (Request::Open { market }
            | Request::Fetch { market, .. }
            | Request::Audit { market, .. }) = request;
            if let Some(feed) = self.feeds.iter_mut().find(|feed| feed.market == market) {
                feed.execute(request, self.rest.clone(), self.ws.clone());
            }
        }
        any
    }

    /// Polls the timer for the next deadline. Returns whether it has passed.
    fn is_due(&mut self, context: &mut Context<'_>, now: Timestamp) -> bool {
        let Some(deadline) = self.sync.deadline().filter(|deadline| *deadline > now) else {
            self.timer = None;
            return false;
        };
        let at = self.scale.to_instant(deadline);
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        timer.as_mut().poll(context).is_ready()
    }
}

impl Stream for AccountTracker {
    type Item = Result<AccountEvent, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(context)
    }
}

impl FusedStream for AccountTracker {
    fn is_terminated(&self) -> bool {
        self.error.is_none() && (self.ended || self.feeds.is_empty())
    }
}

#[cfg(test)]
mod clock_tests;
#[cfg(test)]
mod tests;
