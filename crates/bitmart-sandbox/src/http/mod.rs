//! The REST side: connections, checks, and the handlers of the endpoints.

#[allow(clippy::unnecessary_wraps, reason = "all handlers have one type")]
mod account;
mod affiliate;
mod api_key;
mod body;
mod checks;
mod cors;
mod dispatch;
mod earn;
mod engine;
mod funding;
mod futures;
mod futures_account;
mod futures_fields;
mod futures_funds;
mod futures_market;
mod futures_plan;
mod futures_position;
mod futures_rows;
mod futures_settings;
mod futures_tp_sl;
mod handshake;
mod injection;
mod margin;
mod params;
mod repeated;
mod response;
mod routing;
mod server;
mod service;
mod spot_algo;
mod spot_history;
#[allow(clippy::unnecessary_wraps, reason = "all handlers have one type")]
mod spot_market;
mod spot_trading;
mod sub_account;
#[allow(clippy::unnecessary_wraps, reason = "all handlers have one type")]
mod system;
mod tcp;
mod transfer;
mod window;

use serde_json::Value;

use self::{engine::Engine, params::Params};
pub(crate) use self::{server::serve, tcp::Watched};
use crate::{
    auth::{Caller, KeyRing},
    exchange::{
        AccountId,
        account::Account,
        refusal::{Refusal, refuse},
    },
};

/// What a handler works with.
pub(crate) struct Call<'a> {
    pub(crate) exchange: Engine<'a>,
    pub(crate) caller: Option<&'a Caller>,
    pub(crate) keys: &'a KeyRing,
    pub(crate) params: Params,
    pub(crate) now_ms: u64,
    pub(crate) lenient: bool,
}

/// The `data` of a response, or the error.
pub(crate) type HandlerResult = Result<Value, Refusal>;

type Handler = fn(&mut Call<'_>) -> HandlerResult;

impl Call<'_> {
    /// The account of the caller; endpoints without a key have none.
    fn account(&self) -> Result<AccountId, Refusal> {
        self.caller.map(|caller| caller.account).ok_or_else(|| refuse(30001))
    }

    /// The state of that account.
    fn owner(&self) -> Result<&Account, Refusal> {
        let owner = self.exchange.account(self.account()?);
        // A key names an account that was opened.
        owner.ok_or_else(|| refuse(30002))
    }
}

#[cfg(test)]
mod tests;
