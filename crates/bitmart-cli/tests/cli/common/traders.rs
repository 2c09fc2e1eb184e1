//! Two accounts of a sandbox that trade with each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bitmart::rest::Client;
use bitmart::rest::catalog::ENDPOINTS;
use bitmart::rest::limit::{LimitPolicy, Limiter};
use bitmart::sandbox::{Permission, Sandbox};
use bitmart::types::Clock;
use bitmart::{Credentials, Timestamp};
use serde_json::{Value, json};

/// The clock of the sandbox.
#[derive(Clone, Debug)]
pub(crate) struct Stepped(Arc<AtomicI64>);

impl Stepped {
    pub(crate) fn at(begin: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(begin.as_millis())))
    }

    /// Advances with the sandbox.
    pub(crate) fn set(&self, sandbox: &Sandbox) {
        self.0.store(i64::try_from(sandbox.now_ms()).expect("a time"), Ordering::Relaxed);
    }
}

impl Clock for Stepped {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// One of two traders.
pub(crate) struct Trader(Client);

impl Trader {
    pub(crate) fn new(sandbox: &Sandbox, credentials: Credentials, clock: Stepped) -> Self {
        let environment = bitmart::sandbox::environment(sandbox);
        let client = Client::builder().environment(environment).credentials(credentials);
        let client = client.clock(clock).auto_sync_clock(false).limiter(unlimited());
        Self(client.build().expect("a client"))
    }

    pub(crate) async fn send(&self, endpoint: &str, parameters: Value) -> Value {
        let entry = ENDPOINTS.iter().find(|entry| entry.metadata.id == endpoint).expect(endpoint);
        let payload = entry.encode_request(&parameters.to_string()).expect("a request");
        let response = self.0.send_raw(&entry.metadata, payload).await;
        let response = response.unwrap_or_else(|error| panic!("{endpoint} {parameters}: {error}"));
        serde_json::from_slice(&response.raw).expect("JSON")
    }

    pub(crate) async fn spot(&self, side: &str, kind: &str, price: u64, size: &str) -> Value {
        let parameters = json!({ "symbol": "BTC_USDT", "side": side, "type": kind,
            "price": price.to_string(), "size": size });
        self.send("spot_submit_order", parameters).await["data"]["order_id"].clone()
    }

    pub(crate) async fn futures(&self, side: u32, mode: u32, price: u64) -> Value {
        let parameters = json!({ "symbol": "BTCUSDT", "side": side, "mode": mode, "type": "limit",
            "leverage": "5", "open_type": "cross", "size": 1, "price": price.to_string() });
        self.send("futures_submit_order", parameters).await["data"]["order_id"].clone()
    }
}

fn unlimited() -> Limiter {
    Limiter::new(LimitPolicy::Off)
}

/// The account of the sandbox's key, and another one.
pub(crate) fn traders(sandbox: &Sandbox, clock: &Stepped) -> [Trader; 2] {
    let owner = bitmart::sandbox::credentials(sandbox).expect("a key");
    let other = sandbox.create_account().expect("stored");
    let may = [Permission::ReadOnly, Permission::SpotTrade, Permission::FutureTrade];
    let key = sandbox.create_key(other, may).expect("a key");
    let other = Credentials::new(key.key, key.secret, key.memo).expect("a key");
    [owner, other].map(|key| Trader::new(sandbox, key, clock.clone()))
}

pub(crate) fn merged(one: &Value, other: &Value) -> Value {
    let both = [one, other].map(|value| value.as_object().expect("an object").clone());
    Value::Object(both.into_iter().flatten().collect())
}
