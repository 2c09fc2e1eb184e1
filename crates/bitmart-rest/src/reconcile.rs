//! Finds out whether an order with an unknown outcome was placed.
//!
//! # Background
//!
//! The connection breaks after an order was sent, the response times out, or a proxy responds in place
//! of the exchange. [`Outcome::Unknown`](crate::Outcome::Unknown) means that the order may or may not
//! exist. Sending it again could buy twice; ignoring it could leave an unwatched order in the book.
//!
//! The solution is the client order id, which every spot, margin, take-profit/stop-loss and plain futures
//! order has from the moment it is built. (Futures plan and trailing orders have none; their documentation
//! names the list to search.) But *not found* alone proves nothing: the request may still be in transit,
//! and the exchange lists new orders with a delay. The exchange rejects signatures older than 60 seconds,
//! so an order that is not found after that time, plus a margin ([`SETTLED_AFTER`]), will never be placed.
//! The age of a signature is the exchange's time minus the time that was signed. So `reconcile` requests
//! the exchange's time, and if the client's clock is ahead, it takes as much longer, up to a minute. It
//! queries until the order is found, or until *not found* is proof. A query that fails with a transient
//! error, such as a rate limit, maintenance or a broken connection, is repeated for up to 30 seconds longer
//! ([`ABANDONED_AFTER`]). Which errors are transient is decided by [`Error::retry_class`].
//!
//! During a ban no query is sent. `reconcile` waits for a ban that ends within this time; a
//! longer one is returned immediately as an error of the class
//! [`RetryClass::Banned`](crate::RetryClass::Banned), which contains its end. The order is then still
//! unknown: call `reconcile` again at that time.
//!
//! Do not delay calling it: an order that was canceled without a fill can be queried for 20 minutes only.

use std::time::Duration;

use bitmart_types::{ClientOrderId, ContractSymbol, Rows, Timestamp};
use tokio::time::{Instant, sleep};

use crate::{Client, Error, futures, spot};

/// How long after the time of its signature, by the exchange's clock, a request that the exchange does not
/// list will never take effect: it accepts a signature for 60 seconds, and the rest is a margin for rows
/// that are listed late. For the outcome of requests that `reconcile` cannot query, such as a transfer; for
/// the time see [`Client::last_signature_time`].
pub const SETTLED_AFTER: Duration = Duration::from_secs(75);
/// How long queries for an outcome that fail are repeated, if the clock is not ahead.
pub const ABANDONED_AFTER: Duration = Duration::from_secs(105);
/// How far a clock can be ahead of the exchange's: it rejects signatures from further in the future.
pub(crate) const MAX_CLOCK_LEAD: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Code of a spot order that is not found.
const NOT_FOUND: i64 = 50_005;

/// Codes of a futures order that is not found in a list.
const FUTURES_NOT_FOUND: [i64; 2] = [40_035, 40_037];

/// Maximum rows of the open futures orders and of the futures order history.
const OPEN_ROWS: u32 = 100;
const HISTORY_ROWS: usize = 200;

/// How far back a futures order is searched, in milliseconds: 7 days.
const SEARCHED_BACK: i64 = 7 * 86_400_000;

/// The result of reconciling an order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reconciled<T> {
    /// The order was placed. It may already be filled or canceled: see its state.
    Placed(T),
    /// The order was not placed and cannot be placed any more. It is safe to send another one.
    NotPlaced,
    /// The order was not found, but the lists may be incomplete: they have the maximum number of open
    /// futures orders, or a row could not be decoded. Do not place the order again before checking:
    /// cancel some other orders, or all of the contract, to see the rest. Or this client has signed
    /// requests with a time more than a minute ahead of the exchange's, which may stay valid for longer.
    Unclear,
}

/// The result of one query.
enum Lookup<T> {
    Found(T),
    NotFound,
    /// Not found in a list that may be truncated.
    NotFoundInPart,
}

impl spot::Spot<'_> {
    /// Finds out whether an order with an unknown outcome was placed, by its client order id,
    /// [`NewOrder::client_order_id`](crate::spot::NewOrder::client_order_id).
    ///
    /// Returns as soon as the order is found, or after 75 seconds if it is not, later if the client's
    /// clock is ahead: see the [module](crate::reconcile). Orders on isolated margin are found as well.
    ///
    /// ```no_run
    /// # async fn run(client: bitmart_rest::Client) -> Result<(), bitmart_rest::Error> {
    /// use bitmart_rest::reconcile::Reconciled;
    /// use bitmart_rest::{Outcome, spot};
    /// # use bitmart_types::dec;
    ///
    /// let order = spot::NewOrder::market_buy("BTC_USDT", dec!(100));
    /// let id = order.client_order_id().clone();
    /// match client.spot().submit_order(order).await {
    ///     Err(error) if error.outcome() == Outcome::Unknown => {
    ///         match client.spot().reconcile(&id).await? {
    ///             Reconciled::Placed(order) => println!("it is {}", order.state),
    ///             Reconciled::NotPlaced => println!("it never arrived"),
    ///             _ => {}
    ///         }
    ///     }
    ///     result => println!("order id {}", result?.order_id),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The queries failed until the end, or with an error that does not clear in time, such as a longer
    /// ban. Whether the order was placed is then still unknown.
    ///
    /// # Cancel safety
    /// Safe: it only reads.
    ///
    /// # Panics
    /// As [`Client::send`](crate::Client::send).
    pub async fn reconcile(&self, id: &ClientOrderId) -> Result<Reconciled<spot::Order>, Error> {
        let query = spot::QueryOrderByClientId::new(id.clone());
        settle(self.client, async || match self.order_by_client_id(query.clone()).await {
            Ok(order) => Ok(Lookup::Found(order)),
            Err(error) if error.code() == Some(NOT_FOUND) => Ok(Lookup::NotFound),
            Err(error) => Err(error),
        })
        .await
    }
}

impl futures::Futures<'_> {
    /// Finds out whether a futures order with an unknown outcome was placed, like
    /// [`spot::Spot::reconcile`].
    ///
    /// The exchange cannot query a futures order by its client order id, so this searches the open
    /// orders of the contract and then its order history of the last 7 days. The exchange lists at most
    /// 100 open orders: if that many are open, an order that is not among them is
    /// [`Unclear`](Reconciled::Unclear).
    ///
    /// # Errors
    /// The queries failed until the end, or with an error that does not clear in time, such as a longer
    /// ban. Whether the order was placed is then still unknown.
    ///
    /// # Cancel safety
    /// Safe: it only reads.
    ///
    /// # Panics
    /// As [`Client::send`](crate::Client::send).
    pub async fn reconcile(
        &self,
        symbol: impl Into<ContractSymbol>,
        id: &ClientOrderId,
    ) -> Result<Reconciled<futures::Order>, Error> {
        let symbol = symbol.into();
        settle(self.client, async || self.search(&symbol, id).await).await
    }

    async fn search(
        &self,
        symbol: &ContractSymbol,
        id: &ClientOrderId,
    ) -> Result<Lookup<futures::Order>, Error> {
        let matches = |order: &futures::Order| order.client_order_id.as_ref() == Some(id);
        let open = futures::ListOpenOrders::new().symbol(symbol.clone()).limit(OPEN_ROWS);
        let open = self.open_orders(open).await?;
        // A row that could not be decoded may be the order.
        let truncated = open.len() >= OPEN_ROWS as usize || !open.faults().is_empty();
        if let Some(order) = open.into_iter().find(matches) {
            return Ok(Lookup::Found(order));
        }
        // Queried second, so that an order that is filled in between is in one of the two lists.
        let now = self.client.now().as_millis();
        let history = futures::ListOrderHistory::new(symbol.clone())
            .client_order_id(id.clone())
            .start_time(Timestamp::from_millis(now.saturating_sub(SEARCHED_BACK)))
            .end_time(Timestamp::from_millis(now.saturating_add(60_000)));
        let history = match self.order_history(history).await {
            Err(error) if error.code().is_some_and(|code| FUTURES_NOT_FOUND.contains(&code)) => {
                Rows::default()
            }
            history => history?,
        };
        // The exchange may have ignored the filter by id.
        let truncated = truncated || history.len() >= HISTORY_ROWS || !history.faults().is_empty();
        Ok(match history.into_iter().find(matches) {
            Some(order) => Lookup::Found(order),
            None if truncated => Lookup::NotFoundInPart,
            None => Lookup::NotFound,
        })
    }
}

/// Queries until the order is found, or until it cannot be placed any more.
async fn settle<T>(
    client: &Client,
    find: impl AsyncFn() -> Result<Lookup<T>, Error>,
) -> Result<Reconciled<T>, Error> {
    // The order was signed before.
    let expiry = client.last_signature_time() + SETTLED_AFTER;
    let begin = Instant::now();
    let (mut settled, mut abandoned) = (begin + SETTLED_AFTER, begin + ABANDONED_AFTER);
    let mut pause = FIRST_PAUSE;
    loop {
        let sent = Instant::now();
        let attempt = async {
            // Read before the query: its response is proof only if it was sent late enough. By this
            // machine's time the order is not settled before, wherever the clocks stand.
            let mut left = settled.saturating_duration_since(sent);
            if left.is_zero() {
                left = left_until(client, expiry).await?;
            }
            Ok((left, find().await?))
        };
        match attempt.await {
            Ok((_, Lookup::Found(order))) => return Ok(Reconciled::Placed(order)),
            Ok((left, Lookup::NotFound)) if left.is_zero() => return Ok(Reconciled::NotPlaced),
            Ok((left, Lookup::NotFoundInPart)) if left.is_zero() => {
                return Ok(Reconciled::Unclear);
            }
            Ok((left, _)) if sent >= settled => {
                if left > MAX_CLOCK_LEAD {
                    return Ok(Reconciled::Unclear);
                }
                settled = sent + left;
                abandoned = settled + ABANDONED_AFTER.saturating_sub(SETTLED_AFTER);
            }
            Ok(_) => {}
            Err(error) if sent >= abandoned => return Err(error),
            Err(error) => match wait(&error) {
                Some(wait) if Instant::now() + wait <= abandoned => sleep(wait).await,
                _ => return Err(error),
            },
        }
        let left = settled.saturating_duration_since(Instant::now());
        let most = if left.is_zero() { MAX_PAUSE } else { left };
        sleep(pause.min(most)).await;
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

/// The time until `end` by the exchange's clock.
async fn left_until(client: &Client, end: Timestamp) -> Result<Duration, Error> {
    Ok(end.duration_since(client.system().time().await?.server_time))
}

/// How long to wait before the query is repeated; `None` for permanent errors.
fn wait(error: &Error) -> Option<Duration> {
    // Neither open nor finished, so the order may be in transit.
    if error.is_order_not_open() {
        return Some(Duration::ZERO);
    }
    error.retry_class().wait()
}
