//! A tracker connected to the sandbox through a [`FaultyProxy`].

use std::collections::BTreeSet;
use std::time::Duration;

use bitmart::account::{AccountEvent, AccountTracker, Assumptions, Health, Market};
use bitmart::rest::spot;
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::types::Service;
use bitmart::{Environment, TradeId, dec, rest, ws};

use super::faulty_proxy::{Action, FaultyProxy, Frame, TEXT, encode};

pub(crate) type TestResult = Result<(), Box<dyn std::error::Error>>;

/// Timeout for expected events. Only a failing test reaches it.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// The sandbox has no history lag and shares this machine's clock.
pub(crate) fn sandbox_assumptions() -> Assumptions {
    Assumptions::default()
        .max_history_lag(Duration::from_millis(100))
        .max_clock_skew(Duration::from_millis(10))
}

/// Number of orders in each test.
pub(crate) const ORDERS: usize = 6;

pub(crate) struct Harness {
    pub(crate) exchange: Sandbox,
    pub(crate) proxy: FaultyProxy,
    pub(crate) environment: Environment,
    pub(crate) rest: rest::Client,
    pub(crate) account: AccountTracker,
    /// Descriptions of the events.
    pub(crate) events: Vec<String>,
    pub(crate) fills: Vec<TradeId>,
}

/// Removes a required field from a frame about an order.
pub(crate) fn malformed(frame: &Frame) -> Action {
    let text = frame.text().replace("\"side\"", "\"another name\"");
    Action::Replace(encode(true, TEXT, text.as_bytes()))
}

/// Whether the frame is about an order.
fn is_order(frame: &Frame) -> bool {
    frame.opcode == TEXT && frame.text().contains("\"order_id\"")
}

/// A rule that applies a fault to the first `times` frames about orders.
pub(crate) fn first_orders(
    times: usize,
    fault: fn(&Frame) -> Action,
) -> impl FnMut(&Frame) -> Action + Send {
    let mut remaining = times;
    move |frame| {
        if remaining > 0 && is_order(frame) {
            remaining -= 1;
            return fault(frame);
        }
        Action::Forward
    }
}

pub(crate) async fn open(
    rule: impl FnMut(&Frame) -> Action + Send + 'static,
    configure: impl FnOnce(ws::ClientBuilder) -> ws::ClientBuilder,
) -> Result<Harness, Box<dyn std::error::Error>> {
    let exchange = Sandbox::start(Config::new().seed(5)).await?;
    let proxy = FaultyProxy::start(&exchange.spot().ws_private, rule).await?;
    let environment = sandbox::environment(&exchange).with(Service::SpotWsPrivate, proxy.address());
    let credentials = sandbox::credentials(&exchange)?;
    let rest = rest::Client::builder()
        .environment(environment.clone())
        .credentials(credentials.clone())
        .build()?;
    let ws = ws::Client::builder().environment(environment.clone()).credentials(credentials);
    let account = AccountTracker::builder(rest.clone(), configure(ws).build()?)
        .spot()
        .assumptions(sandbox_assumptions())
        .build();
    let mut harness = Harness {
        exchange,
        proxy,
        environment,
        rest,
        account,
        events: Vec::new(),
        fills: Vec::new(),
    };
    harness.until_live().await?;
    Ok(harness)
}

impl Harness {
    /// Waits for the next event and records it.
    pub(crate) async fn next(&mut self) -> Result<AccountEvent, Box<dyn std::error::Error>> {
        let event = tokio::time::timeout(TIMEOUT, self.account.next())
            .await
            .map_err(|_| format!("nothing more after {:?}", self.events))?
            .ok_or("the account ended")??;
        match &event {
            AccountEvent::Fill(fill) => self.fills.push(fill.trade_id.clone()),
            AccountEvent::Reconnecting { reason, .. } => {
                self.events.push(format!("reconnecting: {reason}"));
            }
            AccountEvent::Health { health: Health::Stale, .. } => {
                self.events.push("stale".to_owned());
            }
            AccountEvent::Overflowed { .. } => self.events.push("overflowed".to_owned()),
            AccountEvent::CaughtUp(report) => {
                self.events.push(format!("caught up: {report:?}"));
            }
            _ => {}
        }
        Ok(event)
    }

    pub(crate) async fn until_live(&mut self) -> TestResult {
        while !self.account.is_live(Market::Spot) {
            self.next().await?;
        }
        Ok(())
    }

    pub(crate) async fn trade(&mut self) -> TestResult {
        for _ in 0..ORDERS {
            self.rest.spot().submit_order(spot::NewOrder::market_buy("BTC_USDT", dec!(40))).await?;
        }
        Ok(())
    }

    /// Waits until every fill of the exchange is known, and checks that each was reported once.
    pub(crate) async fn settle(&mut self) -> TestResult {
        let ledger: BTreeSet<TradeId> = self
            .exchange
            .fills()
            .iter()
            .map(|fill| TradeId::from(fill.trade_id.as_str()))
            .collect();
        assert!(ledger.len() >= ORDERS, "every order filled");
        while self.fills.len() < ledger.len()
            || !self.account.is_live(Market::Spot)
            || self.account.state().open_orders(Market::Spot).next().is_some()
        {
            self.next().await?;
        }
        let known: BTreeSet<TradeId> = self.fills.iter().cloned().collect();
        assert_eq!(known.len(), self.fills.len(), "a fill was reported twice");
        assert_eq!(known, ledger);
        let wallet = self.rest.account().spot_wallet().await?;
        for currency in ["BTC", "USDT"] {
            let currency = currency.into();
            while self.account.state().balance(Market::Spot, &currency).map(|own| own.available)
                != wallet.find(currency.as_str()).and_then(|balance| balance.available)
            {
                self.next().await?;
            }
        }
        Ok(())
    }

    pub(crate) fn has_event(&self, name: &str) -> bool {
        self.events.iter().any(|event| event.contains(name))
    }

    /// A malformed frame causes a fetch but no reconnect.
    pub(crate) fn check_fetched_without_reconnecting(&self) {
        assert!(!self.has_event("reconnecting"), "{:?}", self.events);
        assert!(self.has_event("fetched_from: Some"), "{:?}", self.events);
    }
}

/// Trades while the rule applies faults.
pub(crate) async fn trade_with_faults(
    rule: impl FnMut(&Frame) -> Action + Send + 'static,
) -> Result<Harness, Box<dyn std::error::Error>> {
    let mut harness = open(rule, |ws| ws).await?;
    harness.trade().await?;
    harness.settle().await?;
    Ok(harness)
}
