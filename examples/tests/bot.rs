//! How to test a bot: a small strategy, and its tests against a sandbox with a stepped clock.
//!
//! A template to copy. Runs are deterministic and do not wait, and the sandbox shows what really happened.

use bitmart::rest::reconcile::Reconciled;
use bitmart::rest::{Client, Error, Outcome, spot};
use bitmart::sandbox::{self, Config, Fault, Sandbox};
use bitmart::types::Clock;
use bitmart::{Decimal, Timestamp, dec};

/// Keeps half of the funds in bitcoin. It trades if more than one percent of the funds have to be moved for that.
struct Rebalancer {
    client: Client,
}

impl Rebalancer {
    /// Places at most one order. Returns whether it was placed.
    async fn step(&self) -> Result<bool, Error> {
        let spot = self.client.spot();
        let Some(price) = spot.ticker("BTC_USDT").await?.last_price else { return Ok(false) };
        let wallet = self.client.account().spot_wallet().await?;
        // A currency without a row has no balance; an amount that was not sent is unknown.
        let available = |currency| match wallet.find(currency) {
            Some(balance) => balance.available,
            None => Some(Decimal::ZERO),
        };
        let (Some(bitcoin), Some(dollars)) = (available("BTC"), available("USDT")) else {
            return Ok(false);
        };
        let bitcoin = bitcoin * price;
        let surplus = (dollars - bitcoin) / dec!(2);
        if surplus.abs() < (bitcoin + dollars) * dec!(0.01) {
            return Ok(false);
        }
        let order = if surplus.is_sign_positive() {
            spot::NewOrder::market_buy("BTC_USDT", surplus.round_dp(2))
        } else {
            spot::NewOrder::market_sell("BTC_USDT", (-surplus / price).round_dp(5))
        };
        // Known before anything is sent, so that the order is found after a lost response.
        let id = order.client_order_id().clone();
        match spot.submit_order(order).await {
            Ok(_) => Ok(true),
            Err(error) if error.outcome() == Outcome::Unknown => {
                Ok(matches!(spot.reconcile(&id).await?, Reconciled::Placed(_)))
            }
            Err(error) => Err(error),
        }
    }
}

const START_MS: u64 = 1_700_000_000_000;

/// The bot's clock, stopped like the sandbox's.
#[derive(Debug)]
struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000)
    }
}

async fn start() -> (Sandbox, Rebalancer) {
    let config = Config::new()
        .stepped_clock(START_MS)
        .spot_balance("BTC", dec!(1))
        .spot_balance("USDT", dec!(100_000));
    let exchange = Sandbox::start(config).await.expect("a sandbox");
    let client = Client::builder()
        .environment(sandbox::environment(&exchange))
        .credentials(sandbox::credentials(&exchange).expect("credentials"))
        .clock(StoppedClock)
        .build()
        .expect("a client");
    (exchange, Rebalancer { client })
}

/// Returns the values of bitcoin and dollars held on the exchange.
async fn holdings(exchange: &Sandbox, bot: &Rebalancer) -> (Decimal, Decimal) {
    let ticker = bot.client.spot().ticker("BTC_USDT").await.expect("a ticker");
    let price = ticker.last_price.expect("a price");
    let held = |currency: &str| {
        let balances = exchange.balances().into_iter();
        let in_spot_wallet =
            |row: &bitmart::sandbox::Balance| row.wallet == "spot" && row.account == 1;
        balances
            .filter(in_spot_wallet)
            .filter(|row| row.currency == currency)
            .map(|row| row.available)
            .sum()
    };
    let (bitcoin, dollars): (Decimal, Decimal) = (held("BTC"), held("USDT"));
    (bitcoin * price, dollars)
}

#[tokio::test]
async fn buys_until_half_of_the_funds_are_bitcoin() {
    let (exchange, bot) = start().await;
    assert!(bot.step().await.expect("an order"));
    let (bitcoin, dollars) = holdings(&exchange, &bot).await;
    assert!((bitcoin - dollars).abs() < (bitcoin + dollars) * dec!(0.02), "{bitcoin} {dollars}");
    assert!(!bot.step().await.expect("a step without an order"), "the funds are balanced");
    assert_eq!(exchange.orders().len(), 1);
}

#[tokio::test]
async fn a_lost_response_does_not_lead_to_a_second_order() {
    let (exchange, bot) = start().await;
    exchange.inject(Fault::DropAfter.on("/spot/v2/submit_order").times(1));
    assert!(bot.step().await.expect("the order is found"), "the order was placed");
    assert!(!bot.step().await.expect("a step without an order"));
    assert_eq!(exchange.orders().len(), 1, "there is no second order");
}

#[tokio::test]
async fn a_rejected_order_is_an_error_without_effect() {
    let (exchange, bot) = start().await;
    exchange.inject(Fault::Maintenance.on("/spot/v2/submit_order").times(1));
    let error = bot.step().await.expect_err("the exchange is in maintenance");
    assert_eq!((error.outcome(), error.code()), (Outcome::Rejected, Some(30016)));
    assert!(exchange.orders().is_empty());
}
