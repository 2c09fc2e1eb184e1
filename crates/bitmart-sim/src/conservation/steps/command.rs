//! The command of a random operation.

use rust_decimal::Decimal;

use super::{
    super::{control, triggers},
    CURRENCIES, Futures, PAIRS, Spot, Step,
};
use crate::{
    AccountId, Command, Exchange, FuturesRequest, OperatorCommand, OrderId, Request, SpotRequest,
    WalletRequest,
    account::{Account, WalletKind},
    book::SelfTradePrevention,
    futures_order::{FuturesSide, NewFuturesOrder, OrderMode},
    margin::PairAmount,
    payment::NewWithdrawal,
    savings::Renewal,
    spot_order::NewSpotOrder,
    tape::Candle,
    tests::generated_spot_order,
    transfer::{AccountWallet, NewTransfer},
    trigger::Preset,
};

/// Converts cents into an amount: 0.01 USDT, or 0.00001 of a more valuable currency.
pub(in crate::conservation) fn money(currency: &str, cents: i64) -> Decimal {
    Decimal::new(cents, if currency == "USDT" { 2 } else { 5 })
}

fn sum(pair: usize, base: bool, cents: i64) -> PairAmount {
    let symbol = PAIRS[pair];
    let currency = symbol.split('_').nth(usize::from(!base)).expect("two halves");
    PairAmount { symbol: symbol.into(), currency: currency.into(), amount: money(currency, cents) }
}

/// Returns the command of a step, or `None` when it needs an order and there is none.
pub(super) fn command(
    exchange: &Exchange,
    account: AccountId,
    step: &Step,
    now_ms: u64,
) -> Option<Command> {
    let owner = &exchange.accounts[&account];
    let request: Request = match step.clone() {
        Step::Spot(Spot { margin, buy, kind, self_trade_prevention, price, milli_btc }) => {
            let order = NewSpotOrder {
                margin,
                ..generated_spot_order(buy, kind, self_trade_prevention, price, milli_btc)
            };
            SpotRequest::Place(order).into()
        }
        Step::CancelSpot(pick) => {
            SpotRequest::Cancel(picked(&owner.spot_orders.all(), pick)?).into()
        }
        Step::Futures(order) => {
            let order = futures_order(owner, &order);
            FuturesRequest::Place { order, preset: Preset::default() }.into()
        }
        Step::CancelFutures(pick) => {
            FuturesRequest::Cancel(picked(&owner.futures_orders.all(), pick)?).into()
        }
        Step::Trigger(step) => triggers::request(exchange, owner, step)?,
        Step::ModifyFutures { pick, price, size } => {
            let open: Vec<_> = owner.futures_orders.open().iter().copied().collect();
            let (price, size) = (price.map(|price| dollars(60_000 + price)), size.map(dollars));
            FuturesRequest::Modify { id: picked(&open, pick)?, price, size }.into()
        }
        Step::CancelAfter { seconds } => {
            FuturesRequest::CancelAllAfter { symbol: "BTCUSDT".into(), seconds }.into()
        }
        Step::OneWay(one_way) => FuturesRequest::SetOneWay(one_way).into(),
        Step::Deposit { currency, cents } => {
            let (currency, amount) = (CURRENCIES[currency], money(CURRENCIES[currency], cents));
            let currency = currency.into();
            let command = OperatorCommand::Deposit { account, currency, amount };
            return Some(Command::Operator(command));
        }
        Step::Withdraw { currency, cents, source, fails, payee } => {
            let currency = CURRENCIES[currency];
            let withdrawal = NewWithdrawal {
                currency: format!("{currency}-TRC20").into(),
                amount: money(currency, cents),
                address: if fails { "fail" } else { "T1" }.to_owned(),
                address_memo: String::new(),
                source: [None, Some(WalletKind::Spot), Some(WalletKind::Funding)][source],
                payee: payee.map(AccountId),
            };
            WalletRequest::Withdraw(withdrawal).into()
        }
        Step::Transfer { to, kinds, currency, cents, number } => {
            let kind = |at: usize| [WalletKind::Spot, WalletKind::Funding, WalletKind::Futures][at];
            let transfer = NewTransfer {
                from: AccountWallet { account, kind: kind(kinds.0) },
                to: AccountWallet { account: AccountId(to), kind: kind(kinds.1) },
                currency: CURRENCIES[currency].into(),
                amount: money(CURRENCIES[currency], cents),
            };
            WalletRequest::Transfer { transfer, number: Some(number.to_string().into()) }.into()
        }
        Step::Margin { pair, base, cents, into } => {
            WalletRequest::TransferMargin { sum: sum(pair, base, cents), direction: into.into() }
                .into()
        }
        Step::Borrow { pair, base, cents } => WalletRequest::Borrow(sum(pair, base, cents)).into(),
        Step::Repay { pair, base, cents } => {
            let mut sum = sum(pair, base, cents);
            let debt = exchange.debt(account, &sum.symbol, &sum.currency).total();
            sum.amount = sum.amount.min(debt);
            WalletRequest::Repay(sum).into()
        }
        Step::Save { product, cents, renewal } => {
            let products = exchange.products();
            let product = &products[product % products.len()];
            WalletRequest::SubscribeSaving {
                number: now_ms.to_string().into(),
                product: product.id,
                amount: money(&product.currency, cents),
                renewal: [Renewal::Off, Renewal::Flexible, Renewal::Fixed][renewal],
            }
            .into()
        }
        Step::Redeem { pick, cents } => redeem(exchange, account, pick, cents, now_ms)?,
        Step::Wait { .. } => return Some(Command::Wait),
        Step::Jump(percent) => return Some(jump(exchange, percent, now_ms)),
        Step::Market => return Some(Command::StepMarket),
        Step::Control(step) => return Some(control::command(account, &step)),
    };
    Some(Command::Customer { account, request })
}

pub(in crate::conservation) fn picked(ids: &[OrderId], pick: usize) -> Option<OrderId> {
    ids.get(pick % ids.len().max(1)).copied()
}

fn redeem(
    exchange: &Exchange,
    account: AccountId,
    pick: usize,
    cents: i64,
    now_ms: u64,
) -> Option<Request> {
    let holdings = exchange.savings.holdings();
    let own: Vec<_> = holdings.filter(|one| one.account == account).collect();
    let holding = own.get(pick % own.len().max(1))?;
    let flexible = holding.product.lock_days.is_none();
    let part = flexible.then(|| money(&holding.product.currency, cents).min(holding.amount));
    let number = now_ms.to_string().into();
    Some(WalletRequest::RedeemSaving { number, id: holding.id, part }.into())
}

fn dollars(amount: i64) -> Decimal {
    Decimal::from(amount)
}

/// Moves the last price of the contract by so many percent.
fn jump(exchange: &Exchange, percent: i64, now_ms: u64) -> Command {
    let last = exchange.futures["BTCUSDT"].last_price();
    let price = last * (Decimal::ONE + Decimal::new(percent, 2));
    let price = price.round_dp(1).clamp(dollars(40_000), dollars(90_000));
    let candle = Candle::flat(now_ms / 60_000 * 60_000, price);
    let symbol = "BTCUSDT".into();
    Command::Operator(OperatorCommand::RecordCandle { symbol, candle })
}

pub(in crate::conservation) fn futures_order(owner: &Account, order: &Futures) -> NewFuturesOrder {
    use FuturesSide::{CloseLong, CloseShort, OpenLong, OpenShort};
    use OrderMode::{FillOrKill, GoodTillCanceled, ImmediateOrCancel, PostOnly};
    use SelfTradePrevention::{CancelBoth, CancelMaker, CancelTaker};
    let open = owner.open_positions().next().filter(|_| order.same_terms);
    let (leverage, margin_type) = open
        .map_or((order.leverage, order.margin_type), |(_, _, position)| {
            (position.leverage, position.margin_type)
        });
    NewFuturesOrder {
        symbol: "BTCUSDT".into(),
        side: [OpenLong, CloseShort, CloseLong, OpenShort][order.side],
        price: order.price.map(|price| Decimal::from(60_000 + price)),
        size: Decimal::from(order.size),
        mode: [GoodTillCanceled, FillOrKill, ImmediateOrCancel, PostOnly][order.mode],
        leverage,
        margin_type,
        client_order_id: None,
        self_trade_prevention: [CancelMaker, CancelTaker, CancelBoth][order.self_trade_prevention],
    }
}
