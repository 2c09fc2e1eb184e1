//! Transfers, withdrawals, deposits and loans through the typed client.

use std::sync::Arc;
use std::time::Duration;

use bitmart::rest::limit::{LimitPolicy, Limiter};
use bitmart::rest::{Client, account, futures, margin, sub_account};
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::{Credentials, dec};

use crate::exchange_clock::ExchangeClock;

type TestResult = Result<(), Box<dyn std::error::Error>>;

const BEGIN_MS: u64 = 1_700_000_000_000;
const SUB: &str = "account2@sandbox.test";

fn client(
    exchange: &Arc<Sandbox>,
    credentials: Credentials,
) -> Result<Client, Box<dyn std::error::Error>> {
    Ok(Client::builder()
        .environment(sandbox::environment(exchange))
        .credentials(credentials)
        .clock(ExchangeClock(exchange.clone()))
        .limiter(Limiter::new(LimitPolicy::Off))
        .build()?)
}

async fn open() -> Result<(Arc<Sandbox>, Client), Box<dyn std::error::Error>> {
    let config = Config::new().stepped_clock(BEGIN_MS).rate_limits(false);
    let exchange = Arc::new(Sandbox::start(config).await?);
    let client = client(&exchange, sandbox::credentials(&exchange)?)?;
    Ok((exchange, client))
}

#[tokio::test]
async fn transfers_between_wallets_and_accounts() -> TestResult {
    let (exchange, main) = open().await?;
    let key = exchange.sub_account_credentials().ok_or("no sub-account")?;
    let sub = client(&exchange, Credentials::new(key.key, key.secret, key.memo)?)?;

    let names = main.sub_accounts().list().await?;
    assert_eq!(names.accounts[0].name, SUB);
    let to_sub = sub_account::TransferMainToSub::new(SUB, "BTC", dec!(2));
    main.sub_accounts().transfer_main_to_sub(to_sub.clone()).await?;
    let again = main
        .sub_accounts()
        .transfer_main_to_sub(to_sub)
        .await
        .expect_err("a duplicate request number");
    assert_eq!(again.code(), Some(61004));
    sub.sub_accounts()
        .transfer_own_to_main(sub_account::TransferOwnToMain::new("BTC", dec!(0.5)))
        .await?;
    let wallet = main.sub_accounts().wallet(SUB).await?;
    assert_eq!(wallet.find("BTC").and_then(|row| row.available), Some(dec!(1.5)));
    let rows = sub.sub_accounts().own_transfers((sub_account::MoveType::SpotToSpot, 10)).await?;
    assert_eq!((rows.total, rows.transfers[1].to_account.as_deref()), (Some(2), Some(SUB)));

    let to_fund =
        account::TransferFunds::new("USDT", dec!(10), account::TransferDirection::SpotToFund);
    main.account().transfer(to_fund).await?;
    let to_futures =
        futures::TransferFunds::new("USDT", dec!(20), futures::TransferDirection::SpotToFutures);
    main.futures().transfer(to_futures).await?;
    let rows = main.futures().transfers(futures::ListTransfers::new(1, 10)).await?;
    assert_eq!(rows.transfers[0].state, Some(futures::TransferState::Finished));
    let usdt = exchange.balances().into_iter().find(|row| row.wallet == "funding");
    assert_eq!(usdt.map(|row| row.available), Some(dec!(10)));
    Ok(())
}

#[tokio::test]
async fn a_withdrawal_and_a_deposit_complete() -> TestResult {
    let (exchange, client) = open().await?;
    let account = client.account();
    let networks =
        account.currencies(account::ListFundingCurrencies::new().currency("USDT")).await?;
    let network = networks.currencies[0].currency.clone();
    assert!(account.withdraw_quota(network.clone()).await?.fee > Some(dec!(0)));
    assert!(!account.deposit_address(network.clone()).await?.address.is_empty());
    let sent = account.withdraw(account::Withdraw::to_address(network, dec!(100), "T1")).await?;
    exchange.deposit(1, "BTC", dec!(1)).ok_or("no deposit")?;
    exchange.advance(Duration::from_secs(60));
    for operation in [account::FundingOperation::Withdraw, account::FundingOperation::Deposit] {
        let rows = account.funding_history(account::ListFundingHistory::new(operation, 10)).await?;
        assert_eq!(rows.records[0].status, Some(account::FundingStatus::Done));
        assert!(rows.records[0].tx_id.is_some());
    }
    let row = account.funding_record(sent.withdraw_id.as_str()).await?.record.ok_or("no record")?;
    assert_eq!(row.arrival_amount, Some(dec!(99.9999)));
    assert_eq!(account.trade_fee("BTC_USDT").await?.symbol, Some("BTC_USDT".into()));
    account.fee_rates().await?;
    Ok(())
}

#[tokio::test]
async fn a_margin_loan_is_repaid_with_interest() -> TestResult {
    let (exchange, client) = open().await?;
    let margin = client.margin();
    let into =
        margin::TransferFunds::new("BTC_USDT", "USDT", dec!(1000), margin::TransferDirection::In);
    margin.transfer(into).await?;
    let pairs = margin.pairs(margin::ListPairs::new().symbol("BTC_USDT")).await?;
    let terms = pairs.pairs[0].quote.as_ref().ok_or("no terms")?;
    assert_eq!(terms.borrowable_amount, Some(dec!(4000)));
    margin.borrow(margin::Borrow::new("BTC_USDT", "USDT", dec!(1000))).await?;
    exchange.advance(Duration::from_secs(10_800));
    let accounts = margin.accounts(margin::ListAccounts::new().symbol("BTC_USDT")).await?;
    let quote = accounts.accounts[0].quote.as_ref().ok_or("no balance")?;
    assert_eq!(
        (quote.borrow_unpaid, quote.interest_unpaid),
        (Some(dec!(1000)), Some(dec!(0.12501)))
    );
    margin.repay(margin::Repay::new("BTC_USDT", "USDT", dec!(1000.12501))).await?;
    let rows = margin.repay_records(margin::ListRepayRecords::new("BTC_USDT")).await?;
    assert_eq!(rows.records[0].repaid_interest, Some(dec!(0.12501)));
    let rows = margin.borrow_records(margin::ListBorrowRecords::new("BTC_USDT")).await?;
    assert_eq!(rows.records[0].interest_amount, Some(dec!(0.12501)));
    Ok(())
}
