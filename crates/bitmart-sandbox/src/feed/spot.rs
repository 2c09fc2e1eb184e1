//! When the public channels of spot are pushed, and which events the private ones push to whom.

use bitmart_sim::{AccountId, Event};
use smol_str::SmolStr;

use super::schedule::Schedule;
use crate::generated::channels::{SpotPrivate, SpotPublic};

/// When a channel is pushed.
pub(super) fn schedule(channel: SpotPublic) -> Schedule {
    match channel {
        SpotPublic::Trades => Schedule::Trades,
        SpotPublic::DepthIncrease => Schedule::Book,
        SpotPublic::BookTicker => Schedule::Changes { beats: 1, has_first: false },
        SpotPublic::Ticker | SpotPublic::Depth | SpotPublic::Klines => {
            Schedule::Changes { beats: 5, has_first: true }
        }
    }
}

/// Account and symbol of an event, if a channel pushes it. The symbol is empty where it concerns all.
pub(super) fn subject(channel: SpotPrivate, event: &Event) -> Option<(AccountId, SmolStr)> {
    match (channel, event) {
        (SpotPrivate::UserOrders | SpotPrivate::AllUserOrders, Event::SpotOrder { order, .. }) => {
            Some((order.account, order.request.symbol.clone()))
        }
        (SpotPrivate::UserBalances, Event::SpotBalance { account, .. }) => {
            Some((*account, SmolStr::default()))
        }
        (SpotPrivate::UserOrders | SpotPrivate::AllUserOrders | SpotPrivate::UserBalances, _) => {
            None
        }
    }
}
