//! A simulated exchange as a transport: orders, timers that cancel them, and requests that are lost,
//! delayed or rejected. It uses tokio's clock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bitmart_rest::Client;
use bitmart_rest::auth::Credentials;
use bitmart_rest::limit::{LimitPolicy, Limiter};
use bitmart_rest::transport::{Body, Transport, TransportFuture};
use bitmart_rest::transport::{TransportError, TransportErrorKind};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::mock::{OffsetClock, START_MILLIS};

pub(crate) const CONTRACT: &str = "BTCUSDT";
pub(crate) const OTHER: &str = "ETHUSDT";
pub(crate) const PAIR: &str = "BTC_USDT";

pub(crate) const CANCEL_AFTER: &str = "/contract/private/cancel-all-after";
pub(crate) const CANCEL_FUTURES: &str = "/contract/private/cancel-orders";
pub(crate) const CANCEL_SPOT: &str = "/spot/v4/cancel_all";
pub(crate) const OPEN_SPOT: &str = "/spot/v4/query/open-orders";

/// How a request is delivered and answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Delivery {
    /// Takes so many milliseconds in each direction.
    Delayed(u64),
    /// The request is lost and the connection breaks.
    Lost,
    /// The connection breaks at once; the request is processed after so many milliseconds.
    ResponseLost(u64),
    /// The exchange is in maintenance.
    Maintenance,
    /// The connection is refused, so the request is not sent.
    NoConnection,
    /// The exchange rejects the key.
    Forbidden,
}

#[derive(Default)]
struct State {
    /// Ids of the open orders, by symbol.
    orders: BTreeMap<String, Vec<u64>>,
    /// Orders that were placed more than a week ago.
    old: BTreeSet<u64>,
    /// When the timer of a contract expires.
    timers: BTreeMap<String, Instant>,
    last_id: u64,
    /// Deliveries of the next requests.
    deliveries: VecDeque<Delivery>,
    /// The delivery of all other requests.
    default: Option<Delivery>,
    /// Deliveries of the next requests to a path; take precedence.
    by_path: BTreeMap<&'static str, VecDeque<Delivery>>,
    /// The symbol of an order to place after the next request to cancel.
    placed_after_cancel: Option<&'static str>,
    /// When each request was sent, and to which path.
    sent: Vec<(Instant, String)>,
}

#[derive(Clone)]
pub(crate) struct SimulatedExchange {
    state: Arc<Mutex<State>>,
    start: Instant,
}

impl SimulatedExchange {
    pub(crate) fn new() -> Self {
        Self { state: Arc::default(), start: Instant::now() }
    }

    pub(crate) fn client(&self) -> Client {
        Client::builder()
            .credentials(Credentials::new("key", "secret", "memo").unwrap())
            .clock(OffsetClock { start: self.start, offset_millis: 0 })
            .limiter(Limiter::new(LimitPolicy::Off))
            .transport(self.clone())
            .build()
            .unwrap()
    }

    pub(crate) fn place(&self, symbol: &str) {
        self.with(|state| state.place(symbol));
    }

    /// Places an order that the exchange lists only with a time range.
    pub(crate) fn place_last_month(&self, symbol: &str) {
        self.with(|state| {
            state.place(symbol);
            state.old.insert(state.last_id);
        });
    }

    /// The number of open orders of the symbol.
    pub(crate) fn open(&self, symbol: &str) -> usize {
        self.with(|state| state.orders.get(symbol).map_or(0, Vec::len))
    }

    /// The remaining time of the contract's timer.
    pub(crate) fn timer(&self, symbol: &str) -> Option<Duration> {
        let now = Instant::now();
        self.with(|state| state.timers.get(symbol).map(|end| *end - now))
    }

    /// Queues the deliveries of the next requests.
    pub(crate) fn enqueue(&self, deliveries: &[Delivery]) {
        self.with(|state| state.deliveries.extend(deliveries));
    }

    /// Queues the deliveries of the next requests to `path`.
    pub(crate) fn enqueue_for(&self, path: &'static str, deliveries: &[Delivery]) {
        self.with(|state| state.by_path.entry(path).or_default().extend(deliveries));
    }

    /// Sets the delivery of all other requests; `None` for a short delay.
    pub(crate) fn set_default(&self, delivery: Option<Delivery>) {
        self.with(|state| state.default = delivery);
    }

    /// Places an order after the next request to cancel.
    pub(crate) fn place_after_cancel(&self, symbol: &'static str) {
        self.with(|state| state.placed_after_cancel = Some(symbol));
    }

    /// When requests to this path were sent.
    pub(crate) fn sent(&self, path: &str) -> Vec<Instant> {
        self.with(|state| {
            state.sent.iter().filter(|(_, to)| to == path).map(|(at, _)| *at).collect()
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap();
        state.expire_timers();
        change(&mut state)
    }

    /// The exchange's time in whole seconds.
    fn seconds(&self, at: Instant) -> i64 {
        START_MILLIS / 1_000 + i64::try_from((at - self.start).as_secs()).unwrap()
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
                // The worst case that is consistent with the response: counted from the start of the second.
                let whole = Duration::from_secs((now - self.start).as_secs() + seconds);
                state.timers.insert(symbol, self.start + whole);
                let set_time = self.seconds(now);
                let cancel_time = set_time + i64::try_from(seconds).unwrap();
                json!({ "result": true, "set_time": set_time, "cancel_time": cancel_time })
            }
            CANCEL_FUTURES | CANCEL_SPOT => {
                state.cancel(&symbol);
                if let Some(symbol) = state.placed_after_cancel.take() {
                    state.place(symbol);
                }
                json!({})
            }
            OPEN_SPOT => state.list(&symbol, Some(parameters["startTime"].is_number()), |id, symbol| {
                json!({ "orderId": id, "symbol": symbol, "side": "buy", "state": "new",
                    "filledSize": "0" })
            }),
            _ => state.list(&symbol, None, |id, symbol| {
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

    /// The open orders of a symbol; only the old ones or only the others if `old` is given.
    fn list(&self, symbol: &str, old: Option<bool>, row: impl Fn(String, &str) -> Value) -> Value {
        let listed = |id: &&u64| old.is_none_or(|old| self.old.contains(id) == old);
        let rows = self.orders.iter().filter(|(of, _)| symbol.is_empty() || *of == symbol);
        rows.flat_map(|(of, ids)| ids.iter().filter(listed).map(|id| row(id.to_string(), of)))
            .collect()
    }

    fn expire_timers(&mut self) {
        let now = Instant::now();
        let expired: Vec<_> = self
            .timers
            .iter()
            .filter(|(_, end)| **end <= now)
            .map(|(symbol, _)| symbol.clone())
            .collect();
        for symbol in expired {
            self.timers.remove(&symbol);
            self.orders.remove(&symbol);
        }
    }

    fn delivery(&mut self, path: &str) -> Delivery {
        let by_path = self.by_path.get_mut(path).and_then(VecDeque::pop_front);
        by_path
            .or_else(|| self.deliveries.pop_front())
            .or(self.default)
            .unwrap_or(Delivery::Delayed(20))
    }
}

impl Transport for SimulatedExchange {
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        let path = request.uri().path().to_owned();
        let parameters = if request.method() == http::Method::GET {
            let query = request.uri().query().unwrap_or_default();
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.map(|(name, value)| (name.to_owned(), json!(value))).collect()
        } else {
            serde_json::from_slice(request.body()).unwrap()
        };
        let delivery = self.with(|state| {
            state.sent.push((Instant::now(), path.clone()));
            state.delivery(&path)
        });
        let lost = || TransportError::maybe_sent(TransportErrorKind::Interrupted);
        let exchange = self.clone();
        Box::pin(async move {
            let (status, body) = match delivery {
                Delivery::Delayed(millis) => {
                    sleep(Duration::from_millis(millis)).await;
                    let response = exchange.process(&path, &parameters);
                    sleep(Duration::from_millis(millis)).await;
                    (200, response)
                }
                Delivery::Lost => return Err(lost()),
                Delivery::ResponseLost(millis) => {
                    tokio::spawn(async move {
                        sleep(Duration::from_millis(millis)).await;
                        exchange.process(&path, &parameters);
                    });
                    return Err(lost());
                }
                Delivery::NoConnection => {
                    return Err(TransportError::not_sent(TransportErrorKind::Connect));
                }
                Delivery::Maintenance => {
                    (200, json!({ "code": 30016, "message": "Service maintenance", "trace": "t" }))
                }
                Delivery::Forbidden => {
                    (403, json!({ "code": 30002, "message": "X-BM-KEY not found", "trace": "t" }))
                }
            };
            let body = Body::from(Bytes::from(body.to_string()));
            Ok(http::Response::builder().status(status).body(body).unwrap())
        })
    }
}
