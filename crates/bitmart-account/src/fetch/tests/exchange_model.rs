//! An exchange that truncates its lists, rejects some queries, and changes between two of them.

use std::sync::{Arc, Mutex};

use bitmart_rest::Client;
use bitmart_rest::auth::Credentials;
use bitmart_rest::limit::{LimitPolicy, Limiter};
use bitmart_rest::testing::{ScriptedResponse, ScriptedTransport, SentRequest};
use bitmart_types::{Clock, Timestamp};
use serde_json::{Value, json};

use super::{NOW, PAGE};

#[derive(Debug)]
struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(NOW)
    }
}

/// An order of size 1,000 that was placed at a time and has filled one unit with each fill.
#[derive(Clone)]
pub(super) struct OrderModel {
    pub(super) id: usize,
    pub(super) symbol: &'static str,
    pub(super) created: i64,
    pub(super) is_open: bool,
    pub(super) fill_times: Vec<i64>,
}

impl OrderModel {
    pub(super) fn row(&self) -> Value {
        let filled = self.fill_times.len().to_string();
        json!({
            "orderId": self.id.to_string(), "order_id": self.id.to_string(), "symbol": self.symbol,
            "side": if self.is_contract() { json!(1) } else { json!("buy") }, "orderMode": "spot", "type": "limit",
            "state": match (self.is_contract(), self.is_open) {
                (true, true) => json!(2),
                (true, false) => json!(4),
                (false, true) => json!("new"),
                (false, false) => json!("filled"),
            },
            "price": "5", "size": "1000", "filledSize": filled, "deal_size": filled,
            "createTime": self.created, "create_time": self.created, "updateTime": NOW, "update_time": NOW,
        })
    }

    pub(super) fn fill_rows(&self) -> Vec<(i64, Value)> {
        let row = |(index, time): (usize, &i64)| {
            let trade = format!("{}0{index}", self.id);
            let row = json!({
                "tradeId": trade, "trade_id": trade, "orderId": self.id.to_string(),
                "order_id": self.id.to_string(), "symbol": self.symbol,
                "side": if self.is_contract() { json!(1) } else { json!("buy") }, "orderMode": "spot",
                "type": "limit", "price": "5", "size": "1", "vol": "1", "createTime": time, "create_time": time,
            });
            (*time, row)
        };
        self.fill_times.iter().enumerate().map(row).collect()
    }

    pub(super) fn is_contract(&self) -> bool {
        !self.symbol.contains('_')
    }
}

pub(super) struct ExchangeModel {
    pub(super) orders: Vec<OrderModel>,
    /// The most rows of the list of one spot order.
    pub(super) max_order_fills: usize,
    /// The exchange knows nothing about it any more.
    pub(super) delisted: &'static str,
    /// The exchange knows no order of this id.
    pub(super) forgotten: usize,
    /// No list contains fills from before this time.
    pub(super) first_fill: i64,
    /// Lists contain rows of any time, whatever the query says.
    pub(super) ignores_times: bool,
    /// Called after the response to each request, with its path.
    pub(super) after: fn(&mut ExchangeModel, &str),
    pub(super) requests: usize,
}

impl ExchangeModel {
    pub(super) fn new(orders: Vec<OrderModel>) -> Self {
        Self {
            orders,
            max_order_fills: usize::MAX,
            delisted: "",
            forgotten: usize::MAX,
            first_fill: 0,
            ignores_times: false,
            after: |_, _| (),
            requests: 0,
        }
    }

    pub(super) fn client(exchange: Arc<Mutex<Self>>) -> Client {
        let respond = move |request: &SentRequest| {
            let mut exchange = exchange.lock().expect("no test panicked");
            exchange.requests += 1;
            let response = exchange.respond(request);
            (exchange.after)(&mut exchange, request.path());
            response
        };
        Client::builder()
            .credentials(Credentials::new("key", "secret", "memo").expect("valid"))
            .transport(ScriptedTransport::from_fn(respond))
            .limiter(Limiter::new(LimitPolicy::Off))
            .clock(FixedClock)
            .auto_sync_clock(false)
            .build()
            .expect("a client")
    }

    pub(super) fn respond(&self, request: &SentRequest) -> ScriptedResponse {
        let body = request
            .json()
            .map_or(Value::Null, |json| serde_json::from_str(&json.to_string()).expect("JSON"));
        let parameter = |name: &str| {
            let of_body = body.get(name).map(|value| value.to_string().replace('"', ""));
            request.query(name).or(of_body)
        };
        let unit = if request.path().starts_with("/contract") { 1_000 } else { 1 };
        let time = |names: [&str; 2], default| {
            let text = parameter(names[0]).or_else(|| parameter(names[1]));
            text.map_or(default, |text| text.parse::<i64>().expect("a time") * unit)
        };
        let mut begin = time(["startTime", "start_time"], 0);
        let mut end = time(["endTime", "end_time"], i64::MAX);
        if self.ignores_times {
            (begin, end) = (0, i64::MAX);
        }
        let id = parameter("orderId").or_else(|| parameter("order_id"));
        let symbol = parameter("symbol");
        if symbol.as_deref() == Some(self.delisted) {
            return ScriptedResponse::error(40034, "The Symbol is not exist");
        }
        let selected = self.orders.iter().filter(|order| {
            id.as_ref().is_none_or(|id| *id == order.id.to_string())
                && symbol.as_ref().is_none_or(|symbol| *symbol == order.symbol)
                && order.symbol != self.delisted
                && order.id != self.forgotten
        });
        let orders = |is_open: bool| {
            let rows = selected.clone().filter(|order| order.is_open == is_open);
            let rows = rows.filter(|order| (begin..=end).contains(&order.created));
            rows.map(OrderModel::row).collect::<Vec<_>>()
        };
        let fills = || {
            let rows = selected.clone().flat_map(OrderModel::fill_rows);
            let rows = rows.filter(|(time, _)| (begin.max(self.first_fill)..=end).contains(time));
            rows.map(|(_, row)| row).collect::<Vec<_>>()
        };
        let list = |rows: Vec<Value>, max: usize| {
            ScriptedResponse::data(json!(rows.into_iter().take(max).collect::<Vec<_>>()))
        };
        match request.path() {
            "/spot/v4/query/open-orders" | "/contract/private/get-open-orders" => {
                list(orders(true), PAGE)
            }
            "/spot/v4/query/history-orders" | "/contract/private/order-history" => {
                list(orders(false), PAGE)
            }
            "/spot/v4/query/trades" | "/contract/private/trades" => list(fills(), PAGE),
            "/spot/v4/query/order-trades" if selected.clone().next().is_some() => {
                list(fills(), self.max_order_fills)
            }
            "/spot/v4/query/order" | "/spot/v4/query/order-trades" | "/contract/private/order" => {
                match selected.clone().next() {
                    Some(order) => ScriptedResponse::data(order.row()),
                    None => ScriptedResponse::error(40035, "The order is not exist"),
                }
            }
            "/contract/public/details" => {
                let row = |symbol| json!({"symbol": symbol, "contract_size": "1"});
                let symbols = ["BTCUSDT", "ETHUSDT", "LTCUSDT"].map(row);
                ScriptedResponse::data(json!({ "symbols": symbols }))
            }
            "/spot/v1/wallet" => ScriptedResponse::data(json!({"wallet": []})),
            _ => ScriptedResponse::data("[]"),
        }
    }
}
