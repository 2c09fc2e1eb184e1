//! The private streams of one market, converted to changes.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use bitmart_types::Currency;
use bitmart_ws::event::Event;
use bitmart_ws::topic::Topic;
use bitmart_ws::{Client, Error, Subscription, Update, futures, spot, topic};
use futures_util::StreamExt as _;

use crate::convert::{FlatContract, PositionEvent};
use crate::sync::Change;
use crate::{Fill, Instrument, MalformedItem, Market, convert};

/// The content of an event.
#[derive(Default)]
pub(crate) struct Decoded {
    pub(crate) changes: Vec<Change>,
    /// Contracts without a position, on a side that the event does not name.
    pub(crate) flat: Vec<FlatContract>,
    /// Parts that could not be decoded or that lack a required field.
    pub(crate) malformed: Vec<MalformedItem>,
}

impl Decoded {
    fn push<T>(&mut self, item: Result<T, MalformedItem>, change: impl FnOnce(T) -> Change) {
        match item {
            Ok(item) => self.changes.push(change(item)),
            Err(malformed) => self.malformed.push(malformed),
        }
    }
}

/// A subscription to any type of event.
pub(crate) trait Source: Send {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Update<Decoded>, Error>>>;
    /// Everything received until this time was returned before the last item.
    fn delivered_until(&self) -> Option<Instant>;
    /// Everything received until this time has been returned or is queued.
    fn received_until(&self) -> Option<Instant>;
    /// When the last item was received.
    fn received_at(&self) -> Option<Instant>;
}

pub(crate) type Sources = Vec<Box<dyn Source>>;

pub(crate) type Opening = Pin<Box<dyn Future<Output = Result<Sources, Error>> + Send>>;

struct TypedSource<T> {
    subscription: Subscription<T>,
    convert: fn(T, &mut Decoded),
}

impl<T: Event> Source for TypedSource<T> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Update<Decoded>, Error>>> {
        let convert = self.convert;
        self.subscription.poll_next_unpin(context).map_ok(|update| {
            update.map(|event| {
                let mut decoded = Decoded::default();
                convert(event, &mut decoded);
                decoded
            })
        })
    }

    fn delivered_until(&self) -> Option<Instant> {
        self.subscription.delivered_until()
    }

    fn received_until(&self) -> Option<Instant> {
        self.subscription.received_until()
    }

    fn received_at(&self) -> Option<Instant> {
        self.subscription.received_at().map(|at| at.instant)
    }
}

async fn subscribe<T: Event>(
    ws: &Client,
    topic: Topic<T>,
    convert: fn(T, &mut Decoded),
) -> Result<Box<dyn Source>, Error> {
    Ok(Box::new(TypedSource { subscription: ws.subscribe(topic).await?, convert }))
}

/// Subscribes to all private topics of this market.
pub(crate) fn open(ws: Client, market: Market, currencies: Vec<Currency>) -> Opening {
    match market {
        Market::Spot => Box::pin(open_spot(ws)),
        Market::Futures => Box::pin(open_futures(ws, currencies)),
    }
}

async fn open_spot(ws: Client) -> Result<Sources, Error> {
    let orders = subscribe(&ws, topic::spot::all_user_orders(), spot_order).await?;
    let balances = subscribe(&ws, topic::spot::user_balances(), spot_balances).await?;
    Ok(vec![orders, balances])
}

async fn open_futures(ws: Client, currencies: Vec<Currency>) -> Result<Sources, Error> {
    let orders = subscribe(&ws, topic::futures::user_orders(), futures_order).await?;
    let positions = subscribe(&ws, topic::futures::user_positions(), futures_position).await?;
    let mut sources = vec![orders, positions];
    for currency in currencies {
        let balances = topic::futures::user_balances(currency);
        sources.push(subscribe(&ws, balances, futures_balance).await?);
    }
    Ok(sources)
}

fn spot_order(update: spot::OrderUpdate, out: &mut Decoded) {
    let pair = Instrument::Pair(update.symbol.clone());
    let fill = update.fill().map(|fill| Fill::from_event(pair, update.order_id.clone(), fill));
    if update.has_unread_fill() {
        let order = format_args!("fill of order {}", update.order_id);
        out.malformed.push(MalformedItem::missing_field(
            order,
            "detail_id, last_fill_price or last_fill_count",
        ));
    }
    out.push(convert::spot_order_event(update), Change::Order);
    out.changes.extend(fill.map(Change::Fill));
}

fn spot_balances(update: spot::BalanceUpdate, out: &mut Decoded) {
    let (balances, faults) = update.balances.into_parts();
    out.malformed.extend(faults.into_iter().map(MalformedItem::Row));
    for balance in balances {
        let balance = convert::spot_balance_event(balance);
        out.push(balance, |(currency, balance)| Change::Balance(currency, balance));
    }
}

fn futures_order(update: futures::OrderUpdate, out: &mut Decoded) {
    let contract = Instrument::Contract(update.order.symbol.clone());
    let fill = update
        .fill()
        .map(|fill| Fill::from_futures_event(contract, update.order.order_id.clone(), fill));
    if update.has_unread_fill() {
        let order = format_args!("fill of order {}", update.order.order_id);
        out.malformed
            .push(MalformedItem::missing_field(order, "lastTradeID, fillPrice or fillQty"));
    }
    out.push(convert::futures_order_event(update.order), Change::Order);
    out.changes.extend(fill.map(Change::Fill));
}

fn futures_position(update: futures::Position, out: &mut Decoded) {
    match convert::position_event(update) {
        Ok(PositionEvent::Position(key, position)) => {
            out.changes.push(Change::Position(key, position));
        }
        Ok(PositionEvent::Flat(flat)) => out.flat.push(flat),
        Err(malformed) => out.malformed.push(malformed),
    }
}

fn futures_balance(update: futures::Balance, out: &mut Decoded) {
    let balance = convert::futures_balance_event(update);
    out.push(balance, |(currency, balance)| Change::Balance(currency, balance));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Converts a frame with these texts replaced. Returns the number of changes and what is malformed.
    fn convert_frame<T: Event>(
        frame: &str,
        replacements: &[(&str, &str)],
        convert: fn(T, &mut Decoded),
    ) -> (usize, Vec<String>) {
        let mut frame = frame.to_owned();
        for (from, to) in replacements {
            assert!(frame.contains(from), "{from}");
            frame = frame.replace(from, to);
        }
        let (mut entries, mut decoded) = (Vec::new(), Decoded::default());
        T::decode(&frame, &mut entries).expect("decodes");
        for entry in entries {
            convert(entry, &mut decoded);
        }
        (decoded.changes.len(), decoded.malformed.iter().map(ToString::to_string).collect())
    }

    const POSITION: &str = r#"{"group":"futures/position","data":[{"symbol":"BTCUSDT",
        "hold_volume":"3","position_type":1,"hold_avg_price":"5"}]}"#;
    const BALANCE: &str = r#"{"group":"futures/asset:USDT","data":{"currency":"USDT",
        "available_balance":"3","position_deposit":"0","frozen_balance":"0"}}"#;
    const SPOT: &str = r#"{"table":"spot/user/orders","data":[{"symbol":"BTC_USDT","side":"buy",
        "type":"limit","filled_size":"1","order_id":"7","last_fill_price":"5",
        "last_fill_count":"1","detail_id":"9","order_state":"partially_filled"}]}"#;
    const FUTURES: &str = r#"{"group":"futures/order","data":[{"action":3,"order":{"order_id":"7",
        "size":"2","symbol":"BTCUSDT","state":2,"side":4,"deal_size":"1"}}]}"#;

    #[test]
    fn a_missing_field_is_reported_and_the_rest_is_applied() {
        assert_eq!(convert_frame(POSITION, &[], futures_position), (1, Vec::new()));
        let (changes, malformed) =
            convert_frame(POSITION, &[("_type\":1", "_type\":9")], futures_position);
        let missing = "position of BTCUSDT: position_type is missing or not known";
        assert_eq!((changes, malformed), (0, vec![missing.to_owned()]));
        let flat = ("hold_volume\":\"3", "hold_volume\":\"0");
        for (side, expected) in [("1", 1), ("0", 0), ("null", 0), ("\"\"", 0)] {
            let side = format!("_type\":{side}");
            let replaced = [flat, ("_type\":1", &side)];
            let read = convert_frame(POSITION, &replaced, futures_position);
            assert_eq!(read, (expected, Vec::new()), "a flat position needs no side: {side}");
            let hedged = format!("{side},\"position_mode\":\"hedge_mode\"");
            let replaced = [flat, ("_type\":1", &hedged)];
            let (_, malformed) = convert_frame(POSITION, &replaced, futures_position);
            assert_eq!(malformed.len(), 1 - expected, "unless both sides may be open: {side}");
        }

        assert_eq!(convert_frame(BALANCE, &[], futures_balance), (1, Vec::new()));
        let (changes, malformed) =
            convert_frame(BALANCE, &[("available_", "other_")], futures_balance);
        assert_eq!((changes, malformed.len()), (0, 1), "{malformed:?}");

        assert_eq!(convert_frame(SPOT, &[], spot_order), (2, Vec::new()));
        for field in ["filled_size", "order_state"] {
            let (changes, malformed) = convert_frame(SPOT, &[(field, "other")], spot_order);
            assert_eq!(changes, 1, "the fill");
            assert_eq!(malformed, [format!("order 7: {field} is missing or not known")]);
        }
        let (changes, malformed) = convert_frame(SPOT, &[("detail_id", "other")], spot_order);
        assert_eq!((changes, malformed.len()), (1, 1), "the order: {malformed:?}");

        for fill in [r#"{"lastTradeID":{},"fillQty":"?","fillPrice":[]}"#, r#"{"fillQty":"--"}"#] {
            let fill = format!("\"state\":2,\"last_trade\":{fill}");
            let replaced = [("\"state\":2", &*fill)];
            let (changes, malformed) = convert_frame(FUTURES, &replaced, futures_order);
            assert_eq!((changes, malformed.len()), (1, 1), "the order: {malformed:?}");
            assert!(malformed[0].starts_with("fill of order 7"), "{malformed:?}");
        }
        assert_eq!(convert_frame(FUTURES, &[], futures_order), (1, Vec::new()));
        for field in ["\"size", "\"deal_size"] {
            let (changes, malformed) = convert_frame(FUTURES, &[(field, "\"other")], futures_order);
            assert_eq!((changes, malformed.len()), (0, 1), "{malformed:?}");
        }
    }
}
