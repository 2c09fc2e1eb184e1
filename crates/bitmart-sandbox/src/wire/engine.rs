//! The exchange as handlers see it: they read it, and change it by commands only.

use std::ops::Deref;

use bitmart_sim::{AccountId, Command, Exchange, OrderId, Outcome, Reject, Request};

use crate::{
    state::State,
    wire::error::{ErrorFamily, WireError, error, rejected},
};

/// The exchange, and how its rejections are told.
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

    /// Does what a customer wants, or says why not in the words of the engine.
    pub(crate) fn request(
        &mut self,
        account: AccountId,
        request: impl Into<Request>,
    ) -> Result<Outcome, Reject> {
        self.state.apply(Command::Customer { account, request: request.into() })
    }

    /// Does what a customer wants, or gives the error of the wire.
    pub(crate) fn apply(
        &mut self,
        account: AccountId,
        request: impl Into<Request>,
    ) -> Result<Outcome, WireError> {
        self.request(account, request).map_err(|reject| self.error(&reject))
    }

    /// The same for what makes an order.
    pub(crate) fn order(
        &mut self,
        account: AccountId,
        request: impl Into<Request>,
    ) -> Result<OrderId, WireError> {
        self.number(account, request).map(OrderId)
    }

    /// The same for what makes something that has a number.
    pub(crate) fn number(
        &mut self,
        account: AccountId,
        request: impl Into<Request>,
    ) -> Result<u64, WireError> {
        self.apply(account, request)?.number().ok_or_else(|| error(50000))
    }

    /// The error that a rejection is on the wire.
    pub(crate) fn error(&self, reject: &Reject) -> WireError {
        rejected(reject, self.family)
    }
}
