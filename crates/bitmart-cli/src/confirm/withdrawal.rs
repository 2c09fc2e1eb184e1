//! A preview of a withdrawal: fee and net amount, network, minimum, quota, and checks of the destination.
//!
//! Without the list of networks the network of a currency cannot be chosen, so the failure of that query prevents
//! sending. Every other failing query is reported as a line of the preview and does not prevent sending. A risk of
//! losing the money has to be confirmed separately.

mod amounts;
mod network;
mod recipient;

use bitmart::Decimal;
use bitmart::rest::{Client, Error};

use super::{Parameters, parameter_text};
use crate::failure::chain;

use amounts::{Limits, available, in_btc, quota_text};
use network::{listed_network, or_unknown, withdraw_state};

pub(crate) use network::{choose_network, coin_of};
pub(crate) use recipient::{Recipient, is_for};

/// The preview of a withdrawal.
#[derive(Debug, Default)]
pub(super) struct WithdrawalPreview {
    pub(super) lines: Vec<String>,
    /// Risks of losing the money.
    pub(super) risks: Vec<String>,
}

/// Queries limits, balances and addresses for a withdrawal.
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
    let limits = Limits::new(listed.as_ref(), quota.as_ref());
    for (name, text) in limits.lines(&code, amount) {
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
        Ok(saved) => Some(saved.addresses.into_vec()),
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
