//! The calls of the operator, with which a test or program controls a running exchange.
//!
//! Each call is declared once, in one of the groups here. The declaration generates its struct for
//! [`Operator::call`], its route in the admin API, its description in `GET /help`, and a command of the program
//! `bitmart sandbox`. All of them use the list [`calls`].
//!
//! ```
//! use bitmart_sandbox::{Config, Sandbox, operator::{FreezeAccount, ReadLedger}};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::start(Config::new()).await?;
//! sandbox.operator().call(FreezeAccount { account: 1, frozen: true })?;
//! assert!(sandbox.operator().call(ReadLedger {})?.orders.is_empty());
//! # Ok(())
//! # }
//! ```

#![allow(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "the functions of all calls have the same signature"
)]

mod accounts;
mod call;
mod describe;
mod descriptions;
mod error;
mod faults;
mod market;
#[cfg(feature = "console")]
mod scenarios;
mod server;
mod shortcuts;
mod snapshots;

use std::fmt;

use serde::{Serialize, de::DeserializeOwned};

pub(crate) use self::call::CallError;
#[cfg(feature = "console")]
pub(crate) use self::market::MAX_ADVANCE_MS;
#[cfg(feature = "console")]
pub use self::scenarios::{PlayScenario, ReadScenario, ScenarioState, StopScenario};
pub use self::{
    accounts::{
        CreateAccount, CreateKey, CreatedAccount, CreatedKey, Credential, FreezeAccount,
        MadeDeposit, MakeDeposit, SaveAddress, SetBalance,
    },
    call::Call,
    describe::{Described, Field, Kind},
    error::OperatorError,
    faults::{
        ActiveFaults, ClearFaults, ClearedFaults, FaultName, HeldRequests, InjectFault,
        InjectedFault, KillSockets, KilledSockets, ListFaults, ListHeldRequests,
    },
    market::{
        AdvanceClock, ClockState, DelistContract, HaltMarket, MovePrice, PauseMarketMakers,
        ReadClock, SetBrackets, SetCurrencyOpen, SetNetwork, StepMarket,
    },
    server::{Ledger, ReadBook, ReadLedger, RequestStop, Stopping, TakeSnapshot, Time},
    snapshots::{
        DiscardSnapshot, GoBack, ListSnapshots, SaveSnapshot, SavedSnapshot, SavedSnapshots,
    },
};
use crate::shared::Shared;

/// Maximum number of steps per call.
pub(crate) const MAX_STEPS: u32 = 10_000;

/// The effect of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Nothing.
    Reads,
    /// The state of the exchange, which a data folder stores.
    Stored,
    /// Only the running sandbox, such as its faults.
    Transient,
}

/// A call of the operator.
///
/// Implemented by the structs of this module, and sealed, because a call has access to internals of the sandbox.
pub trait OperatorCall: Serialize + DeserializeOwned + Described + sealed::Sealed {
    /// The name, such as `freeze_account`.
    const NAME: &'static str;
    /// The route in the admin API, such as `POST /accounts/freeze`.
    const ROUTE: &'static str;
    /// Its description.
    const DESCRIPTION: &'static str;
    /// Its effect.
    const EFFECT: Effect;
    /// Its response.
    type Response: Serialize + Described;

    #[doc(hidden)]
    fn run(self, operator: Operator<'_>) -> Result<Self::Response, OperatorError>;
}

mod sealed {
    pub trait Sealed {}
}

/// Every call, in the order of the admin API's page.
pub fn calls() -> impl Iterator<Item = &'static Call> {
    let all = [server::CALLS, accounts::CALLS, market::CALLS, faults::CALLS, snapshots::CALLS];
    let all = all.into_iter().flatten();
    #[cfg(feature = "console")]
    let all = all.chain(scenarios::CALLS);
    all
}

/// The operator of a running sandbox.
#[derive(Clone, Copy)]
pub struct Operator<'a> {
    shared: &'a Shared,
}

impl fmt::Debug for Operator<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operator").finish_non_exhaustive()
    }
}

impl<'a> Operator<'a> {
    pub(crate) fn new(shared: &'a Shared) -> Self {
        Self { shared }
    }

    /// Carries out a call. With a data folder this blocks until a change of the state is on disk.
    ///
    /// # Errors
    /// If the call is rejected. Nothing was changed then. [`OperatorError::NotStored`] if the change cannot be stored:
    /// it may be in effect, and a restart loses it.
    pub fn call<C: OperatorCall>(&self, call: C) -> Result<C::Response, OperatorError> {
        if C::EFFECT != Effect::Stored {
            return call.run(*self);
        }
        if !self.shared.is_writable() {
            return Err(OperatorError::NotStored);
        }
        let response = call.run(*self)?;
        if self.shared.flush() { Ok(response) } else { Err(OperatorError::NotStored) }
    }
}
