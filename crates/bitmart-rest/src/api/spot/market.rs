//! Public spot market data.

use bitmart_types::{Currency, Decimal, Keyed, Rows, Side, Symbol, Timestamp, codec, positional};
use serde::{Deserialize, Serialize};

use crate::api::model;
use crate::api::spot::TradeStatus;

mod generated;

pub use generated::*;

/// Ticker of a pair: the last 24 hours in one row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ticker {
    /// Pair.
    pub symbol: Symbol,
    /// Price of the last trade, in the quote currency.
    #[serde(rename = "last", default, with = "codec::decimal_opt")]
    pub last_price: Option<Decimal>,
    /// Traded amount of the last 24 hours, in the base currency.
    #[serde(rename = "v_24h", default, with = "codec::decimal_opt")]
    pub base_volume: Option<Decimal>,
    /// Traded amount of the last 24 hours, in the quote currency.
    #[serde(rename = "qv_24h", default, with = "codec::decimal_opt")]
    pub quote_volume: Option<Decimal>,
    /// Price 24 hours ago.
    #[serde(rename = "open_24h", default, with = "codec::decimal_opt")]
    pub open: Option<Decimal>,
    /// Highest price of the last 24 hours.
    #[serde(rename = "high_24h", default, with = "codec::decimal_opt")]
    pub high: Option<Decimal>,
    /// Lowest price of the last 24 hours.
    #[serde(rename = "low_24h", default, with = "codec::decimal_opt")]
    pub low: Option<Decimal>,
    /// Change of the price over 24 hours as a ratio: 0.05 is 5 percent.
    #[serde(rename = "fluctuation", default, with = "codec::decimal_opt")]
    pub change: Option<Decimal>,
    /// Best bid; `None` without one.
    #[serde(rename = "bid_px", default, with = "codec::decimal_opt")]
    pub bid_price: Option<Decimal>,
    /// Size of the best bid, in the base currency.
    #[serde(rename = "bid_sz", default, with = "codec::decimal_opt")]
    pub bid_size: Option<Decimal>,
    /// Best ask; `None` without one.
    #[serde(rename = "ask_px", default, with = "codec::decimal_opt")]
    pub ask_price: Option<Decimal>,
    /// Size of the best ask, in the base currency.
    #[serde(rename = "ask_sz", default, with = "codec::decimal_opt")]
    pub ask_size: Option<Decimal>,
    /// When the exchange created the row.
    #[serde(rename = "ts", default, with = "codec::millis_text_opt")]
    pub timestamp: Option<Timestamp>,
}

positional! {
    /// A row of the list of all tickers. Converts into a [`Ticker`] with `into`.
    pub struct TickerRow {
        /// Pair.
        pub symbol: Symbol,
        /// Price of the last trade, in the quote currency.
        pub last_price: Option<Decimal> as codec::decimal_opt,
        /// Traded amount of the last 24 hours, in the base currency.
        pub base_volume: Option<Decimal> as codec::decimal_opt,
        /// Traded amount of the last 24 hours, in the quote currency.
        pub quote_volume: Option<Decimal> as codec::decimal_opt,
        /// Price 24 hours ago.
        pub open: Option<Decimal> as codec::decimal_opt,
        /// Highest price of the last 24 hours.
        pub high: Option<Decimal> as codec::decimal_opt,
        /// Lowest price of the last 24 hours.
        pub low: Option<Decimal> as codec::decimal_opt,
        /// Change of the price over 24 hours as a ratio: 0.05 is 5 percent.
        pub change: Option<Decimal> as codec::decimal_opt,
        /// Best bid; `None` without one.
        pub bid_price: Option<Decimal> as codec::decimal_opt,
        /// Size of the best bid, in the base currency.
        pub bid_size: Option<Decimal> as codec::decimal_opt,
        /// Best ask; `None` without one.
        pub ask_price: Option<Decimal> as codec::decimal_opt,
        /// Size of the best ask, in the base currency.
        pub ask_size: Option<Decimal> as codec::decimal_opt,
        /// When the exchange created the row.
        pub timestamp: Option<Timestamp> as codec::millis_text_opt,
    }
}

/// By the pair: `tickers.find("BTC_USDT")`.
impl Keyed for TickerRow {
    fn key(&self) -> Option<&str> {
        Some(self.symbol.as_str())
    }
}

impl From<TickerRow> for Ticker {
    fn from(row: TickerRow) -> Self {
        Self {
            symbol: row.symbol,
            last_price: row.last_price,
            base_volume: row.base_volume,
            quote_volume: row.quote_volume,
            open: row.open,
            high: row.high,
            low: row.low,
            change: row.change,
            bid_price: row.bid_price,
            bid_size: row.bid_size,
            ask_price: row.ask_price,
            ask_size: row.ask_size,
            timestamp: row.timestamp,
        }
    }
}

positional! {
    /// A candle. Prices are in the quote currency.
    pub struct Kline {
        /// When the candle opened; whole seconds.
        pub timestamp: Timestamp as codec::seconds_text,
        /// First price.
        pub open: Decimal as codec::decimal,
        /// Highest price.
        pub high: Decimal as codec::decimal,
        /// Lowest price.
        pub low: Decimal as codec::decimal,
        /// Last price.
        pub close: Decimal as codec::decimal,
        /// Traded amount, in the base currency.
        pub base_volume: Option<Decimal> as codec::decimal_opt,
        /// Traded amount, in the quote currency.
        pub quote_volume: Option<Decimal> as codec::decimal_opt,
    }
}

/// The best levels of an order book.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Depth {
    /// Time of the snapshot.
    #[serde(rename = "ts", default, with = "codec::millis_text_opt")]
    pub timestamp: Option<Timestamp>,
    /// Pair.
    #[serde(default, with = "codec::opt")]
    pub symbol: Option<Symbol>,
    /// Sell side, best (lowest) price first.
    #[serde(deserialize_with = "model::required_rows")]
    pub asks: Rows<Level>,
    /// Buy side, best (highest) price first.
    #[serde(deserialize_with = "model::required_rows")]
    pub bids: Rows<Level>,
}

positional! {
    /// A price level of an order book.
    pub struct Level {
        /// Price, in the quote currency.
        pub price: Decimal as codec::decimal,
        /// Resting amount, in the base currency.
        pub size: Decimal as codec::decimal,
    }
}

positional! {
    /// A public trade.
    pub struct Trade {
        /// Pair.
        pub symbol: Symbol,
        /// When it happened.
        pub timestamp: Option<Timestamp> as codec::millis_text_opt,
        /// Price, in the quote currency.
        pub price: Decimal as codec::decimal,
        /// Amount, in the base currency.
        pub size: Decimal as codec::decimal,
        /// Side of the taker.
        pub side: Side,
    }
}

/// All currencies of the spot exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Currencies {
    /// One row per currency that is listed.
    pub currencies: Rows<CurrencyInfo>,
}

impl Currencies {
    /// The row of one currency; `None` if the exchange does not list it, or its row is a fault.
    pub fn find(&self, currency: &str) -> Option<&CurrencyInfo> {
        self.currencies.iter().find(|row| row.currency.as_str() == currency)
    }
}

/// A currency, and whether it can be deposited and withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CurrencyInfo {
    /// Currency.
    #[serde(rename = "id")]
    pub currency: Currency,
    /// Its full name.
    #[serde(default, with = "codec::text_opt")]
    pub name: Option<String>,
    /// Whether it can be withdrawn.
    #[serde(default, with = "codec::boolean_opt")]
    pub withdraw_enabled: Option<bool>,
    /// Whether it can be deposited.
    #[serde(default, with = "codec::boolean_opt")]
    pub deposit_enabled: Option<bool>,
}

/// All pairs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Symbols {
    /// Pairs.
    pub symbols: Rows<Symbol>,
}

impl Symbols {
    /// The pair of this name; `None` if the exchange does not list it.
    pub fn find(&self, symbol: &str) -> Option<&Symbol> {
        self.symbols.iter().find(|listed| listed.as_str() == symbol)
    }
}

/// Rules and state of all pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SymbolDetails {
    /// One row per pair.
    pub symbols: Rows<SymbolInfo>,
}

impl SymbolDetails {
    /// The row of one pair; `None` if the exchange does not list it, or its row is a fault.
    pub fn find(&self, symbol: &str) -> Option<&SymbolInfo> {
        self.symbols.iter().find(|row| row.symbol.as_str() == symbol)
    }
}

/// Rules and state of a pair. [`OrderRules`](crate::spot::OrderRules) is created from it, to round and check
/// orders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SymbolInfo {
    /// Pair.
    pub symbol: Symbol,
    /// Number of the pair.
    #[serde(default, with = "codec::number_opt")]
    pub symbol_id: Option<u64>,
    /// Base currency.
    #[serde(default, with = "codec::opt")]
    pub base_currency: Option<Currency>,
    /// Quote currency.
    #[serde(default, with = "codec::opt")]
    pub quote_currency: Option<Currency>,
    /// Step of an order's size, in the base currency, although the exchange names it after the quote.
    #[serde(rename = "quote_increment", with = "codec::decimal")]
    pub size_step: Decimal,
    /// Least size of an order, in the base currency.
    #[serde(rename = "base_min_size", default, with = "codec::decimal_opt")]
    pub min_size: Option<Decimal>,
    /// Greatest size of an order, in the base currency. Observed, not documented.
    #[serde(rename = "base_max_size", default, with = "codec::decimal_opt")]
    pub max_size: Option<Decimal>,
    /// Minimum number of decimal places in which prices are shown; -1 for tens.
    #[serde(default, with = "codec::number_opt")]
    pub price_min_precision: Option<i32>,
    /// Maximum number of decimal places of a price. The exchange cuts off further ones without an error.
    #[serde(default, with = "codec::number_opt")]
    pub price_max_precision: Option<i32>,
    /// When the pair expires, in an undocumented form; `None` in all observed rows.
    #[serde(default, with = "codec::text_opt")]
    pub expiration: Option<String>,
    /// Least amount of a buy order, in the quote currency.
    #[serde(rename = "min_buy_amount", default, with = "codec::decimal_opt")]
    pub min_buy_notional: Option<Decimal>,
    /// Least amount of a sell order, in the quote currency.
    #[serde(rename = "min_sell_amount", default, with = "codec::decimal_opt")]
    pub min_sell_notional: Option<Decimal>,
    /// Whether it can be traded.
    #[serde(default, with = "codec::opt")]
    pub trade_status: Option<TradeStatus>,
    /// When trading is planned to end, in an undocumented form.
    #[serde(default, with = "codec::text_opt")]
    pub planned_down_time: Option<String>,
}
