//! Data for affiliates and brokers about their customers. Amounts are computed from the stored trades.

use std::collections::BTreeMap;

use bitmart_sim::{
    AccountId,
    affiliate::{REBATE_SHARE, TradingTotals, rebate_of},
    futures_order::{FuturesFill, FuturesOrder},
    payment::{Payment, PaymentState},
};

use rust_decimal::Decimal;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Call, HandlerResult, params::Params, window::Window};
use crate::wire::{
    enums,
    error::WireError,
    parse_number,
    render::{json_number, plain, rfc3339},
};

/// Maximum number of rows per page where none is documented.
const MAX_ROWS: usize = 100;
/// The documented maximum of the lists that were added in 2026.
const MAX_CUSTOMERS: usize = 50;
/// The currency of amounts for which a request cannot name one.
const CURRENCY: &str = "USDT";
/// "Direct" of enumeration `affiliate_user_type`.
const DIRECT: u8 = 1;

/// The requested page of a list.
struct Page {
    /// The number of the page, from 1.
    page: usize,
    /// The number of rows per page.
    size: usize,
}

impl Page {
    /// Both fields are required.
    fn requested(params: &Params, max_size: usize) -> Result<Self, WireError> {
        Ok(Self {
            page: bounded(params, "page", usize::MAX)?,
            size: bounded(params, "size", max_size)?,
        })
    }

    /// The rows of this page.
    fn of(&self, rows: impl Iterator<Item = Value>) -> Value {
        rows.skip((self.page - 1).saturating_mul(self.size)).take(self.size).collect()
    }
}

/// A required whole number from 1 to `max`.
fn bounded(params: &Params, name: &str, max: usize) -> Result<usize, WireError> {
    params.required(name)?;
    let value = params.integer(name)?.and_then(|value| usize::try_from(value).ok());
    let value = value.filter(|value| (1..=max).contains(value));
    value.ok_or_else(|| params.invalid(name, &format!("must be 1 to {max}")))
}

/// The user id in a field; `None` if it is not a customer of the caller.
fn customer(call: &Call<'_>, field: &str) -> Result<Option<AccountId>, WireError> {
    let text = call.params.required(field)?;
    let id = parse_number::unsigned(&text).and_then(|id| u32::try_from(id).ok());
    let id = id.ok_or_else(|| call.params.invalid(field, "must be a user id"))?;
    let customers = call.exchange.customers(call.account_id()?);
    Ok(customers.into_iter().find(|customer| customer.0 == id))
}

/// `start_time` and `end_time`, both required, at most 60 days apart.
fn sixty_day_window(call: &Call<'_>) -> Result<Window, WireError> {
    call.params.required("start_time")?;
    call.params.required("end_time")?;
    Window::affiliate(&call.params, call.now_ms)
}

/// Customers with rebates. All customers registered at the start of the exchange, so a window of registration
/// times excludes no one.
pub(crate) fn rebates(call: &mut Call<'_>) -> HandlerResult {
    let affiliate = call.account_id()?;
    let params = &call.params;
    let page = Page::requested(params, MAX_ROWS)?;
    let currency = params.required("currency")?;
    // Without a user id all customers are listed, with that of somebody else none.
    let requested =
        if params.is_absent("user_id") { None } else { Some(customer(call, "user_id")?) };
    let window = Window::open(params, "rebate_start_time", "rebate_end_time", call.now_ms)?;
    Window::open(params, "register_start_time", "register_end_time", call.now_ms)?;
    let customers = call.exchange.customers(affiliate);
    let selected: Vec<_> = customers
        .into_iter()
        .filter(|one| requested.is_none_or(|requested| requested == Some(*one)))
        .collect();
    let rebate = |customer: AccountId, currency: &str| {
        call.exchange.trading_totals(customer, currency, |time| window.contains(time)).rebate()
    };
    let rows: Vec<_> = selected
        .iter()
        .map(|customer| (customer, rebate(*customer, &currency)))
        .filter(|(_, rebate)| !rebate.is_zero())
        .collect();
    let sum = |currency| {
        let rebates = selected.iter().map(|customer| rebate(*customer, currency));
        json_number(rebates.fold(Decimal::ZERO, Decimal::saturating_add))
    };
    Ok(json!({
        "total": rows.len(),
        "page": page.page,
        "size": page.size,
        "btc_rebate_sum": sum("BTC"),
        "usdt_rebate_sum": sum("USDT"),
        "eth_rebate_sum": sum("ETH"),
        "rebate_detail_page_data": page.of(rows.into_iter().map(|(customer, rebate)| json!({
            "rebate_coin": currency,
            "trade_user_id": customer.0,
            "total_rebate_amount": json_number(rebate),
            "user_type": DIRECT,
        }))),
    }))
}

/// Trades of a customer, newest first. There are none of type 2, contracts with a coin as margin, because the sandbox
/// has no such contract.
pub(crate) fn trades(call: &mut Call<'_>) -> HandlerResult {
    let customer = customer(call, "user_id")?;
    let params = &call.params;
    params.required("type")?;
    let is_coin_margined = match params.integer("type")? {
        Some(1) => false,
        Some(2) => true,
        _ => return Err(params.invalid("type", "must be 1 or 2")),
    };
    let page = Page::requested(params, MAX_ROWS)?;
    let window = Window::open(params, "start_time", "end_time", call.now_ms)?;
    let fills = customer.filter(|_| !is_coin_margined).into_iter();
    let fills = fills.flat_map(|customer| call.exchange.futures_fills_by(customer));
    let fills: Vec<_> = fills.filter(|(fill, _)| window.contains(fill.time_ms)).collect();
    Ok(json!({
        "total": fills.len(),
        "page": page.page,
        "size": page.size,
        "list": page.of(fills.iter().map(|(fill, order)| trade_row(fill, *order))),
    }))
}

/// Prices and amounts are JSON numbers. `open_type`, `category` and `select_copy_trade` have the documented values: 2
/// is cross, a market order, and no copy trade.
fn trade_row(fill: &FuturesFill, order: Option<&FuturesOrder>) -> Value {
    let request = order.map(|order| &order.request);
    json!({
        "user_id": fill.account.0,
        "user_type": DIRECT,
        "create_time": fill.time_ms,
        "symbol": fill.symbol.as_str(),
        "leverage": request.map_or(0, |request| request.leverage),
        "open_type": enums::margin_type_number(request.map(|request| request.margin_type).unwrap_or_default()),
        "way": enums::futures_side(fill.side),
        "category": if request.is_some_and(|request| request.price.is_some()) { 1 } else { 2 },
        "select_copy_trade": 2,
        "deal_price": json_number(fill.price),
        "deal_vol": json_number(fill.size),
        "fee": json_number(fill.fee),
        "realised_profit": json_number(fill.realized),
    })
}

/// Fields that end in `_total` are about all time, the others about the window. No source states this.
pub(crate) fn user_rebate(call: &mut Call<'_>) -> HandlerResult {
    let (customer, window) = (customer(call, "cid")?, sixty_day_window(call)?);
    let totals = |is_counted: &dyn Fn(u64) -> bool| {
        customer.map_or_else(TradingTotals::default, |one| {
            call.exchange.trading_totals(one, CURRENCY, is_counted)
        })
    };
    let (all, in_window) = (totals(&|_| true), totals(&|time| window.contains(time)));
    Ok(json!({
        "cid": call.params.integer("cid")?,
        "back_rate": plain(REBATE_SHARE),
        "trading_vol_total": plain(all.volume),
        "trading_fee_total": plain(all.fees),
        "rebate_total": plain(all.rebate()),
        "trading_vol": plain(in_window.volume),
        "trading_fee": plain(in_window.fees),
        "rebate": plain(in_window.rebate()),
    }))
}

/// All trades here are made over the API.
pub(crate) fn api_rebate(call: &mut Call<'_>) -> HandlerResult {
    let (customer, window) = (customer(call, "cid")?, sixty_day_window(call)?);
    let totals = customer.map_or_else(TradingTotals::default, |one| {
        call.exchange.trading_totals(one, CURRENCY, |time| window.contains(time))
    });
    Ok(json!({
        "api_trading_fee_total": plain(totals.fees),
        "api_rebate_total": plain(totals.rebate()),
    }))
}

pub(crate) fn invitation(call: &mut Call<'_>) -> HandlerResult {
    Ok(json!({ "isInviteUser": customer(call, "cid")?.is_some() }))
}

/// The rows are only known from a third-party type.
pub(crate) fn customers(call: &mut Call<'_>) -> HandlerResult {
    let affiliate = call.account_id()?;
    let window = sixty_day_window(call)?;
    let page = Page::requested(&call.params, MAX_CUSTOMERS)?;
    let requested = if call.params.is_absent("cid") { None } else { Some(customer(call, "cid")?) };
    let customers = call.exchange.customers(affiliate);
    let rows: Vec<_> = customers
        .into_iter()
        .filter(|one| requested.is_none_or(|requested| requested == Some(*one)))
        .collect();
    let row = |customer: &AccountId| {
        let totals =
            call.exchange.trading_totals(*customer, CURRENCY, |time| window.contains(time));
        let money = call.exchange.collateral(*customer, &SmolStr::from(CURRENCY));
        json!({
            "cid": customer.0,
            "rebateTotal": plain(totals.rebate()),
            "tradingVolTotal": plain(totals.volume),
            "cashbackRate": "0",
            "tradingFeeTotal": plain(totals.fees),
            "backRate": plain(REBATE_SHARE),
            "status": 1,
            "accountAssetTotal": plain(money.equity()),
        })
    };
    Ok(json!({
        "total": rows.len(),
        "page": page.page,
        "size": page.size,
        "list": page.of(rows.iter().map(row)),
    }))
}

/// Finished deposits and withdrawals, newest first.
pub(crate) fn customer_funding(call: &mut Call<'_>) -> HandlerResult {
    let affiliate = call.account_id()?;
    let (customer, window) = (customer(call, "cid")?, sixty_day_window(call)?);
    let page = Page::requested(&call.params, MAX_CUSTOMERS)?;
    let deposits = match call.params.integer("type")? {
        None => None,
        Some(1) => Some(true),
        Some(2) => Some(false),
        Some(_) => return Err(call.params.invalid("type", "must be 1 or 2")),
    };
    let rows = customer.into_iter().flat_map(|customer| call.exchange.payments_of(customer));
    let rows: Vec<_> = rows
        .filter(|row| row.state == PaymentState::Done && window.contains(row.time_ms))
        .filter(|row| deposits.is_none_or(|deposits| row.deposit == deposits))
        .collect();
    let row = |row: &&Payment| {
        json!({
            "dateTime": row.time_ms,
            "cid": row.account.0,
            "remark": "",
            "parentCid": affiliate.0,
            "userType": DIRECT,
            "type": if row.deposit { 1 } else { 2 },
            "method": 1,
            "amount": plain(row.amount - row.fee),
            "coin": row.currency.as_str(),
        })
    };
    Ok(json!({
        "total": rows.len(),
        "page": page.page,
        "size": page.size,
        "list": page.of(rows.iter().map(row)),
    }))
}

pub(crate) fn customer_account(call: &mut Call<'_>) -> HandlerResult {
    let customer = customer(call, "userId")?;
    let money = customer.map(|one| call.exchange.collateral(one, &SmolStr::from(CURRENCY)));
    let (assets, equity) = money.map_or_else(Default::default, |money| {
        (money.cash + money.frozen + money.margin(), money.equity())
    });
    Ok(json!({
        "futuresAccountAssetTotalUsdt": plain(assets),
        "futuresAccountRightUsdt": plain(equity),
    }))
}

/// A broker's share of the spot fees of its customers, by UTC day. It is empty for an account without customers.
pub(crate) fn broker_rebates(call: &mut Call<'_>) -> HandlerResult {
    let broker = call.account_id()?;
    let window = Window::open(&call.params, "start_time", "end_time", call.now_ms)?;
    let mut days: BTreeMap<String, BTreeMap<SmolStr, Decimal>> = BTreeMap::new();
    for customer in call.exchange.customers(broker) {
        for fill in
            call.exchange.spot_fills_by(customer).filter(|fill| window.contains(fill.time_ms))
        {
            let Some(market) = call.exchange.spot_market(&fill.request.symbol) else { continue };
            let day = rfc3339(fill.time_ms).split('T').next().unwrap_or_default().to_owned();
            let sum = days.entry(day).or_default().entry(market.rules.quote.clone()).or_default();
            *sum += rebate_of(fill.fee);
        }
    }
    let rows = |sums: BTreeMap<SmolStr, Decimal>| -> Value {
        let row = |(currency, amount): (SmolStr, _)| json!({ "currency": currency.as_str(), "rebate_amount": plain(amount) });
        sums.into_iter().map(row).collect()
    };
    let days: serde_json::Map<_, _> =
        days.into_iter().map(|(day, sums)| (day, rows(sums))).collect();
    Ok(json!({ "rebates": days }))
}
