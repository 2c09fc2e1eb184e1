//! Connection problems, for callers that are still waiting for a subscription.

use tokio::sync::watch;

use super::Client;
use crate::dialect::{Access, Market};
use crate::reason::ReconnectReason;

/// A connection ended or could not be made, and will be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionProblem {
    /// The market of the connection.
    pub market: Market,
    /// Public or private.
    pub access: Access,
    /// What happened. For a rejected handshake it contains the delay before the next attempt.
    pub reason: ReconnectReason,
}

pub(crate) type ProblemSender = watch::Sender<Option<ConnectionProblem>>;

/// The problems of a client's connections since it was created by
/// [`Client::connection_problems`].
#[derive(Clone, Debug)]
pub struct ConnectionProblems(watch::Receiver<Option<ConnectionProblem>>);

impl Client {
    /// Reports why connections are lost or not made, while [`subscribe`](Self::subscribe) is still
    /// waiting. Afterwards the subscription reports it
    /// ([`Update::Reconnecting`](crate::Update::Reconnecting)).
    ///
    /// ```no_run
    /// # async fn run(client: bitmart_ws::Client) -> Result<(), bitmart_ws::Error> {
    /// let mut problems = client.connection_problems();
    /// let subscribing = client.subscribe(bitmart_ws::topic::spot::ticker("BTC_USDT"));
    /// let mut subscribing = std::pin::pin!(subscribing);
    /// let subscription = loop {
    ///     tokio::select! {
    ///         subscription = &mut subscribing => break subscription?,
    ///         Some(problem) = problems.next() => eprintln!("{}", problem.reason),
    ///     }
    /// };
    /// # Ok(())
    /// # }
    /// ```
    pub fn connection_problems(&self) -> ConnectionProblems {
        ConnectionProblems(self.0.problems.subscribe())
    }
}

impl ConnectionProblems {
    /// Returns the next problem; if there were several since the last call, the newest. `None` when
    /// the client and its connections are gone.
    ///
    /// # Cancel safety
    /// Cancel-safe: a problem that was not returned is returned by the next call.
    pub async fn next(&mut self) -> Option<ConnectionProblem> {
        self.0.changed().await.ok()?;
        self.0.borrow_and_update().clone()
    }
}
