//! The futures market: contracts with their book, prices, brackets and funding. What happens in it is in
//! the modules below.

mod close;
pub(crate) mod flows;
pub(crate) mod funding;
mod liquidation;
pub(crate) mod margin;
mod mark;
mod modes;
mod modify;
mod orders;
mod settings;
mod settle;
#[cfg(test)]
mod tests;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use self::{
    funding::Rates,
    margin::{Bracket, brackets},
    mark::Mark,
};
use super::{DECIMALS, book::Book, sane, tape::Tape};
use crate::markets::Contract;

/// Fees of the lowest level.
pub(crate) const TAKER_FEE: Decimal = Decimal::from_parts(6, 0, 0, false, 4);
pub(crate) const MAKER_FEE: Decimal = Decimal::from_parts(2, 0, 0, false, 4);

/// The rules of one contract.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FuturesRules {
    pub(crate) symbol: SmolStr,
    pub(crate) base: SmolStr,
    pub(crate) quote: SmolStr,
    /// The spot pair whose price is the index.
    pair: SmolStr,
    pub(crate) contract_size: Decimal,
    pub(crate) price_decimals: u32,
    pub(crate) max_leverage: u32,
    pub(crate) brackets: Vec<Bracket>,
    pub(crate) max_volume: Decimal,
    pub(crate) start_price: Decimal,
}

/// One contract: rules, book, tape, index and mark price.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FuturesMarket {
    pub(crate) rules: FuturesRules,
    pub(crate) book: Book,
    pub(crate) tape: Tape,
    pub(crate) mark: Mark,
    pub(crate) rates: Rates,
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
            contract_size: sane(contract.contract_size, DECIMALS),
            price_decimals,
            max_leverage,
            brackets: brackets(max_leverage),
            max_volume: Decimal::from(contract.max_volume.min(1_000_000_000)),
            start_price: sane(contract.start_price, price_decimals),
        };
        let mark = Mark::new(rules.start_price);
        Self { rules, book: Book::default(), tape: Tape::default(), mark, rates: Rates::default() }
    }

    pub(crate) fn last_price(&self) -> Decimal {
        self.tape.last_price().unwrap_or(self.rules.start_price)
    }

    pub(crate) fn mark_price(&self) -> Decimal {
        self.mark.price()
    }

    pub(crate) fn index_price(&self) -> Decimal {
        self.mark.index()
    }
}
