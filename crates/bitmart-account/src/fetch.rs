//! What REST knows of an account.

mod spans;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bitmart_rest::history::{History, HistoryError};
use bitmart_rest::{Client, Error, futures, spot};
use bitmart_types::{OrderId, Rows, Timestamp};
use futures_util::future::{try_join3, try_join4};

use crate::sync::{Page, Snapshot};
use crate::{Fill, Instrument, Market, Order, Unread, convert};

/// Queries reach this far into the future, because the exchange's clock may be ahead.
const AHEAD: Duration = Duration::from_secs(60);

/// Open spot orders are those of a span, too, and without one those of a week.
const OPEN_SPOT: Duration = Duration::from_secs(604_800);

/// What to ask for.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) market: Market,
    /// The begin of what may have been missed; `None` when nothing can have been.
    pub(crate) from: Option<Timestamp>,
    /// Orders that were open when last heard of.
    pub(crate) open: BTreeMap<OrderId, Instrument>,
}

/// Pages on their way from a fetch to whoever polls it, which empties it each time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pages(Arc<Mutex<Vec<Page>>>);

impl Pages {
    fn push(&self, page: Page) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(page);
    }

    pub(crate) fn take(&self) -> Vec<Page> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The fills of a span, for an audit; `None` where one of them cannot be read.
pub(crate) async fn fills(
    client: Client,
    market: Market,
    from: Timestamp,
    until: Timestamp,
) -> Result<Option<Vec<Fill>>, HistoryError> {
    let pages = Pages::default();
    let span = (from, until);
    match market {
        Market::Spot => walk_fills(&client, spot::ListAccountTrades::new(), span, &pages).await?,
        Market::Futures => walk_fills(&client, futures::ListFills::new(), span, &pages).await?,
    };
    let pages = pages.take();
    let whole = pages.iter().all(|page| page.unreadable.is_empty());
    let mut known = HashSet::new();
    let fills = pages.into_iter().flat_map(|page| page.fills);
    let once = fills.filter(|fill| known.insert((fill.order_id.clone(), fill.trade_id.clone())));
    Ok(whole.then(|| once.collect()))
}

impl Plan {
    /// Asks, and gives rows as they come.
    pub(crate) async fn carry_out(
        self,
        client: Client,
        pages: Pages,
    ) -> Result<Snapshot, HistoryError> {
        match self.market {
            Market::Spot => self.spot(&client, &pages).await,
            Market::Futures => self.futures(&client, &pages).await,
        }
    }

    async fn spot(self, client: &Client, pages: &Pages) -> Result<Snapshot, HistoryError> {
        let until = client.now() + AHEAD;
        // Orders that finish in between are not among the open ones any more: their history is later.
        let orders = async {
            let mut listed = Listed::default();
            let open = (until - OPEN_SPOT, until);
            spans::walk(client, &spot::ListOpenOrders::new(), open, |rows| {
                listed.give(rows, pages)
            })
            .await?;
            if let Some(from) = self.from {
                let history = &spot::ListOrderHistory::new();
                spans::walk(client, history, (from, until), |rows| listed.give(rows, pages))
                    .await?;
            }
            Ok(listed)
        };
        let fills = async {
            let Some(from) = self.from else { return Ok(BTreeMap::new()) };
            walk_fills(client, spot::ListAccountTrades::new(), (from, until), pages).await
        };
        let wallet = async { client.account().spot_wallet().await.map_err(HistoryError::Request) };
        let (listed, filled, wallet) = try_join3(orders, fills, wallet).await?;
        let mut unknown = Vec::new();
        for (id, _) in listed.without(self.open, filled) {
            match found(client.spot().order(id.clone()).await)? {
                Some(order) => pages.push(one(order.into())),
                None => unknown.push(id),
            }
        }
        let (rows, unreadable) = wallet.wallet.into_parts();
        let balances = rows.into_iter().map(convert::spot_row).collect();
        let unreadable = unreadable.into_iter().map(Unread::Row).collect();
        Ok(Snapshot { balances, unreadable, unknown, ..Snapshot::default() })
    }

    /// BitMart lists finished futures orders by contract only. Those that somebody else placed and
    /// cancelled without a fill, all while nobody listened, stay unknown.
    async fn futures(self, client: &Client, pages: &Pages) -> Result<Snapshot, HistoryError> {
        let futures = client.futures();
        let until = client.now() + AHEAD;
        let orders = async {
            let mut listed = Listed::default();
            let open = futures.open_orders(futures::ListOpenOrders::new()).await;
            listed.give(open.map_err(HistoryError::Request)?, pages);
            Ok(listed)
        };
        let fills = async {
            let Some(from) = self.from else { return Ok(BTreeMap::new()) };
            walk_fills(client, futures::ListFills::new(), (from, until), pages).await
        };
        let positions = async {
            futures.positions(futures::ListPositions::new()).await.map_err(HistoryError::Request)
        };
        let assets = async { futures.assets().await.map_err(HistoryError::Request) };
        let (listed, filled, positions, assets) =
            try_join4(orders, fills, positions, assets).await?;
        let mut unknown = Vec::new();
        for (id, instrument) in listed.without(self.open, filled) {
            if let Instrument::Contract(symbol) = instrument {
                match found(futures.order(futures::QueryOrder::new(symbol, id.clone())).await)? {
                    Some(order) => pages.push(one(order.into())),
                    None => unknown.push(id),
                }
            }
        }
        let (rows, faults) = positions.into_parts();
        let mut unreadable: Vec<_> = faults.into_iter().map(Unread::Row).collect();
        let mut positions = Vec::new();
        for row in rows {
            let is_open = !row.size.is_zero();
            match convert::position_row(row) {
                Ok(position) => positions.push(position),
                Err(unread) if is_open => unreadable.push(unread),
                Err(_) => {}
            }
        }
        let lacks_positions = !unreadable.is_empty();
        let (rows, faults) = assets.assets.into_parts();
        unreadable.extend(faults.into_iter().map(Unread::Row));
        let balances = rows.into_iter().map(convert::futures_row).collect();
        let positions = Some(positions);
        Ok(Snapshot { balances, positions, unreadable, lacks_positions, unknown })
    }
}

/// The orders that some list named.
#[derive(Default)]
struct Listed(HashSet<OrderId>);

impl Listed {
    fn give<T: Into<Order>>(&mut self, rows: Rows<T>, pages: &Pages) {
        let (rows, unreadable) = taken_apart(rows);
        let orders: Vec<Order> = rows;
        self.0.extend(orders.iter().map(|order| order.order_id.clone()));
        pages.push(Page { orders, unreadable, ..Page::default() });
    }

    /// The orders that must be asked for one by one: open when last heard of or filled since, and in
    /// none of the lists.
    fn without(
        self,
        open: BTreeMap<OrderId, Instrument>,
        filled: BTreeMap<OrderId, Instrument>,
    ) -> BTreeMap<OrderId, Instrument> {
        let mut left = open;
        left.extend(filled);
        left.retain(|id, _| !self.0.contains(id));
        left
    }
}

/// Walks through fills. Gives the orders that they belong to.
async fn walk_fills<H: History<Row: Into<Fill>>>(
    client: &Client,
    request: H,
    span: (Timestamp, Timestamp),
    pages: &Pages,
) -> Result<BTreeMap<OrderId, Instrument>, HistoryError> {
    let mut filled = BTreeMap::new();
    let give = |rows: Rows<H::Row>| {
        let (rows, unreadable) = taken_apart(rows);
        let fills: Vec<Fill> = rows;
        filled.extend(fills.iter().map(|fill| (fill.order_id.clone(), fill.instrument.clone())));
        pages.push(Page { fills, unreadable, ..Page::default() });
    };
    spans::walk(client, &request, span, give).await?;
    Ok(filled)
}

fn taken_apart<T: Into<U>, U>(rows: Rows<T>) -> (Vec<U>, Vec<Unread>) {
    let (rows, faults) = rows.into_parts();
    (rows.into_iter().map(T::into).collect(), faults.into_iter().map(Unread::Row).collect())
}

fn one(order: Order) -> Page {
    Page { orders: vec![order], ..Page::default() }
}

/// An order that the exchange does not find tells nothing: old orders are forgotten after a while.
fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, HistoryError> {
    match answer {
        Ok(order) => Ok(Some(order)),
        Err(error) if error.is_order_not_open() => Ok(None),
        Err(error) => Err(HistoryError::Request(error)),
    }
}
