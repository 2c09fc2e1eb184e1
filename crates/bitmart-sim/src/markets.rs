//! Spot pairs and contracts with their trading rules.

pub(crate) mod listed;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The kind of a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum MarketKind {
    Spot,
    Futures,
}

/// A spot pair with its trading rules.
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
    /// Minimum value of an order in the quote currency.
    pub min_notional: Decimal,
    /// Initial price of the market maker.
    pub start_price: Decimal,
}

impl SpotPair {
    // Rule: The smallest value of an order is 5 units of the quote currency. Source: documented (a sample,
    // endpoint spot_symbol_details)
    /// Creates a pair with a minimum order of 5 units of the quote currency.
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

    /// Returns the 20 default pairs.
    pub fn listed() -> Vec<Self> {
        listed::pairs()
    }

    /// Returns the symbol, such as `BTC_USDT`.
    pub fn symbol(&self) -> String {
        format!("{}_{}", self.base, self.quote)
    }
}

/// A perpetual contract with its trading rules.
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
    /// Maximum leverage.
    pub max_leverage: u32,
    /// Maximum size of an order in contracts.
    pub max_volume: u64,
    /// Initial price of the market maker. A contract follows the pair of the same currencies, so that both should have
    /// the same price.
    pub start_price: Decimal,
}

impl Contract {
    // Rule: Leverage is up to 100, and orders have up to 500,000 contracts. Source: documented (one of two
    // samples, endpoint futures_contracts, the other has 1,000,000 for limit orders and 50,000 for market orders);
    // simplified (one limit for both)
    /// Creates a contract with leverage up to 100 and orders up to 500,000 contracts.
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

    /// Returns the 10 default contracts.
    pub fn listed() -> Vec<Self> {
        listed::contracts()
    }

    /// Returns the symbol, such as `BTCUSDT`.
    pub fn symbol(&self) -> String {
        format!("{}{}", self.base, self.quote)
    }
}
