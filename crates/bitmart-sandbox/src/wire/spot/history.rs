//! Lists of spot orders and trades. Newest first: no source states the order of the rows.

use bitmart_sim::order::NewSpotOrder;
use serde_json::Value;

use crate::wire::{
    Call, HandlerResult,
    error::{WireError, error},
    spot::rows::{fill_row, order_row},
    window::Window,
};

/// Most rows of one response, and how many there are without a limit.
const ROWS: i64 = 200;

/// The filters of a list.
struct Wanted {
    symbol: Option<String>,
    window: Window,
    /// Only margin orders, or only others.
    margin: Option<bool>,
    limit: usize,
}

impl Wanted {
    fn read(call: &Call<'_>) -> Result<Self, WireError> {
        let params = &call.params;
        let symbol = params.text("symbol")?;
        if symbol.as_deref().is_some_and(|symbol| !call.exchange.spot.contains_key(symbol)) {
            return Err(error(50001));
        }
        let window = Window::spot(params, call.now_ms)?;
        let limit = params.limit(ROWS, ROWS)?;
        let margin = match params.text("orderMode")?.as_deref() {
            None => None,
            Some("spot") => Some(false),
            Some("iso_margin") => Some(true),
            Some(_) => return Err(error(52000)),
        };
        Ok(Self { symbol, window, margin, limit })
    }

    /// Whether an order, or a trade of it at this time, is requested.
    fn has(&self, order: &NewSpotOrder, time_ms: u64) -> bool {
        self.window.holds(time_ms)
            && self.symbol.as_deref().is_none_or(|wanted| order.symbol == wanted)
            && self.margin.is_none_or(|margin| order.margin == margin)
    }
}

pub(crate) fn open_orders(call: &mut Call<'_>) -> HandlerResult {
    orders(call, true)
}

pub(crate) fn finished_orders(call: &mut Call<'_>) -> HandlerResult {
    orders(call, false)
}

/// Orders by the time of their creation: no source says which time the window is about.
fn orders(call: &mut Call<'_>, open: bool) -> HandlerResult {
    let wanted = Wanted::read(call)?;
    let ids = call.owner()?.spot_orders.all();
    let exchange = &call.exchange;
    let rows = ids
        .iter()
        .rev()
        .filter_map(|id| exchange.spot_orders.get(id))
        .filter(|order| order.state.is_open() == open)
        .filter(|order| wanted.has(&order.request, order.created_ms))
        .take(wanted.limit)
        .filter_map(|order| {
            Some(order_row(order, &exchange.spot.get(&order.request.symbol)?.rules))
        });
    Ok(rows.collect::<Value>())
}

pub(crate) fn trades(call: &mut Call<'_>) -> HandlerResult {
    let (account, wanted) = (call.account()?, Wanted::read(call)?);
    let exchange = &call.exchange;
    let rows = exchange
        .spot_fills
        .iter()
        .rev()
        .filter(|fill| fill.account == account && wanted.has(&fill.request, fill.time_ms))
        .take(wanted.limit)
        .filter_map(|fill| Some(fill_row(fill, &exchange.spot.get(&fill.request.symbol)?.rules)));
    Ok(rows.collect::<Value>())
}
