//! The pairs and contracts a sandbox trades.

pub(crate) mod listed;

use rust_decimal::Decimal;

/// A spot pair and its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpotPair {
    /// Base currency, `BTC`.
    pub base: String,
    /// Quote currency, `USDT`.
    pub quote: String,
    /// Decimals of a price.
    pub price_decimals: u32,
    /// Decimals of a size; the size step is one unit of the last.
    pub size_decimals: u32,
    /// Smallest value of an order in the quote currency.
    pub min_notional: Decimal,
    /// Where the market maker starts.
    pub start_price: Decimal,
}

impl SpotPair {
    /// A pair whose smallest order is worth 5 units of the quote.
    pub fn new(
        base: &str,
        quote: &str,
        price_decimals: u32,
        size_decimals: u32,
        start_price: Decimal,
    ) -> Self {
        Self {
            base: base.to_owned(),
            quote: quote.to_owned(),
            price_decimals: price_decimals.min(8),
            size_decimals: size_decimals.min(8),
            min_notional: Decimal::from(5),
            start_price,
        }
    }

    /// The 20 pairs that a sandbox lists unless it is told otherwise.
    pub fn listed() -> Vec<Self> {
        listed::pairs()
    }

    /// The symbol on the wire, `BTC_USDT`.
    pub fn symbol(&self) -> String {
        format!("{}_{}", self.base, self.quote)
    }
}

/// A perpetual contract and its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contract {
    /// Base currency, `BTC`.
    pub base: String,
    /// Quote and margin currency, `USDT`.
    pub quote: String,
    /// Base units of one contract.
    pub contract_size: Decimal,
    /// Decimals of a price.
    pub price_decimals: u32,
    /// Highest leverage.
    pub max_leverage: u32,
    /// Largest order in contracts.
    pub max_volume: u64,
    /// Where the market maker starts. It follows the pair of the same currencies, if there is one: give
    /// both the same price.
    pub start_price: Decimal,
}

impl Contract {
    /// A contract with leverage up to 100 and orders up to 500,000 contracts.
    pub fn new(
        base: &str,
        quote: &str,
        contract_size: Decimal,
        price_decimals: u32,
        start_price: Decimal,
    ) -> Self {
        Self {
            base: base.to_owned(),
            quote: quote.to_owned(),
            contract_size,
            price_decimals: price_decimals.min(8),
            max_leverage: 100,
            max_volume: 500_000,
            start_price,
        }
    }

    /// The 10 contracts that a sandbox lists unless it is told otherwise.
    pub fn listed() -> Vec<Self> {
        listed::contracts()
    }

    /// The symbol on the wire, `BTCUSDT`.
    pub fn symbol(&self) -> String {
        format!("{}{}", self.base, self.quote)
    }
}
