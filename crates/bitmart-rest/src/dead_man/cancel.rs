//! Cancels the orders of one market and verifies that none is open.

use std::sync::Arc;
use std::time::Duration;

use bitmart_types::{OrderId, Timestamp};
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{debug, warn};

use super::shared::Shared;
use super::{CancelResult, Event, GuardedMarket, MarketReport};
use crate::{Client, Empty, Error, Outcome, RetryClass, futures, spot};
use bitmart_types::Rows;

/// The exchange lists new orders and cancellations with a delay, so an earlier query proves little.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Maximum page sizes of the exchange.
const FUTURES_ROWS: u32 = 100;
const SPOT_ROWS: u32 = 200;

/// Without a time range the exchange lists the spot orders of the last 7 days. Older ones are queried with a
/// range that begins before the exchange existed, 2017-01-01, and ends a day within those 7 days.
const BEFORE_EVERY_ORDER: Timestamp = Timestamp::from_millis(1_483_228_800_000);
const RECENT: Duration = Duration::from_secs(6 * 86_400);

/// The open orders of a market.
pub(super) struct OpenOrders {
    ids: Vec<OrderId>,
    /// False also if rows were listed that do not decode.
    is_empty: bool,
}

impl OpenOrders {
    fn new<T>(rows: Rows<T>, id: impl Fn(T) -> OrderId) -> Self {
        let is_empty = rows.is_empty() && rows.faults().is_empty();
        Self { ids: rows.into_iter().map(id).collect(), is_empty }
    }
}

pub(super) async fn open_orders(
    client: &Client,
    market: &GuardedMarket,
) -> Result<OpenOrders, Error> {
    let spot = match market {
        GuardedMarket::Contract(symbol) => {
            let list = futures::ListOpenOrders::new().symbol(symbol.clone()).limit(FUTURES_ROWS);
            let rows = client.futures().open_orders(list).await?;
            return Ok(OpenOrders::new(rows, |order| order.order_id));
        }
        GuardedMarket::Pair(symbol) => spot::ListOpenOrders::new().symbol(symbol.clone()),
        GuardedMarket::AllPairs => spot::ListOpenOrders::new(),
    };
    let spot = spot.limit(SPOT_ROWS);
    let recent = client.spot().open_orders(spot.clone()).await?;
    let recent = OpenOrders::new(recent, |order| order.order_id);
    if !recent.is_empty {
        return Ok(recent);
    }
    // That no recent order is open proves nothing about older ones.
    let older = spot.start_time(BEFORE_EVERY_ORDER).end_time(client.now() - RECENT);
    let older = client.spot().open_orders(older).await?;
    Ok(OpenOrders::new(older, |order| order.order_id))
}

async fn cancel_all(client: &Client, market: &GuardedMarket) -> Result<Empty, Error> {
    match market {
        GuardedMarket::Contract(symbol) => client.futures().cancel_all_orders(symbol.clone()).await,
        GuardedMarket::Pair(symbol) => {
            client
                .spot()
                .cancel_all_orders(spot::CancelAllOrders::new().symbol(symbol.clone()))
                .await
        }
        GuardedMarket::AllPairs => {
            client.spot().cancel_all_orders(spot::CancelAllOrders::new()).await
        }
    }
}

/// The cancellation of one market's orders.
struct Cancellation<'a> {
    shared: &'a Shared,
    market: &'a GuardedMarket,
    deadline: Instant,
    /// Whether the exchange accepted a request to cancel.
    accepted: bool,
    /// The last list of open orders; `None` if none was received since the last request to cancel.
    open: Option<Vec<OrderId>>,
    error: Option<Arc<Error>>,
}

/// The effect of the last request to cancel.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LastRequest {
    /// It was accepted or may have been: the open orders must be queried.
    MayHaveEffect,
    /// It had no effect; another one may succeed.
    NoEffect,
    /// It had no effect, and another one would not succeed either.
    Rejected,
}

/// Cancels until no order is open, the exchange rejects it permanently, or the deadline has passed. Another
/// request to cancel is sent only if the previous one certainly had no effect, or if a query since then
/// listed open orders.
pub(super) async fn cancel_market(
    shared: Arc<Shared>,
    market: GuardedMarket,
    deadline: Instant,
) -> MarketReport {
    let mut cancellation = Cancellation {
        shared: &shared,
        market: &market,
        deadline,
        accepted: false,
        open: None,
        error: None,
    };
    let result = cancellation.run().await;
    let Cancellation { accepted, error, .. } = cancellation;
    if !matches!(result, CancelResult::Canceled | CancelResult::NothingOpen) {
        warn!(%market, ?result, ?error, "orders may be open");
    }
    let report = MarketReport { result, accepted, timer: shared.timer(&market), error, market };
    shared.events.push(Event::MarketEnded(report.clone()));
    report
}

impl Cancellation<'_> {
    async fn run(&mut self) -> CancelResult {
        while let Some((sent, wait)) = self.cancel().await {
            if !self.pause(wait).await {
                break;
            }
            if let Some(result) = self.verify(sent).await {
                return result;
            }
            if Instant::now() >= self.deadline {
                break;
            }
        }
        match self.open.take() {
            Some(ids) => CancelResult::StillOpen(ids),
            None => CancelResult::Unknown,
        }
    }

    /// Sends one request to cancel. Returns the pause before the open orders are queried; `None` after the
    /// deadline.
    async fn cancel(&mut self) -> Option<(LastRequest, Duration)> {
        let call = cancel_all(&self.shared.client, self.market);
        let Ok(response) = timeout_at(self.deadline, call).await else {
            self.open = None;
            return None;
        };
        let Err(error) = response else {
            debug!(market = %self.market, "canceled all");
            self.accepted = true;
            self.open = None;
            return Some((LastRequest::MayHaveEffect, FIRST_PAUSE));
        };
        let class = error.retry_class();
        let sent = match error.outcome() {
            Outcome::Unknown => LastRequest::MayHaveEffect,
            _ if class == RetryClass::Never => LastRequest::Rejected,
            _ => LastRequest::NoEffect,
        };
        if sent == LastRequest::MayHaveEffect {
            self.open = None;
        }
        self.error = Some(Arc::new(error));
        Some((sent, class.wait().unwrap_or_default().max(FIRST_PAUSE)))
    }

    /// Queries the open orders until the exchange responds or the deadline has passed. `None` if another
    /// request to cancel must follow.
    async fn verify(&mut self, sent: LastRequest) -> Option<CancelResult> {
        let mut pause = FIRST_PAUSE;
        loop {
            let query = open_orders(&self.shared.client, self.market);
            let wait = match timeout_at(self.deadline, query).await {
                Ok(Ok(open)) if open.is_empty && self.accepted => {
                    return Some(CancelResult::Canceled);
                }
                Ok(Ok(open)) if open.is_empty => return Some(CancelResult::NothingOpen),
                Ok(Ok(open)) if sent == LastRequest::Rejected => {
                    return Some(CancelResult::StillOpen(open.ids));
                }
                Ok(Ok(open)) => {
                    self.open = Some(open.ids);
                    return None;
                }
                Ok(Err(error)) => {
                    let wait = error.retry_class().wait();
                    self.error = Some(Arc::new(error));
                    match wait {
                        // It is safe to cancel again without a query.
                        _ if sent == LastRequest::NoEffect => return None,
                        Some(wait) => wait.max(pause),
                        // A permanent rejection does not change.
                        None => return Some(CancelResult::Unknown),
                    }
                }
                Err(_) => return None,
            };
            if !self.pause(wait).await {
                return Some(CancelResult::Unknown);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Waits; returns `false` if that would exceed the deadline.
    async fn pause(&self, wait: Duration) -> bool {
        let until = Instant::now() + wait;
        if until >= self.deadline {
            return false;
        }
        sleep_until(until).await;
        true
    }
}

/// Switches off the timer of a contract. Spot has no timer.
pub(super) async fn disarm(
    shared: &Shared,
    market: GuardedMarket,
    deadline: Instant,
) -> MarketReport {
    let mut error = None;
    let mut off = false;
    if let GuardedMarket::Contract(symbol) = &market {
        let futures = shared.client.futures();
        loop {
            let request = futures::CancelAllAfter::never(symbol.clone());
            let call = timeout_at(deadline, futures.cancel_all_after(request));
            let wait = match call.await {
                Ok(Ok(timer)) if timer.accepted == Some(true) => {
                    off = true;
                    break;
                }
                Ok(Ok(_)) | Err(_) => break,
                // Switching off is idempotent, so it is repeated after a lost response.
                Ok(Err(failed)) => {
                    let unknown = failed.outcome() == Outcome::Unknown;
                    let wait = failed.retry_class().wait();
                    error = Some(Arc::new(failed));
                    match wait.or(unknown.then_some(FIRST_PAUSE)) {
                        Some(wait) => wait.max(FIRST_PAUSE),
                        None => break,
                    }
                }
            };
            if Instant::now() + wait >= deadline {
                break;
            }
            sleep_until(Instant::now() + wait).await;
        }
        // A renewal in flight would set it again.
        let contract = shared.contracts.iter().find(|one| one.symbol == *symbol);
        off &= !contract.is_some_and(|one| one.with(|timer| timer.is_unsettled(Instant::now())));
    }
    let timer = if off { None } else { shared.timer(&market) };
    let result = CancelResult::Untouched;
    let report = MarketReport { result, accepted: false, timer, error, market };
    shared.events.push(Event::MarketEnded(report.clone()));
    report
}
