//! Public futures market data.

use bitmart_types::{
    ContractStatus, ContractSymbol, Currency, Decimal, ProductType, Timestamp, positional, wire,
};
use serde::{Deserialize, Serialize};

mod generated;

pub use generated::*;

/// Contracts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Contracts {
    /// One row per contract; most of the full list are delisted.
    #[serde(deserialize_with = "wire::list")]
    pub symbols: Vec<Contract>,
}

/// Rules and state of a contract.
///
/// One contract is [`contract_size`](Self::contract_size) of the base currency, but of the quote
/// currency where the contract is margined in coins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Contract {
    /// Contract.
    pub symbol: ContractSymbol,
    /// Perpetual or dated.
    pub product_type: ProductType,
    /// When it was opened.
    #[serde(with = "wire::millis_opt")]
    pub open_timestamp: Option<Timestamp>,
    /// When it expires; `None` for a perpetual.
    #[serde(with = "wire::millis_opt")]
    pub expire_timestamp: Option<Timestamp>,
    /// When it is settled; `None` for a perpetual.
    #[serde(with = "wire::millis_opt")]
    pub settle_timestamp: Option<Timestamp>,
    /// Base currency.
    pub base_currency: Currency,
    /// Quote currency.
    pub quote_currency: Currency,
    /// Price of the last trade, in the quote currency.
    #[serde(with = "wire::decimal_opt")]
    pub last_price: Option<Decimal>,
    /// Traded contracts of the last 24 hours.
    #[serde(rename = "volume_24h", with = "wire::decimal_opt")]
    pub volume: Option<Decimal>,
    /// Traded amount of the last 24 hours, in the quote currency.
    #[serde(rename = "turnover_24h", with = "wire::decimal_opt")]
    pub turnover: Option<Decimal>,
    /// Price of the index, in the quote currency.
    #[serde(with = "wire::decimal_opt")]
    pub index_price: Option<Decimal>,
    /// Name of the index.
    #[serde(with = "wire::text")]
    pub index_name: String,
    /// Value of one contract; see the type.
    #[serde(with = "wire::decimal")]
    pub contract_size: Decimal,
    /// Least leverage.
    #[serde(with = "wire::decimal")]
    pub min_leverage: Decimal,
    /// Greatest leverage.
    #[serde(with = "wire::decimal")]
    pub max_leverage: Decimal,
    /// Step of prices, in the quote currency. Not a count of digits.
    #[serde(rename = "price_precision", with = "wire::decimal")]
    pub price_step: Decimal,
    /// Step of sizes, in contracts. Not a count of digits.
    #[serde(rename = "vol_precision", alias = "volume_precision", with = "wire::decimal")]
    pub volume_step: Decimal,
    /// Largest limit order, in contracts.
    #[serde(with = "wire::decimal_opt")]
    pub max_volume: Option<Decimal>,
    /// Largest market order, in contracts.
    #[serde(with = "wire::decimal_opt")]
    pub market_max_volume: Option<Decimal>,
    /// Smallest order, in contracts.
    #[serde(with = "wire::decimal_opt")]
    pub min_volume: Option<Decimal>,
    /// Current funding rate, as a ratio.
    #[serde(with = "wire::decimal_opt")]
    pub funding_rate: Option<Decimal>,
    /// Next funding rate as expected now, as a ratio.
    #[serde(with = "wire::decimal_opt")]
    pub expected_funding_rate: Option<Decimal>,
    /// Open interest, in contracts.
    #[serde(with = "wire::decimal_opt")]
    pub open_interest: Option<Decimal>,
    /// Open interest, in the quote currency.
    #[serde(with = "wire::decimal_opt")]
    pub open_interest_value: Option<Decimal>,
    /// Highest price of the last 24 hours.
    #[serde(rename = "high_24h", with = "wire::decimal_opt")]
    pub high: Option<Decimal>,
    /// Lowest price of the last 24 hours.
    #[serde(rename = "low_24h", with = "wire::decimal_opt")]
    pub low: Option<Decimal>,
    /// Change of the price over 24 hours as a ratio.
    #[serde(rename = "change_24h", with = "wire::decimal_opt")]
    pub change: Option<Decimal>,
    /// Hours between funding payments.
    #[serde(with = "wire::number_opt", default)]
    pub funding_interval_hours: Option<u32>,
    /// Next funding payment; only in newer answers.
    #[serde(with = "wire::millis_opt", default, skip_serializing_if = "Option::is_none")]
    pub funding_time: Option<Timestamp>,
    /// Whether it trades.
    pub status: ContractStatus,
    /// When it was delisted; `None` while it is listed. Whole seconds.
    #[serde(with = "wire::seconds_opt", default)]
    pub delist_time: Option<Timestamp>,
}

/// The best levels of an order book.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesDepth {
    /// Contract.
    pub symbol: ContractSymbol,
    /// When the book looked like this.
    #[serde(rename = "timestamp", with = "wire::millis")]
    pub time: Timestamp,
    /// Sell side, best (lowest) price first; at most 50.
    #[serde(deserialize_with = "wire::list")]
    pub asks: Vec<FuturesLevel>,
    /// Buy side, best (highest) price first; at most 50.
    #[serde(deserialize_with = "wire::list")]
    pub bids: Vec<FuturesLevel>,
}

positional! {
    /// A price level of a futures order book.
    pub struct FuturesLevel {
        /// Price, in the quote currency.
        pub price: Decimal as wire::decimal,
        /// Resting size, in contracts.
        pub size: Decimal as wire::decimal,
        /// Resting size of this and all better levels, in contracts.
        pub cumulative_size: Decimal as wire::decimal,
    }
}

/// A trade of the public tape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesTrade {
    /// Contract.
    pub symbol: ContractSymbol,
    /// Price, in the quote currency.
    #[serde(with = "wire::decimal")]
    pub price: Decimal,
    /// Size in the base currency, not in contracts.
    #[serde(rename = "qty", with = "wire::decimal")]
    pub base_size: Decimal,
    /// Size, in the quote currency.
    #[serde(rename = "quote_qty", with = "wire::decimal")]
    pub quote_size: Decimal,
    /// When it happened; whole seconds.
    #[serde(with = "wire::seconds")]
    pub time: Timestamp,
    /// Whether the buyer made, which means that the taker sold.
    pub is_buyer_maker: bool,
}

/// Open interest of a contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenInterest {
    /// Contract.
    pub symbol: ContractSymbol,
    /// When it was counted.
    #[serde(rename = "timestamp", with = "wire::millis")]
    pub time: Timestamp,
    /// Open interest, in contracts.
    #[serde(with = "wire::decimal")]
    pub open_interest: Decimal,
    /// Open interest, in the quote currency.
    #[serde(with = "wire::decimal")]
    pub open_interest_value: Decimal,
}

/// Funding rate of a contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FundingRate {
    /// Contract.
    pub symbol: ContractSymbol,
    /// When the rates were taken.
    #[serde(rename = "timestamp", with = "wire::millis")]
    pub time: Timestamp,
    /// A ratio. The documentation calls it the previous period's rate, the exchange's own reference
    /// the current one.
    #[serde(rename = "rate_value", with = "wire::decimal")]
    pub rate: Decimal,
    /// Rate of the next funding as expected now, as a ratio.
    #[serde(with = "wire::decimal")]
    pub expected_rate: Decimal,
    /// Next funding.
    #[serde(with = "wire::millis_opt")]
    pub funding_time: Option<Timestamp>,
    /// Greatest possible rate, as a ratio.
    #[serde(rename = "funding_upper_limit", with = "wire::decimal")]
    pub upper_limit: Decimal,
    /// Least possible rate, as a ratio.
    #[serde(rename = "funding_lower_limit", with = "wire::decimal")]
    pub lower_limit: Decimal,
}

/// Funding rates of several contracts, as a third party describes them; unverified.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FundingRates {
    /// One row per contract.
    #[serde(default)]
    pub list: Option<Vec<FundingRatesRow>>,
}

/// Funding rate of one of several contracts, as a third party describes it; unverified.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FundingRatesRow {
    /// Contract.
    #[serde(default, with = "wire::text_opt")]
    pub symbol: Option<ContractSymbol>,
    /// When the rates were taken. No source states the unit.
    #[serde(default, with = "wire::number_opt")]
    pub timestamp: Option<i64>,
    /// Rate, as a ratio; see [`FundingRate::rate`].
    #[serde(default, rename = "rate_value", with = "wire::decimal_opt")]
    pub rate: Option<Decimal>,
    /// Rate of the next funding as expected now, as a ratio.
    #[serde(default, with = "wire::decimal_opt")]
    pub expected_rate: Option<Decimal>,
    /// Next funding. No source states the unit.
    #[serde(default, with = "wire::number_opt")]
    pub funding_time: Option<i64>,
    /// Greatest possible rate, as a ratio.
    #[serde(default, rename = "funding_upper_limit", with = "wire::decimal_opt")]
    pub upper_limit: Option<Decimal>,
    /// Least possible rate, as a ratio.
    #[serde(default, rename = "funding_lower_limit", with = "wire::decimal_opt")]
    pub lower_limit: Option<Decimal>,
}

/// A candle. Prices are in the quote currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FuturesKline {
    /// When the candle opened; whole seconds.
    #[serde(rename = "timestamp", with = "wire::seconds")]
    pub time: Timestamp,
    /// First price.
    #[serde(rename = "open_price", with = "wire::decimal")]
    pub open: Decimal,
    /// Highest price.
    #[serde(rename = "high_price", with = "wire::decimal")]
    pub high: Decimal,
    /// Lowest price.
    #[serde(rename = "low_price", with = "wire::decimal")]
    pub low: Decimal,
    /// Last price.
    #[serde(rename = "close_price", with = "wire::decimal")]
    pub close: Decimal,
    /// Traded size, in contracts; usually 0 for candles of the mark price.
    #[serde(with = "wire::decimal")]
    pub volume: Decimal,
}

/// Past funding rates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FundingRateHistory {
    /// Newest first.
    #[serde(deserialize_with = "wire::list")]
    pub list: Vec<PastFundingRate>,
}

/// A funding rate that was paid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PastFundingRate {
    /// Contract.
    pub symbol: ContractSymbol,
    /// Rate, as a ratio.
    #[serde(rename = "funding_rate", with = "wire::decimal")]
    pub rate: Decimal,
    /// When it was paid.
    #[serde(rename = "funding_time", with = "wire::millis_text")]
    pub time: Timestamp,
}

/// How much leverage positions may have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeverageRules {
    /// One row per contract.
    #[serde(deserialize_with = "wire::list")]
    pub rules: Vec<LeverageRule>,
}

/// How much leverage a position in a contract may have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeverageRule {
    /// Contract.
    pub symbol: ContractSymbol,
    /// From small positions with much leverage to large ones with little.
    #[serde(deserialize_with = "wire::list")]
    pub brackets: Vec<LeverageBracket>,
}

/// What holds for positions of a range of values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeverageBracket {
    /// Number of the bracket, from 1.
    #[serde(with = "wire::number")]
    pub bracket: u32,
    /// Greatest leverage.
    #[serde(with = "wire::number")]
    pub initial_leverage: u32,
    /// Upper end of the range, in the quote currency.
    #[serde(with = "wire::decimal")]
    pub notional_cap: Decimal,
    /// Lower end of the range, in the quote currency.
    #[serde(with = "wire::decimal")]
    pub notional_floor: Decimal,
    /// Maintenance margin, as a ratio of the position's value.
    #[serde(rename = "maint_margin_ratio", with = "wire::decimal")]
    pub maintenance_margin_ratio: Decimal,
    /// Maintenance margin of all brackets below, in the quote currency.
    #[serde(rename = "cum", with = "wire::decimal")]
    pub cumulative: Decimal,
}
