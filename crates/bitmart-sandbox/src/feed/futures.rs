//! Schedules of the public futures channels, and the events that private futures channels push.

use bitmart_sim::{AccountId, Event};
use smol_str::SmolStr;

use super::schedule::Schedule;
use crate::generated::channels::{FuturesPrivate, FuturesPublic};

/// The schedule of a channel, with books every `book_steps` steps.
pub(super) fn schedule(channel: FuturesPublic, book_steps: u64) -> Schedule {
    match channel {
        FuturesPublic::Trades => Schedule::Trades,
        FuturesPublic::DepthUpdates => Schedule::Book,
        FuturesPublic::SideDepth | FuturesPublic::Depth | FuturesPublic::BookTicker => {
            Schedule::Changes { steps: book_steps, has_first: false }
        }
        FuturesPublic::Ticker | FuturesPublic::Klines | FuturesPublic::MarkPriceKlines => {
            Schedule::Changes { steps: 10, has_first: false }
        }
        FuturesPublic::AllTickers => Schedule::Always { steps: 10 },
        FuturesPublic::FundingRate => Schedule::Changes { steps: 600, has_first: true },
    }
}

/// Account and symbol (or currency) of an event, if the channel pushes it.
pub(super) fn target(channel: FuturesPrivate, event: &Event) -> Option<(AccountId, SmolStr)> {
    match (channel, event) {
        (FuturesPrivate::UserOrders, Event::FuturesOrder { order, .. }) => {
            Some((order.account, order.request.symbol.clone()))
        }
        (FuturesPrivate::UserOrders, Event::FuturesPlan { plan, .. }) => {
            Some((plan.account, plan.terms.order.symbol.clone()))
        }
        (FuturesPrivate::UserBalances, Event::FuturesAsset { account, currency }) => {
            Some((*account, currency.clone()))
        }
        (FuturesPrivate::UserPositions, Event::FuturesPosition { account, symbol, .. }) => {
            Some((*account, symbol.clone()))
        }
        (
            FuturesPrivate::UserOrders
            | FuturesPrivate::UserBalances
            | FuturesPrivate::UserPositions,
            _,
        ) => None,
    }
}

/// Steps between two pushes without an event: positions are pushed every 10 s.
pub(super) fn push_interval(channel: FuturesPrivate) -> Option<u64> {
    match channel {
        FuturesPrivate::UserPositions => Some(100),
        FuturesPrivate::UserOrders | FuturesPrivate::UserBalances => None,
    }
}
