//! Lists of spot orders and trades, newest first. No source documents the order.

use bitmart_sim::spot_order::NewSpotOrder;

use serde_json::Value;

use crate::wire::{
    Call, HandlerResult,
    error::{WireError, error},
    spot::rows::{fill_row, order_row},
    window::Window,
};

/// Maximum and default number of rows per response.
const MAX_ROWS: i64 = 200;

/// The filters of a list.
struct Filter {
    symbol: Option<String>,
    window: Window,
    /// `true` for margin orders only, `false` for other orders only; `None` for all.
    margin: Option<bool>,
    limit: usize,
}

impl Filter {
    fn read(call: &Call<'_>) -> Result<Self, WireError> {
        let params = &call.params;
        let symbol = params.text("symbol")?;
        if symbol.as_deref().is_some_and(|symbol| call.exchange.spot_market(symbol).is_none()) {
            return Err(error(50001));
        }
        let window = Window::spot(params, call.now_ms)?;
        let limit = params.limit(MAX_ROWS, MAX_ROWS)?;
        let margin = match params.text("orderMode")?.as_deref() {
            None => None,
            Some("spot") => Some(false),
            Some("iso_margin") => Some(true),
            Some(_) => return Err(error(52000)),
        };
        Ok(Self { symbol, window, margin, limit })
    }

    /// Whether the filter matches an order, or a trade of it, at `time_ms`.
    fn matches(&self, order: &NewSpotOrder, time_ms: u64) -> bool {
        self.window.contains(time_ms)
            && self.symbol.as_deref().is_none_or(|filter| order.symbol == filter)
            && self.margin.is_none_or(|margin| order.margin == margin)
    }
}

pub(crate) fn open_orders(call: &mut Call<'_>) -> HandlerResult {
    orders(call, true)
}

pub(crate) fn order_history(call: &mut Call<'_>) -> HandlerResult {
    orders(call, false)
}

/// Orders by creation time. No source states which time the window is about.
fn orders(call: &mut Call<'_>, open: bool) -> HandlerResult {
    let filter = Filter::read(call)?;
    let ids = call.account()?.spot_orders.all();
    let exchange = &call.exchange;
    let rows = ids
        .iter()
        .rev()
        .filter_map(|id| exchange.spot_order(*id))
        .filter(|order| order.state.is_open() == open)
        .filter(|order| filter.matches(&order.request, order.created_ms))
        .take(filter.limit)
        .filter_map(|order| {
            Some(order_row(order, &exchange.spot_market(&order.request.symbol)?.rules))
        });
    Ok(rows.collect::<Value>())
}

pub(crate) fn fills(call: &mut Call<'_>) -> HandlerResult {
    let (account, filter) = (call.account_id()?, Filter::read(call)?);
    let exchange = &call.exchange;
    let rows = exchange
        .spot_fills()
        .rev()
        .filter(|fill| fill.account == account && filter.matches(&fill.request, fill.time_ms))
        .take(filter.limit)
        .filter_map(|fill| {
            Some(fill_row(fill, &exchange.spot_market(&fill.request.symbol)?.rules))
        });
    Ok(rows.collect::<Value>())
}
