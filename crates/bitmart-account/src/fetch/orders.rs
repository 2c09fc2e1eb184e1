//! The orders that a fetch has read, from lists and by id.

use std::collections::{BTreeMap, BTreeSet};

use bitmart_rest::Error;
use bitmart_rest::code::{Category, RetryAdvice};
use bitmart_rest::history::HistoryError;
use bitmart_types::{Decimal, OrderId, Rows, Timestamp};

use super::bursts::OrdersOfFills;
use super::split_rows;
use crate::sync::Page;
use crate::{Instrument, MalformedItem, Order};

/// What a fetch remembers of an order after it has passed on its row.
#[derive(Debug)]
pub(super) struct FetchedOrder {
    pub(super) instrument: Instrument,
    /// The largest filled size of the order's rows. There may be more by now.
    pub(super) filled_size: Decimal,
    pub(super) is_final: bool,
    pub(super) create_time: Option<Timestamp>,
}

/// The orders of all rows so far.
#[derive(Debug, Default)]
pub(super) struct FetchedOrders(BTreeMap<OrderId, FetchedOrder>);

impl FetchedOrders {
    /// Adds the rows of a list. Returns them as a page.
    pub(super) fn add<T>(&mut self, rows: Rows<T>) -> Page
    where
        T: TryInto<Order, Error = MalformedItem>,
    {
        let (orders, malformed): (Vec<Order>, _) = split_rows(rows);
        for order in &orders {
            self.insert(order);
        }
        Page { orders, malformed, ..Page::default() }
    }

    fn insert(&mut self, order: &Order) {
        let instrument = order.instrument.clone();
        let known = self.0.entry(order.order_id.clone()).or_insert(FetchedOrder {
            instrument,
            filled_size: Decimal::ZERO,
            is_final: false,
            create_time: order.create_time,
        });
        known.filled_size = known.filled_size.max(order.filled_size);
        known.is_final |= order.progress.is_final();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&OrderId, &FetchedOrder)> {
        self.0.iter()
    }

    /// Returns the orders to query one by one: those that were open or have fills, and that are in no
    /// list.
    pub(super) fn unlisted(
        &self,
        open: BTreeMap<OrderId, Instrument>,
        fills: &OrdersOfFills,
    ) -> BTreeMap<OrderId, Instrument> {
        let mut orders = open;
        orders.extend(fills.orders().map(|(id, instrument)| (id.clone(), instrument.clone())));
        orders.retain(|id, _| !self.0.contains_key(id));
        orders
    }
}

/// Orders that were queried by id, and whose state the exchange did not return.
#[derive(Debug, Default)]
pub(super) struct UnansweredOrders {
    /// The exchange does not know the id: it forgets old orders after a while.
    pub(super) not_found: Vec<OrderId>,
    /// The exchange says only that they are finished.
    pub(super) finished: Vec<OrderId>,
    /// The instruments of orders whose symbol the exchange does not know.
    pub(super) unknown_instruments: BTreeSet<Instrument>,
    /// One report for each order of these instruments.
    pub(super) malformed: Vec<MalformedItem>,
    instruments: BTreeMap<OrderId, Instrument>,
}

impl UnansweredOrders {
    /// Reads the result of a query. Returns the order as a page, if it was returned.
    pub(super) fn read<T: TryInto<Order, Error = MalformedItem>>(
        &mut self,
        id: OrderId,
        instrument: Instrument,
        result: Result<T, Error>,
        orders: &mut FetchedOrders,
    ) -> Result<Option<Page>, HistoryError> {
        match result {
            Ok(order) => {
                return Ok(Some(match order.try_into() {
                    Ok(order) => {
                        orders.insert(&order);
                        Page { orders: vec![order], ..Page::default() }
                    }
                    Err(item) => Page { malformed: vec![item], ..Page::default() },
                }));
            }
            Err(error) if error.is_order_finished() => self.finished.push(id.clone()),
            Err(error) if error.is_order_not_found() => self.not_found.push(id.clone()),
            // It would fail in every fetch, so the fetch goes on without this order.
            Err(error) if is_unknown_symbol(&error) => {
                self.malformed.push(MalformedItem::UnknownInstrument {
                    order_id: id.clone(),
                    instrument: instrument.clone(),
                });
                self.unknown_instruments.insert(instrument.clone());
            }
            Err(error) => return Err(HistoryError::Request(error)),
        }
        self.instruments.insert(id, instrument);
        Ok(None)
    }

    /// Returns these orders with their instruments.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&OrderId, &Instrument)> {
        self.instruments.iter()
    }
}

/// Whether the exchange rejected a request because it does not know this pair or contract, or no longer serves it, as
/// after a delisting. While trading is only paused, the request is repeated.
pub(super) fn is_unknown_symbol(error: &Error) -> bool {
    let is_unknown = matches!(error.code(), Some(40034 | 50001 | 70002));
    let is_not_served = error.category() == Some(Category::Instrument)
        && error.retry_advice() != Some(RetryAdvice::Later);
    is_unknown || is_not_served
}
