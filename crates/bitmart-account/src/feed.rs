//! The streams and queries of one market.

use std::pin::Pin;
use std::task::{Context, Poll};

use bitmart_rest::history::HistoryError;
use bitmart_types::{Currency, Timestamp};
use bitmart_ws::{ErrorKind, Update};

use crate::fetch::{self, FetchPlan, PageBuffer};
use crate::stream::{self, Decoded, Opening, Sources};
use crate::sync::AccountSync;
use crate::sync::{LossCause, Request, Snapshot};
use crate::time_scale::TimeScale;
use crate::{CatchUpError, Fill, MalformedItem, Market};

type Query<T> = Pin<Box<dyn Future<Output = Result<T, HistoryError>> + Send>>;

/// A running fetch.
struct Fetch {
    id: u64,
    query: Query<Snapshot>,
    pages: PageBuffer,
}

/// Carries out the requests of a market, and passes results and messages on to the state machine.
pub(crate) struct Feed {
    pub(crate) market: Market,
    /// Those whose futures balances are followed.
    currencies: Vec<Currency>,
    /// Runs while the streams are being subscribed.
    opening: Option<Opening>,
    /// The subscribed streams; empty while they are closed.
    sources: Sources,
    fetches: Vec<Fetch>,
    /// The id of the request and its query, which returns `None` if a row cannot be decoded.
    audit: Option<(u64, Query<Option<Vec<Fill>>>)>,
}

impl Feed {
    pub(crate) fn new(market: Market, currencies: Vec<Currency>) -> Self {
        Self {
            market,
            currencies,
            opening: None,
            sources: Vec::new(),
            fetches: Vec::new(),
            audit: None,
        }
    }

    /// Replaces the streams, as if they had been opened.
    #[cfg(test)]
    pub(crate) fn replace_sources(&mut self, sources: Sources) {
        self.sources = sources;
    }

    /// Starts carrying out a request.
    pub(crate) fn execute(
        &mut self,
        request: Request,
        rest: bitmart_rest::Client,
        ws: bitmart_ws::Client,
    ) {
        match request {
            Request::Open { market } => {
                self.sources.clear();
                self.opening = Some(stream::open(ws, market, self.currencies.clone()));
            }
            Request::Fetch { id, market, from, open_orders } => {
                let (plan, pages) =
                    (FetchPlan { market, from, open_orders }, PageBuffer::default());
                let query = Box::pin(plan.run(rest, pages.clone()));
                self.fetches.push(Fetch { id, query, pages });
            }
            Request::Audit { id, market, from, until } => {
                self.audit = Some((id, Box::pin(fetch::fills(rest, market, from, until))));
            }
        }
    }

    /// Polls everything once and processes at most one item of each. Returns whether there was any.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
        now: Timestamp,
        scale: &TimeScale,
        sync: &mut AccountSync,
    ) -> Result<bool, bitmart_ws::Error> {
        let mut busy = self.poll_opening(context, scale, sync)?;
        for index in 0..self.sources.len() {
            match self.poll_source(context, index, now, scale, sync)? {
                None => {}
                Some(SourceState::Open) => busy = true,
                Some(SourceState::Closed) => {
                    busy = true;
                    self.sources.clear();
                    break;
                }
            }
        }
        busy |= self.poll_fetches(context, now, sync);
        busy |= self.poll_audit(context, now, sync);
        Ok(busy)
    }

    /// Processes everything that the streams have queued, after an error that ends tracking. Further errors
    /// are ignored.
    pub(crate) fn drain(
        &mut self,
        context: &mut Context<'_>,
        now: Timestamp,
        scale: &TimeScale,
        sync: &mut AccountSync,
    ) {
        for index in 0..self.sources.len() {
            while let Ok(Some(SourceState::Open)) =
                self.poll_source(context, index, now, scale, sync)
            {}
        }
        self.sources.clear();
    }

    fn poll_opening(
        &mut self,
        context: &mut Context<'_>,
        scale: &TimeScale,
        sync: &mut AccountSync,
    ) -> Result<bool, bitmart_ws::Error> {
        let Some(opening) = &mut self.opening else { return Ok(false) };
        let Poll::Ready(opened) = opening.as_mut().poll(context) else { return Ok(false) };
        // Not before the streams report fills.
        let now = scale.now();
        self.opening = None;
        match opened {
            Ok(sources) => {
                sync.streams_opened(now, self.market, sources.len());
                self.sources = sources;
            }
            Err(error) if error.kind() == ErrorKind::Timeout => {
                sync.streams_failed(now, self.market, CatchUpError::Streams(error));
            }
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Processes one item of a stream. Returns `None` if there is none.
    fn poll_source(
        &mut self,
        context: &mut Context<'_>,
        index: usize,
        now: Timestamp,
        scale: &TimeScale,
        sync: &mut AccountSync,
    ) -> Result<Option<SourceState>, bitmart_ws::Error> {
        let market = self.market;
        let source = &mut self.sources[index];
        let received_until = source.received_until();
        let Poll::Ready(item) = source.poll(context) else {
            if let Some(received) = received_until {
                sync.processed_until(market, index, scale.to_timestamp(received));
            }
            return Ok(None);
        };
        let received = source.delivered_until().map(|instant| scale.to_timestamp(instant));
        let received_at = source.received_at().map_or(now, |instant| scale.to_timestamp(instant));
        let cause = match item {
            Some(Ok(Update::Data(Decoded { changes, flat, malformed }))) => {
                if let Some(received) = received {
                    sync.processed_until(market, index, received);
                }
                for change in changes {
                    sync.apply(now, market, index, change);
                }
                for flat in flat {
                    sync.apply_flat(now, market, index, flat);
                }
                if malformed.is_empty() {
                    return Ok(Some(SourceState::Open));
                }
                for item in malformed {
                    sync.malformed(market, item);
                }
                LossCause::Malformed { received_by: received_at }
            }
            Some(Ok(Update::Subscribed | Update::Resynced)) => {
                sync.stream_up(now, market, index, received_at);
                return Ok(Some(SourceState::Open));
            }
            Some(Ok(update @ (Update::Stale(_) | Update::Alive))) => {
                sync.stream_idle(market, index, matches!(update, Update::Stale(_)));
                return Ok(Some(SourceState::Open));
            }
            Some(Ok(Update::Reconnecting(reason))) => LossCause::Reconnecting(reason),
            // A malformed message, or an update that this version does not know: fetch the state.
            Some(Ok(update)) => {
                if let Update::Malformed(error) = update {
                    sync.malformed(market, MalformedItem::Frame(error));
                }
                LossCause::Malformed { received_by: received_at }
            }
            Some(Err(error)) if error.kind() == ErrorKind::Overflow => LossCause::Overflowed,
            Some(Err(error)) => return Err(error),
            None => LossCause::Ended,
        };
        let ended = matches!(cause, LossCause::Overflowed | LossCause::Ended);
        sync.stream_lost(now, market, index, received, cause);
        Ok(Some(if ended { SourceState::Closed } else { SourceState::Open }))
    }

    fn poll_fetches(
        &mut self,
        context: &mut Context<'_>,
        now: Timestamp,
        sync: &mut AccountSync,
    ) -> bool {
        let market = self.market;
        let mut busy = false;
        let mut finished = None;
        for (index, Fetch { id, query, pages }) in self.fetches.iter_mut().enumerate() {
            let result = query.as_mut().poll(context);
            for page in pages.take() {
                busy = true;
                sync.fetch_page(now, market, *id, page);
            }
            if let Poll::Ready(result) = result {
                finished = Some((index, result));
                break;
            }
        }
        let Some((index, result)) = finished else { return busy };
        let id = self.fetches.remove(index).id;
        match result {
            Ok(snapshot) => {
                sync.fetch_completed(now, market, id, snapshot);
                self.fetches.retain(|fetch| fetch.id > id);
            }
            Err(error) => sync.fetch_failed(now, market, id, CatchUpError::Rest(error)),
        }
        true
    }

    fn poll_audit(
        &mut self,
        context: &mut Context<'_>,
        now: Timestamp,
        sync: &mut AccountSync,
    ) -> bool {
        let Some((id, audit)) = &mut self.audit else { return false };
        let Poll::Ready(result) = audit.as_mut().poll(context) else { return false };
        match result {
            Ok(Some(listed)) => sync.audit_completed(now, self.market, *id, &listed),
            Ok(None) | Err(_) => sync.audit_failed(self.market, *id),
        }
        self.audit = None;
        true
    }
}

/// Whether the streams of the market are still open after an item.
enum SourceState {
    Open,
    Closed,
}
