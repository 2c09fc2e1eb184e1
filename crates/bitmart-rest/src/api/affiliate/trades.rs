//! Trades of customers.

use bitmart_types::futures::{MarginType, Side};
use bitmart_types::{ContractSymbol, Decimal, Rows, Timestamp, UserId, codec};
use serde::{Deserialize, Serialize};

use crate::api::affiliate::{CopyTrade, OrderType, UserType};

/// A page of a customer's futures trades.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CustomerTrades {
    /// Number of rows over all pages.
    #[serde(default, with = "codec::number_opt")]
    pub total: Option<u64>,
    /// Number of this page.
    #[serde(default, with = "codec::number_opt")]
    pub page: Option<u32>,
    /// Number of rows per page.
    #[serde(rename = "size", default, with = "codec::number_opt")]
    pub limit: Option<u32>,
    /// The rows of this page.
    #[serde(rename = "list")]
    pub trades: Rows<CustomerTrade>,
}

/// A futures trade of a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CustomerTrade {
    /// The customer.
    #[serde(rename = "user_id", default, with = "codec::opt")]
    pub uid: Option<UserId>,
    /// How the customer was invited.
    #[serde(default, with = "codec::opt")]
    pub user_type: Option<UserType>,
    /// When it happened.
    #[serde(rename = "create_time", default, with = "codec::millis_opt")]
    pub timestamp: Option<Timestamp>,
    /// Contract.
    pub symbol: ContractSymbol,
    /// Leverage of the position.
    #[serde(default, with = "codec::decimal_exact_opt")]
    pub leverage: Option<Decimal>,
    /// Margin mode of the position, a number here: 1 isolated, 2 cross.
    #[serde(rename = "open_type", default, with = "codec::opt")]
    pub margin_type: Option<MarginType>,
    /// Direction.
    #[serde(rename = "way")]
    pub side: Side,
    /// Kind of the order.
    #[serde(rename = "category", default, with = "codec::opt")]
    pub order_type: Option<OrderType>,
    /// Whether it copies another trader.
    #[serde(rename = "select_copy_trade", default, with = "codec::opt")]
    pub copy_trade: Option<CopyTrade>,
    /// Price, in the quote currency.
    #[serde(rename = "deal_price", with = "codec::decimal_exact")]
    pub price: Decimal,
    /// Size. Whether in contracts or in coins is not documented.
    #[serde(rename = "deal_vol", with = "codec::decimal_exact")]
    pub size: Decimal,
    /// Fee.
    #[serde(default, with = "codec::decimal_exact_opt")]
    pub fee: Option<Decimal>,
    /// Profit or loss that the trade realized.
    #[serde(rename = "realised_profit", default, with = "codec::decimal_exact_opt")]
    pub realized_profit: Option<Decimal>,
}
