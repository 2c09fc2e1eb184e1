//! The recipient of a withdrawal: whether the address is saved, and what could lose the money.

use bitmart::rest::account;

use super::super::address::{is_evm, is_same_address, is_same_network, is_well_formed, needs_memo};
use super::coin_of;

/// The recipient of a withdrawal.
pub(crate) struct Recipient<'a> {
    /// The code of the currency, with a network if there are several.
    pub(crate) code: &'a str,
    pub(crate) network: &'a str,
    pub(crate) address: &'a str,
    pub(crate) memo: &'a str,
}

/// Whether a saved address is for withdrawals of this currency on this network.
pub(crate) fn is_for(saved: &account::WithdrawAddress, code: &str, network: &str) -> bool {
    let same_coin =
        saved.currency.as_ref().is_none_or(|saved| coin_of(saved.as_str()) == coin_of(code));
    let same_network = match (&saved.network, &saved.currency) {
        (Some(saved), _) => is_same_network(saved, network),
        // The exchange sends the network of an address for one coin. Without it the network is unknown.
        (None, Some(_)) => false,
        // An address with neither is for every network with Ethereum addresses.
        (None, None) => is_evm(network),
    };
    same_coin && same_network
}

impl Recipient<'_> {
    /// The saved entries with this address.
    fn saved_entries<'a>(
        &self,
        saved: &'a [account::WithdrawAddress],
    ) -> Vec<&'a account::WithdrawAddress> {
        saved.iter().filter(|one| is_same_address(&one.address, self.address)).collect()
    }

    /// Whether the address is saved and verified, in words.
    pub(super) fn saved_state(&self, saved: &[account::WithdrawAddress]) -> String {
        let same = self.saved_entries(saved);
        let fitting = same.iter().find(|one| is_for(one, self.code, self.network));
        let Some(one) = fitting.or(same.first()) else {
            return "not saved; the exchange may reject it".to_owned();
        };
        let name = one.remark.as_ref().map(|name| format!(" as {name:?}")).unwrap_or_default();
        let verified = match one.is_verified {
            Some(true) => "verified",
            Some(false) => "NOT VERIFIED: the exchange will reject it",
            None => "unknown whether it is verified",
        };
        format!("saved{name}, {verified}")
    }

    /// Risks of losing the money. `deposits_have_memo`: whether the exchange's own deposit address has a memo;
    /// `None` if unknown.
    pub(crate) fn risks(
        &self,
        saved: &[account::WithdrawAddress],
        deposits_have_memo: Option<bool>,
    ) -> Vec<String> {
        let Self { code, network, memo, .. } = self;
        let mut risks = Vec::new();
        let same = self.saved_entries(saved);
        let fits = |one: &&&account::WithdrawAddress| is_for(one, code, network);
        // One address may be saved several times with different memos.
        let same_memo =
            |one: &&&account::WithdrawAddress| one.memo.as_deref().unwrap_or_default() == *memo;
        let fitting = same.iter().filter(fits).find(same_memo).or_else(|| same.iter().find(fits));
        // The exchange has verified an address that was saved for this network.
        let is_verified =
            fitting.is_some_and(|one| one.is_verified == Some(true) && one.network.is_some());
        if !is_verified && is_well_formed(network, self.address) == Some(false) {
            risks.push(format!("the address does not have the format of {network}"));
        }
        if let (None, Some(one)) = (fitting, same.first()) {
            risks.push(format!("the address is saved for {}, not for {code}", saved_for(one)));
        }
        let saved_memo = fitting.and_then(|one| one.memo.as_deref()).unwrap_or_default();
        if !saved_memo.is_empty() && saved_memo != *memo {
            risks.push("the saved address has another memo than this withdrawal".to_owned());
        } else if memo.is_empty() {
            let usually = needs_memo(network);
            if deposits_have_memo == Some(true) || usually == Some(true) {
                risks.push(format!(
                    "deposits to an exchange on {network} usually need a memo or tag, and none was given \
                     (--address-memo)"
                ));
            } else if deposits_have_memo.is_none() && usually.is_none() {
                risks.push(format!(
                    "it is unknown whether deposits to an exchange on {network} need a memo or tag, and none \
                     was given (--address-memo)"
                ));
            }
        }
        risks
    }
}

/// The coin and network of a saved address. An address with neither is for Ethereum-compatible networks.
fn saved_for(saved: &account::WithdrawAddress) -> String {
    match (&saved.currency, &saved.network) {
        (Some(coin), Some(network)) => format!("{coin} on {network}"),
        (Some(coin), None) => format!("{coin} on an unknown network"),
        (None, Some(network)) => network.clone(),
        (None, None) => "Ethereum-compatible networks".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bitmart::rest::account;

    use super::{Recipient, is_for};

    const TRON: &str = "TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeBf";
    const RIPPLE: &str = "rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh";
    const EVM: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

    fn saved(json: &str) -> account::WithdrawAddress {
        serde_json::from_str(json).expect("the saved address cannot be decoded")
    }

    fn to<'a>(code: &'a str, network: &'a str, address: &'a str, memo: &'a str) -> Recipient<'a> {
        Recipient { code, network, address, memo }
    }

    #[test]
    fn wrong_formats_and_missing_memos_are_risks() {
        let risks = |to: Recipient<'_>, memo| to.risks(&[], Some(memo)).len();
        assert_eq!(risks(to("USDT-TRC20", "TRC20", TRON, ""), false), 0);
        assert_eq!(risks(to("USDT-TRC20", "TRC20", EVM, ""), false), 1);
        assert_eq!(risks(to("XRP", "XRP", RIPPLE, ""), false), 1);
        assert_eq!(risks(to("XRP", "XRP", RIPPLE, "7"), false), 0);
        assert_eq!(risks(to("KASPA", "KASPA", "kaspa:qq", ""), true), 1, "deposits have a memo");
        assert_eq!(risks(to("KASPA", "KASPA", "kaspa:qq", ""), false), 0, "deposits have no memo");
    }

    #[test]
    fn an_unknown_memo_requirement_is_a_risk() {
        let risks = |to: Recipient<'_>| to.risks(&[], None);
        let unknown = risks(to("KASPA", "KASPA", "kaspa:qq", ""));
        assert!(unknown.len() == 1 && unknown[0].contains("unknown"), "{unknown:?}");
        assert!(risks(to("KASPA", "KASPA", "kaspa:qq", "7")).is_empty(), "a memo was given");
        let ripple = risks(to("XRP", "XRP", RIPPLE, ""));
        assert!(ripple[0].contains("usually need a memo or tag"), "{ripple:?}");
        assert!(risks(to("USDT-TRC20", "TRC20", TRON, "")).is_empty(), "TRON has no memos");
    }

    #[test]
    fn saved_ethereum_addresses_match_in_any_letter_case() {
        let lower = EVM.to_lowercase();
        let row = format!(
            r#"{{"address":"{lower}","currency":"USDT","network":"TRC20","verifyStatus":1}}"#
        );
        let all = [saved(&row)];
        let risks = to("USDT-ERC20", "ERC20", EVM, "").risks(&all, Some(false));
        assert_eq!(risks, ["the address is saved for USDT on TRC20, not for USDT-ERC20"]);
        let row = format!(r#"{{"address":"{}","network":"ERC20"}}"#, TRON.to_lowercase());
        let all = [saved(&row)];
        assert!(to("USDT-TRC20", "TRC20", TRON, "").risks(&all, Some(false)).is_empty());
    }

    #[test]
    fn the_coin_or_network_of_a_saved_address_may_be_absent() {
        for (members, text) in [
            (r#""addressType":2"#, "saved for Ethereum-compatible networks, not for USDT-TRC20"),
            (r#""currency":"USDT""#, "saved for USDT on an unknown network, not for USDT-TRC20"),
            (r#""network":"ERC20""#, "saved for ERC20, not for USDT-TRC20"),
        ] {
            let all = [saved(&format!(r#"{{"address":"{TRON}",{members}}}"#))];
            let risks = to("USDT-TRC20", "TRC20", TRON, "").risks(&all, Some(false));
            assert!(risks.len() == 1 && risks[0].ends_with(text), "{risks:?}");
        }
    }

    #[test]
    fn a_saved_address_is_trusted_on_its_own_network_only() {
        let own = saved(r#"{"address":"T1","currency":"USDT","network":"TRC20","verifyStatus":1}"#);
        let all = [own];
        assert!(to("USDT-TRC20", "TRC20", "T1", "").risks(&all, Some(false)).is_empty());
        assert_eq!(to("USDT-ERC20", "ERC20", "T1", "").risks(&all, Some(false)).len(), 2);
        let with_memo = [saved(
            r#"{"address":"r1","currency":"XRP","network":"XRP","memo":"5","verifyStatus":1}"#,
        )];
        assert!(to("XRP", "XRP", "r1", "5").risks(&with_memo, Some(true)).is_empty());
        assert_eq!(to("XRP", "XRP", "r1", "6").risks(&with_memo, Some(true)).len(), 1);
        assert_eq!(to("XRP", "XRP", "r1", "").risks(&with_memo, Some(true)).len(), 1);
    }

    #[test]
    fn a_saved_address_without_a_network_is_for_ethereum_like_networks() {
        let evm = saved(r#"{"address":"0x1","addressType":2,"verifyStatus":1}"#);
        assert!(is_for(&evm, "USDT-ERC20", "ERC20") && is_for(&evm, "ETH", "ETH"));
        assert!(!is_for(&evm, "USDT-TRC20", "TRC20"));
        // An address for one coin has a network, unless the exchange left it out.
        let unknown = saved(r#"{"address":"0x1","currency":"USDT","verifyStatus":1}"#);
        assert!(!is_for(&unknown, "USDT-ERC20", "ERC20"));
    }
}
