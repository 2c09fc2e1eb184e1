//! The account tracker with many open orders: the time of an update of one of them, and the bytes of an order.

use bitmart_account::sync::AccountSync;
use bitmart_account::sync::{Change, Request};
use bitmart_account::{AccountState, Assumptions, Market, Order};
use bitmart_types::{Decimal, Timestamp};

use super::{Cost, bytes_of_each, time_of_step};
use crate::Failure;
use crate::random::Random;

const ORDER: &str = r#"{"orderId":"118100034543076010","clientOrderId":"","symbol":"BTC_USDT",
    "side":"buy","orderMode":"spot","type":"limit","state":"new","cancelSource":"","price":"48800.00","priceAvg":"0.00",
    "size":"0.50000","filledSize":"0.00000","notional":"24400.00000000","filledNotional":"0.00000000",
    "createTime":1681701557927,"updateTime":1681701559408}"#;

/// A tracker, and the orders that are reported to it.
pub(crate) struct Tracked {
    sync: AccountSync,
    orders: Vec<Order>,
    random: Random,
    now: Timestamp,
}

impl Tracked {
    pub(crate) fn new(count: usize) -> Result<Self, Failure> {
        let order: bitmart_rest::spot::Order = serde_json::from_str(ORDER)?;
        let order = Order::try_from(order).map_err(|item| format!("{item:?}"))?;
        let orders = (0..count)
            .map(|number| {
                let mut order = order.clone();
                order.order_id = number.to_string().into();
                order
            })
            .collect();
        let now = Timestamp::from_millis(1_681_701_600_000);
        let mut sync = AccountSync::new(AccountState::new(), Assumptions::default());
        sync.follow(now, Market::Spot);
        if sync.poll_request(now) != Some(Request::Open { market: Market::Spot }) {
            return Err("the tracker requests something else".into());
        }
        sync.streams_opened(now, Market::Spot, 1);
        Ok(Self { sync, orders, random: Random(17), now })
    }

    /// Reports every order to the tracker.
    pub(crate) fn report_all(&mut self) {
        for number in 0..self.orders.len() {
            self.report(number);
        }
    }

    /// Reports an order to the tracker as it is now.
    fn report(&mut self, number: usize) {
        let order = self.orders[number].clone();
        self.sync.apply(self.now, Market::Spot, 0, Change::Order(order));
        while self.sync.poll_event().is_some() {}
    }

    /// Fills one of the orders a little further, and reports it.
    pub(crate) fn step(&mut self) {
        let number = self.random.below(self.orders.len());
        self.now = Timestamp::from_millis(self.now.as_millis() + 1);
        let order = &mut self.orders[number];
        order.filled_size += Decimal::new(1, 8);
        order.update_time = Some(self.now);
        self.report(number);
    }

    pub(crate) fn open_orders(&self) -> usize {
        self.sync.state().open_orders(Market::Spot).count()
    }
}

pub(super) fn measure(orders: usize) -> Result<Cost, Failure> {
    let mut tracked = Tracked::new(orders)?;
    let allocated = allocation_counter::measure(|| tracked.report_all()).bytes_current;
    let time = time_of_step(|| tracked.step());
    if tracked.open_orders() != orders {
        return Err(format!("{} orders are open", tracked.open_orders()).into());
    }
    Ok(Cost { time, memory: bytes_of_each(allocated, orders) })
}
