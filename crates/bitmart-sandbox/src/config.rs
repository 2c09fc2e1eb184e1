//! The configuration of a sandbox: addresses, seed, markets, accounts and timeouts.

mod setup;
mod starting_balances;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use bitmart_sim::{Contract, SpotPair, account::DEFAULT_HISTORY_LIMIT, setup::StartingBalances};
use rust_decimal::Decimal;

pub use self::starting_balances::StartingBalancesError;
use crate::{
    clock::{ClockSetting, MAX_MS, MAX_SPEED},
    keys::ApiKey,
    recording::RecordedFrame,
    snapshot::Snapshot,
};

/// The configuration of a sandbox. Start from [`Config::new`] and change what the test needs.
///
/// ```
/// use bitmart_sandbox::{ApiKey, Config, Permission};
///
/// let config = Config::new()
///     .seed(7)
///     .stepped_clock(1_700_000_000_000)
///     .api_key(ApiKey::new("key", "secret", "memo").permissions([Permission::ReadOnly]));
/// ```
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "independent switches")]
pub struct Config {
    pub(crate) seed: u64,
    pub(crate) spot_address: SocketAddr,
    pub(crate) futures_address: SocketAddr,
    pub(crate) admin_address: Option<SocketAddr>,
    pub(crate) expose_admin: bool,
    pub(crate) console: bool,
    pub(crate) tls: bool,
    pub(crate) lenient: bool,
    pub(crate) rate_limits: bool,
    pub(crate) market_maker: bool,
    pub(crate) clock: ClockSetting,
    pub(crate) keys: Vec<ApiKey>,
    pub(crate) spot_funds: Vec<(String, Decimal)>,
    pub(crate) futures_funds: Vec<(String, Decimal)>,
    pub(crate) pairs: Vec<SpotPair>,
    pub(crate) contracts: Vec<Contract>,
    pub(crate) ws: SocketLimits,
    pub(crate) restored: Option<Snapshot>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) history_limit: usize,
    pub(crate) slow_futures_books: bool,
    pub(crate) reasons_on_stderr: bool,
    pub(crate) replay: Vec<RecordedFrame>,
}

/// The longest timeout, 100 years: an instant cannot be arbitrarily far in the future.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The timeouts of WebSockets, and the capacity of their queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SocketLimits {
    pub(crate) idle: Duration,
    pub(crate) spot_without_topic: Duration,
    pub(crate) futures_without_topic: Duration,
    /// Time until futures send a protocol ping, and between two of them.
    pub(crate) futures_ping: Duration,
    pub(crate) queue: usize,
    /// Whether spot answers protocol pings, and whether they keep a connection open.
    pub(crate) spot_pings: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl Config {
    /// The default: free ports on 127.0.0.1, plain TCP, seed 1, the machine's clock, 20 spot pairs, 10
    /// contracts, a market maker, strict fields, enforced rate limits, a funded account with a key, and an
    /// empty sub-account with a key.
    pub fn new() -> Self {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            seed: 1,
            spot_address: free,
            futures_address: free,
            admin_address: None,
            expose_admin: false,
            console: false,
            tls: false,
            lenient: false,
            rate_limits: true,
            market_maker: true,
            clock: ClockSetting::Machine,
            keys: Vec::new(),
            spot_funds: StartingBalances::default().spot,
            futures_funds: StartingBalances::default().futures,
            pairs: SpotPair::listed(),
            contracts: Contract::listed(),
            ws: SocketLimits {
                idle: Duration::from_secs(20),
                spot_without_topic: Duration::from_secs(300),
                futures_without_topic: Duration::from_secs(5),
                futures_ping: Duration::from_secs(54),
                queue: 4096,
                spot_pings: true,
            },
            restored: None,
            data: None,
            history_limit: DEFAULT_HISTORY_LIMIT,
            slow_futures_books: false,
            reasons_on_stderr: false,
            replay: Vec::new(),
        }
    }

    /// Sets the seed of the market and of the default key. Equal seeds and inputs give equal runs.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the address of the spot host. Port 0 selects a free port.
    #[must_use]
    pub fn spot_address(mut self, address: SocketAddr) -> Self {
        self.spot_address = address;
        self
    }

    /// Sets the address of the futures host. Port 0 selects a free port.
    #[must_use]
    pub fn futures_address(mut self, address: SocketAddr) -> Self {
        self.futures_address = address;
        self
    }

    /// Serves the admin API at this address over plain HTTP; by default there is none. Whoever has its token
    /// ([`Sandbox::admin_token`](crate::Sandbox::admin_token), new at every start) controls the sandbox. Port
    /// 0 selects a free port. Only loopback addresses are accepted, unless
    /// [`expose_admin`](Self::expose_admin) is on.
    #[must_use]
    pub fn admin(mut self, address: SocketAddr) -> Self {
        self.admin_address = Some(address);
        self
    }

    /// Allows an [`admin`](Self::admin) address that other machines can reach. The traffic is not encrypted, so
    /// whoever sees it has the token and controls the sandbox.
    #[must_use]
    pub fn expose_admin(mut self, on: bool) -> Self {
        self.expose_admin = on;
        self
    }

    /// Serves the console at `/console` of the [`admin`](Self::admin) address: a page that shows requests, frames,
    /// accounts and markets, and injects faults. [`Sandbox::console_login_url`](crate::Sandbox::console_login_url) opens it. The
    /// sandbox then records the latest requests and frames, without keys and signatures, in at most 64 MiB.
    #[cfg(feature = "console")]
    #[must_use]
    pub fn console(mut self, on: bool) -> Self {
        self.console = on;
        self
    }

    /// Serves https and wss with a certificate for `localhost`, `127.0.0.1` and `::1` that is
    /// generated at the start. Needs the feature `tls`, which is on by default.
    #[must_use]
    pub fn tls(mut self, on: bool) -> Self {
        self.tls = on;
        self
    }

    /// Ignores unknown request fields and truncates surplus decimals as the exchange does, instead of
    /// rejecting them.
    #[must_use]
    pub fn lenient(mut self, on: bool) -> Self {
        self.lenient = on;
        self
    }

    /// Enables or disables enforcement of rate limits. The headers are sent in both cases.
    #[must_use]
    pub fn rate_limits(mut self, on: bool) -> Self {
        self.rate_limits = on;
        self
    }

    /// Enables or disables the seeded market maker. Without it the order books start empty.
    #[must_use]
    pub fn market_maker(mut self, on: bool) -> Self {
        self.market_maker = on;
        self
    }

    /// Uses a stepped clock that stands at `start_ms` (milliseconds since 1970, at most the year 9999). It moves only
    /// by [`Sandbox::advance`](crate::Sandbox::advance) and
    /// [`Sandbox::step_market`](crate::Sandbox::step_market).
    #[must_use]
    pub fn stepped_clock(mut self, start_ms: u64) -> Self {
        self.clock = ClockSetting::Stepped { from_ms: start_ms.min(MAX_MS) };
        self
    }

    /// Uses a clock that runs `speed` times as fast as the machine's, from 1 to 10,000. It starts at `start_ms`,
    /// in milliseconds since 1970, or at the machine's time. Hourly events such as funding, interest and
    /// withdrawals then happen within minutes. Rate limits use this clock, timeouts of WebSockets the
    /// machine's. Signed requests may have a timestamp of either clock.
    ///
    /// The market advances every 100 ms of this clock, but at most a thousand times a second.
    ///
    /// After [`Config::restore`] it starts at the time of the snapshot, or at `start_ms` if that is later. A
    /// stepped clock is then running.
    #[must_use]
    pub fn fast_clock(mut self, start_ms: Option<u64>, speed: u32) -> Self {
        let reached = self.restored.as_ref().map(|snapshot| snapshot.parts().now_ms);
        let from_ms = start_ms.map(|start_ms| start_ms.min(MAX_MS)).or(reached);
        let clock = ClockSetting::Fast { from_ms, speed: speed.clamp(1, MAX_SPEED) };
        self.clock = clock.not_before(reached.unwrap_or(0));
        self
    }

    /// Uses the clock of the machine, the default. After [`Config::restore`] a stepped clock is then running.
    #[must_use]
    pub fn machine_clock(mut self) -> Self {
        let reached = self.restored.as_ref().map(|snapshot| snapshot.parts().now_ms);
        self.clock = ClockSetting::Machine.not_before(reached.unwrap_or(0));
        self
    }

    /// Adds a key. [`Sandbox::credentials`](crate::Sandbox::credentials) returns the first one.
    #[must_use]
    pub fn api_key(mut self, key: ApiKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Sets the initial spot balance of every main account in one currency. An amount below 0 or above 1e15 is replaced
    /// by that limit.
    #[must_use]
    pub fn spot_balance(mut self, currency: &str, amount: Decimal) -> Self {
        set_balance(&mut self.spot_funds, currency, amount);
        self
    }

    /// Sets the initial futures balance of every main account in one currency. An amount below 0 or above 1e15 is
    /// replaced by that limit.
    #[must_use]
    pub fn futures_balance(mut self, currency: &str, amount: Decimal) -> Self {
        set_balance(&mut self.futures_funds, currency, amount);
        self
    }

    /// Replaces the spot pairs; the default is [`SpotPair::listed`].
    #[must_use]
    pub fn pairs(mut self, pairs: impl Into<Vec<SpotPair>>) -> Self {
        self.pairs = pairs.into();
        self
    }

    /// Replaces the contracts; the default is [`Contract::listed`].
    #[must_use]
    pub fn contracts(mut self, contracts: impl Into<Vec<Contract>>) -> Self {
        self.contracts = contracts.into();
        self
    }

    /// Sets the idle timeout of WebSockets. Protocol pings count as traffic. BitMart documents 20 s.
    #[must_use]
    pub fn socket_idle(mut self, idle: Duration) -> Self {
        self.ws.idle = idle.min(LONGEST_TIMEOUT);
        self
    }

    /// Sets the timeout of WebSockets without a subscription. BitMart documents 300 s on spot and 5 s on
    /// futures.
    #[must_use]
    pub fn socket_without_topic(mut self, spot: Duration, futures: Duration) -> Self {
        self.ws.spot_without_topic = spot.min(LONGEST_TIMEOUT);
        self.ws.futures_without_topic = futures.min(LONGEST_TIMEOUT);
        self
    }

    /// Sets the time until the server sends a protocol ping on a WebSocket of futures, and between two of them: 54 s by
    /// default, as observed.
    #[must_use]
    pub fn futures_socket_ping(mut self, every: Duration) -> Self {
        self.ws.futures_ping = every.clamp(Duration::from_millis(1), LONGEST_TIMEOUT);
        self
    }

    /// Sets the capacity of the frame queue of a WebSocket, at least 1. One command may exceed it. A reader that has
    /// not caught up before as many further frames is too slow, and is disconnected.
    #[must_use]
    pub fn socket_queue(mut self, frames: usize) -> Self {
        self.ws.queue = frames.max(1);
        self
    }

    /// Sets whether spot WebSockets answer protocol pings and count pings and pongs as traffic; on by
    /// default. BitMart documents that its spot server does not support them, but not what it does instead.
    /// RFC 6455 requires a pong, and BitMart's Python samples rely on it. If this is off, protocol pings are
    /// ignored, and a client that sends nothing else is disconnected as idle. Futures always answer them, as
    /// observed.
    #[must_use]
    pub fn spot_protocol_pings(mut self, on: bool) -> Self {
        self.ws.spot_pings = on;
        self
    }

    /// Continues from a snapshot. Seed, markets, balances and a stepped clock are those of the snapshot.
    /// Addresses, timeouts and keys are those of this configuration, plus the keys created at run time. Call
    /// this last, except for [`Config::machine_clock`] and [`Config::fast_clock`].
    ///
    /// A running clock starts no earlier than the snapshot.
    #[must_use]
    pub fn restore(mut self, snapshot: Snapshot) -> Self {
        let parts = snapshot.parts();
        self.seed = parts.seed;
        self.clock = if parts.stepped {
            ClockSetting::Stepped { from_ms: parts.now_ms }
        } else {
            self.clock.not_before(parts.now_ms)
        };
        self.restored = Some(snapshot);
        self
    }

    /// Saves the state in a folder, which is created if it is missing. It survives a stop and a kill at any
    /// moment, and no acknowledged change is lost. The folder contains the secrets of keys added at run time.
    ///
    /// A folder with an exchange is continued as with [`Config::restore`]: its seed, markets, balances and
    /// stepped clock override this configuration. Only one sandbox at a time can use a folder;
    /// [`Sandbox::shutdown`](crate::Sandbox::shutdown) releases it before it returns.
    #[must_use]
    pub fn data(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data = Some(folder.into());
        self
    }

    /// Sets the maximum number of finished orders per account and market, 10,000 by default, and that of the finished
    /// loans, of the finished deposits and withdrawals, and of the request numbers of an account. Ten times as many
    /// trades, transactions of futures wallets, transfers, repayments and records of savings are stored for all
    /// accounts together. Older entries are removed, so that a sandbox that runs for weeks does not grow.
    #[must_use]
    pub fn history_limit(mut self, orders: usize) -> Self {
        self.history_limit = orders;
        self
    }

    /// Pushes order books and best prices of futures every second, as observed at the exchange in 2026, instead
    /// of every 200 ms, as documented.
    #[must_use]
    pub fn slow_futures_books(mut self, on: bool) -> Self {
        self.slow_futures_books = on;
        self
    }

    /// Writes to standard error why a request, a login or a subscription was rejected, if the sandbox knows
    /// more than the documented response contains: one line each, at most 20 in 10 s. The header
    /// `X-Sandbox-Reason` always has the same text. Off by default; the program `bitmart-sandbox` enables it.
    #[must_use]
    pub fn reasons_on_stderr(mut self, on: bool) -> Self {
        self.reasons_on_stderr = on;
        self
    }

    /// Plays recorded frames on the public channels instead of the market model. The replay starts at the first
    /// subscription and keeps the recorded pace by the clock of the sandbox ([`Config::fast_clock`]). Later
    /// subscribers first receive the frames that complete a book or ticker. Topics that were not recorded send nothing,
    /// and REST returns market data without trades. Frames are played in the order of
    /// their times; private ones are ignored.
    #[must_use]
    pub fn replay(mut self, frames: impl Into<Vec<RecordedFrame>>) -> Self {
        self.replay = frames.into();
        self.market_maker = false;
        self
    }
}

fn set_balance(funds: &mut Vec<(String, Decimal)>, currency: &str, amount: Decimal) {
    let amount = amount.clamp(Decimal::ZERO, Decimal::from(1_000_000_000_000_000_u64));
    match funds.iter_mut().find(|row| row.0 == currency) {
        Some(row) => row.1 = amount,
        None => funds.push((currency.to_owned(), amount)),
    }
}
