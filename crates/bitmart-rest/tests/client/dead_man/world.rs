//! An exchange of a few lines inside a transport: orders, timers that cancel them, and requests
//! that get lost, late or refused. Its time is tokio's.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bitmart_rest::auth::Credentials;
use bitmart_rest::transport::{Body, Transport, TransportFuture};
use bitmart_rest::{Client, LimitPolicy, Limiter, TransportError, TransportErrorKind};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::mock::{NOW, Off};

pub(crate) const CONTRACT: &str = "BTCUSDT";
pub(crate) const OTHER: &str = "ETHUSDT";
pub(crate) const PAIR: &str = "BTC_USDT";

pub(crate) const CANCEL_AFTER: &str = "/contract/private/cancel-all-after";
pub(crate) const CANCEL_FUTURES: &str = "/contract/private/cancel-orders";
pub(crate) const CANCEL_SPOT: &str = "/spot/v4/cancel_all";
pub(crate) const OPEN_SPOT: &str = "/spot/v4/query/open-orders";

/// What happens to a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    /// It takes so many milliseconds to arrive and as many back.
    Fine(u64),
    /// It is lost, and the connection breaks.
    Lost,
    /// It arrives after so many milliseconds; the response is lost at once.
    Unanswered(u64),
    /// The exchange is in maintenance.
    Maintenance,
    /// The connection is refused: nothing was sent.
    NoConnection,
    /// The exchange refuses for good.
    Forbidden,
}

#[derive(Default)]
struct State {
    /// Ids of the open orders of a symbol.
    orders: BTreeMap<String, Vec<u64>>,
    /// When the timer of a contract runs out.
    timers: BTreeMap<String, Instant>,
    last_id: u64,
    /// What happens to the next requests, and to all others.
    fates: VecDeque<Fate>,
    usual: Option<Fate>,
    /// The same for one path only; comes first.
    aimed: BTreeMap<&'static str, VecDeque<Fate>>,
    /// Placed when the next request to cancel has been processed.
    latecomer: Option<&'static str>,
    sent: Vec<(Instant, String)>,
}

#[derive(Clone)]
pub(crate) struct World {
    state: Arc<Mutex<State>>,
    start: Instant,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { state: Arc::default(), start: Instant::now() }
    }

    pub(crate) fn client(&self) -> Client {
        Client::builder()
            .credentials(Credentials::new("key", "secret", "memo").unwrap())
            .clock(Off { start: self.start, by: 0 })
            .limiter(Limiter::new(LimitPolicy::Off))
            .transport(self.clone())
            .build()
            .unwrap()
    }

    pub(crate) fn place(&self, symbol: &str) {
        self.with(|state| state.place(symbol));
    }

    pub(crate) fn open(&self, symbol: &str) -> usize {
        self.with(|state| state.orders.get(symbol).map_or(0, Vec::len))
    }

    /// How long the timer of the contract still runs.
    pub(crate) fn timer(&self, symbol: &str) -> Option<Duration> {
        let now = Instant::now();
        self.with(|state| state.timers.get(symbol).map(|end| *end - now))
    }

    /// What happens to the next requests.
    pub(crate) fn next(&self, fates: &[Fate]) {
        self.with(|state| state.fates.extend(fates));
    }

    /// What happens to the next requests to this path.
    pub(crate) fn next_on(&self, path: &'static str, fates: &[Fate]) {
        self.with(|state| state.aimed.entry(path).or_default().extend(fates));
    }

    /// What happens to all others; `None` for the best.
    pub(crate) fn usual(&self, fate: Option<Fate>) {
        self.with(|state| state.usual = fate);
    }

    pub(crate) fn place_after_cancelling(&self, symbol: &'static str) {
        self.with(|state| state.latecomer = Some(symbol));
    }

    /// When requests to this path were sent.
    pub(crate) fn sent(&self, path: &str) -> Vec<Instant> {
        self.with(|state| {
            state.sent.iter().filter(|(_, to)| to == path).map(|(at, _)| *at).collect()
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap();
        state.pass_time();
        change(&mut state)
    }

    /// The exchange's time in whole seconds.
    fn seconds(&self, at: Instant) -> i64 {
        NOW / 1_000 + i64::try_from((at - self.start).as_secs()).unwrap()
    }

    fn process(&self, path: &str, parameters: &Value) -> Value {
        let symbol = parameters["symbol"].as_str().unwrap_or_default().to_owned();
        let now = Instant::now();
        let data = self.with(|state| match path {
            CANCEL_AFTER => {
                let seconds = parameters["timeout"].as_u64().unwrap();
                if seconds == 0 {
                    state.timers.remove(&symbol);
                    return json!({ "result": true, "set_time": self.seconds(now), "cancel_time": 0 });
                }
                // The worst that fits the response: it counts from the beginning of the second.
                let whole = Duration::from_secs((now - self.start).as_secs() + seconds);
                state.timers.insert(symbol, self.start + whole);
                let set_time = self.seconds(now);
                let cancel_time = set_time + i64::try_from(seconds).unwrap();
                json!({ "result": true, "set_time": set_time, "cancel_time": cancel_time })
            }
            CANCEL_FUTURES | CANCEL_SPOT => {
                state.cancel(&symbol);
                if let Some(symbol) = state.latecomer.take() {
                    state.place(symbol);
                }
                json!({})
            }
            OPEN_SPOT => state.list(&symbol, |id, symbol| {
                json!({ "orderId": id, "symbol": symbol, "side": "buy", "state": "new",
                    "filledSize": "0" })
            }),
            _ => state.list(&symbol, |id, symbol| {
                json!({ "order_id": id, "symbol": symbol, "side": 1, "state": 2, "size": "1",
                    "deal_size": "0" })
            }),
        });
        json!({ "code": 1000, "message": "Ok", "trace": "t", "data": data })
    }
}

impl State {
    fn place(&mut self, symbol: &str) {
        self.last_id += 1;
        self.orders.entry(symbol.to_owned()).or_default().push(self.last_id);
    }

    fn cancel(&mut self, symbol: &str) {
        if symbol.is_empty() {
            self.orders.retain(|symbol, _| !symbol.contains('_'));
        } else {
            self.orders.remove(symbol);
        }
    }

    fn list(&self, symbol: &str, row: impl Fn(String, &str) -> Value) -> Value {
        let rows = self.orders.iter().filter(|(of, _)| symbol.is_empty() || *of == symbol);
        rows.flat_map(|(of, ids)| ids.iter().map(|id| row(id.to_string(), of))).collect()
    }

    fn pass_time(&mut self) {
        let now = Instant::now();
        let over: Vec<_> =
            self.timers.iter().filter(|(_, end)| **end <= now).map(|(of, _)| of.clone()).collect();
        for symbol in over {
            self.timers.remove(&symbol);
            self.orders.remove(&symbol);
        }
    }

    fn fate(&mut self, path: &str) -> Fate {
        let aimed = self.aimed.get_mut(path).and_then(VecDeque::pop_front);
        aimed.or_else(|| self.fates.pop_front()).or(self.usual).unwrap_or(Fate::Fine(20))
    }
}

impl Transport for World {
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        let path = request.uri().path().to_owned();
        let parameters = if request.method() == http::Method::GET {
            let query = request.uri().query().unwrap_or_default();
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.map(|(name, value)| (name.to_owned(), json!(value))).collect()
        } else {
            serde_json::from_slice(request.body()).unwrap()
        };
        let fate = self.with(|state| {
            state.sent.push((Instant::now(), path.clone()));
            state.fate(&path)
        });
        let lost = || TransportError::maybe_sent(TransportErrorKind::Interrupted);
        let world = self.clone();
        Box::pin(async move {
            let (status, body) = match fate {
                Fate::Fine(millis) => {
                    sleep(Duration::from_millis(millis)).await;
                    let response = world.process(&path, &parameters);
                    sleep(Duration::from_millis(millis)).await;
                    (200, response)
                }
                Fate::Lost => return Err(lost()),
                Fate::Unanswered(millis) => {
                    tokio::spawn(async move {
                        sleep(Duration::from_millis(millis)).await;
                        world.process(&path, &parameters);
                    });
                    return Err(lost());
                }
                Fate::NoConnection => {
                    return Err(TransportError::not_sent(TransportErrorKind::Connect));
                }
                Fate::Maintenance => {
                    (200, json!({ "code": 30016, "message": "Service maintenance", "trace": "t" }))
                }
                Fate::Forbidden => {
                    (403, json!({ "code": 30002, "message": "X-BM-KEY not found", "trace": "t" }))
                }
            };
            let body = Body::from(Bytes::from(body.to_string()));
            Ok(http::Response::builder().status(status).body(body).unwrap())
        })
    }
}
