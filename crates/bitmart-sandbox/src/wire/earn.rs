//! Savings: products, holdings, records, subscription and redemption.
//!
//! Values that no source documents are invented: tags of products, kinds of subscription, states.

use std::collections::BTreeMap;

use super::{Call, HandlerResult};
use crate::wire::{
    error::WireError,
    parse_number,
    render::{fixed, plain},
};
use bitmart_sim::{
    Outcome, WalletRequest,
    rules::MONEY_DECIMALS,
    savings::{
        Holding, MAX_SUBSCRIPTION, MIN_SUBSCRIPTION, Renewal, SavingAction, SavingProduct,
        SavingRecord, SavingRequest,
    },
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

const DECIMALS: u32 = MONEY_DECIMALS;
/// Digits of a `requestNo`.
const NUMBER_DIGITS: usize = 20;

/// Whether savings are locked for a number of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Term {
    Flexible,
    Fixed,
}

impl Term {
    fn is_fixed(self) -> bool {
        self == Self::Fixed
    }

    fn is_of(self, product: &SavingProduct) -> bool {
        product.lock_days.is_some() == self.is_fixed()
    }
}

/// The requested page of rows, and the total number.
fn page(call: &Call<'_>, rows: impl Iterator<Item = Value>) -> HandlerResult {
    let number = |name: &str, max: usize| {
        call.params.required(name)?;
        let requested = usize::try_from(call.params.integer(name)?.unwrap_or_default()).ok();
        let invalid = || call.params.invalid(name, "must be at least 1, and sizePage at most 100");
        requested.filter(|requested| (1..=max).contains(requested)).ok_or_else(invalid)
    };
    let (page, size) = (number("currentPage", usize::MAX)?, number("sizePage", 100)?);
    let rows: Vec<Value> = rows.collect();
    let total = rows.len();
    let skipped = (page - 1).saturating_mul(size);
    let list: Vec<Value> = rows.into_iter().skip(skipped).take(size).collect();
    Ok(json!({ "total": total, "list": list }))
}

/// A filter for the requested coin; all coins if none is requested.
fn coin(call: &Call<'_>) -> Result<impl Fn(&SavingProduct) -> bool, WireError> {
    let requested = call.params.text("coinName")?;
    Ok(move |product: &SavingProduct| {
        requested.as_deref().is_none_or(|name| product.currency == name)
    })
}

fn tag(product: &SavingProduct) -> &'static str {
    if product.lock_days.is_some() { "FIXED" } else { "FLEXIBLE" }
}

/// The common fields of products and holdings.
fn common_fields(product: &SavingProduct) -> Value {
    let mut row = json!({
        "productId": product.id.to_string(),
        "coinName": product.currency.as_str(),
        "productTag": tag(product),
        "apy": plain(product.apy),
        "additionalApy": "0",
    });
    match product.lock_days {
        Some(days) => row["lockDay"] = json!(days),
        None => row["hasTierRate"] = json!(false),
    }
    row
}

fn product_row(product: &SavingProduct) -> Value {
    let mut row = common_fields(product);
    row["minPurchaseAmount"] = json!(plain(MIN_SUBSCRIPTION));
    row["maxPurchaseAmount"] = json!(plain(MAX_SUBSCRIPTION));
    row
}

fn products(call: &Call<'_>, term: Term) -> HandlerResult {
    let (all, requested) = (call.exchange.products(), coin(call)?);
    let rows = all.iter().filter(|one| term.is_of(one) && requested(one));
    page(call, rows.map(product_row))
}

pub(crate) fn flexible_products(call: &mut Call<'_>) -> HandlerResult {
    products(call, Term::Flexible)
}

pub(crate) fn fixed_products(call: &mut Call<'_>) -> HandlerResult {
    products(call, Term::Fixed)
}

/// The account of the caller and the request number of 20 digits.
fn request(call: &Call<'_>) -> Result<SavingRequest, WireError> {
    let number = call.params.required("requestNo")?;
    if number.len() != NUMBER_DIGITS || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(call.params.invalid("requestNo", "must be 20 digits"));
    }
    Ok(SavingRequest { account: call.account_id()?, number: number.into() })
}

fn amount(call: &Call<'_>) -> Result<Decimal, WireError> {
    call.params.required("amount")?;
    let amount = call.params.decimal("amount")?.unwrap_or_default();
    let fits = amount.scale() <= DECIMALS;
    if fits { Ok(amount) } else { Err(call.params.invalid("amount", "at most 8 decimals")) }
}

/// The requested product, which must have this term.
fn product(call: &Call<'_>, term: Term) -> Result<SavingProduct, WireError> {
    let id = call.params.required("productId")?;
    let mut all = call.exchange.products().into_iter();
    all.find(|one| one.id.to_string() == id && term.is_of(one))
        .ok_or_else(|| call.params.invalid("productId", "there is no such product"))
}

fn earn_id(call: &Call<'_>) -> Result<u64, WireError> {
    let id = call.params.required("earnId")?;
    parse_number::unsigned(&id)
        .ok_or_else(|| call.params.invalid("earnId", "there is no such saving"))
}

fn renewal(call: &Call<'_>) -> Result<Renewal, WireError> {
    match call.params.required("autoSubscribe")?.as_str() {
        "OFF" => Ok(Renewal::Off),
        "REINVEST_FLEXIBLE" => Ok(Renewal::Flexible),
        "REINVEST_FIXED" => Ok(Renewal::Fixed),
        _ => {
            let rule = "must be OFF, REINVEST_FLEXIBLE or REINVEST_FIXED";
            Err(call.params.invalid("autoSubscribe", rule))
        }
    }
}

fn renewal_name(renewal: Renewal) -> &'static str {
    match renewal {
        Renewal::Off => "OFF",
        Renewal::Flexible => "REINVEST_FLEXIBLE",
        Renewal::Fixed => "REINVEST_FIXED",
    }
}

fn subscribe(
    call: &mut Call<'_>,
    request: SavingRequest,
    product: &SavingProduct,
    amount: Decimal,
    renewal: Renewal,
) -> Result<Outcome, WireError> {
    let SavingRequest { account, number } = request;
    let request = WalletRequest::SubscribeSaving { number, product: product.id, amount, renewal };
    call.exchange.apply(account, request)
}

fn redeem(
    call: &mut Call<'_>,
    request: SavingRequest,
    id: u64,
    part: Option<Decimal>,
) -> Result<Outcome, WireError> {
    let SavingRequest { account, number } = request;
    call.exchange.apply(account, WalletRequest::RedeemSaving { number, id, part })
}

pub(crate) fn subscribe_flexible(call: &mut Call<'_>) -> HandlerResult {
    let (request, product, amount) =
        (request(call)?, product(call, Term::Flexible)?, amount(call)?);
    subscribe(call, request, &product, amount, Renewal::Off)?;
    Ok(json!(true))
}

pub(crate) fn subscribe_fixed(call: &mut Call<'_>) -> HandlerResult {
    let (request, product, amount) = (request(call)?, product(call, Term::Fixed)?, amount(call)?);
    let renewal = renewal(call)?;
    subscribe(call, request, &product, amount, renewal)?;
    Ok(json!(true))
}

pub(crate) fn redeem_flexible(call: &mut Call<'_>) -> HandlerResult {
    let (request, id, amount) = (request(call)?, earn_id(call)?, amount(call)?);
    redeem(call, request, id, Some(amount))?;
    Ok(json!(true))
}

pub(crate) fn redeem_fixed(call: &mut Call<'_>) -> HandlerResult {
    let (request, id) = (request(call)?, earn_id(call)?);
    redeem(call, request, id, None)?;
    Ok(json!(true))
}

pub(crate) fn set_fixed_renewal(call: &mut Call<'_>) -> HandlerResult {
    let (account, id, renewal) = (call.account_id()?, earn_id(call)?, renewal(call)?);
    call.exchange.apply(account, WalletRequest::SetRenewal { id, renewal })?;
    Ok(json!(true))
}

fn list_holdings(call: &Call<'_>, term: Term, row: impl Fn(&Holding) -> Value) -> HandlerResult {
    let (account, requested) = (call.account_id()?, coin(call)?);
    let product = call.params.text("productId")?;
    let named = |one: &SavingProduct| product.as_deref().is_none_or(|id| one.id.to_string() == id);
    let own = call.exchange.savings().holdings_of(account);
    let own = own.filter(|holding| holding.product.is_fixed() == term.is_fixed());
    page(call, own.filter(|one| requested(&one.product) && named(&one.product)).map(row))
}

fn holding_row(holding: &Holding) -> Value {
    let mut row = common_fields(&holding.product);
    row["earnId"] = json!(holding.id.to_string());
    row["coinId"] = json!(holding.product.id);
    row["totalProfit"] = json!(fixed(holding.profit, DECIMALS));
    row
}

/// The amount of a flexible holding is not in any source, but a client cannot redeem without it.
pub(crate) fn flexible_holdings(call: &mut Call<'_>) -> HandlerResult {
    let earn = call.exchange.savings();
    list_holdings(call, Term::Flexible, |holding| {
        let mut row = holding_row(holding);
        row["amount"] = json!(fixed(holding.amount, DECIMALS));
        row["autoSubscribe"] = json!(earn.is_automatic_for(holding.account, holding.product.id));
        row
    })
}

pub(crate) fn fixed_holdings(call: &mut Call<'_>) -> HandlerResult {
    list_holdings(call, Term::Fixed, |holding| {
        let mut row = holding_row(holding);
        row["amount"] = json!(fixed(holding.amount, DECIMALS));
        row["estimatedInterest"] = json!(fixed(holding.whole_interest(), DECIMALS));
        row["expiredDate"] = json!(holding.ends_ms());
        row["subscribeType"] = json!(renewal_name(holding.renewal));
        row
    })
}

fn record_row(record: &SavingRecord) -> Value {
    let mut row = json!({
        "type": record_type(record.action),
        "recordId": record.id.to_string(),
        "productId": record.product.id.to_string(),
        "coinName": record.product.currency.as_str(),
        "amount": fixed(record.amount, DECIMALS),
        "productTag": tag(&record.product),
        "time": record.time_ms,
        "subscribeType": if record.number.is_some() { "MANUAL" } else { "AUTO" },
        "requestNo": record.number.as_deref().unwrap_or_default(),
        "status": "SUCCESS",
    });
    if let Some(days) = record.product.lock_days {
        row["lockDay"] = json!(days);
    }
    row
}

fn record_type(action: SavingAction) -> &'static str {
    match action {
        SavingAction::Subscribe => "subscribe",
        SavingAction::Redeem => "redeem",
        SavingAction::Interest => "interest",
    }
}

/// Records within the requested times (in milliseconds), newest first.
fn records(call: &Call<'_>, term: Term) -> HandlerResult {
    let (account, requested) = (call.account_id()?, coin(call)?);
    let kind = call.params.required("type")?;
    if !["subscribe", "redeem", "interest"].contains(&kind.as_str()) {
        return Err(call.params.invalid("type", "must be subscribe, redeem or interest"));
    }
    let start = call.params.integer("startTime")?.unwrap_or(0);
    let end = call.params.integer("endTime")?.unwrap_or(i64::MAX);
    let within = |time_ms: u64| i64::try_from(time_ms).is_ok_and(|at| (start..=end).contains(&at));
    let rows = call.exchange.savings().records().rev().filter(|row| {
        row.account == account
            && term.is_of(&row.product)
            && record_type(row.action) == kind
            && within(row.time_ms)
            && requested(&row.product)
    });
    page(call, rows.map(record_row))
}

pub(crate) fn flexible_records(call: &mut Call<'_>) -> HandlerResult {
    records(call, Term::Flexible)
}

pub(crate) fn fixed_records(call: &mut Call<'_>) -> HandlerResult {
    records(call, Term::Fixed)
}

/// The current holdings, one row per coin.
pub(crate) fn holdings(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let mut sums: BTreeMap<&str, [Decimal; 3]> = BTreeMap::new();
    for holding in call.exchange.savings().holdings_of(account) {
        let sum = sums.entry(&holding.product.currency).or_default();
        sum[0] += holding.amount;
        sum[1] += holding.profit;
        sum[2] += holding.latest_profit;
    }
    let rows = sums.into_iter().map(|(currency, [amount, profit, latest])| {
        json!({
            "coinName": currency,
            "totalUserSum": fixed(amount, DECIMALS),
            "totalProfit": fixed(profit, DECIMALS),
            "previousProfit": fixed(latest, DECIMALS),
        })
    });
    Ok(rows.collect())
}

/// Whether `autoSubscribe` is `open`, and not `close`.
fn is_switched_on(call: &Call<'_>) -> Result<bool, WireError> {
    match call.params.required("autoSubscribe")?.as_str() {
        "open" => Ok(true),
        "close" => Ok(false),
        _ => Err(call.params.invalid("autoSubscribe", "must be open or close")),
    }
}

fn on_or_off(on: bool) -> &'static str {
    if on { "ON" } else { "OFF" }
}

pub(crate) fn set_auto_saving(call: &mut Call<'_>) -> HandlerResult {
    let (account, on) = (call.account_id()?, is_switched_on(call)?);
    call.exchange.apply(account, WalletRequest::SetAutomaticSaving { product: None, on })?;
    Ok(json!(true))
}

pub(crate) fn auto_saving(call: &mut Call<'_>) -> HandlerResult {
    let on = call.exchange.savings().is_automatic(call.account_id()?);
    Ok(json!({ "batchSubscribeStatus": on_or_off(on) }))
}

pub(crate) fn set_auto_subscribe(call: &mut Call<'_>) -> HandlerResult {
    let (account, product) = (call.account_id()?, Some(product(call, Term::Flexible)?.id));
    let on = is_switched_on(call)?;
    call.exchange.apply(account, WalletRequest::SetAutomaticSaving { product, on })?;
    Ok(json!(true))
}

pub(crate) fn auto_subscribe(call: &mut Call<'_>) -> HandlerResult {
    let (account, product) = (call.account_id()?, product(call, Term::Flexible)?.id);
    let on = call.exchange.savings().is_automatic_for(account, product);
    Ok(json!({ "subscribeStatus": on_or_off(on) }))
}
