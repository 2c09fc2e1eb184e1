//! An account on live connections.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bitmart_rest::history::HistoryError;
use bitmart_types::{Currency, Timestamp};
use bitmart_ws::{ErrorKind, Update};
use tokio::time::Sleep;

use crate::clock::Scale;
use crate::fetch::{self, Plan};
use crate::stream::{self, Opening, Sources};
use crate::sync::{Cause, Request, Snapshot};
use crate::{
    AccountEvent, AccountState, AccountSync, Assumptions, Audits, CatchUpError, Fill, Health,
    Market,
};

/// A query on its way, with the id of its request.
type Query<T> = (u64, Pin<Box<dyn Future<Output = Result<T, HistoryError>> + Send>>);

/// Keeps an [`AccountState`] from private streams, and from REST where the streams have gaps.
///
/// After every loss it asks REST for what is open, for what was ordered and filled since, and for
/// balances and positions, and says what it found. What counts as whole is proven, see the
/// [crate](crate#what-is-proven). Its clients decide deadlines, limits and
/// retries: give it a REST client that [retries reads](bitmart_rest::ClientBuilder::retry_reads).
///
/// ```no_run
/// use bitmart_account::{AccountEvent, AccountTracker, Health};
/// use {bitmart_rest as rest, bitmart_ws as ws};
///
/// # async fn run(rest: rest::Client, ws: ws::Client) -> Result<(), ws::Error> {
/// let mut account = AccountTracker::new(rest, ws).spot().futures(["USDT"]);
/// while let Some(event) = account.next().await {
///     match event? {
///         AccountEvent::Fill(fill) => println!("{} at {}", fill.size, fill.price),
///         AccountEvent::Health { health: Health::Live, .. } => println!("quote"),
///         AccountEvent::Health { health, .. } => println!("pull the quotes: {health:?}"),
///         other => println!("{other:?}"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct AccountTracker {
    rest: bitmart_rest::Client,
    ws: bitmart_ws::Client,
    scale: Scale,
    sync: AccountSync,
    lanes: Vec<Lane>,
    alarm: Option<Pin<Box<Sleep>>>,
    ended: bool,
}

/// The streams of a market and what is being asked about it.
struct Lane {
    market: Market,
    currencies: Vec<Currency>,
    opening: Option<Opening>,
    sources: Sources,
    fetch: Option<Query<Snapshot>>,
    audit: Option<Query<Option<Vec<Fill>>>>,
}

impl std::fmt::Debug for AccountTracker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountTracker").field("sync", &self.sync).finish_non_exhaustive()
    }
}

impl AccountTracker {
    /// A tracker of the account whose keys both clients hold. It follows no market yet.
    pub fn new(rest: bitmart_rest::Client, ws: bitmart_ws::Client) -> Self {
        let scale = Scale::new(rest.now());
        let sync = AccountSync::new(AccountState::new(), Assumptions::default());
        Self { rest, ws, scale, sync, lanes: Vec::new(), alarm: None, ended: false }
    }

    /// Follows spot orders, fills and balances.
    #[must_use]
    pub fn spot(self) -> Self {
        self.follow(Market::Spot, Vec::new())
    }

    /// Follows futures orders, fills and positions, and the balances of these currencies.
    #[must_use]
    pub fn futures<C: Into<Currency>>(self, currencies: impl IntoIterator<Item = C>) -> Self {
        self.follow(Market::Futures, currencies.into_iter().map(Into::into).collect())
    }

    fn follow(mut self, market: Market, currencies: Vec<Currency>) -> Self {
        let now = self.now();
        self.sync.follow(now, market);
        self.lanes.retain(|lane| lane.market != market);
        self.lanes.push(Lane {
            market,
            currencies,
            opening: None,
            sources: Vec::new(),
            fetch: None,
            audit: None,
        });
        self
    }

    /// Starts from this state, such as one with another
    /// [number of finished orders](AccountState::keep_finished).
    #[must_use]
    pub fn with_state(mut self, state: AccountState) -> Self {
        self.sync.set_state(state);
        self
    }

    /// Relies on other assumptions about the exchange than the [defaults](Assumptions).
    #[must_use]
    pub fn assume(mut self, assumptions: Assumptions) -> Self {
        self.sync.set_assumptions(assumptions);
        self
    }

    /// The time between two audits, 5 minutes unless told otherwise; `None` for audits on demand
    /// only. Each is a query of the fills of the last 10 minutes.
    #[must_use]
    pub fn audit_every(mut self, every: Option<Duration>) -> Self {
        let now = self.now();
        self.sync.audit_every(now, every);
        self
    }

    /// What is known now.
    pub fn state(&self) -> &AccountState {
        self.sync.state()
    }

    /// How far the [state](Self::state) of this market can be trusted, as of the last call of
    /// [`next`](Self::next), events that were not given yet included; `None` if it is not followed.
    /// What is still waiting to be read when this says live happened after
    /// [`whole_until`](Self::whole_until), or is told as a loss when it is read.
    pub fn health(&self, market: Market) -> Option<Health> {
        self.sync.health(market)
    }

    /// Every fill of this market since it was first live and before this moment of the REST client's
    /// clock is counted, whatever the health. `None` before the streams were up.
    pub fn whole_until(&self, market: Market) -> Option<Timestamp> {
        self.sync.whole_until(market)
    }

    /// Whether the state of this market is whole: its health is [`Live`](Health::Live).
    pub fn is_in_step(&self, market: Market) -> bool {
        self.health(market) == Some(Health::Live)
    }

    /// Asks for an audit: as soon as the market is live, the exchange's fills of the last 10 minutes
    /// are compared by id with what was counted. A difference is told as
    /// [`AccountEvent::AuditFailed`] and corrects nothing; see also [`audits`](Self::audits).
    pub fn audit(&mut self, market: Market) {
        let now = self.now();
        self.sync.audit(now, market);
    }

    /// What the audits of this market came to; `None` if it is not followed.
    pub fn audits(&self, market: Market) -> Option<Audits> {
        self.sync.audits(market)
    }

    /// The next event. `None` after an error, or when no market is followed. Nothing happens in
    /// between, so keep calling.
    ///
    /// # Errors
    /// The venue refused the login or a topic, or the client was shut down. It is the last item.
    ///
    /// # Cancel safety
    /// Safe: what was heard or asked for is kept.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn next(&mut self) -> Option<Result<AccountEvent, bitmart_ws::Error>> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn now(&mut self) -> Timestamp {
        self.scale.now(self.rest.now())
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<AccountEvent, bitmart_ws::Error>>> {
        loop {
            if let Some(event) = self.sync.poll_event() {
                return Poll::Ready(Some(Ok(event)));
            }
            if self.ended || self.lanes.is_empty() {
                return Poll::Ready(None);
            }
            let now = self.now();
            let mut busy = false;
            for lane in &mut self.lanes {
                match lane.poll(context, now, &self.scale, &mut self.sync) {
                    Ok(did) => busy |= did,
                    Err(error) => {
                        self.ended = true;
                        self.sync.end();
                        while self.sync.poll_event().is_some() {}
                        return Poll::Ready(Some(Err(error)));
                    }
                }
            }
            // Nothing is asked for before everything that waits was read: it may make it needless.
            if !busy && !self.carry_out(now) && !self.is_due(context, now) {
                return Poll::Pending;
            }
        }
    }

    /// Begins what is to be done. Gives whether there was anything.
    fn carry_out(&mut self, now: Timestamp) -> bool {
        let mut any = false;
        while let Some(request) = self.sync.poll_request(now) {
            any = true;
            let (rest, ws) = (self.rest.clone(), self.ws.clone());
            let of = match &request {
                Request::Open { market }
                | Request::Fetch { market, .. }
                | Request::Audit { market, .. } => *market,
            };
            let Some(lane) = self.lanes.iter_mut().find(|lane| lane.market == of) else { continue };
            match request {
                Request::Open { market } => {
                    lane.sources.clear();
                    lane.opening = Some(stream::open(ws, market, lane.currencies.clone()));
                }
                Request::Fetch { id, market, from, open } => {
                    let plan = Plan { market, from, open };
                    lane.fetch = Some((id, Box::pin(plan.carry_out(rest))));
                }
                Request::Audit { id, market, from, until } => {
                    lane.audit = Some((id, Box::pin(fetch::fills(rest, market, from, until))));
                }
            }
        }
        any
    }

    /// Waits for the next deadline. Gives whether it has come.
    fn is_due(&mut self, context: &mut Context<'_>, now: Timestamp) -> bool {
        let Some(deadline) = self.sync.deadline().filter(|deadline| *deadline > now) else {
            self.alarm = None;
            return false;
        };
        let at = self.scale.instant(deadline);
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if alarm.deadline() != at {
            alarm.as_mut().reset(at);
        }
        alarm.as_mut().poll(context).is_ready()
    }
}

impl Lane {
    /// Goes on as far as it can without waiting, but not beyond one item of each kind. `true` if it
    /// did something.
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        now: Timestamp,
        scale: &Scale,
        sync: &mut AccountSync,
    ) -> Result<bool, bitmart_ws::Error> {
        let market = self.market;
        let mut busy = false;
        if let Some(opening) = &mut self.opening
            && let Poll::Ready(opened) = opening.as_mut().poll(context)
        {
            self.opening = None;
            busy = true;
            match opened {
                Ok(sources) => {
                    sync.opened(now, market, sources.len());
                    self.sources = sources;
                }
                Err(error) if error.kind() == ErrorKind::Timeout => {
                    sync.open_failed(now, market, CatchUpError::Streams(error));
                }
                Err(error) => return Err(error),
            }
        }
        for at in 0..self.sources.len() {
            let heard = self.sources[at].heard();
            let Poll::Ready(item) = self.sources[at].poll(context) else {
                if let Some(heard) = heard {
                    sync.read(market, at, scale.time(heard));
                }
                continue;
            };
            busy = true;
            let received = self.sources[at].last_received().map(|instant| scale.time(instant));
            let cause = match item {
                Some(Ok(Update::Data(reports))) => {
                    if let Some(received) = received {
                        sync.read(market, at, received);
                    }
                    for report in reports.told {
                        sync.report(now, market, report);
                    }
                    if !reports.lacks {
                        continue;
                    }
                    Cause::Unreadable
                }
                Some(Ok(Update::Subscribed | Update::Resynced)) => {
                    sync.up(now, market, at);
                    continue;
                }
                Some(Ok(update @ (Update::Stale(_) | Update::Alive))) => {
                    sync.silent(market, at, matches!(update, Update::Stale(_)));
                    continue;
                }
                Some(Ok(Update::Reconnecting(reason))) => Cause::Reconnecting(reason),
                // A frame that does not decode, and whatever else there will be: asking again loses
                // nothing.
                Some(Ok(_)) => Cause::Unreadable,
                Some(Err(error)) if error.kind() == ErrorKind::Overflow => Cause::Overflowed,
                Some(Err(error)) => return Err(error),
                None => Cause::Ended,
            };
            let over = matches!(cause, Cause::Overflowed | Cause::Ended);
            sync.lost(now, market, at, received, cause);
            if over {
                self.sources.clear();
                break;
            }
        }
        busy |= self.answers(context, now, sync);
        Ok(busy)
    }

    fn answers(
        &mut self,
        context: &mut Context<'_>,
        now: Timestamp,
        sync: &mut AccountSync,
    ) -> bool {
        let market = self.market;
        let mut busy = false;
        if let Some((id, fetch)) = &mut self.fetch
            && let Poll::Ready(result) = fetch.as_mut().poll(context)
        {
            busy = true;
            let id = *id;
            self.fetch = None;
            match result {
                Ok(snapshot) => sync.fetched(now, market, id, snapshot),
                Err(error) => {
                    sync.fetch_failed(now, market, id, CatchUpError::Rest(error));
                }
            }
        }
        if let Some((id, audit)) = &mut self.audit
            && let Poll::Ready(result) = audit.as_mut().poll(context)
        {
            busy = true;
            let id = *id;
            self.audit = None;
            match result {
                Ok(Some(listed)) => sync.audited(market, id, &listed),
                Ok(None) | Err(_) => sync.audit_failed(market, id),
            }
        }
        busy
    }
}
