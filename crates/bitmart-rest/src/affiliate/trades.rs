//! Trades of customers.

use bitmart_types::{
    AffiliateCopyTrade, AffiliateOrderType, AffiliateUserType, ContractSymbol, Decimal,
    FuturesSide, MarginType, Timestamp, UserId, wire,
};
use serde::{Deserialize, Serialize};

/// A page of a customer's futures trades.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CustomerTrades {
    /// Number of rows over all pages.
    #[serde(with = "wire::number")]
    pub total: u64,
    /// This page.
    #[serde(with = "wire::number")]
    pub page: u32,
    /// Rows of a page.
    #[serde(with = "wire::number")]
    pub size: u32,
    /// The rows of this page.
    #[serde(rename = "list")]
    #[serde(deserialize_with = "wire::list")]
    pub trades: Vec<CustomerTrade>,
}

/// A futures trade of a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CustomerTrade {
    /// The customer.
    #[serde(with = "wire::id_number")]
    pub user_id: UserId,
    /// How the customer came.
    pub user_type: AffiliateUserType,
    /// When it happened.
    #[serde(with = "wire::millis")]
    pub create_time: Timestamp,
    /// Contract.
    pub symbol: ContractSymbol,
    /// Leverage of the position.
    #[serde(with = "wire::decimal_exact")]
    pub leverage: Decimal,
    /// Margin mode of the position, a number here: 1 isolated, 2 cross.
    #[serde(rename = "open_type")]
    pub margin_type: MarginType,
    /// Direction.
    #[serde(rename = "way")]
    pub side: FuturesSide,
    /// Kind of the order.
    #[serde(rename = "category")]
    pub order_type: AffiliateOrderType,
    /// Whether it copies another trader.
    #[serde(rename = "select_copy_trade")]
    pub copy_trade: AffiliateCopyTrade,
    /// Price, in the quote currency.
    #[serde(rename = "deal_price", with = "wire::decimal_exact")]
    pub price: Decimal,
    /// Size. The exchange does not say whether in contracts or in coins.
    #[serde(rename = "deal_vol", with = "wire::decimal_exact")]
    pub size: Decimal,
    /// Fee.
    #[serde(with = "wire::decimal_exact")]
    pub fee: Decimal,
    /// Profit or loss that the trade realised.
    #[serde(rename = "realised_profit", with = "wire::decimal_exact")]
    pub realized_profit: Decimal,
}
