//! Trades of customers.

use bitmart_types::{
    AffiliateCopyTrade, AffiliateOrderType, AffiliateUserType, ContractSymbol, Decimal,
    FuturesSide, MarginType, Rows, Timestamp, UserId, wire,
};
use serde::{Deserialize, Serialize};

/// A page of a customer's futures trades.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CustomerTrades {
    /// Number of rows over all pages. `None`: not told.
    #[serde(default, with = "wire::number_opt")]
    pub total: Option<u64>,
    /// This page. `None`: not told.
    #[serde(default, with = "wire::number_opt")]
    pub page: Option<u32>,
    /// Rows of a page. `None`: not told.
    #[serde(default, with = "wire::number_opt")]
    pub size: Option<u32>,
    /// The rows of this page.
    #[serde(rename = "list")]
    pub trades: Rows<CustomerTrade>,
}

/// A futures trade of a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CustomerTrade {
    /// The customer.
    #[serde(with = "wire::id_number")]
    pub user_id: UserId,
    /// How the customer came. `None`: not told.
    #[serde(default, with = "wire::opt")]
    pub user_type: Option<AffiliateUserType>,
    /// When it happened. `None`: not told.
    #[serde(default, with = "wire::millis_opt")]
    pub create_time: Option<Timestamp>,
    /// Contract.
    pub symbol: ContractSymbol,
    /// Leverage of the position. `None`: not told.
    #[serde(default, with = "wire::decimal_exact_opt")]
    pub leverage: Option<Decimal>,
    /// Margin mode of the position, a number here: 1 isolated, 2 cross. `None`: not told.
    #[serde(rename = "open_type", default, with = "wire::opt")]
    pub margin_type: Option<MarginType>,
    /// Direction.
    #[serde(rename = "way")]
    pub side: FuturesSide,
    /// Kind of the order. `None`: not told.
    #[serde(rename = "category", default, with = "wire::opt")]
    pub order_type: Option<AffiliateOrderType>,
    /// Whether it copies another trader. `None`: not told.
    #[serde(rename = "select_copy_trade", default, with = "wire::opt")]
    pub copy_trade: Option<AffiliateCopyTrade>,
    /// Price, in the quote currency.
    #[serde(rename = "deal_price", with = "wire::decimal_exact")]
    pub price: Decimal,
    /// Size. The exchange does not say whether in contracts or in coins.
    #[serde(rename = "deal_vol", with = "wire::decimal_exact")]
    pub size: Decimal,
    /// Fee. `None`: not told.
    #[serde(default, with = "wire::decimal_exact_opt")]
    pub fee: Option<Decimal>,
    /// Profit or loss that the trade realised. `None`: not told.
    #[serde(rename = "realised_profit", default, with = "wire::decimal_exact_opt")]
    pub realized_profit: Option<Decimal>,
}
