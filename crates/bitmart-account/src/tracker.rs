//! An account on live connections.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bitmart_types::{Currency, Timestamp};
use tokio::time::Sleep;

use crate::clock::Scale;
use crate::feed::Feed;
use crate::observe::Meters;
use crate::sync::Request;
use crate::{AccountEvent, AccountState, AccountSync, Assumptions, Audits, Health, Market};

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
    feeds: Vec<Feed>,
    alarm: Option<Pin<Box<Sleep>>>,
    ended: bool,
    meters: Meters,
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
        Self {
            rest,
            ws,
            scale,
            sync,
            feeds: Vec::new(),
            alarm: None,
            ended: false,
            meters: Meters::new(),
        }
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
        self.meters.health(market, self.sync.health(market));
        self.feeds.retain(|feed| feed.market != market);
        self.feeds.push(Feed::new(market, currencies));
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
    /// Outside of a tokio runtime with time enabled. Connections need one with I/O, too.
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
                self.observe(&event);
                return Poll::Ready(Some(Ok(event)));
            }
            if self.ended || self.feeds.is_empty() {
                return Poll::Ready(None);
            }
            let now = self.now();
            let mut busy = false;
            for feed in &mut self.feeds {
                match feed.poll(context, now, &self.scale, &mut self.sync) {
                    Ok(did) => busy |= did,
                    Err(error) => {
                        self.ended = true;
                        self.sync.end();
                        while let Some(event) = self.sync.poll_event() {
                            self.observe(&event);
                        }
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

    fn observe(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::Health { market, health } => self.meters.health(*market, Some(*health)),
            AccountEvent::CaughtUp(done) => self.meters.caught_up(done.market),
            _ => {}
        }
    }

    /// Begins what is to be done. Gives whether there was anything.
    fn carry_out(&mut self, now: Timestamp) -> bool {
        let mut any = false;
        while let Some(request) = self.sync.poll_request(now) {
            any = true;
            let (Request::Open { market }
            | Request::Fetch { market, .. }
            | Request::Audit { market, .. }) = request;
            if let Some(feed) = self.feeds.iter_mut().find(|feed| feed.market == market) {
                feed.carry_out(request, self.rest.clone(), self.ws.clone());
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
