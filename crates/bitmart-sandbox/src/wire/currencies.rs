//! Names of currencies and networks, and addresses in the form of a network.

use sha2::{Digest, Sha256};

/// The full name of a currency: that of captures and samples, else the usual one, else its code.
pub(crate) fn full_name(currency: &str) -> &str {
    match currency {
        "BTC" => "Bitcoin",
        "ETH" => "Ethereum",
        "USDT" => "Tether USD",
        "TRX" => "TRON",
        "ADA" => "Cardano",
        "LTC" => "LiteCoin",
        "SOL" => "Solana",
        "BMX" => "BitMart Token",
        "DOGE" => "Dogecoin",
        "AVAX" => "Avalanche",
        "LINK" => "Chainlink",
        "DOT" => "Polkadot",
        "BCH" => "Bitcoin Cash",
        "UNI" => "Uniswap",
        "ATOM" => "Cosmos",
        "NEAR" => "NEAR Protocol",
        "APT" => "Aptos",
        "ARB" => "Arbitrum",
        "SHIB" => "Shiba Inu",
        other => other,
    }
}

/// The network of a code such as `USDT-TRC20`. A code without a network has that of its own name.
fn network(code: &str) -> &str {
    code.split_once('-').map_or(code, |(_, network)| network)
}

/// The name of the chain of a code, as in the captured deposit addresses of `USDT-ERC20` (Ethereum), `USDT-TRC20`
/// (TRON) and `TRUMP-SOL` (Solana). Other networks have the full name of the currency of their code.
pub(crate) fn chain(code: &str) -> &str {
    match network(code) {
        "ERC20" => "Ethereum",
        "TRC20" => "TRON",
        other => full_name(other),
    }
}

/// An invented address in the form that the chain of a code has: TRON begins with T and has 34 characters, Solana 44.
/// Other chains keep the form of the engine.
pub(crate) fn address_on(code: &str, address: &str) -> String {
    let derived = |length: usize| {
        const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
        let hash = [Sha256::digest(address), Sha256::digest(format!("{address}+"))].concat();
        let digit = |byte: &u8| char::from(BASE58[usize::from(*byte) % BASE58.len()]);
        hash.iter().take(length).map(digit).collect::<String>()
    };
    match chain(code) {
        "TRON" => format!("T{}", derived(33)),
        "Solana" => derived(44),
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_and_addresses_have_the_captured_forms() {
        for (code, name, length, start) in [
            ("USDT-ERC20", "Ethereum", 42, "0x"),
            ("USDT-TRC20", "TRON", 34, "T"),
            ("TRUMP-SOL", "Solana", 44, ""),
            ("BTC", "Bitcoin", 42, "0x"),
        ] {
            assert_eq!(chain(code), name);
            let address = address_on(code, &format!("0x{}", "5".repeat(40)));
            assert_eq!((address.len(), address.starts_with(start)), (length, true), "{address}");
        }
        assert_ne!(address_on("USDT-TRC20", "0x1"), address_on("USDT-TRC20", "0x2"));
    }
}
