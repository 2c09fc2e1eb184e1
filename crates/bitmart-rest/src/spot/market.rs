//! Public spot market data.

use bitmart_types::{Currency, Decimal, Side, Symbol, Timestamp, TradeStatus, positional, wire};
use serde::{Deserialize, Serialize};

mod generated;

pub use generated::*;

/// Ticker of a pair: the last 24 hours in one row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ticker {
    /// Pair.
    pub symbol: Symbol,
    /// Price of the last trade, in the quote currency.
    #[serde(with = "wire::decimal")]
    pub last: Decimal,
    /// Traded amount of the last 24 hours, in the base currency.
    #[serde(rename = "v_24h", with = "wire::decimal")]
    pub base_volume: Decimal,
    /// Traded amount of the last 24 hours, in the quote currency.
    #[serde(rename = "qv_24h", with = "wire::decimal")]
    pub quote_volume: Decimal,
    /// Price 24 hours ago.
    #[serde(rename = "open_24h", with = "wire::decimal")]
    pub open: Decimal,
    /// Highest price of the last 24 hours.
    #[serde(rename = "high_24h", with = "wire::decimal")]
    pub high: Decimal,
    /// Lowest price of the last 24 hours.
    #[serde(rename = "low_24h", with = "wire::decimal")]
    pub low: Decimal,
    /// Change of the price over 24 hours as a ratio: 0.05 is 5 percent.
    #[serde(rename = "fluctuation", with = "wire::decimal")]
    pub change: Decimal,
    /// Best bid; `None` when nobody bids.
    #[serde(rename = "bid_px", with = "wire::decimal_opt")]
    pub bid_price: Option<Decimal>,
    /// Size of the best bid, in the base currency.
    #[serde(rename = "bid_sz", with = "wire::decimal_opt")]
    pub bid_size: Option<Decimal>,
    /// Best ask; `None` when nobody offers.
    #[serde(rename = "ask_px", with = "wire::decimal_opt")]
    pub ask_price: Option<Decimal>,
    /// Size of the best ask, in the base currency.
    #[serde(rename = "ask_sz", with = "wire::decimal_opt")]
    pub ask_size: Option<Decimal>,
    /// When the row was made.
    #[serde(rename = "ts", with = "wire::millis_text")]
    pub time: Timestamp,
}

positional! {
    /// A row of the list of all tickers. [`Ticker`] holds the same, and is made from it with `into`.
    pub struct TickerRow {
        /// Pair.
        pub symbol: Symbol,
        /// Price of the last trade, in the quote currency.
        pub last: Decimal as wire::decimal,
        /// Traded amount of the last 24 hours, in the base currency.
        pub base_volume: Decimal as wire::decimal,
        /// Traded amount of the last 24 hours, in the quote currency.
        pub quote_volume: Decimal as wire::decimal,
        /// Price 24 hours ago.
        pub open: Decimal as wire::decimal,
        /// Highest price of the last 24 hours.
        pub high: Decimal as wire::decimal,
        /// Lowest price of the last 24 hours.
        pub low: Decimal as wire::decimal,
        /// Change of the price over 24 hours as a ratio: 0.05 is 5 percent.
        pub change: Decimal as wire::decimal,
        /// Best bid; `None` when nobody bids.
        pub bid_price: Option<Decimal> as wire::decimal_opt,
        /// Size of the best bid, in the base currency.
        pub bid_size: Option<Decimal> as wire::decimal_opt,
        /// Best ask; `None` when nobody offers.
        pub ask_price: Option<Decimal> as wire::decimal_opt,
        /// Size of the best ask, in the base currency.
        pub ask_size: Option<Decimal> as wire::decimal_opt,
        /// When the row was made.
        pub time: Timestamp as wire::millis_text,
    }
}

impl From<TickerRow> for Ticker {
    fn from(row: TickerRow) -> Self {
        Self {
            symbol: row.symbol,
            last: row.last,
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
            time: row.time,
        }
    }
}

positional! {
    /// A candle. Prices are in the quote currency.
    pub struct Kline {
        /// When the candle opened; whole seconds.
        pub time: Timestamp as wire::seconds_text,
        /// First price.
        pub open: Decimal as wire::decimal,
        /// Highest price.
        pub high: Decimal as wire::decimal,
        /// Lowest price.
        pub low: Decimal as wire::decimal,
        /// Last price.
        pub close: Decimal as wire::decimal,
        /// Traded amount, in the base currency.
        pub base_volume: Decimal as wire::decimal,
        /// Traded amount, in the quote currency.
        pub quote_volume: Decimal as wire::decimal,
    }
}

/// The best levels of an order book.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Depth {
    /// When the book looked like this.
    #[serde(rename = "ts", with = "wire::millis_text")]
    pub time: Timestamp,
    /// Pair.
    pub symbol: Symbol,
    /// Sell side, best (lowest) price first.
    #[serde(deserialize_with = "wire::list")]
    pub asks: Vec<Level>,
    /// Buy side, best (highest) price first.
    #[serde(deserialize_with = "wire::list")]
    pub bids: Vec<Level>,
}

positional! {
    /// A price level of an order book.
    pub struct Level {
        /// Price, in the quote currency.
        pub price: Decimal as wire::decimal,
        /// Resting amount, in the base currency.
        pub size: Decimal as wire::decimal,
    }
}

positional! {
    /// A trade of the public tape.
    pub struct Trade {
        /// Pair.
        pub symbol: Symbol,
        /// When it happened.
        pub time: Timestamp as wire::millis_text,
        /// Price, in the quote currency.
        pub price: Decimal as wire::decimal,
        /// Amount, in the base currency.
        pub size: Decimal as wire::decimal,
        /// Side of the taker.
        pub side: Side,
    }
}

/// All currencies of the spot exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Currencies {
    /// One row per currency that is listed.
    #[serde(deserialize_with = "wire::list")]
    pub currencies: Vec<CurrencyInfo>,
}

/// A currency, and what can be done with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CurrencyInfo {
    /// Currency.
    #[serde(rename = "id")]
    pub currency: Currency,
    /// Its name in words.
    #[serde(with = "wire::text")]
    pub name: String,
    /// Whether it can be withdrawn.
    #[serde(deserialize_with = "wire::flag::deserialize")]
    pub withdraw_enabled: bool,
    /// Whether it can be deposited.
    #[serde(deserialize_with = "wire::flag::deserialize")]
    pub deposit_enabled: bool,
}

/// Names of all pairs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Symbols {
    /// Pairs.
    #[serde(deserialize_with = "wire::list")]
    pub symbols: Vec<Symbol>,
}

/// Rules and state of all pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SymbolDetails {
    /// One row per pair.
    #[serde(deserialize_with = "wire::list")]
    pub symbols: Vec<SymbolInfo>,
}

impl SymbolDetails {
    /// The row of one pair; `None` where the exchange does not list it.
    pub fn find(&self, symbol: &str) -> Option<&SymbolInfo> {
        self.symbols.iter().find(|row| row.symbol.as_str() == symbol)
    }
}

/// Rules and state of a pair, as the exchange words them. [`SpotRules`](crate::spot::SpotRules) is
/// made from it, to shape and check orders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SymbolInfo {
    /// Pair.
    pub symbol: Symbol,
    /// Number of the pair.
    #[serde(with = "wire::number")]
    pub symbol_id: u64,
    /// Base currency.
    pub base_currency: Currency,
    /// Quote currency.
    pub quote_currency: Currency,
    /// Least step of an order's size, in the base currency, in spite of the name.
    #[serde(with = "wire::decimal")]
    pub quote_increment: Decimal,
    /// Least size of an order, in the base currency.
    #[serde(with = "wire::decimal")]
    pub base_min_size: Decimal,
    /// Greatest size of an order, in the base currency. Observed, not documented.
    #[serde(with = "wire::decimal_opt", default)]
    pub base_max_size: Option<Decimal>,
    /// Fewest decimal places with which prices are shown; -1 stands for tens.
    #[serde(with = "wire::number")]
    pub price_min_precision: i32,
    /// Most decimal places of a price. Further ones are cut off without an error.
    #[serde(with = "wire::number")]
    pub price_max_precision: i32,
    /// When the pair expires, in a form that is not documented; `None` for all that were seen.
    #[serde(with = "wire::text_opt", default)]
    pub expiration: Option<String>,
    /// Least amount of a buy order, in the quote currency.
    #[serde(with = "wire::decimal")]
    pub min_buy_amount: Decimal,
    /// Least amount of a sell order, in the quote currency.
    #[serde(with = "wire::decimal")]
    pub min_sell_amount: Decimal,
    /// Whether it can be traded.
    pub trade_status: TradeStatus,
    /// When trading is planned to end, in a form that is not documented.
    #[serde(with = "wire::text_opt", default)]
    pub planned_down_time: Option<String>,
}
