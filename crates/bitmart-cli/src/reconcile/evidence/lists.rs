//! The histories in which a request is searched.

use bitmart::rest::{Client, Error, account, earn, futures, margin, sub_account};
use bitmart::types::Rows;
use bitmart::{Decimal, Timestamp};

use super::Source;
use super::judge::{Fit, Listed, Progress, Row};
use crate::confirm::address::{is_same_address, is_same_network};
use crate::confirm::withdrawal::coin_of;
use crate::confirm::{Parameters, parameter_text};

/// Requested rows of a history: the maximum that all histories support.
const ROWS: u32 = 100;
/// Maximum number of rows in a response of the history of futures orders.
const HISTORY_ROWS: usize = 200;

/// The newest rows of the history that shows a request.
pub(super) async fn list(
    client: &Client,
    source: Source,
    parameters: &Parameters,
) -> Result<Listed, Error> {
    let get = |name: &str| parameter_text(parameters, name).unwrap_or_default();
    let currency = get("currency");
    let amount: Option<Decimal> = get("amount").parse().ok();
    // A row of the same coin may be the request, however its amount was rounded.
    let fit = |row_currency: &str, row_amount: Decimal| match row_currency == currency {
        true if Some(row_amount) == amount => Fit::Exact,
        true => Fit::Possible,
        false => Fit::Other,
    };
    let sub_account = get("subAccount");
    let from_sub_account = |from: Option<&str>, time: Option<Timestamp>, fit: Fit| {
        let fit = match from {
            Some(from) if from == sub_account => fit,
            Some(_) => Fit::Other,
            // The field is missing.
            None if fit == Fit::Exact => Fit::Possible,
            None => fit,
        };
        done(format!("transfer of {}", time_text(time.as_ref())), time, fit)
    };
    Ok(match source {
        Source::Withdrawal => {
            let request =
                account::ListFundingHistory::new(account::FundingOperation::Withdraw, ROWS);
            let records = client.account().funding_history(request).await?.records;
            listed(&records, |row| withdrawal(row, parameters))
        }
        Source::FuturesTransfer => {
            let request = futures::ListTransfers::new(1, ROWS).currency(currency.as_str());
            let records = client.futures().transfers(request).await?.transfers;
            let direction = get("type");
            listed(&records, |row| Row {
                id: Some(row.transfer_id.to_string()),
                time_ms: millis(row.timestamp),
                fit: if row.direction.as_str() == direction {
                    fit(row.currency.as_str(), row.amount)
                } else {
                    Fit::Other
                },
                progress: match &row.state {
                    Some(futures::TransferState::Finished) => Progress::Accepted,
                    Some(futures::TransferState::Failed) => Progress::Failed,
                    _ => Progress::Unsettled,
                },
            })
        }
        Source::Loan => {
            let request = margin::ListBorrowRecords::new(get("symbol").as_str()).limit(ROWS);
            let records = client.margin().borrow_records(request).await?.records;
            listed(&records, |row| {
                let fit = fit(row.currency.as_str(), row.borrow_amount);
                done(row.borrow_id.to_string(), row.create_time, fit)
            })
        }
        Source::Repayment => {
            let request = margin::ListRepayRecords::new(get("symbol").as_str()).limit(ROWS);
            let records = client.margin().repay_records(request).await?.records;
            listed(&records, |row| {
                let fit = fit(row.currency.as_str(), row.repaid_amount);
                done(row.repay_id.to_string(), row.repay_time, fit)
            })
        }
        Source::FlexibleSaving(action) => {
            let request = earn::ListFlexibleRecords::new(earn::RecordType::from(action), 1, ROWS);
            let records = client.earn().flexible_records(request).await?.into_value();
            let records = records.and_then(|response| response.records);
            savings(records, &get("requestNo"), |row| row.request_no.as_ref())
        }
        Source::FixedSaving(action) => {
            let request = earn::ListFixedRecords::new(earn::RecordType::from(action), 1, ROWS);
            let records = client.earn().fixed_records(request).await?.into_value();
            let records = records.and_then(|response| response.records);
            savings(records, &get("requestNo"), |row| row.request_no.as_ref())
        }
        Source::SubToMain => {
            let kind = sub_account::MoveType::SpotToSpot;
            let request =
                sub_account::ListTransfers::new(kind, ROWS).account_name(sub_account.as_str());
            let rows = client.sub_accounts().transfers(request).await?.transfers;
            listed(&rows, |row| {
                let fit = fit(row.currency.as_str(), row.amount);
                from_sub_account(row.from_account.as_deref(), row.timestamp, fit)
            })
        }
        Source::FuturesSubToMain => {
            let request = (sub_account.as_str(), ROWS);
            let rows = client.futures_sub_accounts().transfers(request).await?;
            listed(&rows, |row| {
                let fit = fit(row.currency.as_str(), row.amount);
                from_sub_account(row.from_account.as_deref(), row.timestamp, fit)
            })
        }
        Source::FuturesOrder => futures_order(client, parameters).await?,
        Source::SpotFund | Source::Margin => {
            Listed { rows: Vec::new(), is_complete: true, is_full: false }
        }
    })
}

fn listed<T>(rows: &Rows<T>, row: impl Fn(&T) -> Row) -> Listed {
    Listed {
        rows: rows.iter().map(row).collect(),
        is_complete: rows.is_complete(),
        is_full: rows.len() >= ROWS as usize,
    }
}

/// A row of a history that has no states: what it lists took effect.
fn done(id: String, time: Option<Timestamp>, fit: Fit) -> Row {
    Row { id: Some(id), time_ms: millis(time), fit, progress: Progress::Accepted }
}

fn millis(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_millis)
}

fn time_text(time: Option<&impl ToString>) -> String {
    time.map_or_else(|| "unknown time".to_owned(), ToString::to_string)
}

/// The order with the client order id of the request. No endpoint finds it by this id, so the lists of the
/// contract are searched: open orders first, because an order that is filled in between moves to the history.
async fn futures_order(client: &Client, parameters: &Parameters) -> Result<Listed, Error> {
    let symbol = parameter_text(parameters, "symbol").unwrap_or_default();
    let id = parameter_text(parameters, "client_order_id").unwrap_or_default();
    let own = |order: &&futures::Order| {
        order.client_order_id.as_ref().is_some_and(|own| own.as_str() == id)
    };
    let request = futures::ListOpenOrders::new().symbol(symbol.as_str()).limit(ROWS);
    let open = client.futures().open_orders(request).await?;
    let history = futures::ListOrderHistory::new(symbol.as_str());
    let history = match client.futures().order_history(history).await {
        Err(error) if error.is_order_not_found() => Rows::default(),
        history => history?,
    };
    let is_limited = open.len() >= ROWS as usize || history.len() >= HISTORY_ROWS;
    let is_complete = open.is_complete() && history.is_complete();
    let own = open.iter().chain(&history).filter(own);
    let rows = own.map(|order| done(order.order_id.to_string(), None, Fit::Exact)).collect();
    Ok(Listed { rows, is_complete, is_full: is_limited })
}

/// A withdrawal, compared with the requested one. The exchange's form of a field is not documented, so one of the
/// same coin that is not equal in every field may be the requested one all the same.
fn withdrawal(row: &account::FundingRecord, parameters: &Parameters) -> Row {
    let get = |name: &str| parameter_text(parameters, name).filter(|text| !text.is_empty());
    let code = get("currency").unwrap_or_default();
    let listed = row.currency.as_str();
    let is_same_coin = coin_of(listed).eq_ignore_ascii_case(coin_of(&code));
    let network = |code: &str| code.split_once('-').map(|(_, network)| network.to_owned());
    let is_same_code = match (network(listed), network(&code)) {
        (Some(listed), Some(requested)) => is_same_network(&listed, &requested),
        // The code of a coin with one network names none.
        _ => true,
    };
    let amount: Option<Decimal> = get("amount").and_then(|text| text.parse().ok());
    // The documents say that the amount includes the fee; no captured response confirms it.
    let gross = row.fee.and_then(|fee| row.arrival_amount?.checked_add(fee));
    let is_same_amount = amount.is_some() && (row.arrival_amount == amount || gross == amount);
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let is_same_recipient = match (get("address"), text(&row.address)) {
        (Some(requested), Some(listed)) => {
            is_same_address(&requested, &listed) && get("address_memo") == text(&row.address_memo)
        }
        (Some(_), None) => false,
        // A transfer to another account of the exchange has no address.
        (None, listed) => listed.is_none_or(|listed| get("value") == Some(listed)),
    };
    let fit = match is_same_coin {
        true if is_same_code && is_same_amount && is_same_recipient => Fit::Exact,
        true => Fit::Possible,
        false => Fit::Other,
    };
    let progress = match &row.status {
        // A second one would be a second withdrawal.
        Some(
            account::FundingStatus::Created
            | account::FundingStatus::Submitted
            | account::FundingStatus::Processing
            | account::FundingStatus::Done,
        ) => Progress::Accepted,
        Some(account::FundingStatus::Canceled | account::FundingStatus::Failed) => Progress::Failed,
        _ => Progress::Unsettled,
    };
    let id = row.withdraw_id.as_ref().map(ToString::to_string);
    Row { id, time_ms: millis(row.apply_time), fit, progress }
}

/// The row with this request number. A row without a number may be the one. States are not documented.
fn savings<T, N: ToString>(
    rows: Option<Rows<T>>,
    number: &str,
    row_number: impl Fn(&T) -> Option<&N>,
) -> Listed {
    let Some(rows) = rows else {
        return Listed { rows: Vec::new(), is_complete: false, is_full: false };
    };
    listed(&rows, |row| {
        let (id, fit) = match row_number(row).map(ToString::to_string) {
            Some(own) if own == number => {
                (Some(format!("the row with the request number {number}")), Fit::Exact)
            }
            Some(own) => (Some(own), Fit::Other),
            None => (None, Fit::Possible),
        };
        Row { id, time_ms: None, fit, progress: Progress::Accepted }
    })
}

#[cfg(test)]
mod tests;
