//! A preview of a withdrawal: fee and net amount, network, minimum, quota, and checks of the destination.
//!
//! A failing query is reported and never prevents sending. A check that finds a risk of losing the money is a
//! doubt, which has to be confirmed separately.

use bitmart::Decimal;
use bitmart::rest::{Client, account};

use super::address::{is_evm, is_same_network, is_well_formed, usually_needs_memo};
use super::{Parameters, parameter_text, prompt};
use crate::failure::{Failure, chain};
use crate::output::json::Json;

/// The preview of a withdrawal.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) lines: Vec<String>,
    /// Risks of losing the money.
    pub(super) doubts: Vec<String>,
}

/// The currency of a code that may name a network: `USDT` of `USDT-TRC20`.
pub(crate) fn coin_of(code: &str) -> &str {
    code.split_once('-').map_or(code, |(currency, _)| currency)
}

/// Replaces a currency with several networks by its code with a network. Asks for the network.
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
pub(super) async fn check(client: &Client, parameters: &Parameters) -> Checked {
    let get = |name: &str| parameter_text(parameters, name).unwrap_or_default();
    let code = get("currency");
    let amount: Decimal = get("amount").parse().unwrap_or_default();
    let mut checked = Checked::default();
    let mut add = |name: &str, text: String| checked.lines.push(format!("{name:<24}{text}"));

    let network = network(client, &code).await;
    match &network {
        Ok(Some(row)) => add(
            "network",
            format!(
                "{}: {}",
                or_unknown(row.network.as_ref()),
                withdraw_state(row.withdraw_enabled)
            ),
        ),
        Ok(None) => add("network", format!("the exchange does not list {code}")),
        Err(why) => add("network", format!("query failed: {why}")),
    }
    let network = network.ok().flatten();
    let quota = client.account().withdraw_quota(code.as_str()).await;
    if let Err(error) = &quota {
        add("quota", format!("query failed: {}", chain(error)));
    }
    let quota = quota.ok();
    let terms = Terms::new(network.as_ref(), quota.as_ref());
    for (name, text) in terms.lines(&code, amount) {
        add(name, text);
    }
    if let Some(text) = available(client, &code, amount, &get("sourceAccount")).await {
        add("available", text);
    }
    if let Some(left) = quota.as_ref().and_then(|quota| quota.today_available_btc) {
        let used = in_btc(client, coin_of(&code), amount).await;
        let over = used.is_some_and(|used| used > left);
        let used = used.map_or_else(String::new, |used| format!(", this is about {used} BTC"));
        let over = if over { ": OVER TODAY'S QUOTA" } else { "" };
        add("quota", format!("{} BTC left today{used}{over}", left.normalize()));
    }
    if get("address").is_empty() {
        return checked;
    }

    let saved = match client.account().withdraw_addresses().await {
        Ok(saved) => saved.list.into_vec(),
        Err(error) => {
            add("address", format!("the query of saved addresses failed: {}", chain(&error)));
            Vec::new()
        }
    };
    let name = network.as_ref().and_then(|row| row.network.clone()).unwrap_or_else(|| {
        code.split_once('-').map_or_else(|| code.clone(), |(_, network)| network.to_owned())
    });
    let (address, memo) = (get("address"), get("address_memo"));
    let to = Recipient { code: &code, network: &name, address: &address, memo: &memo };
    add("address", to.saved_state(&saved));
    let deposits_have_memo = to.memo.is_empty()
        && client
            .account()
            .deposit_address(code.as_str())
            .await
            .is_ok_and(|own| own.address_memo.is_some());
    checked.doubts = to.doubts(&saved, deposits_have_memo);
    checked
}

async fn network(client: &Client, code: &str) -> Result<Option<account::FundingCurrency>, String> {
    let list = client.account().currencies(account::ListFundingCurrencies::new()).await;
    let list = list.map_err(|error| chain(&error))?;
    Ok(list.currencies.into_iter().find(|row| row.currency.as_str() == code))
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
                let short = if net <= Decimal::ZERO { ": THE FEE TAKES IT ALL" } else { "" };
                lines.push(("fee", format!("{} {coin}", fee.normalize())));
                lines.push(("arrives", format!("{net} {coin}{short}")));
            }
            None => lines.push(("fee", "unknown".to_owned())),
        }
        if let Some(minimum) = self.minimum {
            let below = if amount < minimum { ": BELOW IT" } else { "" };
            lines.push(("minimum", format!("{} {coin}{below}", minimum.normalize())));
        }
        let is_too_fine = |decimals: &u32| amount.normalize().scale() > *decimals;
        if let Some(decimals) = self.decimals.filter(is_too_fine) {
            lines.push(("decimals", format!("{decimals} at most: TOO MANY")));
        }
        let is_no_multiple = |step: &Decimal| !step.is_zero() && !(amount % *step).is_zero();
        if let Some(step) = self.multiple_of.map(Decimal::from).filter(is_no_multiple) {
            lines.push(("amount", format!("must be a multiple of {step}: IT IS NOT")));
        }
        lines
    }
}

async fn available(client: &Client, code: &str, amount: Decimal, source: &str) -> Option<String> {
    let coin = coin_of(code);
    let wallet =
        client.account().wallet(account::QueryWallet::new().currency(coin)).await.ok()?.wallet;
    if !wallet.is_complete() {
        return None;
    }
    let row = wallet.iter().find(|row| row.currency.as_str() == coin);
    let spot = row.map(|row| row.available).unwrap_or_default();
    let fund = row.and_then(|row| row.fund_available).unwrap_or_default();
    // Without a source the exchange draws on both.
    let free = match source {
        "SPOT" => spot,
        "FUND" => fund,
        _ => spot + fund,
    };
    let after = (free - amount).normalize();
    let short = if after < Decimal::ZERO { ": NOT ENOUGH" } else { "" };
    Some(format!(
        "{} {coin} on spot, {} in funding -> {after} left{short}",
        spot.normalize(),
        fund.normalize()
    ))
}

/// The approximate value of an amount in BTC at the last prices; `None` without prices.
async fn in_btc(client: &Client, coin: &str, amount: Decimal) -> Option<Decimal> {
    if coin == "BTC" {
        return Some(amount);
    }
    let price = async |coin: &str| {
        client.spot().ticker(format!("{coin}_USDT").as_str()).await.ok()?.last_price
    };
    let usdt = if coin == "USDT" { amount } else { amount.checked_mul(price(coin).await?)? };
    Some(usdt.checked_div(price("BTC").await?)?.round_dp(4))
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
        saved.iter().filter(|one| one.address == self.address).collect()
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

    /// Risks of losing the money. `deposits_have_memo`: the exchange's own deposit address has a memo.
    pub(crate) fn doubts(
        &self,
        saved: &[account::WithdrawAddress],
        deposits_have_memo: bool,
    ) -> Vec<String> {
        let Self { code, network, memo, .. } = self;
        let mut doubts = Vec::new();
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
            doubts.push(format!("the address does not have the format of {network}"));
        }
        if let (None, Some(one)) = (fitting, same.first()) {
            let other = one.network.as_ref().map_or("another network", String::as_str);
            let coin = one.currency.as_ref().map_or("", |coin| coin.as_str());
            doubts.push(format!("the address is saved for {coin} {other}, not for {code}"));
        }
        let saved_memo = fitting.and_then(|one| one.memo.as_deref()).unwrap_or_default();
        if !saved_memo.is_empty() && saved_memo != *memo {
            doubts.push("the saved address has another memo than this withdrawal".to_owned());
        } else if memo.is_empty() && (deposits_have_memo || usually_needs_memo(network)) {
            doubts.push(format!(
                "addresses of exchanges on {network} need a tag or memo, and this one has none \
                 (--address-memo)"
            ));
        }
        doubts
    }
}

#[cfg(test)]
mod tests {
    use bitmart::rest::account;

    use super::{Recipient, is_for};

    const TRON: &str = "TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeBf";
    const EVM: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

    fn saved(json: &str) -> account::WithdrawAddress {
        serde_json::from_str(json).expect("a saved address")
    }

    fn to<'a>(code: &'a str, network: &'a str, address: &'a str, memo: &'a str) -> Recipient<'a> {
        Recipient { code, network, address, memo }
    }

    #[test]
    fn wrong_formats_and_missing_memos_are_doubts() {
        let doubts = |to: Recipient<'_>, memo| to.doubts(&[], memo).len();
        assert_eq!(doubts(to("USDT-TRC20", "TRC20", TRON, ""), false), 0);
        assert_eq!(doubts(to("USDT-TRC20", "TRC20", EVM, ""), false), 1);
        assert_eq!(doubts(to("XRP", "XRP", "rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh", ""), false), 1);
        assert_eq!(doubts(to("XRP", "XRP", "rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh", "7"), false), 0);
        assert_eq!(doubts(to("KASPA", "KASPA", "kaspa:qq", ""), true), 1, "deposits have a memo");
        assert_eq!(doubts(to("KASPA", "KASPA", "kaspa:qq", ""), false), 0, "an unknown network");
    }

    #[test]
    fn a_saved_address_is_trusted_on_its_own_network_only() {
        let own = saved(r#"{"address":"T1","currency":"USDT","network":"TRC20","verifyStatus":1}"#);
        let all = [own];
        assert!(to("USDT-TRC20", "TRC20", "T1", "").doubts(&all, false).is_empty());
        assert_eq!(to("USDT-ERC20", "ERC20", "T1", "").doubts(&all, false).len(), 2);
        let with_memo = [saved(
            r#"{"address":"r1","currency":"XRP","network":"XRP","memo":"5","verifyStatus":1}"#,
        )];
        assert!(to("XRP", "XRP", "r1", "5").doubts(&with_memo, true).is_empty());
        assert_eq!(to("XRP", "XRP", "r1", "6").doubts(&with_memo, true).len(), 1);
        assert_eq!(to("XRP", "XRP", "r1", "").doubts(&with_memo, true).len(), 1);
    }

    #[test]
    fn a_saved_address_without_a_network_is_for_ethereum_like_networks() {
        let evm = saved(r#"{"address":"0x1","addressType":2,"verifyStatus":1}"#);
        assert!(is_for(&evm, "USDT-ERC20", "ERC20") && is_for(&evm, "ETH", "ETH"));
        assert!(!is_for(&evm, "USDT-TRC20", "TRC20"));
    }
}
