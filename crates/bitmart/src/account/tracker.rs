//! An account on live connections.

use std::collections::VecDeque;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bitmart_rest::history::HistoryError;
use bitmart_types::{Currency, RowFault, Timestamp};
use bitmart_ws::ReconnectReason;

use super::lane::{Lane, Tools};
use super::{AccountState, Balance, Fill, Market, Order, Position, PositionKey};

/// What happened to an account, in the order in which it became known.
#[derive(Debug)]
#[non_exhaustive]
pub enum AccountEvent {
    /// An order is new or got further.
    Order(Order),
    /// A fill that was not counted before.
    Fill(Fill),
    /// A balance changed.
    Balance {
        /// The market that it is held on.
        market: Market,
        /// The currency.
        currency: Currency,
        /// The balance now.
        balance: Balance,
    },
    /// A position changed. In one-way mode it takes the place of one in the other direction.
    Position {
        /// Which position.
        key: PositionKey,
        /// The position now; closed when its size is 0.
        position: Position,
    },
    /// A position was closed while nobody listened.
    PositionClosed {
        /// Which position.
        key: PositionKey,
    },
    /// A stream of this market lost its connection. What happens now is not seen until
    /// [`CaughtUp`](Self::CaughtUp).
    Reconnecting {
        /// The market.
        market: Market,
        /// What ended the connection.
        reason: ReconnectReason,
    },
    /// Nothing has been heard from this market since then, not even the answer to a heartbeat.
    Stale {
        /// The market.
        market: Market,
        /// When something was heard last.
        since: Instant,
    },
    /// News came faster than it was read and some is missing; it is fetched before
    /// [`CaughtUp`](Self::CaughtUp).
    Overflowed {
        /// The market.
        market: Market,
    },
    /// A row of what REST told while catching up does not decode: an order, a fill, a balance or a
    /// position that the state lacks.
    Unreadable {
        /// The market.
        market: Market,
        /// The row as it came, and why.
        fault: RowFault,
    },
    /// The state of this market is whole, but for rows that were [unreadable](Self::Unreadable). What had been missed was given just before, as events of
    /// its own.
    CaughtUp(CatchUp),
    /// REST did not tell what was missed. The state may have gaps; it is tried again.
    CatchUpFailed {
        /// The market.
        market: Market,
        /// What went wrong.
        error: HistoryError,
        /// The pause before the next attempt.
        retry_in: Duration,
    },
}

/// What catching up with a market brought to light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CatchUp {
    /// The market.
    pub market: Market,
    /// The begin of the span that was looked through: half a minute before the last moment that is
    /// known to be whole. `None` the first time, when only what is open was asked for.
    pub since: Option<Timestamp>,
    /// Orders that were new or had got further.
    pub orders: usize,
    /// Fills that had not been counted.
    pub fills: usize,
}

/// Keeps an [`AccountState`] from private streams, and from REST where the streams have gaps.
///
/// After every connection it asks REST for what is open, for what was ordered and filled since, and
/// for balances and positions, and says what it found. Its clients decide deadlines, limits and
/// retries: give it a REST client that [retries reads](bitmart_rest::ClientBuilder::retry_reads).
///
/// ```no_run
/// use bitmart::account::{AccountEvent, AccountTracker};
/// use bitmart::{rest, ws};
///
/// # async fn run(rest: rest::Client, ws: ws::Client) -> Result<(), ws::Error> {
/// let mut account = AccountTracker::new(rest, ws).spot().futures(["USDT"]);
/// while let Some(event) = account.next().await {
///     match event? {
///         AccountEvent::Fill(fill) => println!("{} at {}", fill.size, fill.price),
///         AccountEvent::CaughtUp(found) => println!("whole again: {found:?}"),
///         other => println!("{other:?}"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct AccountTracker {
    rest: bitmart_rest::Client,
    ws: bitmart_ws::Client,
    lanes: Vec<Lane>,
    state: AccountState,
    events: VecDeque<AccountEvent>,
    ended: bool,
}

impl std::fmt::Debug for AccountTracker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountTracker").field("state", &self.state).finish_non_exhaustive()
    }
}

impl AccountTracker {
    /// A tracker of the account whose keys both clients hold. It follows no market yet.
    pub fn new(rest: bitmart_rest::Client, ws: bitmart_ws::Client) -> Self {
        Self {
            rest,
            ws,
            lanes: Vec::new(),
            state: AccountState::new(),
            events: VecDeque::new(),
            ended: false,
        }
    }

    /// Follows spot orders, fills and balances.
    #[must_use]
    pub fn spot(mut self) -> Self {
        self.lanes.push(Lane::new(Market::Spot, Vec::new()));
        self
    }

    /// Follows futures orders, fills and positions, and the balances of these currencies.
    #[must_use]
    pub fn futures<C: Into<Currency>>(mut self, currencies: impl IntoIterator<Item = C>) -> Self {
        let currencies = currencies.into_iter().map(Into::into).collect();
        self.lanes.push(Lane::new(Market::Futures, currencies));
        self
    }

    /// Starts from this state, such as one with another
    /// [number of finished orders](AccountState::keep_finished).
    #[must_use]
    pub fn with_state(mut self, state: AccountState) -> Self {
        self.state = state;
        self
    }

    /// What is known now.
    pub fn state(&self) -> &AccountState {
        &self.state
    }

    /// Whether the state of this market is whole: every stream is up and nothing is missing.
    pub fn is_in_step(&self, market: Market) -> bool {
        self.lanes.iter().any(|lane| lane.market() == market && lane.is_in_step())
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

    fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<AccountEvent, bitmart_ws::Error>>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            if self.ended || self.lanes.is_empty() {
                return Poll::Ready(None);
            }
            let Self { rest, ws, lanes, state, events, .. } = self;
            let mut tools = Tools { rest, ws, state, events };
            let mut busy = false;
            for lane in lanes {
                match lane.poll(context, &mut tools) {
                    Ok(did) => busy |= did,
                    Err(error) => {
                        self.ended = true;
                        return Poll::Ready(Some(Err(error)));
                    }
                }
            }
            if !busy {
                return Poll::Pending;
            }
        }
    }
}
