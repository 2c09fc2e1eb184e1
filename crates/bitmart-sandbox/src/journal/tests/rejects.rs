//! The state after replaying a journal of which many commands were rejected.

use std::time::Duration;

use bitmart_sim::{
    AccountId, Command, FuturesRequest, OperatorCommand, OrderId, Outcome, Request, SpotRequest,
    WalletRequest,
    account::WalletKind,
    book::{SelfTradePrevention, Side},
    futures_order::{FuturesSide, NewFuturesOrder, OrderMode},
    margin::PairAmount,
    payment::NewWithdrawal,
    rng::Rng,
    savings::Renewal,
    spot_order::NewSpotOrder,
    transfer::{AccountWallet, NewTransfer},
    trigger::Preset,
};
use rust_decimal::Decimal;

use super::{new_store, open, reopen};
use crate::shared::Shared;

fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[usize::try_from(rng.below(from.len() as u64)).expect("small")]
}

fn number(rng: &mut Rng, most: u64) -> Decimal {
    Decimal::from(rng.below(most))
}

fn spot(rng: &mut Rng, orders: &[OrderId]) -> Request {
    if rng.chance(30) {
        return SpotRequest::Cancel(pick(rng, orders)).into();
    }
    let side = pick(rng, &[Side::Buy, Side::Sell]);
    // Some cost more than there is, and some are off the tick.
    let size = pick(rng, &[Decimal::new(1, 2), Decimal::new(2, 2), Decimal::ONE_THOUSAND]);
    let price =
        Decimal::from(59_990) + number(rng, 20) + pick(rng, &[Decimal::ZERO, Decimal::new(1, 3)]);
    let margin = rng.chance(20);
    SpotRequest::Place(NewSpotOrder {
        margin,
        ..NewSpotOrder::limit("BTC_USDT", side, size, price)
    })
    .into()
}

fn futures(rng: &mut Rng, orders: &[OrderId]) -> Request {
    use FuturesSide::{CloseLong, CloseShort, OpenLong, OpenShort};
    let symbol = || "BTCUSDT".into();
    match rng.below(10) {
        0 => FuturesRequest::Cancel(pick(rng, orders)).into(),
        1 => {
            let size = Some(number(rng, 10_000));
            FuturesRequest::Modify { id: pick(rng, orders), price: None, size }.into()
        }
        2 => FuturesRequest::ClosePositions { symbol: None, side: None }.into(),
        3 => FuturesRequest::SetOneWay(rng.chance(50)).into(),
        4 => {
            FuturesRequest::CancelAllAfter { symbol: symbol(), seconds: Some(rng.below(10)) }.into()
        }
        _ => {
            let order = NewFuturesOrder {
                symbol: symbol(),
                side: pick(rng, &[OpenLong, OpenShort, CloseLong, CloseShort]),
                price: Some(Decimal::from(59_990) + number(rng, 20)),
                size: number(rng, 60_000),
                mode: pick(
                    rng,
                    &[
                        OrderMode::GoodTillCanceled,
                        OrderMode::FillOrKill,
                        OrderMode::ImmediateOrCancel,
                    ],
                ),
                leverage: pick(rng, &[10, 20]),
                margin_type: rng.chance(20).into(),
                client_order_id: None,
                self_trade_prevention: SelfTradePrevention::CancelMaker,
            };
            FuturesRequest::Place { order, preset: Preset::default() }.into()
        }
    }
}

fn wallet(rng: &mut Rng, account: AccountId) -> Request {
    let amount = number(rng, 200_000);
    let sum = |amount| PairAmount { symbol: "BTC_USDT".into(), currency: "USDT".into(), amount };
    match rng.below(5) {
        0 => WalletRequest::Withdraw(NewWithdrawal {
            currency: "USDT-TRC20".into(),
            amount,
            address: "T1".to_owned(),
            address_memo: String::new(),
            source: None,
            payee: None,
        })
        .into(),
        1 => WalletRequest::TransferMargin { sum: sum(amount), direction: rng.chance(70).into() }
            .into(),
        2 => WalletRequest::Borrow(sum(amount)).into(),
        3 => WalletRequest::SubscribeSaving {
            number: rng.next_u64().to_string().into(),
            product: 1_000 + u32::try_from(rng.below(8)).expect("small"),
            amount,
            renewal: Renewal::Off,
        }
        .into(),
        _ => {
            let end = |account, kind| AccountWallet { account: AccountId(account), kind };
            let wallets = [WalletKind::Spot, WalletKind::Funding, WalletKind::Futures];
            let from = AccountWallet { account, kind: pick(rng, &wallets) };
            let to = end(pick(rng, &[1, 2, 3]), pick(rng, &wallets));
            let transfer = NewTransfer { from, to, currency: "USDT".into(), amount };
            WalletRequest::Transfer { transfer, number: Some(rng.below(9).to_string().into()) }
                .into()
        }
    }
}

fn command(rng: &mut Rng, orders: &[OrderId]) -> Command {
    let account = AccountId(pick(rng, &[1, 1, 2, 3]));
    let request = match rng.below(10) {
        0..4 => spot(rng, orders),
        4..7 => futures(rng, orders),
        7..9 => wallet(rng, account),
        _ => {
            let currency = pick(rng, &["USDT", "NONE"]).into();
            let (wallet, amount) = (WalletKind::Futures, number(rng, 100_000));
            let command = OperatorCommand::SetBalance { account, wallet, currency, amount };
            return Command::Operator(command);
        }
    };
    Command::Customer { account, request }
}

fn json(shared: &Shared) -> Vec<u8> {
    shared.snapshot().to_json().expect("JSON")
}

/// Time passes before every command. The last one is rejected: nothing after it makes up for it when it is missing.
#[test]
fn rejected_commands_are_repeated_like_others() {
    for seed in 0..8 {
        let disk = new_store();
        let (shared, _events) = open(&disk).expect("opens");
        shared.create_account();
        let mut rng = Rng::new(seed);
        let (mut orders, mut rejected) = (vec![OrderId(1)], 0);
        for _ in 0..300 {
            let command = command(&mut rng, &orders);
            let mut state = shared.state();
            state.clock.advance(Duration::from_millis(rng.below(5_000)));
            match state.apply(command) {
                Ok(Outcome::Order(id)) => orders.push(id),
                Ok(_) => {}
                Err(_) => rejected += 1,
            }
        }
        let mut state = shared.state();
        state.clock.advance(Duration::from_secs(3));
        let unknown = Request::from(SpotRequest::Cancel(OrderId(1)));
        let last = Command::Customer { account: AccountId(1), request: unknown };
        assert!(state.apply(last).is_err());
        // Without a checkpoint: all of it has to happen again.
        let stored = state.journal.flush().expect("a journal");
        drop(state);
        let _ = stored.recv();
        assert!(rejected > 60 && orders.len() > 10, "{rejected} rejected, {} orders", orders.len());
        assert!(json(&reopen(&disk)) == json(&shared), "seed {seed}: another state came back");
    }
}
