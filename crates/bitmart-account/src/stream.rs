//! The private streams of one market, taken apart into reports.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use bitmart_types::Currency;
use bitmart_ws::event::Event;
use bitmart_ws::{Client, Error, Subscription, Topic, Update, futures, spot, topic};
use futures_util::StreamExt as _;

use crate::sync::Report;
use crate::{Fill, Instrument, Market, Unread, convert};

/// What an event tells.
#[derive(Default)]
pub(crate) struct Reports {
    pub(crate) told: Vec<Report>,
    /// What an account depends on and is missing in the event or cannot be read.
    pub(crate) unread: Vec<Unread>,
}

impl Reports {
    fn take<T>(&mut self, told: Result<T, Unread>, report: impl FnOnce(T) -> Report) {
        match told {
            Ok(told) => self.told.push(report(told)),
            Err(unread) => self.unread.push(unread),
        }
    }
}

/// A stream of any kind of event.
pub(crate) trait Source: Send {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Update<Reports>, Error>>>;
    /// Everything that was received until then was given before the last item.
    fn last_received(&self) -> Option<Instant>;
    /// Everything that was received until then was given or waits.
    fn heard(&self) -> Option<Instant>;
    /// What the last item tells of had come by then.
    fn received_at(&self) -> Option<Instant>;
}

pub(crate) type Sources = Vec<Box<dyn Source>>;

pub(crate) type Opening = Pin<Box<dyn Future<Output = Result<Sources, Error>> + Send>>;

struct Reading<T> {
    subscription: Subscription<T>,
    read: fn(T, &mut Reports),
}

impl<T: Event> Source for Reading<T> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Update<Reports>, Error>>> {
        let read = self.read;
        self.subscription.poll_next_unpin(context).map_ok(|update| {
            update.map(|event| {
                let mut reports = Reports::default();
                read(event, &mut reports);
                reports
            })
        })
    }

    fn last_received(&self) -> Option<Instant> {
        self.subscription.delivered_until()
    }

    fn heard(&self) -> Option<Instant> {
        self.subscription.received_until()
    }

    fn received_at(&self) -> Option<Instant> {
        self.subscription.received_at().map(|at| at.instant)
    }
}

async fn open_one<T: Event>(
    ws: &Client,
    topic: Topic<T>,
    read: fn(T, &mut Reports),
) -> Result<Box<dyn Source>, Error> {
    Ok(Box::new(Reading { subscription: ws.subscribe(topic).await?, read }))
}

/// Subscribes to everything that tells of this market.
pub(crate) fn open(ws: Client, market: Market, currencies: Vec<Currency>) -> Opening {
    match market {
        Market::Spot => Box::pin(spot(ws)),
        Market::Futures => Box::pin(futures(ws, currencies)),
    }
}

async fn spot(ws: Client) -> Result<Sources, Error> {
    let orders = open_one(&ws, topic::spot::all_user_orders(), spot_order).await?;
    let balances = open_one(&ws, topic::spot::user_balances(), spot_balances).await?;
    Ok(vec![orders, balances])
}

async fn futures(ws: Client, currencies: Vec<Currency>) -> Result<Sources, Error> {
    let orders = open_one(&ws, topic::futures::user_orders(), futures_order).await?;
    let positions = open_one(&ws, topic::futures::user_positions(), futures_position).await?;
    let mut sources = vec![orders, positions];
    for currency in currencies {
        let asset = topic::futures::user_assets(currency);
        sources.push(open_one(&ws, asset, futures_asset).await?);
    }
    Ok(sources)
}

fn spot_order(update: spot::OrderUpdate, out: &mut Reports) {
    let pair = Instrument::Pair(update.symbol.clone());
    let fill = update.fill().map(|fill| Fill::of(pair, update.order_id.clone(), fill));
    if update.has_unread_fill() {
        let order = format_args!("fill of order {}", update.order_id);
        out.unread.push(Unread::lacking(order, "detail_id, last_fill_price or last_fill_count"));
    }
    out.take(convert::spot_order_event(update), Report::Order);
    out.told.extend(fill.map(Report::Fill));
}

fn spot_balances(update: spot::BalanceUpdate, out: &mut Reports) {
    let (balances, faults) = update.balances.into_parts();
    out.unread.extend(faults.into_iter().map(Unread::Row));
    for balance in balances {
        let balance = convert::spot_event(balance);
        out.take(balance, |(currency, balance)| Report::Balance(currency, balance));
    }
}

fn futures_order(update: futures::OrderUpdate, out: &mut Reports) {
    let contract = Instrument::Contract(update.order.symbol.clone());
    let fill = update.fill().map(|fill| Fill::of(contract, update.order.order_id.clone(), fill));
    out.take(convert::futures_order_event(update.order), Report::Order);
    out.told.extend(fill.map(Report::Fill));
}

fn futures_position(update: futures::Position, out: &mut Reports) {
    let position = convert::position_event(update);
    out.take(position, |(key, position)| Report::Position(key, position));
}

fn futures_asset(update: futures::Asset, out: &mut Reports) {
    let balance = convert::futures_event(update);
    out.take(balance, |(currency, balance)| Report::Balance(currency, balance));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is not read of an entry with these members changed.
    fn unread<T: Event>(
        frame: &str,
        changes: &[(&str, &str)],
        read: fn(T, &mut Reports),
    ) -> (usize, Vec<String>) {
        let mut frame = frame.to_owned();
        for (from, to) in changes {
            assert!(frame.contains(from), "{from}");
            frame = frame.replace(from, to);
        }
        let (mut entries, mut reports) = (Vec::new(), Reports::default());
        T::decode(&frame, &mut entries).expect("decodes");
        for entry in entries {
            read(entry, &mut reports);
        }
        (reports.told.len(), reports.unread.iter().map(ToString::to_string).collect())
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
    fn what_an_event_lacks_is_named_and_the_rest_is_told() {
        assert_eq!(unread(POSITION, &[], futures_position), (1, Vec::new()));
        let (told, why) = unread(POSITION, &[("_type\":1", "_type\":9")], futures_position);
        let missing = "position of BTCUSDT: position_type is missing or not known";
        assert_eq!((told, why), (0, vec![missing.to_owned()]));

        assert_eq!(unread(BALANCE, &[], futures_asset), (1, Vec::new()));
        let (told, why) = unread(BALANCE, &[("available_", "other_")], futures_asset);
        assert_eq!((told, why.len()), (0, 1), "{why:?}");

        assert_eq!(unread(SPOT, &[], spot_order), (2, Vec::new()));
        for member in ["filled_size", "order_state"] {
            let (told, why) = unread(SPOT, &[(member, "other")], spot_order);
            assert_eq!(told, 1, "the fill");
            assert_eq!(why, [format!("order 7: {member} is missing or not known")]);
        }
        let (told, why) = unread(SPOT, &[("detail_id", "other")], spot_order);
        assert_eq!((told, why.len()), (1, 1), "the order: {why:?}");

        assert_eq!(unread(FUTURES, &[], futures_order), (1, Vec::new()));
        for member in ["\"size", "\"deal_size"] {
            let (told, why) = unread(FUTURES, &[(member, "\"other")], futures_order);
            assert_eq!((told, why.len()), (0, 1), "{why:?}");
        }
    }
}
