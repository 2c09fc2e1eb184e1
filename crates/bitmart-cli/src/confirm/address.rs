//! The format of addresses on common networks. Checksums are not verified: a typing error within a well-formed
//! address is not detected.

/// The name of a network for comparison. The exchange spells one network in several ways.
pub(crate) fn plain_network(network: &str) -> String {
    let letters = network.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_uppercase()).collect()
}

/// Whether two names mean the same network.
pub(crate) fn is_same_network(one: &str, other: &str) -> bool {
    canonical_network(one) == canonical_network(other)
}

/// One name for all spellings of a network.
fn canonical_network(network: &str) -> String {
    let plain = plain_network(network);
    match plain.as_str() {
        "ETH" | "ETHEREUM" => "ERC20".to_owned(),
        "TRX" | "TRON" => "TRC20".to_owned(),
        "BSC" | "BNB" | "BEP20BSC" | "BSCBEP20" => "BEP20".to_owned(),
        "BITCOIN" => "BTC".to_owned(),
        "SOLANA" => "SOL".to_owned(),
        "RIPPLE" | "XRPL" => "XRP".to_owned(),
        _ => plain,
    }
}

const EVM: [&str; 14] = [
    "ERC20",
    "BEP20",
    "ETC",
    "MATIC",
    "POLYGON",
    "ARB",
    "ARBITRUM",
    "ARBITRUMONE",
    "ARBI",
    "OP",
    "OPTIMISM",
    "BASE",
    "AVAXC",
    "AVAXCCHAIN",
];

/// Whether a network has the address format of Ethereum.
pub(crate) fn is_evm(network: &str) -> bool {
    EVM.contains(&canonical_network(network).as_str())
}

/// Networks on which exchanges share one address and distinguish accounts by a tag, payment id or memo.
const WITH_MEMO: [&str; 16] = [
    "XRP", "XLM", "STELLAR", "EOS", "ATOM", "COSMOS", "HBAR", "TON", "STX", "XEM", "IOST", "KAVA",
    "LUNA", "LUNC", "BEP2", "HIVE",
];

/// Networks other than those of Ethereum on which every deposit has an address of its own.
const WITHOUT_MEMO: [&str; 5] = ["BTC", "LTC", "DOGE", "TRC20", "SOL"];

/// Whether deposits to an exchange usually need a memo on a network; `None` if it is not known here.
pub(crate) fn needs_memo(network: &str) -> Option<bool> {
    let canonical = canonical_network(network);
    if WITH_MEMO.contains(&canonical.as_str()) {
        return Some(true);
    }
    (is_evm(&canonical) || WITHOUT_MEMO.contains(&canonical.as_str())).then_some(false)
}

/// Whether two texts are the same address. The letter case of an Ethereum address is only a checksum.
pub(crate) fn is_same_address(one: &str, other: &str) -> bool {
    let is_ethereum = |address| is_well_formed("ERC20", address) == Some(true);
    one == other || (is_ethereum(one) && is_ethereum(other) && one.eq_ignore_ascii_case(other))
}

/// Whether an address has the format of a network; `None` if the format is not known here.
pub(crate) fn is_well_formed(network: &str, address: &str) -> Option<bool> {
    let base58 = |starts: &[&str], lengths: std::ops::RangeInclusive<usize>| {
        let plain = |letter: char| letter.is_ascii_alphanumeric() && !"0OIl".contains(letter);
        starts.iter().any(|start| address.starts_with(start))
            && lengths.contains(&address.len())
            && address.chars().all(plain)
    };
    let bech32 = |start: &str| {
        let rest = address.strip_prefix(start);
        let letters = |letter: char| "qpzry9x8gf2tvdw0s3jn54khce6mua7l".contains(letter);
        rest.is_some_and(|rest| (38..=90).contains(&rest.len()) && rest.chars().all(letters))
    };
    let canonical = canonical_network(network);
    if is_evm(&canonical) {
        let digits = address.strip_prefix("0x");
        let hex = |letter: char| letter.is_ascii_hexdigit();
        return Some(digits.is_some_and(|digits| digits.len() == 40 && digits.chars().all(hex)));
    }
    Some(match canonical.as_str() {
        "BTC" => base58(&["1", "3"], 26..=35) || bech32("bc1"),
        "LTC" => base58(&["L", "M", "3"], 26..=35) || bech32("ltc1"),
        "DOGE" => base58(&["D", "A", "9"], 26..=35),
        "TRC20" => base58(&["T"], 34..=34),
        "XRP" => base58(&["r"], 25..=35),
        "SOL" => base58(&[""], 32..=44) && !address.starts_with("0x"),
        "ATOM" | "COSMOS" => bech32("cosmos1"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{is_same_network, is_well_formed};

    #[test]
    fn checks_addresses_against_the_format_of_their_network() {
        let evm = "0x52908400098527886E0F7030069857D2E4169EE7";
        let tron = "TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeBf";
        for (network, address) in [
            ("ERC20", evm),
            ("ERC-20 ", evm),
            ("ETH", evm),
            ("TRC20", tron),
            ("BTC", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
            ("BTC", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"),
            ("XRP", "rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh"),
        ] {
            assert_eq!(is_well_formed(network, address), Some(true), "{network} {address}");
        }
        for (network, address) in [
            ("ERC20", tron),
            ("TRC20", evm),
            ("ERC20", &evm[..41]),
            ("BTC", evm),
            ("XRP", tron),
            ("SOL", evm),
            ("TRC20", "TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeB0"),
        ] {
            assert_eq!(is_well_formed(network, address), Some(false), "{network} {address}");
        }
        assert_eq!(is_well_formed("KASPA", "kaspa:qq"), None);
    }

    #[test]
    fn recognizes_several_names_of_a_network() {
        assert!(is_same_network("ERC20", "ERC-20 ") && is_same_network("ETH", "ERC20"));
        assert!(!is_same_network("ERC20", "TRC20"));
    }
}
