//! Fill-or-kill against what really happens: the same order as an immediate one, on a copy of the exchange.

use rust_decimal::Decimal;

use crate::{
    AccountId, Exchange,
    account::WalletKind,
    futures_order::{FuturesSide, NewFuturesOrder, OrderMode},
    rng::Rng,
    tests::{START_MS, futures_order, open_long, open_short, quiet},
};

const TAKER: AccountId = AccountId(3);

/// From `least` up to `most`.
fn between(rng: &mut Rng, least: i64, most: i64) -> i64 {
    least + i64::try_from(rng.below((most - least + 1).unsigned_abs())).expect("small")
}

/// Two accounts in one-way mode are long, and have little money left. They sell in order to close, to reduce, and
/// to open more than they can pay.
fn with_closing_orders(rng: &mut Rng) -> Exchange {
    let mut exchange = quiet();
    let usdt = "USDT".into();
    exchange.set_available_balance(TAKER, WalletKind::Futures, &usdt, Decimal::from(1_000_000));
    for (account, other) in [(1, 11), (2, 12)] {
        let (account, other) = (AccountId(account), AccountId(other));
        exchange.set_available_balance(other, WalletKind::Futures, &usdt, Decimal::from(1_000_000));
        exchange.set_one_way(account, true).expect("nothing is open");
        let size = between(rng, 1, 20);
        let (buy, sell) = (open_long(Some(60_000), size), open_short(Some(60_000), size));
        for (id, order) in [(account, buy), (other, sell)] {
            exchange.place_futures(id, order, START_MS).expect("accepted");
        }
    }
    for _ in 0..between(rng, 2, 8) {
        let account = AccountId(u32::try_from(between(rng, 1, 2)).expect("small"));
        let price = 60_000 + 100 * between(rng, 1, 5);
        let side = if rng.chance(40) { FuturesSide::CloseLong } else { FuturesSide::OpenShort };
        let order = futures_order(side, Some(price), between(rng, 1, 15));
        // An order that is rejected is not there.
        let _ = exchange.place_futures(account, order, START_MS);
        let money = Decimal::from(between(rng, 0, 60));
        exchange.set_available_balance(account, WalletKind::Futures, &usdt, money);
    }
    exchange
}

fn filled(exchange: &mut Exchange, order: NewFuturesOrder) -> Decimal {
    let id = exchange.place_futures(TAKER, order, START_MS).expect("accepted");
    exchange.futures_orders[&id].filled
}

#[test]
fn fill_or_kill_fills_completely_exactly_when_an_immediate_order_would() {
    let mut rng = Rng::new(5);
    let (mut killed, mut completed, mut short_of_makers) = (0, 0, 0);
    for round in 0..2_000 {
        let mut exchange = with_closing_orders(&mut rng);
        let price = rng.chance(70).then(|| 60_000 + 100 * between(&mut rng, 1, 5));
        let size = between(&mut rng, 1, 40);
        let order = |mode| NewFuturesOrder { mode, ..open_long(price, size) };
        let immediate = filled(&mut exchange.clone(), order(OrderMode::ImmediateOrCancel));
        let all = Decimal::from(size);
        let expected = if immediate == all { all } else { Decimal::ZERO };
        let matching = exchange.futures["BTCUSDT"].book.levels(crate::book::Side::Sell, 9);
        let matching =
            matching.iter().filter(|row| price.is_none_or(|price| row.0 <= price.into()));
        // The book holds enough, but the order does not get it.
        short_of_makers +=
            u32::from(immediate < all && matching.map(|row| row.1).sum::<Decimal>() >= all);
        let before = exchange.ledger.sums();
        assert_eq!(filled(&mut exchange, order(OrderMode::FillOrKill)), expected, "round {round}");
        assert_eq!(exchange.ledger.sums(), before);
        if expected.is_zero() { killed += 1 } else { completed += 1 }
    }
    assert!(
        killed > 100 && completed > 100 && short_of_makers > 5,
        "{killed} {completed} {short_of_makers}"
    );
}
