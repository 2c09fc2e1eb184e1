//! Values for the tests of several modules.

use bitmart_types::{Timestamp, dec};

use crate::{Fill, Instrument};

/// A fill of one unit of `BTC_USDT` at 5.
pub(crate) fn fill(order_id: &str, trade_id: &str, timestamp: Option<Timestamp>) -> Fill {
    Fill {
        trade_id: trade_id.into(),
        order_id: order_id.into(),
        instrument: Instrument::Pair("BTC_USDT".into()),
        price: dec!(5),
        size: dec!(1),
        fee: None,
        fee_currency: None,
        trade_role: None,
        timestamp,
    }
}
