//! A month of an account: trades, futures, deposits and withdrawals, day by day.

use std::path::Path;
use std::time::Duration;

use bitmart::sandbox::Config;
use bitmart::{Decimal, Timestamp, dec};
use serde_json::{Value, json};

use super::traders::{Stepped, Trader, merged, traders};
use super::{Outcome, Place, bitmart, sandbox_of};

pub(crate) const BEGIN: &str = "2026-06-01T00:00:00Z";
const OTHERS: [&str; 19] = [
    "ETH", "SOL", "XRP", "BMX", "BNB", "DOGE", "ADA", "TRX", "AVAX", "LINK", "DOT", "LTC", "BCH",
    "UNI", "ATOM", "NEAR", "APT", "ARB", "SHIB",
];
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// The account and its state.
pub(crate) struct Month {
    pub(crate) place: Place,
    pub(crate) clock: Stepped,
    pub(crate) owner: Trader,
    pub(crate) other: Trader,
    /// Orders that rest for days.
    resting: Vec<Value>,
    /// Whether there is a futures position.
    long: bool,
    pub(crate) runtime: tokio::runtime::Runtime,
}

impl Month {
    pub(crate) fn begin() -> Self {
        Self::begin_earlier(Duration::ZERO)
    }

    /// A month of which something is to be prepared before it begins.
    pub(crate) fn begin_earlier(by: Duration) -> Self {
        let begin: Timestamp = BEGIN.parse().expect("a time");
        let begin = begin.as_millis() - i64::try_from(by.as_millis()).expect("short");
        let start = u64::try_from(begin).expect("a time");
        let begin = Timestamp::from_millis(begin);
        let config = Config::new().stepped_clock(start).market_maker(false).rate_limits(false);
        // The default balances exceed the withdrawal limits of years.
        let config = OTHERS
            .into_iter()
            .fold(config, |config, coin| config.spot_balance(coin, Decimal::ZERO));
        let config = config.spot_balance("BTC", dec!(50));
        let place = sandbox_of(config);
        let clock = Stepped::at(begin);
        let [owner, other] = traders(&place.sandbox, &clock);
        let runtime = tokio::runtime::Runtime::new().expect("threads");
        Self { place, clock, owner, other, resting: Vec::new(), long: false, runtime }
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.place.sandbox.advance(by);
        self.clock.set(&self.place.sandbox);
    }

    /// Simulates a day of trades, until an hour before its end.
    pub(crate) fn day(&mut self, day: u64) {
        self.advance(Duration::from_secs(32_400));
        let Self { owner, other, resting, runtime, long, .. } = self;
        let price = 60_000 + day * 10;
        runtime.block_on(async {
            owner.spot("buy", "limit", price, "0.001").await;
            other.spot("sell", "limit", price, "0.001").await;
            let (rests, takes) = if *long { (3, 2) } else { (1, 4) };
            *long = !*long;
            owner.futures(rests, 1, price).await;
            other.futures(takes, 1, price).await;
            // Rests for days; the oldest one is canceled.
            resting.push(owner.spot("buy", "limit_maker", 40_000 + day, "0.001").await);
            if day >= 13 {
                let parameters = json!({ "symbol": "BTC_USDT", "order_id": resting.remove(0) });
                owner.send("spot_cancel_order", parameters).await;
            }
            // Far from the futures market, and never filled.
            if day == 1 {
                owner.futures(1, 1, 20_000).await;
            }
            let money = json!({ "currency": "USDT", "amount": "50" });
            let way = json!({ "type": "spot_to_contract" });
            owner.send("futures_transfer", merged(&money, &way)).await;
        });
        self.place.sandbox.deposit(1, "USDT", "75.5".parse().expect("an amount"));
        self.advance(Duration::from_secs(50_400));
        // Pending during the export.
        let money = json!({ "currency": "USDT-TRC20", "amount": "20", "address": "TXk1gKyAHMExample123",
            "destination": "To Digital Address" });
        self.runtime.block_on(self.owner.send("account_withdraw", money));
        self.advance(Duration::from_secs(2));
    }

    pub(crate) fn export(&self, folder: &Path, more: &[&str]) -> Outcome {
        let folder = folder.to_str().expect("text");
        let words = ["export", "--unlimited", "--no-pauses", "--to", "now", "--out", folder];
        bitmart(&self.place, &[&words[..], &["--from", BEGIN], more].concat())
    }

    pub(crate) fn verify(&self, folder: &Path) -> Outcome {
        let folder = folder.to_str().expect("text");
        bitmart(&self.place, &["verify", folder, "--now", &self.now()])
    }

    /// The exchange's time, for `--now`.
    pub(crate) fn now(&self) -> String {
        let now = i64::try_from(self.place.sandbox.now_ms()).expect("a time");
        Timestamp::from_millis(now).to_string()
    }
}
