//! What keeps connections from being made, for those who wait.

use tokio::sync::watch;

use super::Client;
use crate::dialect::{Access, Dialect};
use crate::reason::ReconnectReason;

/// A connection ended or could not be made, and will be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trouble {
    /// The dialect of the connection.
    pub dialect: Dialect,
    /// Public or private.
    pub access: Access,
    /// What happened. A refused handshake says how long the pause is.
    pub reason: ReconnectReason,
}

/// The way to tell of trouble.
pub(crate) type TroubleSender = watch::Sender<Option<Trouble>>;

/// The troubles of a client's connections from the moment on at which it was made:
/// [`Client::troubles`].
#[derive(Clone, Debug)]
pub struct Troubles(watch::Receiver<Option<Trouble>>);

impl Client {
    /// Shows why connections are lost or not made. A subscription says it by itself
    /// ([`Update::Reconnecting`](crate::Update::Reconnecting)) once there is one: this is for those
    /// whose [`subscribe`](Self::subscribe) is still waiting.
    ///
    /// ```no_run
    /// # async fn run(client: bitmart_ws::Client) -> Result<(), bitmart_ws::Error> {
    /// let mut troubles = client.troubles();
    /// let subscribing = client.subscribe(bitmart_ws::topic::spot::ticker("BTC_USDT"));
    /// let mut subscribing = std::pin::pin!(subscribing);
    /// let subscription = loop {
    ///     tokio::select! {
    ///         subscription = &mut subscribing => break subscription?,
    ///         Some(trouble) = troubles.next() => eprintln!("{}", trouble.reason),
    ///     }
    /// };
    /// # Ok(())
    /// # }
    /// ```
    pub fn troubles(&self) -> Troubles {
        Troubles(self.0.troubles.subscribe())
    }
}

impl Troubles {
    /// The next trouble. Of several since the last call the newest. `None` when the client and its
    /// connections are gone.
    ///
    /// # Cancel safety
    /// Safe: a trouble that was not given is given by the next call.
    pub async fn next(&mut self) -> Option<Trouble> {
        self.0.changed().await.ok()?;
        self.0.borrow_and_update().clone()
    }
}
