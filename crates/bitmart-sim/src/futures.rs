//! The futures market: contracts with book, prices, leverage brackets and funding rates.

mod close;
pub mod funding;
mod liquidation;
pub mod margin;
mod mark_price;
mod matching;
mod modes;
mod modify;
mod orders;
pub(crate) mod settings;
mod settle;
#[cfg(test)]
mod tests;
pub mod transactions;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use self::{
    funding::FundingRates,
    margin::{Bracket, brackets},
    mark_price::MarkPrice,
};
use super::{DECIMALS, book::Book, clamp_configured, tape::Tape};
use crate::markets::Contract;

// Rule: Futures fees are 0.06 % for the taker and 0.02 % for the maker, of the value and in the margin currency.
// Source: documented (both samples, endpoint futures_fee_rate); simplified (no source states the currency)
/// Taker fee as a ratio of the value: 0.06 %, that of the lowest level.
pub const TAKER_FEE: Decimal = Decimal::from_parts(6, 0, 0, false, 4);
/// Maker fee as a ratio of the value: 0.02 %.
pub const MAKER_FEE: Decimal = Decimal::from_parts(2, 0, 0, false, 4);

/// The rules of one contract.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FuturesRules {
    /// Such as `BTCUSDT`.
    pub symbol: SmolStr,
    /// The base currency, such as `BTC`.
    pub base: SmolStr,
    /// The currency of prices, margin, fees and profit, such as `USDT`.
    pub quote: SmolStr,
    /// The spot pair whose price is the index.
    pair: SmolStr,
    /// Base units of one contract.
    pub contract_size: Decimal,
    /// Decimals of a price, 8 at most; the tick is one unit of the last.
    pub price_decimals: u32,
    /// Highest leverage of an order, 1 at least.
    pub max_leverage: u32,
    /// Leverage brackets by position value, smallest first. The leverage falls from bracket to bracket.
    pub brackets: Vec<Bracket>,
    /// Largest order, in contracts.
    pub max_volume: Decimal,
    pub(crate) start_price: Decimal,
}

/// The market of one contract.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FuturesMarket {
    /// The rules of the contract.
    pub rules: FuturesRules,
    /// Open limit orders; sizes are contracts.
    pub book: Book,
    /// Trades and candles of the last price.
    pub tape: Tape,
    /// Index and mark price, and candles of the mark price.
    pub mark: MarkPrice,
    /// Funding rates of this contract.
    #[serde(rename = "rates")]
    pub funding_rates: FundingRates,
}

impl FuturesMarket {
    pub(crate) fn new(contract: &Contract) -> Self {
        let price_decimals = contract.price_decimals.min(DECIMALS);
        let max_leverage = contract.max_leverage.max(1);
        let rules = FuturesRules {
            symbol: contract.symbol().into(),
            base: contract.base.as_str().into(),
            quote: contract.quote.as_str().into(),
            pair: format!("{}_{}", contract.base, contract.quote).into(),
            contract_size: clamp_configured(contract.contract_size, DECIMALS),
            price_decimals,
            max_leverage,
            brackets: brackets(max_leverage),
            max_volume: Decimal::from(contract.max_volume.min(1_000_000_000)),
            start_price: clamp_configured(contract.start_price, price_decimals),
        };
        let mark = MarkPrice::new(rules.start_price);
        Self {
            rules,
            book: Book::default(),
            tape: Tape::default(),
            mark,
            funding_rates: FundingRates::default(),
        }
    }

    /// Returns a copy without trades and candles, and without its orders unless they are wanted.
    fn without_history(&self, with_book: bool) -> Self {
        Self {
            rules: self.rules.clone(),
            book: if with_book { self.book.clone() } else { Book::default() },
            tape: Tape::default(),
            mark: self.mark.without_candles(),
            funding_rates: FundingRates::default(),
        }
    }

    /// Returns the last price, or the start price before the first trade.
    pub fn last_price(&self) -> Decimal {
        self.tape.last_price().unwrap_or(self.rules.start_price)
    }

    /// Returns the price at which positions are valued, at least 0.00000001.
    pub fn mark_price(&self) -> Decimal {
        self.mark.price()
    }

    /// Returns the index price, which the mark price follows.
    pub fn index_price(&self) -> Decimal {
        self.mark.index()
    }
}
