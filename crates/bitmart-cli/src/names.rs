//! Symbols and currencies as people type them.

/// A pair or contract as the exchange writes it: `btc_usdt` is `BTC_USDT`, `btcusdt` is `BTCUSDT`.
pub(crate) fn symbol(text: &str) -> String {
    if text.contains('_') {
        text.split('_').map(coin).collect::<Vec<_>>().join("_")
    } else {
        upper(text)
    }
}

/// A currency as the exchange writes it: `usdt` is `USDT`, `usdt-trc20` is `USDT-TRC20`.
pub(crate) fn currency(text: &str) -> String {
    text.split('-').map(coin).collect::<Vec<_>>().join("-")
}

/// The parameter of an endpoint with what its name says it is.
pub(crate) fn parameter(name: &str, text: &str) -> Option<String> {
    match name {
        "symbol" => Some(symbol(text)),
        "currency" | "currencies" | "coinName" | "coin_code" | "from_coin_code" => {
            Some(text.split(',').map(currency).collect::<Vec<_>>().join(","))
        }
        _ => None,
    }
}

/// Some coins have small letters behind a capital or before one, as `eBTC`: such a name stays as it is.
fn coin(name: &str) -> String {
    let typed = name.chars().skip(1).all(|letter| !letter.is_ascii_uppercase());
    if typed { upper(name) } else { name.to_owned() }
}

fn upper(text: &str) -> String {
    text.to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::{currency, parameter, symbol};

    #[test]
    fn any_case_is_the_exchanges() {
        for typed in ["BTC_USDT", "btc_usdt", "Btc_Usdt", "BTC_usdt", "btc_USDT"] {
            assert_eq!(symbol(typed), "BTC_USDT");
        }
        for typed in ["BTCUSDT", "btcusdt", "Btcusdt", "btcUSDT", "BTCusdt"] {
            assert_eq!(symbol(typed), "BTCUSDT");
        }
        assert_eq!(currency("usdt-trc20"), "USDT-TRC20");
        assert_eq!(parameter("currencies", "btc,Usdt").as_deref(), Some("BTC,USDT"));
        assert_eq!(parameter("clientOrderId", "abc"), None, "ids stay as they are");
    }

    #[test]
    fn a_coin_with_small_letters_of_its_own_can_be_named() {
        assert_eq!(symbol("eBTC_usdt"), "eBTC_USDT");
        assert_eq!(currency("USDt-ERC20"), "USDt-ERC20");
    }
}
