//! Random settings, cancellations of all orders, and commands of the operator.

use proptest::prelude::*;

use super::{
    super::AccountId,
    steps::{CURRENCIES, PAIRS, money},
};
use crate::{
    Command, FuturesRequest, OperatorCommand, Request, SpotRequest, account::WalletKind,
    futures_order::MarginType, position::PositionSide,
};

/// A random operation.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Leverage { leverage: u32, margin_type: MarginType },
    CancelAllSpot,
    CancelAllFutures,
    ClosePositions { side: Option<PositionSide> },
    SetBalance { funding: bool, currency: usize, cents: i64 },
    Halt { spot: bool, halted: bool },
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..20_u32, any::<bool>())
            .prop_map(|(leverage, isolated)| Step::Leverage { leverage, margin_type: isolated.into() }),
        1 => Just(Step::CancelAllSpot),
        1 => Just(Step::CancelAllFutures),
        1 => proptest::option::of(any::<bool>()).prop_map(|is_long| {
            Step::ClosePositions { side: is_long.map(PositionSide::from) }
        }),
        1 => (any::<bool>(), 0..CURRENCIES.len(), 1..3_000_000_i64).prop_map(
            |(funding, currency, cents)| Step::SetBalance { funding, currency, cents }
        ),
        2 => (any::<bool>(), any::<bool>()).prop_map(|(spot, halted)| Step::Halt { spot, halted }),
    ]
}

pub(super) fn command(account: AccountId, step: &Step) -> Command {
    let request: Request = match *step {
        Step::Leverage { leverage, margin_type } => {
            FuturesRequest::SetLeverage { symbol: "BTCUSDT".into(), leverage, margin_type }.into()
        }
        Step::CancelAllSpot => SpotRequest::CancelAll { symbol: None, side: None }.into(),
        Step::CancelAllFutures => FuturesRequest::CancelAll { symbol: None }.into(),
        Step::ClosePositions { side } => {
            FuturesRequest::ClosePositions { symbol: None, side }.into()
        }
        Step::SetBalance { funding, currency, cents } => {
            let wallet = if funding { WalletKind::Funding } else { WalletKind::Spot };
            let amount = money(CURRENCIES[currency], cents);
            let currency = CURRENCIES[currency].into();
            let command = OperatorCommand::SetBalance { account, wallet, currency, amount };
            return Command::Operator(command);
        }
        Step::Halt { spot, halted } => {
            let symbol = if spot { PAIRS[0] } else { "BTCUSDT" }.into();
            return Command::Operator(OperatorCommand::HaltMarket { symbol, halted });
        }
    };
    Command::Customer { account, request }
}
