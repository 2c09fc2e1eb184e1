//! Schedules of the public spot channels, and the events that private spot channels push.

use bitmart_sim::{AccountId, Event};
use smol_str::SmolStr;

use super::schedule::Schedule;
use crate::generated::channels::{SpotPrivate, SpotPublic};

/// The schedule of a channel.
pub(super) fn schedule(channel: SpotPublic) -> Schedule {
    match channel {
        SpotPublic::Trades => Schedule::Trades,
        SpotPublic::DepthUpdates => Schedule::Book,
        SpotPublic::BookTicker => Schedule::Changes { steps: 1, has_first: false },
        SpotPublic::Ticker | SpotPublic::Depth | SpotPublic::Klines => {
            Schedule::Changes { steps: 5, has_first: true }
        }
    }
}

/// Account and symbol of an event, if the channel pushes it. The symbol is empty for events of an account.
pub(super) fn target(channel: SpotPrivate, event: &Event) -> Option<(AccountId, SmolStr)> {
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
