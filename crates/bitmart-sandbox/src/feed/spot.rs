//! The private channels of spot: which events they push, and what.

use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    exchange::{
        AccountId, BalanceReason, Event, Exchange, SpotMarket,
        book::Side,
        order::{Kind, SpotFill, SpotOrder, State},
    },
    generated::channels::SpotPrivate as Id,
    wire::decimal::{fixed, plain},
};

/// Account and symbol of an event, if a channel pushes it. The symbol is empty where it concerns all.
pub(super) fn subject(channel: Id, event: &Event) -> Option<(AccountId, SmolStr)> {
    match (channel, event) {
        (Id::UserOrders | Id::AllUserOrders, Event::SpotOrder { order, .. }) => {
            Some((order.account, order.request.symbol.clone()))
        }
        (Id::UserBalances, Event::SpotBalance { account, .. }) => {
            Some((*account, SmolStr::default()))
        }
        (Id::UserOrders | Id::AllUserOrders | Id::UserBalances, _) => None,
    }
}

/// What is pushed of an event.
pub(super) fn value(exchange: &Exchange, event: &Event, now_ms: u64) -> Option<Value> {
    match event {
        Event::SpotOrder { order, fill } => {
            let market = exchange.spot.get(&order.request.symbol)?;
            Some(order_row(order, fill.as_deref(), market))
        }
        Event::SpotBalance { account, reason, currencies } => {
            Some(balance_rows(exchange, *account, *reason, currencies, now_ms))
        }
        _ => None,
    }
}

/// Every value is a text on this channel.
fn order_row(order: &SpotOrder, fill: Option<&SpotFill>, market: &SpotMarket) -> Value {
    let (request, rules) = (&order.request, &market.rules);
    let price = |value| fixed(value, rules.price_decimals);
    let size = |value| fixed(value, rules.size_decimals);
    let (entrust_type, order_type) = match request.kind {
        Kind::Limit | Kind::Market => ("NORMAL", "0"),
        Kind::LimitMaker => ("LIMIT_MAKER", "1"),
        Kind::Ioc => ("IOC", "3"),
    };
    let legacy_state = match order.state {
        State::New => "4",
        State::PartiallyFilled => "5",
        State::Filled => "6",
        State::Canceled => "8",
        State::PartiallyCanceled => "12",
    };
    let market_buy = request.kind == Kind::Market && request.side == Side::Buy;
    json!({
        "symbol": request.symbol.as_str(),
        "order_id": order.id.0.to_string(),
        "client_order_id": request.client_id.as_deref().unwrap_or_default(),
        "side": request.side.word(),
        "type": if request.kind == Kind::Market { "market" } else { "limit" },
        "price": price(request.price),
        "size": size(request.size),
        "notional": if market_buy { fixed(request.notional, 8) } else { String::new() },
        "filled_size": size(order.filled_size),
        "filled_notional": fixed(order.filled_notional, 8),
        "order_state": order.state.word(),
        "state": legacy_state,
        "entrust_type": entrust_type,
        "order_type": order_type,
        "order_mode": request.mode(),
        "margin_trading": if request.margin { "1" } else { "0" },
        "last_fill_price": fill.map_or("0".to_owned(), |fill| price(fill.price)),
        "last_fill_count": fill.map_or("0".to_owned(), |fill| size(fill.size)),
        "last_fill_time": fill.map_or("0".to_owned(), |fill| fill.time_ms.to_string()),
        "exec_type": fill.map_or("", |fill| if fill.maker { "M" } else { "T" }),
        "detail_id": fill.map_or(String::new(), |fill| fill.trade.to_string()),
        "dealFee": fill.map_or("0".to_owned(), |fill| fixed(fill.fee, 8)),
        "deal_fee_coin_name": if fill.is_some() { rules.quote.as_str() } else { "" },
        "create_time": order.created_ms.to_string(),
        "update_time": order.updated_ms.to_string(),
        "ms_t": order.created_ms.to_string(),
    })
}

fn balance_rows(
    exchange: &Exchange,
    account: AccountId,
    reason: BalanceReason,
    currencies: &[SmolStr],
    now_ms: u64,
) -> Value {
    let event = match reason {
        BalanceReason::Trade => "TRANSACTION_COMPLETED",
        BalanceReason::Deposit => "ACCOUNT_RECHARGE",
        BalanceReason::Withdrawal => "ACCOUNT_WITHDRAWAL",
        BalanceReason::Transfer => "ACCOUNT_TRANSFER",
    };
    let wallet = |currency: &SmolStr| {
        let money = exchange.accounts.get(&account).and_then(|account| account.spot.get(currency));
        money.copied().unwrap_or_default()
    };
    let rows = currencies.iter().map(|currency| {
        let money = wallet(currency);
        json!({ "ccy": currency.as_str(), "av_bal": plain(money.available), "fz_bal": plain(money.frozen) })
    });
    json!({
        "event_type": event,
        "event_time": now_ms.to_string(),
        "balance_details": rows.collect::<Value>(),
    })
}
