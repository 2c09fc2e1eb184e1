//! Dispatches channels to the modules of spot and futures. A described channel without a schedule or without values
//! does not compile.

use std::collections::BTreeMap;

use bitmart_sim::{AccountId, Event, Exchange};
use serde_json::Value;
use smol_str::SmolStr;

use super::{futures, schedule::Schedule, spot};
use crate::{
    generated::channels::{ChannelId, FuturesPrivate, FuturesPublic, SpotPrivate, SpotPublic},
    wire::{self, topic::Topic},
};

/// The schedule of a channel, with futures books every `futures_book_steps` steps; `None` for private channels, which
/// are pushed with their events.
pub(super) fn schedule(channel: ChannelId, futures_book_steps: u64) -> Option<Schedule> {
    match channel {
        ChannelId::SpotPublic(channel) => Some(spot::schedule(channel)),
        ChannelId::FuturesPublic(channel) => Some(futures::schedule(channel, futures_book_steps)),
        ChannelId::SpotPrivate(_) | ChannelId::FuturesPrivate(_) => None,
    }
}

/// The current values of a public channel that is pushed periodically, one per frame.
pub(super) fn values(exchange: &Exchange, topic: &Topic, now_ms: u64) -> Vec<Value> {
    match topic.channel {
        ChannelId::SpotPublic(channel) => {
            wire::spot::stream::value(channel, exchange, topic, now_ms).into_iter().collect()
        }
        ChannelId::FuturesPublic(channel) => {
            wire::futures::stream::values(channel, exchange, topic, now_ms)
        }
        ChannelId::SpotPrivate(_) | ChannelId::FuturesPrivate(_) => Vec::new(),
    }
}

/// Adds the push time, if the channel has one.
pub(super) fn stamp(channel: ChannelId, value: &mut Value, now_ms: u64) {
    let Some(fields) = value.as_object_mut() else { return };
    match channel {
        ChannelId::SpotPublic(channel) => wire::spot::stream::stamp(channel, fields, now_ms),
        ChannelId::FuturesPublic(channel) => wire::futures::stream::stamp(channel, fields, now_ms),
        ChannelId::SpotPrivate(_) | ChannelId::FuturesPrivate(_) => {}
    }
}

/// The trades among the events, one frame per symbol.
pub(super) fn trades(exchange: &Exchange, events: &[Event]) -> Vec<(ChannelId, SmolStr, Value)> {
    let frames = |channel: ChannelId, rows: BTreeMap<SmolStr, Vec<Value>>| {
        rows.into_iter().map(move |(symbol, rows)| (channel, symbol, rows.into()))
    };
    let spot = wire::spot::stream::trades(exchange, events);
    let futures = wire::futures::stream::trades(events);
    frames(ChannelId::SpotPublic(SpotPublic::Trades), spot)
        .chain(frames(ChannelId::FuturesPublic(FuturesPublic::Trades), futures))
        .collect()
}

/// The private channels that push an event, each with account and symbol.
pub(super) fn private_targets(
    event: &Event,
) -> impl Iterator<Item = (ChannelId, AccountId, SmolStr)> {
    let spot = SpotPrivate::ALL
        .into_iter()
        .map(move |channel| (ChannelId::SpotPrivate(channel), spot::target(channel, event)));
    let futures = FuturesPrivate::ALL
        .into_iter()
        .map(move |channel| (ChannelId::FuturesPrivate(channel), futures::target(channel, event)));
    let pushed = |(channel, target): (ChannelId, Option<(AccountId, SmolStr)>)| {
        target.map(|(account, symbol)| (channel, account, symbol))
    };
    spot.chain(futures).filter_map(pushed)
}

/// Renders an event for a private channel; `None` for public channels.
pub(super) fn event_value(
    channel: ChannelId,
    exchange: &Exchange,
    event: &Event,
    now_ms: u64,
) -> Option<Value> {
    match channel {
        ChannelId::SpotPrivate(_) => wire::spot::stream::event_value(exchange, event, now_ms),
        ChannelId::FuturesPrivate(_) => wire::futures::stream::event_value(exchange, event),
        ChannelId::SpotPublic(_) | ChannelId::FuturesPublic(_) => None,
    }
}
