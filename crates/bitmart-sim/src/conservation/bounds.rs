//! The state stays small, however many commands it has processed.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use smol_str::SmolStr;

use super::steps::{START_MS, money, setup};
use crate::{
    AccountId, Command, Exchange, FuturesRequest, OperatorCommand, Request, SpotRequest,
    WalletRequest,
    account::{MAX_OPEN_ORDERS, WalletKind},
    book::Side,
    margin::{MarginTransfer, PairAmount},
    payment::NewWithdrawal,
    reject::Reject,
    rng::Rng,
    savings::Renewal,
    spot_order::{NewSpotOrder, SpotOrderType},
    tests::{limit_buy, limit_sell, open_long, quiet},
    transfer::{AccountWallet, NewTransfer},
    trigger::Preset,
};

const MAIN: AccountId = AccountId(1);
const SUB: AccountId = AccountId(3);

/// A customer who does everything again and again, and leaves nothing open.
struct Customer {
    exchange: Exchange,
    rng: Rng,
    now_ms: u64,
    numbers: u64,
    /// How many commands of each kind were accepted.
    accepted: BTreeMap<&'static str, u64>,
}

impl Customer {
    fn new(seed: u64) -> Self {
        let mut setup = setup(seed).without_market_maker();
        setup.history_limit = 5;
        let exchange = Exchange::new(&setup, START_MS);
        let accepted = BTreeMap::new();
        Self { exchange, rng: Rng::new(seed), now_ms: START_MS, numbers: 0, accepted }
    }

    fn send(&mut self, kind: &'static str, request: impl Into<Request>) {
        let command = Command::Customer { account: MAIN, request: request.into() };
        self.apply(kind, command);
    }

    fn apply(&mut self, kind: &'static str, command: Command) {
        let accepted = self.exchange.apply(command, self.now_ms).is_ok();
        *self.accepted.entry(kind).or_default() += u64::from(accepted);
    }

    fn number(&mut self) -> SmolStr {
        self.numbers += 1;
        format!("a request number {}", self.numbers).into()
    }

    fn cents(&mut self) -> Decimal {
        money("USDT", i64::try_from(self.rng.below(5_000)).expect("small") + 1_000)
    }

    fn act(&mut self) {
        match self.rng.below(7) {
            0 => {
                // The earlier countdown would have ended within a year.
                let seconds = Some(30_000_000 + self.rng.below(1_000_000));
                let symbol = "BTCUSDT".into();
                self.send("heartbeat", FuturesRequest::CancelAllAfter { symbol, seconds });
            }
            1 => {
                let sum = |amount| PairAmount {
                    symbol: "BTC_USDT".into(),
                    currency: "USDT".into(),
                    amount,
                };
                let amount = self.cents();
                self.send("borrow", WalletRequest::Borrow(sum(amount)));
                let debt = self.exchange.debt(MAIN, "BTC_USDT", "USDT").total();
                self.send("repay", WalletRequest::Repay(sum(debt)));
            }
            2 => {
                let fails = self.rng.below(2) == 0;
                let withdrawal = NewWithdrawal {
                    currency: "USDT-TRC20".into(),
                    amount: self.cents(),
                    address: if fails { "fail" } else { "T1" }.to_owned(),
                    address_memo: String::new(),
                    source: None,
                    payee: None,
                };
                self.send("withdraw", WalletRequest::Withdraw(withdrawal));
                let (account, currency, amount) = (MAIN, "USDT".into(), Decimal::from(100));
                let deposit = OperatorCommand::Deposit { account, currency, amount };
                self.apply("deposit", Command::Operator(deposit));
            }
            3 => {
                let place = |account| AccountWallet { account, kind: WalletKind::Spot };
                for (from, to) in [(MAIN, SUB), (SUB, MAIN)] {
                    let (from, to, currency) = (place(from), place(to), "USDT".into());
                    let transfer = NewTransfer { from, to, currency, amount: Decimal::TEN };
                    let number = Some(self.number());
                    self.send("transfer", WalletRequest::Transfer { transfer, number });
                }
            }
            4 => {
                for (product, amount) in self
                    .exchange
                    .products()
                    .into_iter()
                    .filter_map(|one| (one.currency == "USDT").then_some((one, Decimal::TEN)))
                {
                    let (number, renewal) = (self.number(), Renewal::Off);
                    let product = product.id;
                    self.send(
                        "subscribe",
                        WalletRequest::SubscribeSaving { number, product, amount, renewal },
                    );
                }
                let holdings: Vec<_> = self.exchange.savings.holdings().cloned().collect();
                for holding in holdings {
                    let part = holding.product.lock_days.is_none().then_some(holding.amount);
                    let (number, id) = (self.number(), holding.id);
                    self.send("redeem", WalletRequest::RedeemSaving { number, id, part });
                }
            }
            5 => {
                let mut order = limit_buy(59_000, 1);
                order.client_order_id = Some(format!("c{}", self.numbers).into());
                self.numbers += 1;
                self.send("spot", SpotRequest::Place(order));
                self.send("cancel spot", SpotRequest::CancelAll { symbol: None, side: None });
            }
            _ => {
                let order = open_long(Some(59_000), 1);
                let preset = Preset::default();
                self.send("futures", FuturesRequest::Place { order, preset });
                self.send(
                    "cancel futures",
                    FuturesRequest::CancelAll { symbol: Some("BTCUSDT".into()) },
                );
            }
        }
        self.exchange.take_events();
        self.now_ms += self.rng.below(600_000);
    }

    fn size(&self) -> usize {
        format!("{:?}", self.exchange).len()
    }
}

#[test]
fn the_state_does_not_grow_with_the_number_of_commands() {
    for seed in 1..4 {
        let mut customer = Customer::new(seed);
        let sum = PairAmount {
            symbol: "BTC_USDT".into(),
            currency: "USDT".into(),
            amount: Decimal::from(500),
        };
        customer
            .send("margin", WalletRequest::TransferMargin { sum, direction: MarginTransfer::In });
        for _ in 0..2_500 {
            customer.act();
        }
        let before = customer.size();
        for _ in 0..5_000 {
            customer.act();
        }
        let after = customer.size();
        // Numbers get longer, and what is in progress varies.
        assert!(after < before + before / 20, "{before} bytes, later {after}");
        for (kind, accepted) in &customer.accepted {
            assert!(*accepted > 500 || *kind == "margin", "{kind} was accepted {accepted} times");
        }
    }
}

#[test]
fn an_account_has_a_limited_number_of_open_orders() {
    let mut exchange = quiet();
    let full = Some(Reject::TooManyOpenOrders { maximum: MAX_OPEN_ORDERS });
    let mut apply = |request: Request| {
        let command = Command::Customer { account: MAIN, request };
        exchange.apply(command, START_MS).err()
    };
    // The smallest size, so that the balance is sufficient.
    let spot = limit_sell(70_000, 1);
    let spot = move || {
        let mut order = spot.clone();
        (order.size, order.price) = (Decimal::new(1, 4), Decimal::from(70_000));
        order
    };
    for _ in 0..MAX_OPEN_ORDERS {
        assert_eq!(apply(SpotRequest::Place(spot()).into()), None);
    }
    assert_eq!(apply(SpotRequest::Place(spot()).into()), full);
    // An order that cannot rest is accepted, and so is another one after a cancellation.
    let taker = NewSpotOrder {
        side: Side::Buy,
        kind: SpotOrderType::ImmediateOrCancel,
        price: Decimal::from(60_000),
        ..spot()
    };
    assert_eq!(apply(SpotRequest::Place(taker).into()), None);
    assert_eq!(apply(SpotRequest::CancelAll { symbol: None, side: None }.into()), None);
    assert_eq!(apply(SpotRequest::Place(spot()).into()), None);
    let preset = Preset::default();
    let futures = || FuturesRequest::Place { order: open_long(Some(1), 1), preset };
    for _ in 0..MAX_OPEN_ORDERS {
        assert_eq!(apply(futures().into()), None);
    }
    assert_eq!(apply(futures().into()), full);
}
