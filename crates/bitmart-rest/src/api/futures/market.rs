//! Public futures market data.

use bitmart_types::{ContractSymbol, Currency, Decimal, Rows, Timestamp, codec, positional};
use serde::{Deserialize, Serialize};

use crate::api::futures::{ContractStatus, ProductType};
use crate::api::model;

mod generated;

pub use generated::*;

/// Contracts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Contracts {
    /// One row per contract; most of the full list are delisted.
    #[serde(rename = "symbols")]
    pub contracts: Rows<Contract>,
}

impl Contracts {
    /// The row of one contract; `None` if the exchange does not list it, or its row is a fault.
    pub fn find(&self, symbol: &str) -> Option<&Contract> {
        self.contracts.iter().find(|row| row.symbol.as_str() == symbol)
    }
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
    #[serde(default, with = "codec::opt")]
    pub product_type: Option<ProductType>,
    /// When it was opened.
    #[serde(rename = "open_timestamp", default, with = "codec::millis_opt")]
    pub open_time: Option<Timestamp>,
    /// When it expires; `None` for a perpetual.
    #[serde(rename = "expire_timestamp", default, with = "codec::millis_opt")]
    pub expire_time: Option<Timestamp>,
    /// When it is settled; `None` for a perpetual.
    #[serde(rename = "settle_timestamp", default, with = "codec::millis_opt")]
    pub settle_time: Option<Timestamp>,
    /// Base currency.
    #[serde(default, with = "codec::opt")]
    pub base_currency: Option<Currency>,
    /// Quote currency.
    #[serde(default, with = "codec::opt")]
    pub quote_currency: Option<Currency>,
    /// Price of the last trade, in the quote currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub last_price: Option<Decimal>,
    /// Traded contracts of the last 24 hours.
    #[serde(rename = "volume_24h", default, with = "codec::decimal_opt")]
    pub volume: Option<Decimal>,
    /// Traded amount of the last 24 hours, in the quote currency.
    #[serde(rename = "turnover_24h", default, with = "codec::decimal_opt")]
    pub turnover: Option<Decimal>,
    /// Price of the index, in the quote currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub index_price: Option<Decimal>,
    /// Name of the index.
    #[serde(default, with = "codec::text_opt")]
    pub index_name: Option<String>,
    /// Value of one contract, in the base currency; of a contract margined in coins, in the quote
    /// currency.
    #[serde(with = "codec::decimal")]
    pub contract_size: Decimal,
    /// Least leverage.
    #[serde(default, with = "codec::decimal_opt")]
    pub min_leverage: Option<Decimal>,
    /// Greatest leverage.
    #[serde(default, with = "codec::decimal_opt")]
    pub max_leverage: Option<Decimal>,
    /// Step of prices, in the quote currency. Not a count of digits.
    #[serde(rename = "price_precision", default, with = "codec::decimal_opt")]
    pub price_step: Option<Decimal>,
    /// Step of sizes, in contracts. Not a count of digits.
    #[serde(
        rename = "vol_precision",
        alias = "volume_precision",
        default,
        with = "codec::decimal_opt"
    )]
    pub size_step: Option<Decimal>,
    /// Largest limit order, in contracts.
    #[serde(rename = "max_volume", default, with = "codec::decimal_opt")]
    pub max_size: Option<Decimal>,
    /// Largest market order, in contracts.
    #[serde(rename = "market_max_volume", default, with = "codec::decimal_opt")]
    pub max_market_size: Option<Decimal>,
    /// Smallest order, in contracts.
    #[serde(rename = "min_volume", default, with = "codec::decimal_opt")]
    pub min_size: Option<Decimal>,
    /// Current funding rate, as a ratio.
    #[serde(default, with = "codec::decimal_opt")]
    pub funding_rate: Option<Decimal>,
    /// Expected next funding rate, as a ratio.
    #[serde(default, with = "codec::decimal_opt")]
    pub expected_funding_rate: Option<Decimal>,
    /// Open interest, in contracts.
    #[serde(default, with = "codec::decimal_opt")]
    pub open_interest: Option<Decimal>,
    /// Open interest, in the quote currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub open_interest_value: Option<Decimal>,
    /// Highest price of the last 24 hours.
    #[serde(rename = "high_24h", default, with = "codec::decimal_opt")]
    pub high: Option<Decimal>,
    /// Lowest price of the last 24 hours.
    #[serde(rename = "low_24h", default, with = "codec::decimal_opt")]
    pub low: Option<Decimal>,
    /// Change of the price over 24 hours as a ratio.
    #[serde(rename = "change_24h", default, with = "codec::decimal_opt")]
    pub change: Option<Decimal>,
    /// Hours between funding payments.
    #[serde(default, with = "codec::number_opt")]
    pub funding_interval_hours: Option<u32>,
    /// Next funding payment; only in newer responses.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::millis_opt")]
    pub funding_time: Option<Timestamp>,
    /// Whether it trades.
    #[serde(default, with = "codec::opt")]
    pub status: Option<ContractStatus>,
    /// When it was delisted; `None` while it is listed. Whole seconds.
    #[serde(default, with = "codec::seconds_opt")]
    pub delist_time: Option<Timestamp>,
}

/// The best levels of an order book.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Depth {
    /// Contract.
    #[serde(default, with = "codec::opt")]
    pub symbol: Option<ContractSymbol>,
    /// Time of the snapshot.
    #[serde(default, with = "codec::millis_opt")]
    pub timestamp: Option<Timestamp>,
    /// Sell side, best (lowest) price first; at most 50.
    #[serde(deserialize_with = "model::required_rows")]
    pub asks: Rows<Level>,
    /// Buy side, best (highest) price first; at most 50.
    #[serde(deserialize_with = "model::required_rows")]
    pub bids: Rows<Level>,
}

positional! {
    /// A price level of a futures order book.
    pub struct Level {
        /// Price, in the quote currency.
        pub price: Decimal as codec::decimal,
        /// Resting size, in contracts.
        pub size: Decimal as codec::decimal,
        /// Resting size of this and all better levels, in contracts.
        pub cumulative_size: Option<Decimal> as codec::decimal_opt,
    }
}

/// A public trade.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Trade {
    /// Contract.
    #[serde(default, with = "codec::opt")]
    pub symbol: Option<ContractSymbol>,
    /// Price, in the quote currency.
    #[serde(with = "codec::decimal")]
    pub price: Decimal,
    /// Size in the base currency, not in contracts.
    #[serde(rename = "qty", with = "codec::decimal")]
    pub base_size: Decimal,
    /// Size, in the quote currency.
    #[serde(rename = "quote_qty", default, with = "codec::decimal_opt")]
    pub quote_size: Option<Decimal>,
    /// When it happened; whole seconds.
    #[serde(rename = "time", default, with = "codec::seconds_opt")]
    pub timestamp: Option<Timestamp>,
    /// Whether the buyer was the maker, so that the taker sold.
    #[serde(default, with = "codec::boolean_opt")]
    pub is_buyer_maker: Option<bool>,
}

/// Open interest of a contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenInterest {
    /// Contract.
    #[serde(default, with = "codec::opt")]
    pub symbol: Option<ContractSymbol>,
    /// Time of the value.
    #[serde(default, with = "codec::millis_opt")]
    pub timestamp: Option<Timestamp>,
    /// Open interest, in contracts.
    #[serde(default, with = "codec::decimal_opt")]
    pub open_interest: Option<Decimal>,
    /// Open interest, in the quote currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub open_interest_value: Option<Decimal>,
}

/// Funding rate of a contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FundingRate {
    /// Contract.
    #[serde(default, with = "codec::opt")]
    pub symbol: Option<ContractSymbol>,
    /// Time of the rates.
    #[serde(default, with = "codec::millis_opt")]
    pub timestamp: Option<Timestamp>,
    /// A ratio. The documentation calls it the previous period's rate, the exchange's own reference
    /// the current one.
    #[serde(rename = "rate_value", default, with = "codec::decimal_opt")]
    pub rate: Option<Decimal>,
    /// Expected next funding rate, as a ratio.
    #[serde(default, with = "codec::decimal_opt")]
    pub expected_rate: Option<Decimal>,
    /// Next funding.
    #[serde(default, with = "codec::millis_opt")]
    pub funding_time: Option<Timestamp>,
    /// Upper limit of the rate, as a ratio.
    #[serde(rename = "funding_upper_limit", default, with = "codec::decimal_opt")]
    pub upper_limit: Option<Decimal>,
    /// Lower limit of the rate, as a ratio.
    #[serde(rename = "funding_lower_limit", default, with = "codec::decimal_opt")]
    pub lower_limit: Option<Decimal>,
}

/// Funding rates of several contracts, as a third party describes them; unverified.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FundingRates {
    /// One row per contract.
    #[serde(rename = "list", default, with = "codec::object_opt")]
    pub rates: Option<Rows<FundingRatesRow>>,
}

impl FundingRates {
    /// The row of one contract; `None` if the exchange does not list it, or its row is a fault.
    pub fn find(&self, symbol: &str) -> Option<&FundingRatesRow> {
        let mut rows = self.rates.iter().flatten();
        rows.find(|row| row.symbol.as_ref().is_some_and(|contract| contract.as_str() == symbol))
    }
}

/// Funding rate of one of several contracts, as a third party describes it; unverified.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FundingRatesRow {
    /// Contract.
    #[serde(default, with = "codec::text_opt")]
    pub symbol: Option<ContractSymbol>,
    /// Time of the rates. No source states the unit.
    #[serde(default, with = "codec::number_opt")]
    pub timestamp: Option<i64>,
    /// Rate, as a ratio; see [`FundingRate::rate`].
    #[serde(default, rename = "rate_value", with = "codec::decimal_opt")]
    pub rate: Option<Decimal>,
    /// Expected next funding rate, as a ratio.
    #[serde(default, with = "codec::decimal_opt")]
    pub expected_rate: Option<Decimal>,
    /// Next funding. No source states the unit.
    #[serde(default, with = "codec::number_opt")]
    pub funding_time: Option<i64>,
    /// Upper limit of the rate, as a ratio.
    #[serde(default, rename = "funding_upper_limit", with = "codec::decimal_opt")]
    pub upper_limit: Option<Decimal>,
    /// Lower limit of the rate, as a ratio.
    #[serde(default, rename = "funding_lower_limit", with = "codec::decimal_opt")]
    pub lower_limit: Option<Decimal>,
}

/// A candle. Prices are in the quote currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Kline {
    /// When the candle opened; whole seconds.
    #[serde(with = "codec::seconds")]
    pub timestamp: Timestamp,
    /// First price.
    #[serde(rename = "open_price", with = "codec::decimal")]
    pub open: Decimal,
    /// Highest price.
    #[serde(rename = "high_price", with = "codec::decimal")]
    pub high: Decimal,
    /// Lowest price.
    #[serde(rename = "low_price", with = "codec::decimal")]
    pub low: Decimal,
    /// Last price.
    #[serde(rename = "close_price", with = "codec::decimal")]
    pub close: Decimal,
    /// Traded size, in contracts; usually 0 for candles of the mark price.
    #[serde(default, with = "codec::decimal_opt")]
    pub volume: Option<Decimal>,
}

/// Past funding rates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FundingRateHistory {
    /// Newest first.
    #[serde(rename = "list")]
    pub rates: Rows<PastFundingRate>,
}

/// A funding rate that was paid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PastFundingRate {
    /// Contract.
    #[serde(default, with = "codec::opt")]
    pub symbol: Option<ContractSymbol>,
    /// Rate, as a ratio.
    #[serde(rename = "funding_rate", with = "codec::decimal")]
    pub rate: Decimal,
    /// When it was paid.
    #[serde(with = "codec::millis_text")]
    pub funding_time: Timestamp,
}

/// Leverage brackets of contracts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeverageRules {
    /// One row per contract.
    pub rules: Rows<LeverageRule>,
}

impl LeverageRules {
    /// The row of one contract; `None` if the exchange does not list it, or its row is a fault.
    pub fn find(&self, symbol: &str) -> Option<&LeverageRule> {
        self.rules.iter().find(|row| row.symbol.as_str() == symbol)
    }
}

/// Leverage brackets of a contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeverageRule {
    /// Contract.
    pub symbol: ContractSymbol,
    /// From small positions with high leverage to large ones with low leverage.
    pub brackets: Rows<LeverageBracket>,
}

/// Maximum leverage and maintenance margin of positions within a range of values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeverageBracket {
    /// Number of the bracket, from 1.
    #[serde(default, with = "codec::number_opt")]
    pub bracket: Option<u32>,
    /// Greatest leverage.
    #[serde(rename = "initial_leverage", with = "codec::number")]
    pub max_leverage: u32,
    /// Upper end of the range, in the quote currency.
    #[serde(with = "codec::decimal")]
    pub notional_cap: Decimal,
    /// Lower end of the range, in the quote currency.
    #[serde(default, with = "codec::decimal_opt")]
    pub notional_floor: Option<Decimal>,
    /// Maintenance margin, as a ratio of the position's value.
    #[serde(rename = "maint_margin_ratio", default, with = "codec::decimal_opt")]
    pub maintenance_margin_ratio: Option<Decimal>,
    /// Maintenance margin of all brackets below, in the quote currency.
    #[serde(rename = "cum", default, with = "codec::decimal_opt")]
    pub cumulative: Option<Decimal>,
}
