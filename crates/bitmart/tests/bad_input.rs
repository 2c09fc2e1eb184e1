//! What goes wrong in practice: each mistake gives a typed error that says what, where and what to
//! do, and nothing is sent twice.

use std::task::{Context, Waker};

use bitmart::rest::{Client, Error, ErrorKind, Outcome, TransportErrorKind, Unexpected, spot};
use bitmart::sandbox::{self, ApiKey, Config, Fault, Permission, Sandbox};
use bitmart::types::Clock;
use bitmart::{Credentials, OrderId, Timestamp, dec};

type TestResult = Result<(), Box<dyn std::error::Error>>;

const SUBMIT: &str = "/spot/v2/submit_order";

struct Desk {
    exchange: Sandbox,
    client: Client,
}

impl Desk {
    async fn open() -> Result<Self, Box<dyn std::error::Error>> {
        let exchange = Sandbox::start(Config::new()).await?;
        let credentials = sandbox::credentials(&exchange)?;
        let client = Client::builder()
            .environment(sandbox::environment(&exchange)?)
            .credentials(credentials)
            .max_body(1024 * 1024)
            .build()?;
        Ok(Self { exchange, client })
    }

    async fn refused(&self, order: impl Into<bitmart::rest::spot::SubmitOrder>) -> Error {
        self.client.spot().submit_order(order).await.expect_err("the order should fail")
    }
}

fn order() -> spot::NewOrder {
    spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(30000)).into()
}

/// The error names the endpoint and says what to do.
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
async fn a_wrong_memo_is_refused_with_advice_about_the_memo() -> TestResult {
    let desk = Desk::open().await?;
    let key = desk.exchange.credentials();
    let wrong = Credentials::new(key.key.as_str(), key.secret.as_str(), "account-id")?;
    let client = Client::builder()
        .environment(sandbox::environment(&desk.exchange)?)
        .credentials(wrong)
        .build()?;
    let error = client.spot().submit_order(order()).await.expect_err("the signature is wrong");
    check(&error, Outcome::Rejected, Some(30005));
    assert!(error.to_string().contains("memo"), "{error}");
    for secret in [key.key.as_str(), key.secret.as_str(), "account-id"] {
        assert!(!format!("{error:?} {error}").contains(secret), "a secret shows");
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
async fn a_stale_clock_is_refused_with_advice_about_the_clock() -> TestResult {
    let desk = Desk::open().await?;
    let client = Client::builder()
        .environment(sandbox::environment(&desk.exchange)?)
        .credentials(sandbox::credentials(&desk.exchange)?)
        .clock(FiveMinutesSlow)
        .build()?;
    let error = client.spot().submit_order(order()).await.expect_err("the clock is slow");
    check(&error, Outcome::Rejected, Some(30007));
    assert!(error.to_string().contains("clock"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_key_without_the_permission_is_refused() -> TestResult {
    let key = ApiKey::new("reader", "secret", "memo").permissions([Permission::ReadOnly]);
    let exchange = Sandbox::start(Config::new().api_key(key)).await?;
    let client = Client::builder()
        .environment(sandbox::environment(&exchange)?)
        .credentials(sandbox::credentials(&exchange)?)
        .build()?;
    let error = client.spot().submit_order(order()).await.expect_err("the key may only read");
    check(&error, Outcome::Rejected, Some(30012));
    Ok(())
}

#[tokio::test]
async fn orders_that_break_the_rules_of_the_pair_are_refused() -> TestResult {
    let desk = Desk::open().await?;
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
        let error = desk.refused(order).await;
        assert_eq!(error.code(), Some(code), "{what}: {error}");
        check(&error, Outcome::Rejected, Some(code));
    }
    assert!(desk.exchange.orders().is_empty());
    Ok(())
}

#[tokio::test]
async fn what_can_be_known_before_sending_is_not_sent() -> TestResult {
    let desk = Desk::open().await?;
    for order in [
        spot::NewOrder::limit_buy("btc_usdt", dec!(1), dec!(1)),
        spot::NewOrder::limit_buy("BTC_USDT", dec!(0), dec!(1)),
        spot::NewOrder::limit_buy("BTC_USDT", dec!(1), dec!(-1)),
    ] {
        let error = desk.refused(order).await;
        assert_eq!(error.outcome(), Outcome::NotSent, "{error}");
        assert!(matches!(error.kind(), ErrorKind::Validation(_)), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn answers_of_a_proxy_leave_an_order_unknown() -> TestResult {
    let desk = Desk::open().await?;
    let cases = [
        (Fault::Html(502), Unexpected::Html),
        (Fault::HtmlAfter(403), Unexpected::Html),
        (Fault::TruncatedJson, Unexpected::Truncated),
    ];
    for (index, (fault, expected)) in cases.into_iter().enumerate() {
        desk.exchange.inject(fault.on(SUBMIT));
        let error = desk.refused(order()).await;
        check(&error, Outcome::Unknown, None);
        assert_eq!(error.kind(), &ErrorKind::Unexpected(expected), "{fault:?}");
        // A page instead of the exchange means that there is no order; the other two placed one.
        assert_eq!(desk.exchange.orders().len(), index, "{fault:?}: sent once at most");
    }
    Ok(())
}

#[tokio::test]
async fn a_late_answer_leaves_an_order_unknown() -> TestResult {
    let desk = Desk::open().await?;
    let client = Client::builder()
        .environment(sandbox::environment(&desk.exchange)?)
        .credentials(sandbox::credentials(&desk.exchange)?)
        .timeout(std::time::Duration::from_millis(300))
        .build()?;
    desk.exchange.inject(Fault::Delay(std::time::Duration::from_secs(600)).on(SUBMIT));
    let error = client.spot().submit_order(order()).await.expect_err("the answer is late");
    check(&error, Outcome::Unknown, None);
    assert_eq!(error.kind(), &ErrorKind::Transport(TransportErrorKind::Timeout));
    Ok(())
}

#[tokio::test]
async fn an_exchange_that_is_not_there_means_not_sent() -> TestResult {
    let desk = Desk::open().await?;
    let environment = sandbox::environment(&desk.exchange)?;
    let credentials = sandbox::credentials(&desk.exchange)?;
    desk.exchange.shutdown().await;
    let client = Client::builder().environment(environment).credentials(credentials).build()?;
    let error = client.spot().submit_order(order()).await.expect_err("nobody listens");
    check(&error, Outcome::NotSent, None);
    Ok(())
}

/// Who asks for an order is not told to ask for it; who cancels one is.
#[tokio::test]
async fn an_order_that_is_not_found_is_advised_by_what_was_sent() -> TestResult {
    let desk = Desk::open().await?;
    let id = OrderId::from("1");
    let cancel = spot::CancelOrder::new("BTC_USDT", id.clone());
    let cancel = desk.client.spot().cancel_order(cancel).await.expect_err("there is none");
    let query =
        desk.client.spot().order(spot::QueryOrder::new(id)).await.expect_err("there is none");
    for (error, asked) in [(cancel, "query the order"), (query, "the exchange forgets an order")] {
        assert_eq!((error.code(), error.outcome()), (Some(50005), Outcome::Rejected));
        let advice = error.advice().expect("advice");
        assert!(advice.contains(asked) && error.to_string().ends_with(advice), "{error}");
        assert_eq!(advice.contains("query the order"), asked == "query the order", "{error}");
    }
    Ok(())
}

/// The form of a symbol is checked before anything is sent: what the exchange does not know is written rightly.
#[tokio::test]
async fn a_pair_that_is_not_listed_is_not_told_its_form() -> TestResult {
    let desk = Desk::open().await?;
    let spot = desk.client.spot();
    let order = spot.submit_order(spot::NewOrder::limit_buy("NOPE_USDT", dec!(1), dec!(1))).await;
    let ticker = spot.ticker("NOPE_USDT").await;
    let contract = desk.client.futures().depth("NOPEUSDT").await;
    for (error, code) in
        [(order.map(drop), 50001), (ticker.map(drop), 70002), (contract.map(drop), 40034)]
    {
        let error = error.expect_err("there is none");
        assert_eq!(error.code(), Some(code), "{error}");
        assert!(!error.to_string().contains("underscore"), "{error}");
    }
    Ok(())
}

/// There is no client with such credentials, so nothing is ever sent with them.
#[test]
fn what_was_copied_along_with_a_secret_is_named_before_there_is_a_client() {
    for (around, words) in [
        ("\"{}\"", "the API secret stands in quotes"),
        ("{} ", "the API secret has a blank at its end"),
        ("\u{feff}{}", "the API secret has a UTF-8 byte-order mark in front"),
    ] {
        let secret = around.replace("{}", "CANARY-secret");
        let error = Credentials::new("key", secret, "memo").expect_err("it is unusable");
        assert!(error.to_string().starts_with(words), "{error}");
        assert!(!format!("{error:?} {error}").contains("CANARY"), "a secret shows");
    }
}

/// As the documents of the client say.
#[test]
#[should_panic(expected = "there is no reactor running")]
fn outside_of_a_runtime_sending_panics() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let desk = runtime.block_on(Desk::open()).expect("a sandbox");
    let spot = desk.client.spot();
    let mut asking = std::pin::pin!(spot.ticker("BTC_USDT"));
    let answer = asking.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    unreachable!("nothing panicked: {answer:?}");
}
