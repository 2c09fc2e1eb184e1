//! Commands to the simulated exchange: no money appears or vanishes, no balance gets below zero, nothing
//! panics, and what is stored at the end can be read again.
//!
//! The first byte is the seed of the market; with 0 the market does not move. Each command is a byte for its kind, one
//! for its account, one for the time that passes before it, and bytes for its fields. Numbers have at most as many
//! decimals as a server lets through.

use bitmart_sim::{
    AccountId, Command, Decimal, Exchange, FuturesRequest, OperatorCommand, OrderId, Outcome,
    Request, Setup, SpotRequest, WalletRequest,
    account::WalletKind,
    book::{SelfTradePrevention, Side},
    futures_order::{FuturesSide, NewFuturesOrder, OrderMode},
    margin::PairAmount,
    operator::Operation,
    payment::NewWithdrawal,
    savings::Renewal,
    spot_order::{NewSpotOrder, SpotOrderType},
    transfer::{AccountWallet, NewTransfer},
    trigger::{
        Algo, AlgoKind, Condition, Direction, NewAlgo, NewPlan, Plan, PlanKind, Preset,
        PresetPrice, PriceType,
    },
};

const START_MS: u64 = 1_700_000_000_000;
const PAIRS: [&str; 2] = ["BTC_USDT", "ETH_USDT"];
const CURRENCIES: [&str; 3] = ["USDT", "BTC", "ETH"];
const CONTRACT: &str = "BTCUSDT";

/// Runs one input. Panics if a property does not hold.
pub fn run(input: &[u8]) {
    let mut input = Input(input);
    let Some(seed) = input.byte() else { return };
    let mut setup = Setup::new().seed(seed.into());
    setup.market_maker = seed > 0;
    setup.pairs.truncate(PAIRS.len());
    setup.contracts.truncate(1);
    let setup = setup.account(AccountId(1)).account(AccountId(2));
    let mut exchange = Exchange::new(&setup.sub_account(AccountId(3), AccountId(1)), START_MS);
    let mut now_ms = START_MS;
    // The newest order of spot, and that of futures.
    let mut newest_orders = [OrderId(0); 2];
    while let Some((command, wait_ms)) = input.command(newest_orders) {
        now_ms += wait_ms;
        let is_spot = matches!(&command, Command::Customer { request: Request::Spot(_), .. });
        if let Ok(Outcome::Order(id)) = exchange.apply(command, now_ms) {
            newest_orders[usize::from(!is_spot)] = id;
        }
        exchange.take_events();
        assert!(exchange.ledger().sums().values().all(Decimal::is_zero));
    }
    for row in exchange.balance_rows() {
        // A futures wallet may be negative while unrealized profit of cross positions covers it.
        assert!(row.available >= Decimal::ZERO || row.wallet == "futures", "{row:?}");
        assert!(row.frozen >= Decimal::ZERO, "{row:?}");
    }
    let stored = serde_json::to_value(&exchange).expect("JSON");
    let restored: Exchange = serde_json::from_value(stored.clone()).expect("the same");
    assert!(serde_json::to_value(&restored).expect("JSON") == stored);
}

/// The unread bytes of an input. Its functions return `None` at the end.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn number(&mut self) -> Option<i64> {
        Some(i64::from(self.byte()?) << 8 | i64::from(self.byte()?))
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        Some(all[usize::from(self.byte()?) % all.len()])
    }

    fn flag(&mut self) -> Option<bool> {
        Some(self.byte()? & 1 == 1)
    }

    /// Money: from nothing to 65,535.
    fn amount(&mut self) -> Option<Decimal> {
        let scale = self.pick(&[0, 2, 2, 3, 5, 5, 8])?;
        Some(Decimal::new(self.number()?, scale))
    }

    fn price(&mut self) -> Option<Decimal> {
        let near = Decimal::new(5_990_000 + self.number()? % 20_000, 2);
        Some(match self.byte()? % 16 {
            0 => Decimal::new(self.number()?, 1),
            1 => near * Decimal::TWO,
            _ => near,
        })
    }

    /// The newest order or one of the 31 ids before it, not all of which exist.
    fn id(&mut self, newest: OrderId) -> Option<OrderId> {
        Some(OrderId(newest.0.saturating_sub(u64::from(self.byte()? % 32))))
    }

    fn account(&mut self) -> Option<AccountId> {
        self.pick(&[AccountId(1), AccountId(2), AccountId(3)])
    }

    /// A command, and the milliseconds that pass before it.
    fn command(&mut self, newest_orders: [OrderId; 2]) -> Option<(Command, u64)> {
        let kind = self.byte()?;
        let account = self.account()?;
        let wait_ms = self.pick(&[0, 1, 50, 50, 100, 1_000, 60_000, 3_600_000, 86_400_000])?;
        let command = match kind % 16 {
            0 => Command::Wait,
            1 => Command::StepMarket,
            2 => Command::Operator(self.operator(account)?),
            3..=7 => Command::Customer { account, request: self.spot(newest_orders[0])?.into() },
            8..=12 => {
                Command::Customer { account, request: self.futures(newest_orders[1])?.into() }
            }
            _ => Command::Customer { account, request: self.wallet(account)?.into() },
        };
        Some((command, wait_ms))
    }

    fn spot_order(&mut self) -> Option<NewSpotOrder> {
        let kind = self.pick(&[
            SpotOrderType::Limit,
            SpotOrderType::Limit,
            SpotOrderType::LimitMaker,
            SpotOrderType::ImmediateOrCancel,
            SpotOrderType::Market,
        ])?;
        let side = self.pick(&[Side::Buy, Side::Sell])?;
        let by_notional = (kind, side) == (SpotOrderType::Market, Side::Buy);
        let self_trade_prevention = [
            SelfTradePrevention::CancelMaker,
            SelfTradePrevention::CancelTaker,
            SelfTradePrevention::CancelBoth,
        ];
        let amount = Decimal::new(1 + self.number()?, if by_notional { 1 } else { 5 });
        Some(NewSpotOrder {
            symbol: self.pick(&PAIRS)?.into(),
            margin: self.byte()? % 4 == 0,
            side,
            kind,
            client_order_id: None,
            self_trade_prevention: if self.flag()? {
                Some(self.pick(&self_trade_prevention)?)
            } else {
                None
            },
            size: if by_notional { Decimal::ZERO } else { amount },
            price: if kind == SpotOrderType::Market { Decimal::ZERO } else { self.price()? },
            notional: if by_notional { amount } else { Decimal::ZERO },
        })
    }

    fn spot(&mut self, newest: OrderId) -> Option<SpotRequest> {
        Some(match self.byte()? % 8 {
            0 => SpotRequest::Cancel(self.id(newest)?),
            1 => SpotRequest::CancelTrigger(self.id(newest)?),
            2 => SpotRequest::CancelAll { symbol: None, side: None },
            3 => {
                let trigger_price = self.price()?;
                let terms = Algo { kind: AlgoKind::Trigger, order: self.spot_order()? };
                SpotRequest::PlaceTrigger(NewAlgo { trigger_price, terms })
            }
            _ => SpotRequest::Place(self.spot_order()?),
        })
    }

    fn futures_order(&mut self) -> Option<NewFuturesOrder> {
        use FuturesSide::{CloseLong, CloseShort, OpenLong, OpenShort};
        use OrderMode::{FillOrKill, GoodTillCanceled, ImmediateOrCancel, PostOnly};
        let price = if self.byte()? % 4 == 0 { None } else { Some(self.price()?.round_dp(1)) };
        let mode = self.pick(&[GoodTillCanceled, FillOrKill, ImmediateOrCancel, PostOnly])?;
        Some(NewFuturesOrder {
            symbol: CONTRACT.into(),
            side: self.pick(&[OpenLong, OpenShort, CloseLong, CloseShort])?,
            price,
            size: Decimal::from(1 + self.number()? % 2_000),
            mode: if price.is_none() { GoodTillCanceled } else { mode },
            leverage: self.pick(&[1, 5, 10, 10, 20, 100])?,
            margin_type: (self.byte()? % 4 == 0).into(),
            client_order_id: None,
            self_trade_prevention: self.pick(&[
                SelfTradePrevention::CancelMaker,
                SelfTradePrevention::CancelTaker,
                SelfTradePrevention::CancelBoth,
            ])?,
        })
    }

    fn preset(&mut self) -> Option<Preset> {
        if self.byte()? % 4 > 0 {
            return Some(Preset::default());
        }
        let price_type = self.pick(&[PriceType::Last, PriceType::Mark])?;
        let preset_price = |price| Some(PresetPrice { price, price_type });
        Some(Preset {
            take_profit: preset_price(self.price()?),
            stop_loss: preset_price(self.price()?),
        })
    }

    fn futures(&mut self, newest: OrderId) -> Option<FuturesRequest> {
        let symbol = || CONTRACT.into();
        Some(match self.byte()? % 16 {
            0 | 1 => FuturesRequest::Cancel(self.id(newest)?),
            2 => FuturesRequest::CancelAll { symbol: None },
            3 => FuturesRequest::CancelAllAfter { symbol: symbol(), seconds: Some(60) },
            4 => FuturesRequest::ClosePositions { symbol: None, side: None },
            5 => FuturesRequest::SetOneWay(self.flag()?),
            6 => {
                let (leverage, margin_type) = (self.pick(&[1, 10, 50])?, self.flag()?.into());
                FuturesRequest::SetLeverage { symbol: symbol(), leverage, margin_type }
            }
            7 => {
                let kind =
                    self.pick(&[PlanKind::Plan, PlanKind::TakeProfit, PlanKind::StopLoss])?;
                let order = self.futures_order()?;
                let direction =
                    if kind.is_bound() { kind.direction(order.side) } else { Direction::Rise };
                let price_type = self.pick(&[PriceType::Last, PriceType::Mark])?;
                let condition = Condition::Reach { price: self.price()?, direction, price_type };
                let whole_position = kind.is_bound() && self.flag()?;
                let terms = Plan { kind, order, whole_position, preset: Preset::default() };
                FuturesRequest::PlacePlan(NewPlan { client_order_id: None, condition, terms })
            }
            8 => {
                let (id, preset) = (self.id(newest)?, self.preset()?);
                FuturesRequest::ModifyPreset { symbol: symbol(), id, preset }
            }
            9 => {
                let (id, price) = (self.id(newest)?, Some(self.price()?.round_dp(1)));
                FuturesRequest::Modify { id, price, size: None }
            }
            _ => {
                let order = self.futures_order()?;
                let preset = if order.side.opens() { self.preset()? } else { Preset::default() };
                FuturesRequest::Place { order, preset }
            }
        })
    }

    fn wallet(&mut self, account: AccountId) -> Option<WalletRequest> {
        let kinds = [WalletKind::Spot, WalletKind::Funding, WalletKind::Futures];
        let kind = self.byte()?;
        let currency = self.pick(&CURRENCIES)?;
        let amount = self.amount()?;
        let number = || "number".into();
        let sum =
            |symbol: &str| PairAmount { symbol: symbol.into(), currency: currency.into(), amount };
        Some(match kind % 10 {
            0 | 1 => {
                let from = AccountWallet { account, kind: self.pick(&kinds)? };
                let to = AccountWallet { account: self.account()?, kind: self.pick(&kinds)? };
                let transfer = NewTransfer { from, to, currency: currency.into(), amount };
                let number = if from.account == to.account { None } else { Some(number()) };
                WalletRequest::Transfer { transfer, number }
            }
            2 => WalletRequest::Withdraw(NewWithdrawal {
                currency: currency.into(),
                amount,
                address: self.pick(&["T1", "fail"])?.to_owned(),
                address_memo: String::new(),
                source: self.pick(&[None, Some(WalletKind::Spot), Some(WalletKind::Funding)])?,
                payee: self.pick(&[None, Some(AccountId(2))])?,
            }),
            3 => WalletRequest::SetDepositWallet(self.pick(&kinds[..2])?),
            4 | 5 => {
                let (symbol, into) = (self.pick(&PAIRS)?, self.flag()?);
                WalletRequest::TransferMargin { sum: sum(symbol), direction: into.into() }
            }
            6 => WalletRequest::Borrow(sum(self.pick(&PAIRS)?)),
            7 => WalletRequest::Repay(sum(self.pick(&PAIRS)?)),
            8 => WalletRequest::SubscribeSaving {
                number: number(),
                product: u32::from(self.byte()? % 16),
                amount,
                renewal: self.pick(&[Renewal::Off, Renewal::Flexible, Renewal::Fixed])?,
            },
            _ => WalletRequest::RedeemSaving {
                number: number(),
                id: u64::from(self.byte()? % 16),
                part: self.pick(&[None, Some(amount)])?,
            },
        })
    }

    fn operator(&mut self, account: AccountId) -> Option<OperatorCommand> {
        let (currency, amount) = (self.pick(&CURRENCIES)?.into(), self.amount()?);
        Some(match self.byte()? % 8 {
            0 => {
                let wallet = self.pick(&[WalletKind::Spot, WalletKind::Funding])?;
                OperatorCommand::SetBalance { account, wallet, currency, amount }
            }
            1 => {
                let (symbol, halted) = (self.pick(&[PAIRS[0], CONTRACT])?.into(), self.flag()?);
                OperatorCommand::HaltMarket { symbol, halted }
            }
            2 => {
                let (account, frozen) = (account.0, self.flag()?);
                OperatorCommand::Operate(Operation::Freeze { account, frozen })
            }
            3 => {
                let (symbol, delisted) = (CONTRACT.to_owned(), self.byte()? % 4 == 0);
                OperatorCommand::Operate(Operation::Delist { symbol, delisted })
            }
            _ => OperatorCommand::Deposit { account, currency, amount },
        })
    }
}
