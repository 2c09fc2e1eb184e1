//! One market on live connections: its streams and the queries about it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bitmart_rest::history::HistoryError;
use bitmart_types::{Currency, Timestamp};
use bitmart_ws::{ErrorKind, Update};

use crate::clock::Scale;
use crate::fetch::{self, Pages, Plan};
use crate::stream::{self, Opening, Reports, Sources};
use crate::sync::{Cause, Request, Snapshot};
use crate::{AccountSync, CatchUpError, Fill, Market, Unread};

type Query<T> = Pin<Box<dyn Future<Output = Result<T, HistoryError>> + Send>>;

/// A fetch on its way.
struct Fetch {
    id: u64,
    query: Query<Snapshot>,
    pages: Pages,
}

pub(crate) struct Feed {
    pub(crate) market: Market,
    currencies: Vec<Currency>,
    opening: Option<Opening>,
    sources: Sources,
    fetches: Vec<Fetch>,
    /// With the id of its request. `None` of a row that cannot be read.
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

    /// Begins what is to be done.
    pub(crate) fn carry_out(
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
            Request::Fetch { id, market, from, open } => {
                let (plan, pages) = (Plan { market, from, open }, Pages::default());
                let query = Box::pin(plan.carry_out(rest, pages.clone()));
                self.fetches.push(Fetch { id, query, pages });
            }
            Request::Audit { id, market, from, until } => {
                self.audit = Some((id, Box::pin(fetch::fills(rest, market, from, until))));
            }
        }
    }

    /// Goes on as far as it can without waiting, but not beyond one item of each kind. `true` if it
    /// did something.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
        now: Timestamp,
        scale: &Scale,
        sync: &mut AccountSync,
    ) -> Result<bool, bitmart_ws::Error> {
        let mut busy = self.poll_opening(context, now, sync)?;
        for at in 0..self.sources.len() {
            match self.poll_source(context, at, now, scale, sync)? {
                None => {}
                Some(Stays::Open) => busy = true,
                Some(Stays::Closed) => {
                    busy = true;
                    self.sources.clear();
                    break;
                }
            }
        }
        busy |= self.poll_fetches(context, now, sync);
        busy |= self.poll_audit(context, sync);
        Ok(busy)
    }

    fn poll_opening(
        &mut self,
        context: &mut Context<'_>,
        now: Timestamp,
        sync: &mut AccountSync,
    ) -> Result<bool, bitmart_ws::Error> {
        let Some(opening) = &mut self.opening else { return Ok(false) };
        let Poll::Ready(opened) = opening.as_mut().poll(context) else { return Ok(false) };
        self.opening = None;
        match opened {
            Ok(sources) => {
                sync.opened(now, self.market, sources.len());
                self.sources = sources;
            }
            Err(error) if error.kind() == ErrorKind::Timeout => {
                sync.open_failed(now, self.market, CatchUpError::Streams(error));
            }
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Reads one item of a stream. `None` if nothing waits.
    fn poll_source(
        &mut self,
        context: &mut Context<'_>,
        at: usize,
        now: Timestamp,
        scale: &Scale,
        sync: &mut AccountSync,
    ) -> Result<Option<Stays>, bitmart_ws::Error> {
        let market = self.market;
        let source = &mut self.sources[at];
        let heard = source.heard();
        let Poll::Ready(item) = source.poll(context) else {
            if let Some(heard) = heard {
                sync.read(market, at, scale.time(heard));
            }
            return Ok(None);
        };
        let received = source.last_received().map(|instant| scale.time(instant));
        let queued = source.received_at().map_or(now, |instant| scale.time(instant));
        let cause = match item {
            Some(Ok(Update::Data(Reports { told, unread }))) => {
                if let Some(received) = received {
                    sync.read(market, at, received);
                }
                for report in told {
                    sync.report(now, market, report);
                }
                if unread.is_empty() {
                    return Ok(Some(Stays::Open));
                }
                for what in unread {
                    sync.unreadable(market, what);
                }
                Cause::Unreadable { before: queued }
            }
            Some(Ok(Update::Subscribed | Update::Resynced)) => {
                sync.up(now, market, at, queued);
                return Ok(Some(Stays::Open));
            }
            Some(Ok(update @ (Update::Stale(_) | Update::Alive))) => {
                sync.silent(market, at, matches!(update, Update::Stale(_)));
                return Ok(Some(Stays::Open));
            }
            Some(Ok(Update::Reconnecting(reason))) => Cause::Reconnecting(reason),
            // Whatever else there will be: asking again loses nothing.
            Some(Ok(update)) => {
                if let Update::Malformed(error) = update {
                    sync.unreadable(market, Unread::Frame(error));
                }
                Cause::Unreadable { before: queued }
            }
            Some(Err(error)) if error.kind() == ErrorKind::Overflow => Cause::Overflowed,
            Some(Err(error)) => return Err(error),
            None => Cause::Ended,
        };
        let over = matches!(cause, Cause::Overflowed | Cause::Ended);
        sync.lost(now, market, at, received, cause);
        Ok(Some(if over { Stays::Closed } else { Stays::Open }))
    }

    fn poll_fetches(
        &mut self,
        context: &mut Context<'_>,
        now: Timestamp,
        sync: &mut AccountSync,
    ) -> bool {
        let market = self.market;
        let mut busy = false;
        let mut done = None;
        for (at, Fetch { id, query, pages }) in self.fetches.iter_mut().enumerate() {
            let result = query.as_mut().poll(context);
            for page in pages.take() {
                busy = true;
                sync.page(now, market, *id, page);
            }
            if let Poll::Ready(result) = result {
                done = Some((at, result));
                break;
            }
        }
        let Some((at, result)) = done else { return busy };
        let id = self.fetches.remove(at).id;
        match result {
            Ok(snapshot) => {
                sync.fetched(now, market, id, snapshot);
                self.fetches.retain(|fetch| fetch.id > id);
            }
            Err(error) => sync.fetch_failed(now, market, id, CatchUpError::Rest(error)),
        }
        true
    }

    fn poll_audit(&mut self, context: &mut Context<'_>, sync: &mut AccountSync) -> bool {
        let Some((id, audit)) = &mut self.audit else { return false };
        let Poll::Ready(result) = audit.as_mut().poll(context) else { return false };
        match result {
            Ok(Some(listed)) => sync.audited(self.market, *id, &listed),
            Ok(None) | Err(_) => sync.audit_failed(self.market, *id),
        }
        self.audit = None;
        true
    }
}

/// Whether the streams of the market can be read on.
enum Stays {
    Open,
    Closed,
}
