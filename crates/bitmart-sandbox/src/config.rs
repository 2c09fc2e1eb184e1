//! How a sandbox is set up: addresses, seed, markets, accounts and manners.

mod fund;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use rust_decimal::Decimal;

pub use self::fund::FundError;
use crate::{
    clock::{END_MS, FASTEST, Start},
    exchange::{
        AccountId,
        account::HISTORY,
        setup::{Customers, Funds, NewAccount, Setup},
    },
    keys::ApiKey,
    markets::{Contract, SpotPair, listed},
    recording::RecordedFrame,
    snapshot::Snapshot,
};

/// Makes the seed of the sub-account's key another one.
const SUB_ACCOUNT_KEY: u64 = 0x0073_7562;

/// How a sandbox is set up. Start from [`Config::new`] and change what the test needs.
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
    pub(crate) tls: bool,
    pub(crate) lenient: bool,
    pub(crate) rate_limits: bool,
    pub(crate) market_maker: bool,
    pub(crate) clock: Start,
    pub(crate) keys: Vec<ApiKey>,
    pub(crate) spot_funds: Vec<(String, Decimal)>,
    pub(crate) futures_funds: Vec<(String, Decimal)>,
    pub(crate) pairs: Vec<SpotPair>,
    pub(crate) contracts: Vec<Contract>,
    pub(crate) ws: WsManners,
    pub(crate) restored: Option<Snapshot>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) remembered: usize,
    pub(crate) slow_futures_books: bool,
    pub(crate) reasons_on_stderr: bool,
    pub(crate) replay: Vec<RecordedFrame>,
}

/// The times after which a socket is closed, and how much may wait in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WsManners {
    pub(crate) idle: Duration,
    pub(crate) spot_without_topic: Duration,
    pub(crate) futures_without_topic: Duration,
    pub(crate) queue: usize,
    /// Whether spot answers protocol pings and takes them for life.
    pub(crate) spot_pings: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl Config {
    /// Free ports on 127.0.0.1, plain TCP, seed 1, the machine's clock, 20 spot pairs, 10 contracts,
    /// a market maker, strict fields, limits on, one funded account with one key, and its empty
    /// sub-account with one.
    pub fn new() -> Self {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            seed: 1,
            spot_address: free,
            futures_address: free,
            admin_address: None,
            expose_admin: false,
            tls: false,
            lenient: false,
            rate_limits: true,
            market_maker: true,
            clock: Start::Machine,
            keys: Vec::new(),
            spot_funds: listed::spot_funds(),
            futures_funds: vec![("USDT".to_owned(), Decimal::from(100_000))],
            pairs: listed::pairs(),
            contracts: listed::contracts(),
            ws: WsManners {
                idle: Duration::from_secs(20),
                spot_without_topic: Duration::from_secs(300),
                futures_without_topic: Duration::from_secs(5),
                queue: 4096,
                spot_pings: true,
            },
            restored: None,
            data: None,
            remembered: HISTORY,
            slow_futures_books: false,
            reasons_on_stderr: false,
            replay: Vec::new(),
        }
    }

    /// Seed of everything random: market, default key. Same seed and same inputs give the same run.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Where the spot host listens. Port 0 picks a free one.
    #[must_use]
    pub fn spot_address(mut self, address: SocketAddr) -> Self {
        self.spot_address = address;
        self
    }

    /// Where the futures host listens. Port 0 picks a free one.
    #[must_use]
    pub fn futures_address(mut self, address: SocketAddr) -> Self {
        self.futures_address = address;
        self
    }

    /// Serves the admin API here, in plain HTTP. Whoever has its token
    /// ([`Sandbox::admin_token`](crate::Sandbox::admin_token), new at every start) controls the sandbox. Port
    /// 0 picks a free one. Without this there is none. Only loopback addresses are taken, unless
    /// [`expose_admin`](Self::expose_admin) is on.
    #[must_use]
    pub fn admin(mut self, address: SocketAddr) -> Self {
        self.admin_address = Some(address);
        self
    }

    /// Lets [`admin`](Self::admin) listen where other machines reach it: whoever has the token then controls
    /// the sandbox from there, and whoever sees the traffic has the token, because it is not encrypted.
    #[must_use]
    pub fn expose_admin(mut self, on: bool) -> Self {
        self.expose_admin = on;
        self
    }

    /// Serves https and wss with a certificate for `localhost`, `127.0.0.1` and `::1` made at start.
    /// Needs the feature `tls`, which is on by default.
    #[must_use]
    pub fn tls(mut self, on: bool) -> Self {
        self.tls = on;
        self
    }

    /// Ignores unknown request fields and cuts surplus decimals as the venue does, instead of refusing.
    #[must_use]
    pub fn lenient(mut self, on: bool) -> Self {
        self.lenient = on;
        self
    }

    /// Switches enforcement of rate limits on or off. The headers are sent either way.
    #[must_use]
    pub fn rate_limits(mut self, on: bool) -> Self {
        self.rate_limits = on;
        self
    }

    /// Switches the seeded market maker on or off. Without it the books start empty.
    #[must_use]
    pub fn market_maker(mut self, on: bool) -> Self {
        self.market_maker = on;
        self
    }

    /// A clock that stands at `start_ms` (milliseconds since 1970, at most the year 9999) and moves only when told:
    /// [`Sandbox::advance`](crate::Sandbox::advance) and [`Sandbox::step_market`](crate::Sandbox::step_market).
    #[must_use]
    pub fn stepped_clock(mut self, start_ms: u64) -> Self {
        self.clock = Start::Stepped { from_ms: start_ms.min(END_MS) };
        self
    }

    /// A clock that goes `speed` times as fast as the machine's, from 1 to 10,000, and starts at
    /// `start_ms`, milliseconds since 1970, or at the machine's time. What the venue does by the hour
    /// (funding, interest, withdrawals) then happens within minutes. Limits are counted by this clock,
    /// sockets are closed by the machine's. Signed requests may bear a timestamp of either.
    ///
    /// The market makes a beat every 100 ms of this clock, but at most a thousand a second.
    ///
    /// After [`Config::restore`] it starts where the snapshot stood, or at `start_ms` if that is later: an
    /// exchange whose clock was stepped then goes on by itself.
    #[must_use]
    pub fn fast_clock(mut self, start_ms: Option<u64>, speed: u32) -> Self {
        let reached = self.restored.as_ref().map(|snapshot| snapshot.parts().now_ms);
        let from_ms = start_ms.map(|start_ms| start_ms.min(END_MS)).or(reached);
        let clock = Start::Fast { from_ms, speed: speed.clamp(1, FASTEST) };
        self.clock = clock.no_earlier(reached.unwrap_or(0));
        self
    }

    /// The clock of the machine, which is what a new sandbox has. After [`Config::restore`] it makes an
    /// exchange whose clock was stepped go on by itself.
    #[must_use]
    pub fn machine_clock(mut self) -> Self {
        let reached = self.restored.as_ref().map(|snapshot| snapshot.parts().now_ms);
        self.clock = Start::Machine.no_earlier(reached.unwrap_or(0));
        self
    }

    /// Adds a key. The first one is what [`Sandbox::credentials`](crate::Sandbox::credentials) returns.
    #[must_use]
    pub fn api_key(mut self, key: ApiKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Sets the starting spot balance of every account in one currency, from 0 to 1e15.
    #[must_use]
    pub fn spot_balance(mut self, currency: &str, amount: Decimal) -> Self {
        set_balance(&mut self.spot_funds, currency, amount);
        self
    }

    /// Sets the starting futures balance of every account in one currency, from 0 to 1e15.
    #[must_use]
    pub fn futures_balance(mut self, currency: &str, amount: Decimal) -> Self {
        set_balance(&mut self.futures_funds, currency, amount);
        self
    }

    /// Replaces the spot pairs, [`SpotPair::listed`].
    #[must_use]
    pub fn pairs(mut self, pairs: impl Into<Vec<SpotPair>>) -> Self {
        self.pairs = pairs.into();
        self
    }

    /// Replaces the contracts, [`Contract::listed`].
    #[must_use]
    pub fn contracts(mut self, contracts: impl Into<Vec<Contract>>) -> Self {
        self.contracts = contracts.into();
        self
    }

    /// Closes a WebSocket that sent nothing for this long; protocol pings count. BitMart documents 20 s.
    #[must_use]
    pub fn socket_idle(mut self, idle: Duration) -> Self {
        self.ws.idle = idle;
        self
    }

    /// Closes a WebSocket that has no subscription for this long. BitMart documents 300 s on spot
    /// and 5 s on futures.
    #[must_use]
    pub fn socket_without_topic(mut self, spot: Duration, futures: Duration) -> Self {
        self.ws.spot_without_topic = spot;
        self.ws.futures_without_topic = futures;
        self
    }

    /// How many frames may wait for a slow reader before its socket is dropped; at least 1.
    #[must_use]
    pub fn socket_queue(mut self, frames: usize) -> Self {
        self.ws.queue = frames.max(1);
        self
    }

    /// Whether spot WebSockets answer protocol pings with a pong and take pings and pongs for a sign of
    /// life: on unless told. BitMart documents that its spot server does not support them, which leaves
    /// open what it does; RFC 6455 asks for a pong, and BitMart's own samples for Python live on them.
    /// Switched off they are met with silence, and a client that sends nothing else is closed as idle.
    /// Futures answer them in any case, as was observed.
    #[must_use]
    pub fn spot_protocol_pings(mut self, on: bool) -> Self {
        self.ws.spot_pings = on;
        self
    }

    /// Goes on from a snapshot instead of starting anew. Seed, markets and balances are then those of
    /// the snapshot, and a clock that was stepped stands where it stood; call this last, before
    /// [`Config::machine_clock`] or [`Config::fast_clock`] if at all. Addresses, manners and keys are as
    /// configured here, beside the keys that were made at run time.
    ///
    /// A clock that goes by itself starts no earlier than the snapshot.
    #[must_use]
    pub fn restore(mut self, snapshot: Snapshot) -> Self {
        let parts = snapshot.parts();
        self.seed = parts.seed;
        self.clock = if parts.stepped {
            Start::Stepped { from_ms: parts.now_ms }
        } else {
            self.clock.no_earlier(parts.now_ms)
        };
        self.restored = Some(snapshot);
        self
    }

    /// Keeps the state in a folder, which is made when it is not there: it survives a stop and a kill at
    /// any moment, and nothing that was answered is lost. Secrets of keys added at run time are in it.
    ///
    /// A folder with an exchange in it goes on as from [`Config::restore`]: seed, markets, balances and a
    /// stepped clock are those of the folder, whatever is configured here. One folder serves one sandbox at
    /// a time; [`Sandbox::shutdown`](crate::Sandbox::shutdown) frees it before it returns.
    #[must_use]
    pub fn data(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data = Some(folder.into());
        self
    }

    /// Finished orders that an account remembers in each market, 10,000 unless told, and for all accounts
    /// together ten times as many trades and as many flows of futures wallets. What is older is forgotten,
    /// so that a sandbox that runs for weeks does not grow.
    #[must_use]
    pub fn remembered_orders(mut self, orders: usize) -> Self {
        self.remembered = orders;
        self
    }

    /// Pushes books and best prices of futures every second, as was observed on the venue in 2026, and not
    /// every 200 ms, as is documented.
    #[must_use]
    pub fn slow_futures_books(mut self, on: bool) -> Self {
        self.slow_futures_books = on;
        self
    }

    /// Writes to standard error why a request, a login or a subscription was refused, where the sandbox
    /// knows more than the documented answer says: one line each, at most 20 in 10 s. The header
    /// `X-Sandbox-Reason` has the same in any case. Off unless told; the program `bitmart-sandbox` switches
    /// it on.
    #[must_use]
    pub fn reasons_on_stderr(mut self, on: bool) -> Self {
        self.reasons_on_stderr = on;
        self
    }

    /// Plays recorded frames on the public channels instead of those of the order-flow model, which then
    /// stands still: from the first subscription on, at the pace in which they were recorded by the clock
    /// of the exchange ([`Config::fast_clock`]). Who subscribes later first gets what a book or ticker
    /// needs to be whole. Topics that were not recorded stay silent, and market data over REST are not
    /// replayed: they are those of an exchange where nobody has traded yet. Entries are taken as they come,
    /// in the order of their times; private ones are left out.
    #[must_use]
    pub fn replay(mut self, entries: impl Into<Vec<RecordedFrame>>) -> Self {
        self.replay = entries.into();
        self.market_maker = false;
        self
    }

    /// What a new main account starts with.
    pub(crate) fn funds(&self) -> Funds {
        Funds { spot: self.spot_funds.clone(), futures: self.futures_funds.clone() }
    }

    /// What the exchange begins with.
    pub(crate) fn setup(&self) -> Setup {
        Setup {
            seed: self.seed,
            market_maker: self.market_maker,
            pairs: self.pairs.clone(),
            contracts: self.contracts.clone(),
            remembered: self.remembered,
            customers: self.customers(),
        }
    }

    /// The accounts that keys name.
    pub(crate) fn customers(&self) -> Customers {
        let account =
            |key: ApiKey| NewAccount { id: AccountId(key.account), main: key.main.map(AccountId) };
        let accounts = self.keys_or_default().into_iter().map(account).collect();
        Customers { accounts, funds: self.funds() }
    }

    /// The configured keys, or the two derived from the seed: of account 1 and of its sub-account 2.
    pub(crate) fn keys_or_default(&self) -> Vec<ApiKey> {
        if self.keys.is_empty() {
            let sub = ApiKey::from_seed(self.seed ^ SUB_ACCOUNT_KEY).sub_account(2, 1);
            vec![ApiKey::from_seed(self.seed), sub]
        } else {
            self.keys.clone()
        }
    }
}

fn set_balance(funds: &mut Vec<(String, Decimal)>, currency: &str, amount: Decimal) {
    let amount = amount.clamp(Decimal::ZERO, Decimal::from(1_000_000_000_000_000_u64));
    match funds.iter_mut().find(|row| row.0 == currency) {
        Some(row) => row.1 = amount,
        None => funds.push((currency.to_owned(), amount)),
    }
}
