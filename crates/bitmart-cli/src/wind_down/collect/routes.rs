//! Withdrawal networks and addresses. They are queried once, except for the quota.

use std::collections::{BTreeMap, BTreeSet};

use bitmart::Decimal;
use bitmart::rest::{Client, account};

use super::super::facts::{Destination, Facts, Network};
use crate::confirm::address::is_same_network;
use crate::confirm::withdrawal::{Recipient, coin_of, is_for};
use crate::failure::{Failure, chain};
use crate::normalize;

/// An address of the option `--to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct NamedAddress {
    code: String,
    address: String,
    memo: String,
}

impl NamedAddress {
    /// Sets the code to that of a listed network.
    fn resolve(&mut self, networks: &[Network]) -> Result<(), Failure> {
        let Self { code, address, .. } = &*self;
        let invalid = |why: String| Failure::usage(format!("--to {code}={address}: {why}"));
        let is_code = |one: &&Network| one.code.eq_ignore_ascii_case(code);
        if let Some(network) = networks.iter().find(is_code) {
            self.code.clone_from(&network.code);
            return Ok(());
        }
        let (coin, name) = code.split_once('-').unwrap_or((code, ""));
        let of_coin: Vec<_> =
            networks.iter().filter(|one| one.currency.eq_ignore_ascii_case(coin)).collect();
        // `USDT-ERC-20` is a spelling of `USDT-ERC20`, while `USDT` may be one of several.
        let is_meant = |one: &&&Network| {
            let listed = one.code.split_once('-').map_or(one.name.as_str(), |(_, name)| name);
            is_same_network(name, listed) || is_same_network(name, &one.name)
        };
        let meant: Vec<_> = of_coin.iter().filter(is_meant).collect();
        if let [network] = &meant[..] {
            self.code.clone_from(&network.code);
            return Ok(());
        }
        let codes: Vec<_> = of_coin.iter().map(|one| one.code.as_str()).collect();
        Err(invalid(match &codes[..] {
            [] => format!("the exchange lists no network of {coin}"),
            codes => format!("name one of {}", codes.join(", ")),
        }))
    }

    /// Parses `USDT-TRC20=ADDRESS` or `XRP=ADDRESS,memo=TAG`.
    pub(in super::super) fn parse(text: &str) -> Result<Self, Failure> {
        let invalid = || {
            Failure::usage(format!(
                "--to {text}: expected NETWORK=ADDRESS or NETWORK=ADDRESS,memo=TAG, such as USDT-TRC20=T..."
            ))
        };
        let (code, rest) = text.split_once('=').ok_or_else(invalid)?;
        let (address, memo) = rest.split_once(",memo=").unwrap_or((rest, ""));
        if code.is_empty() || address.is_empty() {
            return Err(invalid());
        }
        Ok(Self {
            code: normalize::currency(code.trim()),
            address: address.trim().to_owned(),
            memo: memo.trim().to_owned(),
        })
    }
}

/// The coins that the account has.
fn coins_of(facts: &Facts) -> BTreeSet<String> {
    let balances = facts.balances.iter().map(|balance| balance.currency.clone());
    let savings = facts.savings.iter().map(|saving| saving.currency.clone());
    balances.chain(savings).collect()
}

/// Networks and addresses for withdrawals.
#[derive(Debug, Default)]
pub(in super::super) struct WithdrawalRoutes {
    networks: Vec<Network>,
    saved: Vec<account::WithdrawAddress>,
    named: Vec<NamedAddress>,
    prices: BTreeMap<String, Decimal>,
    /// Whether the exchange's own deposit address on a network has a memo; `None` if the query failed.
    memos: BTreeMap<String, Option<bool>>,
    /// Networks with known terms. The terms do not change, and the rate limit of their endpoint is low.
    with_terms: BTreeSet<String>,
    unread: Vec<String>,
}

impl WithdrawalRoutes {
    /// Queries networks, saved addresses and last prices. Fails if an address of `--to` is for no network.
    pub(in super::super) async fn fetch(
        client: &Client,
        mut named: Vec<NamedAddress>,
    ) -> Result<Self, Failure> {
        let mut facts = Facts::default();
        let list = client.account().currencies(account::ListFundingCurrencies::new()).await;
        let networks = facts.rows_or_note("networks", list.map(|list| list.currencies));
        let networks = networks.into_iter().map(|row| {
            let code = row.currency.to_string();
            let currency = coin_of(&code).to_owned();
            let after =
                || code.split_once('-').map_or(currency.clone(), |(_, name)| name.to_owned());
            Network {
                name: row.network.map_or_else(after, |name| name.trim().to_owned()),
                currency: currency.clone(),
                code: code.clone(),
                open: row.withdraw_enabled,
                fee: row.withdraw_fee.or(row.withdraw_min_fee),
                minimum: row.withdraw_min_size,
                decimals: None,
                multiple_of: None,
            }
        });
        let networks: Vec<_> = networks.collect();
        for index in 0..named.len() {
            named[index].resolve(&networks).map_err(|failure| match facts.unread.first() {
                Some(unread) => failure.with_advice(unread.clone()),
                None => failure,
            })?;
            let (before, own) = (&named[..index], &named[index]);
            if before.iter().any(|other| other.code == own.code) {
                return Err(Failure::usage(format!("--to: {} is given twice", own.code)));
            }
        }
        let saved = client.account().withdraw_addresses().await.map(|list| list.addresses);
        let saved = facts.rows_or_note("saved addresses", saved);
        let tickers = client.spot().tickers().await;
        let prices = facts.rows_or_note("last prices", tickers).into_iter().filter_map(|row| {
            let currency = row.symbol.as_str().strip_suffix("_USDT")?.to_owned();
            Some((currency, row.last_price?))
        });
        let prices = prices.collect();
        Ok(Self {
            networks,
            saved,
            named,
            prices,
            memos: BTreeMap::new(),
            with_terms: BTreeSet::new(),
            unread: facts.unread,
        })
    }

    /// Fails if an address of `--to` is for a coin of which the account has nothing: it may be a typing error, and
    /// the coin that is meant would go to a saved address. Coins of `withdrawn` have been withdrawn before.
    pub(in super::super) fn check_named(
        &self,
        facts: &Facts,
        withdrawn: &BTreeSet<String>,
    ) -> Result<(), Failure> {
        let coins = coins_of(facts);
        let has_left = |coin: &str| withdrawn.iter().any(|code| coin_of(code) == coin);
        let unused = self.named.iter().find(|named| {
            let coin = coin_of(&named.code);
            !coins.contains(coin) && !has_left(coin)
        });
        match unused {
            Some(NamedAddress { code, .. }) => {
                let text = format!("--to {code}: the account has no {}", coin_of(code));
                let failure = Failure::usage(text);
                Err(match facts.unread.first() {
                    Some(unread) => failure.with_advice(format!("a query failed: {unread}")),
                    None => failure,
                })
            }
            None => Ok(()),
        }
    }

    /// Adds the networks and addresses of the account's currencies.
    pub(super) async fn update(&mut self, client: &Client, facts: &mut Facts) {
        facts.unread.extend(self.unread.iter().cloned());
        facts.prices = self.prices.clone();
        let coins = coins_of(facts);
        let mut quota = None;
        for index in 0..self.networks.len() {
            if !coins.contains(&self.networks[index].currency) {
                continue;
            }
            let mut destinations = self.destinations(&self.networks[index]);
            if !destinations.is_empty() && self.networks[index].open != Some(false) {
                // Today's quota is shared by all currencies, and changes.
                if quota.is_none() || !self.with_terms.contains(&self.networks[index].code) {
                    quota = self.query_terms(client, index, facts).await.or(quota);
                }
                self.add_risks(client, index, &mut destinations).await;
            }
            facts.networks.push(self.networks[index].clone());
            facts.destinations.extend(destinations);
        }
        facts.quota_btc = quota;
    }

    /// Queries fee and limits of a network. Returns today's quota in BTC.
    async fn query_terms(
        &mut self,
        client: &Client,
        index: usize,
        facts: &mut Facts,
    ) -> Option<Decimal> {
        let network = &mut self.networks[index];
        match client.account().withdraw_quota(network.code.as_str()).await {
            Ok(terms) => {
                network.fee = terms.fee.or(network.fee);
                network.minimum = terms.min_size.or(network.minimum);
                network.decimals = terms.decimals.or(network.decimals);
                network.multiple_of = terms.multiple_of;
                self.with_terms.insert(network.code.clone());
                terms.today_available_btc
            }
            Err(error) => {
                facts.unread.push(format!("quota of {}: {}", network.code, chain(&error)));
                None
            }
        }
    }

    /// The addresses for a network, those of `--to` first.
    fn destinations(&self, network: &Network) -> Vec<Destination> {
        let named = self.named.iter().filter(|named| named.code == network.code);
        let named = named.map(|named| Destination {
            code: network.code.clone(),
            address: named.address.clone(),
            memo: named.memo.clone(),
            name: format!("{} (from --to)", named.address),
            is_named: true,
            risks: Vec::new(),
        });
        let saved = self.saved.iter().filter(|saved| {
            saved.is_verified == Some(true) && is_for(saved, &network.code, &network.name)
        });
        let saved = saved.map(|saved| Destination {
            code: network.code.clone(),
            address: saved.address.clone(),
            memo: saved.memo.clone().unwrap_or_default(),
            name: match &saved.remark {
                Some(remark) => format!("{} ({remark:?})", saved.address),
                None => saved.address.clone(),
            },
            is_named: false,
            risks: Vec::new(),
        });
        named.chain(saved).collect()
    }

    /// Checks the addresses for a network.
    async fn add_risks(&mut self, client: &Client, index: usize, destinations: &mut [Destination]) {
        let Network { code, name, .. } = self.networks[index].clone();
        let has_memo = if let Some(known) = self.memos.get(&code) {
            *known
        } else {
            let own = client.account().deposit_address(code.as_str()).await;
            let has_memo = own.ok().map(|own| own.address_memo.is_some());
            self.memos.insert(code.clone(), has_memo);
            has_memo
        };
        for one in destinations {
            let to =
                Recipient { code: &code, network: &name, address: &one.address, memo: &one.memo };
            one.risks = to.risks(&self.saved, has_memo);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::NamedAddress;

    #[test]
    fn parses_an_address_with_network_and_memo() {
        let named = NamedAddress::parse("XRP=r1,memo=7").expect("an address");
        assert_eq!(
            (named.code.as_str(), named.address.as_str(), named.memo.as_str()),
            ("XRP", "r1", "7")
        );
        assert_eq!(NamedAddress::parse("USDT-TRC20=T1").expect("an address").memo, "");
        for wrong in ["USDT-TRC20", "=T1", "XRP=", "XRP=,memo=1"] {
            assert!(NamedAddress::parse(wrong).is_err(), "{wrong}");
        }
    }
}
