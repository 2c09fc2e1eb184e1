//! The private streams of one market, taken apart into reports.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use bitmart_types::Currency;
use bitmart_ws::event::Event;
use bitmart_ws::{Client, Error, Subscription, Topic, Update, topic};
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
    fn queued_at(&self) -> Option<Instant>;
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
        self.subscription.last_received()
    }

    fn heard(&self) -> Option<Instant> {
        self.subscription.heard()
    }

    fn queued_at(&self) -> Option<Instant> {
        self.subscription.queued_at()
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
    let orders = open_one(&ws, topic::spot::all_user_orders(), |update, out| {
        let pair = Instrument::Pair(update.symbol.clone());
        let fill = update.fill();
        let fill = fill.map(|fill| Fill::of(pair, update.order_id.clone(), fill));
        if update.has_unread_fill() {
            let order = format_args!("fill of order {}", update.order_id);
            out.unread
                .push(Unread::lacking(order, "detail_id, last_fill_price or last_fill_count"));
        }
        out.take(convert::spot_order_event(update), Report::Order);
        out.told.extend(fill.map(Report::Fill));
    });
    let orders = orders.await?;
    let balances = open_one(&ws, topic::spot::user_balances(), |update, out| {
        let (balances, faults) = update.balances.into_parts();
        out.unread.extend(faults.into_iter().map(Unread::Row));
        for balance in balances {
            let balance = convert::spot_event(balance);
            out.take(balance, |(currency, balance)| Report::Balance(currency, balance));
        }
    });
    Ok(vec![orders, balances.await?])
}

async fn futures(ws: Client, currencies: Vec<Currency>) -> Result<Sources, Error> {
    let orders = open_one(&ws, topic::futures::user_orders(), |update, out| {
        let contract = Instrument::Contract(update.order.symbol.clone());
        let fill = update.fill();
        let fill = fill.map(|fill| Fill::of(contract, update.order.order_id.clone(), fill));
        out.take(convert::futures_order_event(update.order), Report::Order);
        out.told.extend(fill.map(Report::Fill));
    });
    let orders = orders.await?;
    let positions = open_one(&ws, topic::futures::user_positions(), |update, out| {
        let position = convert::position_event(update);
        out.take(position, |(key, position)| Report::Position(key, position));
    });
    let mut sources = vec![orders, positions.await?];
    for currency in currencies {
        let asset = open_one(&ws, topic::futures::user_assets(currency), |update, out| {
            let balance = convert::futures_event(update);
            out.take(balance, |(currency, balance)| Report::Balance(currency, balance));
        });
        sources.push(asset.await?);
    }
    Ok(sources)
}
