//! What REST knows of an account.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use bitmart_rest::futures::{
    ListFuturesFills, ListFuturesOpenOrders, ListPositions, QueryFuturesOrder,
};
use bitmart_rest::history::{History, HistoryError};
use bitmart_rest::spot::{ListAccountTrades, ListOpenOrders, ListOrderHistory};
use bitmart_rest::{Client, Error};
use bitmart_types::{Decimal, OrderId, RowFault, Timestamp};

use crate::sync::Snapshot;
use crate::{Fill, Instrument, Market, Order, convert};

/// Queries reach this far into the future, because the exchange's clock may be ahead.
const AHEAD: Duration = Duration::from_mins(1);

/// What to ask for.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) market: Market,
    /// The begin of what may have been missed; `None` when nothing can have been.
    pub(crate) from: Option<Timestamp>,
    /// Orders that were open when last heard of.
    pub(crate) open: BTreeMap<OrderId, Instrument>,
}

/// The fills of a span, for an audit; `None` where one of them cannot be read.
pub(crate) async fn fills(
    client: Client,
    market: Market,
    from: Timestamp,
    until: Timestamp,
) -> Result<Option<Vec<Fill>>, HistoryError> {
    let mut faults = Vec::new();
    let fills = match market {
        Market::Spot => walk(&client, ListAccountTrades::new(), (from, until), &mut faults).await?,
        Market::Futures => {
            walk(&client, ListFuturesFills::new(), (from, until), &mut faults).await?
        }
    };
    Ok(faults.is_empty().then_some(fills))
}

impl Plan {
    pub(crate) async fn carry_out(self, client: Client) -> Result<Snapshot, HistoryError> {
        match self.market {
            Market::Spot => self.spot(&client).await,
            Market::Futures => self.futures(&client).await,
        }
    }

    async fn spot(mut self, client: &Client) -> Result<Snapshot, HistoryError> {
        let spot = client.spot();
        let open = spot.open_orders(ListOpenOrders::new()).await.map_err(HistoryError::Request)?;
        let mut unreadable = open.faults().to_vec();
        let mut orders: Vec<Order> = open.into_iter().map(Order::from).collect();
        let mut fills: Vec<Fill> = Vec::new();
        if let Some(from) = self.from {
            let span = (from, client.now() + AHEAD);
            let finished = walk(client, ListOrderHistory::new(), span, &mut unreadable);
            orders.extend(finished.await?);
            fills = walk(client, ListAccountTrades::new(), span, &mut unreadable).await?;
        }
        let lacks_rows = !unreadable.is_empty();
        let mut unknown = Vec::new();
        for (id, _) in self.left(&orders, &fills) {
            match found(spot.order(id.clone()).await)? {
                Some(order) => orders.push(order.into()),
                None => unknown.push(id),
            }
        }
        let wallet = client.account().spot_wallet().await.map_err(HistoryError::Request)?;
        unreadable.extend_from_slice(wallet.wallet.faults());
        let balances = wallet.wallet.into_iter().map(convert::spot_row).collect();
        Ok(Snapshot {
            orders,
            fills,
            balances,
            unreadable,
            lacks_rows,
            unknown,
            ..Snapshot::default()
        })
    }

    /// BitMart lists finished futures orders by contract only. Those that somebody else placed and
    /// cancelled without a fill, all while nobody listened, stay unknown.
    async fn futures(mut self, client: &Client) -> Result<Snapshot, HistoryError> {
        let futures = client.futures();
        let open = futures.open_orders(ListFuturesOpenOrders::new()).await;
        let open = open.map_err(HistoryError::Request)?;
        let mut unreadable = open.faults().to_vec();
        let mut orders: Vec<Order> = open.into_iter().map(Order::from).collect();
        let mut fills: Vec<Fill> = Vec::new();
        if let Some(from) = self.from {
            let span = (from, client.now() + AHEAD);
            fills = walk(client, ListFuturesFills::new(), span, &mut unreadable).await?;
        }
        let lacks_rows = !unreadable.is_empty();
        let mut unknown = Vec::new();
        for (id, instrument) in self.left(&orders, &fills) {
            if let Instrument::Contract(symbol) = instrument {
                match found(futures.order(QueryFuturesOrder::new(symbol, id.clone())).await)? {
                    Some(order) => orders.push(order.into()),
                    None => unknown.push(id),
                }
            }
        }
        let positions = futures.positions(ListPositions::new()).await;
        let positions = positions.map_err(HistoryError::Request)?;
        unreadable.extend_from_slice(positions.faults());
        let is_open = |size: &Decimal| !size.is_zero();
        let held = positions.iter().filter(|row| is_open(&row.size)).count();
        let held = held + positions.faults().len();
        let positions: Vec<_> = positions.into_iter().filter_map(convert::position_row).collect();
        let placed = positions.iter().filter(|(_, position)| is_open(&position.size)).count();
        let assets = futures.assets().await.map_err(HistoryError::Request)?;
        unreadable.extend_from_slice(assets.assets.faults());
        let balances = assets.assets.into_iter().map(convert::futures_row).collect();
        Ok(Snapshot {
            orders,
            fills,
            balances,
            positions: Some(positions),
            unreadable,
            lacks_rows,
            lacks_positions: placed != held,
            unknown,
        })
    }

    /// The orders that must be asked for one by one: open when last heard of or filled since, and in
    /// none of the lists.
    fn left(&mut self, listed: &[Order], fills: &[Fill]) -> BTreeMap<OrderId, Instrument> {
        let mut left = std::mem::take(&mut self.open);
        left.extend(fills.iter().map(|fill| (fill.order_id.clone(), fill.instrument.clone())));
        let listed: HashSet<_> = listed.iter().map(|order| &order.order_id).collect();
        left.retain(|id, _| !listed.contains(id));
        left
    }
}

/// All rows of a span, and those that cannot be read.
async fn walk<H: History, T: From<H::Row>>(
    client: &Client,
    request: H,
    (from, until): (Timestamp, Timestamp),
    unreadable: &mut Vec<RowFault>,
) -> Result<Vec<T>, HistoryError> {
    let mut pages = client.history(request, from, until);
    let mut rows = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page?;
        unreadable.extend_from_slice(page.faults());
        rows.extend(page.into_iter().map(T::from));
    }
    Ok(rows)
}

/// An order that the exchange does not find tells nothing: old orders are forgotten after a while.
fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, HistoryError> {
    match answer {
        Ok(order) => Ok(Some(order)),
        Err(error) if error.is_order_not_open() => Ok(None),
        Err(error) => Err(HistoryError::Request(error)),
    }
}
