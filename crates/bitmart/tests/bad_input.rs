//! What goes wrong in practice: each mistake gives a typed error that says what, where and what to
//! do, and nothing is sent twice.

use bitmart::rest::spot::NewOrder;
use bitmart::rest::{Client, Error, ErrorKind, Outcome, TransportErrorKind, Unexpected};
use bitmart::sandbox::{self, ApiKey, Config, Fault, Permission, Sandbox};
use bitmart::types::Clock;
use bitmart::{Credentials, Timestamp, dec};

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

fn order() -> NewOrder {
    NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(30000)).into()
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
        ("unknown symbol", 50001, NewOrder::limit_buy("NOPE_USDT", dec!(1), dec!(1))),
        (
            "too many decimals",
            50021,
            NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(30000.123456789)),
        ),
        ("below the minimum", 51011, NewOrder::limit_buy("BTC_USDT", dec!(0.00001), dec!(30000))),
        ("more than the balance", 50020, NewOrder::limit_buy("BTC_USDT", dec!(1000), dec!(30000))),
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
        NewOrder::limit_buy("btc_usdt", dec!(1), dec!(1)),
        NewOrder::limit_buy("BTC_USDT", dec!(0), dec!(1)),
        NewOrder::limit_buy("BTC_USDT", dec!(1), dec!(-1)),
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
    desk.exchange.inject(Fault::Delay(std::time::Duration::from_mins(10)).on(SUBMIT));
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
