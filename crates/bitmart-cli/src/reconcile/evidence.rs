//! Evidence that a transfer or withdrawal took effect: rows of a history, or balances.
//!
//! These requests have no id to query. So the matching rows are noted before a request is sent: a matching row
//! that is new afterwards belongs to the request.

use bitmart::Decimal;
use bitmart::rest::{Client, Error, account, earn, futures, margin, sub_account};
use bitmart::types::Rows;
use serde::{Deserialize, Serialize};

use crate::confirm::{Parameters, parameter_text};

/// Requested rows of a history: the maximum that all histories support.
const ROWS: u32 = 100;
/// Maximum number of rows in a response of the history of futures orders.
const HISTORY_ROWS: usize = 200;

/// The state before a request. It is stored in journals.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Baseline {
    /// The exchange's time, in milliseconds.
    pub(crate) at_ms: i64,
    /// Rows that match the request.
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
    // The signature expires by the client's clock if that is ahead.
    let at_ms = at_ms.max(client.now().as_millis());
    let mut baseline = Baseline { at_ms, ..Baseline::default() };
    match source {
        Source::SpotFund | Source::Margin => {
            baseline.balances = balances(client, source, parameters).await?;
        }
        _ => baseline.rows = rows(client, source, parameters).await?.rows,
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
        let now = balances(client, source, parameters).await?;
        let changes = expected_changes(source, parameters);
        return Ok(compare_balances(&baseline.balances, &now, &changes));
    }
    let matching = rows(client, source, parameters).await?;
    let mut new = matching.rows.into_iter().filter(|row| !baseline.rows.contains(row));
    Ok(match (new.next(), matching.is_complete) {
        (Some(row), _) => Evidence::Found(row),
        (None, true) => Evidence::NotFound,
        (None, false) => {
            Evidence::Inconclusive("a row of the history cannot be decoded".to_owned())
        }
    })
}

/// Rows that match a request, each as an id or description.
struct MatchingRows {
    rows: Vec<String>,
    /// Whether every row could be read, so that a missing row is proof.
    is_complete: bool,
}

async fn rows(
    client: &Client,
    source: Source,
    parameters: &Parameters,
) -> Result<MatchingRows, Error> {
    let get = |name: &str| parameter_text(parameters, name).unwrap_or_default();
    let currency = get("currency");
    let amount: Option<Decimal> = get("amount").parse().ok();
    let matches = |row_currency: &str, row_amount: Decimal| {
        row_currency == currency && Some(row_amount) == amount
    };
    Ok(match source {
        Source::Withdrawal => {
            let request =
                account::ListFundingHistory::new(account::FundingOperation::Withdraw, ROWS);
            let records = client.account().funding_history(request).await?.records;
            withdrawals(&records, parameters)
        }
        Source::FuturesTransfer => {
            let request = futures::ListTransfers::new(1, ROWS).currency(currency.as_str());
            let records = client.futures().transfers(request).await?.records;
            let is_complete = records.is_complete();
            let direction = get("type");
            let own = records.iter().filter(|row| {
                matches(row.currency.as_str(), row.amount) && row.direction.as_str() == direction
            });
            MatchingRows { rows: own.map(|row| row.transfer_id.to_string()).collect(), is_complete }
        }
        Source::Loan => {
            let request = margin::ListBorrowRecords::new(get("symbol").as_str()).limit(ROWS);
            let records = client.margin().borrow_records(request).await?.records;
            let is_complete = records.is_complete();
            let own =
                records.iter().filter(|row| matches(row.currency.as_str(), row.borrow_amount));
            MatchingRows { rows: own.map(|row| row.borrow_id.to_string()).collect(), is_complete }
        }
        Source::Repayment => {
            let request = margin::ListRepayRecords::new(get("symbol").as_str()).limit(ROWS);
            let records = client.margin().repay_records(request).await?.records;
            let is_complete = records.is_complete();
            let own =
                records.iter().filter(|row| matches(row.currency.as_str(), row.repaid_amount));
            MatchingRows { rows: own.map(|row| row.repay_id.to_string()).collect(), is_complete }
        }
        Source::FlexibleSaving(action) => {
            let request = earn::ListFlexibleRecords::new(earn::RecordType::from(action), 1, ROWS);
            let records = client.earn().flexible_records(request).await?.into_value();
            let records = records.unwrap_or_default().records;
            let numbers = records.iter().flat_map(|rows| rows.iter()).map(|row| &row.request_no);
            let is_complete = records.as_ref().is_some_and(Rows::is_complete);
            with_request_number(numbers, &get("requestNo"), is_complete)
        }
        Source::FixedSaving(action) => {
            let request = earn::ListFixedRecords::new(earn::RecordType::from(action), 1, ROWS);
            let records = client.earn().fixed_records(request).await?.into_value();
            let records = records.unwrap_or_default().records;
            let numbers = records.iter().flat_map(|rows| rows.iter()).map(|row| &row.request_no);
            let is_complete = records.as_ref().is_some_and(Rows::is_complete);
            with_request_number(numbers, &get("requestNo"), is_complete)
        }
        Source::SubToMain => {
            let request = sub_account::ListTransfers::new(sub_account::MoveType::SpotToSpot, ROWS);
            let request = request.account_name(get("subAccount"));
            let rows = client.sub_accounts().transfers(request).await?.transfers;
            let is_complete = rows.is_complete();
            let own = rows.iter().filter(|row| {
                matches(row.currency.as_str(), row.amount)
                    && row.from_account.as_deref() == Some(get("subAccount").as_str())
            });
            let rows = own.map(|row| format!("transfer of {}", time_text(row.timestamp.as_ref())));
            MatchingRows { rows: rows.collect(), is_complete }
        }
        Source::FuturesSubToMain => {
            let sub_account = get("subAccount");
            let rows = client.futures_sub_accounts().transfers((sub_account, ROWS)).await?;
            let is_complete = rows.is_complete();
            let own = rows.iter().filter(|row| {
                matches(row.currency.as_str(), row.amount)
                    && row.from_account.as_deref() == Some(get("subAccount").as_str())
            });
            let rows = own.map(|row| format!("transfer of {}", time_text(row.timestamp.as_ref())));
            MatchingRows { rows: rows.collect(), is_complete }
        }
        Source::FuturesOrder => futures_order(client, parameters).await?,
        Source::SpotFund | Source::Margin => MatchingRows { rows: Vec::new(), is_complete: true },
    })
}

/// The order with the client order id of the request. No endpoint finds it by this id, so the lists of the
/// contract are searched: open orders first, because an order that is filled in between moves to the history.
async fn futures_order(client: &Client, parameters: &Parameters) -> Result<MatchingRows, Error> {
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
    let is_complete = open.is_complete() && history.is_complete() && !is_limited;
    let rows = open.iter().chain(&history).filter(own).map(|order| order.order_id.to_string());
    Ok(MatchingRows { rows: rows.collect(), is_complete })
}

fn time_text(time: Option<&impl ToString>) -> String {
    time.map_or_else(|| "unknown time".to_owned(), ToString::to_string)
}

/// The ids of matching withdrawals. One without an id is no proof: it may be older than the request.
fn withdrawals(records: &Rows<account::FundingRecord>, parameters: &Parameters) -> MatchingRows {
    let mut matching = MatchingRows { rows: Vec::new(), is_complete: records.is_complete() };
    for row in records.iter().filter(|row| is_withdrawal(row, parameters)) {
        match &row.withdraw_id {
            Some(id) => matching.rows.push(id.to_string()),
            None => matching.is_complete = false,
        }
    }
    matching
}

/// Whether a row of the history matches the requested withdrawal. Absent fields match.
fn is_withdrawal(row: &account::FundingRecord, parameters: &Parameters) -> bool {
    let coin = |code: &str| code.split('-').next().unwrap_or(code).to_owned();
    let requested = parameter_text(parameters, "currency").unwrap_or_default();
    let amount: Option<Decimal> =
        parameter_text(parameters, "amount").and_then(|text| text.parse().ok());
    let address = parameter_text(parameters, "address");
    let same_amount = match row.fee {
        Some(fee) => amount.is_some_and(|amount| {
            // The documents say that the amount includes the fee; no captured response confirms it.
            row.arrival_amount.checked_add(fee) == Some(amount) || row.arrival_amount == amount
        }),
        None => amount.is_some_and(|amount| row.arrival_amount <= amount),
    };
    let same_address = match (&row.address, &address) {
        (Some(row), Some(requested)) => row == requested,
        _ => true,
    };
    coin(row.currency.as_str()) == coin(&requested) && same_amount && same_address
}

/// The row with this request number. A row without a number may be the one.
fn with_request_number<'a, T: ToString + 'a>(
    numbers: impl Iterator<Item = &'a Option<T>>,
    number: &str,
    is_complete: bool,
) -> MatchingRows {
    let mut matching = MatchingRows { rows: Vec::new(), is_complete };
    for row in numbers {
        match row {
            Some(row) if row.to_string() == number => {
                matching.rows.push(format!("the row with the request number {number}"));
            }
            Some(_) => {}
            None => matching.is_complete = false,
        }
    }
    matching
}

/// The two balances that a transfer changes.
async fn balances(
    client: &Client,
    source: Source,
    parameters: &Parameters,
) -> Result<Vec<Decimal>, Error> {
    let currency = parameter_text(parameters, "currency").unwrap_or_default();
    if source == Source::SpotFund {
        let request = account::QueryWallet::new().currency(currency.as_str());
        let wallet = client.account().wallet(request).await?.wallet;
        let row = wallet.iter().find(|row| row.currency.as_str() == currency);
        return Ok(vec![
            row.map(|row| row.available).unwrap_or_default(),
            row.and_then(|row| row.fund_available).unwrap_or_default(),
        ]);
    }
    let symbol = parameter_text(parameters, "symbol").unwrap_or_default();
    let request = margin::ListAccounts::new().symbol(symbol.as_str());
    let accounts = client.margin().accounts(request).await?.symbols;
    let account = accounts.into_iter().find(|account| account.symbol.as_str() == symbol);
    let sides = account.into_iter().flat_map(|account| [account.base, account.quote]);
    let side = sides
        .flatten()
        .find(|side| side.currency.as_ref().is_some_and(|known| known.as_str() == currency));
    let spot = client.account().spot_wallet().await?;
    let spot = spot.find(&currency).map(|balance| balance.available).unwrap_or_default();
    Ok(vec![spot, side.and_then(|side| side.available).unwrap_or_default()])
}

/// The changes of the two balances by the transfer, spot first.
fn expected_changes(source: Source, parameters: &Parameters) -> Vec<Decimal> {
    let amount = parameter_text(parameters, "amount").and_then(|text| text.parse().ok());
    let amount: Decimal = amount.unwrap_or_default();
    let direction =
        parameter_text(parameters, if source == Source::Margin { "side" } else { "type" });
    let leaves_spot = matches!(direction.as_deref(), Some("in" | "spot_to_fund"));
    if leaves_spot { vec![-amount, amount] } else { vec![amount, -amount] }
}

fn compare_balances(before: &[Decimal], now: &[Decimal], changes: &[Decimal]) -> Evidence {
    let moves: Vec<_> = now.iter().zip(before).map(|(now, before)| *now - *before).collect();
    if moves == changes {
        return Evidence::Found("the balances have changed by the amount".to_owned());
    }
    if moves.iter().all(Decimal::is_zero) && moves.len() == changes.len() {
        return Evidence::NotFound;
    }
    Evidence::Inconclusive("the balances have changed, but not by the amount".to_owned())
}

#[cfg(test)]
mod tests {
    use bitmart::dec;

    use bitmart::rest::account;
    use bitmart::types::Rows;

    use super::{Evidence, compare_balances, is_withdrawal, with_request_number, withdrawals};
    use crate::output::json::Json;

    #[test]
    fn balances_prove_a_transfer_only_if_both_changed_by_its_amount() {
        let before = [dec!(10), dec!(5)];
        let changes = [dec!(-3), dec!(3)];
        let compare = |spot, other| compare_balances(&before, &[spot, other], &changes);
        assert!(matches!(compare(dec!(7), dec!(8)), Evidence::Found(_)));
        assert_eq!(compare(dec!(10), dec!(5)), Evidence::NotFound);
        for (spot, other) in [(dec!(7), dec!(5)), (dec!(10), dec!(8)), (dec!(6), dec!(9))] {
            let evidence = compare(spot, other);
            assert!(matches!(evidence, Evidence::Inconclusive(_)), "{spot} {other}");
        }
        let evidence = compare_balances(&[], &[], &changes);
        assert!(matches!(evidence, Evidence::Inconclusive(_)));
    }

    #[test]
    fn a_row_without_a_request_number_is_inconclusive() {
        let rows = |numbers: &[Option<String>]| with_request_number(numbers.iter(), "42", true);
        let (own, other) = (Some("42".to_owned()), Some("41".to_owned()));
        assert_eq!(rows(&[other.clone(), own]).rows.len(), 1);
        assert!(rows(std::slice::from_ref(&other)).is_complete);
        assert!(!rows(&[other, None]).is_complete);
    }

    #[test]
    fn withdrawals_are_matched_by_currency_amount_and_address() {
        let requested = |code: &str, amount: &str, address: &str| {
            [("currency", code), ("amount", amount), ("address", address)]
                .map(|(name, value)| (name.to_owned(), Json::Text(value.to_owned())))
        };
        let row = r#"{"currency":"USDT-TRC20","arrival_amount":"99","fee":"1","status":0,"address":"T1"}"#;
        let row: account::FundingRecord = serde_json::from_str(row).expect("a record");
        assert!(is_withdrawal(&row, &requested("USDT-TRC20", "100.0", "T1")));
        assert!(!is_withdrawal(&row, &requested("USDT-TRC20", "100", "T2")));
        assert!(!is_withdrawal(&row, &requested("USDT-TRC20", "101", "T1")));
        assert!(!is_withdrawal(&row, &requested("BTC", "100", "T1")));
        // A matching row without an id is inconclusive.
        let matching = withdrawals(&Rows::from(vec![row]), &requested("USDT-TRC20", "100", "T1"));
        assert!(matching.rows.is_empty() && !matching.is_complete);
    }
}
