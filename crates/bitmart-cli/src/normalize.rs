//! Normalizes symbols and currencies from the command line.

/// A pair or contract in the spelling of the exchange: `BTC_USDT` for `btc_usdt`, `BTCUSDT` for `btcusdt`.
pub(crate) fn symbol(text: &str) -> String {
    if text.contains('_') {
        text.split('_').map(coin).collect::<Vec<_>>().join("_")
    } else {
        upper(text)
    }
}

/// A currency in the spelling of the exchange: `USDT` for `usdt`, `USDT-TRC20` for `usdt-trc20`.
pub(crate) fn currency(text: &str) -> String {
    text.split('-').map(coin).collect::<Vec<_>>().join("-")
}

/// The value of a parameter that is a symbol or a currency by its name; `None` for other parameters.
pub(crate) fn parameter(name: &str, text: &str) -> Option<String> {
    match name {
        "symbol" => Some(symbol(text)),
        "currency" | "currencies" | "coinName" | "coin_code" | "from_coin_code" => {
            Some(text.split(',').map(currency).collect::<Vec<_>>().join(","))
        }
        _ => None,
    }
}

/// Some coins have names in mixed case, such as `eBTC`, which are left unchanged.
fn coin(name: &str) -> String {
    let is_simple = name.chars().skip(1).all(|letter| !letter.is_ascii_uppercase());
    if is_simple { upper(name) } else { name.to_owned() }
}

fn upper(text: &str) -> String {
    text.to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::{currency, parameter, symbol};

    #[test]
    fn converts_to_upper_case() {
        for typed in ["BTC_USDT", "btc_usdt", "Btc_Usdt", "BTC_usdt", "btc_USDT"] {
            assert_eq!(symbol(typed), "BTC_USDT");
        }
        for typed in ["BTCUSDT", "btcusdt", "Btcusdt", "btcUSDT", "BTCusdt"] {
            assert_eq!(symbol(typed), "BTCUSDT");
        }
        assert_eq!(currency("usdt-trc20"), "USDT-TRC20");
        assert_eq!(parameter("currencies", "btc,Usdt").as_deref(), Some("BTC,USDT"));
        assert_eq!(parameter("clientOrderId", "abc"), None, "ids are not changed");
    }

    #[test]
    fn preserves_coins_in_mixed_case() {
        assert_eq!(symbol("eBTC_usdt"), "eBTC_USDT");
        assert_eq!(currency("USDt-ERC20"), "USDt-ERC20");
    }
}
