//! Cancels the orders of one market and looks at what is left.

use std::sync::Arc;
use std::time::Duration;

use bitmart_types::OrderId;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{debug, warn};

use super::shared::Shared;
use super::{Cleared, Event, Guarded, MarketReport};
use crate::{Client, Empty, Error, Outcome, RetryClass, futures, spot};

/// The exchange shows new orders and cancellations with a delay; a look before tells little.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The most that the exchange lists.
const FUTURES_ROWS: u32 = 100;
const SPOT_ROWS: u32 = 200;

/// The orders of a market that the exchange lists as open.
pub(super) struct Open {
    ids: Vec<OrderId>,
    /// Whether that is really none.
    none: bool,
}

pub(super) async fn open_orders(client: &Client, market: &Guarded) -> Result<Open, Error> {
    let spot = match market {
        Guarded::Contract(symbol) => {
            let list = futures::ListOpenOrders::new().symbol(symbol.clone()).limit(FUTURES_ROWS);
            let rows = client.futures().open_orders(list).await?;
            let none = rows.is_empty() && rows.faults().is_empty();
            return Ok(Open { ids: rows.into_iter().map(|order| order.order_id).collect(), none });
        }
        Guarded::Pair(symbol) => spot::ListOpenOrders::new().symbol(symbol.clone()),
        Guarded::AllPairs => spot::ListOpenOrders::new(),
    };
    let rows = client.spot().open_orders(spot.limit(SPOT_ROWS)).await?;
    let none = rows.is_empty() && rows.faults().is_empty();
    Ok(Open { ids: rows.into_iter().map(|order| order.order_id).collect(), none })
}

async fn cancel_all(client: &Client, market: &Guarded) -> Result<Empty, Error> {
    match market {
        Guarded::Contract(symbol) => client.futures().cancel_all_orders(symbol.clone()).await,
        Guarded::Pair(symbol) => {
            client
                .spot()
                .cancel_all_orders(spot::CancelAllOrders::new().symbol(symbol.clone()))
                .await
        }
        Guarded::AllPairs => client.spot().cancel_all_orders(spot::CancelAllOrders::new()).await,
    }
}

/// One market on its way to be clear.
struct Clearing<'a> {
    shared: &'a Shared,
    market: &'a Guarded,
    deadline: Instant,
    /// Whether the exchange accepted a request to cancel.
    accepted: bool,
    /// What was listed last; `None` if nothing was since the last request to cancel.
    open: Option<Vec<OrderId>>,
    error: Option<Arc<Error>>,
}

/// What is known of the last request to cancel.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    /// It was accepted, or may have been: only a look can tell.
    MayCount,
    /// It had no effect, and a later one may do better.
    NoEffect,
    /// It had no effect, and a later one will not do better.
    Refused,
}

/// Cancels until nothing is open, the exchange refuses for good, or time is up. A new request to
/// cancel is sent only when the one before certainly had no effect, or when a look has shown since
/// that orders are open.
pub(super) async fn clear(shared: Arc<Shared>, market: Guarded, deadline: Instant) -> MarketReport {
    let mut clearing = Clearing {
        shared: &shared,
        market: &market,
        deadline,
        accepted: false,
        open: None,
        error: None,
    };
    let cleared = clearing.run().await;
    let Clearing { accepted, error, .. } = clearing;
    if !matches!(cleared, Cleared::Cancelled | Cleared::NothingOpen) {
        warn!(%market, ?cleared, ?error, "orders may be open");
    }
    let report = MarketReport { cleared, accepted, timer: shared.timer(&market), error, market };
    shared.events.push(Event::Cleared(report.clone()));
    report
}

impl Clearing<'_> {
    async fn run(&mut self) -> Cleared {
        while let Some((sent, wait)) = self.cancel().await {
            if !self.pause(wait).await {
                break;
            }
            if let Some(cleared) = self.look(sent).await {
                return cleared;
            }
            if Instant::now() >= self.deadline {
                break;
            }
        }
        match self.open.take() {
            Some(ids) => Cleared::Left(ids),
            None => Cleared::Unknown,
        }
    }

    /// Sends one request to cancel. Says when to look; `None` if time is up.
    async fn cancel(&mut self) -> Option<(Sent, Duration)> {
        let call = cancel_all(&self.shared.client, self.market);
        let Ok(response) = timeout_at(self.deadline, call).await else {
            self.open = None;
            return None;
        };
        let Err(error) = response else {
            debug!(market = %self.market, "cancelled all");
            self.accepted = true;
            self.open = None;
            return Some((Sent::MayCount, FIRST_PAUSE));
        };
        let class = error.retry_class();
        let sent = match error.outcome() {
            Outcome::Unknown => Sent::MayCount,
            _ if class == RetryClass::Never => Sent::Refused,
            _ => Sent::NoEffect,
        };
        if sent == Sent::MayCount {
            self.open = None;
        }
        self.error = Some(Arc::new(error));
        Some((sent, class.wait().unwrap_or_default().max(FIRST_PAUSE)))
    }

    /// Looks what is open, until the exchange tells or time is up. `None` if another request to
    /// cancel is to follow.
    async fn look(&mut self, sent: Sent) -> Option<Cleared> {
        let mut pause = FIRST_PAUSE;
        loop {
            let look = open_orders(&self.shared.client, self.market);
            let wait = match timeout_at(self.deadline, look).await {
                Ok(Ok(open)) if open.none && self.accepted => return Some(Cleared::Cancelled),
                Ok(Ok(open)) if open.none => return Some(Cleared::NothingOpen),
                Ok(Ok(open)) if sent == Sent::Refused => return Some(Cleared::Left(open.ids)),
                Ok(Ok(open)) => {
                    self.open = Some(open.ids);
                    return None;
                }
                Ok(Err(error)) => {
                    let wait = error.retry_class().wait();
                    self.error = Some(Arc::new(error));
                    match wait {
                        // Nothing has to be known of the request before.
                        _ if sent == Sent::NoEffect => return None,
                        Some(wait) => wait.max(pause),
                        // What is refused for good stays refused.
                        None => return Some(Cleared::Unknown),
                    }
                }
                Err(_) => return None,
            };
            if !self.pause(wait).await {
                return Some(Cleared::Unknown);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Waits; `false` if that would last beyond the deadline.
    async fn pause(&self, wait: Duration) -> bool {
        let until = Instant::now() + wait;
        if until >= self.deadline {
            return false;
        }
        sleep_until(until).await;
        true
    }
}

/// Switches the timer of a contract off; spot has none.
pub(super) async fn disarm(shared: &Shared, market: Guarded, deadline: Instant) -> MarketReport {
    let mut error = None;
    let mut off = false;
    if let Guarded::Contract(symbol) = &market {
        let futures = shared.client.futures();
        loop {
            let request = futures::CancelAllAfter::never(symbol.clone());
            let call = timeout_at(deadline, futures.cancel_all_after(request));
            let wait = match call.await {
                Ok(Ok(timer)) if timer.accepted => {
                    off = true;
                    break;
                }
                Ok(Ok(_)) | Err(_) => break,
                // To switch off twice is to switch off once: a lost response is no obstacle.
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
        // A renewal that is still on its way would set it again.
        let contract = shared.contracts.iter().find(|one| one.symbol == *symbol);
        off &= !contract.is_some_and(|one| one.with(|timer| timer.is_unsettled(Instant::now())));
    }
    let timer = if off { None } else { shared.timer(&market) };
    let cleared = Cleared::LeftAlone;
    let report = MarketReport { cleared, accepted: false, timer, error, market };
    shared.events.push(Event::Cleared(report.clone()));
    report
}
