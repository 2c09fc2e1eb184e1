//! How to test a bot: a small strategy, and tests of it against a sandbox whose clock stands still.
//!
//! Copy it. The same inputs give the same run, nothing here waits, and the ledger of the exchange says
//! what really happened, whatever the bot believes.

use bitmart::rest::reconcile::Reconciled;
use bitmart::rest::{Client, Error, Outcome, spot};
use bitmart::sandbox::{self, Config, Fault, Sandbox};
use bitmart::types::Clock;
use bitmart::{Decimal, Timestamp, dec};

/// Keeps half of the money in bitcoin: buys or sells what is more than a percent off.
struct Rebalancer {
    client: Client,
}

impl Rebalancer {
    /// Looks once and trades at most once. Returns whether an order was placed.
    async fn step(&self) -> Result<bool, Error> {
        let spot = self.client.spot();
        let Some(price) = spot.ticker("BTC_USDT").await?.last else { return Ok(false) };
        let wallet = self.client.account().spot_wallet().await?;
        let free = |currency| wallet.find(currency).map(|one| one.available).unwrap_or_default();
        let (bitcoin, dollars) = (free("BTC") * price, free("USDT"));
        let surplus = (dollars - bitcoin) / dec!(2);
        if surplus.abs() < (bitcoin + dollars) * dec!(0.01) {
            return Ok(false);
        }
        let order = if surplus.is_sign_positive() {
            spot::NewOrder::market_buy("BTC_USDT", surplus.round_dp(2))
        } else {
            spot::NewOrder::market_sell("BTC_USDT", (-surplus / price).round_dp(5))
        };
        // Known before anything is sent, so that a lost answer is no lost order.
        let id = order.client_order_id.clone();
        match spot.submit_order(order).await {
            Ok(_) => Ok(true),
            Err(error) if error.outcome() == Outcome::Unknown => {
                Ok(matches!(spot.reconcile(&id).await?, Reconciled::Placed(_)))
            }
            Err(error) => Err(error),
        }
    }
}

const NOON_MS: u64 = 1_700_000_000_000;

/// The clock of the sandbox stands, so that of the bot does, too.
#[derive(Debug)]
struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000)
    }
}

async fn start() -> (Sandbox, Rebalancer) {
    let config = Config::new()
        .stepped_clock(NOON_MS)
        .spot_balance("BTC", dec!(1))
        .spot_balance("USDT", dec!(100_000));
    let exchange = Sandbox::start(config).await.expect("it starts");
    let client = Client::builder()
        .environment(sandbox::environment(&exchange).expect("it has addresses"))
        .credentials(sandbox::credentials(&exchange).expect("it has a key"))
        .clock(Noon)
        .build()
        .expect("a client");
    (exchange, Rebalancer { client })
}

/// Value of the bitcoin and of the dollars that the exchange says there are.
async fn halves(exchange: &Sandbox, bot: &Rebalancer) -> (Decimal, Decimal) {
    let ticker = bot.client.spot().ticker("BTC_USDT").await.expect("a ticker");
    let price = ticker.last.expect("a price");
    let held = |currency: &str| {
        let balances = exchange.balances().into_iter();
        let wallet = |one: &bitmart::sandbox::Balance| one.wallet == "spot" && one.account == 1;
        balances
            .filter(wallet)
            .filter(|one| one.currency == currency)
            .map(|one| one.available)
            .sum()
    };
    let (bitcoin, dollars): (Decimal, Decimal) = (held("BTC"), held("USDT"));
    (bitcoin * price, dollars)
}

#[tokio::test]
async fn it_buys_until_half_of_the_money_is_bitcoin_and_then_rests() {
    let (exchange, bot) = start().await;
    assert!(bot.step().await.expect("it buys"));
    let (bitcoin, dollars) = halves(&exchange, &bot).await;
    assert!((bitcoin - dollars).abs() < (bitcoin + dollars) * dec!(0.02), "{bitcoin} {dollars}");
    assert!(!bot.step().await.expect("it looks"), "nothing is left to do");
    assert_eq!(exchange.orders().len(), 1);
}

#[tokio::test]
async fn an_answer_that_gets_lost_leads_to_no_second_order() {
    let (exchange, bot) = start().await;
    exchange.inject(Fault::DropAfter.on("/spot/v2/submit_order").times(1));
    assert!(bot.step().await.expect("it finds its order"), "the order was placed");
    assert!(!bot.step().await.expect("it looks"));
    assert_eq!(exchange.orders().len(), 1, "and it is the only one");
}

#[tokio::test]
async fn a_refusal_is_an_error_and_changes_nothing() {
    let (exchange, bot) = start().await;
    exchange.inject(Fault::Maintenance.on("/spot/v2/submit_order").times(1));
    let error = bot.step().await.expect_err("the exchange is in maintenance");
    assert_eq!((error.outcome(), error.code()), (Outcome::Rejected, Some(30016)));
    assert!(exchange.orders().is_empty());
}
