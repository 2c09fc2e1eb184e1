//! Futures: contracts and orders.

use crate::wire::{
    Call, HandlerResult,
    error::{WireError, error},
    futures::fields,
    futures::history::{listed, order_id},
    futures::market::open_interest_of,
    futures::rows,
    parse_number,
    render::{plain, ratio},
};
use bitmart_sim::{
    Exchange, FuturesRequest, OrderId,
    book::SelfTradePrevention,
    futures::{FuturesMarket, funding::next_funding_ms},
    futures_order::NewFuturesOrder,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// The listing time of every contract: invented, 2020-07-07 in UTC.
const OPENED_MS: u64 = 1_594_080_000_123;

pub(crate) fn contracts(call: &mut Call<'_>) -> HandlerResult {
    let requested = call.params.text("symbol")?;
    if requested.as_deref().is_some_and(|symbol| call.exchange.futures_market(symbol).is_none()) {
        return Err(error(40034));
    }
    let rows = call
        .exchange
        .futures_markets()
        .filter(|market| requested.as_deref().is_none_or(|symbol| market.rules.symbol == symbol))
        .map(|market| details_row(market, &call.exchange, call.now_ms));
    Ok(json!({ "symbols": rows.collect::<Value>() }))
}

/// No source documents the status of a halted contract. This one is derived from the text of code 40015.
fn details_row(market: &FuturesMarket, exchange: &Exchange, now_ms: u64) -> Value {
    let (rules, open_interest) = (&market.rules, open_interest_of(exchange, market));
    let delisted_ms = exchange.operator_settings().delisted_ms(&rules.symbol);
    let status = match (delisted_ms, exchange.is_halted(&rules.symbol)) {
        (Some(_), _) => "Delisted",
        (None, true) => "Paused",
        (None, false) => "Trading",
    };
    let last = market.last_price();
    let day = market.tape.day(now_ms);
    let (open, high, low) =
        day.as_ref().map_or((last, last, last), |day| (day.open, day.high, day.low));
    let volume = day.as_ref().map_or(Decimal::ZERO, |day| day.volume);
    let turnover = day.as_ref().map_or(Decimal::ZERO, |day| day.turnover);
    json!({
        "symbol": rules.symbol.as_str(),
        "product_type": 1,
        "open_timestamp": OPENED_MS,
        "expire_timestamp": 0,
        "settle_timestamp": 0,
        "base_currency": rules.base.as_str(),
        "quote_currency": rules.quote.as_str(),
        "last_price": plain(last),
        "volume_24h": plain(volume),
        "turnover_24h": plain(turnover),
        "index_price": plain(market.index_price()),
        "index_name": rules.symbol.as_str(),
        "contract_size": plain(rules.contract_size),
        "min_leverage": "1",
        "max_leverage": rules.max_leverage.to_string(),
        "price_precision": plain(Decimal::new(1, rules.price_decimals)),
        "vol_precision": "1",
        "max_volume": plain(rules.max_volume),
        "market_max_volume": plain(rules.max_volume),
        "min_volume": "1",
        "funding_rate": plain(market.funding_rates.last()),
        "expected_funding_rate": plain(market.funding_rates.expected()),
        "open_interest": plain(open_interest.0),
        "open_interest_value": plain(open_interest.1),
        "high_24h": plain(high),
        "low_24h": plain(low),
        "change_24h": ratio(open, last),
        "funding_interval_hours": 8,
        "funding_time": next_funding_ms(now_ms),
        "status": status,
        "delist_time": delisted_ms.unwrap_or_default() / 1_000,
    })
}

pub(crate) fn submit_order(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let request = parse_order(call)?;
    let preset = fields::preset(&call.params, fields::rules(call)?)?;
    let price = request.price;
    let id = call.exchange.order(account, FuturesRequest::Place { order: request, preset })?;
    // The id is a number here and a string everywhere else. The price of a market order is this text.
    Ok(json!({ "order_id": id.0, "price": price.map_or("market price".to_owned(), plain) }))
}

fn parse_order(call: &Call<'_>) -> Result<NewFuturesOrder, WireError> {
    let (params, rules) = (&call.params, fields::rules(call)?);
    let checked = call.exchange.check_contract(&rules.symbol);
    checked.map_err(|reject| call.exchange.error(&reject))?;
    let side = fields::side(params)?;
    let market = match params.text("type")?.as_deref() {
        None | Some("limit") => false,
        Some("market") => true,
        Some(_) => return Err(error(40042)),
    };
    let self_trade_prevention = match params.integer("stp_mode")? {
        None | Some(1) => SelfTradePrevention::CancelMaker,
        Some(2) => SelfTradePrevention::CancelTaker,
        Some(3) => SelfTradePrevention::CancelBoth,
        Some(_) => return Err(params.invalid("stp_mode", "must be 1, 2 or 3")),
    };
    let mode = fields::mode(params, market)?;
    let size = fields::size(params, rules)?;
    let price = if market { None } else { Some(fields::price(params, "price", rules)?) };
    let margin_type = fields::margin_type(params, side.opens())?;
    let leverage = match fields::leverage(params, rules)? {
        Some(leverage) => leverage,
        None => call.exchange.leverage_of(call.account_id()?, rules, margin_type),
    };
    let client_order_id = fields::client_order_id(params)?;
    let symbol = rules.symbol.clone();
    Ok(NewFuturesOrder {
        symbol,
        side,
        price,
        size,
        mode,
        leverage,
        margin_type,
        client_order_id,
        self_trade_prevention,
    })
}

/// Without an id every open order of the symbol is canceled, as documented.
pub(crate) fn cancel_order(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let symbol = call.params.required("symbol")?;
    if call.exchange.futures_market(symbol.as_str()).is_none() {
        return Err(error(40034));
    }
    let client_order_id = call.params.text("client_order_id")?;
    let id = match (call.params.text("order_id")?, client_order_id) {
        (Some(id), _) => id_of(&id)?,
        (None, Some(client_order_id)) => {
            let owner = call.account()?;
            owner.futures_orders.by_client_order_id(&client_order_id).ok_or_else(|| error(40037))?
        }
        (None, None) => {
            let symbol = Some(symbol.as_str().into());
            call.exchange.apply(account, FuturesRequest::CancelAll { symbol })?;
            return Ok(json!({}));
        }
    };
    // An order of another contract counts as unknown.
    let order = call.exchange.futures_order(id);
    order.filter(|order| order.request.symbol == symbol).ok_or_else(|| error(40037))?;
    call.exchange.apply(account, FuturesRequest::Cancel(id))?;
    Ok(json!({}))
}

/// The id is a number in request and response. At least one of price and size is required.
pub(crate) fn modify_limit_order(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let params = &call.params;
    let rules = fields::rules(call)?;
    let symbol = rules.symbol.clone();
    let checked = call.exchange.check_trading(&symbol);
    checked.map_err(|reject| call.exchange.error(&reject))?;
    let given = |name: &str| !params.is_absent(name);
    let price = given("price").then(|| fields::price(params, "price", rules)).transpose()?;
    let size = given("size").then(|| fields::size(params, rules)).transpose()?;
    if price.is_none() && size.is_none() {
        return Err(params.missing("price or size"));
    }
    let Some(id) = order_id(call, account)? else {
        return Err(params.missing("order_id or client_order_id"));
    };
    let order = call.exchange.futures_order(id);
    let order = order.filter(|order| order.account == account && order.request.symbol == symbol);
    let client_order_id = order.ok_or_else(|| error(40037))?.request.client_order_id.clone();
    call.exchange.apply(account, FuturesRequest::Modify { id, price, size })?;
    Ok(
        json!({ "order_id": id.0, "client_order_id": client_order_id.as_deref().unwrap_or_default() }),
    )
}

fn id_of(text: &str) -> Result<OrderId, WireError> {
    parse_number::unsigned(text).map(OrderId).ok_or_else(|| error(40037))
}

pub(crate) fn order(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let symbol = call.params.required("symbol")?;
    let id = id_of(&call.params.required("order_id")?)?;
    let exchange = &call.exchange;
    let order = exchange.futures_order(id);
    if let Some(order) =
        order.filter(|order| order.account == account && order.request.symbol == symbol)
    {
        let mut row = listed(order, exchange).ok_or_else(|| error(40034))?;
        // Only here the prices of other kinds of orders are empty, as captured and documented.
        let none = json!({ "activation_price": "", "callback_rate": "", "executive_order_id": "" });
        rows::extend(&mut row, none);
        return Ok(row);
    }
    // Open trailing orders and finished triggers are listed with the orders, so they can be queried as well.
    let trigger = exchange.triggers().futures.get(id);
    let own = trigger.filter(|one| one.account == account && one.terms.order.symbol == symbol);
    own.map(|one| rows::trigger_row(one, exchange)).ok_or_else(|| error(40035))
}
