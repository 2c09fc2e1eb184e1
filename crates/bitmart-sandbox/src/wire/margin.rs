//! Isolated margin: accounts, transfers, loans, records and orders.

use bitmart_sim::{
    AccountId, SpotRequest, SpotRules, WalletRequest,
    margin::{
        DAILY_RATE, Debt, HOURLY_RATE, LEVERAGE, LIQUIDATION_RATE, Loan, LoanLimits,
        MarginTransfer, PairAmount, Repayment,
    },
    rules::MONEY_DECIMALS,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Call, HandlerResult, spot::orders::parse_order};
use crate::wire::{
    error::{WireError, error},
    render::{fixed, plain},
};

const DECIMALS: u32 = MONEY_DECIMALS;

/// The requested amount of a currency of a pair.
fn pair_amount(call: &Call<'_>) -> Result<PairAmount, WireError> {
    let params = &call.params;
    let (symbol, currency) =
        (params.required("symbol")?.into(), params.required("currency")?.into());
    params.required("amount")?;
    let amount = params.decimal("amount")?.unwrap_or_default();
    if amount.scale() > DECIMALS {
        return Err(params.invalid("amount", "at most 8 decimals"));
    }
    Ok(PairAmount { symbol, currency, amount })
}

pub(crate) fn transfer(call: &mut Call<'_>) -> HandlerResult {
    let (account, sum) = (call.account_id()?, pair_amount(call)?);
    let direction = match call.params.required("side")?.as_str() {
        "in" => MarginTransfer::In,
        "out" => MarginTransfer::Out,
        _ => return Err(call.params.invalid("side", "must be in or out")),
    };
    let id = call.exchange.number(account, WalletRequest::TransferMargin { sum, direction })?;
    Ok(json!({ "transfer_id": id.to_string() }))
}

pub(crate) fn borrow(call: &mut Call<'_>) -> HandlerResult {
    let (account, sum) = (call.account_id()?, pair_amount(call)?);
    let id = call.exchange.number(account, WalletRequest::Borrow(sum))?;
    Ok(json!({ "borrow_id": id.to_string() }))
}

pub(crate) fn repay(call: &mut Call<'_>) -> HandlerResult {
    let (account, sum) = (call.account_id()?, pair_amount(call)?);
    let id = call.exchange.number(account, WalletRequest::Repay(sum))?;
    Ok(json!({ "repay_id": id.to_string() }))
}

/// An order paid from the margin wallets of its pair. Without them there is no margin account (51001).
pub(crate) fn submit_order(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let symbol = call.params.required("symbol")?;
    let mut request =
        parse_order(&call.exchange, &call.params, &symbol, "clientOrderId", call.lenient)?;
    request.margin = true;
    let id = call.exchange.order(account, SpotRequest::Place(request))?;
    // The id is a number, as documented.
    Ok(json!({ "order_id": id.0 }))
}

/// The requested pair, or all pairs.
fn requested_pairs(call: &Call<'_>) -> Result<Vec<SpotRules>, WireError> {
    let all = || call.exchange.spot_markets().map(|market| market.rules.clone()).collect();
    let Some(symbol) = call.params.text("symbol")? else { return Ok(all()) };
    let market = call.exchange.spot_market(&symbol).ok_or_else(|| error(50001))?;
    Ok(vec![market.rules.clone()])
}

pub(crate) fn pairs(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let side = |rules: &SpotRules, currency: &SmolStr| {
        let limits = LoanLimits::of(rules, currency);
        let borrowable = call.exchange.borrowable(account, &rules.symbol, currency);
        json!({
            "currency": currency.as_str(),
            "daily_interest": fixed(DAILY_RATE, DECIMALS),
            "hourly_interest": fixed(HOURLY_RATE, DECIMALS),
            "max_borrow_amount": fixed(limits.largest_principal, DECIMALS),
            "min_borrow_amount": fixed(limits.smallest_loan, DECIMALS),
            "borrowable_amount": fixed(borrowable, DECIMALS),
        })
    };
    let rows = requested_pairs(call)?.into_iter().map(|rules| {
        json!({
            "symbol": rules.symbol.as_str(),
            "max_leverage": LEVERAGE.to_string(),
            "symbol_enabled": true,
            "base": side(&rules, &rules.base),
            "quote": side(&rules, &rules.quote),
        })
    });
    Ok(json!({ "symbols": rows.collect::<Value>() }))
}

/// Balance and debt of one currency of a pair.
#[derive(Debug, Clone, Copy)]
struct Holding {
    available: Decimal,
    frozen: Decimal,
    borrowed: Decimal,
    debt: Debt,
}

impl Holding {
    fn read(call: &Call<'_>, account: AccountId, rules: &SpotRules, currency: &SmolStr) -> Self {
        let wallet = call.exchange.margin_wallet(account, &rules.symbol, currency);
        let loans = call.exchange.open_loans(account, &rules.symbol, currency);
        Self {
            available: wallet.available,
            frozen: wallet.frozen,
            borrowed: loans.map(|loan| loan.amount).sum(),
            debt: call.exchange.debt(account, &rules.symbol, currency),
        }
    }

    fn total(self) -> Decimal {
        self.available + self.frozen
    }

    fn row(self, call: &Call<'_>, currency: &SmolStr) -> Value {
        let net = self.total() - self.debt.total();
        let usd = call.exchange.usd_price(currency).saturating_mul(net);
        let in_btc = usd.checked_div(call.exchange.usd_price("BTC")).unwrap_or_default();
        json!({
            "currency": currency.as_str(),
            "borrow_enabled": true,
            "borrowed": fixed(self.borrowed, DECIMALS),
            "borrow_unpaid": fixed(self.debt.principal, DECIMALS),
            "interest_unpaid": fixed(self.debt.interest, DECIMALS),
            "available": fixed(self.available, DECIMALS),
            "frozen": fixed(self.frozen, DECIMALS),
            "net_asset": fixed(net, DECIMALS),
            "net_assetBTC": fixed(in_btc, DECIMALS),
            "total_asset": fixed(self.total(), DECIMALS),
        })
    }
}

pub(crate) fn accounts(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    let mut rows = Vec::new();
    for rules in requested_pairs(call)? {
        let base = Holding::read(call, account, &rules, &rules.base);
        let quote = Holding::read(call, account, &rules, &rules.quote);
        let rate = call.exchange.risk(account, &rules.symbol).rate();
        // The boundaries of the levels are invented: only their names are published.
        let level = match rate {
            Some(rate) if rate < LIQUIDATION_RATE * LIQUIDATION_RATE => "3",
            Some(rate) if rate < Decimal::new(15, 1) => "2",
            _ => "1",
        };
        rows.push(json!({
            "symbol": rules.symbol.as_str(),
            "risk_rate": rate.map_or("999.00".to_owned(), |rate| fixed(rate, 2)),
            "risk_level": level,
            "buy_enabled": true,
            "sell_enabled": true,
            "liquidate_price": liquidation_price(base, quote).map(|price| fixed(price, DECIMALS)),
            "liquidate_rate": plain(LIQUIDATION_RATE),
            "base": base.row(call, &rules.base),
            "quote": quote.row(call, &rules.quote),
        }));
    }
    Ok(json!({ "symbols": rows }))
}

/// The price at which assets are `LIQUIDATION_RATE` times the debts. May be negative, as documented; `None` without a
/// debt, as captured.
fn liquidation_price(base: Holding, quote: Holding) -> Option<Decimal> {
    if (base.debt.total() + quote.debt.total()).is_zero() {
        return None;
    }
    let gap = LIQUIDATION_RATE * quote.debt.total() - quote.total();
    let coins = base.total() - LIQUIDATION_RATE * base.debt.total();
    Some(gap.checked_div(coins).unwrap_or_default())
}

/// The filters of a list of records.
struct Filter {
    account: AccountId,
    symbol: String,
    id: Option<String>,
    start: i64,
    end: i64,
    count: usize,
}

impl Filter {
    fn read(call: &Call<'_>, id_field: &str) -> Result<Self, WireError> {
        let params = &call.params;
        let symbol = params.required("symbol")?;
        if call.exchange.spot_market(symbol.as_str()).is_none() {
            return Err(error(50001));
        }
        let count = params.integer("N")?.unwrap_or(50);
        let count = usize::try_from(count).ok().filter(|count| (1..=100).contains(count));
        Ok(Self {
            account: call.account_id()?,
            symbol,
            id: params.text(id_field)?,
            start: params.integer("start_time")?.unwrap_or(0),
            end: params.integer("end_time")?.unwrap_or(i64::MAX),
            count: count.ok_or_else(|| params.invalid("N", "must be 1 to 100"))?,
        })
    }

    fn matches(&self, account: AccountId, symbol: &str, id: u64, time_ms: u64) -> bool {
        let time = i64::try_from(time_ms).unwrap_or(i64::MAX);
        self.account == account
            && self.symbol == symbol
            && self.id.as_ref().is_none_or(|filter| *filter == id.to_string())
            && (self.start..=self.end).contains(&time)
    }
}

/// Newest first; no source documents the order. Times are in milliseconds, and interest is `null` while none is due, as
/// captured.
pub(crate) fn borrow_records(call: &mut Call<'_>) -> HandlerResult {
    let filter = Filter::read(call, "borrow_id")?;
    let matches = |loan: &&Loan| filter.matches(loan.account, &loan.symbol, loan.id, loan.time_ms);
    let rows = call.exchange.loans().values().rev().filter(matches).take(filter.count).map(|loan| {
        json!({
            "borrow_id": loan.id.to_string(),
            "symbol": loan.symbol.as_str(),
            "currency": loan.currency.as_str(),
            "borrow_amount": fixed(loan.amount, DECIMALS),
            "daily_interest": fixed(DAILY_RATE, DECIMALS),
            "hourly_interest": fixed(HOURLY_RATE, DECIMALS),
            "interest_amount": (!loan.interest.is_zero()).then(|| fixed(loan.interest, DECIMALS)),
            "create_time": loan.time_ms,
        })
    });
    Ok(json!({ "records": rows.collect::<Value>() }))
}

pub(crate) fn repay_records(call: &mut Call<'_>) -> HandlerResult {
    let filter = Filter::read(call, "repay_id")?;
    let currency = call.params.text("currency")?;
    let matches = |row: &&Repayment| {
        filter.matches(row.account, &row.symbol, row.id, row.time_ms)
            && currency.as_deref().is_none_or(|currency| row.currency == currency)
    };
    let rows = call.exchange.repayments().rev().filter(matches).take(filter.count).map(|row| {
        json!({
            "repay_id": row.id.to_string(),
            "repay_time": row.time_ms,
            "symbol": row.symbol.as_str(),
            "currency": row.currency.as_str(),
            "repaid_amount": fixed(row.paid.total(), DECIMALS),
            "repaid_principal": fixed(row.paid.principal, DECIMALS),
            "repaid_interest": fixed(row.paid.interest, DECIMALS),
        })
    });
    Ok(json!({ "records": rows.collect::<Value>() }))
}
