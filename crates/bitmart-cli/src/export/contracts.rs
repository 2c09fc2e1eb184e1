//! Amounts of futures rows: they count contracts, and the contract defines the size of one.

use std::collections::BTreeMap;
use std::path::Path;

use bitmart::Decimal;
use bitmart::rest::catalog::{ContractAmount, EndpointEntry};
use serde_json::Value;

use super::Archive;
use super::plan::text;
use super::reference::CONTRACTS;
use super::rows;
use crate::failure::Failure;

/// A contract of the archive.
#[derive(Clone, Debug, PartialEq)]
struct Contract {
    base: String,
    quote: String,
    /// Size of one contract.
    size: Decimal,
}

/// The contracts of the archive, by symbol.
#[derive(Debug)]
pub(crate) struct Contracts(BTreeMap<String, Contract>);

/// Amounts of a futures trade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TradeAmounts {
    pub(crate) base: Decimal,
    pub(crate) quote: Decimal,
    pub(crate) quote_currency: String,
}

impl Archive {
    /// Reads the contracts.
    ///
    /// # Errors
    /// If the list of contracts cannot be read.
    pub(crate) fn contracts(&self) -> Result<Contracts, Failure> {
        Contracts::read(self.folder())
    }
}

impl Contracts {
    /// Reads the contracts of all snapshots, since the exchange removes them: the newest row of each. Empty if the
    /// archive does not have them.
    pub(super) fn read(folder: &Path) -> Result<Self, Failure> {
        let mut contracts = BTreeMap::new();
        rows::all(folder, CONTRACTS, |row| {
            if let (Some(symbol), Some(base), Some(quote), Some(size)) = (
                text(&row, "symbol"),
                text(&row, "base_currency"),
                text(&row, "quote_currency"),
                decimal(&row, "contract_size"),
            ) {
                contracts.insert(symbol, Contract { base, quote, size });
            }
        })?;
        Ok(Self(contracts))
    }

    fn find(&self, row: &Value) -> Option<&Contract> {
        self.0.get(row.get("symbol")?.as_str()?)
    }

    /// Computes the amounts of a trade. `None` if the contract is unknown, or the row lacks price or size.
    pub(crate) fn trade_amounts(&self, row: &Value) -> Option<TradeAmounts> {
        let contract = self.find(row)?;
        let amounts = contract.amounts(decimal(row, "vol")?, decimal(row, "price"));
        let (Some(base), Some(quote)) = amounts else { return None };
        Some(TradeAmounts { base, quote, quote_currency: contract.quote.clone() })
    }
}

impl Contract {
    /// Computes base and quote amount of a number of contracts. Contracts quoted in USD are sized in USD and backed
    /// by coins, all others are sized in their base currency; the exchange does not state this in the row.
    fn amounts(
        &self,
        contracts: Decimal,
        price: Option<Decimal>,
    ) -> (Option<Decimal>, Option<Decimal>) {
        let value = self.size.checked_mul(contracts);
        let price = price.filter(|price| !price.is_zero());
        let other = |of: fn(Decimal, Decimal) -> Option<Decimal>| of(value?, price?);
        if self.quote == "USD" {
            (other(Decimal::checked_div), value)
        } else {
            (value, other(Decimal::checked_mul))
        }
    }
}

/// Names of the columns of [`column_values`].
pub(super) fn column_names(entry: &EndpointEntry) -> Vec<String> {
    if entry.contract_amounts.is_empty() {
        return Vec::new();
    }
    let mut names = ["contract_size", "base", "quote"].map(str::to_owned).to_vec();
    for amount in entry.contract_amounts {
        let underscore = if amount.name.is_empty() { "" } else { "_" };
        let prefix = format!("{}{underscore}", amount.name);
        names.extend(["base_amount", "quote_amount"].map(|name| format!("{prefix}{name}")));
    }
    names
}

/// Computes the amounts of a futures row; `None` where the contract or the price is unknown.
pub(super) fn column_values(
    entry: &EndpointEntry,
    row: &Value,
    contracts: &Contracts,
) -> Vec<Option<String>> {
    if entry.contract_amounts.is_empty() {
        return Vec::new();
    }
    let contract = contracts.find(row);
    let mut cells = vec![
        contract.map(|contract| contract.size.to_string()),
        contract.map(|contract| contract.base.clone()),
        contract.map(|contract| contract.quote.clone()),
    ];
    for ContractAmount { count, price, .. } in entry.contract_amounts {
        let amounts = contract.zip(decimal(row, count));
        let (base, quote) = amounts
            .map(|(contract, count)| contract.amounts(count, decimal(row, price)))
            .unwrap_or_default();
        cells.extend([base, quote].map(|amount| amount.map(|one| one.normalize().to_string())));
    }
    cells
}

/// Reads an amount, written as text or number.
fn decimal(row: &Value, name: &str) -> Option<Decimal> {
    match row.get(name)? {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bitmart::Decimal;

    use super::Contract;

    #[test]
    fn contracts_are_sized_in_base_currency_or_usd() {
        let number = |text: &str| text.parse::<Decimal>().expect("a number");
        let contract = |quote: &str, size: &str| Contract {
            base: "BTC".to_owned(),
            quote: quote.to_owned(),
            size: number(size),
        };
        let amounts = contract("USDT", "0.001").amounts(number("3"), Some(number("27000.5")));
        assert_eq!(amounts, (Some(number("0.003")), Some(number("81.0015"))));
        let amounts = contract("USD", "100").amounts(number("2"), Some(number("50000")));
        assert_eq!(amounts, (Some(number("0.004")), Some(number("200"))));
        assert_eq!(contract("USDT", "0.001").amounts(number("3"), None).1, None);
        assert_eq!(contract("USD", "100").amounts(number("2"), Some(Decimal::ZERO)).0, None);
    }
}
