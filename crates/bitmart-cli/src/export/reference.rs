//! Reference data: rules of pairs and contracts, currencies, fees, settings and funding rates. Also rebates of
//! affiliates and brokers.

use std::collections::BTreeSet;

use bitmart::rest::{account, affiliate, broker, earn, futures, margin, spot};
use serde_json::json;

use super::plan::{each_row, text};
use super::snapshot::{take_newest, take_snapshot};
use super::store::{file_name_part, read_state};
use super::{Export, year};
use crate::failure::Failure;

/// Name of the dataset with the contracts.
pub(super) const CONTRACTS: &str = "reference-contracts";

/// Currencies of affiliate rebates.
const REBATE_CURRENCIES: [&str; 3] = ["USDT", "BTC", "ETH"];

/// Requests the contracts, which all futures data needs.
pub(super) async fn contracts(export: &mut Export) -> Result<(), Failure> {
    take_snapshot::<futures::ListContracts>(export, CONTRACTS, json!({})).await
}

/// Requests all reference data. Fees and funding rates only of symbols in rows that are exported already.
pub(super) async fn reference(export: &mut Export) -> Result<(), Failure> {
    contracts(export).await?;
    let none = || json!({});
    take_snapshot::<futures::ListLeverageBrackets>(export, "reference-leverage-brackets", none())
        .await?;
    take_snapshot::<spot::ListSymbolDetails>(export, "reference-symbols", none()).await?;
    take_snapshot::<spot::ListCurrencies>(export, "reference-currencies", none()).await?;
    take_snapshot::<account::ListFundingCurrencies>(export, "reference-networks", none()).await?;
    take_snapshot::<margin::ListPairs>(export, "reference-margin-pairs", none()).await?;
    take_snapshot::<account::QueryAccountInfo>(export, "reference-account", none()).await?;
    take_snapshot::<account::QueryFeeRates>(export, "reference-fee-rates", none()).await?;
    take_snapshot::<futures::QueryPositionMode>(export, "reference-position-mode", none()).await?;
    take_snapshot::<account::ListWithdrawAddresses>(export, "reference-withdraw-addresses", none())
        .await?;
    take_snapshot::<earn::QueryAutoSaving>(export, "reference-auto-saving", none()).await?;
    take_snapshot::<earn::ListFlexibleProducts>(export, "reference-savings-flexible", none())
        .await?;
    take_snapshot::<earn::ListFixedProducts>(export, "reference-savings-fixed", none()).await?;
    for pair in symbols_in(export, &["trades", "orders"])? {
        let name = format!("reference-fee-rates-{}", file_name_part(&pair));
        take_snapshot::<account::QueryTradeFee>(export, &name, json!({ "symbol": pair })).await?;
    }
    let sources = ["futures-transactions", "futures-trades", "copy-trading-trades"];
    for contract in symbols_in(export, &sources)? {
        let name = |what: &str| format!("reference-{what}-{}", file_name_part(&contract));
        let symbol = json!({ "symbol": contract });
        take_snapshot::<futures::QueryFeeRate>(export, &name("fee-rates"), symbol.clone()).await?;
        // Only the newest are available: the manifest lists this for every export.
        take_newest::<futures::ListFundingRateHistory>(export, &name("funding-rates"), symbol)
            .await?;
    }
    Ok(())
}

/// Returns the symbols in the rows of these datasets.
fn symbols_in(export: &Export, names: &[&str]) -> Result<BTreeSet<String>, Failure> {
    let mut symbols = BTreeSet::new();
    for name in names {
        each_row(&export.folder, name, |row| symbols.extend(text(row, "symbol")))?;
    }
    Ok(symbols)
}

/// Requests rebates: of brokers by day, of affiliates by customer and year.
pub(super) async fn rebates(export: &mut Export) -> Result<(), Failure> {
    let [begin, end] = [export.from, export.to].map(|time| time.as_millis() / 1_000);
    let parameters = json!({ "start_time": begin, "end_time": end });
    take_snapshot::<broker::QueryRebates>(export, "broker-rebates", parameters).await?;
    for year in year::year_of(export.from)..=year::year_of(export.to) {
        for currency in REBATE_CURRENCIES {
            let name = format!("affiliate-rebates-{currency}-{year}");
            let parameters = json!({
                "currency": currency,
                "rebate_start_time": year::first_second(year).max(begin),
                "rebate_end_time": (year::first_second(year + 1) - 1).min(end),
            });
            take_snapshot::<affiliate::ListRebates>(export, &name, parameters).await?;
            if read_state(&export.folder, &name).is_ok_and(|state| state.denied) {
                return Ok(());
            }
        }
    }
    Ok(())
}
