//! What became of an order whose outcome is unknown.
//!
//! # The whole story for a trader
//!
//! You send an order and the connection breaks, an answer is late, or a proxy answers in place of
//! the exchange. [`Outcome::Unknown`](crate::Outcome::Unknown) says that the order may or may not
//! exist. Sending it again could buy twice; forgetting it could leave an order in the book that
//! nobody watches.
//!
//! The way out is the client order id, which every order carries from the moment it is built. But
//! an answer of *not found* is not proof: the request may still be on its way, and the exchange
//! shows new orders with a delay. Only time settles that. The exchange refuses a signature that is
//! older than 60 seconds, so an order that is not there when that time has safely passed will never
//! be. `reconcile` does this waiting for you: it asks until the order is found, or until *not found*
//! is proof. A question that fails for a reason that may pass, such as a rate limit, maintenance or
//! a broken connection, is no answer: it is asked again, up to half a minute longer. What may pass
//! is what [`Error::retry_class`] says.
//!
//! While the exchange has banned you, nothing is asked. A ban that ends within these 105 seconds is
//! waited out; a longer one is returned at once as an error whose class,
//! [`RetryClass::Banned`](crate::RetryClass::Banned), says when it ends. The order is then still
//! unknown: call `reconcile` again at that time.
//!
//! Do not wait long before calling it: an order that was cancelled without a fill can be queried
//! for 20 minutes only.

use std::time::Duration;

use bitmart_types::{ClientOrderId, ContractSymbol, Rows, Timestamp};
use tokio::time::{Instant, sleep};

use crate::{Error, futures, spot};

/// The exchange takes a signature for 60 seconds; some more for clocks that differ and for orders
/// that show late.
const SETTLED_AFTER: Duration = Duration::from_secs(75);
/// When questions that still fail are given up.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(105);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Code of a spot order that is not found.
const NOT_FOUND: i64 = 50_005;

/// Codes of a futures order that is not found, when a list is asked for one.
const FUTURES_NOT_FOUND: [i64; 2] = [40_035, 40_037];

/// Most rows of the list of open futures orders, and of the history of futures orders.
const OPEN_ROWS: u32 = 100;
const HISTORY_ROWS: usize = 200;

/// How far back a futures order is looked for, in milliseconds: 7 days.
const LOOKED_BACK: i64 = 7 * 86_400_000;

/// What became of an order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reconciled<T> {
    /// The exchange has the order. Its state says how far it is; it may be filled or cancelled.
    Placed(T),
    /// The exchange does not have the order and will not take it any more. It is safe to place
    /// another one.
    NotPlaced,
    /// The order was not found, but the exchange does not list enough to be sure: there are as many
    /// open futures orders as it lists at most, or a row of its lists does not decode. Do not place the order again before you have looked:
    /// cancelling some others, or all of the contract, brings the rest to light.
    Unclear,
}

/// What one question told.
enum Found<T> {
    Order(T),
    Nothing,
    /// Nothing, in a list that may have been cut off.
    NothingInPart,
}

impl spot::Spot<'_> {
    /// Finds out what became of an order whose outcome is unknown. Call it with the client order id
    /// of the order, [`NewOrder::client_order_id`](crate::spot::NewOrder::client_order_id).
    ///
    /// Returns at once when the order is found, and after 75 seconds when it is not: see the
    /// [story](crate::reconcile). Orders on isolated margin are found as well.
    ///
    /// ```no_run
    /// # async fn run(client: bitmart_rest::Client) -> Result<(), bitmart_rest::Error> {
    /// use bitmart_rest::reconcile::Reconciled;
    /// use bitmart_rest::{Outcome, spot};
    /// # use bitmart_types::dec;
    ///
    /// let order = spot::NewOrder::market_buy("BTC_USDT", dec!(100));
    /// let id = order.client_order_id.clone();
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
    /// The queries fail until the end, or for a reason that does not pass in time, such as a longer
    /// ban. The order is then still unknown.
    ///
    /// # Cancel safety
    /// Safe: it only reads.
    ///
    /// # Panics
    /// As [`Client::send`](crate::Client::send).
    pub async fn reconcile(&self, id: &ClientOrderId) -> Result<Reconciled<spot::Order>, Error> {
        let query = spot::QueryOrderByClientId::new(id.clone());
        settle(async || match self.order_by_client_id(query.clone()).await {
            Ok(order) => Ok(Found::Order(order)),
            Err(error) if error.code() == Some(NOT_FOUND) => Ok(Found::Nothing),
            Err(error) => Err(error),
        })
        .await
    }
}

impl futures::Futures<'_> {
    /// Finds out what became of a futures order whose outcome is unknown: the twin of
    /// [`spot::Spot::reconcile`].
    ///
    /// The exchange finds no futures order by its client order id, so this looks through the open
    /// orders of the contract and then through its history of the last 7 days. The exchange lists
    /// 100 open orders at most: with so many open on the contract, an order that is not among them
    /// is [`Unclear`](Reconciled::Unclear).
    ///
    /// # Errors
    /// The queries fail until the end, or for a reason that does not pass in time, such as a longer
    /// ban. The order is then still unknown.
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
        settle(async || self.look_for(&symbol, id).await).await
    }

    async fn look_for(
        &self,
        symbol: &ContractSymbol,
        id: &ClientOrderId,
    ) -> Result<Found<futures::Order>, Error> {
        let is_it = |order: &futures::Order| order.client_order_id.as_ref() == Some(id);
        let open = futures::ListOpenOrders::new().symbol(symbol.clone()).limit(OPEN_ROWS);
        let open = self.open_orders(open).await?;
        // A row that does not decode may be the order.
        let cut_off = open.len() >= OPEN_ROWS as usize || !open.faults().is_empty();
        if let Some(order) = open.into_iter().find(is_it) {
            return Ok(Found::Order(order));
        }
        // Asked second, so that an order that is filled in between is in one of the two.
        let now = self.client.now().as_millis();
        let history = futures::ListOrderHistory::new(symbol.clone())
            .client_order_id(id.clone())
            .start_time(Timestamp::from_millis(now.saturating_sub(LOOKED_BACK)))
            .end_time(Timestamp::from_millis(now.saturating_add(60_000)));
        let history = match self.order_history(history).await {
            Err(error) if error.code().is_some_and(|code| FUTURES_NOT_FOUND.contains(&code)) => {
                Rows::default()
            }
            history => history?,
        };
        // The exchange may not have looked at the id.
        let cut_off = cut_off || history.len() >= HISTORY_ROWS || !history.faults().is_empty();
        Ok(match history.into_iter().find(is_it) {
            Some(order) => Found::Order(order),
            None if cut_off => Found::NothingInPart,
            None => Found::Nothing,
        })
    }
}

/// Asks until there is an order, or until there cannot be one any more.
async fn settle<T>(
    find: impl AsyncFn() -> Result<Found<T>, Error>,
) -> Result<Reconciled<T>, Error> {
    let begin = Instant::now();
    let (settled, given_up) = (begin + SETTLED_AFTER, begin + GIVEN_UP_AFTER);
    let mut pause = FIRST_PAUSE;
    loop {
        // The answer counts as proof only if the question was asked late enough.
        let asked = Instant::now();
        match find().await {
            Ok(Found::Order(order)) => return Ok(Reconciled::Placed(order)),
            Ok(Found::Nothing) if asked >= settled => return Ok(Reconciled::NotPlaced),
            Ok(Found::NothingInPart) if asked >= settled => return Ok(Reconciled::Unclear),
            Err(error) if asked >= given_up => return Err(error),
            Ok(_) => {}
            Err(error) => match wait(&error) {
                Some(wait) if Instant::now() + wait <= given_up => sleep(wait).await,
                _ => return Err(error),
            },
        }
        let left = settled.saturating_duration_since(Instant::now());
        let most = if left.is_zero() { LONGEST_PAUSE } else { left };
        sleep(pause.min(most)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// How long the same question has to wait; `None` when it was refused for what it is.
fn wait(error: &Error) -> Option<Duration> {
    // Found neither among open orders nor among finished ones, so it may be on its way.
    if error.is_order_not_open() {
        return Some(Duration::ZERO);
    }
    error.retry_class().wait()
}
