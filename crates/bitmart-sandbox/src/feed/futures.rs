//! When the public channels of futures are pushed, and which events the private ones push to whom.

use bitmart_sim::{AccountId, Event};
use smol_str::SmolStr;

use super::schedule::Schedule;
use crate::generated::channels::{FuturesPrivate, FuturesPublic};

/// When a channel is pushed; books every `books` beats.
pub(super) fn schedule(channel: FuturesPublic, books: u64) -> Schedule {
    match channel {
        FuturesPublic::Trades => Schedule::Trades,
        FuturesPublic::DepthIncrease => Schedule::Book,
        FuturesPublic::Depth | FuturesPublic::DepthAll | FuturesPublic::BookTicker => {
            Schedule::Changes { beats: books, has_first: false }
        }
        FuturesPublic::Ticker | FuturesPublic::Klines | FuturesPublic::MarkPriceKlines => {
            Schedule::Changes { beats: 10, has_first: false }
        }
        FuturesPublic::AllTickers => Schedule::Always { beats: 10 },
        FuturesPublic::FundingRate => Schedule::Changes { beats: 600, has_first: true },
    }
}

/// Account and symbol or currency of an event, if a channel pushes it.
pub(super) fn subject(channel: FuturesPrivate, event: &Event) -> Option<(AccountId, SmolStr)> {
    match (channel, event) {
        (FuturesPrivate::UserOrders, Event::FuturesOrder { order, .. }) => {
            Some((order.account, order.request.symbol.clone()))
        }
        (FuturesPrivate::UserOrders, Event::FuturesPlan { plan, .. }) => {
            Some((plan.account, plan.terms.order.symbol.clone()))
        }
        (FuturesPrivate::UserAssets, Event::FuturesAsset { account, currency }) => {
            Some((*account, currency.clone()))
        }
        (FuturesPrivate::UserPositions, Event::FuturesPosition { account, symbol, .. }) => {
            Some((*account, symbol.clone()))
        }
        (
            FuturesPrivate::UserOrders | FuturesPrivate::UserAssets | FuturesPrivate::UserPositions,
            _,
        ) => None,
    }
}

/// Beats after which a channel is pushed without an event: positions every 10 s.
pub(super) fn repeats_after(channel: FuturesPrivate) -> Option<u64> {
    match channel {
        FuturesPrivate::UserPositions => Some(100),
        FuturesPrivate::UserOrders | FuturesPrivate::UserAssets => None,
    }
}
