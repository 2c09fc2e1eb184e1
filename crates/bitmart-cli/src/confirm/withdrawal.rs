//! A preview of a withdrawal: fee and net amount, network, minimum, quota, and checks of the destination.
//!
//! Without the list of networks the network of a currency cannot be chosen, so the failure of that query prevents
//! sending. Every other failing query is reported as a line of the preview and does not prevent sending. A risk of
//! losing the money has to be confirmed separately.

use std::cmp::Ordering;

use bitmart::Decimal;
use bitmart::rest::{Client, Error, account};

use super::address::{is_evm, is_same_address, is_same_network, is_well_formed, needs_memo};
use super::{Parameters, parameter_text, prompt};
use crate::failure::{Failure, chain};
use crate::output::json::Json;

/// The preview of a withdrawal.
#[derive(Debug, Default)]
pub(super) struct WithdrawalPreview {
    pub(super) lines: Vec<String>,
    /// Risks of losing the money.
    pub(super) risks: Vec<String>,
}

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
    let rows = match client.account().currencies(account::ListFundingCurrencies::new()).await {
        Ok(list) => list.currencies.into_vec(),
        // Without the list the network of the withdrawal is unknown.
        Err(error) => return Err(Failure::from(error).with_context(&format!("networks of {code}"))),
    };
    let rows: Vec<_> =
        rows.into_iter().filter(|row| coin_of(row.currency.as_str()) == code).collect();
    let names: Vec<_> = rows.iter().map(|row| row.currency.to_string()).collect();
    let chosen = match &rows[..] {
        [] => return Ok(()),
        [only] => only.currency.to_string(),
        _ if !prompt::is_interactive() => {
            return Err(Failure::usage(format!(
                "{code} is on several networks, and money sent on another network than that of the address \
                 is lost: name one of {}",
                names.join(", ")
            )));
        }
        _ => {
            eprintln!("{code} is on several networks:");
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

fn or_unknown(value: Option<&impl ToString>) -> String {
    value.map_or_else(|| "unknown".to_owned(), ToString::to_string)
}

fn withdraw_state(open: Option<bool>) -> &'static str {
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

/// Queries terms, balances and addresses for a withdrawal.
pub(super) async fn preview(client: &Client, parameters: &Parameters) -> WithdrawalPreview {
    let get = |name: &str| parameter_text(parameters, name).unwrap_or_default();
    let code = get("currency");
    let amount: Decimal = get("amount").parse().unwrap_or_default();
    let mut preview = WithdrawalPreview::default();
    let mut add = |name: &str, text: String| preview.lines.push(format!("{name:<24}{text}"));

    let listed = match listed_network(client, &code).await {
        Ok(listed) => {
            let text = match &listed {
                Some(row) => format!(
                    "{}: {}",
                    or_unknown(row.network.as_ref()),
                    withdraw_state(row.withdraw_enabled)
                ),
                None => format!("the exchange does not list {code}"),
            };
            add("network", text);
            listed
        }
        Err(error) => {
            add("network", query_failed(&error));
            None
        }
    };
    let quota = client.account().withdraw_quota(code.as_str()).await;
    if let Err(error) = &quota {
        add("quota", query_failed(error));
    }
    let quota = quota.ok();
    let terms = Terms::new(listed.as_ref(), quota.as_ref());
    for (name, text) in terms.lines(&code, amount) {
        add(name, text);
    }
    let available = available(client, &code, amount, &get("sourceAccount")).await;
    add("available", available.unwrap_or_else(|error| query_failed(&error)));
    if let Some(remaining_btc) = quota.as_ref().and_then(|quota| quota.today_available_btc) {
        let amount_btc = match in_btc(client, coin_of(&code), amount).await {
            Ok(amount_btc) => amount_btc,
            Err(error) => {
                add("last price", query_failed(&error));
                None
            }
        };
        add("quota", quota_text(remaining_btc, amount_btc));
    }
    if get("address").is_empty() {
        return preview;
    }

    let saved = match client.account().withdraw_addresses().await {
        Ok(saved) => Some(saved.list.into_vec()),
        Err(error) => {
            add("saved addresses", query_failed(&error));
            None
        }
    };
    let network_name = listed.and_then(|row| row.network).unwrap_or_else(|| {
        code.split_once('-').map_or_else(|| code.clone(), |(_, name)| name.to_owned())
    });
    let (address, memo) = (get("address"), get("address_memo"));
    let recipient =
        Recipient { code: &code, network: &network_name, address: &address, memo: &memo };
    if let Some(saved) = &saved {
        add("address", recipient.saved_state(saved));
    }
    let deposits_have_memo = if memo.is_empty() {
        let own = client.account().deposit_address(code.as_str()).await;
        own.map(|own| own.address_memo.is_some())
            .inspect_err(|error| add("deposit address", query_failed(error)))
            .ok()
    } else {
        // Only a missing memo is a risk.
        None
    };
    preview.risks = recipient.risks(saved.as_deref().unwrap_or_default(), deposits_have_memo);
    preview
}

fn query_failed(error: &Error) -> String {
    format!("query failed: {}", chain(error))
}

/// The network of a code in the exchange's list.
async fn listed_network(
    client: &Client,
    code: &str,
) -> Result<Option<account::FundingCurrency>, Error> {
    let list = client.account().currencies(account::ListFundingCurrencies::new()).await?;
    Ok(list.currencies.into_iter().find(|row| row.currency.as_str() == code))
}

/// Today's remaining quota and the share of this withdrawal.
fn quota_text(remaining_btc: Decimal, amount_btc: Option<Decimal>) -> String {
    let remaining = format!("{} BTC left today", remaining_btc.normalize());
    match amount_btc {
        Some(amount_btc) => {
            let exceeded = if amount_btc > remaining_btc { ": OVER TODAY'S QUOTA" } else { "" };
            format!("{remaining}, this is about {} BTC{exceeded}", amount_btc.round_dp(4))
        }
        None => format!("{remaining}, the value of this in BTC is unknown"),
    }
}

/// Fee and limits of a withdrawal.
struct Terms {
    fee: Option<Decimal>,
    minimum: Option<Decimal>,
    decimals: Option<u32>,
    multiple_of: Option<u64>,
}

impl Terms {
    fn new(
        network: Option<&account::FundingCurrency>,
        quota: Option<&account::WithdrawQuota>,
    ) -> Self {
        let listed_fee = network.and_then(|row| row.withdraw_fee.or(row.withdraw_min_fee));
        let listed_minimum = network.and_then(|row| row.withdraw_min_size);
        Self {
            fee: quota.and_then(|quota| quota.fee).or(listed_fee),
            minimum: quota.and_then(|quota| quota.min_size).or(listed_minimum),
            decimals: quota.and_then(|quota| quota.decimals),
            multiple_of: quota.and_then(|quota| quota.multiple_of),
        }
    }

    fn lines(&self, code: &str, amount: Decimal) -> Vec<(&'static str, String)> {
        let coin = coin_of(code);
        let mut lines = Vec::new();
        match self.fee {
            Some(fee) => {
                let net = (amount - fee).normalize();
                let short = match net.cmp(&Decimal::ZERO) {
                    Ordering::Less => ": the fee exceeds the amount",
                    Ordering::Equal => ": the fee is the whole amount",
                    Ordering::Greater => "",
                };
                lines.push(("fee", format!("{} {coin}", fee.normalize())));
                lines.push(("arrives", format!("{net} {coin}{short}")));
            }
            None => lines.push(("fee", "unknown".to_owned())),
        }
        if let Some(minimum) = self.minimum {
            let below = if amount < minimum { ": amount is below the minimum" } else { "" };
            lines.push(("minimum", format!("{} {coin}{below}", minimum.normalize())));
        }
        let is_too_fine = |decimals: &u32| amount.normalize().scale() > *decimals;
        if let Some(decimals) = self.decimals.filter(is_too_fine) {
            lines.push(("decimals", format!("amount has more than {decimals} decimals")));
        }
        let is_no_multiple = |step: &Decimal| !step.is_zero() && !(amount % *step).is_zero();
        if let Some(step) = self.multiple_of.map(Decimal::from).filter(is_no_multiple) {
            lines.push(("amount", format!("must be a multiple of {step}")));
        }
        lines
    }
}

/// The available amounts, and what is left after the withdrawal.
async fn available(
    client: &Client,
    code: &str,
    amount: Decimal,
    source: &str,
) -> Result<String, Error> {
    let coin = coin_of(code);
    let wallet = client.account().wallet(account::QueryWallet::new().currency(coin)).await?.wallet;
    if !wallet.is_complete() {
        return Ok("unknown: some balances cannot be read".to_owned());
    }
    let row = wallet.iter().find(|row| row.currency.as_str() == coin);
    let spot = row.map(|row| row.available).unwrap_or_default();
    let funding = row.and_then(|row| row.fund_available).unwrap_or_default();
    // Without a source the exchange draws on both.
    let free = match source {
        "SPOT" => spot,
        "FUND" => funding,
        _ => spot + funding,
    };
    let after = (free - amount).normalize();
    let short = if after < Decimal::ZERO { ": NOT ENOUGH" } else { "" };
    Ok(format!(
        "{} {coin} on spot, {} in funding -> {after} left{short}",
        spot.normalize(),
        funding.normalize()
    ))
}

/// The approximate value of an amount in BTC at the last prices; `None` if the exchange sends no price.
async fn in_btc(client: &Client, coin: &str, amount: Decimal) -> Result<Option<Decimal>, Error> {
    if coin == "BTC" {
        return Ok(Some(amount));
    }
    let price = async |coin: &str| -> Result<Option<Decimal>, Error> {
        Ok(client.spot().ticker(format!("{coin}_USDT").as_str()).await?.last_price)
    };
    let coin_price = if coin == "USDT" { Some(Decimal::ONE) } else { price(coin).await? };
    let btc_price = price("BTC").await?;
    Ok(coin_price
        .and_then(|price| amount.checked_mul(price))
        .zip(btc_price)
        .and_then(|(usdt, price)| usdt.checked_div(price)))
}

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
        (None, Some(_)) => true,
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
    fn saved_state(&self, saved: &[account::WithdrawAddress]) -> String {
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
        (Some(coin), None) => coin.to_string(),
        (None, Some(network)) => network.clone(),
        (None, None) => "Ethereum-compatible networks".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bitmart::dec;
    use bitmart::rest::account;

    use super::{Recipient, is_for, quota_text};

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
            (r#""currency":"BTC""#, "saved for BTC, not for USDT-TRC20"),
            (r#""network":"ERC20""#, "saved for ERC20, not for USDT-TRC20"),
        ] {
            let all = [saved(&format!(r#"{{"address":"{TRON}",{members}}}"#))];
            let risks = to("USDT-TRC20", "TRC20", TRON, "").risks(&all, Some(false));
            assert!(risks.len() == 1 && risks[0].ends_with(text), "{risks:?}");
        }
    }

    #[test]
    fn the_quota_is_compared_unrounded() {
        let text = quota_text(dec!(1), Some(dec!(1.00001)));
        assert_eq!(text, "1 BTC left today, this is about 1.0000 BTC: OVER TODAY'S QUOTA");
        assert!(!quota_text(dec!(1), Some(dec!(0.99999))).contains("OVER"), "below the quota");
        assert!(quota_text(dec!(1), None).ends_with("the value of this in BTC is unknown"));
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
    }
}
