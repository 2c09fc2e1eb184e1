//! By which networks money leaves, and to which addresses. Read once, but for the quota.

use std::collections::{BTreeMap, BTreeSet};

use bitmart::Decimal;
use bitmart::rest::{Client, account};

use super::super::facts::{Destination, Facts, Network};
use crate::confirm::withdrawal::{To, is_for, plain};
use crate::failure::{Failure, chain};

/// An address that is named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Named {
    code: String,
    address: String,
    memo: String,
}

impl Named {
    /// `USDT-TRC20=ADDRESS` or `XRP=ADDRESS,memo=TAG`.
    pub(in super::super) fn read(text: &str) -> Result<Self, Failure> {
        let wrong = || {
            Failure::usage(format!(
                "--to {text}: expected NETWORK=ADDRESS or NETWORK=ADDRESS,memo=TAG, as in USDT-TRC20=T..."
            ))
        };
        let (code, rest) = text.split_once('=').ok_or_else(wrong)?;
        let (address, memo) = rest.split_once(",memo=").unwrap_or((rest, ""));
        if code.is_empty() || address.is_empty() {
            return Err(wrong());
        }
        Ok(Self { code: code.to_owned(), address: address.to_owned(), memo: memo.to_owned() })
    }
}

/// The ways out.
#[derive(Debug, Default)]
pub(in super::super) struct Ways {
    networks: Vec<Network>,
    saved: Vec<account::WithdrawAddress>,
    named: Vec<Named>,
    prices: BTreeMap<String, Decimal>,
    /// Whether the exchange's own addresses of a network have a memo.
    memos: BTreeMap<String, bool>,
    /// Networks whose terms have been read: they stay the same, and the limit of the call is low.
    known: BTreeSet<String>,
    unread: Vec<String>,
}

/// Reads networks, saved addresses and last prices.
pub(in super::super) async fn ways(client: &Client, named: Vec<Named>) -> Ways {
    let mut facts = Facts::default();
    let list = client.account().currencies(account::ListFundingCurrencies::new()).await;
    let networks = facts.note("networks", list.map(|list| list.currencies));
    let networks = networks.into_iter().map(|row| {
        let code = row.currency.to_string();
        let currency = plain(&code).to_owned();
        let after = || code.split_once('-').map_or(currency.clone(), |(_, name)| name.to_owned());
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
    let networks = networks.collect();
    let saved = client.account().withdraw_addresses().await.map(|list| list.list);
    let saved = facts.note("saved addresses", saved);
    let tickers = client.spot().tickers().await;
    let prices = facts.note("last prices", tickers).into_iter().filter_map(|row| {
        let currency = row.symbol.as_str().strip_suffix("_USDT")?.to_owned();
        Some((currency, row.last_price?))
    });
    let prices = prices.collect();
    Ways {
        networks,
        saved,
        named,
        prices,
        memos: BTreeMap::new(),
        known: BTreeSet::new(),
        unread: facts.unread,
    }
}

impl Ways {
    /// Adds what concerns the money that there is.
    pub(super) async fn fill(&mut self, client: &Client, facts: &mut Facts) {
        facts.unread.extend(self.unread.iter().cloned());
        facts.prices = self.prices.clone();
        let balances = facts.balances.iter().map(|balance| balance.currency.clone());
        let savings = facts.savings.iter().map(|saving| saving.currency.clone());
        let held: BTreeSet<String> = balances.chain(savings).collect();
        let mut quota = None;
        for index in 0..self.networks.len() {
            if !held.contains(&self.networks[index].currency) {
                continue;
            }
            let mut destinations = self.destinations(&self.networks[index]);
            if !destinations.is_empty() && self.networks[index].open != Some(false) {
                // Today's quota is one for all, and changes.
                if quota.is_none() || !self.known.contains(&self.networks[index].code) {
                    quota = self.terms(client, index, facts).await.or(quota);
                }
                self.doubt(client, index, &mut destinations).await;
            }
            facts.networks.push(self.networks[index].clone());
            facts.destinations.extend(destinations);
        }
        facts.quota_btc = quota;
    }

    /// Reads what a withdrawal by a network costs and must keep; what may be withdrawn today, in BTC.
    async fn terms(&mut self, client: &Client, index: usize, facts: &mut Facts) -> Option<Decimal> {
        let network = &mut self.networks[index];
        match client.account().withdraw_quota(network.code.as_str()).await {
            Ok(told) => {
                network.fee = told.fee.or(network.fee);
                network.minimum = told.min_size.or(network.minimum);
                network.decimals = told.decimals.or(network.decimals);
                network.multiple_of = told.multiple_of;
                self.known.insert(network.code.clone());
                told.today_available_btc
            }
            Err(error) => {
                facts.unread.push(format!("quota of {}: {}", network.code, chain(&error)));
                None
            }
        }
    }

    /// The addresses for a network: those of the command line first.
    fn destinations(&self, network: &Network) -> Vec<Destination> {
        let named = self.named.iter().filter(|named| named.code == network.code);
        let named = named.map(|named| Destination {
            code: network.code.clone(),
            address: named.address.clone(),
            memo: named.memo.clone(),
            name: format!("{} (named by --to)", named.address),
            doubts: Vec::new(),
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
            doubts: Vec::new(),
        });
        named.chain(saved).collect()
    }

    async fn doubt(&mut self, client: &Client, index: usize, destinations: &mut [Destination]) {
        let Network { code, name, .. } = self.networks[index].clone();
        let has_memo = if let Some(known) = self.memos.get(&code) {
            *known
        } else {
            let own = client.account().deposit_address(code.as_str()).await;
            let has_memo = own.is_ok_and(|own| own.address_memo.is_some());
            self.memos.insert(code.clone(), has_memo);
            has_memo
        };
        for one in destinations {
            let to = To { code: &code, network: &name, address: &one.address, memo: &one.memo };
            one.doubts = to.doubts(&self.saved, has_memo);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Named;

    #[test]
    fn an_address_is_named_with_its_network_and_memo() {
        let named = Named::read("XRP=r1,memo=7").expect("it is one");
        assert_eq!(
            (named.code.as_str(), named.address.as_str(), named.memo.as_str()),
            ("XRP", "r1", "7")
        );
        assert_eq!(Named::read("USDT-TRC20=T1").expect("it is one").memo, "");
        for wrong in ["USDT-TRC20", "=T1", "XRP=", "XRP=,memo=1"] {
            assert!(Named::read(wrong).is_err(), "{wrong}");
        }
    }
}
