//! Markets, currencies and the clock.

use std::{thread, time::Duration};

use bitmart_sim::operator::Operation;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{
    Call, Effect, MAX_STEPS, Operator, OperatorCall, OperatorError, Time,
    describe::{Described, Field, Kind, calls, field, response},
};
use crate::{LeverageBracket, NetworkTerms, clock::Clock, shared::Shared};

/// The longest time by which one call advances the clock: 366 days.
pub(crate) const MAX_ADVANCE_MS: u64 = 366 * 86_400_000;

calls! {
    /// Open or close deposits (code 60003) and withdrawals (60004) of a currency, or of one network (60003,
    /// 60056).
    Stored "POST /currencies" => set_currency_open(SetCurrencyOpen) -> SetCurrencyOpen {
        /// Currency, or currency and network: `USDT-ERC20`.
        currency: String = "USDT-ERC20",
        /// Whether deposits are open.
        deposits: bool = true,
        /// Whether withdrawals are open.
        withdrawals: bool = false,
    }

    /// Set fee, minimum, decimals and memo of withdrawals of a currency, or of one network.
    Stored "POST /networks" => set_network(SetNetwork) -> SetNetwork {
        /// Currency, or currency and network: `USDT-TRC20`.
        currency: String = "USDT-TRC20",
        /// The terms.
        terms: NetworkTerms = {"fee": "1", "minimum": "10", "decimals": 6},
    }

    /// Advance a stepped clock and process all events that are due. Rejected if the clock is running.
    Stored "POST /clock/advance" => advance_clock(AdvanceClock) -> Time {
        /// Milliseconds, at most 366 days.
        ms: u64 = 60000,
    }

    /// Pause or resume the market makers. Orders are still matched, and channels still pushed.
    Stored "POST /market/pause_makers" => pause_market_makers(PauseMarketMakers) -> PauseMarketMakers {
        /// Whether they are paused.
        paused: bool = true,
    }

    /// Halt or resume a pair or contract. While it is halted, new and modified orders of customers are rejected;
    /// existing orders can be filled and canceled, trigger orders keep waiting, and the details of the contract
    /// or pair have the status `Paused` or `pre-trade`.
    Stored "POST /market/halt" => halt_market(HaltMarket) -> HaltMarket {
        /// Symbol of the pair or contract.
        symbol: String = "BTC_USDT",
        /// Whether it is halted.
        halted: bool = true,
    }

    /// Delist a contract, or list it again. New orders of a delisted contract are rejected with 40014. Existing
    /// orders and positions remain.
    Stored "POST /market/delist" => delist_contract(DelistContract) -> DelistContract {
        /// Symbol of the contract.
        symbol: String = "BTCUSDT",
        /// Whether it is delisted.
        delisted: bool = true,
    }

    /// Set the leverage brackets of a contract, and with them its highest leverage. Positions and orders keep their
    /// leverage; maintenance margins follow at once, so that positions may be liquidated within a second.
    Stored "POST /market/brackets" => set_brackets(SetBrackets) -> SetBrackets {
        /// Symbol of the contract.
        symbol: String = "BTCUSDT",
        /// All its brackets, smallest cap first: caps rise, leverages fall, and ratios do not fall.
        brackets: Vec<LeverageBracket> = [
            {"leverage": 50, "cap": "500000", "ratio": "0.01"},
            {"leverage": 20, "cap": "5000000", "ratio": "0.025"}
        ],
    }

    /// Move the price of a market's model, and of the pair and the contracts on the same currencies by the same ratio.
    /// The quotes follow at the next step, and then the last price.
    Stored "POST /market/price" => move_price(MovePrice) -> MovePrice {
        /// Symbol of the pair or contract.
        symbol: String = "BTC_USDT",
        /// The new price, from a tenth to ten times the start price.
        price: Decimal = "54000",
    }

    /// Read the clock.
    Reads "GET /clock" => clock_state(ReadClock) -> ClockState {}

    /// Advance the market by steps of 100 ms, together with a stepped clock.
    Stored "POST /market/step" => step_market(StepMarket) -> Time {
        /// Number of steps, at most 10,000.
        steps: u32 = 10,
    }
}

response! {
    /// The clock of the exchange.
    ClockState {
        /// Milliseconds since 1970.
        now_ms: u64 = 1700000060000,
        /// `machine`, `fast` or `stepped`.
        kind: &'static str = "stepped",
        /// Seconds that pass in one second of the machine; 0 for a stepped clock.
        speed: u32 = 0,
    }
}

fn move_price(call: MovePrice, shared: &Shared) -> Result<MovePrice, OperatorError> {
    let MovePrice { symbol, price } = call.clone();
    shared.operate(Operation::MovePrice { symbol, price })?;
    Ok(call)
}

fn clock_state(_: ReadClock, shared: &Shared) -> Result<ClockState, OperatorError> {
    let clock = shared.state().clock;
    let (kind, speed) = match clock {
        Clock::Machine => ("machine", 1),
        Clock::Running { speed, .. } => ("fast", speed),
        Clock::Stepped { .. } => ("stepped", 0),
    };
    Ok(ClockState { now_ms: clock.now_ms(), kind, speed })
}

fn set_currency_open(
    call: SetCurrencyOpen,
    shared: &Shared,
) -> Result<SetCurrencyOpen, OperatorError> {
    let SetCurrencyOpen { currency, deposits, withdrawals } = call.clone();
    shared.operate(Operation::SetCurrencyOpen { currency, deposits, withdrawals })?;
    Ok(call)
}

fn set_network(call: SetNetwork, shared: &Shared) -> Result<SetNetwork, OperatorError> {
    let SetNetwork { currency, terms } = call.clone();
    shared.operate(Operation::SetNetwork { currency, terms })?;
    Ok(call)
}

fn advance_clock(call: AdvanceClock, shared: &Shared) -> Result<Time, OperatorError> {
    if call.ms > MAX_ADVANCE_MS {
        return Err(OperatorError::ClockTooFar);
    }
    match shared.advance(Duration::from_millis(call.ms)) {
        Some(now_ms) => Ok(Time { now_ms }),
        None => Err(OperatorError::ClockRuns),
    }
}

fn pause_market_makers(
    call: PauseMarketMakers,
    shared: &Shared,
) -> Result<PauseMarketMakers, OperatorError> {
    shared.state().pause_market_makers(call.paused);
    Ok(call)
}

fn halt_market(call: HaltMarket, shared: &Shared) -> Result<HaltMarket, OperatorError> {
    shared.halt(&call.symbol, call.halted)?;
    Ok(call)
}

fn delist_contract(call: DelistContract, shared: &Shared) -> Result<DelistContract, OperatorError> {
    let DelistContract { symbol, delisted } = call.clone();
    shared.operate(Operation::Delist { symbol, delisted })?;
    Ok(call)
}

fn set_brackets(call: SetBrackets, shared: &Shared) -> Result<SetBrackets, OperatorError> {
    let SetBrackets { symbol, brackets } = call.clone();
    shared.operate(Operation::SetBrackets { symbol, brackets })?;
    Ok(call)
}

fn step_market(call: StepMarket, shared: &Shared) -> Result<Time, OperatorError> {
    if call.steps > MAX_STEPS {
        return Err(OperatorError::TooManySteps);
    }
    for _ in 0..call.steps {
        shared.step();
        // Waiting requests can acquire the lock between two steps.
        thread::yield_now();
    }
    Ok(Time { now_ms: shared.state().clock.now_ms() })
}
