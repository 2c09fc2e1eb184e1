//! What accounts set, what they do to many orders at once, and what is done to the exchange from outside.

use proptest::prelude::*;

use super::{
    super::{AccountId, Exchange, FuturesAction},
    steps::{CURRENCIES, PAIRS, money},
};
use crate::control::WalletKind;

/// One such thing.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Leverage {
        leverage: u32,
        isolated: bool,
    },
    CancelAllSpot,
    CancelAllFutures,
    SetBalance {
        funding: bool,
        currency: usize,
        cents: i64,
    },
    Halt {
        spot: bool,
        halted: bool,
    },
    /// The exchange goes on from what a snapshot holds.
    Restore,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..20_u32, any::<bool>())
            .prop_map(|(leverage, isolated)| Step::Leverage { leverage, isolated }),
        1 => Just(Step::CancelAllSpot),
        1 => Just(Step::CancelAllFutures),
        1 => (any::<bool>(), 0..CURRENCIES.len(), 1..3_000_000_i64).prop_map(
            |(funding, currency, cents)| Step::SetBalance { funding, currency, cents }
        ),
        2 => (any::<bool>(), any::<bool>()).prop_map(|(spot, halted)| Step::Halt { spot, halted }),
        1 => Just(Step::Restore),
    ]
}

pub(super) fn run(exchange: &mut Exchange, account: AccountId, step: &Step, now_ms: u64) {
    match *step {
        Step::Leverage { leverage, isolated } => {
            let _ = exchange.set_leverage(account, &"BTCUSDT".into(), leverage, isolated);
        }
        Step::CancelAllSpot => {
            for id in exchange.account_mut(account).spot_orders.open.clone() {
                assert_eq!(exchange.cancel_spot(account, id, now_ms), Ok(()));
            }
        }
        Step::CancelAllFutures => {
            exchange.cancel_all_futures(account, None, FuturesAction::Cancelled, now_ms);
        }
        Step::SetBalance { funding, currency, cents } => {
            let wallet = if funding { WalletKind::Funding } else { WalletKind::Spot };
            let amount = money(CURRENCIES[currency], cents);
            exchange
                .set_available(account, wallet, &CURRENCIES[currency].into(), amount, now_ms)
                .expect("a wallet");
        }
        Step::Halt { spot, halted } => {
            exchange.halt(if spot { PAIRS[0] } else { "BTCUSDT" }, halted).expect("a market");
        }
        // Done before anything that was due by now.
        Step::Restore => {}
    }
}

/// Goes on from what a snapshot holds. Events are no part of it: they were taken before.
pub(super) fn restore(exchange: &mut Exchange) {
    let json = serde_json::to_vec(exchange).expect("JSON");
    *exchange = serde_json::from_slice(&json).expect("the same");
}
