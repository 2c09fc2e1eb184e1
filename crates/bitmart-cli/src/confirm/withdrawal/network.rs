//! The network of a withdrawal: which ones the exchange lists, and which one is meant.

use bitmart::rest::{Client, Error, account};

use super::super::address::is_same_network;
use super::super::{parameter_text, prompt};
use crate::failure::Failure;
use crate::output::json::Json;

/// The currency of a code that may name a network: `USDT` of `USDT-TRC20`.
pub(crate) fn coin_of(code: &str) -> &str {
    code.split_once('-').map_or(code, |(currency, _)| currency)
}

/// Sets the `currency` parameter to the code that includes the network, such as `USDT-TRC20`. Prompts if there
/// are several; fails if it cannot prompt.
pub(crate) async fn choose_network(
    client: &Client,
    parameters: &mut [(String, Json)],
) -> Result<(), Failure> {
    let code = parameter_text(parameters, "currency").unwrap_or_default();
    let on_chain = parameter_text(parameters, "address").is_some_and(|address| !address.is_empty());
    if !on_chain || code.contains('-') {
        return Ok(());
    }
    let list = match client.account().currencies(account::ListFundingCurrencies::new()).await {
        Ok(list) => list.currencies,
        // Without the list the network of the withdrawal is unknown.
        Err(error) => return Err(Failure::from(error).with_context(&format!("networks of {code}"))),
    };
    let is_complete = list.is_complete();
    let of_coin =
        |row: &account::FundingCurrency| coin_of(row.currency.as_str()).eq_ignore_ascii_case(&code);
    let rows: Vec<_> = list.into_iter().filter(of_coin).collect();
    let names: Vec<_> = rows.iter().map(|row| row.currency.to_string()).collect();
    let several = if is_complete {
        "is on several networks"
    } else {
        "may be on a network that cannot be decoded"
    };
    let chosen = match choice(&rows, is_complete) {
        Choice::None => return Ok(()),
        Choice::Only(row) => row.currency.to_string(),
        Choice::Several if !prompt::is_interactive() => {
            return Err(Failure::usage(format!(
                "{code} {several}, and money sent on another network than that of the address is lost: name one \
                 of {}",
                names.join(", ")
            )));
        }
        Choice::Several => {
            eprintln!("{code} {several}:");
            for row in &rows {
                eprintln!("  {}", network_line(row));
            }
            let chosen = prompt::line("which one is the address on?")?;
            let is_chosen = |row: &&account::FundingCurrency| {
                row.currency.as_str().eq_ignore_ascii_case(&chosen)
                    || row.network.as_deref().is_some_and(|name| is_same_network(name, &chosen))
            };
            let row = rows.iter().find(is_chosen).ok_or_else(|| {
                Failure::usage(format!("{chosen:?} is not one of {}", names.join(", ")))
            })?;
            row.currency.to_string()
        }
    };
    if let Some((_, value)) = parameters.iter_mut().find(|(name, _)| name == "currency") {
        *value = Json::Text(chosen);
    }
    Ok(())
}

/// The choice of a network among those that are listed for a coin.
#[derive(Debug, PartialEq)]
enum Choice<'a> {
    /// The exchange lists none, and decides.
    None,
    Only(&'a account::FundingCurrency),
    /// There are several, or there may be: a row of the list cannot be decoded.
    Several,
}

fn choice(of_coin: &[account::FundingCurrency], is_complete: bool) -> Choice<'_> {
    match of_coin {
        _ if !is_complete => Choice::Several,
        [] => Choice::None,
        [only] => Choice::Only(only),
        _ => Choice::Several,
    }
}

/// The network of a code in the exchange's list.
pub(super) async fn listed_network(
    client: &Client,
    code: &str,
) -> Result<Option<account::FundingCurrency>, Error> {
    let list = client.account().currencies(account::ListFundingCurrencies::new()).await?;
    Ok(list.currencies.into_iter().find(|row| row.currency.as_str() == code))
}

pub(super) fn or_unknown(value: Option<&impl ToString>) -> String {
    value.map_or_else(|| "unknown".to_owned(), ToString::to_string)
}

pub(super) fn withdraw_state(open: Option<bool>) -> &'static str {
    match open {
        Some(true) => "withdrawals are open",
        Some(false) => "withdrawals are CLOSED",
        None => "unknown whether withdrawals are open",
    }
}

fn network_line(row: &account::FundingCurrency) -> String {
    format!(
        "{:<16}{}, fee {}, minimum {}",
        row.currency.as_str(),
        withdraw_state(row.withdraw_enabled),
        or_unknown(row.withdraw_fee.or(row.withdraw_min_fee).as_ref()),
        or_unknown(row.withdraw_min_size.as_ref())
    )
}

#[cfg(test)]
mod tests {
    use bitmart::rest::account;
    use bitmart::types::Rows;

    use super::{Choice, choice};

    #[test]
    fn a_network_is_chosen_from_a_complete_list_only() {
        let list = |text: &str| -> Rows<account::FundingCurrency> {
            serde_json::from_str(text).expect("a list")
        };
        let one = list(r#"[{"currency":"USDT-TRC20"}]"#);
        assert_eq!(choice(&one, one.is_complete()), Choice::Only(&one[0]));
        let two = list(r#"[{"currency":"USDT-TRC20"},{"currency":{"code":"USDT-ERC20"}}]"#);
        assert_eq!((two.len(), two.is_complete()), (1, false));
        assert_eq!(choice(&two, two.is_complete()), Choice::Several);
        assert_eq!(choice(&[], false), Choice::Several);
        assert_eq!(choice(&[], true), Choice::None);
    }
}
