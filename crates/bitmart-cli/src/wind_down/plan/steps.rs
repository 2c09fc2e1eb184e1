//! Builds single steps.

use bitmart::Decimal;

use super::super::facts::{OrderKind, Orders, Saving};
use super::Step;

pub(super) fn cancel_step(orders: &Orders) -> Step {
    let Orders { kind, symbol, count } = orders;
    let plural = if *count == 1 { "order" } else { "orders" };
    let by_id = |id: &String| vec![("symbol", symbol.clone()), ("order_id", id.clone())];
    let (endpoint, name, parameters) = match kind {
        OrderKind::Spot => ("spot_cancel_all_orders", "", vec![("symbol", symbol.clone())]),
        OrderKind::Algo(kind) => (
            "spot_cancel_all_algo_orders",
            "algo ",
            vec![("type", kind.clone()), ("symbol", symbol.clone())],
        ),
        OrderKind::Futures => {
            ("futures_cancel_all_orders", "futures ", vec![("symbol", symbol.clone())])
        }
        OrderKind::Plan(id) => ("futures_cancel_plan_order", "plan ", by_id(id)),
        OrderKind::Trailing(id) => ("futures_cancel_trailing_order", "trailing ", by_id(id)),
    };
    let suffix = match kind {
        OrderKind::Plan(id) | OrderKind::Trailing(id) | OrderKind::Algo(id) => format!(" {id}"),
        _ => String::new(),
    };
    Step {
        key: format!("cancel {name}{symbol}{suffix}"),
        text: format!("cancel {count} open {name}{plural} of {symbol}"),
        endpoint,
        parameters,
        currency: None,
        amount: None,
        notes: Vec::new(),
    }
}

/// Cancels orders that the exchange does not list.
pub(super) fn cancel_all_step() -> Step {
    Step {
        key: "cancel all pairs".to_owned(),
        text: "cancel all spot orders: some hold an amount, but are not listed".to_owned(),
        endpoint: "spot_cancel_all_orders",
        parameters: Vec::new(),
        currency: None,
        amount: None,
        notes: Vec::new(),
    }
}

pub(super) fn redeem_step(saving: &Saving, amount: Decimal) -> Step {
    let Saving { earn_id, currency, fixed, .. } = saving;
    let mut parameters = vec![("earnId", earn_id.clone())];
    if !fixed {
        parameters.push(("amount", amount.normalize().to_string()));
    }
    let early = "before the end of the term: interest may be lost".to_owned();
    Step {
        key: format!("redeem {earn_id}"),
        text: format!(
            "redeem {} {currency} from {} savings",
            amount.normalize(),
            if *fixed { "fixed" } else { "flexible" }
        ),
        endpoint: if *fixed { "earn_redeem_fixed" } else { "earn_redeem_flexible" },
        parameters,
        currency: Some(currency.clone()),
        amount: Some(amount),
        notes: fixed.then_some(early).into_iter().collect(),
    }
}

pub(super) fn margin_step(
    symbol: &str,
    currency: &str,
    amount: Decimal,
    side: &'static str,
) -> Step {
    let direction = if side == "in" { "from spot to" } else { "to spot from" };
    Step {
        key: format!("margin {side} {symbol} {currency}"),
        text: format!("move {amount} {currency} {direction} isolated margin of {symbol}"),
        endpoint: "margin_transfer",
        parameters: vec![
            ("symbol", symbol.to_owned()),
            ("currency", currency.to_owned()),
            ("amount", amount.to_string()),
            ("side", side.to_owned()),
        ],
        currency: Some(currency.to_owned()),
        amount: Some(amount),
        notes: Vec::new(),
    }
}
