//! Leverage brackets that the operator sets.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    DECIMALS, Exchange,
    control::{ControlError, check_operator_amount},
    futures::margin::Bracket,
};

/// Most brackets of a contract.
const MAX_BRACKETS: usize = 50;
/// Highest leverage that the operator may allow.
const MAX_LEVERAGE: u32 = 1_000;

/// A leverage bracket of a contract: what is allowed for positions up to a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeverageBracket {
    /// Highest leverage, from 1 to 1,000. The one of the first bracket is the highest of the contract.
    pub leverage: u32,
    /// Positions up to this value are in the bracket, in the quote currency.
    pub cap: Decimal,
    /// Maintenance margin as a part of the value above the previous bracket, below 1 / leverage.
    pub ratio: Decimal,
}

impl LeverageBracket {
    /// A bracket of one contract. All of them are checked when they are set.
    pub fn new(leverage: u32, cap: Decimal, ratio: Decimal) -> Self {
        Self { leverage, cap, ratio }
    }
}

impl From<&Bracket> for LeverageBracket {
    fn from(bracket: &Bracket) -> Self {
        Self::new(bracket.leverage, bracket.cap, bracket.ratio)
    }
}

// Rule: The operator sets 1 to 50 brackets: caps and ratios rise, leverages fall, and a ratio is below 1 / leverage.
// Source: invented (a position at its highest leverage must not be liquidated at once)
fn check(brackets: &[LeverageBracket]) -> Result<(), &'static str> {
    let Some(first) = brackets.first().filter(|_| brackets.len() <= MAX_BRACKETS) else {
        return Err("a contract has 1 to 50 brackets");
    };
    if first.leverage > MAX_LEVERAGE || brackets.iter().any(|row| row.leverage == 0) {
        return Err("a leverage is from 1 to 1,000");
    }
    if brackets
        .iter()
        .any(|row| row.cap <= Decimal::ZERO || check_operator_amount(row.cap).is_err())
    {
        return Err("a cap is above 0, at most 1e15, with at most 8 decimals");
    }
    let fits = |row: &LeverageBracket| {
        row.ratio > Decimal::ZERO
            && row.ratio.normalize().scale() <= DECIMALS
            && row.ratio * Decimal::from(row.leverage) < Decimal::ONE
    };
    if !brackets.iter().all(|row| row.ratio < Decimal::ONE && fits(row)) {
        return Err("a ratio is above 0 and below 1 / leverage, with at most 8 decimals");
    }
    let rises = |pair: &[LeverageBracket]| match pair {
        [low, high] => {
            low.cap < high.cap && low.ratio <= high.ratio && low.leverage > high.leverage
        }
        _ => true,
    };
    if !brackets.windows(2).all(rises) {
        return Err(
            "from one bracket to the next the cap rises, the leverage falls, and the ratio does not fall",
        );
    }
    Ok(())
}

impl Exchange {
    // Rule: Positions and orders keep their leverage when brackets change; maintenance margins follow at once.
    // Source: invented (no source says it)
    /// Replaces the brackets of a contract, and with them its highest leverage.
    pub(super) fn set_brackets(
        &mut self,
        symbol: String,
        brackets: &[LeverageBracket],
    ) -> Result<(), ControlError> {
        let Some(market) = self.futures.get_mut(symbol.as_str()) else {
            return Err(ControlError::UnknownMarket(symbol));
        };
        check(brackets).map_err(ControlError::InvalidBrackets)?;
        let mut rows: Vec<Bracket> = Vec::new();
        for LeverageBracket { leverage, cap, ratio } in brackets {
            rows.push(Bracket::after(rows.last(), *leverage, *cap, *ratio));
        }
        market.rules.max_leverage = rows.first().map_or(1, |row| row.leverage);
        market.rules.brackets = rows;
        Ok(())
    }
}
