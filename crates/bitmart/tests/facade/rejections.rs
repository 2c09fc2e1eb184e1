//! Common mistakes and failures: each returns a typed error with the endpoint and advice, and nothing is
//! sent twice.

use std::task::{Context, Waker};

use bitmart::rest::transport::TransportErrorKind;
use bitmart::rest::{Client, Error, ErrorKind, Outcome, Unexpected, spot};
use bitmart::sandbox::{self, ApiKey, Config, Fault, Permission, Sandbox};
use bitmart::types::Clock;
use bitmart::{Credentials, OrderId, Timestamp, dec};

type TestResult = Result<(), Box<dyn std::error::Error>>;

const SUBMIT: &str = "/spot/v2/submit_order";

struct Harness {
    exchange: Sandbox,
    client: Client,
}

impl Harness {
    async fn open() -> Result<Self, Box<dyn std::error::Error>> {
        let exchange = Sandbox::start(Config::new()).await?;
        let credentials = sandbox::credentials(&exchange)?;
        let client = Client::builder()
            .environment(sandbox::environment(&exchange))
            .credentials(credentials)
            .max_body(1024 * 1024)
            .build()?;
        Ok(Self { exchange, client })
    }

    async fn submit_error(&self, order: impl Into<bitmart::rest::spot::SubmitOrder>) -> Error {
        self.client.spot().submit_order(order).await.expect_err("the order should fail")
    }
}

fn order() -> spot::NewOrder {
    spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(30000))
}

/// Checks that the error names the endpoint and contains advice.
fn check(error: &Error, outcome: Outcome, code: Option<i64>) {
    let text = error.to_string();
    assert_eq!(error.outcome(), outcome, "{text}");
    assert_eq!(error.code(), code, "{text}");
    assert!(text.contains("spot_submit_order"), "{text}");
    match outcome {
        Outcome::Unknown => assert!(text.contains("query the order"), "{text}"),
        Outcome::NotSent => assert!(text.contains("Nothing was sent"), "{text}"),
        _ => assert!(error.advice().is_some_and(|advice| text.contains(advice)), "{text}"),
    }
}

#[tokio::test]
async fn a_wrong_memo_is_rejected_with_advice_about_the_memo() -> TestResult {
    let harness = Harness::open().await?;
    let key = harness.exchange.credentials();
    let wrong_memo = Credentials::new(key.key.as_str(), key.secret.as_str(), "account-id")?;
    let client = Client::builder()
        .environment(sandbox::environment(&harness.exchange))
        .credentials(wrong_memo)
        .build()?;
    let error = client.spot().submit_order(order()).await.expect_err("the signature is wrong");
    check(&error, Outcome::Rejected, Some(30005));
    assert!(error.to_string().contains("memo"), "{error}");
    for secret in [key.key.as_str(), key.secret.as_str(), "account-id"] {
        assert!(!format!("{error:?} {error}").contains(secret), "leaked a secret");
    }
    Ok(())
}

#[derive(Debug)]
struct FiveMinutesSlow;

impl Clock for FiveMinutesSlow {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(Timestamp::now().as_millis() - 300_000)
    }
}

#[tokio::test]
async fn a_slow_clock_is_rejected_with_advice_about_the_clock() -> TestResult {
    let harness = Harness::open().await?;
    let client = Client::builder()
        .environment(sandbox::environment(&harness.exchange))
        .credentials(sandbox::credentials(&harness.exchange)?)
        .clock(FiveMinutesSlow)
        .build()?;
    let error = client.spot().submit_order(order()).await.expect_err("the clock is slow");
    check(&error, Outcome::Rejected, Some(30007));
    assert!(error.to_string().contains("clock"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_key_without_permission_is_rejected() -> TestResult {
    let key = ApiKey::new("reader", "secret", "memo").permissions([Permission::ReadOnly]);
    let exchange = Sandbox::start(Config::new().api_key(key)).await?;
    let client = Client::builder()
        .environment(sandbox::environment(&exchange))
        .credentials(sandbox::credentials(&exchange)?)
        .build()?;
    let error = client.spot().submit_order(order()).await.expect_err("the key may only read");
    check(&error, Outcome::Rejected, Some(30012));
    Ok(())
}

#[tokio::test]
async fn orders_that_violate_the_rules_of_the_pair_are_rejected() -> TestResult {
    let harness = Harness::open().await?;
    let cases = [
        ("unknown symbol", 50001, spot::NewOrder::limit_buy("NOPE_USDT", dec!(1), dec!(1))),
        (
            "too many decimals",
            50021,
            spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(30000.123456789)),
        ),
        (
            "below the minimum",
            51011,
            spot::NewOrder::limit_buy("BTC_USDT", dec!(0.00001), dec!(30000)),
        ),
        (
            "more than the balance",
            50020,
            spot::NewOrder::limit_buy("BTC_USDT", dec!(1000), dec!(30000)),
        ),
    ];
    for (what, code, order) in cases {
        let error = harness.submit_error(order).await;
        assert_eq!(error.code(), Some(code), "{what}: {error}");
        check(&error, Outcome::Rejected, Some(code));
    }
    assert!(harness.exchange.orders().is_empty());
    Ok(())
}

#[tokio::test]
async fn invalid_orders_are_rejected_without_sending() -> TestResult {
    let harness = Harness::open().await?;
    for order in [
        spot::NewOrder::limit_buy("btc_usdt", dec!(1), dec!(1)),
        spot::NewOrder::limit_buy("BTC_USDT", dec!(0), dec!(1)),
        spot::NewOrder::limit_buy("BTC_USDT", dec!(1), dec!(-1)),
    ] {
        let error = harness.submit_error(order).await;
        assert_eq!(error.outcome(), Outcome::NotSent, "{error}");
        assert!(matches!(error.kind(), ErrorKind::Validation(_)), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn responses_of_a_gateway_leave_the_outcome_unknown() -> TestResult {
    let harness = Harness::open().await?;
    let cases = [
        (Fault::Html(502), Unexpected::Html),
        (Fault::HtmlAfter(403), Unexpected::Html),
        (Fault::TruncatedJson, Unexpected::Truncated),
    ];
    for (index, (fault, expected)) in cases.into_iter().enumerate() {
        harness.exchange.inject(fault.on(SUBMIT));
        let error = harness.submit_error(order()).await;
        check(&error, Outcome::Unknown, None);
        assert_eq!(error.kind(), &ErrorKind::Unexpected(expected), "{fault:?}");
        // The first fault replaces the exchange, so there is no order. The others follow a placed order.
        assert_eq!(harness.exchange.orders().len(), index, "{fault:?}: sent at most once");
    }
    Ok(())
}

#[tokio::test]
async fn a_timeout_leaves_the_outcome_unknown() -> TestResult {
    let harness = Harness::open().await?;
    let client = Client::builder()
        .environment(sandbox::environment(&harness.exchange))
        .credentials(sandbox::credentials(&harness.exchange)?)
        .timeout(std::time::Duration::from_millis(300))
        .build()?;
    harness.exchange.inject(Fault::Delay(std::time::Duration::from_secs(600)).on(SUBMIT));
    let error = client.spot().submit_order(order()).await.expect_err("the response is late");
    check(&error, Outcome::Unknown, None);
    assert_eq!(error.kind(), &ErrorKind::Transport(TransportErrorKind::Timeout));
    Ok(())
}

#[tokio::test]
async fn a_refused_connection_means_not_sent() -> TestResult {
    let harness = Harness::open().await?;
    let environment = sandbox::environment(&harness.exchange);
    let credentials = sandbox::credentials(&harness.exchange)?;
    harness.exchange.shutdown().await;
    let client = Client::builder().environment(environment).credentials(credentials).build()?;
    let error = client.spot().submit_order(order()).await.expect_err("nothing listens");
    check(&error, Outcome::NotSent, None);
    Ok(())
}

/// After a query the advice does not suggest a query; after a cancellation it does.
#[tokio::test]
async fn the_advice_for_an_unknown_order_depends_on_the_request() -> TestResult {
    let harness = Harness::open().await?;
    let id = OrderId::from("1");
    let cancel = spot::CancelOrder::new("BTC_USDT", id.clone());
    let cancel = harness.client.spot().cancel_order(cancel).await.expect_err("it does not exist");
    let query = harness
        .client
        .spot()
        .order(spot::QueryOrder::new(id))
        .await
        .expect_err("it does not exist");
    for (error, expected) in [(cancel, "query the order"), (query, "the exchange forgets an order")]
    {
        assert_eq!((error.code(), error.outcome()), (Some(50005), Outcome::Rejected));
        let advice = error.advice().expect("advice");
        assert!(advice.contains(expected) && error.to_string().ends_with(advice), "{error}");
        assert_eq!(advice.contains("query the order"), expected == "query the order", "{error}");
    }
    Ok(())
}

/// The format of a symbol is checked before sending, so an unknown symbol is well-formed.
#[tokio::test]
async fn the_error_for_an_unknown_symbol_has_no_advice_about_its_format() -> TestResult {
    let harness = Harness::open().await?;
    let spot = harness.client.spot();
    let order = spot.submit_order(spot::NewOrder::limit_buy("NOPE_USDT", dec!(1), dec!(1))).await;
    let ticker = spot.ticker("NOPE_USDT").await;
    let contract = harness.client.futures().depth("NOPEUSDT").await;
    for (error, code) in
        [(order.map(drop), 50001), (ticker.map(drop), 70002), (contract.map(drop), 40034)]
    {
        let error = error.expect_err("it does not exist");
        assert_eq!(error.code(), Some(code), "{error}");
        assert!(!error.to_string().contains("underscore"), "{error}");
    }
    Ok(())
}

#[test]
fn credentials_with_stray_characters_are_rejected() {
    for (format, message) in [
        ("\"{}\"", "the API secret is wrapped in quotes"),
        ("{} ", "the API secret ends with whitespace"),
        ("\u{feff}{}", "the API secret starts or ends with a UTF-8 byte-order mark"),
    ] {
        let secret = format.replace("{}", "CANARY-secret");
        let error = Credentials::new("key", secret, "memo").expect_err("it is invalid");
        assert!(error.to_string().starts_with(message), "{error}");
        assert!(!format!("{error:?} {error}").contains("CANARY"), "leaked a secret");
    }
}

/// As documented for the client.
#[test]
#[should_panic(expected = "there is no reactor running")]
fn sending_outside_of_a_runtime_panics() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let harness = runtime.block_on(Harness::open()).expect("a sandbox");
    let spot = harness.client.spot();
    let mut request = std::pin::pin!(spot.ticker("BTC_USDT"));
    let result = request.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    unreachable!("no panic: {result:?}");
}
