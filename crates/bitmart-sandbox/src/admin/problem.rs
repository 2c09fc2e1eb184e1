//! Error responses of the admin API: a status and a text.

use hyper::StatusCode;

use crate::operator::{CallError, OperatorError};

/// An error response of the admin API.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(super) status: StatusCode,
    pub(super) text: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }

    pub(super) fn not_stored() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the data folder cannot be written to")
    }

    pub(super) fn too_many_connections() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "too many connections")
    }

    pub(super) fn stopped() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the sandbox has stopped")
    }

    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }
}

#[cfg(feature = "console")]
impl From<Problem> for String {
    fn from(problem: Problem) -> Self {
        problem.text
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Body(text) => Self::bad(text),
            CallError::Operator(error) => Self::new(status(&error), error.to_string()),
            CallError::Response(error) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
            }
        }
    }
}

fn status(error: &OperatorError) -> StatusCode {
    match error {
        OperatorError::UnknownAccount(_)
        | OperatorError::UnknownMarket(_)
        | OperatorError::UnknownSnapshot(_) => StatusCode::NOT_FOUND,
        OperatorError::KeyExists | OperatorError::ClockRuns | OperatorError::NoMarketMaker(_) => {
            StatusCode::CONFLICT
        }
        OperatorError::NotStored => StatusCode::SERVICE_UNAVAILABLE,
        OperatorError::UnknownCurrency(_)
        | OperatorError::IncompleteKey
        | OperatorError::InvalidAddress
        | OperatorError::InvalidAmount(_)
        | OperatorError::InvalidDeposit { .. }
        | OperatorError::TooManySteps
        | OperatorError::ClockTooFar
        | OperatorError::Rejected(_)
        | OperatorError::InvalidPrice(_)
        | OperatorError::InvalidBrackets(_)
        | OperatorError::InvalidName(_)
        | OperatorError::InvalidScenario(_)
        | OperatorError::InvalidFault(_) => StatusCode::BAD_REQUEST,
    }
}
