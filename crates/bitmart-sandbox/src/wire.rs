//! The wire format of the exchange: parsing of requests, and rendering of responses, pushes and errors. REST and
//! WebSocket are next to each other, so that their differences are visible.

pub(crate) mod affiliate;
pub(crate) mod api_key;
pub(crate) mod currencies;
pub(crate) mod dispatch;
pub(crate) mod earn;
pub(crate) mod engine;
pub(crate) mod enums;
pub(crate) mod error;
pub(crate) mod funding;
pub(crate) mod futures;
pub(crate) mod margin;
pub(crate) mod params;
pub(crate) mod parse_number;
pub(crate) mod render;
pub(crate) mod session;
pub(crate) mod spot;
pub(crate) mod sub_account;
#[allow(clippy::unnecessary_wraps, reason = "all handlers have one type")]
pub(crate) mod system;
pub(crate) mod topic;
pub(crate) mod transfer;
pub(crate) mod window;

use bitmart_sim::{AccountId, account::Account};
use rust_decimal::Decimal;
use serde_json::Value;

use self::{
    engine::Engine,
    error::{WireError, error},
    params::Params,
};
use crate::auth::{Caller, KeyRing};

/// A request as its handler gets it: checked, parsed, and with the state of the sandbox locked.
pub(crate) struct Call<'a> {
    pub(crate) exchange: Engine<'a>,
    /// Whose key the request has; `None` for endpoints without a key.
    pub(crate) caller: Option<&'a Caller>,
    /// All API keys, for the endpoints that list or change them.
    pub(crate) keys: &'a KeyRing,
    /// The fields of the query or body.
    pub(crate) params: Params,
    /// The time of the sandbox's clock, in milliseconds since 1970.
    pub(crate) now_ms: u64,
    /// [`Config::lenient`](crate::Config::lenient): surplus decimals are cut off, not rejected.
    pub(crate) lenient: bool,
}

/// Price and size of a level of a book; size 0 deletes the price in an update.
pub(crate) type Level = (Decimal, Decimal);

/// The `data` of a response, or the error.
pub(crate) type HandlerResult = Result<Value, WireError>;

pub(crate) type Handler = fn(&mut Call<'_>) -> HandlerResult;

impl Call<'_> {
    /// The id of the account of the caller. An error for calls without a key.
    pub(crate) fn account_id(&self) -> Result<AccountId, WireError> {
        // "Header X-BM-KEY is empty"
        self.caller.map(|caller| caller.account).ok_or_else(|| error(30001))
    }

    /// The account of the caller.
    pub(crate) fn account(&self) -> Result<&Account, WireError> {
        let owner = self.exchange.account(self.account_id()?);
        // "Header X-BM-KEY not found". It does not occur, because every key belongs to an existing account.
        owner.ok_or_else(|| error(30002))
    }
}
