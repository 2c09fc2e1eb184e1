//! Requests of customers about spot orders.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::Outcome;
use crate::{
    AccountId, Exchange, OrderId, Reject,
    book::Side,
    spot_order::NewSpotOrder,
    trigger::{AlgoKind, NewAlgo},
};

/// A request about spot and margin orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpotRequest {
    /// Place a spot order, from the spot wallet or the margin account of the pair.
    Place(NewSpotOrder),
    /// Cancel an open spot order.
    Cancel(OrderId),
    /// Cancel open spot orders.
    CancelAll {
        /// The pair; all pairs when `None`.
        symbol: Option<SmolStr>,
        /// The side; both sides when `None`.
        side: Option<Side>,
    },
    /// Place a trigger order.
    PlaceTrigger(NewAlgo),
    /// Cancel a trigger order.
    CancelTrigger(OrderId),
    /// Cancel the open trigger orders of a kind.
    CancelAllTriggers {
        /// The pair; all pairs when `None`.
        symbol: Option<SmolStr>,
        /// The kind.
        kind: AlgoKind,
    },
}

impl Exchange {
    pub(super) fn execute_spot(
        &mut self,
        account: AccountId,
        request: SpotRequest,
        now_ms: u64,
    ) -> Result<Outcome, Reject> {
        match request {
            SpotRequest::Place(order) => {
                self.check_spot_order(&order)?;
                if order.margin {
                    self.check_margin_order(account, &order)?;
                }
                self.place_spot(account, order, now_ms).map(Outcome::from)
            }
            SpotRequest::Cancel(id) => self.cancel_spot(account, id, now_ms).map(Outcome::from),
            SpotRequest::CancelAll { symbol, side } => {
                self.cancel_all_spot(account, symbol.as_deref(), side, now_ms);
                Ok(Outcome::Done)
            }
            SpotRequest::PlaceTrigger(order) => {
                self.check_algo(&order)?;
                self.submit_algo(account, order, now_ms).map(Outcome::from)
            }
            SpotRequest::CancelTrigger(id) => {
                self.cancel_algo(account, id, now_ms).map(Outcome::from)
            }
            SpotRequest::CancelAllTriggers { symbol, kind } => {
                self.cancel_all_algos(account, symbol.as_deref(), kind, now_ms);
                Ok(Outcome::Done)
            }
        }
    }
}
