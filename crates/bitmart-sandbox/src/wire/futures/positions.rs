//! Futures positions and balances: three forms of REST, and those of the stream.

use bitmart_sim::{
    AccountId, Exchange, FuturesRequest,
    account::Account,
    futures::FuturesMarket,
    position::{Position, PositionSide},
};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::wire::{
    Call, HandlerResult, enums,
    error::error,
    futures::history::{is_copy_trading, symbol},
    futures::settings::position_mode_name,
    render::{exact_price, plain},
};

/// The currencies with a row in every list of balances, as captured and documented.
const MARGIN_CURRENCIES: [&str; 3] = ["USDT", "BTC", "ETH"];

/// An open position, or a direction without a position.
struct Row<'a> {
    owner: &'a Account,
    market: &'a FuturesMarket,
    position: &'a Position,
    margin: Decimal,
    side: PositionSide,
    next_leverage: u32,
    /// `None` without a position, or if it cannot be liquidated.
    liquidation: Option<Decimal>,
    now_ms: u64,
}

impl Row<'_> {
    fn mark_value(&self) -> Decimal {
        self.market.value(self.position.size, self.market.mark_price())
    }

    fn unrealized(&self) -> String {
        plain(self.market.unrealized(self.position, self.side))
    }

    /// Without a position, the leverage of the next one.
    fn leverage(&self) -> u32 {
        if self.position.is_open() { self.position.leverage } else { self.next_leverage }
    }

    fn liquidation_price(&self) -> String {
        let decimals = self.market.rules.price_decimals;
        plain(self.liquidation.unwrap_or_default().round_dp(decimals))
    }

    fn max_value(&self) -> String {
        plain(self.market.rules.max_value(self.leverage()))
    }
}

/// Open positions. With a symbol both directions are listed even without a position, as documented. In one-way mode
/// the amount of a short position is negative.
pub(crate) fn positions(call: &mut Call<'_>) -> HandlerResult {
    rows(call, |row| {
        let Row { owner, position, .. } = row;
        let size = position.size;
        with_fields(
            common(row),
            json!({
                "position_amount": plain(if owner.one_way && !row.side.is_long() { -size } else { size }),
                "position_side": match (owner.one_way, row.side) {
                    (true, _) => "both",
                    (false, PositionSide::Long) => "long",
                    (false, PositionSide::Short) => "short",
                },
                "open_type": enums::margin_type(position.margin_type),
                "unrealized_pnl": row.unrealized(),
                "liquidation_price": row.liquidation_price(),
                "max_notional_value": row.max_value(),
                "initial_margin": plain(row.margin),
            }),
        )
    })
}

/// Positions in the older form.
pub(crate) fn positions_v1(call: &mut Call<'_>) -> HandlerResult {
    rows(call, |row| {
        with_fields(
            common(row),
            json!({
                "margin_type": enums::capitalized_margin_type(row.position.margin_type),
                "position_mode": position_mode_name(row.owner.one_way),
                "position_type": if row.side.is_long() { 1 } else { 2 },
                "unrealized_value": row.unrealized(),
            }),
        )
    })
}

/// Margin type and side are empty without a position, as observed.
pub(crate) fn position_risk(call: &mut Call<'_>) -> HandlerResult {
    rows(call, |row| {
        let Row { market, position, .. } = row;
        let open = |word: &'static str| if position.is_open() { word } else { "" };
        let isolated = if position.margin_type.is_isolated() { row.margin } else { Decimal::ZERO };
        json!({
            "symbol": market.rules.symbol.as_str(),
            "position_amt": plain(position.size),
            "mark_price": plain(market.mark_price()),
            "unrealized_profit": row.unrealized(),
            "liquidation_price": row.liquidation_price(),
            "leverage": row.leverage().to_string(),
            "max_notional_value": row.max_value(),
            "margin_type": open(enums::capitalized_margin_type(position.margin_type)),
            "isolated_margin": plain(isolated),
            "position_side": open(if row.side.is_long() { "Long" } else { "Short" }),
            "notional": plain(row.mark_value()),
            "update_time": position.updated_ms,
            "account": "futures",
        })
    })
}

fn rows(call: &mut Call<'_>, render: fn(&Row<'_>) -> Value) -> HandlerResult {
    let (account, only) = (call.account_id()?, symbol(call)?);
    if is_copy_trading(call)? {
        return Ok(json!([]));
    }
    let owner = call.exchange.account(account).ok_or_else(|| error(30002))?;
    let flat = Position::default();
    let mut rows = Vec::new();
    for market in call.exchange.futures_markets() {
        let symbol = &market.rules.symbol;
        let requested = only.as_ref().is_some_and(|only| symbol == only);
        if only.is_some() && !requested {
            continue;
        }
        for side in PositionSide::BOTH {
            let position = owner.position(symbol, side).unwrap_or(&flat);
            if position.is_open() || (requested && is_listed_flat(owner, symbol, side)) {
                let liquidation = call.exchange.liquidation_price(account, symbol, side);
                let liquidation = liquidation.filter(|_| position.is_open());
                rows.push(render(&Row {
                    owner,
                    market,
                    position,
                    margin: position.margin(call.exchange.ledger()),
                    side,
                    next_leverage: call.exchange.leverage_of(
                        account,
                        &market.rules,
                        position.margin_type,
                    ),
                    liquidation,
                    now_ms: call.now_ms,
                }));
            }
        }
    }
    Ok(rows.into())
}

/// Whether a direction without a position has a row. In one-way mode there is one row for both directions.
fn is_listed_flat(owner: &Account, symbol: &SmolStr, side: PositionSide) -> bool {
    let open = |side| owner.position(symbol, side).is_some_and(Position::is_open);
    !owner.one_way || (side.is_long() && !open(PositionSide::Short))
}

fn common(row: &Row<'_>) -> Value {
    let Row { market, position, .. } = row;
    let rules = &market.rules;
    let entry = exact_price(position.entry_price(rules.contract_size));
    json!({
        "symbol": rules.symbol.as_str(),
        "leverage": row.leverage().to_string(),
        "timestamp": row.now_ms,
        "current_fee": plain(position.fees),
        "open_timestamp": position.opened_ms,
        "current_value": plain(market.value(position.size, market.last_price())),
        "mark_value": plain(row.mark_value()),
        "mark_price": plain(market.mark_price()),
        "position_value": plain(position.cost),
        "position_cross": plain(row.margin),
        "maintenance_margin": plain(market.maintenance(position)),
        "close_vol": plain(position.closed),
        "close_avg_price": exact_price(position.average_close_price(rules.contract_size)),
        "open_avg_price": entry.clone(),
        "entry_price": entry,
        "current_amount": plain(position.size),
        "realized_value": plain(position.realized),
        "account": "futures",
    })
}

fn with_fields(mut row: Value, more: Value) -> Value {
    if let (Some(fields), Value::Object(more)) = (row.as_object_mut(), more) {
        fields.extend(more);
    }
    row
}

/// A position on the WebSocket channel.
pub(crate) fn pushed_position(
    exchange: &Exchange,
    account: AccountId,
    symbol: &SmolStr,
    side: PositionSide,
) -> Option<Value> {
    let owner = exchange.account(account)?;
    let position = owner.position(symbol, side)?;
    let rules = &exchange.futures_market(symbol)?.rules;
    let entry = exact_price(position.entry_price(rules.contract_size));
    let liquidation = exchange.liquidation_price(account, symbol, side);
    let liquidation = liquidation.filter(|_| position.is_open()).unwrap_or_default();
    Some(json!({
        "symbol": symbol.as_str(),
        "hold_volume": plain(position.size),
        "position_type": if side.is_long() { 1 } else { 2 },
        "open_type": enums::margin_type_number(position.margin_type),
        "frozen_volume": plain(position.closing),
        "close_volume": plain(position.closed),
        "hold_avg_price": entry.clone(),
        "close_avg_price": exact_price(position.average_close_price(rules.contract_size)),
        "open_avg_price": entry,
        "liquidate_price": exact_price(liquidation),
        "create_time": position.opened_ms,
        "update_time": position.updated_ms,
        "position_mode": if owner.one_way { "one_way_mode" } else { "hedge_mode" },
    }))
}

pub(crate) fn assets(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let owner = call.exchange.account(account).ok_or_else(|| error(30002))?;
    let others = owner.futures.keys().filter(|one| !MARGIN_CURRENCIES.contains(&one.as_str()));
    let always = MARGIN_CURRENCIES.map(SmolStr::from);
    let rows = always.iter().chain(others).map(|currency| {
        let money = call.exchange.collateral(account, currency);
        json!({
            "currency": currency.as_str(),
            "position_deposit": plain(money.margin()),
            "frozen_balance": plain(money.frozen),
            "available_balance": plain(money.available()),
            "equity": plain(money.equity()),
            "unrealized": plain(money.unrealized()),
        })
    });
    Ok(rows.collect::<Value>())
}

/// A balance on the WebSocket channel.
pub(crate) fn pushed_asset(
    exchange: &Exchange,
    account: AccountId,
    currency: &SmolStr,
) -> Option<Value> {
    exchange.account(account)?;
    let money = exchange.collateral(account, currency);
    Some(json!({
        "currency": currency.as_str(),
        "available_balance": plain(money.available()),
        "position_deposit": plain(money.margin()),
        "frozen_balance": plain(money.frozen),
    }))
}

/// Without a symbol all positions of the contract type are closed, and without a side both directions, according to a
/// third party. For type 2, contracts with a coin as margin, nothing is closed: the sandbox has no such contract.
pub(crate) fn close_all_positions(call: &mut Call<'_>) -> HandlerResult {
    let (account, symbol) = (call.account_id()?, symbol(call)?);
    let params = &call.params;
    params.required("contractType")?;
    let is_coin_margined = match params.integer("contractType")? {
        Some(1) => false,
        Some(2) => true,
        _ => return Err(params.invalid("contractType", "must be 1 or 2")),
    };
    let side = match params.text("position_side")?.as_deref() {
        None => None,
        Some("long") => Some(PositionSide::Long),
        Some("short") => Some(PositionSide::Short),
        Some(_) => return Err(params.invalid("position_side", "must be long or short")),
    };
    if let Some(symbol) = &symbol {
        let checked = call.exchange.check_contract(symbol);
        checked.map_err(|reject| call.exchange.error(&reject))?;
    }
    if !is_coin_margined {
        let symbol = symbol.map(Into::into);
        call.exchange.apply(account, FuturesRequest::ClosePositions { symbol, side })?;
    }
    Ok(json!({}))
}
