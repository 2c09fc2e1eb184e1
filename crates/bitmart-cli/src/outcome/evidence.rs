//! Where the exchange shows that a transfer or withdrawal took effect: rows of a history, or balances.
//!
//! These requests have no id that could be asked for. So what is there is noted before one is sent: a row
//! that fits and was not there before is its own.

use bitmart::Decimal;
use bitmart::rest::{Client, Error, account, earn, futures, margin, sub_account};
use bitmart::types::Rows;
use serde::{Deserialize, Serialize};

use crate::confirm::{Parameters, text};

/// Rows of a history that are asked for: the most that all of them give.
const ROWS: u32 = 100;
/// Most rows of the history of futures orders.
const HISTORY_ROWS: usize = 200;

/// What there was before a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Before {
    /// The exchange's time, in milliseconds.
    pub(crate) at_ms: i64,
    /// Rows that look like the request's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rows: Vec<String>,
    /// The balances that it changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    balances: Vec<Decimal>,
}

/// What one look told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Done(String),
    Nothing,
    Unclear(String),
}

/// How requests to an endpoint show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
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

fn kind(id: &str) -> Option<Kind> {
    Some(match id {
        "account_withdraw" => Kind::Withdrawal,
        "futures_transfer" => Kind::FuturesTransfer,
        "margin_borrow" => Kind::Loan,
        "margin_repay" => Kind::Repayment,
        "earn_redeem_flexible" => Kind::FlexibleSaving("redeem"),
        "earn_subscribe_flexible" => Kind::FlexibleSaving("subscribe"),
        "earn_redeem_fixed" => Kind::FixedSaving("redeem"),
        "earn_subscribe_fixed" => Kind::FixedSaving("subscribe"),
        "sub_accounts_transfer_sub_to_main" => Kind::SubToMain,
        "futures_sub_accounts_transfer_sub_to_main" => Kind::FuturesSubToMain,
        "account_transfer" => Kind::SpotFund,
        "margin_transfer" => Kind::Margin,
        "futures_submit_order" => Kind::FuturesOrder,
        _ => return None,
    })
}

/// Notes what there is before a request to endpoint `id`; `None` where nothing would show it.
pub(crate) async fn before(
    client: &Client,
    id: &str,
    parameters: &Parameters,
) -> Result<Option<Before>, Error> {
    let Some(kind) = kind(id) else { return Ok(None) };
    let at_ms = client.system().time().await?.server_time.as_millis();
    // The signature carries this client's time: whichever is later counts.
    let mut before = Before { at_ms: at_ms.max(client.now().as_millis()), ..Before::default() };
    match kind {
        Kind::SpotFund | Kind::Margin => {
            before.balances = balances(client, kind, parameters).await?;
        }
        _ => before.rows = rows(client, kind, parameters).await?.fitting,
    }
    Ok(Some(before))
}

/// Looks whether a request shows.
pub(super) async fn look(
    client: &Client,
    id: &str,
    parameters: &Parameters,
    before: &Before,
) -> Result<Found, Error> {
    let Some(kind) = kind(id) else {
        return Ok(Found::Unclear("the exchange lists no such requests".to_owned()));
    };
    if let Kind::SpotFund | Kind::Margin = kind {
        let now = balances(client, kind, parameters).await?;
        return Ok(moved(&before.balances, &now, &changes(kind, parameters)));
    }
    let found = rows(client, kind, parameters).await?;
    let mut new = found.fitting.into_iter().filter(|row| !before.rows.contains(row));
    Ok(match (new.next(), found.is_whole) {
        (Some(row), _) => Found::Done(row),
        (None, true) => Found::Nothing,
        (None, false) => Found::Unclear("a row of the history cannot be read".to_owned()),
    })
}

/// Rows that look like those of the request.
struct Fitting {
    fitting: Vec<String>,
    /// Whether no row could hide it.
    is_whole: bool,
}

async fn rows(client: &Client, kind: Kind, parameters: &Parameters) -> Result<Fitting, Error> {
    let get = |name: &str| text(parameters, name).unwrap_or_default();
    let currency = get("currency");
    let amount: Option<Decimal> = get("amount").parse().ok();
    let fits = |of: &str, moved: Decimal| of == currency && Some(moved) == amount;
    Ok(match kind {
        Kind::Withdrawal => {
            let request =
                account::ListFundingHistory::new(account::FundingOperation::Withdraw, ROWS);
            let records = client.account().funding_history(request).await?.records;
            withdrawals(&records, parameters)
        }
        Kind::FuturesTransfer => {
            let request = futures::ListTransfers::new(1, ROWS).currency(currency.as_str());
            let records = client.futures().transfers(request).await?.records;
            let is_whole = records.is_complete();
            let direction = get("type");
            let own = records.iter().filter(|row| {
                fits(row.currency.as_str(), row.amount) && row.direction.as_str() == direction
            });
            Fitting { fitting: own.map(|row| row.transfer_id.to_string()).collect(), is_whole }
        }
        Kind::Loan => {
            let request = margin::ListBorrowRecords::new(get("symbol").as_str()).limit(ROWS);
            let records = client.margin().borrow_records(request).await?.records;
            let is_whole = records.is_complete();
            let own = records.iter().filter(|row| fits(row.currency.as_str(), row.borrow_amount));
            Fitting { fitting: own.map(|row| row.borrow_id.to_string()).collect(), is_whole }
        }
        Kind::Repayment => {
            let request = margin::ListRepayRecords::new(get("symbol").as_str()).limit(ROWS);
            let records = client.margin().repay_records(request).await?.records;
            let is_whole = records.is_complete();
            let own = records.iter().filter(|row| fits(row.currency.as_str(), row.repaid_amount));
            Fitting { fitting: own.map(|row| row.repay_id.to_string()).collect(), is_whole }
        }
        Kind::FlexibleSaving(act) => {
            let request = earn::ListFlexibleRecords::new(earn::RecordType::from(act), 1, ROWS);
            let records = client.earn().flexible_records(request).await?.into_value();
            let records = records.unwrap_or_default().records;
            let numbers = records.iter().flat_map(|rows| rows.iter()).map(|row| &row.request_no);
            let is_whole = records.as_ref().is_some_and(Rows::is_complete);
            numbered(numbers, &get("requestNo"), is_whole)
        }
        Kind::FixedSaving(act) => {
            let request = earn::ListFixedRecords::new(earn::RecordType::from(act), 1, ROWS);
            let records = client.earn().fixed_records(request).await?.into_value();
            let records = records.unwrap_or_default().records;
            let numbers = records.iter().flat_map(|rows| rows.iter()).map(|row| &row.request_no);
            let is_whole = records.as_ref().is_some_and(Rows::is_complete);
            numbered(numbers, &get("requestNo"), is_whole)
        }
        Kind::SubToMain => {
            let request = sub_account::ListTransfers::new(sub_account::MoveType::SpotToSpot, ROWS);
            let request = request.account_name(get("subAccount"));
            let rows = client.sub_accounts().transfers(request).await?.transfers;
            let is_whole = rows.is_complete();
            let own = rows.iter().filter(|row| {
                fits(row.currency.as_str(), row.amount)
                    && row.from_account.as_deref() == Some(get("subAccount").as_str())
            });
            let shown = own.map(|row| format!("of {}", told(row.timestamp.as_ref())));
            Fitting { fitting: shown.collect(), is_whole }
        }
        Kind::FuturesSubToMain => {
            let sub_account = get("subAccount");
            let rows = client.futures_sub_accounts().transfers((sub_account, ROWS)).await?;
            let is_whole = rows.is_complete();
            let own = rows.iter().filter(|row| {
                fits(row.currency.as_str(), row.amount)
                    && row.from_account.as_deref() == Some(get("subAccount").as_str())
            });
            let shown = own.map(|row| format!("of {}", told(row.timestamp.as_ref())));
            Fitting { fitting: shown.collect(), is_whole }
        }
        Kind::FuturesOrder => futures_order(client, parameters).await?,
        Kind::SpotFund | Kind::Margin => Fitting { fitting: Vec::new(), is_whole: true },
    })
}

/// The order with the request's client order id. It is not found by that, so both lists of the contract are
/// looked through: first the open orders, so that one that is filled in between is in one of the two.
async fn futures_order(client: &Client, parameters: &Parameters) -> Result<Fitting, Error> {
    let symbol = text(parameters, "symbol").unwrap_or_default();
    let id = text(parameters, "client_order_id").unwrap_or_default();
    let own = |order: &&futures::Order| {
        order.client_order_id.as_ref().is_some_and(|of| of.as_str() == id)
    };
    let request = futures::ListOpenOrders::new().symbol(symbol.as_str()).limit(ROWS);
    let open = client.futures().open_orders(request).await?;
    let history = futures::ListOrderHistory::new(symbol.as_str());
    let history = match client.futures().order_history(history).await {
        Err(error) if error.is_order_not_found() => Rows::default(),
        history => history?,
    };
    let cut_off = open.len() >= ROWS as usize || history.len() >= HISTORY_ROWS;
    let is_whole = open.is_complete() && history.is_complete() && !cut_off;
    let fitting = open.iter().chain(&history).filter(own).map(|order| order.order_id.to_string());
    Ok(Fitting { fitting: fitting.collect(), is_whole })
}

fn told(value: Option<&impl ToString>) -> String {
    value.map_or_else(|| "a time that is not told".to_owned(), ToString::to_string)
}

/// The ids of the withdrawals that fit. One without an id could be the lost one, and could have been there before.
fn withdrawals(records: &Rows<account::FundingRecord>, parameters: &Parameters) -> Fitting {
    let mut found = Fitting { fitting: Vec::new(), is_whole: records.is_complete() };
    for row in records.iter().filter(|row| is_withdrawal(row, parameters)) {
        match &row.withdraw_id {
            Some(id) => found.fitting.push(id.to_string()),
            None => found.is_whole = false,
        }
    }
    found
}

/// Whether a row of the history is a withdrawal like the one that was asked for. What the row does not
/// tell does not speak against it.
fn is_withdrawal(row: &account::FundingRecord, parameters: &Parameters) -> bool {
    let plain = |code: &str| code.split('-').next().unwrap_or(code).to_owned();
    let asked = text(parameters, "currency").unwrap_or_default();
    let amount: Option<Decimal> = text(parameters, "amount").and_then(|text| text.parse().ok());
    let address = text(parameters, "address");
    let same_amount = match row.fee {
        Some(fee) => amount.is_some_and(|amount| {
            // Whether the fee is part of the amount is told by the documents, not by a capture.
            row.arrival_amount.checked_add(fee) == Some(amount) || row.arrival_amount == amount
        }),
        None => amount.is_some_and(|amount| row.arrival_amount <= amount),
    };
    let same_address = match (&row.address, &address) {
        (Some(of), Some(to)) => of == to,
        _ => true,
    };
    plain(row.currency.as_str()) == plain(&asked) && same_amount && same_address
}

/// The row with this request number. Rows without a number could be its own.
fn numbered<'a, T: ToString + 'a>(
    numbers: impl Iterator<Item = &'a Option<T>>,
    number: &str,
    is_whole: bool,
) -> Fitting {
    let mut found = Fitting { fitting: Vec::new(), is_whole };
    for of in numbers {
        match of {
            Some(of) if of.to_string() == number => {
                found.fitting.push(format!("with the request number {number}"));
            }
            Some(_) => {}
            None => found.is_whole = false,
        }
    }
    found
}

/// The two balances that a transfer changes.
async fn balances(
    client: &Client,
    kind: Kind,
    parameters: &Parameters,
) -> Result<Vec<Decimal>, Error> {
    let currency = text(parameters, "currency").unwrap_or_default();
    if kind == Kind::SpotFund {
        let request = account::QueryWallet::new().currency(currency.as_str());
        let wallet = client.account().wallet(request).await?.wallet;
        let row = wallet.iter().find(|row| row.currency.as_str() == currency);
        let free = |of: Option<Decimal>| of.unwrap_or_default();
        return Ok(vec![
            free(row.map(|row| row.available)),
            free(row.and_then(|row| row.fund_available)),
        ]);
    }
    let symbol = text(parameters, "symbol").unwrap_or_default();
    let request = margin::ListAccounts::new().symbol(symbol.as_str());
    let accounts = client.margin().accounts(request).await?.symbols;
    let account = accounts.into_iter().find(|account| account.symbol.as_str() == symbol);
    let sides = account.into_iter().flat_map(|account| [account.base, account.quote]);
    let side = sides
        .flatten()
        .find(|side| side.currency.as_ref().is_some_and(|of| of.as_str() == currency));
    let spot = client.account().spot_wallet().await?;
    let spot = spot.find(&currency).map(|balance| balance.available).unwrap_or_default();
    Ok(vec![spot, side.and_then(|side| side.available).unwrap_or_default()])
}

/// By how much the transfer changes them: spot first.
fn changes(kind: Kind, parameters: &Parameters) -> Vec<Decimal> {
    let amount = text(parameters, "amount").and_then(|text| text.parse().ok());
    let amount: Decimal = amount.unwrap_or_default();
    let word = text(parameters, if kind == Kind::Margin { "side" } else { "type" });
    let leaves_spot = matches!(word.as_deref(), Some("in" | "spot_to_fund"));
    if leaves_spot { vec![-amount, amount] } else { vec![amount, -amount] }
}

fn moved(before: &[Decimal], now: &[Decimal], changes: &[Decimal]) -> Found {
    let moves: Vec<_> = now.iter().zip(before).map(|(now, before)| *now - *before).collect();
    if moves == changes {
        return Found::Done("as the balances show".to_owned());
    }
    if moves.iter().all(Decimal::is_zero) && moves.len() == changes.len() {
        return Found::Nothing;
    }
    Found::Unclear("the balances have changed, but not by the amount".to_owned())
}

#[cfg(test)]
mod tests {
    use bitmart::dec;

    use bitmart::rest::account;
    use bitmart::types::Rows;

    use super::{Found, is_withdrawal, moved, numbered, withdrawals};
    use crate::output::json::Json;

    #[test]
    fn balances_prove_a_transfer_only_when_both_moved_by_its_amount() {
        let before = [dec!(10), dec!(5)];
        let changes = [dec!(-3), dec!(3)];
        let of = |spot, other| moved(&before, &[spot, other], &changes);
        assert_eq!(of(dec!(7), dec!(8)), Found::Done("as the balances show".into()));
        assert_eq!(of(dec!(10), dec!(5)), Found::Nothing);
        for (spot, other) in [(dec!(7), dec!(5)), (dec!(10), dec!(8)), (dec!(6), dec!(9))] {
            assert!(matches!(of(spot, other), Found::Unclear(_)), "{spot} {other}");
        }
        assert!(matches!(moved(&[], &[], &changes), Found::Unclear(_)));
    }

    #[test]
    fn a_row_without_a_request_number_may_be_the_lost_one() {
        let rows = |numbers: &[Option<String>]| numbered(numbers.iter(), "42", true);
        let (own, other) = (Some("42".to_owned()), Some("41".to_owned()));
        assert_eq!(rows(&[other.clone(), own]).fitting.len(), 1);
        assert!(rows(std::slice::from_ref(&other)).is_whole);
        assert!(!rows(&[other, None]).is_whole);
    }

    #[test]
    fn a_withdrawal_is_known_by_currency_amount_and_address() {
        let asked = |code: &str, amount: &str, address: &str| {
            [("currency", code), ("amount", amount), ("address", address)]
                .map(|(name, value)| (name.to_owned(), Json::Text(value.to_owned())))
        };
        let row = r#"{"currency":"USDT-TRC20","arrival_amount":"99","fee":"1","status":0,"address":"T1"}"#;
        let row: account::FundingRecord = serde_json::from_str(row).expect("a record");
        assert!(is_withdrawal(&row, &asked("USDT-TRC20", "100.0", "T1")));
        assert!(!is_withdrawal(&row, &asked("USDT-TRC20", "100", "T2")));
        assert!(!is_withdrawal(&row, &asked("USDT-TRC20", "101", "T1")));
        assert!(!is_withdrawal(&row, &asked("BTC", "100", "T1")));
        // Without an id it could be the lost one: that it is not there is not proven.
        let found = withdrawals(&Rows::from(vec![row]), &asked("USDT-TRC20", "100", "T1"));
        assert!(found.fitting.is_empty() && !found.is_whole);
    }
}
