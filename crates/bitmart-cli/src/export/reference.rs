//! Reference data: rules of pairs and contracts, currencies, fees, settings and funding rates. Also rebates of
//! affiliates and brokers.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::fetch::{Most, take_snapshot};
use super::plan::{NEWEST, each_row, text};
use super::store::{file_name_part, read_state};
use super::{Export, year};
use crate::failure::Failure;

/// The dataset of the contracts.
pub(super) const CONTRACTS: &str = "reference-contracts";

/// Currencies of affiliate rebates.
const REBATE_CURRENCIES: [&str; 3] = ["USDT", "BTC", "ETH"];

/// Endpoints that are not for every account, or not documented, or of one pair or contract, which may be
/// gone. A refusal of the exchange is then all that there is.
pub(super) fn is_optional(endpoint: &str) -> bool {
    const OPTIONAL: [&str; 7] = [
        "account_info",
        "account_trade_fee",
        "account_withdraw_addresses",
        "broker_rebates",
        "futures_fee_rate",
        "futures_funding_rate_history",
        "margin_pairs",
    ];
    OPTIONAL.contains(&endpoint) || endpoint.starts_with("affiliate_")
}

/// Endpoints whose data is one row, although there is a list in it.
pub(super) fn is_one_row(endpoint: &str) -> bool {
    endpoint == "account_info"
}

/// Requests the contracts, which all futures data needs.
pub(super) async fn contracts(export: &mut Export) -> Result<(), Failure> {
    take_snapshot(export, CONTRACTS, "futures_contracts", json!({}), Most::All).await
}

/// Requests all reference data. Pairs and contracts are those of the rows so far.
pub(super) async fn reference(export: &mut Export) -> Result<(), Failure> {
    contracts(export).await?;
    for (name, endpoint) in [
        ("leverage-brackets", "futures_leverage_brackets"),
        ("symbols", "spot_symbol_details"),
        ("currencies", "spot_currencies"),
        ("networks", "account_currencies"),
        ("margin-pairs", "margin_pairs"),
        ("account", "account_info"),
        ("fee-rates", "account_fee_rates"),
        ("position-mode", "futures_position_mode"),
        ("withdraw-addresses", "account_withdraw_addresses"),
        ("auto-saving", "earn_auto_saving"),
    ] {
        take_snapshot(export, &format!("reference-{name}"), endpoint, json!({}), Most::All).await?;
    }
    for (name, endpoint) in
        [("savings-flexible", "earn_flexible_products"), ("savings-fixed", "earn_fixed_products")]
    {
        let pages = Most::Page(NEWEST as usize, "currentPage");
        let asked = json!({ "sizePage": NEWEST });
        take_snapshot(export, &format!("reference-{name}"), endpoint, asked, pages).await?;
    }
    for pair in traded(export, &["trades", "orders"])? {
        let name = format!("reference-fee-rates-{}", file_name_part(&pair));
        take_snapshot(export, &name, "account_trade_fee", json!({ "symbol": pair }), Most::All)
            .await?;
    }
    let sources = ["futures-transactions", "futures-trades", "copy-trading-trades"];
    for contract in traded(export, &sources)? {
        let name = |what: &str| format!("reference-{what}-{}", file_name_part(&contract));
        let asked = json!({ "symbol": contract });
        take_snapshot(export, &name("fee-rates"), "futures_fee_rate", asked, Most::All).await?;
        // Only the newest are available: the manifest lists this for every export.
        let asked = json!({ "symbol": contract, "limit": NEWEST });
        let endpoint = "futures_funding_rate_history";
        take_snapshot(export, &name("funding-rates"), endpoint, asked, Most::All).await?;
    }
    Ok(())
}

/// Returns the symbols in the rows of these datasets.
fn traded(export: &Export, names: &[&str]) -> Result<BTreeSet<String>, Failure> {
    let mut symbols = BTreeSet::new();
    for name in names {
        each_row(&export.folder, name, |row| symbols.extend(text(row, "symbol")))?;
    }
    Ok(symbols)
}

/// Requests rebates: of brokers by day, of affiliates by customer and year.
pub(super) async fn rebates(export: &mut Export) -> Result<(), Failure> {
    take_snapshot(export, "broker-rebates", "broker_rebates", json!({}), Most::All).await?;
    for at in year::year_of(export.from)..=year::year_of(export.to) {
        for currency in REBATE_CURRENCIES {
            let name = format!("affiliate-rebates-{currency}-{at}");
            let asked: Value = json!({
                "currency": currency, "size": NEWEST,
                "rebate_start_time": year::first_second(at), "rebate_end_time": year::first_second(at + 1) - 1,
            });
            let pages = Most::Page(NEWEST as usize, "page");
            take_snapshot(export, &name, "affiliate_rebates", asked, pages).await?;
            if read_state(&export.folder, &name).is_ok_and(|state| state.denied) {
                return Ok(());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bitmart::rest::catalog::ENDPOINTS;

    use super::{is_one_row, is_optional};

    #[test]
    fn optional_endpoints_exist() {
        let optional = ENDPOINTS.iter().filter(|entry| is_optional(entry.metadata.id)).count();
        assert_eq!(optional, 7 + 8, "seven by name, and those of affiliates");
        assert!(ENDPOINTS.iter().any(|entry| is_one_row(entry.metadata.id)));
    }
}
