//! What rows of futures are worth: they count contracts, and the contract says what one is.

use std::collections::BTreeMap;
use std::path::Path;

use bitmart::Decimal;
use serde_json::Value;

use super::plan::{each_row, text};
use super::reference::CONTRACTS;
use crate::failure::Failure;

/// What is known of a contract.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Contract {
    pub(super) base: String,
    pub(super) quote: String,
    /// Value of one contract.
    pub(super) size: Decimal,
}

/// The contracts of the archive, by their symbol.
pub(super) type Contracts = BTreeMap<String, Contract>;

/// Reads the contracts; none when they are not in the archive.
pub(super) fn contracts(folder: &Path) -> Result<Contracts, Failure> {
    let mut contracts = Contracts::new();
    each_row(folder, CONTRACTS, |row| {
        if let (Some(symbol), Some(base), Some(quote), Some(size)) = (
            text(row, "symbol"),
            text(row, "base_currency"),
            text(row, "quote_currency"),
            decimal(row, "contract_size"),
        ) {
            contracts.insert(symbol, Contract { base, quote, size });
        }
    })?;
    Ok(contracts)
}

impl Contract {
    /// Amounts of the base and the quote currency of so many contracts at a price. A contract that is
    /// quoted in USD counts USD and is backed by coins, any other counts its base currency; BitMart does not
    /// say so in the row.
    pub(super) fn amounts(
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

/// Columns of a dataset of futures that count contracts: what their amounts are called, and the columns
/// of the count and of the price.
pub(super) fn counted(endpoint: &str) -> &'static [[&'static str; 3]] {
    match endpoint {
        "futures_fills" => &[["", "vol", "price"]],
        "futures_order_history" | "futures_open_orders" => {
            &[["", "size", "price"], ["filled_", "deal_size", "deal_avg_price"]]
        }
        "futures_plan_orders" => &[["", "size", "executive_price"]],
        "futures_positions" => &[["", "current_amount", "entry_price"]],
        _ => &[],
    }
}

/// Names of the columns that [`cells`] fills.
pub(super) fn names(endpoint: &str) -> Vec<String> {
    let counted = counted(endpoint);
    if counted.is_empty() {
        return Vec::new();
    }
    let mut names = ["contract_size", "base", "quote"].map(str::to_owned).to_vec();
    for [of, ..] in counted {
        names.extend(["base_amount", "quote_amount"].map(|name| format!("{of}{name}")));
    }
    names
}

/// What a row of futures is worth; `None` where the contract or the price is not known.
pub(super) fn cells(endpoint: &str, row: &Value, contracts: &Contracts) -> Vec<Option<String>> {
    let counted = counted(endpoint);
    if counted.is_empty() {
        return Vec::new();
    }
    let contract = text(row, "symbol").and_then(|symbol| contracts.get(&symbol));
    let said = |of: fn(&Contract) -> String| contract.map(of);
    let mut cells = vec![
        said(|contract| contract.size.to_string()),
        said(|contract| contract.base.clone()),
        said(|contract| contract.quote.clone()),
    ];
    for [_, count, price] in counted {
        let amounts = contract.zip(decimal(row, count));
        let (base, quote) = amounts
            .map(|(contract, count)| contract.amounts(count, decimal(row, price)))
            .unwrap_or_default();
        cells.extend([base, quote].map(|amount| amount.map(|one| one.normalize().to_string())));
    }
    cells
}

/// An amount of a row, written as a text or as a number.
pub(super) fn decimal(row: &Value, name: &str) -> Option<Decimal> {
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
    fn contracts_count_their_base_or_dollars() {
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
