//! Account, savings and affiliate requests: their bodies and queries, and the errors of validation.

use bitmart_rest::{account, affiliate, earn};
use bitmart_types::{EarnRequestNo, Timestamp, dec};

use crate::common::{body, query, rejection};

fn request_no() -> EarnRequestNo {
    EarnRequestNo::new("20000009000000300000").expect("20 digits")
}

#[test]
fn savings_requests_have_their_request_request_no() {
    let tail = r#","requestNo":"20000009000000300000""#;
    let flexible = earn::SubscribeFlexible::new("1001", dec!(100)).with_request_no(request_no());
    assert_eq!(body(&flexible), format!(r#"{{"productId":"1001","amount":"100"{tail}}}"#));
    let redeemed = earn::RedeemFlexible::new("2001", dec!(50)).with_request_no(request_no());
    assert_eq!(body(&redeemed), format!(r#"{{"earnId":"2001","amount":"50"{tail}}}"#));
    let fixed = earn::SubscribeFixed::new("1001", dec!(10), earn::FixedRenewal::ReinvestFlexible)
        .with_request_no(request_no());
    let renewal = r#","autoSubscribe":"REINVEST_FLEXIBLE""#;
    assert_eq!(body(&fixed), format!(r#"{{"productId":"1001","amount":"10"{renewal}{tail}}}"#));
    let redeemed = earn::RedeemFixed::new("2001").with_request_no(request_no());
    assert_eq!(body(&redeemed), format!(r#"{{"earnId":"2001"{tail}}}"#));
}

#[test]
fn each_savings_request_gets_its_own_request_request_no() {
    let [first, second] = [(), ()].map(|()| earn::RedeemFixed::new("2001"));
    assert_eq!(first.request_no().as_str().len(), 20);
    assert_ne!(first.request_no(), second.request_no());
}

#[test]
fn invalid_savings_requests_are_rejected() {
    assert_eq!(
        rejection(&earn::SubscribeFlexible::new("1001", dec!(0))),
        "`amount` must be above zero, not `0`"
    );
    assert!(rejection(&earn::RedeemFlexible::new("", dec!(1))).starts_with("`earnId` must be"));
    assert!(
        rejection(&earn::ListFlexibleProducts::new(1, 101))
            .starts_with("`sizePage` must be 1 to 100")
    );
}

#[test]
fn account_and_savings_enumerations_are_written_as_documented() {
    let transfer =
        account::TransferFunds::new("USDT", dec!(12.50), account::TransferDirection::FundToSpot);
    assert_eq!(body(&transfer), r#"{"currency":"USDT","amount":"12.50","type":"fund_to_spot"}"#);
    assert!(
        rejection(&account::TransferFunds::new(
            "USDT",
            dec!(-1),
            account::TransferDirection::SpotToFund
        ))
        .starts_with("`amount` must be above zero")
    );
    let account = account::SetDepositAccount::new(account::DepositAccount::Contract);
    assert_eq!(body(&account), r#"{"account_type":"CONTRACT"}"#);
    let switch = earn::SetAutoSubscribe::new("1001", earn::AutoSubscribe::Off);
    assert_eq!(body(&switch), r#"{"productId":"1001","autoSubscribe":"close"}"#);
}

#[test]
fn currencies_are_joined_by_commas() {
    assert_eq!(query(&account::ListFundingCurrencies::new()), "");
    let some = account::ListFundingCurrencies::new().currency("BTC").currency("USDT-TRC20");
    assert_eq!(query(&some), "currencies=BTC%2CUSDT-TRC20");
    let many = (0..21).fold(account::ListFundingCurrencies::new(), |all, _| all.currency("BTC"));
    assert_eq!(rejection(&many), "`currencies` must be at most 20, not `21 currencies`");
    assert!(
        rejection(&account::ListFundingCurrencies::new().currency("B C"))
            .starts_with("`currencies`")
    );
}

#[test]
fn wallet_and_affiliate_queries_are_written_as_documented() {
    let wallet = account::QueryWallet::new().currency("USDT").usd_valuation(true);
    assert_eq!(query(&wallet), "currency=USDT&needUsdValuation=true");
    let time = Timestamp::from_millis(1_706_745_600_000);
    let rebates = affiliate::ListRebates::new(1, 10, "USDT").uid("7").rebate_start_time(time);
    assert_eq!(
        query(&rebates),
        "user_id=7&page=1&size=10&currency=USDT&rebate_start_time=1706745600"
    );
    let funding = affiliate::ListCustomerFunding::new("7", time, time, 1, 50)
        .direction(affiliate::FundingType::Withdraw);
    assert_eq!(
        query(&funding),
        "cid=7&start_time=1706745600&end_time=1706745600&page=1&size=50&type=2"
    );
    assert!(
        rejection(&affiliate::ListCustomerFunding::new("7", time, time, 1, 51))
            .contains("at most 50")
    );
}
