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

use super::holdings::{self, BalanceReport};
use super::{Fill, Instrument, Market, Order, Position, PositionKey};

/// Queries reach this far into the future, because the exchange's clock may be ahead.
const AHEAD: Duration = Duration::from_mins(1);

/// The account at one moment, and what happened since an earlier one.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    pub(super) orders: Vec<Order>,
    pub(super) fills: Vec<Fill>,
    pub(super) balances: Vec<BalanceReport>,
    /// Open positions; `None` where there are no positions.
    pub(super) positions: Option<Vec<(PositionKey, Position)>>,
    /// Whether these are all: no row of them is unreadable or without a direction.
    pub(super) all_positions: bool,
    /// Rows that do not decode.
    pub(super) faults: Vec<RowFault>,
}

/// What to ask for.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) market: Market,
    /// The begin of what may have been missed; `None` when nothing was listened to before.
    pub(super) since: Option<Timestamp>,
    /// Orders that were open when last heard of.
    pub(super) open: BTreeMap<OrderId, Instrument>,
}

impl Plan {
    pub(super) async fn carry_out(self, client: Client) -> Result<Snapshot, HistoryError> {
        match self.market {
            Market::Spot => self.spot(&client).await,
            Market::Futures => self.futures(&client).await,
        }
    }

    async fn spot(mut self, client: &Client) -> Result<Snapshot, HistoryError> {
        let spot = client.spot();
        let open = spot.open_orders(ListOpenOrders::new()).await.map_err(HistoryError::Request)?;
        let mut faults = open.faults().to_vec();
        let mut orders: Vec<Order> = open.into_iter().map(Order::from).collect();
        let mut fills: Vec<Fill> = Vec::new();
        if let Some(since) = self.since {
            orders.extend(walk(client, ListOrderHistory::new(), since, &mut faults).await?);
            fills = walk(client, ListAccountTrades::new(), since, &mut faults).await?;
        }
        for (id, _) in self.left(&orders, &fills) {
            let found = found(spot.order(id).await)?;
            orders.extend(found.map(Order::from));
        }
        let wallet = client.account().spot_wallet().await.map_err(HistoryError::Request)?;
        faults.extend_from_slice(wallet.wallet.faults());
        let balances = wallet.wallet.into_iter().map(holdings::spot_row).collect();
        Ok(Snapshot { orders, fills, balances, faults, ..Snapshot::default() })
    }

    /// BitMart lists finished futures orders by contract only. Those that somebody else placed and
    /// cancelled without a fill, all while nobody listened, stay unknown.
    async fn futures(mut self, client: &Client) -> Result<Snapshot, HistoryError> {
        let futures = client.futures();
        let open = futures.open_orders(ListFuturesOpenOrders::new()).await;
        let open = open.map_err(HistoryError::Request)?;
        let mut faults = open.faults().to_vec();
        let mut orders: Vec<Order> = open.into_iter().map(Order::from).collect();
        let mut fills: Vec<Fill> = Vec::new();
        if let Some(since) = self.since {
            fills = walk(client, ListFuturesFills::new(), since, &mut faults).await?;
        }
        for (id, instrument) in self.left(&orders, &fills) {
            if let Instrument::Contract(symbol) = instrument {
                let found = found(futures.order(QueryFuturesOrder::new(symbol, id)).await)?;
                orders.extend(found.map(Order::from));
            }
        }
        let positions = futures.positions(ListPositions::new()).await;
        let positions = positions.map_err(HistoryError::Request)?;
        faults.extend_from_slice(positions.faults());
        let held = |row: &&bitmart_rest::futures::Position| row.size != Decimal::ZERO;
        let held = positions.iter().filter(held).count() + positions.faults().len();
        let positions: Vec<_> = positions.into_iter().filter_map(holdings::position_row).collect();
        let placed = positions.iter().filter(|(_, position)| position.size != Decimal::ZERO);
        let all_positions = placed.count() == held;
        let assets = futures.assets().await.map_err(HistoryError::Request)?;
        faults.extend_from_slice(assets.assets.faults());
        let balances = assets.assets.into_iter().map(holdings::futures_row).collect();
        let positions = Some(positions);
        Ok(Snapshot { orders, fills, balances, positions, all_positions, faults })
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

/// All rows since then, and those that do not decode.
async fn walk<H: History, T: From<H::Row>>(
    client: &Client,
    request: H,
    since: Timestamp,
    faults: &mut Vec<RowFault>,
) -> Result<Vec<T>, HistoryError> {
    let mut pages = client.history(request, since, client.now() + AHEAD);
    let mut rows = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page?;
        faults.extend_from_slice(page.faults());
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
