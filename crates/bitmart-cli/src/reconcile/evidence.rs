//! Evidence that a transfer or withdrawal took effect: rows of a history, or balances.
//!
//! These requests have no id to query. So the rows that resemble a request are noted before it is sent: a matching
//! row that is new afterwards belongs to the request.

mod balances;
mod judge;
mod lists;

use bitmart::Decimal;
use bitmart::rest::{Client, Error};
use serde::{Deserialize, Serialize};

use crate::confirm::{Parameters, parameter_text};

/// The state before a request. It is stored in journals.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Baseline {
    /// The exchange's time, in milliseconds.
    pub(crate) at_ms: i64,
    /// Rows that match or resemble the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rows: Vec<String>,
    /// The balances that the request changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    balances: Vec<Decimal>,
}

/// The result of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// The request took effect. Contains an id or a description.
    Found(String),
    /// The exchange lists the request, and that it failed. Contains its id.
    Failed(String),
    NotFound,
    Inconclusive(String),
}

/// The history or balances that show a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Withdrawal,
    FuturesTransfer,
    Loan,
    Repayment,
    FlexibleSaving(&'static str),
    FixedSaving(&'static str),
    SubToMain,
    FuturesSubToMain,
    SpotFund,
    Margin,
    FuturesOrder,
}

fn source(id: &str) -> Option<Source> {
    Some(match id {
        "account_withdraw" => Source::Withdrawal,
        "futures_transfer" => Source::FuturesTransfer,
        "margin_borrow" => Source::Loan,
        "margin_repay" => Source::Repayment,
        "earn_redeem_flexible" => Source::FlexibleSaving("redeem"),
        "earn_subscribe_flexible" => Source::FlexibleSaving("subscribe"),
        "earn_redeem_fixed" => Source::FixedSaving("redeem"),
        "earn_subscribe_fixed" => Source::FixedSaving("subscribe"),
        "sub_accounts_transfer_sub_to_main" => Source::SubToMain,
        "futures_sub_accounts_transfer_sub_to_main" => Source::FuturesSubToMain,
        "account_transfer" => Source::SpotFund,
        "margin_transfer" => Source::Margin,
        "futures_submit_order" => Source::FuturesOrder,
        _ => return None,
    })
}

/// Reads the state before a request to endpoint `id`; `None` if no query would show its effect.
pub(crate) async fn baseline(
    client: &Client,
    id: &str,
    parameters: &Parameters,
) -> Result<Option<Baseline>, Error> {
    let Some(source) = source(id) else { return Ok(None) };
    let at_ms = client.system().time().await?.server_time.as_millis();
    let mut baseline = Baseline { at_ms, ..Baseline::default() };
    match source {
        Source::SpotFund | Source::Margin => {
            baseline.balances = balances::balances(client, source, parameters).await?;
        }
        _ => baseline.rows = lists::list(client, source, parameters).await?.known(),
    }
    Ok(Some(baseline))
}

/// Queries whether a request took effect.
pub(super) async fn query(
    client: &Client,
    id: &str,
    parameters: &Parameters,
    baseline: &Baseline,
) -> Result<Evidence, Error> {
    let Some(source) = source(id) else {
        return Ok(Evidence::Inconclusive("the exchange does not list such requests".to_owned()));
    };
    if let Source::SpotFund | Source::Margin = source {
        let now = balances::balances(client, source, parameters).await?;
        let changes = balances::expected_changes(source, parameters);
        return Ok(balances::compare(&baseline.balances, &now, &changes));
    }
    let evidence = judge::judge(lists::list(client, source, parameters).await?, baseline);
    let address = parameter_text(parameters, "address").unwrap_or_default();
    if source == Source::Withdrawal && address.is_empty() && evidence == Evidence::NotFound {
        // No source says where the exchange lists them.
        let why = "the history may not list transfers to another account of the exchange";
        return Ok(Evidence::Inconclusive(why.to_owned()));
    }
    Ok(evidence)
}
