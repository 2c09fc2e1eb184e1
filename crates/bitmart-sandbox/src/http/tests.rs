//! Every described route accepts a valid request and rejects an invalid one.

use std::net::Ipv4Addr;

use bitmart_sim::{
    AccountId, Command, OperatorCommand, WalletRequest,
    account::WalletKind,
    margin::{MarginTransfer, PairAmount},
    savings::Renewal,
};

use hyper::Request;
use percent_encoding::NON_ALPHANUMERIC;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::service::{Outcome, handle};
use crate::{
    auth::sign,
    config::Config,
    generated::{Auth, EndpointId as Id, Host, Kind, Method, Param, Presence, Route, routes},
    keys::ApiKey,
    shared::Shared,
};

const NOW_MS: u64 = 1_700_000_000_000;

/// An exchange with balances, a loan and savings, so that every route has something to list or change.
fn shared() -> Shared {
    let key = |name: &str| ApiKey::new(name, name, name);
    let config = Config::new().stepped_clock(NOW_MS).rate_limits(false).api_key(key("main"));
    let config =
        config.api_key(key("sub").sub_account(2, 1)).api_key(key("other").sub_account(3, 1));
    let shared = Shared::new(config);
    let (main, sub) = (AccountId(1), AccountId(2));
    let operate = |command| shared.state().apply(Command::Operator(command)).expect("accepted");
    for wallet in [WalletKind::Spot, WalletKind::Futures] {
        let (currency, amount) = ("USDT".into(), Decimal::ONE_HUNDRED);
        operate(OperatorCommand::SetBalance { account: sub, wallet, currency, amount });
    }
    let (wallet, amount) = (WalletKind::Funding, Decimal::ONE_HUNDRED);
    operate(OperatorCommand::SetBalance { account: main, wallet, currency: "USDT".into(), amount });
    let deposit =
        OperatorCommand::Deposit { account: main, currency: "USDT".into(), amount: Decimal::TEN };
    // The two balances above that are not futures were recorded as deposits before it.
    assert_eq!(operate(deposit).number(), Some(1_679_003));
    let request = |request: WalletRequest| {
        let command = Command::Customer { account: main, request: request.into() };
        shared.state().apply(command).expect("accepted")
    };
    let sum = |amount| PairAmount { symbol: "BTC_USDT".into(), currency: "USDT".into(), amount };
    request(WalletRequest::TransferMargin {
        sum: sum(Decimal::ONE_THOUSAND),
        direction: MarginTransfer::In,
    });
    request(WalletRequest::Borrow(sum(Decimal::ONE_HUNDRED)));
    let products = shared.state().exchange.products();
    for (at, number) in [(0_usize, "a"), (1, "b"), (1, "c")] {
        let (product, amount) = (products[at].id, Decimal::TEN);
        let (number, renewal) = (number.into(), Renewal::Off);
        request(WalletRequest::SubscribeSaving { number, product, amount, renewal });
    }
    for _ in 0..20 {
        shared.state().step();
    }
    shared
}

/// Sends a request with the given fields.
fn send(shared: &Shared, route: &'static Route, fields: &Map<String, Value>) -> Outcome {
    let as_sub_account = route.path.contains("/sub-account/sub/");
    let key = shared.config.keys_or_default().swap_remove(usize::from(as_sub_account));
    let (mut uri, mut body) = (route.path.to_owned(), String::new());
    if route.method == Method::Post {
        body = Value::Object(fields.clone()).to_string();
    } else {
        let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
        let safe = |value: &Value| {
            percent_encoding::utf8_percent_encode(&text(value), NON_ALPHANUMERIC).to_string()
        };
        let pairs = fields.iter().map(|(name, value)| format!("{name}={}", safe(value)));
        uri = format!("{uri}?{}", pairs.collect::<Vec<_>>().join("&"));
    }
    send_body(shared, route, &key, &uri, &body)
}

/// Sends a request that a key signs.
fn send_body(
    shared: &Shared,
    route: &'static Route,
    key: &ApiKey,
    uri: &str,
    body: &str,
) -> Outcome {
    let timestamp = NOW_MS.to_string();
    let sign = sign(key, &timestamp, body.as_bytes());
    let mut request = Request::builder().uri(uri);
    if route.auth != Auth::None {
        request = request.header("x-bm-key", &key.key);
        request = request.header("x-bm-timestamp", timestamp).header("x-bm-sign", sign);
    }
    let (head, ()) = request.body(()).expect("a request").into_parts();
    handle(shared, route, Ipv4Addr::LOCALHOST.into(), &head, body.as_bytes())
}

/// Places an order that the route can query or cancel, and returns its id.
fn order_for(shared: &Shared, route: &Route) -> String {
    let (id, body) = match (route.id, route.host) {
        (_, Host::Spot) if route.path.contains("/algo/") => (
            Id::SpotSubmitAlgoOrder,
            json!({ "symbol": "BTC_USDT", "side": "buy", "type": "trigger", "trigger_type": "limit", "trigger_price": "50000", "price": "50000", "size": "0.001" }),
        ),
        (Id::FuturesCancelPlanOrder | Id::FuturesModifyPlanOrder, _) => {
            (Id::FuturesSubmitPlanOrder, plan())
        }
        (Id::FuturesModifyTpSlOrder, _) => (
            Id::FuturesSubmitTpSlOrder,
            json!({ "symbol": "BTCUSDT", "side": 3, "type": "stop_loss", "trigger_price": "50000", "executive_price": "0", "price_type": 1 }),
        ),
        (Id::FuturesCancelTrailingOrder, _) => (
            Id::FuturesSubmitTrailingOrder,
            json!({ "symbol": "BTCUSDT", "side": 1, "leverage": "10", "open_type": "cross", "size": 1, "activation_price": "50000", "callback_rate": "1", "activation_price_type": 1 }),
        ),
        (_, Host::Spot) => (
            Id::SpotSubmitOrder,
            json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "50000", "size": "0.001" }),
        ),
        (_, Host::Futures) => (
            Id::FuturesSubmitOrder,
            json!({ "symbol": "BTCUSDT", "side": 1, "type": "limit", "leverage": "10", "open_type": "cross", "price": "50000", "size": 1 }),
        ),
    };
    let fields = body.as_object().expect("an object");
    let data = send(shared, id.route(), fields).result.expect("an order");
    let id = &data["order_id"];
    id.as_str().map_or(id.to_string(), str::to_owned)
}

fn plan() -> Value {
    json!({
        "symbol": "BTCUSDT", "side": 1, "type": "limit", "leverage": "10", "open_type": "cross", "size": 1,
        "trigger_price": "50000", "executive_price": "50000", "price_way": 2, "price_type": 1,
    })
}

/// A valid value for a field; `id` is the order of the request.
fn value(field: &Param, host: Host, id: &str) -> Value {
    let number = field.min.unwrap_or(1).max(1);
    let text = match (field.name, host) {
        ("symbol", Host::Spot) => "BTC_USDT",
        ("symbol", Host::Futures) => "BTCUSDT",
        ("currency" | "currencies" | "coin", _) => "USDT",
        ("orderId" | "order_id" | "requestNo", _) => id,
        ("productId", _) => "1001",
        ("subAccount" | "fromAccount", _) => "account2@sandbox.test",
        ("toAccount", _) => "account3@sandbox.test",
        ("price", _) => "50000",
        ("type", _) if field.values.contains(&"limit") => "limit",
        (_, _) => field.values.first().copied().unwrap_or("1"),
    };
    match field.kind {
        Kind::Decimal if text == "1" => "10".into(),
        Kind::Text | Kind::Decimal => text.into(),
        Kind::Integer => text.parse::<i64>().map_or(number, |text| text.max(number)).into(),
        Kind::Flag => true.into(),
        Kind::List if field.items.is_empty() => json!([id]),
        Kind::List => {
            let rows = field.items.iter().filter(|item| item.presence != Presence::Optional);
            let row: Map<_, _> =
                rows.map(|item| (item.name.to_owned(), value(item, host, id))).collect();
            json!([row])
        }
    }
}

/// The conditional fields of a route that its request needs.
fn conditional_fields(endpoint: Id, id: &str) -> Value {
    match endpoint {
        Id::MarginSubmitOrder | Id::SpotSubmitOrder => {
            json!({ "size": "0.001", "price": "50000" })
        }
        Id::SpotSubmitOrders => json!({ "orderParams": [
            { "side": "buy", "type": "limit", "price": "50000", "size": "0.001" },
        ] }),
        Id::SpotCancelOrder | Id::FuturesModifyTpSlOrder => {
            json!({ "order_id": id })
        }
        Id::SpotCancelOrders => json!({ "orderIds": [id] }),
        Id::SpotOrderByClientId => json!({ "clientOrderId": "mine" }),
        Id::SpotAlgoOrderByClientId => json!({ "clientOrderId": "waits" }),
        Id::AccountTransfer => {
            json!({ "currency": "USDT", "amount": "1", "type": "spot_to_fund" })
        }
        Id::FuturesTransferWithFunding => {
            json!({ "currency": "USDT", "amount": "1", "type": "fund_to_contract" })
        }
        Id::AccountFundingRecord => json!({ "id": "1679003" }),
        Id::AccountWithdraw => json!({ "amount": "10", "address": "T1" }),
        Id::FuturesSubmitOrder => {
            json!({ "side": 1, "price": "50000", "size": 1, "leverage": "10", "open_type": "cross" })
        }
        // Savings 2, 4 and 6 exist. Request numbers have 20 digits.
        Id::EarnSubscribeFlexible => json!({ "requestNo": "1".repeat(20) }),
        Id::EarnRedeemFlexible => {
            json!({ "requestNo": "2".repeat(20), "earnId": "2" })
        }
        Id::EarnSubscribeFixed => {
            json!({ "requestNo": "3".repeat(20), "productId": "1002" })
        }
        Id::EarnRedeemFixed => {
            json!({ "requestNo": "4".repeat(20), "earnId": "4" })
        }
        Id::EarnSetFixedRenewal => json!({ "earnId": "6" }),
        Id::FuturesSubmitPlanOrder => plan(),
        Id::FuturesModifyPlanOrder => json!({ "executive_price": "50000" }),
        Id::FuturesSubmitTpSlOrder => json!({ "side": 3, "trigger_price": "90000" }),
        Id::FuturesSubmitTrailingOrder => json!({ "callback_rate": "1" }),
        Id::SpotSubmitAlgoOrder => {
            json!({ "trigger_type": "limit", "trigger_price": "50000", "price": "50000", "size": "0.001" })
        }
        Id::FuturesCancelAllAfter => json!({ "timeout": 5 }),
        Id::FuturesModifyLimitOrder => json!({ "order_id": id, "price": "49000" }),
        _ => json!({}),
    }
}

/// The accounts and the fingerprint of the exchange, which a read must not change.
fn accounts_and_fingerprint(shared: &Shared) -> (String, u64) {
    let state = shared.state();
    (format!("{:?}", state.exchange.accounts().collect::<Vec<_>>()), state.exchange.fingerprint())
}

#[test]
fn every_described_route_accepts_a_valid_request() {
    let shared = shared();
    let named = json!({
        "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "50000", "size": "0.001",
        "client_order_id": "mine",
    });
    let named = named.as_object().expect("an object");
    send(&shared, Id::SpotSubmitOrder.route(), named).result.expect("an order");
    let waiting = json!({
        "symbol": "BTC_USDT", "side": "buy", "type": "trigger", "trigger_type": "limit",
        "trigger_price": "50000", "price": "50000", "size": "0.001", "client_order_id": "waits",
    });
    let waiting = waiting.as_object().expect("an object");
    send(&shared, Id::SpotSubmitAlgoOrder.route(), waiting).result.expect("an algo order");
    let long = json!({
        "symbol": "BTCUSDT", "side": 1, "type": "market", "leverage": "10", "open_type": "cross", "size": 5,
    });
    let long = long.as_object().expect("an object");
    send(&shared, Id::FuturesSubmitOrder.route(), long).result.expect("a position");
    for route in routes() {
        let id = order_for(&shared, route);
        let required = route.params.iter().filter(|field| field.presence == Presence::Required);
        let mut fields: Map<String, Value> =
            required.map(|field| (field.name.to_owned(), value(field, route.host, &id))).collect();
        fields.extend(conditional_fields(route.id, &id).as_object().expect("an object").clone());
        let before = accounts_and_fingerprint(&shared);
        let outcome = send(&shared, route, &fields);
        assert!(outcome.result.is_ok(), "{} {fields:?}: {:?}", route.path, outcome.result);
        // A read is not stored in the journal, so that a change by it would be lost.
        assert!(
            route.changes || accounts_and_fingerprint(&shared) == before,
            "{} changed the state",
            route.path
        );
    }
}

#[test]
fn every_route_rejects_unknown_and_missing_fields() {
    let shared = shared();
    let code = |route, fields: Value| {
        let fields = fields.as_object().expect("an object");
        send(&shared, route, fields).result.map_or_else(|error| error.code, |_| 0)
    };
    for route in routes() {
        let unknown = code(route, json!({ "Nope": 1 }));
        assert!([50029, 60000, 40007].contains(&unknown), "{}: {unknown}", route.path);
        if route.params.iter().any(|field| field.presence == Presence::Required) {
            let missing = code(route, json!({}));
            assert!([70001, 50028, 60000, 40007].contains(&missing), "{}: {missing}", route.path);
        }
    }
}

#[test]
fn a_duplicate_is_rejected_also_if_a_long_number_becomes_text() {
    let shared = shared();
    let code = |prices: &str| {
        let route = Id::SpotSubmitOrder.route();
        let body = format!(
            r#"{{"symbol":"BTC_USDT","side":"buy","type":"limit","size":"0.001",{prices}}}"#
        );
        let key = shared.config.keys_or_default().swap_remove(0);
        let outcome = send_body(&shared, route, &key, route.path, &body);
        outcome.result.map_or_else(|error| error.code, |_| 0)
    };
    assert_eq!(code(r#""price":50000.000000000000"#), 0);
    let duplicate = code(r#""price":1,"price":50000"#);
    assert_ne!(duplicate, 0);
    assert_eq!(code(r#""price":1,"price":50000.000000000000"#), duplicate);
}

#[test]
fn undocumented_responses_are_marked() {
    let shared = shared();
    let marked = |id: Id, fields: Value| {
        let outcome = send(&shared, id.route(), fields.as_object().expect("an object"));
        outcome.result.expect("a response");
        outcome.invented
    };
    assert!(marked(Id::AccountDepositAccount, json!({})));
    assert!(marked(Id::FuturesCloseAllPositions, json!({ "contractType": 1 })));
    assert!(!marked(Id::FuturesClaimDemoFunds, json!({})));
    let rejected = send(&shared, Id::AccountSetDepositAccount.route(), &Map::new());
    assert!(rejected.result.is_err() && !rejected.invented);
}
