//! Initial balances from a list of currencies and amounts.

use std::fmt;

use bitmart_sim::{DECIMALS, control::MAX_BALANCE};

use rust_decimal::Decimal;

use super::{Config, set_balance};

/// An invalid initial balance.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartingBalancesError {
    /// Not of the form `BTC=20000`.
    Malformed(String),
    /// No listed market uses this currency. Currencies are in upper case.
    UnknownCurrency(String),
    /// The amount is not a number from 0 to 1e15 with at most 8 decimals.
    InvalidAmount {
        /// The currency.
        currency: String,
        /// The text of the amount.
        amount: String,
    },
    /// The list contains this currency twice.
    Twice(String),
}

impl fmt::Display for StartingBalancesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(text) => {
                write!(
                    f,
                    "{text:?} does not have the form CURRENCY=AMOUNT, such as BTC=20000,USDT=5000.5"
                )
            }
            Self::UnknownCurrency(currency) => {
                write!(f, "no listed market uses the currency {currency:?}")?;
                let capitals = currency.to_uppercase();
                if capitals == *currency { Ok(()) } else { write!(f, "; did you mean {capitals}?") }
            }
            Self::InvalidAmount { currency, amount } => write!(
                f,
                "{amount:?} is not an amount of {currency}: expected a decimal number from 0 to 1e15 with at most \
                 {DECIMALS} decimals, without an exponent"
            ),
            Self::Twice(currency) => write!(f, "{currency} is listed twice"),
        }
    }
}

impl std::error::Error for StartingBalancesError {}

impl Config {
    /// Sets initial balances of every main account from a list such as `BTC=20000,USDT=5000000.5`: in the spot
    /// wallet and, for the settlement currency of a contract (USDT), in the futures wallet as well. Other
    /// currencies keep their balances. Set the markets ([`Config::pairs`], [`Config::contracts`]) first: only
    /// their currencies are accepted.
    ///
    /// ```
    /// use bitmart_sandbox::Config;
    ///
    /// let config = Config::new().starting_balances("BTC=20000,USDT=5000000.5")?;
    /// assert!(config.starting_balances("BTC").is_err());
    /// # Ok::<(), bitmart_sandbox::StartingBalancesError>(())
    /// ```
    ///
    /// # Errors
    /// If the list is malformed or has a currency twice, no market uses a currency, or an amount is not
    /// from 0 to 1e15 with at most 8 decimals.
    pub fn starting_balances(mut self, list: &str) -> Result<Self, StartingBalancesError> {
        let mut seen: Vec<&str> = Vec::new();
        for part in list.split(',') {
            let pair = part.split_once('=').map(|(name, amount)| (name.trim(), amount.trim()));
            let (currency, amount) = pair
                .filter(|(name, amount)| !name.is_empty() && !amount.is_empty())
                .ok_or_else(|| StartingBalancesError::Malformed(part.to_owned()))?;
            if seen.contains(&currency) {
                return Err(StartingBalancesError::Twice(currency.to_owned()));
            }
            seen.push(currency);
            let settles = self.contracts.iter().any(|contract| contract.quote == currency);
            let listed = |pair: &crate::SpotPair| pair.base == currency || pair.quote == currency;
            if !settles && !self.pairs.iter().any(listed) {
                return Err(StartingBalancesError::UnknownCurrency(currency.to_owned()));
            }
            let amount = parse(amount).ok_or_else(|| StartingBalancesError::InvalidAmount {
                currency: currency.to_owned(),
                amount: amount.to_owned(),
            })?;
            set_balance(&mut self.spot_funds, currency, amount);
            if settles {
                set_balance(&mut self.futures_funds, currency, amount);
            }
        }
        Ok(self)
    }
}

/// Parses digits with an optional fraction, without a sign or exponent.
fn parse(text: &str) -> Option<Decimal> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(part) {
        return None;
    }
    // Not `parse`, which rounds.
    let amount = Decimal::from_str_exact(text).ok()?.normalize();
    (amount <= MAX_BALANCE && amount.scale() <= DECIMALS).then_some(amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(funds: &[(String, Decimal)], currency: &str) -> Decimal {
        funds.iter().find(|row| row.0 == currency).expect("funded").1
    }

    #[test]
    fn a_list_sets_spot_balances_and_settlement_currencies_also_on_futures() {
        let before = Config::new();
        let config =
            before.clone().starting_balances("BTC=20000, USDT=0.00000001,ETH=0").expect("a list");
        assert_eq!(of(&config.spot_funds, "BTC"), Decimal::from(20_000));
        assert_eq!(of(&config.spot_funds, "ETH"), Decimal::ZERO);
        for funds in [&config.spot_funds, &config.futures_funds] {
            assert_eq!(of(funds, "USDT"), Decimal::new(1, 8));
        }
        assert_eq!(config.futures_funds.len(), before.futures_funds.len());
        assert_eq!(of(&config.spot_funds, "SOL"), of(&before.spot_funds, "SOL"));
        assert!(Config::new().starting_balances("BTC=1000000000000000").is_ok());
    }

    #[test]
    fn invalid_lists_are_rejected_with_the_cause() {
        let fund = |list: &str| Config::new().starting_balances(list).expect_err(list);
        for list in ["", "BTC", "BTC=", "=5", "BTC=1,", "BTC 5"] {
            assert!(matches!(fund(list), StartingBalancesError::Malformed(_)), "{list}");
        }
        for amount in [
            "-1",
            "+1",
            "1e3",
            "x",
            ".5",
            "5.",
            "1_000",
            "0.000000001",
            "1000000000000001",
            "1.00000000000000000000000000000001",
        ] {
            let error = fund(&format!("USDT=1,BTC={amount}"));
            let named = StartingBalancesError::InvalidAmount {
                currency: "BTC".into(),
                amount: amount.into(),
            };
            assert_eq!(error, named);
        }
        assert_eq!(fund("BTC=1,BTC=2"), StartingBalancesError::Twice("BTC".into()));
        assert!(fund("btc=1").to_string().ends_with("; did you mean BTC?"));
        let eth = crate::SpotPair::listed().into_iter().filter(|pair| pair.symbol() == "ETH_USDT");
        let only_eth = Config::new().pairs(eth.collect::<Vec<_>>());
        assert_eq!(
            only_eth.starting_balances("BTC=1").expect_err("no BTC"),
            StartingBalancesError::UnknownCurrency("BTC".into())
        );
    }
}
