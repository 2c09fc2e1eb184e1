//! Futures: contracts and orders.

use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    Answer, Call,
    futures_market::{FUNDING_MS, FUNDING_RATE, held},
};
use crate::{
    exchange::{
        OrderId,
        book::SelfTrade,
        futures::FuturesMarket,
        futures_order::{FuturesOrder, FuturesSide, Mode, NewFuturesOrder},
        refusal::{Refusal, refuse},
    },
    wire::{fixed, plain, ratio},
};

const CLIENT_ID: usize = 32;
/// The only position mode here.
const HEDGE: &str = "hedge_mode";
const OPENED_MS: u64 = 1_594_080_000_123;

pub(super) fn details(call: &mut Call<'_>) -> Answer {
    let wanted = call.params.text("symbol")?;
    if wanted.as_deref().is_some_and(|symbol| !call.exchange.futures.contains_key(symbol)) {
        return Err(refuse(40034));
    }
    let rows = call
        .exchange
        .futures
        .values()
        .filter(|market| wanted.as_deref().is_none_or(|symbol| market.rules.symbol == symbol))
        .map(|market| details_row(market, held(call.exchange, market), call.now_ms));
    Ok(json!({ "symbols": rows.collect::<Value>() }))
}

fn details_row(market: &FuturesMarket, held: (Decimal, Decimal), now_ms: u64) -> Value {
    let rules = &market.rules;
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
        "index_price": plain(last),
        "index_name": rules.symbol.as_str(),
        "contract_size": plain(rules.contract_size),
        "min_leverage": "1",
        "max_leverage": rules.max_leverage.to_string(),
        "price_precision": plain(Decimal::new(1, rules.price_decimals)),
        "vol_precision": "1",
        "max_volume": plain(rules.max_volume),
        "market_max_volume": plain(rules.max_volume),
        "min_volume": "1",
        "funding_rate": FUNDING_RATE,
        "expected_funding_rate": FUNDING_RATE,
        "open_interest": plain(held.0),
        "open_interest_value": plain(held.1),
        "high_24h": plain(high),
        "low_24h": plain(low),
        "change_24h": ratio(open, last),
        "funding_interval_hours": 8,
        "funding_time": (now_ms / FUNDING_MS + 1) * FUNDING_MS,
        "status": "Trading",
        "delist_time": 0,
    })
}

pub(super) fn position_mode(call: &mut Call<'_>) -> Answer {
    call.account()?;
    Ok(json!({ "position_mode": HEDGE }))
}

/// An answer that agrees to one-way mode would be a lie.
pub(super) fn set_position_mode(call: &mut Call<'_>) -> Answer {
    if call.params.need("position_mode")? != HEDGE {
        return Err(call.params.invalid("position_mode", "the sandbox knows hedge_mode only"));
    }
    Ok(json!({ "position_mode": HEDGE }))
}

pub(super) fn submit_order(call: &mut Call<'_>) -> Answer {
    let account = call.account()?;
    let request = parse_order(call)?;
    let price = request.price;
    let id = call.exchange.place_futures(account, request, call.now_ms)?;
    // A number here, text everywhere else; a market order has words for a price.
    Ok(json!({ "order_id": id.0, "price": price.map_or("market price".to_owned(), plain) }))
}

fn parse_order(call: &Call<'_>) -> Result<NewFuturesOrder, Refusal> {
    let params = &call.params;
    let symbol = params.need("symbol")?;
    let rules = &call.exchange.futures.get(symbol.as_str()).ok_or_else(|| refuse(40034))?.rules;
    call.exchange.check_trading(&symbol, 40015)?;
    let side = match params.need("side")?.as_str() {
        "1" => FuturesSide::OpenLong,
        "2" => FuturesSide::CloseShort,
        "3" => FuturesSide::CloseLong,
        "4" => FuturesSide::OpenShort,
        _ => return Err(refuse(40041)),
    };
    let market = match params.text("type")?.as_deref() {
        None | Some("limit") => false,
        Some("market") => true,
        Some(_) => return Err(refuse(40042)),
    };
    let mode = match params.whole("mode")? {
        None | Some(1) => Mode::GoodTilCancelled,
        Some(2) => Mode::FillOrKill,
        Some(3) => Mode::ImmediateOrCancel,
        Some(4) if !market => Mode::MakerOnly,
        Some(_) => return Err(params.invalid("mode", "must be 1 to 4, and not 4 with type market")),
    };
    let stp = match params.whole("stp_mode")? {
        None | Some(1) => SelfTrade::CancelMaker,
        Some(2) => SelfTrade::CancelTaker,
        Some(3) => SelfTrade::CancelBoth,
        Some(_) => return Err(params.invalid("stp_mode", "must be 1, 2 or 3")),
    };
    params.need("size")?;
    let size = params.decimal("size").ok().flatten().unwrap_or_default();
    if size.fract() != Decimal::ZERO || size < Decimal::ONE || size > rules.max_volume {
        return Err(refuse(40044));
    }
    let price = if market {
        None
    } else {
        params.need("price")?;
        let price = params.decimal("price")?.filter(|price| price.scale() <= rules.price_decimals);
        Some(price.ok_or_else(|| refuse(40043))?)
    };
    let leverage = match params.text("leverage")? {
        Some(text) => leverage(&text, rules.max_leverage)?,
        None if side.opens() => return Err(params.invalid("leverage", "is needed to open")),
        None => 1,
    };
    let isolated = match params.text("open_type")?.as_deref() {
        Some("isolated") => true,
        Some("cross") => false,
        None if !side.opens() => false,
        _ => return Err(refuse(40045)),
    };
    let client_id = params.text("client_order_id")?.map(SmolStr::from);
    if let Some(id) = &client_id {
        if id.len() > CLIENT_ID {
            return Err(refuse(40049));
        }
        if !id.chars().all(|letter| letter.is_ascii_alphanumeric()) {
            return Err(refuse(40048));
        }
    }
    let symbol = rules.symbol.clone();
    Ok(NewFuturesOrder { symbol, side, price, size, mode, leverage, isolated, client_id, stp })
}

fn leverage(text: &str, most: u32) -> Result<u32, Refusal> {
    let value = Decimal::from_str_exact(text).map_err(|_| refuse(40040))?;
    if value > most.into() {
        return Err(refuse(40029));
    }
    if value < Decimal::ONE {
        return Err(refuse(40030));
    }
    value.to_u32().filter(|_| value.fract().is_zero()).ok_or_else(|| refuse(40040))
}

/// With neither id every open order of the symbol is cancelled, as documented.
pub(super) fn cancel_order(call: &mut Call<'_>) -> Answer {
    let account = call.account()?;
    let symbol = call.params.need("symbol")?;
    if !call.exchange.futures.contains_key(symbol.as_str()) {
        return Err(refuse(40034));
    }
    let client_id = call.params.text("client_order_id")?;
    let ids: Vec<OrderId> = match (call.params.text("order_id")?, client_id) {
        (Some(id), _) => vec![OrderId(id.parse().map_err(|_| refuse(40037))?)],
        (None, Some(client_id)) => {
            let owner = call.exchange.account(account);
            vec![owner.futures_orders.by_client_id(&client_id).ok_or_else(|| refuse(40037))?]
        }
        (None, None) => call
            .exchange
            .futures_orders_of(account)
            .filter(|order| order.open && order.request.symbol == symbol)
            .map(|order| order.id)
            .collect(),
    };
    for id in ids {
        call.exchange.cancel_futures(account, id, call.now_ms)?;
    }
    Ok(json!({}))
}

pub(super) fn order(call: &mut Call<'_>) -> Answer {
    let account = call.account()?;
    let symbol = call.params.need("symbol")?;
    let id = call.params.need("order_id")?.parse().map(OrderId).map_err(|_| refuse(40037))?;
    let order = call
        .exchange
        .futures_orders
        .get(&id)
        .filter(|order| order.account == account && order.request.symbol == symbol)
        .ok_or_else(|| refuse(40035))?;
    let market = call.exchange.futures.get(&order.request.symbol).ok_or_else(|| refuse(40034))?;
    Ok(order_row(order, market))
}

pub(super) fn order_row(order: &FuturesOrder, market: &FuturesMarket) -> Value {
    let request = &order.request;
    json!({
        "order_id": order.id.0.to_string(),
        "client_order_id": request.client_id.as_deref().unwrap_or_default(),
        "price": request.price.map_or("0".to_owned(), plain),
        "size": plain(request.size),
        "symbol": request.symbol.as_str(),
        "state": if order.open { 2 } else { 4 },
        "side": request.side as u8,
        "type": if request.price.is_some() { "limit" } else { "market" },
        "position_mode": "hedge_mode",
        "account": "futures",
        "leverage": request.leverage.to_string(),
        "open_type": if request.isolated { "isolated" } else { "cross" },
        "deal_avg_price": plain(fixed_price(order, market)),
        "deal_size": plain(order.filled),
        "create_time": order.created_ms,
        "update_time": order.updated_ms,
    })
}

fn fixed_price(order: &FuturesOrder, market: &FuturesMarket) -> Decimal {
    fixed(order.average_price(), market.rules.price_decimals).parse().unwrap_or_default()
}
