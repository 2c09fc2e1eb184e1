//! The access of handlers to the exchange: read-only, except for commands.

use std::ops::Deref;

use bitmart_sim::{AccountId, Command, Exchange, OrderId, Outcome, Reject, Request};

use crate::{
    state::State,
    wire::error::{ErrorFamily, WireError, error, rejection_error},
};

/// The exchange, with the error family of the current endpoint.
#[derive(Debug)]
pub(crate) struct Engine<'a> {
    state: &'a mut State,
    family: ErrorFamily,
}

impl Deref for Engine<'_> {
    type Target = Exchange;

    fn deref(&self) -> &Exchange {
        &self.state.exchange
    }
}

impl<'a> Engine<'a> {
    pub(crate) fn new(state: &'a mut State, family: ErrorFamily) -> Self {
        Self { state, family }
    }

    /// Applies a request of a customer. Returns the rejection of the engine.
    pub(crate) fn request(
        &mut self,
        account: AccountId,
        request: impl Into<Request>,
    ) -> Result<Outcome, Reject> {
        self.state.apply(Command::Customer { account, request: request.into() })
    }

    /// Applies a request of a customer. Returns the rejection as error of the API.
    pub(crate) fn apply(
        &mut self,
        account: AccountId,
        request: impl Into<Request>,
    ) -> Result<Outcome, WireError> {
        self.request(account, request).map_err(|reject| self.error(&reject))
    }

    /// Applies a request that creates an order, and returns its id.
    pub(crate) fn order(
        &mut self,
        account: AccountId,
        request: impl Into<Request>,
    ) -> Result<OrderId, WireError> {
        self.number(account, request).map(OrderId)
    }

    /// Applies a request that creates something with a number, and returns the number.
    pub(crate) fn number(
        &mut self,
        account: AccountId,
        request: impl Into<Request>,
    ) -> Result<u64, WireError> {
        self.apply(account, request)?.number().ok_or_else(|| error(50000))
    }

    /// The API error of a rejection.
    pub(crate) fn error(&self, reject: &Reject) -> WireError {
        rejection_error(reject, self.family)
    }
}
