//! The histories of an account explain its balances.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rust_decimal::Decimal;
use smol_str::SmolStr;

use super::{
    cases,
    steps::{self, START_MS, Step, run, start},
};
use crate::{
    AccountId, Exchange, account::WalletKind, book::Side, payment::PaymentState,
    savings::SavingAction, transfer::AccountWallet,
};

type Sums = BTreeMap<(AccountId, SmolStr), Decimal>;

/// The sums of the spot and funding wallets of customers.
fn held(exchange: &Exchange) -> Sums {
    let mut sums = Sums::new();
    for account in exchange.accounts.values().filter(|account| !account.house) {
        for kind in [WalletKind::Spot, WalletKind::Funding] {
            for (currency, wallet) in exchange.wallets(account.id, kind) {
                *sums.entry((account.id, currency.clone())).or_default() += wallet.total();
            }
        }
    }
    sums
}

/// The sums of money that came in (above zero) or went out, by the histories of the accounts.
fn listed_changes(exchange: &Exchange) -> Sums {
    let mut sums = Sums::new();
    let mut add = |account, currency: &SmolStr, amount| {
        *sums.entry((account, currency.clone())).or_default() += amount;
    };
    for fill in exchange.spot_fills() {
        let rules = &exchange.spot[&fill.request.symbol].rules;
        let value = fill.price * fill.size;
        let (base, quote) =
            if fill.request.side == Side::Buy { (fill.size, -value) } else { (-fill.size, value) };
        add(fill.account, &rules.base, base);
        add(fill.account, &rules.quote, quote - fill.fee);
    }
    let accounts = exchange.accounts.values();
    // Sub-accounts cannot ask for deposits and withdrawals.
    for main in accounts.filter(|account| account.main.is_none()) {
        for row in exchange.payments_of(main.id).filter(|row| row.state == PaymentState::Done) {
            let amount = if row.deposit { row.amount } else { -row.amount };
            add(main.id, &exchange.plain_currency(&row.currency).expect("known"), amount);
        }
    }
    for row in exchange.transfers() {
        for (AccountWallet { account, kind }, amount) in
            [(row.from, -row.amount), (row.to, row.amount)]
        {
            if kind != WalletKind::Futures {
                add(account, &row.currency, amount);
            }
        }
    }
    for row in exchange.savings.records() {
        let amount = if row.action == SavingAction::Subscribe { -row.amount } else { row.amount };
        add(row.account, &row.product.currency, amount);
    }
    sums
}

/// Margin accounts have no history of transfers.
fn has_history(step: &Step) -> bool {
    !matches!(step, Step::Margin { .. } | Step::Borrow { .. } | Step::Repay { .. })
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn the_histories_of_an_account_explain_its_spot_and_funding_wallets(
        seed in any::<u64>(),
        steps in proptest::collection::vec(steps::step(), 1..300),
    ) {
        let (mut exchange, mut now_ms) = (start(seed), START_MS);
        let before = held(&exchange);
        for (account, step) in steps.iter().filter(|(_, step)| has_history(step)) {
            run(&mut exchange, *account, step, &mut now_ms);
            exchange.take_events();
        }
        let listed = listed_changes(&exchange);
        for (wallet, amount) in held(&exchange) {
            let before = before.get(&wallet).copied().unwrap_or_default();
            let listed = listed.get(&wallet).copied().unwrap_or_default();
            prop_assert_eq!(amount - before, listed, "{:?}", wallet);
        }
    }
}
