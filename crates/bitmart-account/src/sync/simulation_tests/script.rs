//! Actions of a script, which a simulation plays, and events that follow from them. All times and durations are in
//! milliseconds.

use super::connection::Frame;
use super::exchange_model::{FetchEnd, Rows};

/// Time without traffic after which a connection counts as lost.
pub(super) const IDLE_TIMEOUT: i64 = 20_000;
pub(super) const PING_INTERVAL: i64 = 10_000;
/// Time to open the streams.
pub(super) const OPEN_DURATION: i64 = 30;
/// Duration of a fetch, unless the script sets it.
pub(super) const FETCH_DURATION: i64 = 50;
/// Duration of every second audit; the others take [`FETCH_DURATION`].
pub(super) const LONG_AUDIT: i64 = 30_000;
/// Time after the script for the tracker to become live again.
pub(super) const SETTLE_TIME: i64 = 300_000;

#[derive(Clone, Debug)]
pub(super) enum Action {
    /// A fill. Values are percentages of what the simulated exchange has as maximum push delay, history lag and clock
    /// skew. The skew is added to the constant offset of the exchange's clock.
    Fill { push_delay: i64, history_lag: i64, clock_skew: i64 },
    /// So many fills at once.
    Fills(u32),
    /// An order is placed. Values are percentages of the same maxima.
    PlaceOrder { push_delay: i64, history_lag: i64 },
    /// The oldest open order is canceled. Values are percentages of the same maxima.
    CancelOrder { push_delay: i64, history_lag: i64 },
    /// The balance changes. The value is a percentage of the maximum push delay.
    ChangeBalance { push_delay: i64 },
    /// The connection is lost; a silent loss is detected by timeout. `downtime` later it is connected again.
    Disconnect { silent: bool, downtime: i64 },
    /// The next frame with data is malformed.
    MalformNext,
    /// The next frame with data is sent twice.
    DuplicateNext,
    /// The consumer does not read for this time.
    PauseConsumer(i64),
    /// The connection does not run for this time: frames wait in the socket.
    StallConnection(i64),
    /// Sets how the next fetch ends. `history_lag` is how old its balance is, in percent of the maximum history lag.
    NextFetch { duration: i64, fails: bool, history_lag: i64 },
    /// The clock of the REST client is set ahead by this time, or back.
    StepClock(i64),
    /// The user requests an audit.
    Audit,
}

/// A scheduled event.
#[derive(Debug)]
pub(super) enum Event {
    /// The script action with this index.
    Action(usize),
    Frame {
        /// `None` for the connection that exists when the frame arrives.
        connection: Option<u32>,
        frame: Frame,
    },
    IdleTimeout {
        connection: u32,
    },
    Connected {
        connection: u32,
    },
    Ping {
        connection: u32,
    },
    Opened,
    Response(Response),
    Timer,
    Resume,
}

/// A response to a request of the tracker.
#[derive(Debug)]
pub(super) enum Response {
    Page { id: u64, rows: Rows },
    Fetched { id: u64, end: FetchEnd },
    Failed { id: u64 },
    Audited { id: u64, rows: Vec<(usize, i64)> },
}

/// The time range of an audit, and when it was requested.
pub(super) struct AuditRequest {
    pub(super) from: i64,
    pub(super) until: i64,
    pub(super) requested: i64,
}
